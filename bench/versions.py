"""This version alongside the last one: a process of each, in turns, on databases of their own. `python -m
bench.versions`.

The last version comes from its wheel (tests/versions). Alongside them, what a tag costs against a bare ``hmac.digest``
of the same bytes, and the row that the register adds to a creation against a bare INSERT of it.
"""

from __future__ import annotations

import argparse
import hmac
import json
import os
import random
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import UUID, uuid4

from rich.console import Console
from rich.table import Table

from bench.machine import facts
from strongroom.crypto import tags
from strongroom.crypto.keyring import Keyring, kid_of
from strongroom.records.register import Registration
from strongroom.secret import Secret
from testbed.servers.postgres import PostgresServer
from testbed.versions.earlier import unpacked

VERBS = ("create", "create again", "find", "list 100", "sign a message", "sign under a nonce")
_PROGRAM = """
import itertools, json, sys, time, uuid
import strongroom
url, root_key = json.loads(sys.stdin.readline())
vault = strongroom.init(url, root_key=root_key)
project = uuid.uuid4()
wallet, _ = vault.create_wallet(project, "ethereum")
for number in range(120):
    vault.create_wallet(project, "ethereum", label=f"l{number}")
fresh, nonces = itertools.count(), itertools.count()
def payload():
    return {"chainId": 1, "nonce": next(nonces), "to": "0x" + "22" * 20, "value": 1, "gas": 21000, "type": 2,
            "maxFeePerGas": 20, "maxPriorityFeePerGas": 2}
verbs = {
    "create": lambda: vault.create_wallet(project, "ethereum", label=f"n{next(fresh)}"),
    "create again": lambda: vault.create_wallet(project, "ethereum"),
    "find": lambda: vault.find_wallet(project, "ethereum"),
    "list 100": lambda: vault.list_wallets(project),
    "sign a message": lambda: vault.sign_message(wallet, "hello"),
    "sign under a nonce": lambda: vault.sign_transaction(wallet, payload()),
}
print(json.dumps(strongroom.__version__), flush=True)
for line in sys.stdin:
    name, times = json.loads(line)
    verb, taken = verbs[name], []
    cpu = time.thread_time()
    for _ in range(times):
        begun = time.perf_counter()
        verb()
        taken.append(time.perf_counter() - begun)
    print(json.dumps([sorted(taken)[len(taken) // 2], (time.thread_time() - cpu) / times]), flush=True)
"""


