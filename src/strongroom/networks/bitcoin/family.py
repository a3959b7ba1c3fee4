"""Bitcoin: P2WPKH (BIP-84) by default; variants for P2TR (BIP-86), P2PKH (BIP-44) and P2SH-P2WPKH (BIP-49)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from strongroom.crypto.phrase import Phrase
from strongroom.errors import InvalidAddressError, InvalidPathError, InvalidPrivateKeyError
from strongroom.networks import variants
from strongroom.networks.bitcoin import conventions, watch_only
from strongroom.networks.bitcoin.chain import BitcoinChain
from strongroom.networks.bitcoin.kinds import KINDS
from strongroom.networks.codecs import base58, key_text, segwit_address
from strongroom.networks.curves import secp256k1
from strongroom.networks.curves.watch_only import point_below
from strongroom.networks.hd_network import HdNetwork
from strongroom.networks.variants import UNCOMPRESSED, Variant, Variants
from strongroom.networks.wally import hash160
from strongroom.ports.signing import Prepared
from strongroom.records.conventions import Conventions
from strongroom.records.key_material import KeyMaterial, PublicHalf
from strongroom.records.signing import SigningRequest
from strongroom.records.signing_kinds import SigningKind
from strongroom.records.wallets import Wallet
from strongroom.records.watch_only import WatchedBranch
from strongroom.secret import Secret

_IMPORTED = (Variant("uncompressed", UNCOMPRESSED, None),)
_COMPRESSED = b"\x01"
_TESTNETS = 1
"""The coin type of every testnet. SLIP-44."""
_PROGRAM_BYTES = {0: (20, 32), 1: (32,)}  # P2WPKH and P2WSH, P2TR
_P2WPKH_SCRIPT = b"\x00\x14"  # version 0, push 20 bytes: those of the hash follow


class Bitcoin(HdNetwork, BitcoinChain):
    """A chain of the Bitcoin family. Keys: secp256k1 at BIP-84, 86, 44, 49; addresses: bech32, bech32m, base58."""

    __slots__ = ()

    @property
    def _made(self) -> Variants:
        return _made(self.coin_type)

    @property
    def _imported(self) -> Variants:
        return _IMPORTED

    @property
    def key_forms(self) -> tuple[str, ...]:
        """Wallet Import Format, and hexadecimal digits."""
        return ("WIF (base58check)", "64 hexadecimal digits")

    @property
    def conventions(self) -> Conventions:
        """Where wallets of Bitcoin keep the keys of a phrase."""
        return conventions.bitcoin(self.coin_type)

    def schemes_of(self, address: str) -> tuple[str, ...]:
        """Those of the address's kind."""
        witness = segwit_address.decode(self.hrp, address)
        if witness is not None:
            return ("bip86",) if witness[0] else ("bip84",)
        data = base58.decode_check(address)
        if data is None or data[0] != self.p2pkh_version:
            return ("bip49",)
        return ("bip44", UNCOMPRESSED)

    def derive(self, phrase: Phrase, scheme: str, path: str | None = None) -> KeyMaterial:
        """Derive the key of a phrase at a path. Raises InvalidPathError, UnknownVariantError. BIP-32."""
        if self.path(scheme) is None:
            raise InvalidPathError("Keys of a phrase are compressed.", hint="Use the variant legacy for P2PKH.")
        return super().derive(phrase, scheme, path)

    def parse_private_key(self, text: Secret) -> Secret:
        """Read 64 hexadecimal digits, or this network's Wallet Import Format. Raises InvalidPrivateKeyError."""
        key = key_text.from_hex(text, secp256k1.KEY_BYTES)
        key = key or self._from_wif(text, _COMPRESSED) or self._from_wif(text, b"")
        if key is None:
            raise InvalidPrivateKeyError(
                "The private key is neither 64 hexadecimal digits nor WIF of this network.",
                hint=f"Pass 64 hexadecimal digits, or what a wallet of {self.name} exports.",
            )
        return secp256k1.checked(key)

    def scheme_of_key(self, text: Secret, scheme: str | None) -> str:
        """The scheme asked for, else ``bip84``; ``p2pkh-uncompressed`` for WIF that says so.

        A key that is not compressed has addresses of that kind alone. Raises InvalidPrivateKeyError where the WIF says
        otherwise than ``scheme``.
        """
        compressed, plain = self._from_wif(text, _COMPRESSED) is not None, self._from_wif(text, b"") is not None
        if (plain and scheme not in (None, UNCOMPRESSED)) or (compressed and scheme == UNCOMPRESSED):
            raise InvalidPrivateKeyError(
                f"The WIF says that the public key is {'not ' if plain else ''}compressed, which {scheme} is not for.",
                hint="Leave the variant out: the address then is the one that wallets show for this WIF.",
            )
        return UNCOMPRESSED if plain else scheme or self._made[0].scheme

    def format_private_key(self, private_key: Secret, scheme: str | None = None) -> Secret:
        """Write Wallet Import Format; it says whether the public key is compressed. Raises InvalidPrivateKeyError."""
        key = secp256k1.checked(private_key)
        mark = b"" if scheme == UNCOMPRESSED else _COMPRESSED
        return Secret.from_text(base58.encode_check(bytes((self.wif_version,)) + key.reveal() + mark))

    def public_half(self, private_key: Secret, scheme: str) -> PublicHalf:
        """Derive public key and address.

        The public key is the compressed point of the private key itself (65 bytes for ``p2pkh-uncompressed``); for
        taproot that is the internal key, before the tweak. Raises InvalidPrivateKeyError, UnknownVariantError. BIP-84;
        BIP-86 and BIP-341; BIP-44; BIP-49 and BIP-16.
        """
        point = self._public_key(private_key, scheme)
        if scheme == UNCOMPRESSED:
            point = secp256k1.decompress(point)
        return PublicHalf(point.hex(), self._address(point, scheme))

    def watched(self, phrase: Phrase, scheme: str, template: str) -> WatchedBranch:
        """The xpub of a template's branch, in the forms of SLIP-132 and BIP-380.

        Raises InvalidPathError, UnknownVariantError.
        """
        variants.of_scheme(self._made, scheme)
        return watch_only.watched(phrase, scheme, template, testnet=self.coin_type == _TESTNETS)

    def watched_address(self, branch: WatchedBranch, scheme: str, path: str) -> str:
        """The address at a path of a branch, from its xpub. Raises UnknownVariantError."""
        variants.of_scheme(self._made, scheme)
        return self._address(point_below(branch.xpub, branch.path, path), scheme)

    def parse_address(self, text: str) -> str:
        """Read P2WPKH, P2WSH, P2TR, P2PKH and P2SH; segregated witness comes back in lower case.

        Raises InvalidAddressError. BIP-173, BIP-350; Base58Check.
        """
        witness = segwit_address.decode(self.hrp, text)
        if witness is not None and len(witness[1]) in _PROGRAM_BYTES.get(witness[0], ()):
            return text.lower()
        data = base58.decode_check(text)
        if data is not None and len(data) == 21 and data[0] in (self.p2pkh_version, self.p2sh_version):
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
            return base58.encode_check(bytes((self.p2pkh_version,)) + hash160(point))
        if scheme == "bip49":
            return base58.encode_check(bytes((self.p2sh_version,)) + hash160(_P2WPKH_SCRIPT + hash160(point)))
        return segwit_address.encode(self.hrp, 0, hash160(point))

    def _from_wif(self, text: Secret, mark: bytes) -> Secret | None:
        data = base58.decode_check(key_text.strip(text) or "")
        if data is None or len(data) != 33 + len(mark) or data[0] != self.wif_version or data[33:] != mark:
            return None
        return Secret(data[1:33])


@cache
def _made(coin_type: int) -> Variants:
    return (
        Variant(variants.DEFAULT, "bip84", f"m/84'/{coin_type}'/0'/0/{{index}}"),
        Variant("taproot", "bip86", f"m/86'/{coin_type}'/0'/0/{{index}}"),
        Variant("legacy", "bip44", f"m/44'/{coin_type}'/0'/0/{{index}}"),
        Variant("nested", "bip49", f"m/49'/{coin_type}'/0'/0/{{index}}"),
    )


FAMILY = Bitcoin
