"""Polkadot: sr25519 keys of Substrate's tree (the extra ``polkadot``), Ed25519 by a variant; SS58 addresses."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache

from strongroom.crypto.phrase import Phrase
from strongroom.errors import (
    AddressMismatchError,
    InvalidAddressError,
    InvalidPrivateKeyError,
)
from strongroom.networks import variants
from strongroom.networks.codecs import key_text, ss58
from strongroom.networks.curves import curve, ed25519, sr25519
from strongroom.networks.hd_network import HdNetwork
from strongroom.networks.polkadot import conventions, junctions, mini_secret
from strongroom.networks.polkadot.chain import PolkadotChain
from strongroom.networks.polkadot.conventions import ED25519, SR25519
from strongroom.networks.variants import Variant, Variants
from strongroom.records.conventions import Conventions
from strongroom.records.key_material import KeyMaterial, PublicHalf
from strongroom.secret import Secret

_NO_KEY = "The private key is neither 32 bytes nor a secret of 64 bytes of sr25519."


class Polkadot(HdNetwork, PolkadotChain):
    """A chain of the family. Without the extra ``polkadot``, keys of sr25519 raise MissingExtraError.

    A private key of sr25519 is a mini-secret of 32 bytes, or a secret of 64 bytes where it was derived at junctions or
    came from a document of polkadot-js.
    """

    __slots__ = ()

    @property
    def _made(self) -> Variants:
        return _made(self.coin_type)

    @property
    def key_forms(self) -> tuple[str, ...]:
        """Mini-secrets and seeds, expanded secrets, and JSON documents."""
        return (
            "0x and 64 hexadecimal digits (mini-secret, seed)",
            "64 hexadecimal digits",
            "128 hexadecimal digits (secret of sr25519 as polkadot-js keeps it, or keypair of Ed25519)",
            "JSON of polkadot-js, version 3",
        )

    @property
    def conventions(self) -> Conventions:
        """Where wallets of Polkadot keep the keys of a phrase."""
        return conventions.polkadot(self.coin_type)

    def path(self, scheme: str, index: int = 0) -> str | None:
        """The path of an index: of sr25519 ``m``, the key without junctions, then ``//1``, ``//2`` and so on.

        Raises UnknownVariantError, InvalidPathError for an index outside of 0 to 2^31-1.
        """
        path = super().path(scheme, index)
        return junctions.ROOT if scheme == SR25519 and index == 0 else path

    def derive(self, phrase: Phrase, scheme: str, path: str | None = None) -> KeyMaterial:
        """Derive the key of a phrase: of its entropy at junctions (sr25519), or SLIP-10 at a path (Ed25519).

        Raises InvalidPathError, UnknownVariantError; InvalidMnemonicError for words that mean another entropy in each
        of two languages; MissingExtraError at junctions. substrate-bip39.
        """
        if scheme != SR25519:
            return super().derive(phrase, scheme, path)
        where = junctions.ROOT if path is None else path
        chain_codes = junctions.parse(where)
        key = _below(phrase, chain_codes) if chain_codes else mini_secret.of(phrase)
        return KeyMaterial(key, scheme, where, phrase.mnemonic, phrase.passphrase)

    def parse_private_key(self, text: Secret) -> Secret:
        """Read 64 hexadecimal digits, or 128: a secret of sr25519, or a keypair of Ed25519, whose seed comes back.

        Raises InvalidPrivateKeyError, MissingExtraError.
        """
        key = key_text.from_hex(text, sr25519.MINI_SECRET_BYTES)
        if key is not None:
            return key
        pair = key_text.from_hex(text, sr25519.SECRET_BYTES)
        if pair is None:
            raise InvalidPrivateKeyError(
                "The private key is not 64 or 128 hexadecimal digits.",
                hint="A JSON file of polkadot-js is a keystore (--keystore); a phrase is a mnemonic.",
            )
        key = _seed(pair) or sr25519.expanded(pair)
        if key is None:
            raise InvalidPrivateKeyError("The 64 bytes are neither a secret of sr25519 nor a keypair of Ed25519.")
        return key

    def scheme_of_key(self, text: Secret, scheme: str | None) -> str:
        """``ed25519`` for a keypair, ``sr25519`` for another 64 bytes, what a document says; else the one asked for.

        The default where nothing says one. Raises InvalidPrivateKeyError where the text says otherwise than ``scheme``.
        """
        said = self._said(text)
        if said is not None and scheme not in (None, said):
            raise InvalidPrivateKeyError(f"The text holds a key of {said}.", hint="Leave the variant out.")
        return said or scheme or SR25519

    @staticmethod
    def _said(text: Secret) -> str | None:
        from strongroom.networks.codecs import polkadot_json

        pair = key_text.from_hex(text, sr25519.SECRET_BYTES)
        if pair is not None:
            return SR25519 if _seed(pair) is None else ED25519
        return polkadot_json.scheme_of(text) if text.reveal().lstrip()[:1] == b"{" else None

    def format_private_key(self, private_key: Secret, _: str | None = None) -> Secret:
        """Write 0x and hexadecimal digits. Raises InvalidPrivateKeyError for another length than 32 and 64 bytes."""
        if len(private_key.reveal()) not in (sr25519.MINI_SECRET_BYTES, sr25519.SECRET_BYTES):
            raise InvalidPrivateKeyError(_NO_KEY)
        return Secret.from_text("0x" + private_key.reveal().hex())

    def public_half(self, private_key: Secret, scheme: str) -> PublicHalf:
        """Derive public key and address, which is SS58.

        Raises InvalidPrivateKeyError, UnknownVariantError, MissingExtraError.
        """
        if scheme != SR25519:
            public: bytes | None = self._public_key(private_key, scheme)
        else:
            public = sr25519.public_key(private_key)
        if public is None:
            raise InvalidPrivateKeyError(_NO_KEY)
        return PublicHalf(public.hex(), ss58.encode(self.prefix, public))

    def parse_address(self, text: str) -> str:
        """Read an address with the network's prefix, or with the one of any network (42, ``5...``).

        Returns the one with the network's prefix. Raises InvalidAddressError. SS58.
        """
        read = ss58.decode(text)
        if read is None or read[0] not in (self.prefix, ss58.GENERIC):
            raise InvalidAddressError(f"The text is not an SS58 address of {self.name}, or its checksum is wrong.")
        return ss58.encode(self.prefix, read[1])

    def open_keystore(self, document: Secret, password: Secret) -> Secret:
        """Decrypt a JSON document of polkadot-js into a private key: 64 bytes of sr25519, or the seed of Ed25519.

        Raises InvalidKeystoreError, KeystorePasswordError, MissingExtraError, and AddressMismatchError where public key
        or address of the document are not those of the key.
        """
        from strongroom.networks.codecs import polkadot_json  # most processes open none

        opened = polkadot_json.open_document(document, password)
        half = self.public_half(opened.private_key, opened.scheme)
        if any(account.hex() != half.public_key for account in opened.accounts):
            raise AddressMismatchError(
                "The document names another public key or address than its key derives.",
                hint="The file is damaged, or was put together from two; take it from its backup.",
            )
        return opened.private_key

    def make_keystore(
        self,
        private_key: Secret,
        password: Secret,
        scheme: str | None = None,
        random_bytes: Callable[[int], bytes] = os.urandom,
    ) -> str:
        """Encrypt a private key as polkadot-js does, scrypt with N=131072, r=8, p=1.

        Raises InvalidPrivateKeyError, KeystorePasswordError, InvalidKeystoreError, MissingExtraError.
        """
        from strongroom.networks.codecs import polkadot_json

        said = scheme or SR25519
        half = self.public_half(private_key, said)
        public = bytes.fromhex(half.public_key)
        secret = Secret(private_key.reveal() + public) if said == ED25519 else sr25519.expanded(private_key)
        if secret is None:
            raise InvalidPrivateKeyError(_NO_KEY)
        return polkadot_json.make_document(secret, public, said, half.address, password, random_bytes)


@cache
def _made(coin_type: int) -> Variants:
    return (
        Variant(variants.DEFAULT, SR25519, "//{index}", SR25519),
        Variant("ed25519", ED25519, f"m/44'/{coin_type}'/0'/0'/{{index}}'", curve.ED25519),
    )


def _below(phrase: Phrase, chain_codes: tuple[bytes, ...]) -> Secret:
    above = phrase.branches.get(SR25519, ())
    if above is None:
        made = sr25519.parent(mini_secret.of(phrase))
        assert made is not None  # noqa: S101 - any 32 bytes are a mini-secret
        above = phrase.branches.keep(SR25519, (), made)
    return sr25519.derive_hard(above, chain_codes)


def _seed(pair: Secret) -> Secret | None:
    """The seed in 64 bytes whose second half is its public key."""
    seed, public = pair.reveal()[:32], pair.reveal()[32:]
    return Secret(seed) if ed25519.public_key(seed) == public else None


FAMILY = Polkadot
