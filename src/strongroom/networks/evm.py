"""Ethereum and the chains that run its virtual machine: one key, one address on all of them."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

from strongroom.errors import AddressMismatchError, InvalidAddressError, InvalidPrivateKeyError
from strongroom.model import KeyMaterial, PublicHalf, Wallet
from strongroom.networks import bip32, eip55, key_text, keystore, paths, secp256k1, variants
from strongroom.networks.variants import Variant
from strongroom.phrase import Phrase
from strongroom.secret import Secret
from strongroom.signing import Prepared, ToSign

_VARIANTS = (Variant(variants.DEFAULT, "bip44", "m/44'/60'/0'/0/0"),)


@dataclass(frozen=True, slots=True)
class Evm:
    """A chain of the EVM family. Keys: secp256k1 at BIP-44 coin type 60; addresses: EIP-55."""

    name: str
    chain_id: int
    """The chain id of EIP-155, which a signature commits to."""

    @property
    def caip2(self) -> str:
        """``eip155:`` and the chain id. CAIP-2."""
        return f"eip155:{self.chain_id}"

    @property
    def variants(self) -> tuple[str, ...]:
        """There is one."""
        return variants.names(_VARIANTS)

    def scheme(self, variant: str | None) -> str:
        """The scheme of a variant: ``bip44``. Raises UnknownVariantError."""
        return variants.find(_VARIANTS, variant).scheme

    def default_path(self, scheme: str) -> str:
        """The path of index 0. Raises UnknownVariantError. BIP-44."""
        return variants.of_scheme(_VARIANTS, scheme).path

    def derive(self, phrase: Phrase, scheme: str, path: str | None = None) -> KeyMaterial:
        """Derive the key of a phrase at a path. Raises InvalidPathError, UnknownVariantError. BIP-32."""
        default = self.default_path(scheme)
        steps = paths.parse(default if path is None else path)
        key = bip32.derive(phrase.seed(), steps)
        return KeyMaterial(key, scheme, paths.render(steps), phrase.mnemonic, phrase.passphrase)

    def parse_private_key(self, text: Secret) -> Secret:
        """Read 64 hexadecimal digits, with or without 0x. Raises InvalidPrivateKeyError."""
        key = key_text.from_hex(text, secp256k1.KEY_BYTES)
        if key is None:
            raise InvalidPrivateKeyError("The private key is not 64 hexadecimal digits.")
        return key_text.checked(key)

    def format_private_key(self, private_key: Secret) -> Secret:
        """Write 0x and 64 hexadecimal digits. Raises InvalidPrivateKeyError."""
        return Secret.from_text("0x" + key_text.checked(private_key).reveal().hex())

    def public_half(self, private_key: Secret, scheme: str) -> PublicHalf:
        """Derive compressed point and EIP-55 address. Raises InvalidPrivateKeyError, UnknownVariantError."""
        variants.of_scheme(_VARIANTS, scheme)
        point = secp256k1.public_key(private_key.reveal())
        if point is None:
            raise InvalidPrivateKeyError(key_text.OUT_OF_RANGE)
        return PublicHalf(point.hex(), eip55.checksummed(eip55.point_address(point).hex()))

    def parse_address(self, text: str) -> str:
        """Read an address and return it with its EIP-55 checksum.

        All lower-case and all upper-case digits carry no checksum; mixed ones must be right. Raises
        InvalidAddressError. EIP-55.
        """
        if not eip55.is_address(text):
            raise InvalidAddressError("The address is not 0x and 40 hexadecimal digits.")
        canonical = eip55.canonical(text)
        if canonical is None:
            raise InvalidAddressError("The EIP-55 checksum of the address is wrong: a letter's case differs.")
        return canonical

    def open_keystore(self, document: Secret, password: Secret) -> Secret:
        """Decrypt a keystore into a private key of 32 bytes. Web3 Secret Storage, version 3.

        Raises InvalidKeystoreError, KeystorePasswordError, InvalidPrivateKeyError, and AddressMismatchError where
        the document names another address than its key derives.
        """
        opened = keystore.open_document(document, password)
        half = self.public_half(key_text.checked(opened.private_key), _VARIANTS[0].scheme)
        if opened.address is not None and opened.address != half.address[2:].lower():
            raise AddressMismatchError(
                "The keystore names another address than its key derives.",
                hint="The file is damaged, or was put together from two; take it from its backup.",
            )
        return opened.private_key

    def make_keystore(
        self, private_key: Secret, password: Secret, random_bytes: Callable[[int], bytes] = os.urandom
    ) -> str:
        """Encrypt a private key into a keystore, scrypt with n=262144, r=8, p=1. Web3 Secret Storage, version 3.

        Raises InvalidPrivateKeyError, KeystorePasswordError, InvalidKeystoreError.
        """
        address = self.public_half(private_key, _VARIANTS[0].scheme).address[2:].lower()
        return keystore.make_document(private_key, password, address, random_bytes)

    def prepare(self, wallet: Wallet, request: ToSign) -> Prepared:
        """Check a request and hash it: message, typed data, transaction, authorization, bare hash.

        Raises UnsupportedSigningError, MalformedPayloadError, SignatureRefusedError. EIP-191, EIP-712, EIP-155,
        EIP-2930, EIP-1559, EIP-4844, EIP-7702.
        """
        from strongroom.networks import evm_signing  # only who signs pays for loading it

        return evm_signing.prepare(self.name, self.chain_id, wallet, request)
