"""A watch over secrets: it learns each one where it comes into being, and looks for all of them everywhere."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest

from strongroom import Secret, Vault
from strongroom.crypto import keyring, sealing
from strongroom.crypto.phrase import Phrase
from strongroom.records.key_material import KeyMaterial
from testbed.databases.rows import execute, sqlite_path
from testbed.harness.canary import Canary, Leak, report
from testbed.servers.postgres import PostgresServer
from tests.attacks.tally import Tally

LOGGERS = ("sqlalchemy", "sqlalchemy.engine", "sqlalchemy.pool", "alembic", "psycopg", "psycopg.pool", "asyncio")
LOGGED = {"log_statement": "all", "log_min_duration_statement": 0, "log_parameter_max_length": -1}
"""Settings of a database in whose log every statement stands with its parameters."""
LOGGED_ON_ERROR = {**LOGGED, "log_parameter_max_length_on_error": -1}
_EMPTY = re.compile(rb"\0{64,}")
_MARK_BYTES = 16


class Flock(Canary):
    """Many secrets that are looked for at once; more may come."""

    def __init__(self, rng: random.Random) -> None:
        super().__init__(rng.randbytes(32))
        object.__setattr__(self, "_wanted", {})

    @property
    def renderings(self) -> Mapping[str, bytes]:
        """What is looked for: name of the form to bytes."""
        found: Mapping[str, bytes] = self.__dict__["_wanted"]
        return found

    def take(self, name: str, canary: Canary) -> None:
        """Look for this one, too."""
        wanted = self.__dict__["_wanted"]
        known = set(wanted.values())
        wanted.update((f"{name}: {form}", data) for form, data in canary.renderings.items() if data not in known)

    def take_text(self, name: str, text: str) -> None:
        """Look for a password, too."""
        self.__dict__["_wanted"][name] = text.encode()


@dataclass
class Watch:
    """What is looked for, where, and what was found.

    Private keys that ``key`` makes begin with one mark of sixteen bytes, so that the first half of one is that of all;
    keys that strongroom makes are learned when they are sealed, sealing keys when they are made.
    """

    rng: random.Random
    caplog: pytest.LogCaptureFixture
    capfd: pytest.CaptureFixture[str]
    temporary: Path
    flock: Flock = field(init=False)
    leaks: list[Leak] = field(default_factory=list)
    searched: set[str] = field(default_factory=set)
    """The kinds of places that were looked at."""

    def __post_init__(self) -> None:
        self.flock = Flock(self.rng)
        self._mark = bytes([self.rng.randrange(1, 0xF0)]) + self.rng.randbytes(_MARK_BYTES - 1)

    # --- secrets -----------------------------------------------------------------------------------------------

    def key(self) -> bytes:
        """A new private key of 32 bytes; every curve takes it."""
        key = self._mark + self.rng.randbytes(32 - _MARK_BYTES)
        self.flock.take("private key", Canary(key))
        return key

    def phrase(self) -> str:
        """A new phrase of twelve words."""
        text = Phrase.generate(12, self.rng.randbytes).mnemonic.reveal_text()
        self.flock.take("phrase", Canary(self.rng.randbytes(32), text.split()))
        return text

    def password(self) -> str:
        """A new password or passphrase."""
        text = self.rng.randbytes(16).hex()
        self.flock.take_text("password", text)
        return text

    def learn(self, name: str, secret: Secret | None, words: Sequence[str] = ()) -> None:
        """Look for a secret of strongroom's own."""
        if secret is not None:
            self.flock.take(name, Canary(secret.reveal().ljust(32, b"\0")[:64], words))

    def learn_keyring(self, vault: Vault) -> None:
        """Look for the sealing keys of an open vault."""
        for key in vault._context.keyring._now.keys.values():
            self.learn("sealing key", key)

    def learn_everything(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Learn every key that is sealed and every sealing key that is made, from now on."""
        seal, new_sealing_key = sealing.seal, keyring.new_sealing_key

        def seal_and_tell(material: KeyMaterial, *rest: Any, **options: Any) -> str:
            words = material.mnemonic.reveal_text().split() if material.mnemonic else ()
            self.learn("sealed key", material.private_key, words)
            if material.passphrase is not None:
                self.flock.take_text("passphrase", material.passphrase.reveal_text())
            return seal(material, *rest, **options)

        def make_and_tell() -> Secret:
            made = new_sealing_key()
            self.learn("sealing key", made)
            return made

        monkeypatch.setattr(sealing, "seal", seal_and_tell)
        monkeypatch.setattr(keyring, "new_sealing_key", make_and_tell)

    # --- places ------------------------------------------------------------------------------------------------

    def found(self, leaks: list[Leak], kind: str, during: str) -> None:
        """Remember that a kind of place was looked at, and what was there."""
        self.searched.add(kind)
        self.leaks += [Leak(leak.rendering, f"{during}: {leak.where}") for leak in leaks]

    def result(self, value: object, during: str) -> None:
        """Look at what a verb returned."""
        self.found(self.flock.in_object(value, f"the result, a {type(value).__name__}"), "result", during)

    def error(self, error: BaseException, during: str, *, frames: bool = True) -> None:
        """Look at what was raised: text, arguments, hint, causes, and local variables of strongroom's frames."""
        hint = str(getattr(error, "hint", ""))
        told = f"{error!r}\n{error!s}\n{error.args!r}\n{hint}\n{vars(error)!r}"
        self.found(self.flock.in_text(told, f"a {type(error).__name__}"), "error", during)
        self.found(self.flock.in_object(error, f"a {type(error).__name__}"), "error", during)
        if frames:
            self.found(self.flock.in_exception(error), "frames", during)

    def said(self, text: str, where: str, during: str) -> None:
        """Look at a text, such as what a command printed."""
        self.found(self.flock.in_text(text, where), where, during)

    def streams(self, during: str) -> None:
        """Look at what was logged and printed since the last look."""
        self.said(self.caplog.text, "the logs", during)
        self.caplog.clear()
        captured = self.capfd.readouterr()
        self.said(captured.out + captured.err, "the streams of the process", during)

    def process(self, during: str) -> None:
        """Look at the command line of this process, and its temporary files."""
        self.found(self.flock.in_bytes(Path("/proc/self/cmdline").read_bytes(), "argv"), "argv", during)
        self.found(self.flock.in_tree(self.temporary), "temporary files", during)

    def database(
        self, url: str, server: PostgresServer | None, since: Since, during: str, *, written_ahead: bool = True
    ) -> None:
        """Look at every row, every file, the write-ahead log of all databases of the server, and the server's log."""
        self.said("\n".join(rows_of(url)), "rows", during)
        for file in database_files(url, server, since if written_ahead else None):
            data = _EMPTY.sub(b"\0", file.read_bytes())
            self.found(self.flock.in_bytes(data, file.name), "files", during)
        if server is not None:
            log = server.log_path.read_bytes()[since.log_bytes :].decode(errors="replace")
            self.said(log, "the server's log", during)

    def assert_nothing(self) -> None:
        """Nothing was seen anywhere."""
        assert self.leaks == [], report(self.leaks)


@dataclass(frozen=True)
class Since:
    """Where the server's logs ended when the watch began."""

    log_bytes: int = 0
    segment: str = ""

    @classmethod
    def now(cls, url: str, server: PostgresServer | None) -> Since:
        """From here on."""
        if server is None:
            return cls()
        (segment,) = execute(url, "SELECT pg_walfile_name(pg_current_wal_lsn())")[0]
        return cls(server.log_path.stat().st_size, segment)


def database_files(url: str, server: PostgresServer | None, since: Since | None) -> Iterator[Path]:
    """The files of one database and what was written ahead of them, as it is on disk."""
    if server is None:
        yield from sorted(sqlite_path(url).parent.iterdir())
        return
    with psycopg.connect(url, autocommit=True) as administrator:
        found = administrator.execute(
            "SELECT current_setting('data_directory'), oid, pg_walfile_name(pg_current_wal_lsn()) "
            "FROM pg_database WHERE datname = current_database()"
        ).fetchone()
        assert found is not None
        home = Path(found[0])
        if since is not None:  # before the checkpoint, which takes older segments away
            yield from sorted(each for each in (home / "pg_wal").iterdir() if since.segment <= each.name <= found[2])
        administrator.execute("CHECKPOINT")
    yield from sorted((home / "base" / str(found[1])).iterdir())


def rows_of(url: str) -> Iterator[str]:
    """Every row of every table, as text."""
    if url.startswith("sqlite"):
        names = execute(url, "SELECT name FROM sqlite_master WHERE type = 'table'")
        yield from (repr(row) for (name,) in names for row in execute(url, f"SELECT * FROM {name}"))
        return
    names = execute(url, "SELECT tablename::text FROM pg_tables WHERE schemaname IN ('public', 'strongroom')")
    yield from (row[0] for (name,) in names for row in execute(url, f"SELECT t::text FROM {name} t"))


def finish(row: Tally, watch: Watch) -> None:
    """Nothing was seen, and it was looked for."""
    row.leaked += len({(leak.rendering, leak.where) for leak in watch.leaks})
    watch.assert_nothing()
