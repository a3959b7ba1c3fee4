"""The seams, as protocols. Each has few verbs and a written failure contract; adapters stand outside.

More power is a second, optional protocol: a network that signs will also be a ``Signer``, a root key that can
be made on the spot is also a ``CreatableRootKey``; rootkey_powers.py has more of them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol, runtime_checkable

from strongroom.address_space import AddressSpace
from strongroom.conventions import Conventions
from strongroom.model import (
    KeyMaterial,
    PublicHalf,
    Wallet,
    WrapContext,
    WrappedKey,
)
from strongroom.phrase import Phrase
from strongroom.secret import Secret
from strongroom.signing import Prepared, SigningRequest
from strongroom.signing_kinds import SigningKind


class Clock(Protocol):
    """Time is an input."""

    def __call__(self) -> datetime:
        """The time now, in UTC, with its time zone."""


class Network(Protocol):
    """A registered chain: how keys are derived, written and shown. Stateless; nothing here touches a network.

    Every verb raises a subclass of InvalidRequestError for input that is not of this network, and nothing else.
    While an error is raised no frame of the implementation holds plaintext in a local variable.
    """

    @property
    def name(self) -> str:
        """The registered name, such as ``ethereum``."""

    @property
    def caip2(self) -> str:
        """The CAIP-2 chain id, such as ``eip155:1``."""

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
    def address_space(self) -> AddressSpace:
        """Which networks share its addresses, and what they look like."""

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
    """A network whose wallets exchange keys as JSON under a password: Web3 Secret Storage, version 3.

    Both verbs take about a second and 256 MiB; a document that asks for more is refused before anything is
    computed. Failure contract as for Network.
    """

    def open_keystore(self, document: Secret, password: Secret) -> Secret:
        """Decrypt a document into the raw private key, and compare it with the address that the document names.

        Raises InvalidKeystoreError, KeystorePasswordError, AddressMismatchError, InvalidPrivateKeyError. A document
        that names no address has no proof that its key is intact: compare the derived address.
        """

    def make_keystore(self, private_key: Secret, password: Secret) -> str:
        """Encrypt a raw private key. Raises KeystorePasswordError for a password that is too short."""


@runtime_checkable
class SigningNetwork(Protocol):
    """A network whose wallets sign. Failure contract as for Network, and nothing touches the chain."""

    @property
    def signing_kinds(self) -> Mapping[str, SigningKind]:
        """What its wallets sign, by name, and with which options: data, from which ``Vault.sign``, the command line
        and the documentation follow."""

    def prepare(self, wallet: Wallet, request: SigningRequest) -> Prepared:
        """Read, check and hash a request, for a wallet of this network; opens no key.

        The kind of the request is among ``signing_kinds``, and its options are those that the kind declares for the
        network: every one of them, of its type, at its default where the caller said nothing. Raises a subclass of
        SigningError for what cannot or must not be signed: UnsupportedSigningError for a wallet or a form that the
        network does not sign with, MalformedPayloadError for what cannot be read, SignatureRefusedError for what must
        not be signed as it stands (another chain, another wallet's address, a fee above the limit).
        """


class Networks(Protocol):
    """The table of networks."""

    def get(self, name: str) -> Network:
        """Return the network of that name. Raises UnknownNetworkError."""

    def __iter__(self) -> Iterator[Network]:
        """Every network, in the order of the table."""

    def __hash__(self) -> int:
        """Of what it is, not of what is in it: what follows from a table is computed once."""


class NotMine(Exception):
    """This wrap does not open with this root key: another one made it, or it was changed. Try the next one."""


class RootKey(Protocol):
    """Wraps and unwraps sealing keys: one in this process, or one that a service keeps.

    The URI is the configuration and never a secret; tokens and passphrases are asked for by name, of a SecretSource.
    The verbs are called while no transaction of ours is open, and no connection of ours is lent. They may take as long
    as the ``timeout_seconds`` that the provider was opened with, every try and every wait included, and not longer.
    docs/adr/0032 has the reasons.

    Failure contract of ``wrap`` and ``unwrap``, which raise nothing else:

    - NotMine, of ``unwrap`` only: the text does not open. The next wrap is tried. A service that answers in the same
      way for an unknown key, another context and damage is understood so.
    - KeyringCorruptError, of ``unwrap`` only: the wrap is certainly this root key's, and damaged. The next is tried.
    - RootKeyDeniedError: the key is there, and whoever asks may not use it. Nothing more is tried.
    - RootKeyUnavailableError, which is retryable: no answer in time, or one that says "later". Nothing more is tried.
    - RootKeyMissingError, RootKeyMalformedError, RootKeyInsecureError, RootKeyError: it cannot be used as it is
      configured. Nothing more is tried.

    Messages name what the URI names, and quote no answer of a service. More power is an optional protocol in
    rootkey_powers.py.
    """

    @property
    def uri(self) -> str:
        """The URI that this root key was opened from, as it is stored next to each wrap."""

    def wrap(self, sealing_key: Secret, context: WrapContext) -> str:
        """Wrap a sealing key, bound to its context, into printable ASCII that says what made it."""

    def unwrap(self, wrapped: str, context: WrapContext) -> Secret:
        """Unwrap what ``wrap`` made; in another context it is NotMine or a KeyringCorruptError."""

    def recognises(self, wrap: WrappedKey) -> bool:
        """Whether this root key may have made a wrap, as far as its form says; calls nobody, and computes nothing dear.

        False spares a call. True promises nothing: whoever writes to the database can imitate a form.
        """


@runtime_checkable
class CreatableRootKey(Protocol):
    """A root key that can be made where there is none: a file."""

    def create(self) -> bool:
        """Make it, durable, without replacing anything; False if it is already there."""


class SecretSource(Protocol):
    """Where providers get secrets: a root key, a passphrase, the token for a service. They read no environment."""

    def secret(self, name: str) -> Secret | None:
        """The secret of a name, such as that of an environment variable; None where there is none. Asked each time."""
