"""``env:NAME``: a root key in an environment variable, put there by whatever keeps the deployment's secrets."""

from __future__ import annotations

from functools import cached_property

from strongroom.errors import RootKeyMissingError
from strongroom.ports.root_key import SecretSource
from strongroom.records.keyring import WrapContext, WrappedKey
from strongroom.rootkeys import local
from strongroom.secret import Secret


class EnvironmentRootKey:
    """A root key in its text form in an environment variable. Asked for when the key is first needed."""

    def __init__(self, uri: str, secrets: SecretSource) -> None:
        self.uri = uri
        self._secrets = secrets
        self.name = uri.partition(":")[2]

    def wrap(self, sealing_key: Secret, context: WrapContext) -> str:
        """Wrap a sealing key. Raises RootKeyError where the variable cannot be used."""
        return self._key.wrap(sealing_key, context)

    def unwrap(self, wrapped: str, context: WrapContext) -> Secret:
        """Unwrap a sealing key. Raises NotMine, KeyringCorruptError, RootKeyError."""
        return self._key.unwrap(wrapped, context)

    def recognises(self, wrap: WrappedKey) -> bool:
        """Whether a wrap is of the kind that keys of 32 random bytes make; reads nothing."""
        return local.recognises(wrap)

    def check_value(self, wrapped: str) -> str:  # noqa: ARG002 - the same next to every wrap
        """Tell this key from others without it."""
        return self._key.check_value()

    def forget(self) -> None:
        """Drop the key; a later use reads it again."""
        self.__dict__.pop("_key", None)

    @cached_property
    def _key(self) -> local.LocalRootKey:
        secret = self._secrets.secret(self.name)
        if secret is None or not secret.reveal():
            raise RootKeyMissingError(
                f"The environment variable {self.name} is not set.",
                hint="Set it to the text of the root key; `strongroom root-key new FILE` makes one.",
            )
        return local.LocalRootKey(self.uri, local.parse_text(secret, f"The variable {self.name}"))

    def __repr__(self) -> str:
        return f"<EnvironmentRootKey {self.name}>"
