"""``env:NAME``: a root key in an environment variable, put there by whatever keeps the deployment's secrets."""

from __future__ import annotations

from functools import cached_property

from strongroom import secret_variables
from strongroom.errors import RootKeyMissingError
from strongroom.model import WrappedKey
from strongroom.rootkeys import local
from strongroom.secret import Secret


class EnvironmentRootKey:
    """A root key in its text form in an environment variable. Read when the key is first needed."""

    def __init__(self, uri: str) -> None:
        self.uri = uri
        self.name = uri.partition(":")[2]

    def wrap(self, kid: str, sealing_key: Secret) -> WrappedKey:
        """Wrap a sealing key. Raises RootKeyError where the variable cannot be used."""
        return self._key.wrap(kid, sealing_key)

    def unwrap(self, wrap: WrappedKey) -> Secret:
        """Unwrap a sealing key. Raises NotMine, KeyringCorruptError, RootKeyError."""
        return self._key.unwrap(wrap)

    def forget(self) -> None:
        """Drop the key; a later use reads it again."""
        self.__dict__.pop("_key", None)

    @cached_property
    def _key(self) -> local.LocalRootKey:
        secret = secret_variables.read(self.name)
        if secret is None or not secret.reveal():
            raise RootKeyMissingError(
                f"The environment variable {self.name} is not set.",
                hint="Set it to the text of the root key; `strongroom root-key new FILE` makes one.",
            )
        return local.LocalRootKey(self.uri, local.parse_text(secret, f"The variable {self.name}"))

    def __repr__(self) -> str:
        return f"<EnvironmentRootKey {self.name}>"
