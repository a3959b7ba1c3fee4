"""``file:PATH``: a root key in a file that only its owner can read."""

from __future__ import annotations

import os
import secrets
import stat
from functools import cached_property
from pathlib import Path

from strongroom.errors import RootKeyError, RootKeyInsecureError, RootKeyMissingError
from strongroom.model import WrappedKey
from strongroom.rootkeys import local
from strongroom.secret import Secret

_MAX_FILE_BYTES = 4096


class FileRootKey:
    """A root key in a file of mode 0600. The file is read when the key is first needed."""

    def __init__(self, uri: str) -> None:
        self.uri = uri
        rest = uri.partition(":")[2]
        self.path = Path(rest[2:] if rest.startswith("///") else rest)

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
        return local.LocalRootKey(self.uri, local.parse_text(self._read(), f"The file {self.path}"))

    def _read(self) -> Secret:
        try:
            with open(self.path, "rb") as file:
                mode = os.fstat(file.fileno()).st_mode
                if not stat.S_ISREG(mode):
                    raise RootKeyMissingError(f"{self.path} is not a file.")
                if stat.S_IMODE(mode) & 0o077:
                    raise RootKeyInsecureError(f"The root key file {self.path} can be read by others.")
                return Secret(file.read(_MAX_FILE_BYTES))
        except FileNotFoundError:
            raise RootKeyMissingError(f"The root key file {self.path} does not exist.") from None
        except OSError as error:
            raise RootKeyMissingError(
                f"The root key file {self.path} cannot be read: {os.strerror(error.errno or 0)}."
            ) from error

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
