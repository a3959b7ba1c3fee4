"""Derivation paths: ``m/44'/60'/0'/0/0``. BIP-32, "The key tree"."""

from __future__ import annotations

import re
from functools import lru_cache

from strongroom.errors import InvalidPathError

HARDENED = 1 << 31
MAX_DEPTH = 255  # the depth is one byte

_MAX_CHARACTERS = len("m") + MAX_DEPTH * len("/2147483647'")
_PATH = re.compile("m(?:/(?:0|[1-9][0-9]{0,9})['hH]?)*")

Path = tuple[int, ...]
"""The child numbers from the root, hardened ones with ``HARDENED`` added."""


@lru_cache(maxsize=8192)
def parse(text: str) -> Path:
    """Read a path: ``m``, then elements below 2^31, each with ``'``, ``h`` or ``H`` where it is hardened.

    Nothing else is a path: no leading zeros, no white space, no empty elements, no more than 255 of them.
    Raises InvalidPathError. BIP-32.
    """
    if len(text) > _MAX_CHARACTERS or not _PATH.fullmatch(text):
        raise InvalidPathError("The derivation path cannot be parsed.")
    elements = text.split("/")[1:]
    if len(elements) > MAX_DEPTH:
        raise InvalidPathError(f"The derivation path has more than {MAX_DEPTH} elements.")
    indices = [int(element.rstrip("'hH")) for element in elements]
    if any(index >= HARDENED for index in indices):
        raise InvalidPathError("An element of the derivation path is 2147483648 or more.")
    return tuple(
        index if element[-1].isdigit() else index + HARDENED for index, element in zip(indices, elements, strict=True)
    )


def spelled(text: str) -> str:
    """A path in its canonical form; one that begins with ``/`` is a network's own, which alone reads it.

    Raises InvalidPathError.
    """
    return text if text.startswith("/") else render(parse(text))


def render(path: Path) -> str:
    """Write a path in its canonical form, hardened elements with ``'``."""
    return "/".join(("m", *(f"{n - HARDENED}'" if n >= HARDENED else str(n) for n in path)))
