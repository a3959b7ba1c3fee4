"""Wallets one by one as CSV or JSON Lines: in a file that is there whole or not at all, or on standard output."""

from __future__ import annotations

import csv
import os
import secrets
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from strongroom.cli.exit_codes import EXIT_FAILED
from strongroom.cli.failures import CommandLineError
from strongroom.cli.output import as_json

if TYPE_CHECKING:
    from strongroom.records.wallets import Created

_COLUMNS = ("label", "index", "address", "path", "wallet_id", "created")


class WalletLines:
    """Writes a line for each wallet. The lines of a file take its place by ``finish``, which an error keeps from it."""

    def __init__(self, path: Path | None, *, as_json_lines: bool) -> None:
        """``path``: None is standard output."""
        self._json = as_json_lines
        self._target = None if path is None else Path(os.path.realpath(path))
        """Behind links: the file that they name is replaced, and they stay."""
        self._draft: Path | None = None
        self._file: TextIO = sys.stdout
        self._begun = False

    def __enter__(self) -> WalletLines:
        if self._target is not None:
            with self._refused():
                self._file = self._open(self._target)
        return self

    def __exit__(self, *_: object) -> None:
        if self._target is not None:
            with suppress(OSError):  # of what is given up; what is finished was closed before
                self._file.close()
        if self._draft is not None:
            self._draft.unlink(missing_ok=True)

    def write(self, made: Created) -> None:
        """Write a wallet as a line. Raises CommandLineError where a file cannot be written, such as on a full disk."""
        with self._refused():
            if not self._begun and not self._json:
                csv.writer(self._file, lineterminator="\n").writerow(_COLUMNS)
            self._begun = True
            self._write(made)

    def finish(self) -> None:
        """Put the file in its place, durable. Raises CommandLineError: the earlier file is as it was then."""
        with self._refused():
            self._file.flush()
            if self._target is None:
                return
            if self._draft is not None:
                os.fsync(self._file.fileno())
            self._file.close()
            if self._draft is not None:
                os.replace(self._draft, self._target)
                self._draft = None

    def _write(self, made: Created) -> None:
        wallet = made.wallet
        if self._json:
            self._file.write(as_json({"created": made.created, "wallet": wallet.as_dict()}) + "\n")
            return
        row = (wallet.label, wallet.phrase_index, wallet.address, wallet.path, wallet.id, str(made.created).lower())
        csv.writer(self._file, lineterminator="\n").writerow(row)

    def _open(self, target: Path) -> TextIO:
        mode = None
        if target.exists():
            found = target.stat()
            if not stat.S_ISREG(found.st_mode):  # a device or a FIFO: nothing can take its place
                return target.open("w", encoding="utf-8", newline="")
            with target.open("a"):  # what may not be written is not replaced either
                mode = stat.S_IMODE(found.st_mode)
        draft = target.parent / f".{target.name}.{secrets.token_hex(8)}"
        opened = draft.open("x", encoding="utf-8", newline="")  # addresses are no secrets: the umask decides
        self._draft = draft
        if mode is not None:
            os.fchmod(opened.fileno(), mode)
        return opened

    @contextmanager
    def _refused(self) -> Iterator[None]:
        """Translate what the file system says of a file; of standard output everybody says it alike (see failures)."""
        try:
            yield
        except OSError as error:
            if self._target is None:
                raise
            reason = error.strerror or type(error).__name__
            raise CommandLineError(
                f"The file of --out cannot be written: {reason}.",
                "Check its directory, where it is written under another name first, and the space there; "
                "then run the same command again: it makes only what is missing, and writes all of them.",
                code="file-refused",
                exit_code=EXIT_FAILED,
            ) from None
