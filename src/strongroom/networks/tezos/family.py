"""Tezos: Ed25519 keys of SLIP-10 (tz1); secp256k1 keys of BIP-32 (tz2) as a variant."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable

from strongroom.errors import InvalidAddressError, InvalidPrivateKeyError
from strongroom.networks import variants
from strongroom.networks.codecs import key_text
from strongroom.networks.curves import curve, ed25519, secp256k1
from strongroom.networks.hd_network import HdNetwork
from strongroom.networks.tezos import conventions, locked, texts
from strongroom.networks.tezos.chain import TezosChain
from strongroom.networks.tezos.texts import Prefix
from strongroom.networks.variants import RAW_SEED, Variant, Variants
from strongroom.records.conventions import Conventions
from strongroom.records.key_material import PublicHalf
from strongroom.secret import Secret

_VARIANTS = (
    Variant(variants.DEFAULT, "slip10", "m/44'/1729'/{index}'/0'", curve.ED25519),
    Variant("tz2", "bip44", "m/44'/1729'/{index}'/0'"),
)
_IMPORTED = (Variant(RAW_SEED, RAW_SEED, None, curve.ED25519),)
"""Of keys from elsewhere: the first 32 bytes of a phrase's seed, with no path."""
_HASH_BYTES = 20
_ADDRESSES = (
    Prefix.ED25519_HASH,
    Prefix.SECP256K1_HASH,
    Prefix.P256_HASH,
    Prefix.BLS_HASH,
    Prefix.CONTRACT_HASH,
)
_HASH = {curve.ED25519: Prefix.ED25519_HASH, curve.SECP256K1: Prefix.SECP256K1_HASH}
_KEY = {curve.ED25519: Prefix.ED25519_SEED, curve.SECP256K1: Prefix.SECP256K1_KEY}
_LOCKED = {curve.ED25519: Prefix.ED25519_LOCKED, curve.SECP256K1: Prefix.SECP256K1_LOCKED}
_SECP256K1_TEXTS = (Prefix.SECP256K1_KEY, Prefix.SECP256K1_LOCKED)


