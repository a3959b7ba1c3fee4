"""A key or phrase that was found in a text, and what its notation says of it."""

from __future__ import annotations

from typing import NamedTuple

from strongroom.crypto.phrase import Phrase
from strongroom.networks.curves.extended_key import ExtendedKey
from strongroom.secret import Secret


class Found(NamedTuple):
    """A key or phrase, as one notation reads it."""

    form: str
    key: Secret | None = None
    phrase: Phrase | None = None
    certain: bool = False
    """Whether it can be nothing else; else it is a key only where it derives the stored address."""
    proved: bool = False
    """Whether a checksum, or the public key next to it, says that it is a private key, whatever its name says."""
    written: Secret | None = None
    """As it is written, where that says more than the key (of which networks it is, and in which scheme) or phrase (the
    word before it, which may be a label or one of another phrase)."""
    tree: ExtendedKey | None = None
    """An extended key, of which many keys are derived: one of them is a key of the row where it derives its address."""
    partial: bool = False
    """Whether more stands there than the key: the rest of a seed, a long number."""
