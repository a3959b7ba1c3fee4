"""Secrets come in by standard input, a file or a prompt, and are wrapped at once."""

from __future__ import annotations

import hmac
import os
import sys
from pathlib import Path

from strongroom.cli.failures import SECRETS_HINT, CommandLineError
from strongroom.files import without_waiting
from strongroom.secret import Secret

_MAX_BYTES = 8192  # 24 words in the longest of the twelve languages, and a passphrase, are less than 2,000


class StandardInput:
    """Standard input as secrets, one a line; where it is a terminal, hidden prompts on standard error."""

    def __init__(self, lines: int) -> None:
        self._wanted = lines
        self._lines: list[Secret] | None = None

    def line(self, name: str) -> Secret:
        """The next line; ``name`` is what to call it."""
        if sys.stdin is None:
            raise CommandLineError(f"Standard input is closed; the {name} was to come from it.", SECRETS_HINT)
        if sys.stdin.isatty():
            return _checked(_ask(name), name)
        if self._lines is None:
            self._lines = self._read()
        if not self._lines:
            raise CommandLineError(f"Standard input ends before the {name}.", "Give one secret a line.")
        return _checked(self._lines.pop(0), name)

    def new_line(self, name: str) -> Secret:
        """The next line, as a secret that begins to exist with it: a terminal is asked twice."""
        first = self.line(name)
        if sys.stdin.isatty() and not _same(first, _ask(f"{name} again")):
            raise CommandLineError(f"The {name} was not the same twice.", "Run the command again.")
        return first

    def _read(self) -> list[Secret]:
        whole = _bounded(Secret(sys.stdin.buffer.read(_MAX_BYTES + 1)), "Standard input")
        lines = [_line(part) for part in _split(whole)]
        if len(lines) > self._wanted:
            raise CommandLineError(
                f"Standard input holds more than the {self._wanted} line(s) that were asked for.",
                "Give each secret on one line: the key or the phrase first, then the passphrase.",
            )
        return lines


def from_file(path: Path, name: str) -> Secret:
    """A secret from a file; one newline at its end is not part of it."""
    try:
        with open(path, "rb", opener=without_waiting) as file:
            whole = _bounded(Secret(file.read(_MAX_BYTES + 1)), "The file")
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        raise CommandLineError(
            f"The file with the {name} cannot be read: {reason}.", f"Check the path. {SECRETS_HINT}"
        ) from None
    return _checked(_line(whole), name)


def _ask(name: str) -> Secret:
    from strongroom.rootkeys.passphrase_source import typed

    answer = typed(f"{name.capitalize()} (not shown): ")
    if answer is None:
        raise CommandLineError(f"No {name} was typed.", "Run the command again.")
    return answer


def _same(one: Secret, other: Secret) -> bool:
    return hmac.compare_digest(one.reveal(), other.reveal())


def _bounded(whole: Secret, where: str) -> Secret:
    if len(whole.reveal()) > _MAX_BYTES:
        raise CommandLineError(f"{where} is longer than {_MAX_BYTES:,} bytes.", "Check what it holds.")
    return whole


def _split(whole: Secret) -> list[Secret]:
    return [Secret(part) for part in whole.reveal().splitlines(keepends=True)]


def _line(part: Secret) -> Secret:
    return Secret(part.reveal().removesuffix(b"\n").removesuffix(b"\r"))


def _checked(secret: Secret, name: str) -> Secret:
    if not secret.reveal():
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
