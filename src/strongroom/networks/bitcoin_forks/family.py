"""Chains that began as copies of Bitcoin: P2WPKH (BIP-84) where there is segregated witness, else P2PKH (BIP-44)."""

from __future__ import annotations

import re
from functools import cache

from strongroom.crypto.phrase import Phrase
from strongroom.errors import InvalidAddressError
from strongroom.networks import variants, watched_branch
from strongroom.networks.bitcoin_forks import addresses, conventions
from strongroom.networks.bitcoin_forks.addresses import P2PKH, P2SH, TAPROOT, WITNESS_0, Paid
from strongroom.networks.bitcoin_forks.chain import BitcoinForkChain
from strongroom.networks.variants import UNCOMPRESSED, Variant, Variants
from strongroom.networks.wally import hash160
from strongroom.networks.wif_network import P2WPKH_SCRIPT, TESTNETS, WifNetwork
from strongroom.records.conventions import Conventions
from strongroom.records.watch_only import WatchedBranch

_SCHEMES = {P2PKH: ("bip44", UNCOMPRESSED), P2SH: ("bip49",), WITNESS_0: ("bip84",), TAPROOT: ()}
_OWN_VERSIONS = {
    "litecoin": {"bip44": bytes.fromhex("019da462"), "bip49": bytes.fromhex("01b26ef6")},  # Ltub, Mtub: SLIP-132
    "litecoin-testnet": {"bip44": bytes.fromhex("0436f6e1")},  # ttub: SLIP-132
    "dogecoin": {"bip44": bytes.fromhex("02facafd")},  # dgub: Dogecoin Core, chainparams.cpp
}
"""By network and scheme, the version bytes of xpubs that are not those of BIP-32."""
_WITH_DESCRIPTORS = ("litecoin", "litecoin-testnet", "bitcoin-cash", "dash", "dash-testnet")
"""Networks whose nodes read output descriptors: Litecoin Core, Bitcoin Cash Node, Dash Core."""


class BitcoinFork(WifNetwork, BitcoinForkChain):
    """A chain that began as a copy of Bitcoin. Keys: secp256k1; addresses: bech32, CashAddr, base58."""

    __slots__ = ()

    @property
    def _made(self) -> Variants:
        return _made(self.coin_type, segregated_witness=bool(self.hrp))

    @property
    def conventions(self) -> Conventions:
        """Where wallets of the chain keep the keys of a phrase."""
        return conventions.of(self.name, self.coin_type, self.schemes)

    def schemes_of(self, address: str) -> tuple[str, ...]:
        """Those of the address's kind; none for what no single key of the network has."""
        paid = addresses.read(self, address)
        return () if paid is None else tuple(each for each in _SCHEMES[paid.form] if each in self.schemes)

    def watched(self, phrase: Phrase, scheme: str, template: str) -> WatchedBranch:
        """The xpub of a template's branch, also as wallets of the chain write it.

        Raises InvalidPathError, UnknownVariantError.
        """
        variants.of_scheme(self._made, scheme)
        return watched_branch.watched(
            phrase,
            scheme,
            template,
            testnet=self.coin_type == TESTNETS,
            own_versions=_OWN_VERSIONS.get(self.name, {}),
            has_descriptors=self.name in _WITH_DESCRIPTORS,
        )

    def parse_address(self, text: str) -> str:
        """Read an address in every form that the chain has had, and write it as wallets do today.

        Raises InvalidAddressError; shielded ones (MWEB, Sapling, unified, Sprout) are refused by their name.
        """
        paid = addresses.read(self, text)
        if paid is not None:
            return addresses.write(self, paid)
        if self.shielded is not None and re.fullmatch(self.shielded.shape, text, re.ASCII):
            raise InvalidAddressError(
                f"Shielded addresses of {self.name} ({self.shielded.name}) are not supported.",
                hint="Pass a transparent address.",
            )
        raise InvalidAddressError(f"The text is not an address of {self.name}, or its checksum is wrong.")

    def _address(self, point: bytes, scheme: str) -> str:
        hashed = hash160(point)
        if scheme == "bip84":
            return addresses.write(self, Paid(WITNESS_0, hashed))
        if scheme == "bip49":
            return addresses.write(self, Paid(P2SH, hash160(P2WPKH_SCRIPT + hashed)))
        return addresses.write(self, Paid(P2PKH, hashed))


@cache
def _made(coin_type: int, *, segregated_witness: bool) -> Variants:
    hashed = f"m/44'/{coin_type}'/0'/0/{{index}}"
    if not segregated_witness:
        return (Variant(variants.DEFAULT, "bip44", hashed),)
    return (
        Variant(variants.DEFAULT, "bip84", f"m/84'/{coin_type}'/0'/0/{{index}}"),
        Variant("legacy", "bip44", hashed),
        Variant("nested", "bip49", f"m/49'/{coin_type}'/0'/0/{{index}}"),
    )


FAMILY = BitcoinFork
