"""Ethereum and the chains that run its virtual machine: one key, one address on all of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from strongroom.crypto.phrase import Phrase
from strongroom.errors import AddressMismatchError, InvalidAddressError
from strongroom.networks import variants
from strongroom.networks.curves import secp256k1, watch_only
from strongroom.networks.evm import conventions, eip55
from strongroom.networks.evm.chain import EvmChain
from strongroom.networks.evm.kinds import KINDS
from strongroom.networks.hd_network import HdNetwork
from strongroom.networks.variants import Variant, Variants
from strongroom.ports.signing import Prepared
from strongroom.records.conventions import Conventions
from strongroom.records.key_material import PublicHalf
from strongroom.records.signing import SigningRequest
from strongroom.records.signing_kinds import SigningKind
from strongroom.records.wallets import Wallet
from strongroom.records.watch_only import WatchedBranch, branch_of
from strongroom.secret import Secret

_VARIANTS = (Variant(variants.DEFAULT, "bip44", "m/44'/60'/0'/0/{index}"),)


class Evm(HdNetwork, EvmChain):
    """A chain of the EVM family. Keys: secp256k1 at BIP-44 coin type 60; addresses: EIP-55."""

    __slots__ = ()

    @property
    def _made(self) -> Variants:
        return _VARIANTS

    @property
    def key_forms(self) -> tuple[str, ...]:
        """Hexadecimal digits, and JSON keystores."""
        return ("0x and 64 hexadecimal digits", "64 hexadecimal digits", "keystore (Web3 Secret Storage, version 3)")

    @property
    def conventions(self) -> Conventions:
        """Where wallets of the EVM family keep the keys of a phrase."""
        return conventions.ROOTSTOCK if self.own_checksum else conventions.EVM

    def format_private_key(self, private_key: Secret, _: str | None = None) -> Secret:
        """Write 0x and 64 hexadecimal digits. Raises InvalidPrivateKeyError."""
        return Secret.from_text("0x" + secp256k1.checked(private_key).reveal().hex())

    def public_half(self, private_key: Secret, scheme: str) -> PublicHalf:
        """Derive compressed point and address with its checksum. Raises InvalidPrivateKeyError, UnknownVariantError."""
        point = self._public_key(private_key, scheme)
        return PublicHalf(point.hex(), self._address_of(point))

    def watched(self, phrase: Phrase, scheme: str, template: str) -> WatchedBranch:
        """The xpub of a template's branch. Raises InvalidPathError, UnknownVariantError. BIP-32."""
        variants.of_scheme(_VARIANTS, scheme)
        path = branch_of(template)
        xpub = watch_only.public_branch(phrase.seed(), path).serialise(watch_only.MAINNET)
        return WatchedBranch(path, xpub.reveal_text(), None, None)

    def watched_address(self, branch: WatchedBranch, scheme: str, path: str) -> str:
        """The address at a path of a branch, from its xpub. Raises UnknownVariantError."""
        variants.of_scheme(_VARIANTS, scheme)
        point = watch_only.point_below(branch.xpub, branch.path, path)
        return self._address_of(point)

    def _address_of(self, point: bytes) -> str:
        return eip55.checksummed(eip55.point_address(point).hex(), self.checksum_id)

    def parse_address(self, text: str) -> str:
        """Read an address and return it with its checksum: of EIP-55, on Rootstock of EIP-1191.

        All lower-case and all upper-case digits carry no checksum; mixed ones must be right. Rootstock reads EIP-55,
        too. Raises InvalidAddressError.
        """
        if not eip55.is_address(text):
            raise InvalidAddressError("The address is not 0x and 40 hexadecimal digits.")
        canonical = eip55.canonical(text, self.checksum_id)
        if canonical is None:
            standard = "EIP-1191" if self.own_checksum else "EIP-55"
            raise InvalidAddressError(f"The {standard} checksum of the address is wrong: a letter's case differs.")
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
        self,
        private_key: Secret,
        password: Secret,
        _: str | None = None,
        random_bytes: Callable[[int], bytes] = os.urandom,
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


FAMILY = Evm
