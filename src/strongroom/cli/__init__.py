"""The command line: data on standard output, everything else on standard error."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from io import TextIOWrapper

from strongroom.hardening import harden_process
from strongroom.host.secret_variables import withdraw_once_read


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; ``argv`` is without the program's name.

    Without ``argv`` the process is the command's own: it is hardened, and its variables with secrets are withdrawn.
    """
    if argv is None:
        harden_process()
        withdraw_once_read()
    arguments = list(sys.argv[1:] if argv is None else argv)
    if isinstance(sys.stdout, TextIOWrapper):  # a character that it cannot write must not stop what was done
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        from strongroom.cli.app import run

        return run(arguments)
    except KeyboardInterrupt:  # before the command began, or after it ended
        return 130
