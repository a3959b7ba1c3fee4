"""A small disk of one's own, without being root: a tmpfs in namespaces of a process, which others enter.

``python -I -S small_disk.py hold DIRECTORY BYTES`` mounts it and waits for the end of its standard input;
``python -I -S small_disk.py enter PID PROGRAM [ARGUMENT...]`` runs a program that sees it. Where the machine forbids
namespaces the first one says so.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Self

_NEW_MOUNTS, _NEW_USER = 0x20000, 0x10000000
_MS_RDONLY, _MS_REMOUNT, _MS_BIND, _MNT_DETACH = 1, 32, 4096, 2
_BALLAST = "ballast"
_READY = b"ready\n"
_LAUNCHER = Path(__file__).with_name("launch.py")
_PIECE_BYTES = 4096


class NamespacesForbiddenError(Exception):
    """This machine does not let this process have namespaces of its own."""


class SmallDisk:
    """A file system of some megabytes on a directory, seen by those programs only that are run with ``prefix``."""

    def __init__(self, holder: subprocess.Popen[bytes], directory: Path) -> None:
        self._holder = holder
        self.path = Path(f"/proc/{holder.pid}/root{directory}")
        """The same directory, for those outside."""
        self.prefix: Sequence[str | Path] = (sys.executable, "-I", "-S", __file__, "enter", str(holder.pid))

    @classmethod
    def mount(cls, directory: Path, size_bytes: int, user: str | None = None) -> Self:
        """Mount one on an empty directory, as a user. Raises NamespacesForbiddenError."""
        program: list[str | Path] = [sys.executable, "-I", "-S"]
        hold: list[str | Path] = [__file__, "hold", directory, str(size_bytes)]
        holder = subprocess.Popen(
            [*program, _LAUNCHER, user or "", str(int(signal.SIGKILL)), *program, *hold],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert holder.stdout is not None
        first = holder.stdout.readline()
        if first != _READY:
            rest, _ = holder.communicate()
            raise NamespacesForbiddenError((first + rest).decode(errors="replace"))
        return cls(holder, directory)

    def fill(self) -> None:
        """Leave no space."""
        fill(self.path)

    def free(self) -> None:
        """Give the space back."""
        free(self.path)

    def close(self) -> None:
        """End the process that holds it: it is gone when the last program in it is."""
        self._holder.communicate()


def fill(directory: Path, leave_bytes: int = 0) -> None:
    """Write a file that takes all space, or all but a little."""
    ballast = directory / _BALLAST
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\1" * _PIECE_BYTES)
        except OSError:
            pass
        size = os.fstat(file.fileno()).st_size
        file.truncate(max(0, size - leave_bytes))


def free(directory: Path) -> None:
    """Remove the file that takes the space."""
    (directory / _BALLAST).unlink(missing_ok=True)


def mount_here(directory: Path, size_bytes: int) -> None:
    """Give this process, which has one thread, namespaces of its own, and mount. Raises NamespacesForbiddenError."""
    user, group = os.geteuid(), os.getegid()
    try:
        _call("unshare", ctypes.c_int(_NEW_MOUNTS | _NEW_USER))
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
        _mount("none", directory, "tmpfs", 0, f"size={size_bytes},mode=0700")
    except OSError as error:
        raise NamespacesForbiddenError(os.strerror(error.errno or 0)) from error


def make_read_only(directory: Path) -> None:
    """Cover a directory, in namespaces of our own, with a view of it in which nothing can be written."""
    _mount(str(directory), directory, None, _MS_BIND, None)
    _mount(None, directory, None, _MS_BIND | _MS_REMOUNT | _MS_RDONLY, None)


def make_writable(directory: Path) -> None:
    """Take the view away, also where it is in use."""
    _call("umount2", str(directory).encode(), ctypes.c_int(_MNT_DETACH))


def _mount(source: str | None, directory: Path, kind: str | None, flags: int, options: str | None) -> None:
    texts = [None if text is None else text.encode() for text in (source, str(directory), kind, options)]
    _call("mount", texts[0], texts[1], texts[2], ctypes.c_ulong(flags), texts[3])


def _call(name: str, *arguments: object) -> None:
    if getattr(ctypes.CDLL(None, use_errno=True), name)(*arguments):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _hold(directory: str, size_bytes: str) -> None:
    try:
        mount_here(Path(directory), int(size_bytes))
    except NamespacesForbiddenError as error:
        sys.exit(str(error))
    os.write(1, _READY)
    sys.stdin.buffer.read()


def _enter(pid: str, *command: str) -> None:
    where = os.getcwd()
    namespaces = [os.open(f"/proc/{pid}/ns/{kind}", os.O_RDONLY) for kind in ("user", "mnt")]
    for namespace in namespaces:
        _call("setns", ctypes.c_int(namespace), ctypes.c_int(0))
        os.close(namespace)
    os.chdir(where)
    os.execv(command[0], command)


if __name__ == "__main__":
    if sys.argv[1] == "hold":
        _hold(*sys.argv[2:])
    else:
        _enter(*sys.argv[2:])
