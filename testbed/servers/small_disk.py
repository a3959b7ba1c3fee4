"""A small disk of one's own, without being root: a tmpfs in namespaces of a process, which others enter.

``python -I -S small_disk.py hold USER DIRECTORY BYTES`` mounts it and obeys what comes by standard input, to its end;
``python -I -S small_disk.py enter PID USER SIGNAL PROGRAM [ARGUMENT...]`` does what ``launch.py`` does, for a program
that sees it. Where the machine forbids namespaces the first one says so.
"""

from __future__ import annotations

import ctypes
import os
import runpy
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Self

_NEW_MOUNTS, _NEW_USER = 0x20000, 0x10000000
_MS_RDONLY, _MS_REMOUNT, _MS_BIND, _MNT_DETACH = 1, 32, 4096, 2
_PR_SET_DUMPABLE = 4
_BALLAST = "ballast"
_READY = b"ready\n"
_LAUNCHER = Path(__file__).with_name("launch.py")
_PIECE_BYTES = 4096


class NamespacesForbiddenError(Exception):
    """This machine does not let this process have namespaces of its own."""


class SmallDisk:
    """A file system of some megabytes on a directory, seen by those programs only that ``launcher`` starts."""

    def __init__(self, holder: subprocess.Popen[bytes]) -> None:
        self._holder = holder
        self.launcher: Sequence[str | Path] = (__file__, "enter", str(holder.pid))

    @classmethod
    def mount(cls, directory: Path, size_bytes: int, user: str | None = None) -> Self:
        """Mount one on an empty directory, as a user. Raises NamespacesForbiddenError."""
        holder = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__, "hold", user or "", directory, str(size_bytes)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert holder.stdout is not None
        first = holder.stdout.readline()
        if first != _READY:
            rest, _ = holder.communicate(timeout=60)
            raise NamespacesForbiddenError((first + rest).decode(errors="replace"))
        return cls(holder)

    def fill(self) -> None:
        """Leave no space."""
        self._ask("fill")

    def free(self) -> None:
        """Give the space back."""
        self._ask("free")

    def make_read_only(self) -> None:
        """Let nobody who comes from now on write anything."""
        self._ask("make_read_only")

    def make_writable(self) -> None:
        """As before."""
        self._ask("make_writable")

    def close(self) -> None:
        """End the process that holds it: it is gone when the last program in it is."""
        self._holder.communicate(timeout=60)

    def _ask(self, command: str) -> None:
        assert self._holder.stdin is not None
        assert self._holder.stdout is not None
        self._holder.stdin.write(command.encode() + b"\n")
        self._holder.stdin.flush()
        assert self._holder.stdout.readline() == _READY


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
        _call("prctl", _PR_SET_DUMPABLE, 1, 0, 0, 0)  # else /proc/self is not ours after a change of user
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


def _hold(user: str, directory: str, size_bytes: str) -> None:
    launch = runpy.run_path(str(_LAUNCHER))
    parent = os.getppid()
    launch["become"](user)
    try:
        mount_here(Path(directory), int(size_bytes))
    except NamespacesForbiddenError as error:
        sys.exit(str(error))
    launch["end_with_parent"](signal.SIGKILL, parent)
    os.write(1, _READY)
    for command in sys.stdin:
        {each.__name__: each for each in (fill, free, make_read_only, make_writable)}[command.strip()](Path(directory))
        os.write(1, _READY)


def _enter(pid: str, user: str, signal_number: str, *command: str) -> None:
    launch = runpy.run_path(str(_LAUNCHER))
    parent, where = os.getppid(), os.getcwd()
    launch["become"](user)
    namespaces = [os.open(f"/proc/{pid}/ns/{kind}", os.O_RDONLY) for kind in ("user", "mnt")]
    for namespace in namespaces:
        _call("setns", ctypes.c_int(namespace), ctypes.c_int(0))
        os.close(namespace)
    os.chdir(where)
    launch["end_with_parent"](int(signal_number), parent)
    os.execv(command[0], command)


if __name__ == "__main__":
    if sys.argv[1] == "hold":
        _hold(*sys.argv[2:])
    else:
        _enter(*sys.argv[2:])
