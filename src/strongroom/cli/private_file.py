"""Files that a command writes: whole or not at all, and for their owner's eyes."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from strongroom.cli.failures import EXIT_FAILED, CommandLineError


def write_new(path: Path, pieces: Iterable[str]) -> None:
    """Write a file that was not there; a link is the moment at which it is. Raises CommandLineError."""
    _write(path, pieces, new=True)


def write_over(path: Path, pieces: Iterable[str]) -> None:
    """Write a file in the place of an older one, if there is one. Raises CommandLineError."""
    _write(path, pieces, new=False)


def _write(path: Path, pieces: Iterable[str], *, new: bool) -> None:
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise _refused(path, error) from None
    try:
        with open(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.writelines(pieces)
            file.flush()
            os.fsync(file.fileno())
        if new:
            os.link(name, path)
        else:
            os.replace(name, path)
    except FileExistsError:
        raise CommandLineError(
            f"The file {path} exists; nothing was written.", "Name another one, or remove it."
        ) from None
    except OSError as error:
        raise _refused(path, error) from None
    finally:
        with suppress(FileNotFoundError):
            os.unlink(name)


def _refused(path: Path, error: OSError) -> CommandLineError:
    reason = os.strerror(error.errno or 0)
    return CommandLineError(
        f"The file {path} cannot be written: {reason}.",
        "Check that its directory exists and can be written.",
        code="file-refused",
        exit_code=EXIT_FAILED,
    )
