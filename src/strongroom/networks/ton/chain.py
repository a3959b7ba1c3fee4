"""What a chain is to its family: the facts that an entry of the table gives, and that signing needs, too."""

from __future__ import annotations

from dataclasses import dataclass

from strongroom.records.address_space import AddressSpace

_SHAPE = r"[0-9A-Za-z_-]{48}|[0-9A-Za-z+/]{48}|(?:0|-1):[0-9A-Fa-f]{64}"
_ADDRESSES = AddressSpace("ton", _SHAPE)
_TEST_ADDRESSES = AddressSpace("ton-test", _SHAPE)
_WORDS = r"(?:[A-Za-z]{3,8}\s{1,4}){23}[A-Za-z]{3,8}"


@dataclass(frozen=True, slots=True)
class TonChain:
    """The public facts of a chain. ``family.py`` adds the verbs of a network."""

    name: str
    global_id: int
    """The number in every block, which wallets of version 5 hold: -239, and -3 for the testnet."""
    testnet: bool = False
    """Whether its addresses have the flag of testnets, which software for the main network refuses."""
    explorer: str | None = None
    """The URL of an address's page, with ``{address}``."""

    @property
    def caip2(self) -> str:
        """``tvm:`` and the global id. CAIP-2, tvm."""
        return f"tvm:{self.global_id}"

    @property
    def key_shape(self) -> str:
        """TON's own 24 words, of the list of BIP-39."""
        return _WORDS

    @property
    def address_space(self) -> AddressSpace:
        """``ton`` or ``ton-test``: an address carries the flag of testnets, and one of version 5 the network's id."""
        return _TEST_ADDRESSES if self.testnet else _ADDRESSES

    @property
    def coin_type(self) -> int:
        """607, of both: wallets derive the same keys on the testnet. SLIP-44."""
        return 607
