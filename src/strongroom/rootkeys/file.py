"""``file:PATH``: a root key in a file that only its owner can read."""

from __future__ import annotations

import os
from functools import cached_property

from strongroom.errors import RootKeyError
from strongroom.host.files import write_private
from strongroom.records.keyring import WrapContext, WrappedKey
from strongroom.rootkeys import local, owned_file
from strongroom.secret import Secret

_MAX_FILE_BYTES = 4096


class FileRootKey:
    """A root key in a file of mode 0600. The file is read when the key is first needed."""

    def __init__(self, uri: str) -> None:
        self.uri = uri
        self.path = owned_file.path_of(uri.partition(":")[2]).absolute()

    def wrap(self, sealing_key: Secret, context: WrapContext) -> str:
        """Wrap a sealing key. Raises RootKeyError where the file cannot be used."""
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

    def create(self) -> bool:
        """Make a new root key in the file, durable before this returns; False if the file is already there.

        Raises RootKeyError.
        """
        # Also where another process made the file its name is synced: the keyring must not commit before that.
        try:
            return write_private(self.path, [local.new_text().reveal() + b"\n"])
        except OSError as error:
            raise RootKeyError(
                f"The root key file {self.path} cannot be made: {os.strerror(error.errno or 0)}.",
                hint="Check that the directory exists and can be written.",
            ) from error

    def forget(self) -> None:
        """Drop the key; a later use reads it again."""
        self.__dict__.pop("_key", None)

    @cached_property
    def _key(self) -> local.LocalRootKey:
        text = owned_file.read(self.path, _MAX_FILE_BYTES, "root key file")
        return local.LocalRootKey(self.uri, local.parse_text(text, f"The file {self.path}"))

    def __repr__(self) -> str:
        return f"<FileRootKey {self.path}>"
