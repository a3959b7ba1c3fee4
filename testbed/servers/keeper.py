"""Keep what a cluster manager starts: all of it ends with the process that started the keeper, by whatever means.

``python -I -S keeper.py keep USER PROGRAM [ARGUMENT...]`` runs a program and adopts what the program leaves behind, as
the init process of a machine would. It ends when nothing of it is left. ``python -I -S keeper.py adopted PROGRAM
[ARGUMENT...]`` becomes a program that ends with the keeper: Patroni starts PostgreSQL from a process that exits at
once, so the request for the signal has to wait until the keeper is the parent.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import signal
import struct
import sys
import time

_PR_SET_PDEATHSIG = 1
_PR_SET_KEEPCAPS = 8
_PR_SET_CHILD_SUBREAPER = 36
_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE = 47, 2
_CAPABILITY_VERSION = 0x20080522
_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH = 1, 2
_KEEPER = "STRONGROOM_TEST_KEEPER"
_ADOPTION_SECONDS = 30.0

_libc = ctypes.CDLL(None, use_errno=True)


def become(user: str) -> None:
    """Change to a user who has nothing else, and who may read what root reads: Python may be in root's home.

    PostgreSQL refuses root, and Patroni's files have to be PostgreSQL's. An empty user stays who it is.
    """
    if not user:
        return
    account = pwd.getpwnam(user)
    _libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setgid(account.pw_gid)
    os.setuid(account.pw_uid)
    for capability in (_CAP_DAC_READ_SEARCH, _CAP_DAC_OVERRIDE):  # containers often have the second one alone
        mask = 1 << capability
        header = struct.pack("Ii", _CAPABILITY_VERSION, 0)
        if _libc.capset(header, struct.pack("6I", mask, mask, mask, 0, 0, 0)) == 0:
            _libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, capability, 0, 0)
            return


def end_with_parent(signal_number: int, parent: int) -> None:
    """Receive a signal when the parent ends, also where a shell in the background lets its children ignore it."""
    if signal_number != signal.SIGKILL:
        signal.signal(signal_number, signal.SIG_DFL)
    _libc.prctl(_PR_SET_PDEATHSIG, signal_number, 0, 0, 0)
    if os.getppid() != parent:  # it ended in between
        os._exit(1)


def keep(user: str, *command: str) -> None:
    """Run a program; wait for it and for all that it leaves behind."""
    parent = os.getppid()
    become(user)
    end_with_parent(signal.SIGKILL, parent)
    _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    keeper = os.getpid()
    if os.fork() == 0:
        end_with_parent(signal.SIGKILL, keeper)
        os.execve(command[0], command, {**os.environ, _KEEPER: str(keeper)})
    while True:
        try:
            os.wait()
        except ChildProcessError:
            return


def adopted(*command: str) -> None:
    """Become a program once the keeper is the parent; what is asked something and answers stays where it is."""
    keeper = int(os.environ[_KEEPER])
    if "-D" in command and not {"-C", "--single"} & set(command):
        give_up = time.monotonic() + _ADOPTION_SECONDS
        while os.getppid() != keeper:
            if time.monotonic() > give_up:
                sys.exit("nobody adopts this process")
            time.sleep(0.002)
        end_with_parent(signal.SIGQUIT, keeper)
    os.execv(command[0], command)


if __name__ == "__main__":
    (keep if sys.argv[1] == "keep" else adopted)(*sys.argv[2:])