class VersionCandidate:
    """A process of one version that runs verbs, and says how long one took: median and CPU of its thread, seconds."""

    def __init__(self, packages: Path | None, url: str, root_key: str) -> None:
        place = "" if packages is None else f"import sys; sys.path.insert(0, {str(packages)!r}); "
        self._process = subprocess.Popen(
            [sys.executable, "-c", f"{place}exec({_PROGRAM!r})"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.version = str(self._ask([url, root_key]))
        self.turns: dict[str, list[tuple[float, float]]] = {}

    def run(self, verb: str, times: int) -> None:
        """One turn."""
        median, cpu = self._ask([verb, times])
        self.turns.setdefault(verb, []).append((median, cpu))

    def best(self, verb: str) -> tuple[float, float, float]:
        """Microseconds: the median of the turns' medians, the best one, the least CPU."""
        turns = self.turns[verb]
        medians = [median for median, _ in turns]
        return statistics.median(medians) * 1e6, min(medians) * 1e6, min(cpu for _, cpu in turns) * 1e6

    def _ask(self, line: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(line) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=60)


@contextmanager
def candidates(kind: str, folder: Path, packages: Path) -> Iterator[tuple[VersionCandidate, VersionCandidate]]:
    """The last version and this one, each with a database and a root key of its own."""
    with ExitStack() as stack:
        server = stack.enter_context(PostgresServer.start(folder)) if kind == "PostgreSQL" else None
        made = []
        for number, place in enumerate((packages, None)):
            own = folder / f"{kind}-{number}"
            own.mkdir(mode=0o700)
            url = f"sqlite:///{own / 'vault.db'}" if server is None else server.create_database(f"vault{number}")
            made.append(stack.enter_context(VersionCandidate(place, url, f"file:{own / 'root.key'}")))
        yield made[0], made[1]


def tag_costs() -> tuple[float, float]:
    """Microseconds: to check the tag of a wallet that was not seen before, and a bare hmac.digest of its bytes."""
    key = Secret(os.urandom(32))
    kid = kid_of(key)
    keys = Keyring(kid, {kid: key})
    ids = [uuid4() for _ in range(2000)]
    records = [_record(wallet_id) for wallet_id in ids]
    made = [tags.make("wallet", record.fields(), keys) for record in records]
    datas = [tags.encode(record.fields()) for record in records]
    bare_key = keys.tag_key(kid, "wallet").reveal()
    checks, bares = [], []
    for _ in range(15):
        keys.seen.clear()
        begun = time.thread_time()
        for record, tag in zip(records, made, strict=True):
            tags.fits_record("wallet", record, tag, keys)
        checks.append((time.thread_time() - begun) / len(records))
        begun = time.thread_time()
        for data in datas:
            hmac.digest(bare_key, data, "sha256")
        bares.append((time.thread_time() - begun) / len(records))
    return min(checks) * 1e6, min(bares) * 1e6


def record_cost(database: Path) -> float:
    """Microseconds of CPU: the floor of what the register adds to a creation, its row alone, inserted bare (SQLite)."""
    with closing(sqlite3.connect(database)) as connection:
        columns = [name for _, name, *_ in connection.execute("PRAGMA table_info(strongroom_wallet)")]
        row = dict(zip(columns, connection.execute("SELECT * FROM strongroom_wallet LIMIT 1").fetchone(), strict=True))
        marks = ", ".join("?" * len(columns))
        sql = f"INSERT INTO strongroom_wallet ({', '.join(columns)}) VALUES ({marks})"
        taken = []
        for _ in range(15):
            rows = [tuple({**row, "credential_id": str(uuid4())}.values()) for _ in range(500)]
            begun = time.thread_time()
            for values in rows:
                connection.execute(sql, values)
            taken.append((time.thread_time() - begun) / len(rows))
            connection.rollback()
    return min(taken) * 1e6


def _record(wallet_id: UUID) -> Registration:
    address, public_key = "0x9858EfFD232B4033E47d90003D41EC34EcaEda94", "02" * 33
    state = ("bip44", "m/44'/60'/0'/0/0", "project_admin", "active", 1)
    return Registration(
        uuid4(), wallet_id, "ethereum", "default", "default", f"vault_{wallet_id}", address, public_key, *state
    )


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, and print one table."""
    parser = argparse.ArgumentParser(prog="python -m bench.versions", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--turns", type=int, default=30, help="turns of each version (default: 30)")
    parser.add_argument("--times", type=int, default=60, help="calls a turn (default: 60)")
    arguments = parser.parse_args(argv)
    console = Console() if sys.stdout.isatty() else Console(width=120)
    machine = facts(())
    console.print(", ".join(f"{name} {machine[name]}" for name in ("cpu", "cores", "load", "python")), highlight=False)
    table = Table("verb", "database", "before", "now", "best before", "best now", "CPU before", "CPU now", "CPU more")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        packages = unpacked(folder / "last")
        for kind in ("SQLite", "PostgreSQL"):
            with candidates(kind, folder, packages) as pair:
                for verb in VERBS:
                    for _ in range(arguments.turns):
                        for each in random.sample(pair, 2):
                            each.run(verb, max(1, arguments.times // 10) if verb == "list 100" else arguments.times)
                    (old, old_best, old_cpu), (new, new_best, new_cpu) = (each.best(verb) for each in pair)
                    numbers = (old, new, old_best, new_best, old_cpu, new_cpu, new_cpu - old_cpu)
                    table.add_row(verb, kind, *(f"{number:,.1f}" for number in numbers))
            if kind == "SQLite":
                bare_row = record_cost(folder / f"{kind}-1" / "vault.db")
            versions = f"{pair[0].version} and {pair[1].version}"
    console.print(f"Microseconds a call, versions {versions}; before and now: medians.", highlight=False)
    console.print(table)
    console.print(f"The row of a wallet's record, inserted bare (SQLite): {bare_row:.1f} us.", highlight=False)
    check, bare = tag_costs()
    console.print(
        f"A tag that was not seen before: {check:.2f} us to check, {bare:.2f} us a bare hmac.digest of the same bytes "
        f"({check / bare:.2f} times).",
        highlight=False,
    )


if __name__ == "__main__":
    main()
