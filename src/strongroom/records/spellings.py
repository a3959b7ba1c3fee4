"""Addresses and public keys in whatever form a row spells them."""

from __future__ import annotations

import re
from collections.abc import Iterator

LONGEST = 2_048
"""Characters of a column that are looked at."""


def bare(text: str) -> str:
    """An address or a key without what makes no difference: case, and what stands around or between its characters."""
    return re.sub("[^0-9a-z]", "", text[:LONGEST].lower())


def spellings(text: str) -> Iterator[str]:
    """The bare forms of an address or a key in hexadecimal digits: with ``0x``, and without."""
    form = bare(text)
    yield form
    if form.startswith("0x"):
        yield form[2:]
