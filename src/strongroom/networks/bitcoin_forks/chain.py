"""What a chain is to its family: the facts that an entry of the table gives, and that signing needs, too."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from strongroom.records.address_space import AddressSpace

_BECH32 = "[02-9ac-hj-np-z]"
_BASE58 = "[1-9A-HJ-NP-Za-km-z]"


class Shielded(NamedTuple):
    """Addresses that no single key of secp256k1 has: they are refused by their name."""

    name: str
    shape: str
    """A regular expression that each of them matches as a whole."""


MWEB = Shielded("MWEB", rf"(?i:(?:ltcmweb|tmweb)1{_BECH32}{{20,200}})")
"""MimbleWimble Extension Block. LIP-0004."""
ZCASH_SHIELDED = Shielded(
    "Sapling, unified and Sprout", rf"(?i:zs1{_BECH32}{{60,90}}|u1{_BECH32}{{38,1000}})|zc{_BASE58}{{80,100}}"
)
"""Zcash's protocol specification, 5.6; ZIP-316. Also some that are not whole: they were meant as such."""


@dataclass(frozen=True, slots=True)
class BitcoinForkChain:
    """The public facts of a chain. ``family.py`` adds the verbs of a network."""

    name: str
    genesis: str
    """The first 32 digits of the hash of its first block, which is its own. CAIP-2, bip122."""
    coin_type: int
    """SLIP-44; 1 for every testnet."""
    p2pkh_version: int
    p2sh_version: int
    wif_version: int
    """What base58 addresses and a private key in Wallet Import Format begin with. Zcash's addresses have two bytes."""
    base58_begins: str
    """The characters that base58 addresses therefore begin with."""
    former_p2sh_version: int | None = None
    """Read, and written as ``p2sh_version``: Litecoin had Bitcoin's."""
    hrp: str = ""
    """The human-readable part of segregated witness addresses (BIP-173); empty where it has none."""
    cashaddr: str = ""
    """The prefix of CashAddr, which addresses are written in; empty where they are not."""
    shielded: Shielded | None = None
    """Its addresses that are refused by their name."""
    explorer: str | None = None
    """The URL of an address's page, with ``{address}``."""

    @property
    def caip2(self) -> str:
        """``bip122:`` and the beginning of the hash of its first block. CAIP-2."""
        return f"bip122:{self.genesis}"

    @property
    def key_shape(self) -> str:
        """Empty: its keys are written in forms that are read everywhere."""
        return ""

    @property
    def address_space(self) -> AddressSpace:
        """Its own, though texts may be addresses of others, too: one key has different addresses there."""
        return _addresses(self.name, self.base58_begins, self.hrp, self.cashaddr)


@cache
def _addresses(name: str, base58_begins: str, hrp: str, cashaddr: str) -> AddressSpace:
    forms = [f"[{base58_begins}]{_BASE58}{{24,35}}"]
    if hrp:
        forms.append(f"(?i:{hrp}1{_BECH32}{{6,87}})")
    if cashaddr:
        forms.append(f"(?i:(?:{cashaddr}:)?{_BECH32}{{42,61}})")
    return AddressSpace(name, "|".join(forms), checksummed=True)
