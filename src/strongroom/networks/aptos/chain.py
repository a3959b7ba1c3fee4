"""What a chain is to its family: the facts that an entry of the table gives, and that signing needs, too."""

from __future__ import annotations

from dataclasses import dataclass

from strongroom.records.address_space import AddressSpace

_ADDRESSES = AddressSpace("aptos", "0x(?:[0-9a-fA-F]{64}|[0-9a-fA-F])")


@dataclass(frozen=True, slots=True)
class AptosChain:
    """The public facts of a chain. ``family.py`` adds the verbs of a network."""

    name: str
    chain_id: int
    """The number that the genesis gives the chain, which a signature commits to."""
    explorer: str | None = None
    """The URL of an address's page, with ``{address}``."""

    @property
    def caip2(self) -> str:
        """``aptos:`` and the chain id. CAIP-2."""
        return f"aptos:{self.chain_id}"

    @property
    def coin_type(self) -> int:
        """637, on testnets too. SLIP-44."""
        return 637

    @property
    def key_shape(self) -> str:
        """``ed25519-priv-0x`` and ``secp256k1-priv-0x`` with 64 hexadecimal digits. AIP-80."""
        return "(?:ed25519|secp256k1)-priv-0x[0-9a-fA-F]{64}"

    @property
    def address_space(self) -> AddressSpace:
        """``aptos``: testnets have the same addresses. Sui's look alike and are others."""
        return _ADDRESSES
