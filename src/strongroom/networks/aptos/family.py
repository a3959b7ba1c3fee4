"""Aptos: Ed25519 keys of SLIP-10, and secp256k1 keys as a variant; the address is the first authentication key."""

from __future__ import annotations

import hashlib
import re

from strongroom.errors import InvalidAddressError, InvalidPrivateKeyError
from strongroom.networks import variants
from strongroom.networks.aptos import aip80, conventions
from strongroom.networks.aptos.chain import AptosChain
from strongroom.networks.codecs import key_text
from strongroom.networks.curves import secp256k1
from strongroom.networks.curves.curve import ED25519, SECP256K1
from strongroom.networks.hd_network import HdNetwork
from strongroom.networks.variants import Variant, Variants
from strongroom.records.conventions import Conventions
from strongroom.records.key_material import PublicHalf
from strongroom.secret import Secret

_VARIANTS = (
    Variant(variants.DEFAULT, "slip10", "m/44'/637'/{index}'/0'/0'", ED25519),
    Variant("secp256k1", "secp256k1", "m/44'/637'/{index}'/0/0", SECP256K1),
)
_SCHEMES = {variant.curve: variant.scheme for variant in _VARIANTS}
_ED25519_ACCOUNT, _SINGLE_KEY_ACCOUNT = b"\x00", b"\x02"
_POINT_OF_SECP256K1 = b"\x01\x41"  # of AnyPublicKey in BCS: its second kind, then 65 bytes
_LONG, _SPECIAL = re.compile("0x[0-9a-fA-F]{64}"), re.compile("0x[0-9a-fA-F]")
_DIGITS = 64


class Aptos(HdNetwork, AptosChain):
    """A chain of Aptos. Keys: Ed25519 at SLIP-10, secp256k1 at BIP-32; addresses: SHA3-256 of key and scheme."""

    __slots__ = ()

    @property
    def _made(self) -> Variants:
        return _VARIANTS

    @property
    def key_forms(self) -> tuple[str, ...]:
        """The two of AIP-80, and hexadecimal digits, which say no scheme."""
        return (
            "ed25519-priv-0x and 64 hexadecimal digits (AIP-80)",
            "secp256k1-priv-0x and 64 hexadecimal digits (AIP-80)",
            "64 hexadecimal digits",
        )

    @property
    def conventions(self) -> Conventions:
        """Where wallets of Aptos keep the keys of a phrase."""
        return conventions.APTOS

    def parse_private_key(self, text: Secret) -> Secret:
        """Read a text of AIP-80, or 64 hexadecimal digits. Raises InvalidPrivateKeyError."""
        said = aip80.read(text)
        if said is not None:
            return secp256k1.checked(said[1]) if said[0] == SECP256K1 else said[1]
        key = key_text.from_hex(text, aip80.KEY_BYTES)
        if key is None:
            raise InvalidPrivateKeyError(
                "The private key is neither a text of AIP-80 nor 64 hexadecimal digits.",
                hint="Pass what a wallet exports, such as ed25519-priv-0x and 64 digits.",
            )
        return key

    def scheme_of_key(self, text: Secret, scheme: str | None) -> str:
        """The scheme that a text of AIP-80 says, else the one asked for, else ``slip10``.

        Raises InvalidPrivateKeyError where the text says otherwise than ``scheme``.
        """
        said = aip80.read(text)
        if said is None:
            return scheme or _VARIANTS[0].scheme
        if scheme not in (None, _SCHEMES[said[0]]):
            raise InvalidPrivateKeyError(
                f"The text says that the key is one of {said[0]}, which {scheme} is not for.",
                hint="Leave the variant out: the text says it.",
            )
        return _SCHEMES[said[0]]

    def format_private_key(self, private_key: Secret, scheme: str | None = None) -> Secret:
        """Write a text of AIP-80. Raises InvalidPrivateKeyError, UnknownVariantError."""
        scheme = scheme or _VARIANTS[0].scheme
        self._public_key(private_key, scheme)
        return aip80.write(self.curve(scheme), private_key)

    def public_half(self, private_key: Secret, scheme: str) -> PublicHalf:
        """Derive public key and address: the authentication key that a new account begins with.

        An Ed25519 key has the account of the first scheme, a secp256k1 key that of the single-key scheme. Raises
        InvalidPrivateKeyError, UnknownVariantError. AIP-55.
        """
        public = self._public_key(private_key, scheme)
        if self.curve(scheme) == ED25519:
            hashed = public + _ED25519_ACCOUNT
        else:
            hashed = _POINT_OF_SECP256K1 + secp256k1.decompress(public) + _SINGLE_KEY_ACCOUNT
        return PublicHalf(public.hex(), "0x" + hashlib.sha3_256(hashed).hexdigest())

    def parse_address(self, text: str) -> str:
        """Read 0x and 64 hexadecimal digits, or the one digit of a special address; all 64 come back, in lower case.

        Raises InvalidAddressError, also where leading zeros or 0x are missing. AIP-40, its strict form.
        """
        if not _LONG.fullmatch(text) and not _SPECIAL.fullmatch(text):
            raise InvalidAddressError(
                "The address is not 0x and 64 hexadecimal digits; leading zeros are written (AIP-40)."
            )
        return "0x" + text[2:].lower().rjust(_DIGITS, "0")


FAMILY = Aptos
