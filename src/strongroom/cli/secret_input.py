"""Secrets come in by standard input, a file or a prompt, and are wrapped at once."""

from __future__ import annotations

import hmac
import os
import sys
from pathlib import Path

from strongroom.cli.failures import SECRETS_HINT, CommandLineError
from strongroom.host.files import open_nonblocking
from strongroom.secret import Secret

_MARK = b"\xef\xbb\xbf"
_MAX_LINES_BYTES = 65_536
_MAX_BYTES = 8192  # 24 words in the longest of the twelve languages, and a passphrase, are less than 2,000


class StandardInput:
    """Standard input as secrets, one a line; where it is a terminal, hidden prompts on standard error."""

    def __init__(self, lines: int) -> None:
        self._wanted = lines
        self._lines: list[Secret] | None = None

    def line(self, name: str, *, empty: bool = False) -> Secret:
        """The next line; ``name`` is what to call it, ``empty`` whether it may be that."""
        if sys.stdin is None:
            raise CommandLineError(f"Standard input is closed; the {name} was to come from it.", SECRETS_HINT)
        if sys.stdin.isatty():
            return _checked(_ask(name), name, empty=empty)
        if self._lines is None:
            self._lines = self._read()
        if not self._lines:
            raise CommandLineError(f"Standard input ends before the {name}.", "Give one secret a line.")
        return _checked(self._lines.pop(0), name, empty=empty)

    def new_line(self, name: str) -> Secret:
        """The next line, as a secret that begins to exist with it: a terminal is asked twice."""
        first = self.line(name)
        if sys.stdin.isatty() and not _same(first, _ask(f"{name} again")):
            raise CommandLineError("The two entries differ.", "Run the command again.")
        return first

    def _read(self) -> list[Secret]:
        whole = _without_mark(_bounded(Secret(sys.stdin.buffer.read(_MAX_BYTES + 1)), "Standard input"))
        lines = [_line(part) for part in _split(whole)]
        if len(lines) > self._wanted:
            raise CommandLineError(
                f"Standard input holds more than the {self._wanted} line(s) that were asked for.",
                "Give each secret on one line: the key or the phrase first, then the passphrase.",
            )
        return lines


def from_file(path: Path, name: str, *, empty: bool = False) -> Secret:
    """A secret from a file; a byte order mark and one newline at its end are not part of it."""
    return _checked(_line(_read(path, name)), name, empty=empty)


def lines_of(path: Path, name: str) -> list[str]:
    """The lines of a file that holds no secret. Raises CommandLineError."""
    text = _read(path, name, _MAX_LINES_BYTES)
    if not _is_utf8(text):
        raise CommandLineError(f"The file with the {name} is not UTF-8 text.", "Save it as UTF-8.")
    return text.reveal_text().splitlines()


def _read(path: Path, name: str, most_bytes: int = _MAX_BYTES) -> Secret:
    try:
        with open(path, "rb", opener=open_nonblocking) as file:
            return _without_mark(_bounded(Secret(file.read(most_bytes + 1)), "The file", most_bytes))
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        raise CommandLineError(
            f"The file with the {name} cannot be read: {reason}.", f"Check the path. {SECRETS_HINT}"
        ) from None


def _without_mark(whole: Secret) -> Secret:
    """The same without a byte order mark, which editors put there and which is no part of a secret."""
    return Secret(whole.reveal().removeprefix(_MARK))


def _ask(name: str) -> Secret:
    from strongroom.rootkeys.passphrase_source import typed

    answer = typed(f"{name.capitalize()} (not shown): ")
    if answer is None:
        raise CommandLineError(f"No {name} was typed.", "Run the command again.")
    return answer


def _same(one: Secret, other: Secret) -> bool:
    return hmac.compare_digest(one.reveal(), other.reveal())


def _bounded(whole: Secret, where: str, most_bytes: int = _MAX_BYTES) -> Secret:
    if len(whole.reveal()) > most_bytes:
        raise CommandLineError(f"{where} is longer than {most_bytes:,} bytes.", "Check what it holds.")
    return whole


def _split(whole: Secret) -> list[Secret]:
    return [Secret(part) for part in whole.reveal().splitlines(keepends=True)]


def _line(part: Secret) -> Secret:
    return Secret(part.reveal().removesuffix(b"\n").removesuffix(b"\r"))


def _checked(secret: Secret, name: str, *, empty: bool = False) -> Secret:
    if not secret.reveal() and not empty:
        raise CommandLineError(f"The {name} is empty.", "Give it on one line.")
    if not _is_utf8(secret):
        raise CommandLineError(f"The {name} is not UTF-8 text.", "Save it as UTF-8.")
    return secret


def _is_utf8(secret: Secret) -> bool:
    try:
        secret.reveal_text()
    except UnicodeDecodeError:  # it holds the bytes: it must not become the context of what is raised next
        return False
    return True
