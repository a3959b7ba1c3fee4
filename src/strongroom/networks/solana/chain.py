"""What a chain is to its family: the facts that an entry of the table gives, and that signing needs, too."""

from __future__ import annotations

from dataclasses import dataclass

from strongroom.records.address_space import AddressSpace

_ADDRESSES = AddressSpace("solana", "[1-9A-HJ-NP-Za-km-z]{32,44}")


@dataclass(frozen=True, slots=True)
class SolanaChain:
    """The public facts of a chain. ``family.py`` adds the verbs of a network."""

    name: str
    genesis: str
    """The first 32 characters of the genesis hash. CAIP-2, solana."""
    fee_limit_lamports: int = 10**9
    """The highest fee that is signed unless a caller says another limit: one SOL."""
    explorer: str | None = None
    """The URL of an address's page, with ``{address}``."""

    @property
    def caip2(self) -> str:
        """``solana:`` and the beginning of the genesis hash. CAIP-2."""
        return f"solana:{self.genesis}"

    @property
    def key_shape(self) -> str:
        """Empty: its keys are written in forms that are read everywhere."""
        return ""

    @property
    def address_space(self) -> AddressSpace:
        """``solana``: every cluster has the same addresses."""
        return _ADDRESSES

    @property
    def coin_type(self) -> int:
        """501, of every cluster. SLIP-44."""
        return 501
