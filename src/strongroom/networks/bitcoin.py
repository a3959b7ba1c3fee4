"""Bitcoin: P2WPKH (BIP-84) by default; variants for P2TR (BIP-86), P2PKH (BIP-44) and P2SH-P2WPKH (BIP-49)."""

from __future__ import annotations

from dataclasses import dataclass

from strongroom.errors import InvalidAddressError, InvalidPrivateKeyError
from strongroom.model import KeyMaterial, PublicHalf, Wallet
from strongroom.networks import base58, bech32, bip32, key_text, paths, secp256k1, variants
from strongroom.networks.variants import Variant, Variants
from strongroom.networks.wally import hash160
from strongroom.phrase import Phrase
from strongroom.secret import Secret
from strongroom.signing import Prepared, ToSign

_COMPRESSED = b"\x01"
_PROGRAM_BYTES = {0: (20, 32), 1: (32,)}  # P2WPKH and P2WSH, P2TR
_P2WPKH_SCRIPT = b"\x00\x14"  # version 0, push 20 bytes: those of the hash follow


@dataclass(frozen=True, slots=True)
class Bitcoin:
    """A chain of the Bitcoin family. Keys: secp256k1 at BIP-84, 86, 44, 49; addresses: bech32, bech32m, base58."""

    name: str
    genesis: str
    """The first 32 digits of the genesis block's hash. CAIP-2, bip122."""
    coin_type: int
    """SLIP-44; 1 for every testnet."""
    hrp: str
    """The human-readable part of segregated witness addresses. BIP-173."""
    p2pkh_version: int
    p2sh_version: int
    wif_version: int
    """The version bytes of base58 addresses and of a private key in Wallet Import Format."""

    @property
    def caip2(self) -> str:
        """``bip122:`` and the beginning of the genesis block's hash. CAIP-2."""
        return f"bip122:{self.genesis}"

    @property
    def variants(self) -> tuple[str, ...]:
        """``default`` is P2WPKH, ``taproot`` P2TR, ``legacy`` P2PKH, ``nested`` P2SH-P2WPKH."""
        return variants.names(self._variants)

    def scheme(self, variant: str | None) -> str:
        """The scheme of a variant: ``bip84``, ``bip86``, ``bip44`` or ``bip49``. Raises UnknownVariantError."""
        return variants.find(self._variants, variant).scheme

    def default_path(self, scheme: str) -> str:
        """The path of index 0. Raises UnknownVariantError. BIP-84, BIP-86, BIP-44, BIP-49."""
        return variants.of_scheme(self._variants, scheme).path

    def derive(self, phrase: Phrase, scheme: str, path: str | None = None) -> KeyMaterial:
        """Derive the key of a phrase at a path. Raises InvalidPathError, UnknownVariantError. BIP-32."""
        default = self.default_path(scheme)
        steps = paths.parse(default if path is None else path)
        key = bip32.derive(phrase.seed(), steps)
        return KeyMaterial(key, scheme, paths.render(steps), phrase.mnemonic, phrase.passphrase)

    def parse_private_key(self, text: Secret) -> Secret:
        """Read 64 hexadecimal digits, or this network's Wallet Import Format of a compressed key.

        Raises InvalidPrivateKeyError.
        """
        key = key_text.from_hex(text, secp256k1.KEY_BYTES) or self._from_wif(text)
        if key is None:
            raise InvalidPrivateKeyError(
                "The private key is neither 64 hexadecimal digits nor WIF of this network, compressed.",
                hint=f"Pass 64 hexadecimal digits, or what a wallet of {self.name} exports.",
            )
        return key_text.checked(key)

    def format_private_key(self, private_key: Secret) -> Secret:
        """Write Wallet Import Format for a compressed public key. Raises InvalidPrivateKeyError."""
        key = key_text.checked(private_key)
        return Secret.from_text(base58.encode_check(bytes((self.wif_version,)) + key.reveal() + _COMPRESSED))

    def public_half(self, private_key: Secret, scheme: str) -> PublicHalf:
        """Derive public key and address.

        The public key is the compressed point of the private key itself; for taproot that is the internal
        key, before the tweak. Raises InvalidPrivateKeyError, UnknownVariantError. BIP-84; BIP-86 and BIP-341;
        BIP-44; BIP-49 and BIP-16.
        """
        variants.of_scheme(self._variants, scheme)
        point = secp256k1.public_key(private_key.reveal())
        if point is None:
            raise InvalidPrivateKeyError(key_text.OUT_OF_RANGE)
        return PublicHalf(point.hex(), self._address(point, scheme))

    def parse_address(self, text: str) -> str:
        """Read P2WPKH, P2WSH, P2TR, P2PKH and P2SH; segregated witness comes back in lower case.

        Raises InvalidAddressError. BIP-173, BIP-350; Base58Check.
        """
        witness = bech32.decode(self.hrp, text)
        if witness is not None and len(witness[1]) in _PROGRAM_BYTES.get(witness[0], ()):
            return text.lower()
        data = base58.decode_check(text)
        if data is not None and len(data) == 21 and data[0] in (self.p2pkh_version, self.p2sh_version):
            return text
        raise InvalidAddressError(f"The text is not an address of {self.name}, or its checksum is wrong.")

    def prepare(self, wallet: Wallet, request: ToSign) -> Prepared:
        """Check and hash a PSBT, a message or a bare hash, for a wallet of this chain. Opens no key.

        Raises UnsupportedSigningError, MalformedPayloadError, SignatureRefusedError. BIP-174, 370, 371; BIP-322, 137.
        """
        from strongroom.networks.bitcoin_signing import prepare  # most processes never sign

        return prepare(self, wallet, request)

    @property
    def _variants(self) -> Variants:
        return (
            Variant(variants.DEFAULT, "bip84", f"m/84'/{self.coin_type}'/0'/0/0"),
            Variant("taproot", "bip86", f"m/86'/{self.coin_type}'/0'/0/0"),
            Variant("legacy", "bip44", f"m/44'/{self.coin_type}'/0'/0/0"),
            Variant("nested", "bip49", f"m/49'/{self.coin_type}'/0'/0/0"),
        )

    def _address(self, point: bytes, scheme: str) -> str:
        if scheme == "bip86":
            return bech32.encode(self.hrp, 1, secp256k1.taproot_output(point))
        if scheme == "bip44":
            return base58.encode_check(bytes((self.p2pkh_version,)) + hash160(point))
        if scheme == "bip49":
            return base58.encode_check(bytes((self.p2sh_version,)) + hash160(_P2WPKH_SCRIPT + hash160(point)))
        return bech32.encode(self.hrp, 0, hash160(point))

    def _from_wif(self, text: Secret) -> Secret | None:
        data = base58.decode_check(key_text.strip(text) or "")
        if data is None or len(data) != 34 or data[0] != self.wif_version or data[33:] != _COMPRESSED:
            return None
        return Secret(data[1:33])
