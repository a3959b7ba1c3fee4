"""The command line: data on standard output, everything else on standard error."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from io import TextIOWrapper


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; ``argv`` is without the program's name."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if isinstance(sys.stdout, TextIOWrapper):  # a character that it cannot write must not stop what was done
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        from strongroom.cli.app import run

        return run(arguments)
    except KeyboardInterrupt:  # before the command began, or after it ended
        return 130
