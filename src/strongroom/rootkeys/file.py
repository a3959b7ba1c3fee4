"""``file:PATH``: a root key in a file that only its owner can read."""

from __future__ import annotations

import os
import secrets
from functools import cached_property
from pathlib import Path

from strongroom.errors import RootKeyError
from strongroom.model import WrappedKey
from strongroom.rootkeys import local, owned_file
from strongroom.secret import Secret

_MAX_FILE_BYTES = 4096


class FileRootKey:
    """A root key in a file of mode 0600. The file is read when the key is first needed."""

    def __init__(self, uri: str) -> None:
        self.uri = uri
        self.path = owned_file.path_of(uri.partition(":")[2]).absolute()

    def wrap(self, kid: str, sealing_key: Secret) -> WrappedKey:
        """Wrap a sealing key. Raises RootKeyError where the file cannot be used."""
        return self._key.wrap(kid, sealing_key)

    def unwrap(self, wrap: WrappedKey) -> Secret:
        """Unwrap a sealing key. Raises NotMine, KeyringCorruptError, RootKeyError."""
        return self._key.unwrap(wrap)

    def create(self) -> bool:
        """Make a new root key in the file, durable before this returns; False if the file is already there.

        The text is written and synced under another name first and then linked, so that the file exists whole or
        not at all and never replaces another one.
        """
        directory = self.path.parent
        draft = directory / f".{self.path.name}.{secrets.token_hex(8)}"
        try:
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(local.new_text().reveal() + b"\n")
                    file.flush()
                    os.fsync(file.fileno())
                created = _link(draft, self.path)
            finally:
                draft.unlink(missing_ok=True)
            # Also where another process made the file: it may have died, or not come here yet, and the keyring
            # must not commit before the name of its root key is on disk.
            _sync_directory(directory)
        except OSError as error:
            raise RootKeyError(
                f"The root key file {self.path} cannot be made: {os.strerror(error.errno or 0)}.",
                hint="Check that the directory exists and can be written.",
            ) from error
        return created

    @cached_property
    def _key(self) -> local.LocalRootKey:
        text = owned_file.read(self.path, _MAX_FILE_BYTES, "root key file")
        return local.LocalRootKey(self.uri, local.parse_text(text, f"The file {self.path}"))

    def __repr__(self) -> str:
        return f"<FileRootKey {self.path}>"


def _link(draft: Path, path: Path) -> bool:
    try:
        os.link(draft, path)
    except FileExistsError:
        return False
    return True


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
