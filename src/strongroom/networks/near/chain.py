"""What a chain is to its family: the facts that an entry of the table gives, and that signing needs, too."""

from __future__ import annotations

from dataclasses import dataclass

from strongroom.records.address_space import AddressSpace

_ADDRESSES = AddressSpace("near", "[0-9a-f]{64}", only_named=True)


@dataclass(frozen=True, slots=True)
class NearChain:
    """The public facts of a chain. ``family.py`` adds the verbs of a network."""

    name: str
    chain_id: str
    """What nearcore calls it: ``mainnet``, ``testnet``."""
    explorer: str | None = None
    """The URL of an address's page, with ``{address}``."""

    @property
    def caip2(self) -> str:
        """``near:`` and the chain id. CAIP-2."""
        return f"near:{self.chain_id}"

    @property
    def coin_type(self) -> int:
        """397, on testnets too. SLIP-44."""
        return 397

    @property
    def key_shape(self) -> str:
        """``ed25519:`` and a keypair of 64 bytes in base58; with 32 bytes it is how NEAR writes public keys."""
        return "ed25519:[1-9A-HJ-NP-Za-km-z]{64,88}"

    @property
    def address_space(self) -> AddressSpace:
        """``near``: a key has one implicit account, on testnets too."""
        return _ADDRESSES
