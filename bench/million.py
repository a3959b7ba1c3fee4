"""A million wallets of one phrase: `python -m bench.million [--wallets 1000000] [--database sqlite|postgresql]`.

Makes them as a user would, by calls of ``create_many`` with a prefix and a count, then proves all of them, without and
with their phrase. Says how long each took and how much memory the process ever had, which must not grow with their
number, and prints one table in Markdown. With ``--folder`` the vault stays, and a run that was stopped goes on there.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import strongroom
from bench.crypto_baseline import NETWORK
from bench.doctor_process import peak_mib
from bench.machine import facts
from strongroom.vault.vault import Vault

_PROJECT = uuid.uuid5(uuid.NAMESPACE_URL, "strongroom/bench/million")
_NAME = "strongroom_million"
_POINTS = 20
"""How many times each phase says how far it is, and is looked at."""
_MOST_MIB = 10.0
"""By which the peak may grow after the first tenth."""
_SETTLED = 10_000
"""Wallets after which a process remembers as many tags as it ever does."""
_CLEAR = Path("/proc/self/clear_refs")


class Location(NamedTuple):
    """Where the vault is, and what tells its size."""

    database: str
    root_key: str
    files: Path
    """The folder of an SQLite database."""

    def size(self) -> int:
        """Bytes of the database, with its indexes."""
        if self.database.startswith("sqlite"):
            return sum(file.stat().st_size for file in self.files.glob(f"{_NAME}.db*"))
        import psycopg

        with psycopg.connect(self.database) as connection:
            row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
        return 0 if row is None else int(row[0])


@dataclass(slots=True)
class Phase:
    """Something that is done with every wallet."""

    name: str
    total: int
    wallets: int = 0
    seconds: float = 0.0
    peaks: list[tuple[int, float]] = field(default_factory=list)
    """The most memory that the process had until each point: wallets, MiB."""
    _begun: float = field(default_factory=time.perf_counter)

    def __post_init__(self) -> None:
        with suppress(OSError):  # Linux forgets the peak of what was before; elsewhere it counts
            _CLEAR.write_text("5", encoding="ascii")

    def advance(self, wallets: int) -> None:
        """So many more are done: tell of it at every point."""
        before = self.wallets
        self.wallets += wallets
        if before * _POINTS // self.total == self.wallets * _POINTS // self.total:
            return
        self.seconds = time.perf_counter() - self._begun
        self.peaks.append((self.wallets, peak_mib()))
        print(
            f"{self.name}: {self.wallets:,} of {self.total:,}, {self.seconds:,.1f} s, "
            f"{self.wallets / self.seconds:,.0f}/s, {self.most:,.1f} MiB at most",
            flush=True,
        )

    @property
    def most(self) -> float:
        """The most memory that all of it took, in MiB."""
        return self.peaks[-1][1]

    @property
    def after_a_tenth(self) -> float:
        """The most memory that the first tenth took, or as many as it takes to settle."""
        first = max(self.total // 10, _SETTLED)
        return next((peak for wallets, peak in self.peaks if wallets >= first), self.most)

    @property
    def grows(self) -> bool:
        """Whether the memory grew with the wallets."""
        return self.most - self.after_a_tenth > _MOST_MIB

    def row(self) -> str:
        """A row of the table."""
        return (
            f"| {self.name} | {self.wallets:,} | {self.seconds / 60:,.2f} | {self.wallets / self.seconds:,.0f} "
            f"| {self.after_a_tenth:,.0f} | {self.most:,.0f} |"
        )


def create(vault: Vault, wallets: int, of_a_call: int) -> tuple[Phase, int]:
    """Ask for all wallets, so many in a call; how many of them were new. A run that was stopped goes on."""
    vault.create_phrase(_PROJECT)
    phase, made = Phase(f"create_many, {of_a_call:,} a call", wallets), 0
    for start in range(0, wallets, of_a_call):
        found = _call(vault, start, min(of_a_call, wallets - start))
        made += found
        phase.advance(min(of_a_call, wallets - start))
    return phase, made


def _call(vault: Vault, start: int, count: int) -> int:
    """One call; how many of its wallets are new. What it returns is let go of."""
    made = vault.create_many(_PROJECT, NETWORK, count=count, label_prefix=f"customer-{start}-")
    return sum(each.created for each in made)


def verify(vault: Vault, wallets: int, *, phrases: bool) -> tuple[Phase, int]:
    """Prove every wallet; how many are right."""
    phase, right = Phase(f"verify({'phrases=True' if phrases else ''})", wallets), 0
    for result in vault.verify(phrases=phrases):
        right += result.ok
        phase.advance(1)
    return phase, right


def main(argv: Sequence[str] | None = None) -> int:
    """Run; the exit code is 1 where a wallet does not prove, or memory grows with their number."""
    parser = argparse.ArgumentParser(prog="python -m bench.million", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--wallets", type=int, default=1_000_000, metavar="N", help="how many (default: 1,000,000)")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="postgresql")
    parser.add_argument("--call", type=int, default=10_000, metavar="N", help="wallets of a call (default: 10,000)")
    parser.add_argument("--postgresql", metavar="URL", help="a server to use instead of the one from the wheel")
    parser.add_argument(
        "--folder", type=Path, help="where root key and SQLite database stay; PostgreSQL's stays on the server given"
    )
    arguments = parser.parse_args(argv)
    if arguments.wallets < 1 or arguments.call < 1:
        parser.error("numbers are from 1 on")
    if arguments.folder is not None and arguments.database == "postgresql" and arguments.postgresql is None:
        parser.error("--folder needs --postgresql: the server from the wheel goes with the run")
    machine = facts(())
    print(", ".join(f"{name} {machine[name]}" for name in ("cpu", "cores", "load", "python", "fsync_ms")), flush=True)
    with ExitStack() as stack:
        location = _location(stack, arguments)
        vault = stack.enter_context(strongroom.init(location.database, root_key=location.root_key))
        return _run(vault, location, arguments.wallets, arguments.call)


def _run(vault: Vault, location: Location, wallets: int, of_a_call: int) -> int:
    created, made = create(vault, wallets, of_a_call)
    last = (wallets - 1) // of_a_call * of_a_call
    again = Phase("the last call again", wallets - last)
    twice = _call(vault, last, wallets - last)
    again.advance(wallets - last)
    phases, complaints = [created, again], [f"{twice} wallets were made twice"] if twice else []
    for phrases in (False, True):
        proved, right = verify(vault, wallets, phrases=phrases)
        phases.append(proved)
        if (proved.wallets, right) != (wallets, wallets):
            complaints.append(f"{proved.name}: {right:,} of {proved.wallets:,} wallets are right")
    complaints += [f"{each.name}: memory grows with the wallets" for each in phases if each.grows]
    print("\n".join(("", *_table(phases, wallets, location))))
    print(f"\n{made:,} wallets were new, {wallets - made:,} were there.", *complaints, sep="\n", flush=True)
    return 1 if complaints else 0


def _table(phases: Sequence[Phase], wallets: int, location: Location) -> Iterator[str]:
    kind, size = location.database.partition(":")[0], location.size()
    yield f"| {wallets:,} wallets, {kind} | wallets | minutes | wallets/s | MiB, first tenth | MiB, all |"
    yield "|---|---:|---:|---:|---:|---:|"
    for phase in phases:
        yield phase.row()
    yield f"| the database, {size / wallets:,.0f} bytes a wallet | {wallets:,} | | | | {size / (1 << 20):,.0f} |"


def _location(stack: ExitStack, arguments: argparse.Namespace) -> Location:
    folder = arguments.folder
    if folder is None:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="strongroom-million-")))
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder, root_key = folder.resolve(), f"file:{folder.resolve() / 'root.key'}"
    if arguments.database == "sqlite":
        return Location(f"sqlite:///{folder / _NAME}.db", root_key, folder)
    return Location(_database(stack, arguments.postgresql, keep=arguments.folder is not None), root_key, folder)


def _database(stack: ExitStack, server: str | None, *, keep: bool) -> str:
    import psycopg
    import sqlalchemy as sa

    if server is None:
        from testbed.servers.postgres import PostgresServer

        server = stack.enter_context(PostgresServer.start()).url()
    with psycopg.connect(server, autocommit=True) as connection:
        there = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (_NAME,)).fetchone()
        if there is None:
            connection.execute(f"CREATE DATABASE {_NAME}".encode())
    if not keep:
        stack.callback(_drop, server)
    return sa.make_url(server).set(database=_NAME).render_as_string(hide_password=False)


def _drop(server: str) -> None:
    import psycopg

    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {_NAME} WITH (FORCE)".encode())


if __name__ == "__main__":
    sys.exit(main())
