"""Asking a person before something that cannot be taken back."""

from __future__ import annotations

import sys

from strongroom.cli.exit_codes import EXIT_FAILED
from strongroom.cli.failures import CommandLineError


def confirm(question: str) -> None:
    """Ask on standard error, and read the answer. Raises CommandLineError for every other answer than yes."""
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    if _answer() not in ("y", "yes"):
        raise CommandLineError(
            "The question was not answered with yes.",
            "Run it again and answer y, or add --yes.",
            code="not-confirmed",
            exit_code=EXIT_FAILED,
        )


def _answer() -> str:
    """What was typed; nothing where it is no text, or nobody is there."""
    try:
        return "" if sys.stdin is None else sys.stdin.readline().strip().lower()
    except ValueError:
        return ""
