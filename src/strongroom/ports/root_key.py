"""Root keys, as protocols with a written failure contract; the adapters are in ``rootkeys``.

More power is a second, optional protocol: a root key that can be made on the spot, one that costs time to try, one
that can be forgotten.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from strongroom.records.keyring import WrapContext, WrappedKey
from strongroom.secret import Secret


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
    - RootKeyDeniedError: the key is there, and the caller may not use it. Nothing more is tried.
    - RootKeyUnavailableError, which is retryable: no answer in time, or one that says "later". Nothing more is tried.
    - RootKeyMissingError, RootKeyMalformedError, RootKeyInsecureError, RootKeyError: it cannot be used as it is
      configured. Nothing more is tried.

    Messages name what the URI names, and quote no answer of a service. What more one may do is an
    optional protocol each, below.
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

        False spares a call. True promises nothing: anyone who writes to the database can imitate a form.
        """


@runtime_checkable
class CreatableRootKey(Protocol):
    """A root key that can be made where there is none: a file."""

    def create(self) -> bool:
        """Make it, durable, without replacing anything; False if it is already there."""


class SecretSource(Protocol):
    """Where providers get secrets: a root key, a passphrase, the token for a service. They read no environment."""

    def secret(self, name: str) -> Secret | None:
        """The secret of a name, such as that of an environment variable, or None. Asked each time."""


@runtime_checkable
class CheckedRootKey(Protocol):
    """A root key that can tell, without opening a wrap, whether it is the one that made it.

    A check value is stored next to each wrap, in plaintext. It is a hint for the error message and for the order in
    which wraps are tried, never a proof: anyone who writes to the database can change it.
    """

    def check_value(self, wrapped: str) -> str:
        """The value that this root key has next to a wrap; at most 100 characters, not empty. Calls no service.

        It may depend on what the text says of how it was made, such as a salt. Raises RootKeyError.
        """


@runtime_checkable
class CostlyRootKey(Protocol):
    """A root key for which wraps cost something to try: one that is stretched from a passphrase, or a service's."""

    def rank(self, wrap: WrappedKey) -> int:
        """When to try a wrap, the lowest number first; 0 where it costs next to nothing. Computes nothing itself."""


@runtime_checkable
class ForgettableRootKey(Protocol):
    """A root key that is in this process while it is used."""

    def forget(self) -> None:
        """Drop what was read and derived; a later use reads it again."""
