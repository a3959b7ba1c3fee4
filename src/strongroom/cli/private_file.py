"""Files that a command writes: whole or not at all, and for their owner's eyes."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from strongroom.cli.exit_codes import EXIT_FAILED
from strongroom.cli.failures import CommandLineError
from strongroom.host.files import write_private


def write_new(path: Path, pieces: Iterable[str]) -> None:
    """Write a file that was not there; a link is the moment at which it is. Raises CommandLineError."""
    _write(path, pieces, new=True)


def write_over(path: Path, pieces: Iterable[str]) -> None:
    """Write a file in the place of an older one, if there is one. Raises CommandLineError."""
    _write(path, pieces, new=False)


def _write(path: Path, pieces: Iterable[str], *, new: bool) -> None:
    encoded = (piece.encode("utf-8", errors="backslashreplace") for piece in pieces)
    try:
        written = write_private(path, encoded, replace=not new)
    except OSError as error:
        raise _refused(path, error) from None
    if not written:
        raise CommandLineError(f"The file {path} exists; nothing was written.", "Name another one, or remove it.")


def _refused(path: Path, error: OSError) -> CommandLineError:
    reason = os.strerror(error.errno or 0)
    return CommandLineError(
        f"The file {path} cannot be written: {reason}.",
        "Check that its directory exists and can be written.",
        code="file-refused",
        exit_code=EXIT_FAILED,
    )
