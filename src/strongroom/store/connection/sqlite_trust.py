"""Whether a SQLite file may be opened: nobody else can read it, change it, or put a journal next to it."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

from strongroom.errors import InsecureFileError, NotInitializedError, StoreUnavailableError
from strongroom.host import files

JOURNAL_SUFFIXES = ("-wal", "-shm", "-journal")
"""What SQLite keeps next to a file, and believes."""

FileIdentity = tuple[int, int]
"""Device and inode of a file."""


def require_trusted_database(path: Path) -> FileIdentity:
    """Judge the file, what is next to it, and the directories that lead to it; say which file it is.

    Opens none of them: with any descriptor of a file a process gives up all its locks on it. Raises
    NotInitializedError where there is no file, InsecureFileError.
    """
    caller = files.effective_user()
    try:
        # Not in a shared directory such as /tmp: sticky or not, everybody could put a journal next to the file there
        with files.located(path, caller, shared=False) as (directory, name):
            found = os.stat(name, dir_fd=directory, follow_symlinks=False)
            _judge(found, path, caller)
            for end in JOURNAL_SUFFIXES:
                with suppress(FileNotFoundError):
                    journal = os.stat(name + end, dir_fd=directory, follow_symlinks=False)
                    _judge(journal, path.with_name(path.name + end), caller)
    except FileNotFoundError:
        raise NotInitializedError(f"There is no database {path}.") from None
    except OSError as error:
        raise InsecureFileError(
            f"The database {path} cannot be looked at: {os.strerror(error.errno or 0)}.",
            hint="Check the directories above it.",
        ) from error
    except files.NotTrustedError as error:
        raise InsecureFileError(f"The database {path} {error.reason}.", hint=error.cure) from None
    return found.st_dev, found.st_ino


def require_same(path: Path, before: FileIdentity) -> None:
    """Judge again, once the file is open: it is the one that was judged before. Raises StoreUnavailableError too."""
    if require_trusted_database(path) != before:
        raise StoreUnavailableError("The database file was moved or replaced while it was opened.")


def _judge(found: os.stat_result, path: Path, caller: int | None) -> None:
    if stat.S_ISLNK(found.st_mode):  # a journal is never one; SQLite would follow it
        raise InsecureFileError(f"{path} is a link.", hint="Look who made it; SQLite keeps its own files there.")
    try:
        files.require_trusted(found, path, private=True, caller=caller)
    except files.NotTrustedError as error:
        raise InsecureFileError(f"The database file {path} {error.reason}.", hint=error.cure) from None
