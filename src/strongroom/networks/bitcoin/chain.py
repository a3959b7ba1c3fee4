"""What a chain is to its family: the facts that an entry of the table gives, and that signing needs, too."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from strongroom.records.address_space import AddressSpace


@dataclass(frozen=True, slots=True)
class BitcoinChain:
    """The public facts of a chain. ``family.py`` adds the verbs of a network."""

    name: str
    genesis: str
    """The first 32 digits of the genesis block's hash. CAIP-2, bip122."""
    coin_type: int
    """SLIP-44; 1 for every testnet."""
    space: str
    """The name of its address space, which chains with the same prefix and version bytes share: ``bitcoin-test``."""
    hrp: str
    """The human-readable part of segregated witness addresses. BIP-173."""
    p2pkh_version: int
    p2sh_version: int
    wif_version: int
    """The version bytes of base58 addresses and of a private key in Wallet Import Format."""
    explorer: str | None = None
    """The URL of an address's page, with ``{address}``."""

    @property
    def caip2(self) -> str:
        """``bip122:`` and the beginning of the genesis block's hash. CAIP-2."""
        return f"bip122:{self.genesis}"

    @property
    def key_shape(self) -> str:
        """Empty: its keys are written in forms that are read everywhere."""
        return ""

    @property
    def address_space(self) -> AddressSpace:
        """That of the entry: chains that share prefix and version bytes share their addresses."""
        return _addresses(self.space, self.hrp)


@cache
def _addresses(space: str, hrp: str) -> AddressSpace:
    shape = rf"(?i:{hrp}1[02-9ac-hj-np-z]{{6,87}})|[1-9A-HJ-NP-Za-km-z]{{25,36}}"
    return AddressSpace(space, shape, checksummed=True)
