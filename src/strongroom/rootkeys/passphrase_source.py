"""Where a passphrase comes from: the terminal, a file descriptor, a file or a variable; and its normal form."""

from __future__ import annotations

import os
import re
import stat
import unicodedata
from typing import Protocol

from strongroom.errors import InvalidSettingError, RootKeyMalformedError, RootKeyMissingError
from strongroom.ports.root_key import SecretSource
from strongroom.rootkeys import owned_file
from strongroom.secret import Secret

MIN_CHARACTERS = 8
MAX_BYTES = 1024
_DESCRIPTOR = re.compile("0|[3-9]|[1-9][0-9]{1,5}")
_VARIABLE = re.compile("[A-Za-z_][A-Za-z0-9_]{0,254}")
_NAME = re.compile("[A-Za-z0-9._-]{1,64}")
# Zs of Unicode, as a fixed list: RFC 8265, 4.2.2
_SPACES = dict.fromkeys((0xA0, 0x1680, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000), " ")
_UNFIT = {"Cc", "Cn", "Zl", "Zp"}


class Source(Protocol):
    """A place that a passphrase is read from, once."""

    origin: str
    """What messages call it; begins a sentence."""

    def read(self) -> Secret:
        """Return what is there, unchanged. Raises RootKeyError."""


class Prompt:
    """Asks on the terminal of the process, where it has one; what is typed is not shown."""

    def __init__(self, name: str = "") -> None:
        self.origin = "What was typed"
        self._label = f"Passphrase {name}" if name else "Passphrase"

    def read(self) -> Secret:
        """Ask. Raises RootKeyMissingError where nobody can be asked, or nothing was typed."""
        return self._ask(f"{self._label} (not shown): ")

    def again(self) -> Secret:
        """Ask a second time, to find a slip of the fingers."""
        return self._ask(f"{self._label} (again): ")

    def _ask(self, prompt: str) -> Secret:
        if not interactive():
            raise RootKeyMissingError(
                "The passphrase cannot be asked for: there is no terminal, or this process is in its background.",
                hint="Run it on a terminal, or use passphrase:fd:NUMBER, passphrase:file:PATH or passphrase:env:NAME.",
            )
        answer = typed(prompt)
        if answer is None:
            raise RootKeyMissingError("No passphrase was typed.", hint="Run the command again.")
        return answer


class Descriptor:
    """A file descriptor that the process was started with, such as ``3< FILE``. Read to its end, and left open.

    What the number means is looked at when the URI is opened, before a database can get the same number.
    """

    def __init__(self, number: int) -> None:
        self.origin = f"File descriptor {number}"
        self._number = number
        self._identity = _identity(number)

    def read(self) -> Secret:
        """Read it. Raises RootKeyMissingError where it was not open from the start or cannot be read."""
        same = self._identity is not None and _identity(self._number) == self._identity
        content = _drained(self._number) if same else None
        if content is None:
            raise RootKeyMissingError(
                f"{self.origin} cannot be read: it is not an open file, pipe or terminal.",
                hint=f"Open it where the process is started, such as: {self._number}< FILE",
            )
        return content


class File:
    """A file of mode 0600."""

    def __init__(self, place: str) -> None:
        self._path = owned_file.path_of(place)
        self.origin = f"The file {self._path}"

    def read(self) -> Secret:
        """Read it. Raises RootKeyMissingError, RootKeyInsecureError."""
        return owned_file.read(self._path, MAX_BYTES + 1, "passphrase file")


class Variable:
    """An environment variable, or what takes its place."""

    def __init__(self, name: str, secrets: SecretSource) -> None:
        self.origin = f"The environment variable {name}"
        self._name = name
        self._secrets = secrets

    def read(self) -> Secret:
        """Read it. Raises RootKeyMissingError where it is not set."""
        found = self._secrets.secret(self._name)
        if found is None:
            raise RootKeyMissingError(f"{self.origin} is not set.", hint="Set it to the passphrase.")
        return found


