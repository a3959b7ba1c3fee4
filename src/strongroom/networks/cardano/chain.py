"""What a chain is to its family: the facts that an entry of the table gives, and that signing needs, too."""

from __future__ import annotations

from dataclasses import dataclass

from strongroom.records.address_space import AddressSpace

_DATA = "[02-9ac-hj-np-z]"
_ADDRESSES = AddressSpace("cardano", rf"(?i:addr1(?:{_DATA}{{53}}|{_DATA}{{98}}))", checksummed=True)
_TEST_ADDRESSES = AddressSpace("cardano-test", rf"(?i:addr_test1(?:{_DATA}{{53}}|{_DATA}{{98}}))", checksummed=True)
_KEYS = (
    rf"addr_xsk1{_DATA}{{160}}\s{{1,4}}stake_xsk1{_DATA}{{160}}",
    rf"(?:xprv|root_xsk|acct_xsk|addr_xsk)1{_DATA}{{160}}",
    rf"ed25519e_sk1{_DATA}{{109}}",
    rf"ed25519_sk1{_DATA}{{58}}",
    r'\{[\s"a-z:,A-Z_]{1,60}Payment(?:Extended)?SigningKeyShelley_ed25519[ -~\s]{1,420}\}',
)


@dataclass(frozen=True, slots=True)
class CardanoChain:
    """The public facts of a chain. ``family.py`` adds the verbs of a network."""

    name: str
    magic: int
    """The number of the network in the protocol. CIP-34."""
    testnet: bool = False
    """Whether its addresses are those of all testnets. CIP-19."""
    explorer: str | None = None
    """The URL of an address's page, with ``{address}``."""

    @property
    def caip2(self) -> str:
        """``cip34:``, 1 or 0 for testnets, and the magic. CIP-34."""
        return f"cip34:{0 if self.testnet else 1}-{self.magic}"

    @property
    def key_shape(self) -> str:
        """Bech32 of CIP-5, and what cardano-cli writes."""
        return "|".join(_KEYS)

    @property
    def address_space(self) -> AddressSpace:
        """``cardano``, or ``cardano-test``: the testnets have one set of addresses."""
        return _TEST_ADDRESSES if self.testnet else _ADDRESSES

    @property
    def coin_type(self) -> int:
        """1815, of the testnets as well: wallets derive the same keys there. SLIP-44, CIP-1852."""
        return 1815
