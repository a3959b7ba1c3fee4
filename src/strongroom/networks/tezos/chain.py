"""What a network of Tezos is to its family: the facts that an entry of the table gives."""

from __future__ import annotations

from dataclasses import dataclass

from strongroom.records.address_space import AddressSpace

_CHARACTER = "[1-9A-HJ-NP-Za-km-z]"
_ADDRESSES = AddressSpace("tezos", f"(?:tz[1-4]|KT1){_CHARACTER}{{33}}")
_KEYS = f"(?:edsk|spsk){_CHARACTER}{{50}}|edsk{_CHARACTER}{{94}}|(?:edesk|spesk){_CHARACTER}{{83}}"


@dataclass(frozen=True, slots=True)
class TezosChain:
    """The public facts of a network. ``family.py`` adds the verbs."""

    name: str
    chain_id: str
    """``Net`` and twelve characters: base58check of the beginning of the genesis block's hash. CAIP-2, tezos."""
    explorer: str | None = None
    """The URL of an account's page, with ``{address}``."""

    @property
    def caip2(self) -> str:
        """``tezos:`` and the chain's id. CAIP-2."""
        return f"tezos:{self.chain_id}"

    @property
    def key_shape(self) -> str:
        """``edsk...`` of 54 and 98 characters, ``spsk...`` of 54; of 88, locked, ``edesk...`` and ``spesk...``."""
        return _KEYS

    @property
    def address_space(self) -> AddressSpace:
        """``tezos``: every network has the same addresses."""
        return _ADDRESSES

    @property
    def coin_type(self) -> int:
        """1729, of every network. SLIP-44."""
        return 1729
