"""What a chain is to its family: the facts that an entry of the table gives, and that signing needs, too."""

from __future__ import annotations

from dataclasses import dataclass

from strongroom.records.address_space import AddressSpace

_ADDRESSES = AddressSpace("sui", "0x[0-9a-fA-F]{64}")


@dataclass(frozen=True, slots=True)
class SuiChain:
    """The public facts of a chain. ``family.py`` adds the verbs of a network."""

    name: str
    network: str
    """What Sui calls it: ``mainnet``, ``testnet``."""
    explorer: str | None = None
    """The URL of an address's page, with ``{address}``."""

    @property
    def caip2(self) -> str:
        """``sui:`` and Sui's own name of the network. CAIP-2."""
        return f"sui:{self.network}"

    @property
    def coin_type(self) -> int:
        """784, on testnets too. SLIP-44."""
        return 784

    @property
    def key_shape(self) -> str:
        """``suiprivkey1`` and 59 characters of bech32. SIP-15."""
        return "(?i:suiprivkey1[02-9ac-hj-np-z]{59})"

    @property
    def address_space(self) -> AddressSpace:
        """``sui``: testnets have the same addresses. Those of Aptos look alike and are others."""
        return _ADDRESSES
