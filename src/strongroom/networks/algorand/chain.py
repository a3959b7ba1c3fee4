"""What a network of Algorand is to its family: the facts that an entry of the table gives."""

from __future__ import annotations

from dataclasses import dataclass

from strongroom.records.address_space import AddressSpace

_ADDRESSES = AddressSpace("algorand", "[A-Z2-7]{58}")
_WORD = "[a-zA-Z]{3,8}"
_WORDS = rf"(?:{_WORD}[ \t\r\n]{{1,4}}){{24}}{_WORD}"


@dataclass(frozen=True, slots=True)
class AlgorandChain:
    """The public facts of a network. ``family.py`` adds the verbs."""

    name: str
    genesis: str
    """The first 32 characters of the genesis hash in url-safe base64. CAIP-2, algorand."""
    explorer: str | None = None
    """The URL of an account's page, with ``{address}``."""

    @property
    def caip2(self) -> str:
        """``algorand:`` and the beginning of the genesis hash. CAIP-2."""
        return f"algorand:{self.genesis}"

    @property
    def key_shape(self) -> str:
        """25 words, the last of them a checksum."""
        return _WORDS

    @property
    def address_space(self) -> AddressSpace:
        """``algorand``: every network has the same accounts."""
        return _ADDRESSES

    @property
    def coin_type(self) -> int:
        """283, of every network. SLIP-44."""
        return 283
