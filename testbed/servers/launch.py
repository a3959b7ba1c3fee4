"""Become a program that ends with its parent: ``python -I -S launch.py USER SIGNAL PROGRAM [ARGUMENT...]``.

Not a ``preexec_fn``: forking a process that has threads is deprecated. The user is changed here, before the
request for the signal, which a later change would undo; an empty USER stays who it is.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import sys

_PR_SET_PDEATHSIG = 1


def end_with_parent(signal_number: int, parent: int) -> None:
    """Receive a signal when the parent (the thread that forked us) ends; does nothing but on Linux."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal_number, 0, 0, 0)
        if os.getppid() != parent:  # it ended in between
            os._exit(1)


def become(user: str) -> None:
    """Change to a user who has nothing else; an empty one stays who it is."""
    if user:
        account = pwd.getpwnam(user)
        os.setgroups([])
        os.setgid(account.pw_gid)
        os.setuid(account.pw_uid)


def _main(user: str, signal_number: str, *command: str) -> None:
    parent = os.getppid()
    become(user)
    end_with_parent(int(signal_number), parent)
    os.execv(command[0], command)


if __name__ == "__main__":
    _main(*sys.argv[1:])
