"""Ethereum and the chains that run its virtual machine: one key, one address on all of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from strongroom.crypto.phrase import Phrase
from strongroom.errors import AddressMismatchError, InvalidAddressError, InvalidPrivateKeyError
from strongroom.networks import variants
from strongroom.networks.codecs import key_text
from strongroom.networks.curves import bip32, paths, secp256k1, watch_only
from strongroom.networks.evm import conventions, eip55
from strongroom.networks.evm.chain import EvmChain
from strongroom.networks.evm.kinds import KINDS
from strongroom.networks.variants import Variant
from strongroom.ports.signing import Prepared
from strongroom.records.address_space import AddressSpace
from strongroom.records.conventions import Conventions
from strongroom.records.key_material import KeyMaterial, PublicHalf
from strongroom.records.signing import SigningRequest
from strongroom.records.signing_kinds import SigningKind
from strongroom.records.wallets import Wallet
from strongroom.records.watch_only import WatchedBranch, branch_of
from strongroom.secret import Secret

_ADDRESSES = AddressSpace("evm", "0x[0-9a-fA-F]{40}")
_VARIANTS = (Variant(variants.DEFAULT, "bip44", "m/44'/60'/0'/0/{index}"),)


class Evm(EvmChain):
    """A chain of the EVM family. Keys: secp256k1 at BIP-44 coin type 60; addresses: EIP-55."""

    __slots__ = ()

    @property
    def variants(self) -> tuple[str, ...]:
        return variants.names(_VARIANTS)

    @property
    def imported_variants(self) -> tuple[str, ...]:
        return ()

    @property
    def schemes(self) -> tuple[str, ...]:
        return variants.schemes(_VARIANTS)

    @property
    def address_space(self) -> AddressSpace:
        """``evm``: one key has one address on every chain."""
        return _ADDRESSES

    @property
    def conventions(self) -> Conventions:
        """Where wallets of the EVM family keep the keys of a phrase."""
        return conventions.EVM

    def schemes_of(self, _: str) -> tuple[str, ...]:
        return variants.schemes(_VARIANTS)

    def scheme(self, variant: str | None) -> str:
        """The scheme of a variant: ``bip44``. Raises UnknownVariantError."""
        return variants.find(_VARIANTS, variant).scheme

    def path(self, scheme: str, index: int = 0) -> str | None:
        """The path of an index, which is its last element. Raises UnknownVariantError, InvalidPathError. BIP-44."""
        return variants.path_of(_VARIANTS, scheme, index)

    def derive(self, phrase: Phrase, scheme: str, path: str | None = None) -> KeyMaterial:
        """Derive the key of a phrase at a path. Raises InvalidPathError, UnknownVariantError. BIP-32."""
        default = self.path(scheme) or "m"
        steps = paths.parse(default if path is None else path)
        key = bip32.derive(phrase.seed(), steps, phrase.branches)
        return KeyMaterial(key, scheme, paths.render(steps), phrase.mnemonic, phrase.passphrase)

    def new_material(self, scheme: str, words: int, random_bytes: Callable[[int], bytes] = os.urandom) -> KeyMaterial:
        """Make a phrase of 12, 15, 18, 21 or 24 words and derive its key of index 0. BIP-39.

        Raises InvalidMnemonicError, UnknownVariantError.
        """
        return self.derive(Phrase.generate(words, random_bytes), scheme)

    def parse_private_key(self, text: Secret) -> Secret:
        """Read 64 hexadecimal digits, with or without 0x. Raises InvalidPrivateKeyError."""
        key = key_text.from_hex(text, secp256k1.KEY_BYTES)
        if key is None:
            raise InvalidPrivateKeyError("The private key is not 64 hexadecimal digits.")
        return secp256k1.checked(key)

    def scheme_of_key(self, _: Secret, scheme: str | None) -> str:
        """The scheme asked for, else ``bip44``."""
        return scheme or _VARIANTS[0].scheme

    def format_private_key(self, private_key: Secret, _: str | None = None) -> Secret:
        """Write 0x and 64 hexadecimal digits. Raises InvalidPrivateKeyError."""
        return Secret.from_text("0x" + secp256k1.checked(private_key).reveal().hex())

    def public_half(self, private_key: Secret, scheme: str) -> PublicHalf:
        """Derive compressed point and EIP-55 address. Raises InvalidPrivateKeyError, UnknownVariantError."""
        variants.of_scheme(_VARIANTS, scheme)
        point = secp256k1.public_key(private_key.reveal())
        if point is None:
            raise InvalidPrivateKeyError(secp256k1.OUT_OF_RANGE)
        return PublicHalf(point.hex(), eip55.checksummed(eip55.point_address(point).hex()))

    def watched(self, phrase: Phrase, scheme: str, template: str) -> WatchedBranch:
        """The xpub of a template's branch. Raises InvalidPathError, UnknownVariantError. BIP-32."""
        variants.of_scheme(_VARIANTS, scheme)
        path = branch_of(template)
        xpub = watch_only.public_branch(phrase.seed(), path).serialise(watch_only.MAINNET)
        return WatchedBranch(path, xpub.reveal_text(), None, None)

    def watched_address(self, branch: WatchedBranch, scheme: str, path: str) -> str:
        """The EIP-55 address at a path of a branch, from its xpub. Raises UnknownVariantError."""
        variants.of_scheme(_VARIANTS, scheme)
        point = watch_only.point_below(branch.xpub, branch.path, path)
        return eip55.checksummed(eip55.point_address(point).hex())

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
        from strongroom.networks.codecs import keystore  # most processes open none

        opened = keystore.open_document(document, password)
        half = self.public_half(secp256k1.checked(opened.private_key), _VARIANTS[0].scheme)
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
        from strongroom.networks.codecs import keystore

        address = self.public_half(private_key, _VARIANTS[0].scheme).address[2:].lower()
        return keystore.make_document(private_key, password, address, random_bytes)

    @property
    def signing_kinds(self) -> Mapping[str, SigningKind]:
        """Messages, typed data, transactions, authorizations, raw digests."""
        return KINDS

    def prepare(self, wallet: Wallet, request: SigningRequest) -> Prepared:
        """Check a request and hash it.

        Raises UnsupportedSigningError, MalformedPayloadError, SignatureRefusedError. EIP-191, EIP-712, EIP-155,
        EIP-2930, EIP-1559, EIP-4844, EIP-7702.
        """
        from strongroom.networks.evm import signing  # most processes never sign

        return signing.prepare(self, wallet, request)
