"""Solana: Ed25519 keys of SLIP-10; the address is the public key in base58."""

from __future__ import annotations

from dataclasses import dataclass

from strongroom.errors import InvalidAddressError, InvalidPrivateKeyError
from strongroom.model import KeyMaterial, PublicHalf, Wallet
from strongroom.networks import base58, ed25519, key_text, paths, slip10, variants
from strongroom.networks.variants import Variant
from strongroom.phrase import Phrase
from strongroom.secret import Secret
from strongroom.signing import Prepared, ToSign

_VARIANTS = (Variant(variants.DEFAULT, "slip10", "m/44'/501'/0'/0'"),)
_KEYPAIR_BYTES = 64


@dataclass(frozen=True, slots=True)
class Solana:
    """A cluster of Solana. Keys: Ed25519 at SLIP-10, where every element of the path is hardened."""

    name: str
    genesis: str
    """The first 32 characters of the genesis hash. CAIP-2, solana."""

    @property
    def caip2(self) -> str:
        """``solana:`` and the beginning of the genesis hash. CAIP-2."""
        return f"solana:{self.genesis}"

    @property
    def variants(self) -> tuple[str, ...]:
        """There is one."""
        return variants.names(_VARIANTS)

    def scheme(self, variant: str | None) -> str:
        """The scheme of a variant: ``slip10``. Raises UnknownVariantError."""
        return variants.find(_VARIANTS, variant).scheme

    def default_path(self, scheme: str) -> str:
        """The path of index 0. Raises UnknownVariantError."""
        return variants.of_scheme(_VARIANTS, scheme).path

    def derive(self, phrase: Phrase, scheme: str, path: str | None = None) -> KeyMaterial:
        """Derive the key of a phrase at a path. Raises InvalidPathError, UnknownVariantError. SLIP-10."""
        default = self.default_path(scheme)
        steps = paths.parse(default if path is None else path)
        key = slip10.derive_ed25519(phrase.seed(), steps).key
        return KeyMaterial(key, scheme, paths.render(steps), phrase.mnemonic, phrase.passphrase)

    def parse_private_key(self, text: Secret) -> Secret:
        """Read a 64-byte keypair in base58, in hex or as a JSON array of numbers, or a 32-byte seed in hex.

        32 bytes in base58 or as numbers are refused: addresses look the same, and taken for a seed one would
        make a wallet whose key everybody knows. Raises InvalidPrivateKeyError, also where the halves of a keypair
        do not belong together. RFC 8032.
        """
        key = key_text.from_hex(text, ed25519.SEED_BYTES)
        if key is not None:
            return key
        keypair = _keypair(text)
        if keypair is None:
            raise InvalidPrivateKeyError(
                "The private key is neither 64 or 128 hexadecimal digits nor a keypair of 64 bytes in base58 or as "
                "a JSON array.",
                hint="Pass the base58 text that a wallet exports, the content of id.json, or the seed in hexadecimal; "
                "32 bytes in base58 are an address.",
            )
        seed = _matching_seed(keypair)
        if seed is None:
            raise InvalidPrivateKeyError("The halves of the keypair do not belong together.")
        return seed

    def format_private_key(self, private_key: Secret) -> Secret:
        """Write the 64-byte keypair, seed and public key, in base58. Raises InvalidPrivateKeyError."""
        public = _public_key(private_key)
        return Secret.from_text(base58.encode(private_key.reveal() + public))

    def public_half(self, private_key: Secret, scheme: str) -> PublicHalf:
        """Derive public key and address. Raises InvalidPrivateKeyError, UnknownVariantError. RFC 8032."""
        variants.of_scheme(_VARIANTS, scheme)
        public = _public_key(private_key)
        return PublicHalf(public.hex(), base58.encode(public))

    def parse_address(self, text: str) -> str:
        """Read base58 of 32 bytes: public keys, and program addresses, which are no points of the curve.

        Raises InvalidAddressError.
        """
        data = base58.decode(text)
        if data is None or len(data) != 32:
            raise InvalidAddressError("The address is not 32 bytes in base58.")
        return text

    def prepare(self, wallet: Wallet, request: ToSign) -> Prepared:
        """Check a transaction, a message or a bare hash, and say what would be signed.

        Raises UnsupportedSigningError, MalformedPayloadError, SignatureRefusedError. RFC 8032, and Solana's
        specifications of transactions (legacy and version 0) and of off-chain messages (version 0).
        """
        from strongroom.networks import solana_signing

        return solana_signing.prepare(self.name, wallet, request)


def _public_key(seed: Secret) -> bytes:
    public = ed25519.public_key(seed.reveal())
    if public is None:
        raise InvalidPrivateKeyError("The private key is not 32 bytes.")
    return public


def _keypair(text: Secret) -> Secret | None:
    """The 64 bytes that wallets export (base58) and ``solana-keygen`` writes (a JSON array), or their hex."""
    return (
        key_text.from_hex(text, _KEYPAIR_BYTES) or key_text.from_json_array(text, _KEYPAIR_BYTES) or _from_base58(text)
    )


def _from_base58(text: Secret) -> Secret | None:
    data = base58.decode(key_text.strip(text) or "")
    return Secret(data) if data is not None and len(data) == _KEYPAIR_BYTES else None


def _matching_seed(keypair: Secret) -> Secret | None:
    seed, public = keypair.reveal()[:32], keypair.reveal()[32:]
    return Secret(seed) if ed25519.public_key(seed) == public else None
