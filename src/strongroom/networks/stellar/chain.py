"""What a network of Stellar is to its family: the facts that an entry of the table gives."""

from __future__ import annotations

from dataclasses import dataclass

from strongroom.records.address_space import AddressSpace

_ADDRESSES = AddressSpace("stellar", "G[A-Z2-7]{55}")


@dataclass(frozen=True, slots=True)
class StellarChain:
    """The public facts of a network. ``family.py`` adds the verbs."""

    name: str
    reference: str
    """``pubnet`` or ``testnet``. CAIP-2, stellar."""
    explorer: str | None = None
    """The URL of an account's page, with ``{address}``."""

    @property
    def caip2(self) -> str:
        """``stellar:`` and the network's short name. CAIP-2."""
        return f"stellar:{self.reference}"

    @property
    def key_shape(self) -> str:
        """Secret seeds: ``S`` and 55 characters, the last of them a checksum. SEP-23."""
        return "S[A-Z2-7]{55}"

    @property
    def address_space(self) -> AddressSpace:
        """``stellar``: every network has the same accounts."""
        return _ADDRESSES

    @property
    def coin_type(self) -> int:
        """148, of every network. SLIP-44, SEP-5."""
        return 148
