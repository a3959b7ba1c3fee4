"""Networks, as protocols with a written failure contract; the adapters are in ``networks``.

More power is a second, optional protocol: a network whose wallets exchange keystores, one whose wallets sign.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, runtime_checkable

from strongroom.crypto.phrase import Phrase
from strongroom.records.address_space import AddressSpace
from strongroom.records.conventions import Conventions
from strongroom.records.key_material import KeyMaterial, PublicHalf
from strongroom.records.watch_only import WatchedBranch
from strongroom.secret import Secret


class Chain(Protocol):
    """The public facts of a registered chain: what an entry of the table says, before its family is loaded."""

    @property
    def name(self) -> str:
        """The name that is stored with wallets, such as ``ethereum``, and ``evm:4242`` of a chain that had no name."""

    @property
    def caip2(self) -> str:
        """The CAIP-2 chain id, such as ``eip155:1``."""

    @property
    def coin_type(self) -> int:
        """The number that wallets derive with, such as 60: SLIP-44, 1 for testnets that have no other."""

    @property
    def explorer(self) -> str | None:
        """The URL of an address's page, with ``{address}``; None where none is known."""

    @property
    def address_space(self) -> AddressSpace:
        """Which networks share its addresses, and what they look like."""

    @property
    def key_shape(self) -> str:
        """A regular expression of the text forms of private keys that are its own; empty where it has none.

        Bounded in length, without capturing groups; what matches need not be a key. Hexadecimal digits, Wallet Import
        Format, keypairs and phrases are read everywhere, and need no shape.
        """


class Network(Chain, Protocol):
    """A registered chain: how keys are derived, written and shown. Stateless; nothing here touches a network.

    Every verb raises a subclass of InvalidRequestError for input that is not of this network, and nothing else.
    While an error is raised no frame of the implementation holds plaintext in a local variable.
    """

    @property
    def variants(self) -> Sequence[str]:
        """The names of the address variants in which wallets are made; the first is the default."""

    @property
    def imported_variants(self) -> Sequence[str]:
        """The names of variants that keys from elsewhere may have, and in which no wallet is made."""

    @property
    def schemes(self) -> Sequence[str]:
        """The schemes of all variants, those of keys from elsewhere last."""

    @property
    def key_forms(self) -> Sequence[str]:
        """The text forms of private keys that it reads, in plain English; what it writes comes first."""

    def curve(self, scheme: str) -> str:
        """The curve of a scheme's keys, such as ``secp256k1``. Raises UnknownVariantError."""

    @property
    def conventions(self) -> Conventions:
        """Where wallets of this network have kept the keys of a phrase, usual places first."""

    def scheme(self, variant: str | None) -> str:
        """The scheme of a variant of either kind, such as ``bip86`` for ``taproot``. Raises UnknownVariantError."""

    def schemes_of(self, address: str) -> Sequence[str]:
        """The schemes that can make an address, in its canonical form; cheap, and derives nothing."""

    def path(self, scheme: str, index: int = 0) -> str | None:
        """The derivation path of an index, which stands where the network's wallets have it; None: there are no paths.

        Such as ``m/84'/0'/0'/0/1`` and ``m/44'/501'/1'/0'`` for index 1. Raises InvalidPathError for an index outside
        of 0 to 2^31-1, UnknownVariantError.
        """

    def new_material(self, scheme: str, words: int, random_bytes: Callable[[int], bytes] = os.urandom) -> KeyMaterial:
        """Make a key as new wallets of this network begin: with a phrase of so many words, or without one.

        Raises InvalidMnemonicError for a number of words that phrases of this network do not have, UnknownVariantError.
        """

    def derive(self, phrase: Phrase, scheme: str, path: str | None = None) -> KeyMaterial:
        """Derive the key of a phrase at a path (default: that of index 0). Raises InvalidPathError."""

    def parse_private_key(self, text: Secret) -> Secret:
        """Read a private key from a text form of this network into raw bytes. Raises InvalidPrivateKeyError."""

    def scheme_of_key(self, text: Secret, scheme: str | None) -> str:
        """The scheme of a private key's text: what its form says, else ``scheme``, else the default.

        Raises InvalidPrivateKeyError where the form says one that does not go with ``scheme``.
        """

    def format_private_key(self, private_key: Secret, scheme: str | None = None) -> Secret:
        """Write raw bytes in the text form that wallets of this network import."""

    def public_half(self, private_key: Secret, scheme: str) -> PublicHalf:
        """Derive public key and address. Raises InvalidPrivateKeyError for a number outside the curve's range.

        A network whose addresses are made of several keys takes them one after another in ``private_key``, and shows
        them with ``PublicHalf.of``; everything outside of its family passes both on as they are.
        """

    def parse_address(self, text: str) -> str:
        """Return the canonical form of an address of this network. Raises InvalidAddressError."""


