"""Address spaces: which networks share their addresses, and what an address of theirs looks like."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AddressSpace:
    """A set of addresses. Networks of one space show one key, in one scheme, under one address.

    The forms of two spaces may collide: then a text alone does not say whose address it is.
    """

    name: str
    """Such as ``evm`` and ``bitcoin-main``."""
    shape: str
    """A regular expression that every address matches as a whole, in whatever form it is read.

    It is tried before an address is parsed and is cheap; what matches need not be an address. Bounded in length,
    without capturing groups.
    """
    within: str | None = None
    """Another space whose spellings its networks read where a row names them; alone, such a text is one of that."""
    checksummed: bool = False
    """Whether a checksum is in every address: a text that is one is then none of a space that has no checksums."""
    only_named: bool = False
    """Whether its addresses look like keys, public keys and hashes: in a row, a text is one only where its network says
    so, since what stands there may be a key."""
