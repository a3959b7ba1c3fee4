"""What a chain is to its family: the facts that an entry of the table gives, and that signing needs, too."""

from __future__ import annotations

from dataclasses import dataclass

from strongroom.records.address_space import AddressSpace

_SHAPE = "[1-9A-HJ-NP-Za-km-z]{35,48}"


@dataclass(frozen=True, slots=True)
class PolkadotChain:
    """The public facts of a chain. ``family.py`` adds the verbs of a network."""

    name: str
    genesis: str
    """The first 32 digits of the genesis block's hash. CAIP-2, polkadot."""
    prefix: int
    """What its addresses begin with. SS58."""
    coin_type: int
    """SLIP-44."""
    space: str
    """The name of its address space, which a relay chain and its system chains share."""
    explorer: str | None = None
    """The URL of an address's page, with ``{address}``."""

    @property
    def caip2(self) -> str:
        """``polkadot:`` and the beginning of the genesis block's hash. CAIP-2."""
        return f"polkadot:{self.genesis}"

    @property
    def key_shape(self) -> str:
        """Empty: its keys are hexadecimal digits, which are read everywhere, or in a JSON document."""
        return ""

    @property
    def address_space(self) -> AddressSpace:
        """That of the entry: a key has one address on every chain of one prefix."""
        return AddressSpace(self.space, _SHAPE)
