"""Algorand: Ed25519 keys of SLIP-10; the address is the public key in base32 with a checksum."""

from __future__ import annotations

from strongroom.errors import InvalidAddressError, InvalidPrivateKeyError
from strongroom.networks import variants
from strongroom.networks.algorand import conventions, words
from strongroom.networks.algorand.chain import AlgorandChain
from strongroom.networks.algorand.digest import sha512_256
from strongroom.networks.codecs import base32, key_text
from strongroom.networks.curves import curve, ed25519
from strongroom.networks.hd_network import HdNetwork
from strongroom.networks.variants import Variant, Variants
from strongroom.records.conventions import Conventions
from strongroom.records.key_material import PublicHalf
from strongroom.secret import Secret

_VARIANTS = (Variant(variants.DEFAULT, "slip10", "m/44'/283'/0'/0'/{index}'", curve.ED25519),)
_CHECKSUM_BYTES = 4
_KEYPAIR_BYTES = 64


class Algorand(HdNetwork, AlgorandChain):
    """A network of Algorand."""

    __slots__ = ()

    @property
    def _made(self) -> Variants:
        return _VARIANTS

    @property
    def key_forms(self) -> tuple[str, ...]:
        """The words that wallets show, and hexadecimal digits."""
        return ("25 words", "64 hexadecimal digits", "key and public key of 64 bytes in base64")

    @property
    def conventions(self) -> Conventions:
        """Where wallets of Algorand keep the keys of a BIP-39 phrase."""
        return conventions.ALGORAND

    def parse_private_key(self, text: Secret) -> Secret:
        """Read 25 words, 64 hexadecimal digits, or the 64 bytes in base64 that the SDKs hand out.

        Raises InvalidPrivateKeyError, also where the halves of the 64 bytes do not belong together.
        """
        key = words.decode(text) or key_text.from_hex(text, ed25519.SEED_BYTES)
        keypair = None if key is not None else key_text.from_base64(text, _KEYPAIR_BYTES)
        if keypair is not None:
            key = ed25519.seed_of_keypair(keypair)
            if key is None:
                raise InvalidPrivateKeyError("The two halves of the 64 bytes do not belong together.")
        if key is None:
            raise InvalidPrivateKeyError(
                "The private key is neither 25 words nor 64 hexadecimal digits, or the last word does not fit.",
                hint="Pass the 25 words that a wallet shows. A phrase of 24 words is BIP-39's: give it as mnemonic.",
            )
        return key

    def format_private_key(self, private_key: Secret, _: str | None = None) -> Secret:
        """Write 25 words. Raises InvalidPrivateKeyError."""
        written = words.encode(private_key)
        if written is None:
            raise InvalidPrivateKeyError("The private key is not 32 bytes.")
        return written

    def public_half(self, private_key: Secret, scheme: str) -> PublicHalf:
        """Derive public key and address. Raises InvalidPrivateKeyError, UnknownVariantError."""
        public = self._public_key(private_key, scheme)
        return PublicHalf(public.hex(), base32.encode(public + _checksum(public)))

    def parse_address(self, text: str) -> str:
        """Read 58 characters of base32: 32 bytes, and four of checksum. Raises InvalidAddressError."""
        data = base32.decode(text)
        if data is None or len(data) != ed25519.PUBLIC_KEY_BYTES + _CHECKSUM_BYTES:
            raise InvalidAddressError("The address is not 58 characters of base32.")
        if _checksum(data[:-_CHECKSUM_BYTES]) != data[-_CHECKSUM_BYTES:]:
            raise InvalidAddressError("The checksum of the address is wrong.")
        return text


def _checksum(public: bytes) -> bytes:
    """The end of the hash of a public key."""
    return sha512_256(public)[-_CHECKSUM_BYTES:]


FAMILY = Algorand