class Tezos(HdNetwork, TezosChain):
    """A network of Tezos. Addresses are base58check of the hash of a public key."""

    __slots__ = ()

    @property
    def _made(self) -> Variants:
        return _VARIANTS

    @property
    def _imported(self) -> Variants:
        return _IMPORTED

    @property
    def key_forms(self) -> tuple[str, ...]:
        """The texts of octez, and hexadecimal digits."""
        return (
            "edsk of 54 characters (Ed25519)",
            "spsk of 54 characters (secp256k1)",
            "edsk of 98 characters (Ed25519, with the public key)",
            "64 hexadecimal digits",
            "edesk and spesk, under a password, as keystore",
        )

    @property
    def conventions(self) -> Conventions:
        """Where wallets of Tezos keep the keys of a phrase."""
        return conventions.TEZOS

    def schemes_of(self, address: str) -> tuple[str, ...]:
        """Those of the address's kind; none of a contract, or of a curve that is not held here."""
        return tuple(each.scheme for each in self._every if texts.decode(address, _HASH[each.curve]) is not None)

    def parse_private_key(self, text: Secret) -> Secret:
        """Read ``edsk`` of 54 or 98 characters, ``spsk``, or 64 hexadecimal digits, into 32 bytes.

        Raises InvalidPrivateKeyError, also where the halves of a longer ``edsk`` do not belong together.
        """
        key = key_text.from_hex(text, ed25519.SEED_BYTES)
        if key is not None:
            return key
        found = _decoded(text)
        if found is not None:
            key = _key_of(*found)
            if key is None:
                raise InvalidPrivateKeyError("The two halves of the edsk text do not belong together.")
            return secp256k1.checked(key) if found[0] is Prefix.SECP256K1_KEY else key
        if locked.form(text) is not None:
            raise InvalidPrivateKeyError(
                "The private key is under a password.",
                hint="Give it as a keystore, with its password: --keystore FILE (keystore=, keystore_password=).",
            )
        raise InvalidPrivateKeyError(
            "The private key is neither edsk, nor spsk, nor 64 hexadecimal digits.",
            hint="Pass what the wallet exports as secret key; p2sk and BLsk are of curves that are not held here.",
        )

    def scheme_of_key(self, text: Secret, scheme: str | None) -> str:
        """The scheme asked for, else ``slip10``; for ``spsk`` and ``spesk`` ``bip44``.

        Raises InvalidPrivateKeyError where the text says another curve than ``scheme`` has.
        """
        said = _curve_of(text)
        if scheme is not None and said is not None and self.curve(scheme) != said:
            raise InvalidPrivateKeyError(
                f"The text says that the key is one of {said}, which {scheme} is not for.",
                hint="Leave the variant out: edsk is of tz1, spsk of tz2.",
            )
        return scheme or _VARIANTS[1 if said == curve.SECP256K1 else 0].scheme

    def format_private_key(self, private_key: Secret, scheme: str | None = None) -> Secret:
        """Write ``edsk`` of 54 characters, or ``spsk``. Raises InvalidPrivateKeyError, UnknownVariantError."""
        on = self._curve_of_key(private_key, scheme)
        return Secret.from_text(texts.encode(_KEY[on], private_key.reveal()))

    def public_half(self, private_key: Secret, scheme: str) -> PublicHalf:
        """Derive public key and address. Raises InvalidPrivateKeyError, UnknownVariantError."""
        public = self._public_key(private_key, scheme)
        digest = hashlib.blake2b(public, digest_size=_HASH_BYTES).digest()
        return PublicHalf(public.hex(), texts.encode(_HASH[self.curve(scheme)], digest))

    def parse_address(self, text: str) -> str:
        """Read tz1, tz2, tz3, tz4 and KT1. Raises InvalidAddressError."""
        if texts.decode(text, *_ADDRESSES) is None:
            raise InvalidAddressError("The text is no address of Tezos (tz1 to tz4, KT1), or its checksum is wrong.")
        return text

    def is_keystore(self, text: Secret) -> bool:
        """Whether a text is ``edesk`` or ``spesk`` with a checksum that fits; no password is tried."""
        return locked.form(text) is not None

    def open_keystore(self, document: Secret, password: Secret) -> Secret:
        """Open a text that begins with ``edesk`` or ``spesk``, into the private key of 32 bytes.

        Raises InvalidKeystoreError, KeystorePasswordError, InvalidPrivateKeyError.
        """
        key = locked.open_text(document, password)
        return secp256k1.checked(key) if locked.form(document) is Prefix.SECP256K1_LOCKED else key

    def make_keystore(
        self,
        private_key: Secret,
        password: Secret,
        scheme: str | None = None,
        random_bytes: Callable[[int], bytes] = os.urandom,
    ) -> str:
        """Lock a private key as ``edesk``, or as ``spesk`` where the scheme is on secp256k1.

        Raises InvalidPrivateKeyError, KeystorePasswordError, UnknownVariantError.
        """
        on = self._curve_of_key(private_key, scheme)
        return locked.make_text(_LOCKED[on], private_key, password, random_bytes)

    def _curve_of_key(self, private_key: Secret, scheme: str | None) -> str:
        """The curve of a scheme, of a key that is one of it. Raises InvalidPrivateKeyError, UnknownVariantError."""
        scheme = scheme or _VARIANTS[0].scheme
        self._public_key(private_key, scheme)
        return self.curve(scheme)


def _decoded(text: Secret) -> tuple[Prefix, Secret] | None:
    found = texts.decode(key_text.strip(text) or "", Prefix.ED25519_SEED, Prefix.ED25519_KEYPAIR, Prefix.SECP256K1_KEY)
    return None if found is None else (found[0], Secret(found[1]))


def _key_of(prefix: Prefix, data: Secret) -> Secret | None:
    """The private key in a text's bytes; None where a keypair's halves do not belong together."""
    if prefix is not Prefix.ED25519_KEYPAIR:
        return data
    return ed25519.seed_of_keypair(data)


def _curve_of(text: Secret) -> str | None:
    """The curve that a text says; None for hexadecimal digits, and for what is no key."""
    found = _decoded(text)
    prefix = locked.form(text) if found is None else found[0]
    if prefix is None:
        return None
    return curve.SECP256K1 if prefix in _SECP256K1_TEXTS else curve.ED25519


FAMILY = Tezos
