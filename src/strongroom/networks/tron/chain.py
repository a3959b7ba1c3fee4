"""What a chain is to its family: the facts that an entry of the table gives, and that signing needs, too."""

from __future__ import annotations

from dataclasses import dataclass

from strongroom.records.address_space import AddressSpace

_ADDRESSES = AddressSpace("tron", "T[1-9A-HJ-NP-Za-km-z]{33}|41[0-9a-fA-F]{40}")


@dataclass(frozen=True, slots=True)
class TronChain:
    """The public facts of a chain. ``family.py`` adds the verbs of a network."""

    name: str
    chain_id: int
    """The last four bytes of the genesis block's hash, which TIP-474 makes the chain id."""
    explorer: str | None = None
    """The URL of an address's page, with ``{address}``."""

    @property
    def caip2(self) -> str:
        """``tron:`` and the chain id as a decimal number. CAIP-2."""
        return f"tron:{self.chain_id}"

    @property
    def coin_type(self) -> int:
        """195, on testnets too: their wallets derive no others. SLIP-44."""
        return 195

    @property
    def key_shape(self) -> str:
        """Empty: its keys are written in forms that are read everywhere."""
        return ""

    @property
    def address_space(self) -> AddressSpace:
        """``tron``: Nile and Shasta have the same addresses."""
        return _ADDRESSES
