"""What a network of the XRP Ledger is to its family: the facts that an entry of the table gives."""

from __future__ import annotations

from dataclasses import dataclass

from strongroom.records.address_space import AddressSpace

_CHARACTER = "[1-9A-HJ-NP-Za-km-z]"
_ADDRESSES = AddressSpace("xrp", f"r{_CHARACTER}{{24,34}}|[XT]{_CHARACTER}{{45,46}}")
_SEEDS = f"sEd{_CHARACTER}{{28}}|s{_CHARACTER}{{28}}"


@dataclass(frozen=True, slots=True)
class XrpChain:
    """The public facts of a network. ``family.py`` adds the verbs."""

    name: str
    network_id: int
    """The number that its servers say, ``network_id`` of ``server_info``. CAIP-2, xrpl."""
    testnet: bool = False
    """Whether its X-addresses begin with T, as those of all networks but the main one do."""
    explorer: str | None = None
    """The URL of an account's page, with ``{address}``."""

    @property
    def caip2(self) -> str:
        """``xrpl:`` and the network's number. CAIP-2."""
        return f"xrpl:{self.network_id}"

    @property
    def key_shape(self) -> str:
        """Family seeds: ``s...`` for secp256k1, ``sEd...`` for Ed25519."""
        return _SEEDS

    @property
    def address_space(self) -> AddressSpace:
        """``xrp``: every network has the same classic addresses."""
        return _ADDRESSES

    @property
    def coin_type(self) -> int:
        """144, of every network: wallets show one account on all of them. SLIP-44."""
        return 144
