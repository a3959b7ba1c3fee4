"""NEAR: Ed25519 keys of SLIP-10; the address is the implicit account, the public key in hexadecimal digits."""

from __future__ import annotations

import re

from strongroom.errors import InvalidAddressError, InvalidPrivateKeyError
from strongroom.networks import variants
from strongroom.networks.codecs import key_text
from strongroom.networks.curves import ed25519
from strongroom.networks.curves.curve import ED25519
from strongroom.networks.hd_network import HdNetwork
from strongroom.networks.near import conventions, keypair
from strongroom.networks.near.chain import NearChain
from strongroom.networks.variants import Variant, Variants
from strongroom.records.conventions import Conventions
from strongroom.records.key_material import PublicHalf
from strongroom.secret import Secret

_VARIANTS = (Variant(variants.DEFAULT, "slip10", "m/44'/397'/{index}'", ED25519),)
_IMPLICIT = re.compile("[0-9a-f]{64}")
_OF_ANOTHER_KEY = re.compile("0[xs][0-9a-f]{40}")
_NAMED = re.compile("(?=.{2,64}$)[a-z0-9]+(?:[-_.][a-z0-9]+)*")


class Near(HdNetwork, NearChain):
    """A chain of NEAR. Keys: Ed25519 at SLIP-10; addresses: implicit accounts."""

    __slots__ = ()

    @property
    def _made(self) -> Variants:
        return _VARIANTS

    @property
    def key_forms(self) -> tuple[str, ...]:
        """As wallets and near-cli write them, and seeds in hexadecimal digits."""
        return ("ed25519: and a keypair of 64 bytes in base58", "64 hexadecimal digits")

    @property
    def conventions(self) -> Conventions:
        """Where wallets of NEAR keep the keys of a phrase."""
        return conventions.NEAR

    def parse_private_key(self, text: Secret) -> Secret:
        """Read ``ed25519:`` with a keypair of 64 bytes in base58, or a seed of 32 bytes in hexadecimal digits.

        With 32 bytes, ``ed25519:`` is refused: public keys look the same, and taken for a seed one would make a wallet
        whose key everybody knows. Raises InvalidPrivateKeyError, also where the halves do not belong together.
        """
        key = key_text.from_hex(text, ed25519.SEED_BYTES)
        if key is not None:
            return key
        pair = keypair.read(text)
        if pair is None:
            raise InvalidPrivateKeyError(
                "The text has 32 bytes, as NEAR writes public keys; a private key has 64."
                if keypair.is_public(text)
                else "The private key is neither ed25519: and 64 bytes in base58 nor 64 hexadecimal digits.",
                hint="Pass what a wallet exports, or private_key of a file of near-cli; a bare seed in hexadecimal.",
            )
        seed = keypair.seed_of(pair)
        if seed is None:
            raise InvalidPrivateKeyError("The halves of the keypair do not belong together.")
        return seed

    def format_private_key(self, private_key: Secret, _: str | None = None) -> Secret:
        """Write ``ed25519:`` and the keypair in base58. Raises InvalidPrivateKeyError."""
        return keypair.write(private_key, self._public_key(private_key, _VARIANTS[0].scheme))

    def public_half(self, private_key: Secret, scheme: str) -> PublicHalf:
        """Derive public key and implicit account. Raises InvalidPrivateKeyError, UnknownVariantError."""
        public = self._public_key(private_key, scheme)
        return PublicHalf(public.hex(), public.hex())

    def parse_address(self, text: str) -> str:
        """Read the 64 lower-case hexadecimal digits of an implicit account.

        Raises InvalidAddressError, also for named accounts, which say nothing of a key.
        """
        if not _IMPLICIT.fullmatch(text):
            raise InvalidAddressError(_refusal(text))
        return text


def _refusal(text: str) -> str:
    if _OF_ANOTHER_KEY.fullmatch(text):
        return "The text is an account of NEAR that no Ed25519 key has (0x: of an Ethereum key, 0s: of a contract)."
    if _NAMED.fullmatch(text):
        return (
            "The text may be a named account of NEAR, which is not the address of a key: which keys it has is set on "
            "chain. The address of a key is its implicit account, 64 lower-case hexadecimal digits."
        )
    return "The address is not the 64 lower-case hexadecimal digits of an implicit account."


FAMILY = Near
