"""What a chain is to its family: the facts that an entry of the table gives, and that signing needs, too."""

from __future__ import annotations

from dataclasses import dataclass, replace

from strongroom.records.address_space import AddressSpace

_ADDRESSES = AddressSpace("evm", "0x[0-9a-fA-F]{40}")


@dataclass(frozen=True, slots=True)
class EvmChain:
    """The public facts of a chain. ``family.py`` adds the verbs of a network."""

    name: str
    """What is stored with wallets, and never changes: ``base``, and ``evm:4242`` of a chain that had no name."""
    chain_id: int
    """The chain id of EIP-155, which a signature commits to."""
    fee_limit_wei: int = 10**18
    """The highest fee that is signed unless a caller says another limit, in the smallest unit of the native coin."""
    explorer: str | None = None
    """The URL of an address's page, with ``{address}``."""
    own_checksum: bool = False
    """Whether the chain id goes into the checksums of its addresses: those of Rootstock. EIP-1191."""
    alias: str | None = None
    """A name that a later release gave a chain whose wallets are stored as ``evm:<chain id>``."""

    @property
    def checksum_id(self) -> int | None:
        """The chain id where it goes into the checksums of addresses, else None. EIP-1191."""
        return self.chain_id if self.own_checksum else None

    @property
    def caip2(self) -> str:
        """``eip155:`` and the chain id. CAIP-2."""
        return f"eip155:{self.chain_id}"

    @property
    def key_shape(self) -> str:
        """Empty: its keys are written in forms that are read everywhere."""
        return ""

    @property
    def address_space(self) -> AddressSpace:
        """``evm``: one key has one address on every chain. One of its own where the chain is in the checksums."""
        return replace(_ADDRESSES, name=f"evm-{self.chain_id}", within="evm") if self.own_checksum else _ADDRESSES

    @property
    def coin_type(self) -> int:
        """60 on every chain, which wallets derive keys with, whatever SLIP-44 has for the chain itself."""
        return 60
