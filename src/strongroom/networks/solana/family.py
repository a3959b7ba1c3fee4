"""Solana: Ed25519 keys of SLIP-10; the address is the public key in base58."""

from __future__ import annotations

from collections.abc import Mapping

from strongroom.crypto.phrase import Phrase
from strongroom.errors import InvalidAddressError, InvalidPrivateKeyError
from strongroom.networks import variants
from strongroom.networks.codecs import base58, key_text
from strongroom.networks.curves import curve, ed25519
from strongroom.networks.curves.paths import Path
from strongroom.networks.hd_network import HdNetwork
from strongroom.networks.solana import conventions
from strongroom.networks.solana.chain import SolanaChain
from strongroom.networks.solana.kinds import KINDS
from strongroom.networks.variants import RAW_SEED, Variant, Variants
from strongroom.ports.signing import Prepared
from strongroom.records.conventions import Conventions
from strongroom.records.key_material import PublicHalf
from strongroom.records.signing import SigningRequest
from strongroom.records.signing_kinds import SigningKind
from strongroom.records.wallets import Wallet
from strongroom.secret import Secret

_VARIANTS = (Variant(variants.DEFAULT, "slip10", "m/44'/501'/{index}'/0'", curve.ED25519),)
_IMPORTED = (
    Variant(RAW_SEED, RAW_SEED, None, curve.ED25519),
    Variant("sollet", conventions.SOLLET, "m/501'/{index}'/0/0", curve.ED25519),
)
"""Of keys from elsewhere: seed[:32], as solana-keygen takes it; and what Sollet derived before 2021."""
_KEYPAIR_BYTES = 64


class Solana(HdNetwork, SolanaChain):
    """A cluster of Solana. Keys: Ed25519 at SLIP-10, where every element of the path is hardened."""

    __slots__ = ()

    @property
    def _made(self) -> Variants:
        return _VARIANTS

    @property
    def _imported(self) -> Variants:
        return _IMPORTED

    @property
    def key_forms(self) -> tuple[str, ...]:
        """Keypairs, as wallets and ``solana-keygen`` write them, and seeds in hexadecimal digits."""
        return (
            "keypair of 64 bytes in base58",
            "keypair of 64 bytes as a JSON array",
            "64 hexadecimal digits",
            "128 hexadecimal digits",
        )

    @property
    def conventions(self) -> Conventions:
        """Where wallets of Solana keep the keys of a phrase."""
        return conventions.SOLANA

    def _key_at(self, phrase: Phrase, scheme: str, steps: Path) -> Secret:
        return curve.derive(curve.SECP256K1 if scheme == conventions.SOLLET else curve.ED25519, phrase, steps)

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
        seed = ed25519.seed_of_keypair(keypair)
        if seed is None:
            raise InvalidPrivateKeyError("The halves of the keypair do not belong together.")
        return seed

    def format_private_key(self, private_key: Secret, _: str | None = None) -> Secret:
        """Write the 64-byte keypair, seed and public key, in base58. Raises InvalidPrivateKeyError."""
        public = curve.public_key(curve.ED25519, private_key)
        return Secret.from_text(base58.encode(private_key.reveal() + public))

    def public_half(self, private_key: Secret, scheme: str) -> PublicHalf:
        """Derive public key and address. Raises InvalidPrivateKeyError, UnknownVariantError. RFC 8032."""
        public = self._public_key(private_key, scheme)
        return PublicHalf(public.hex(), base58.encode(public))

    def parse_address(self, text: str) -> str:
        """Read base58 of 32 bytes: public keys, and program addresses, which are no points of the curve.

        Raises InvalidAddressError.
        """
        data = base58.decode(text)
        if data is None or len(data) != 32:
            raise InvalidAddressError("The address is not 32 bytes in base58.")
        return text

    @property
    def signing_kinds(self) -> Mapping[str, SigningKind]:
        """The declarations of what can be signed: transactions, messages, raw digests."""
        return KINDS

    def prepare(self, wallet: Wallet, request: SigningRequest) -> Prepared:
        """Check a transaction, a message or a raw digest, and say what would be signed.

        Raises UnsupportedSigningError, MalformedPayloadError, SignatureRefusedError. RFC 8032, and Solana's
        specifications of transactions (legacy and version 0) and of off-chain messages (version 0).
        """
        from strongroom.networks.solana import signing  # most processes never sign

        return signing.prepare(self, wallet, request)


def _keypair(text: Secret) -> Secret | None:
    """The 64 bytes that wallets export (base58) and ``solana-keygen`` writes (a JSON array), or their hex."""
    return (
        key_text.from_hex(text, _KEYPAIR_BYTES) or key_text.from_json_array(text, _KEYPAIR_BYTES) or _from_base58(text)
    )


def _from_base58(text: Secret) -> Secret | None:
    data = base58.decode(key_text.strip(text) or "")
    return Secret(data) if data is not None and len(data) == _KEYPAIR_BYTES else None


FAMILY = Solana
