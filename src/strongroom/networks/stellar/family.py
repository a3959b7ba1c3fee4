"""Stellar: Ed25519 keys of SLIP-10 at SEP-5; the address is the public key in strkey."""

from __future__ import annotations

from strongroom.errors import InvalidAddressError, InvalidPrivateKeyError
from strongroom.networks import variants
from strongroom.networks.codecs import key_text
from strongroom.networks.curves import curve, ed25519
from strongroom.networks.hd_network import HdNetwork
from strongroom.networks.stellar import conventions, strkey
from strongroom.networks.stellar.chain import StellarChain
from strongroom.networks.variants import Variant, Variants
from strongroom.records.conventions import Conventions
from strongroom.records.key_material import PublicHalf
from strongroom.secret import Secret

_VARIANTS = (Variant(variants.DEFAULT, "sep5", "m/44'/148'/{index}'", curve.ED25519),)


class Stellar(HdNetwork, StellarChain):
    """A network of Stellar."""

    __slots__ = ()

    @property
    def _made(self) -> Variants:
        return _VARIANTS

    @property
    def key_forms(self) -> tuple[str, ...]:
        """Secret seeds, as wallets write them, and their hexadecimal digits."""
        return ("secret seed (S...)", "64 hexadecimal digits")

    @property
    def conventions(self) -> Conventions:
        """Where wallets of Stellar keep the keys of a phrase."""
        return conventions.STELLAR

    def parse_private_key(self, text: Secret) -> Secret:
        """Read a secret seed (``S...``), or 64 hexadecimal digits. Raises InvalidPrivateKeyError. SEP-23."""
        key = _seed(text) or key_text.from_hex(text, ed25519.SEED_BYTES)
        if key is None:
            raise InvalidPrivateKeyError(
                "The private key is neither a secret seed (S...) nor 64 hexadecimal digits.",
                hint="Pass the 56 characters that a wallet shows as secret key; G... is the address.",
            )
        return key

    def format_private_key(self, private_key: Secret, _: str | None = None) -> Secret:
        """Write the secret seed, ``S...``. Raises InvalidPrivateKeyError. SEP-23."""
        if len(private_key.reveal()) != ed25519.SEED_BYTES:
            raise InvalidPrivateKeyError("The private key is not 32 bytes.")
        return Secret.from_text(strkey.encode(strkey.SEED, private_key.reveal()))

    def public_half(self, private_key: Secret, scheme: str) -> PublicHalf:
        """Derive public key and address. Raises InvalidPrivateKeyError, UnknownVariantError."""
        public = self._public_key(private_key, scheme)
        return PublicHalf(public.hex(), strkey.encode(strkey.ACCOUNT, public))

    def parse_address(self, text: str) -> str:
        """Read the address of an account, ``G...``. Raises InvalidAddressError. SEP-23.

        A muxed account (``M...``) is an address to pay to, of which many stand for one account: no wallet's.
        """
        if strkey.decode(strkey.ACCOUNT, text) is not None:
            return text
        if strkey.decode(strkey.MUXED, text) is not None:
            raise InvalidAddressError(
                "The address is one of a muxed account, which a payment may go to; a wallet's begins with G.",
                hint="Give the address of the account that the muxed one belongs to (G...).",
            )
        raise InvalidAddressError("The text is not the address of an account (G...), or its checksum is wrong.")


def _seed(text: Secret) -> Secret | None:
    return Secret.optional(strkey.decode(strkey.SEED, key_text.strip(text) or ""))


FAMILY = Stellar
