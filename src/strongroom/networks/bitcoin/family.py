"""Bitcoin: P2WPKH (BIP-84) by default; variants for P2TR (BIP-86), P2PKH (BIP-44) and P2SH-P2WPKH (BIP-49)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from strongroom.crypto.phrase import Phrase
from strongroom.errors import InvalidAddressError
from strongroom.networks import variants, watched_branch
from strongroom.networks.bitcoin import conventions
from strongroom.networks.bitcoin.chain import BitcoinChain
from strongroom.networks.bitcoin.kinds import KINDS
from strongroom.networks.codecs import base58_address, segwit_address
from strongroom.networks.curves import secp256k1
from strongroom.networks.variants import UNCOMPRESSED, Variant, Variants
from strongroom.networks.wally import hash160
from strongroom.networks.wif_network import P2WPKH_SCRIPT, TESTNETS, WifNetwork
from strongroom.ports.signing import Prepared
from strongroom.records.conventions import Conventions
from strongroom.records.signing import SigningRequest
from strongroom.records.signing_kinds import SigningKind
from strongroom.records.wallets import Wallet
from strongroom.records.watch_only import WatchedBranch

_PROGRAM_BYTES = {0: (20, 32), 1: (32,)}  # P2WPKH and P2WSH, P2TR
_SLIP132 = {
    False: {"bip49": bytes.fromhex("049d7cb2"), "bip84": bytes.fromhex("04b24746")},  # ypub, zpub
    True: {"bip49": bytes.fromhex("044a5262"), "bip84": bytes.fromhex("045f1cf6")},  # upub, vpub
}
"""Of mainnet, and of testnets."""


class Bitcoin(WifNetwork, BitcoinChain):
    """A chain of the Bitcoin family. Keys: secp256k1 at BIP-84, 86, 44, 49; addresses: bech32, bech32m, base58."""

    __slots__ = ()

    @property
    def _made(self) -> Variants:
        return _made(self.coin_type)

    @property
    def conventions(self) -> Conventions:
        """Where wallets of Bitcoin keep the keys of a phrase."""
        return conventions.bitcoin(self.coin_type)

    def schemes_of(self, address: str) -> tuple[str, ...]:
        """Those of the address's kind."""
        witness = segwit_address.decode(self.hrp, address)
        if witness is not None:
            return ("bip86",) if witness[0] else ("bip84",)
        hashed = base58_address.decode(address)
        return ("bip44", UNCOMPRESSED) if hashed is not None and hashed[0] == self.p2pkh_version else ("bip49",)

    def watched(self, phrase: Phrase, scheme: str, template: str) -> WatchedBranch:
        """The xpub of a template's branch, in the forms of SLIP-132 and BIP-380.

        Raises InvalidPathError, UnknownVariantError.
        """
        variants.of_scheme(self._made, scheme)
        testnet = self.coin_type == TESTNETS
        return watched_branch.watched(phrase, scheme, template, testnet=testnet, own_versions=_SLIP132[testnet])

    def parse_address(self, text: str) -> str:
        """Read P2WPKH, P2WSH, P2TR, P2PKH and P2SH; segregated witness comes back in lower case.

        Raises InvalidAddressError. BIP-173, BIP-350; Base58Check.
        """
        witness = segwit_address.decode(self.hrp, text)
        if witness is not None and len(witness[1]) in _PROGRAM_BYTES.get(witness[0], ()):
            return text.lower()
        hashed = base58_address.decode(text)
        if hashed is not None and hashed[0] in (self.p2pkh_version, self.p2sh_version):
            return text
        raise InvalidAddressError(f"The text is not an address of {self.name}, or its checksum is wrong.")

    @property
    def signing_kinds(self) -> Mapping[str, SigningKind]:
        """The declarations of what can be signed: PSBTs, messages, raw digests."""
        return KINDS

    def prepare(self, wallet: Wallet, request: SigningRequest) -> Prepared:
        """Check and hash a PSBT, a message or a raw digest, for a wallet of this chain. Opens no key.

        Raises UnsupportedSigningError, MalformedPayloadError, SignatureRefusedError. BIP-174, 370, 371; BIP-322, 137.
        """
        from strongroom.networks.bitcoin import signing  # most processes never sign

        return signing.prepare(self, wallet, request)

    def _address(self, point: bytes, scheme: str) -> str:
        if scheme == "bip86":
            return segwit_address.encode(self.hrp, 1, secp256k1.taproot_output(point))
        if scheme in ("bip44", UNCOMPRESSED):
            return base58_address.encode(self.p2pkh_version, hash160(point))
        if scheme == "bip49":
            return base58_address.encode(self.p2sh_version, hash160(P2WPKH_SCRIPT + hash160(point)))
        return segwit_address.encode(self.hrp, 0, hash160(point))


@cache
def _made(coin_type: int) -> Variants:
    return (
        Variant(variants.DEFAULT, "bip84", f"m/84'/{coin_type}'/0'/0/{{index}}"),
        Variant("taproot", "bip86", f"m/86'/{coin_type}'/0'/0/{{index}}"),
        Variant("legacy", "bip44", f"m/44'/{coin_type}'/0'/0/{{index}}"),
        Variant("nested", "bip49", f"m/49'/{coin_type}'/0'/0/{{index}}"),
    )


FAMILY = Bitcoin
