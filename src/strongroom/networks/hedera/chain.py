"""What a network of Hedera is to its family: the facts that an entry of the table gives."""

from __future__ import annotations

from dataclasses import dataclass

from strongroom.records.address_space import AddressSpace

_ADDRESSES = AddressSpace(
    "hedera",
    "0x[0-9a-fA-F]{40}|(?:302a300506032b6570032100)?[0-9a-f]{64}",
    within="evm",
    only_named=True,
)
_KEYS = (
    "(?i:(?:0x)?30(?:2e020100300506032b657004220420|30020100300706052b8104000a04220420)[0-9a-f]{64}"
    "|(?:0x)?30(?:2e|54|74)0201010420[0-9a-f]{64}a00706052b8104000a(?:a1[0-9a-f]{74,138})?"
    "|(?:0x)?308184020100301006072a8648ce3d020106052b8104000a046d306b0201010420[0-9a-f]{64}a144034200[0-9a-f]{130})"
)


@dataclass(frozen=True, slots=True)
class HederaChain:
    """The public facts of a network. ``family.py`` adds the verbs."""

    name: str
    reference: str
    """``mainnet``, ``testnet``. CAIP-2, hedera."""
    explorer: str | None = None
    """The URL of an account's page, with ``{address}``."""

    @property
    def caip2(self) -> str:
        """``hedera:`` and the network's name. CAIP-2."""
        return f"hedera:{self.reference}"

    @property
    def key_shape(self) -> str:
        """Private keys in DER, in hexadecimal digits."""
        return _KEYS

    @property
    def address_space(self) -> AddressSpace:
        """``hedera``: a key has one address on every network."""
        return _ADDRESSES

    @property
    def coin_type(self) -> int:
        """3030, of every network. SLIP-44."""
        return 3030