def of_uri(uri: str, secrets: SecretSource) -> Source:
    """The source that a URI names. Raises InvalidSettingError, which does not quote it: it may be a passphrase."""
    place = uri.partition(":")[2]
    kind, _, rest = place.partition(":")
    if not place:
        return Prompt()
    if kind == "prompt" and _NAME.fullmatch(rest):
        return Prompt(rest)
    if kind == "fd" and _DESCRIPTOR.fullmatch(rest):
        return Descriptor(int(rest))
    if kind == "file" and rest:
        return File(rest)
    if kind == "env" and _VARIABLE.fullmatch(rest):
        return Variable(rest, secrets)
    raise InvalidSettingError(
        "The URI of the passphrase does not say where to read it.",
        hint="Use passphrase: (asks on the terminal), passphrase:prompt:NAME, passphrase:fd:NUMBER, "
        "passphrase:file:PATH or passphrase:env:NAME. The passphrase itself never is in it.",
    )


def normal(raw: Secret, origin: str) -> Secret:
    """One passphrase for all ways to type and to store it, in UTF-8: RFC 8265, OpaqueString, 4.2.2.

    One line end goes, every other space character becomes U+0020, and the rest NFC. Raises RootKeyMissingError
    where nothing is left, RootKeyMalformedError for what is too long or not UTF-8. ``origin`` begins the message.
    """
    found = _normal(raw)
    if found is None:
        raise RootKeyMalformedError(
            f"{origin} is not UTF-8 text of at most {MAX_BYTES} bytes.", hint="Check what it holds."
        )
    if not found.reveal():
        raise RootKeyMissingError(f"{origin} holds no passphrase: it is empty.", hint="Give the passphrase.")
    return found


def require_fit(passphrase: Secret, origin: str) -> None:
    """See that a normal passphrase may protect a new wrap. Raises RootKeyMalformedError."""
    if len(passphrase.reveal_text()) < MIN_CHARACTERS:
        raise RootKeyMalformedError(
            f"{origin} has fewer than {MIN_CHARACTERS} characters.",
            hint="Choose a long passphrase, such as six random words: who has the database can guess at leisure.",
        )
    if not _can_be_typed(passphrase):
        raise RootKeyMalformedError(
            f"{origin} is not one line of known characters.",
            hint="Leave out line ends, tabs, control characters, byte order marks and characters that are not "
            "assigned in this version of Unicode: they may not come out the same another time.",
        )


def interactive() -> bool:
    """Whether the process has a terminal and is in its foreground; reading from the background would stop it."""
    try:
        terminal = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)


def same(one: Secret, other: Secret) -> bool:
    """Whether two passphrases are equal, in a time that does not tell where they differ."""
    import hmac

    return hmac.compare_digest(one.reveal(), other.reveal())


def typed(prompt: str) -> Secret | None:
    """What was typed; None where input ended, could not be hidden or is not text. No error of getpass passes."""
    import getpass
    import warnings

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", getpass.GetPassWarning)  # it would show what is typed
            return Secret.from_text(getpass.getpass(prompt))
    except (EOFError, OSError, ValueError, getpass.GetPassWarning):
        return None


def _identity(number: int) -> tuple[int, int, int] | None:
    try:
        found = os.fstat(number)
    except OSError:
        return None
    readable = stat.S_ISREG(found.st_mode) or stat.S_ISFIFO(found.st_mode) or stat.S_ISCHR(found.st_mode)
    return (found.st_dev, found.st_ino, stat.S_IFMT(found.st_mode)) if readable else None


def _drained(number: int) -> Secret | None:
    try:
        with open(number, "rb", closefd=False) as file:
            return Secret(file.read(MAX_BYTES + 1) or b"")
    except (OSError, ValueError):
        return None


def _normal(raw: Secret) -> Secret | None:
    if len(raw.reveal()) > MAX_BYTES:
        return None
    try:
        text = raw.reveal_text().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        return None
    return Secret.from_text(unicodedata.normalize("NFC", text.translate(_SPACES)))


def _can_be_typed(passphrase: Secret) -> bool:
    text = passphrase.reveal_text()
    return "\ufeff" not in text and not any(unicodedata.category(character) in _UNFIT for character in text)
