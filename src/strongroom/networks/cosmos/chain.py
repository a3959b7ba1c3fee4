"""What a chain is to its family: the facts that an entry of the table gives, and that signing needs, too."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cache

from strongroom.records.address_space import AddressSpace

SECP256K1 = "secp256k1"
ETHSECP256K1 = "ethsecp256k1"
"""The types of keys, as the chain registry has them: whose address is HASH160, or Keccak-256 as on the EVM."""
_DIRECT = re.compile("(?!hashed-)[-a-zA-Z0-9]{1,32}")
_SHARED_COIN_TYPE = 118
"""ATOM's, which most chains of the Cosmos SDK use. SLIP-44."""


@dataclass(frozen=True, slots=True)
class CosmosChain:
    """The public facts of a chain. ``family.py`` adds the verbs of a network."""

    name: str
    chain_id: str
    """What the chain's genesis calls it, which a signature commits to: ``cosmoshub-4``."""
    hrp: str
    """The prefix of its accounts: ``cosmos``. BIP-173, SLIP-173."""
    coin_type: int = _SHARED_COIN_TYPE
    """What the chain's wallets derive with, whatever SLIP-44 has for its coin."""
    key_type: str = SECP256K1
    """``secp256k1`` or ``ethsecp256k1``."""
    operator_hrp: str = ""
    """The prefix of its validators' operators; empty where it is that of the SDK, ``cosmosvaloper``."""
    explorer: str | None = None
    """The URL of an address's page, with ``{address}``."""

    @property
    def caip2(self) -> str:
        """``cosmos:`` and the chain id, or the beginning of its SHA-256 where CAIP-2 has no room for it."""
        direct = _DIRECT.fullmatch(self.chain_id) is not None
        return (
            f"cosmos:{self.chain_id if direct else 'hashed-' + hashlib.sha256(self.chain_id.encode()).hexdigest()[:16]}"
        )

    @property
    def operator_prefix(self) -> str:
        """The prefix of its validators' operators: ``cosmosvaloper``."""
        return self.operator_hrp or f"{self.hrp}valoper"

    @property
    def key_shape(self) -> str:
        """Empty: its keys are written in forms that are read everywhere."""
        return ""

    @property
    def address_space(self) -> AddressSpace:
        """That of its prefix."""
        return _addresses(self.hrp, self.operator_prefix)


@cache
def _addresses(hrp: str, operator: str) -> AddressSpace:
    accounts = rf"{hrp}1[02-9ac-hj-np-z]{{38}}(?:[02-9ac-hj-np-z]{{20}})?"  # 20 bytes, or 32
    shape = rf"(?i:{accounts}|{operator}1[02-9ac-hj-np-z]{{38}})"
    return AddressSpace(f"cosmos-{hrp}", shape, checksummed=True)
