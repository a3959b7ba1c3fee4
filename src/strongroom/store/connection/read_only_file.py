"""SQLite's file, opened so that nothing is written: neither the file nor others next to it."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

_opened: dict[tuple[int, int], int] = {}
"""Never closed: with any descriptor of a file the process gives up all its locks on it, those of an open vault, too."""


class ReadOnlyFile(sqlite3.Connection):
    """A connection that cannot write its file. Text that is not UTF-8 comes through, as surrogates.

    SQLite reads a file with a write-ahead log only with files that it makes, and leaves them there when it may not
    write. Where no log is there nobody has the file open: it is read as it stands, without locks, and
    ``was_changed`` says afterwards whether that was so all the time.
    """

    _path: Path
    _at_rest: tuple[int, ...] | None = None

    @classmethod
    def open(cls, path: Path, busy_timeout_seconds: int) -> ReadOnlyFile:
        """Open a file that exists. Raises sqlite3.Error."""
        at_rest = _at_rest(path)
        connection = sqlite3.connect(
            f"{path.as_uri()}?mode=ro{'' if at_rest is None else '&immutable=1'}",
            uri=True,
            timeout=busy_timeout_seconds,
            isolation_level=None,
            check_same_thread=False,
            factory=cls,
        )
        connection._path, connection._at_rest = path, at_rest
        connection.text_factory = any_text
        return connection

    def was_changed(self) -> bool:
        """Whether somebody opened or wrote the file while it was read without locks: then it is not what was there."""
        return self._at_rest is not None and self._at_rest != _at_rest(self._path)


def any_text(data: bytes) -> str:
    """Text of whatever bytes SQLite keeps as text: it checks none."""
    return data.decode("utf-8", "surrogateescape")


def is_not_utf8(error: Exception) -> bool:
    """Whether a text that was read or given is not UTF-8. A driver's message may quote the text."""
    return isinstance(error, UnicodeEncodeError) or str(error).startswith("Could not decode to UTF-8")


def _at_rest(path: Path) -> tuple[int, ...] | None:
    """What tells one state of a file from another, where it keeps a write-ahead log and nobody has it open."""
    try:
        found = path.stat()
        if any(path.with_name(path.name + end).exists() for end in ("-wal", "-journal")):
            return None
        if not _keeps_a_log(path, (found.st_dev, found.st_ino)):
            return None
    except OSError:  # SQLite will say what is wrong with it
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _keeps_a_log(path: Path, file: tuple[int, int]) -> bool:
    """Whether the header says so; SQLite itself does not tell before it has made the log."""
    if file not in _opened:
        _opened[file] = os.open(path, os.O_RDONLY)
    return os.pread(_opened[file], 2, 18) == b"\2\2"
