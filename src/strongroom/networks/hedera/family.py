"""Hedera: secp256k1 keys under an EVM alias; Ed25519 keys, whose address is the public key, as a variant."""

from __future__ import annotations

import re

from strongroom.errors import InvalidAddressError, InvalidPrivateKeyError
from strongroom.networks import variants
from strongroom.networks.codecs import eip55, key_text
from strongroom.networks.curves import secp256k1
from strongroom.networks.curves.curve import ED25519
from strongroom.networks.hd_network import HdNetwork
from strongroom.networks.hedera import conventions, der
from strongroom.networks.hedera.chain import HederaChain
from strongroom.networks.keccak import keccak_256
from strongroom.networks.variants import Variant, Variants
from strongroom.records.conventions import Conventions
from strongroom.records.key_material import PublicHalf
from strongroom.secret import Secret

_VARIANTS = (
    Variant(variants.DEFAULT, "bip44", "m/44'/3030'/0'/0/{index}"),
    Variant("ed25519", "slip10", "m/44'/3030'/0'/0'/{index}'", ED25519),
)
_PUBLIC_KEY = re.compile("(?:302a300506032b6570032100)?([0-9a-f]{64})")
_ACCOUNT_ID = re.compile(r"[0-9]{1,19}\.[0-9]{1,19}\.[0-9]{1,19}(?:-[a-z]{5})?")
_OF_A_NUMBER = "0x" + "0" * 24
"""The beginning of an EVM address that stands for an account's number, and is no key's."""


class Hedera(HdNetwork, HederaChain):
    """A network of Hedera."""

    __slots__ = ()

    @property
    def _made(self) -> Variants:
        return _VARIANTS

    @property
    def key_forms(self) -> tuple[str, ...]:
        """DER, which says the curve, and bare keys."""
        return ("DER in hexadecimal digits (302e..., 3030..., 3054...)", "64 hexadecimal digits")

    @property
    def conventions(self) -> Conventions:
        """Where wallets of Hedera keep the keys of a phrase."""
        return conventions.HEDERA

    def schemes_of(self, address: str) -> tuple[str, ...]:
        """The scheme of an EVM alias, or that of a public key."""
        return (_VARIANTS[0 if address.startswith("0x") else 1].scheme,)

    def parse_private_key(self, text: Secret) -> Secret:
        """Read DER in hexadecimal digits, or 64 digits, into 32 bytes. Raises InvalidPrivateKeyError.

        A public key in it has to be the private one's.
        """
        key = key_text.from_hex(text, der.KEY_BYTES)
        if key is not None:
            return key
        found = der.read(text)
        if found is None:
            raise InvalidPrivateKeyError(
                "The private key is neither DER in hexadecimal digits nor 64 hexadecimal digits.",
                hint="Pass what the portal shows as DER or HEX encoded private key; 302a... and 302d... are public.",
            )
        return found[1] if found[0] == ED25519 else secp256k1.checked(found[1])

    def scheme_of_key(self, text: Secret, scheme: str | None) -> str:
        """The scheme of the curve that DER says, else the one asked for, else ``bip44``.

        Raises InvalidPrivateKeyError where the text says another curve than ``scheme`` has.
        """
        found = der.read(text)
        if found is None:
            return scheme or _VARIANTS[0].scheme
        said = found[0]
        if scheme is not None and self.curve(scheme) != said:
            raise InvalidPrivateKeyError(
                f"The text says that the key is one of {said}, which {scheme} is not for.",
                hint="Leave the variant out: DER says it.",
            )
        return next(each.scheme for each in _VARIANTS if each.curve == said)

    def format_private_key(self, private_key: Secret, scheme: str | None = None) -> Secret:
        """Write DER in hexadecimal digits, as the SDKs do. Raises InvalidPrivateKeyError, UnknownVariantError."""
        scheme = scheme or _VARIANTS[0].scheme
        self._public_key(private_key, scheme)
        return der.write(self.curve(scheme), private_key)

    def public_half(self, private_key: Secret, scheme: str) -> PublicHalf:
        """Derive public key and address. Raises InvalidPrivateKeyError, UnknownVariantError. HIP-583.

        On secp256k1 the address is the EVM alias, with EIP-55; on Ed25519 it is the public key.
        """
        public = self._public_key(private_key, scheme)
        if self.curve(scheme) == ED25519:
            return PublicHalf(public.hex(), public.hex())
        alias = keccak_256(secp256k1.decompress(public)[1:])[-eip55.ADDRESS_BYTES :]
        return PublicHalf(public.hex(), eip55.checksummed(alias.hex()))

    def parse_address(self, text: str) -> str:
        """Read an EVM alias, or an Ed25519 public key in 64 digits or DER. Raises InvalidAddressError. EIP-55.

        An account id (0.0.N) is given by the network, and follows from no key.
        """
        public = _PUBLIC_KEY.fullmatch(text)
        if public is not None:
            return public[1]
        if not eip55.is_address(text):
            raise InvalidAddressError(
                "The text is an account id, which the network gives: no key's address follows from it."
                if _ACCOUNT_ID.fullmatch(text)
                else "The address is neither an EVM alias (0x and 40 digits) nor 64 digits of an Ed25519 public key."
            )
        canonical = eip55.canonical(text)
        if canonical is None:
            raise InvalidAddressError("The EIP-55 checksum of the address is wrong: a letter's case differs.")
        if canonical.startswith(_OF_A_NUMBER):
            raise InvalidAddressError("The address stands for an account's number (0.0.N), and is no key's.")
        return canonical


FAMILY = Hedera
