"""What a vault weighs, and what more nodes would do: measured on one server, the rest is arithmetic. `python -m
bench.growth --wallets 1000000`.

Rows are copies of wallets that the vault made, under ids of their own: as large, and none opens. What Citus costs is
measured where ``--citus`` names a coordinator; else what was measured once is given, since no server here has it.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import psycopg
from psycopg.conninfo import make_conninfo
from rich.console import Console
from rich.table import Table

import strongroom
from bench.machine import facts
from testbed.servers.postgres import PostgresServer

NODES = (1, 2, 4, 8, 16, 32, 64)
_MADE = 1_000
_TABLES = {
    "project_credentials": "id",
    "credential_vault_storage": "credential_id",
    "strongroom_wallet": "credential_id",
    "strongroom_slot": "credential_id",
    "credential_usage_logs": "credential_id",
}
"""Each table of which a wallet has a row, and its column that names the wallet."""
_SIZES = "SELECT pg_relation_size('{0}'), pg_indexes_size('{0}')"


class Costs(NamedTuple):
    """Microseconds of CPU an operation costs where its rows are, and where its statements are sent from there."""

    node: float
    coordinator: float


ON_CITUS = {"create": Costs(1681, 1013), "sign": Costs(847, 914), "find": Costs(779, 573)}
"""Measured by ``costs_on_citus`` on Citus 13.2.2 and PostgreSQL 15, a coordinator and two workers."""
_WORKERS = "SELECT nodename::text, nodeport FROM pg_dist_node WHERE groupid > 0 AND isactive"
_PID = "SELECT split_part(pg_read_file('postmaster.pid'), chr(10), 1)::int"
_WARM_UP = 50
_IDLE_SECONDS = 10.0


def fill(connection: psycopg.Connection[tuple[int, ...]], wallets: int) -> None:
    """Copy the rows of the wallets that are there until there are so many."""
    connection.execute(
        "CREATE TEMPORARY TABLE copies AS SELECT c.id AS old, gen_random_uuid() AS id, gen_random_uuid() AS project "
        "FROM project_credentials c CROSS JOIN generate_series(2, %s)",
        (wallets // _MADE,),
    )
    for table, column in _TABLES.items():
        found = connection.execute(
            "SELECT attname::text FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped",
            (table,),
        ).fetchall()
        names = [str(name) for (name,) in found]
        own = {column: "n.id", "project_id": "n.project", "vault_id": "'vault_' || n.id"}
        if table not in ("project_credentials",) and "id" in names:
            own["id"] = "gen_random_uuid()"
        values = ", ".join(own.get(name, f"t.{name}") for name in names)
        connection.execute(
            f"INSERT INTO {table} ({', '.join(names)}) SELECT {values} FROM {table} t "
            f"JOIN copies n ON n.old = t.{column}".encode()
        )
    connection.commit()


def cpu_seconds(postmaster: int) -> float:
    """CPU of a server and its children, those that ended included."""
    total = 0.0
    parents = {postmaster: _stat(postmaster)}
    for entry in Path("/proc").glob("[0-9]*"):
        found = _stat(int(entry.name))
        if found is not None and found[0] == postmaster:
            parents[int(entry.name)] = found
    for found in parents.values():
        total += 0.0 if found is None else found[1]
    return total


def _stat(pid: int) -> tuple[int, float] | None:
    """A process's parent, and its CPU with that of children that ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return int(fields[1]), sum(map(int, fields[11:15])) / 100


def cost_of(
    postmasters: Sequence[int], operation: Callable[[int], object], times: int, idle: Sequence[float] | None = None
) -> list[float]:
    """Microseconds of each server's CPU an operation takes.

    ``idle``: seconds of CPU that each takes in a second without any; Citus looks for deadlocks all the time.
    """
    before, begun = [cpu_seconds(postmaster) for postmaster in postmasters], time.perf_counter()
    for number in range(times):
        operation(number)
    elapsed = time.perf_counter() - begun
    taken = [cpu_seconds(postmaster) - early for postmaster, early in zip(postmasters, before, strict=True)]
    own = [rate * elapsed for rate in idle or [0.0] * len(postmasters)]
    return [(cpu - background) / times * 1e6 for cpu, background in zip(taken, own, strict=True)]


