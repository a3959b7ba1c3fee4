"""The key that a command takes in: one source is named, and read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from strongroom.cli.failures import SECRETS_HINT, CommandLineError
from strongroom.cli.secret_input import StandardInput, from_file
from strongroom.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySource:
    """Where the options say that a key, and what belongs to it, is to be read from."""

    mnemonic_stdin: bool
    private_key_stdin: bool
    mnemonic_file: str | None
    private_key_file: str | None
    passphrase_stdin: bool
    passphrase_file: str | None
    keystore: str | None = None
    keystore_password_stdin: bool = False
    keystore_password_file: str | None = None
    takes_keystore: bool = False
    takes_private_key: bool = True

    def read(self) -> dict[str, Secret]:
        """Read what is there, as arguments of a verb. Raises CommandLineError before anything is read."""
        self._check()
        stdin = StandardInput(
            (self.mnemonic_stdin or self.private_key_stdin) + self.passphrase_stdin + self.keystore_password_stdin
        )
        if self.keystore is not None:
            return {
                "keystore": from_file(Path(self.keystore), "keystore"),
                # geth --dev and Foundry write keystores under the empty password
                "keystore_password": _take(stdin, self.keystore_password_file, "keystore password", empty=True),
            }
        if not self._is_phrase:
            return {"private_key": _take(stdin, self.private_key_file, "private key")}
        read = {"mnemonic": _take(stdin, self.mnemonic_file, "phrase")}
        if self._has_passphrase:
            read["passphrase"] = _take(stdin, self.passphrase_file, "passphrase")
        return read

    @property
    def _is_phrase(self) -> bool:
        return self.mnemonic_stdin or self.mnemonic_file is not None

    @property
    def _has_passphrase(self) -> bool:
        return self.passphrase_stdin or self.passphrase_file is not None

    def _check(self) -> None:
        named = [source is not None for source in (self.mnemonic_file, self.private_key_file, self.keystore)]
        if sum(named) + self.mnemonic_stdin + self.private_key_stdin != 1:
            names = ["--mnemonic-stdin", "--private-key-stdin", "--mnemonic-file", "--private-key-file"]
            if not self.takes_private_key:
                raise CommandLineError("Name one of --mnemonic-stdin and --mnemonic-file.", SECRETS_HINT)
            names += ["--keystore"] if self.takes_keystore else []
            raise CommandLineError(f"Name one of {', '.join(names[:-1])} and {names[-1]}.", SECRETS_HINT)
        if self.passphrase_stdin and self.passphrase_file is not None:
            raise CommandLineError("Name one of --passphrase-stdin and --passphrase-file.", SECRETS_HINT)
        if self._has_passphrase and not self._is_phrase:
            raise CommandLineError("A passphrase goes with a phrase only.", "Leave the passphrase out.")
        check_password(self.keystore_password_stdin, self.keystore_password_file, wanted=self.keystore is not None)


def check_password(from_stdin: bool, file: str | None, *, wanted: bool) -> None:
    """Raise CommandLineError unless a keystore has one source of its password, and nothing else has any."""
    given = from_stdin + (file is not None)
    if wanted and given != 1:
        raise CommandLineError("Name one of --keystore-password-stdin and --keystore-password-file.", SECRETS_HINT)
    if given and not wanted:
        raise CommandLineError("A keystore password goes with a keystore only.", "Leave the password out.")


def new_password(file: str | None) -> Secret:
    """The password of a new keystore, checked before; a terminal is asked twice."""
    if file is not None:
        return from_file(Path(file), "keystore password")
    return StandardInput(1).new_line("keystore password")


def _take(stdin: StandardInput, path: str | None, name: str, *, empty: bool = False) -> Secret:
    return stdin.line(name, empty=empty) if path is None else from_file(Path(path), name, empty=empty)