@runtime_checkable
class KeystoreNetwork(Protocol):
    """A network whose wallets exchange keys under a password: Web3 Secret Storage, JSON of polkadot-js, ``edesk``.

    Both verbs take at most about a second and 256 MiB; a document that asks for more is refused before anything is
    computed. ``scheme_of_key`` takes a document, too, and says of which scheme it is. Failure contract as for Network.
    """

    def open_keystore(self, document: Secret, password: Secret) -> Secret:
        """Decrypt a document into the raw private key, and compare it with the address that the document names.

        Raises InvalidKeystoreError, KeystorePasswordError, AddressMismatchError, InvalidPrivateKeyError. A document
        that names no address has no proof that its key is intact: compare the derived address.
        """

    def make_keystore(self, private_key: Secret, password: Secret, scheme: str | None = None) -> str:
        """Encrypt a raw private key of a scheme. Raises KeystorePasswordError for a password that is too short."""


@runtime_checkable
class LockedTextNetwork(KeystoreNetwork, Protocol):
    """A network whose keystores are a line of text, and not JSON. ``key_shape`` fits them, as it fits its keys."""

    def is_keystore(self, text: Secret) -> bool:
        """Whether a text is a keystore, as far as its form and its checksum say; no password is tried."""


@runtime_checkable
class WatchOnlyNetwork(Protocol):
    """A network whose addresses follow from a public key, so that others watch an account without its keys. BIP-32.

    Failure contract as for Network.
    """

    def watched(self, phrase: Phrase, scheme: str, template: str) -> WatchedBranch:
        """The public key of a path's branch; ``{index}`` is in the path once, and not hardened.

        Raises InvalidPathError, UnknownVariantError.
        """

    def watched_address(self, branch: WatchedBranch, scheme: str, path: str) -> str:
        """The address at a path of the branch, derived from its public key alone. Raises UnknownVariantError."""


class Networks(Protocol):
    """The registered networks, found by name."""

    def get(self, name: str) -> Network:
        """Return the network of that name; its own name is the one that is stored. Raises UnknownNetworkError.

        ``evm:<chain id>`` is every chain of the EVM that has no name: there are more networks than are listed. Of a
        chain that has one it is an alias, and so is a name that came later than wallets of its chain.
        """

    def __contains__(self, name: object) -> bool:
        """Whether ``get`` knows a name. No family is loaded."""

    @property
    def names(self) -> Sequence[str]:
        """The names that are stored, in the order of the table. No family is loaded."""

    @property
    def chains(self) -> Sequence[Chain]:
        """The facts of every chain, in the order of the table. No family is loaded."""

    def __iter__(self) -> Iterator[Network]:
        """Every network, in the order of the table. Loads every family."""

    def identifier(self, phrase: Phrase) -> str:
        """The identifier of a phrase's master key: HASH160 of its public key on secp256k1, 40 hexadecimal digits.

        The first 8 of them are its fingerprint. Raises InvalidMnemonicError for one seed in 2^127. BIP-32.
        """

    def __hash__(self) -> int:
        """Of what it is, not of what is in it: what follows from a table is computed once."""