def costs_on_citus(url: str, root_key: str) -> dict[str, Costs]:
    """What operations cost a coordinator of this machine, and its workers together.

    ``url`` is a superuser's; its database must have no schema ``strongroom``, which is made and dropped.
    """
    with psycopg.connect(url, autocommit=True) as connection:
        if connection.execute("SELECT to_regnamespace('strongroom')").fetchone() != (None,):
            raise SystemExit("The database has a schema strongroom: name one that has none.")
        found = connection.execute(_WORKERS).fetchall()
        try:
            nodes = [url, *(make_conninfo(url, host=host, port=port) for host, port in found)]
            return _costs_on_nodes(url, root_key, [_postmaster(node) for node in nodes])
        finally:
            connection.execute("DROP SCHEMA IF EXISTS strongroom CASCADE")


def _costs_on_nodes(url: str, root_key: str, postmasters: Sequence[int]) -> dict[str, Costs]:
    strongroom.init(url, root_key=root_key).close()
    strongroom.open_takeover(url).distribute()
    with strongroom.open(url, root_key=root_key) as vault:
        projects = [uuid4() for _ in range(_MADE // 10)]
        made = [vault.create_wallet(project, "ethereum").wallet for project in projects]
        operations: dict[str, tuple[Callable[[int], object], int]] = {
            "create": (lambda n: vault.create_wallet(projects[n % len(projects)], "ethereum", label=f"m{n}"), 500),
            "sign": (lambda n: vault.sign_message(made[n % len(made)], b"x"), 1_000),
            "find": (lambda n: vault.find_wallet(projects[n % len(projects)], "ethereum"), 1_000),
        }
        costs = {}
        idle = [cost / _IDLE_SECONDS / 1e6 for cost in cost_of(postmasters, lambda _: time.sleep(_IDLE_SECONDS), 1)]
        for name, (operation, times) in operations.items():
            cost_of(postmasters, lambda n, of=operation: of(-n - 1), _WARM_UP)  # type: ignore[misc]
            coordinator, *workers = cost_of(postmasters, operation, times, idle)
            costs[name] = Costs(sum(workers), coordinator)
        return costs


def _postmaster(url: str) -> int:
    with psycopg.connect(url) as connection:
        (pid,) = connection.execute(_PID).fetchone() or (0,)
    return int(pid)


def throughput(costs: Costs, nodes: int, cores: int, *, coordinators: int) -> float:
    """Operations a second, of one project each; where every node coordinates, each does both kinds of work."""
    if coordinators == 1:
        return min(nodes * cores / costs.node, cores / costs.coordinator) * 1e6
    return nodes * cores / (costs.node + costs.coordinator) * 1e6


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, and print three tables."""
    parser = argparse.ArgumentParser(prog="python -m bench.growth", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--wallets", type=int, default=100_000, help="rows of each table (default: 100,000)")
    parser.add_argument("--citus", metavar="URL", help="measure what Citus costs on this coordinator, too")
    parser.add_argument("--cores", type=int, default=8, help="cores of a node in the model (default: 8)")
    arguments = parser.parse_args(argv)
    console = Console() if sys.stdout.isatty() else Console(width=120)
    machine = facts(())
    console.print(", ".join(f"{name} {machine[name]}" for name in ("cpu", "cores", "load", "python")), highlight=False)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with PostgresServer.start(folder) as server:
            _measure(console, server, f"file:{folder}/root.key", arguments)


def _measure(console: Console, server: PostgresServer, root_key: str, arguments: argparse.Namespace) -> None:
    url = server.create_database("growth")
    with strongroom.init(url, root_key=root_key) as vault, psycopg.connect(url) as connection:
        connection.execute("SET search_path = strongroom")
        projects = [uuid4() for _ in range(_MADE // 10)]
        made = [
            vault.create_wallet(projects[n % len(projects)], "ethereum", label=f"l{n}").wallet for n in range(_MADE)
        ]
        vault.rotate_sealing_key()
        begun = time.perf_counter()
        rewrapped = sum(result.rewrapped for result in vault.rewrap())
        rewraps = rewrapped / (time.perf_counter() - begun)
        fill(connection, arguments.wallets)
        connection.autocommit = True
        connection.execute("VACUUM ANALYZE")
        weights = _weigh(console, connection, arguments.wallets)
        postmaster = server.pid or 0
        costs = {
            "create": cost_of(
                (postmaster,), lambda n: vault.create_wallet(projects[n % 50], "ethereum", label=f"m{n}"), 500
            )[0],
            "sign": cost_of((postmaster,), lambda n: vault.sign_message(made[n % _MADE], b"x"), 1_000)[0],
            "find": cost_of(
                (postmaster,), lambda n: vault.find_wallet(made[n % 50].project_id, "ethereum", f"l{n % 50}"), 1_000
            )[0],
        }
        begun, dumped = time.perf_counter(), 0
        for table in _TABLES:
            with connection.cursor().copy(f"COPY {table} TO STDOUT".encode()) as rows:
                dumped += sum(len(row) for row in rows)
        dump_rate = dumped / (time.perf_counter() - begun)
    console.print(
        f"Rewrapped: {rewraps:,.0f} wallets a second by one process; copied out: {dump_rate / 1e6:,.0f} MB a second."
    )
    hours = Table("10^9 wallets", "")
    copied = dumped / arguments.wallets * 1e9 / (dump_rate * 16) / 3600
    hours.add_row("weigh, with indexes", f"{weights * 1e9 / 1e12:,.1f} TB")
    hours.add_row("are rewrapped, by 16 processes on 16 nodes", f"in {1e9 / (rewraps * 16) / 3600:,.1f} hours")
    hours.add_row("are copied out, by 16 nodes side by side", f"in {copied:,.1f} hours")
    console.print(hours)
    on_citus = costs_on_citus(arguments.citus, root_key) if arguments.citus else ON_CITUS
    told = (f"{operation} {node:,.0f} and {coordinator:,.0f}" for operation, (node, coordinator) in on_citus.items())
    how = "measured now" if arguments.citus else "as they were measured once"
    console.print(
        f"Microseconds of CPU on Citus, {how}, where the rows are and where it is coordinated: {', '.join(told)}.",
        highlight=False,
    )
    model = Table("operation", "coordinated by", *(f"{nodes}" for nodes in NODES))
    for operation, node in costs.items():
        one = f"{arguments.cores / node * 1e6:,.0f}"
        for who, coordinators in (("one more node", 1), ("every node", 0)):
            rates = (
                throughput(on_citus[operation], nodes, arguments.cores, coordinators=coordinators)
                for nodes in NODES[1:]
            )
            model.add_row(operation, who, one, *(f"{rate:,.0f}" for rate in rates))
    console.print(f"Operations a second by arithmetic, on so many nodes of {arguments.cores} cores:", highlight=False)
    console.print(model)
    on_one = ", ".join(f"{operation} {node:,.0f}" for operation, node in costs.items())
    console.print(f"Microseconds of the one server's CPU: {on_one}.", highlight=False)


def _weigh(console: Console, connection: psycopg.Connection[tuple[int, ...]], wallets: int) -> float:
    """Print what a wallet weighs in each table; bytes of all of it."""
    table, total = Table("table", "bytes of a row", "bytes of its index entries"), 0.0
    for name in _TABLES:
        rows, indexes = connection.execute(_SIZES.format(name).encode()).fetchone() or (0, 0)
        table.add_row(name, f"{rows / wallets:,.0f}", f"{indexes / wallets:,.0f}")
        total += (rows + indexes) / wallets
    console.print(f"{wallets:,} wallets: {total:,.0f} bytes each, with indexes.", highlight=False)
    console.print(table)
    return total


if __name__ == "__main__":
    main()
