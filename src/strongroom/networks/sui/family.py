"""Sui: Ed25519 keys of SLIP-10, and secp256k1 keys as a variant; the address is BLAKE2b-256 of flag and public key."""

from __future__ import annotations

import hashlib
import re

from strongroom.errors import InvalidAddressError, InvalidPrivateKeyError
from strongroom.networks import variants
from strongroom.networks.codecs import key_text
from strongroom.networks.curves import secp256k1
from strongroom.networks.curves.curve import ED25519, SECP256K1
from strongroom.networks.hd_network import HdNetwork
from strongroom.networks.sui import conventions, suiprivkey
from strongroom.networks.sui.chain import SuiChain
from strongroom.networks.sui.suiprivkey import FlaggedKey
from strongroom.networks.variants import Variant, Variants
from strongroom.records.conventions import Conventions
from strongroom.records.key_material import PublicHalf
from strongroom.secret import Secret

_VARIANTS = (
    Variant(variants.DEFAULT, "slip10", "m/44'/784'/{index}'/0'/0'", ED25519),
    Variant("secp256k1", "secp256k1", "m/54'/784'/0'/0/{index}", SECP256K1),
)
_FLAGS = {"slip10": 0, "secp256k1": 1}
_SCHEMES = {flag: scheme for scheme, flag in _FLAGS.items()}
_SECP256R1 = 2
_ADDRESS_BYTES = 32
_ADDRESS = re.compile("0x[0-9a-fA-F]{64}")


class Sui(HdNetwork, SuiChain):
    """A chain of Sui. Keys: Ed25519 at SLIP-10, secp256k1 at BIP-32; addresses: BLAKE2b-256 of flag and key."""

    __slots__ = ()

    @property
    def _made(self) -> Variants:
        return _VARIANTS

    @property
    def key_forms(self) -> tuple[str, ...]:
        """Bech32 with the scheme in it, and hexadecimal digits, which say none."""
        return ("suiprivkey1 and 59 characters (bech32)", "64 hexadecimal digits")

    @property
    def conventions(self) -> Conventions:
        """Where wallets of Sui keep the keys of a phrase."""
        return conventions.SUI

    def parse_private_key(self, text: Secret) -> Secret:
        """Read ``suiprivkey1...``, or 64 hexadecimal digits. Raises InvalidPrivateKeyError, also for secp256r1."""
        said = suiprivkey.read(text)
        if said is not None:
            return secp256k1.checked(said.key) if _scheme_said(said) == "secp256k1" else said.key
        key = key_text.from_hex(text, suiprivkey.KEY_BYTES)
        if key is None:
            raise InvalidPrivateKeyError(
                "The private key is neither suiprivkey1 with its 59 characters nor 64 hexadecimal digits.",
                hint="Pass what a wallet exports, or sui keytool export prints.",
            )
        return key

    def scheme_of_key(self, text: Secret, scheme: str | None) -> str:
        """The scheme that ``suiprivkey1...`` says, else the one asked for, else ``slip10``.

        Raises InvalidPrivateKeyError where the text says otherwise than ``scheme``, or secp256r1.
        """
        said = suiprivkey.read(text)
        if said is None:
            return scheme or _VARIANTS[0].scheme
        own = _scheme_said(said)
        if scheme not in (None, own):
            raise InvalidPrivateKeyError(
                f"The text says that the key is one of {self.curve(own)}, which {scheme} is not for.",
                hint="Leave the variant out: the text says it.",
            )
        return own

    def format_private_key(self, private_key: Secret, scheme: str | None = None) -> Secret:
        """Write ``suiprivkey1...``. Raises InvalidPrivateKeyError, UnknownVariantError."""
        scheme = scheme or _VARIANTS[0].scheme
        self._public_key(private_key, scheme)
        return suiprivkey.write(_FLAGS[scheme], private_key)

    def public_half(self, private_key: Secret, scheme: str) -> PublicHalf:
        """Derive public key and address. Raises InvalidPrivateKeyError, UnknownVariantError."""
        public = self._public_key(private_key, scheme)
        hashed = hashlib.blake2b(bytes((_FLAGS[scheme],)) + public, digest_size=_ADDRESS_BYTES)
        return PublicHalf(public.hex(), "0x" + hashed.hexdigest())

    def parse_address(self, text: str) -> str:
        """Read 0x and 64 hexadecimal digits; lower case comes back.

        Raises InvalidAddressError, also where leading zeros are missing.
        """
        if not _ADDRESS.fullmatch(text):
            raise InvalidAddressError("The address is not 0x and 64 hexadecimal digits; leading zeros are written.")
        return text.lower()


def _scheme_said(said: FlaggedKey) -> str:
    if said.flag not in _SCHEMES:
        which = "of secp256r1, which Sui wallets have and this network has no variant for"
        unknown = "of a scheme that is not known"
        raise InvalidPrivateKeyError(
            f"The text says that the key is one {which if said.flag == _SECP256R1 else unknown}."
        )
    return _SCHEMES[said.flag]


FAMILY = Sui
