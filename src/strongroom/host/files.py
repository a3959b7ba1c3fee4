"""Private files: written whole or not at all; and read only where nobody else can change them."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

_PIECE_BYTES = 1 << 20
_MOST_LINKS = 40
_MOUNTED = 0o440
"""The mode of a secret that Kubernetes mounts for a group (``fsGroup``): root's, and nobody writes it."""
_DIRECTORY = os.O_DIRECTORY | os.O_CLOEXEC | getattr(os, "O_PATH", os.O_RDONLY) if hasattr(os, "O_DIRECTORY") else 0


class NotTrustedError(Exception):
    """A file, or the directory that it is in, that somebody else could change; callers make an error of theirs of it.

    ``reason`` goes on after the file's name; ``cure`` is a hint.
    """

    def __init__(self, reason: str, cure: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.cure = cure


def open_nonblocking(path: str, flags: int) -> int:
    """An ``opener`` for ``open``: a FIFO that nobody writes to would hold us indefinitely."""
    return os.open(path, flags | os.O_NONBLOCK)


def read_at_most(file: BinaryIO, most_bytes: int) -> bytes:
    """The beginning of a file. ``file.read(most_bytes)`` would take as much memory at once, however short the file."""
    pieces = []
    while most_bytes > 0 and (piece := file.read(min(most_bytes, _PIECE_BYTES))):
        pieces.append(piece)
        most_bytes -= len(piece)
    return b"".join(pieces)


def write_private(path: Path, pieces: Iterable[bytes], *, replace: bool = False) -> bool:
    """Write a file of mode 0600, whole or not at all, durable before this returns; False if the path is taken.

    The bytes are written and synced under another name in the same directory first. Then that file is linked, so that
    it never takes the place of another one, or renamed if ``replace``: then it does, and the answer is True. A symbolic
    link at ``path`` is not followed. Its directory is synced also where the path is taken: who wrote the file may have
    died before. Raises OSError, and what ``pieces`` raises: the path is as it was then, unless syncing the directory
    failed.
    """
    draft = path.parent / f".{path.name}.{secrets.token_hex(8)}"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.writelines(pieces)
            file.flush()
            os.fsync(file.fileno())
        written = _rename(draft, path) if replace else _link(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
    return written


def _link(draft: Path, path: Path) -> bool:
    try:
        os.link(draft, path)
    except FileExistsError:
        return False
    return True


def _rename(draft: Path, path: Path) -> bool:
    os.replace(draft, path)
    return True


def effective_user() -> int | None:
    """Who this process is to the file system; None where users have no numbers."""
    return os.geteuid() if hasattr(os, "geteuid") else None


def require_trusted(
    found: os.stat_result, path: Path, *, private: bool, caller: int | None, groups: Collection[int] = ()
) -> None:
    """Judge a file: it must belong to the caller or to root, and nobody else may write it, nor read it if ``private``.

    ``found`` should be of the opened descriptor. ``caller`` is a user's number, None judges no owner. One of ``groups``
    may read a file of root's that nobody may write: so a container gets its secrets. Raises NotTrustedError.
    """
    _require_owner(found, caller, "", f"Run as its owner, or: chown {caller} {path}")
    mode = stat.S_IMODE(found.st_mode)
    is_mounted = mode == _MOUNTED and found.st_uid == 0 and found.st_gid in groups
    if private and mode & 0o077 and not is_mounted:
        raise NotTrustedError("can be read by others", f"Run: chmod 600 {path}")
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise NotTrustedError("can be written by others", f"Run: chmod 600 {path}")


def open_trusted(path: Path, *, private: bool) -> BinaryIO:
    """Open a file for reading whose content is taken at its word: settings, a root key, a passphrase.

    What is judged is what was opened, through its descriptor: the file itself, every symbolic link that led to it, and
    the directories that they are in (see ``located``). Waits for no FIFO. Raises NotTrustedError, OSError.
    """
    caller = effective_user()
    with located(path, caller) as (directory, name):
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(name, flags, dir_fd=directory)
    try:
        found = os.fstat(descriptor)
        if stat.S_ISCHR(found.st_mode):  # such as /dev/null: everybody may write there, and nobody reads it
            _require_owner(found, caller, "", "Name another file.")
        else:
            own = {os.getegid(), *os.getgroups()} if private else ()
            require_trusted(found, path, private=private and stat.S_ISREG(found.st_mode), caller=caller, groups=own)
        return open(descriptor, "rb")
    except BaseException:
        with suppress(OSError):
            os.close(descriptor)
        raise


@contextmanager
def located(path: Path, caller: int | None, *, shared: bool = True) -> Iterator[tuple[int, str]]:
    """Follow a path to its file: the descriptor of the directory that the file is in, and its name there.

    In each directory that a name of the path, or of a symbolic link at its end, is looked up in nobody else may be able
    to put another file in the file's place: it belongs to the caller or to root, and is not writable for everybody,
    unless it is sticky and ``shared``. Links belong to the caller or to root. Raises NotTrustedError, OSError.
    """
    place, directory = os.fspath(path), None
    try:
        for _ in range(_MOST_LINKS):
            folder, name = os.path.split(place)
            inner = os.open(folder or ".", _DIRECTORY, dir_fd=directory)
            if directory is not None:
                os.close(directory)
            directory = inner
            # First: a file that is not there is no danger, whatever the directory.
            found = os.stat(name or ".", dir_fd=directory, follow_symlinks=False)
            _judge_directory(os.fstat(directory), caller, path.parent, shared=shared)
            if not stat.S_ISLNK(found.st_mode):
                yield directory, name or "."
                return
            _require_owner(found, caller, "is a link that ", "Name the file itself.")
            place = os.readlink(name, dir_fd=directory)
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    finally:
        if directory is not None:
            os.close(directory)


def _judge_directory(found: os.stat_result, caller: int | None, directory: Path, *, shared: bool) -> None:
    _require_owner(found, caller, "is in a directory that ", "Move it into a directory of your own.")
    if found.st_mode & stat.S_IWOTH and not (shared and found.st_mode & stat.S_ISVTX):
        raise NotTrustedError(
            "is in a directory where everybody may put files",
            f"Move it into a directory of your own, or run: chmod o-w {directory}",
        )


def _require_owner(found: os.stat_result, caller: int | None, what: str, cure: str) -> None:
    if caller is not None and found.st_uid not in (caller, 0):
        raise NotTrustedError(f"{what}belongs to another user", cure)
