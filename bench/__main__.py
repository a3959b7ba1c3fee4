"""``python -m bench``: measure, print a table, write JSON."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from rich.console import Console

from bench import crypto_baseline
from bench.backends import Backend, open_backends
from bench.machine import facts
from bench.publish import PAGE, REFERENCE, publish
from bench.report import Results

if TYPE_CHECKING:
    from bench.vault_processes import VaultProcesses

KINDS = ("sqlite", "postgresql")
GROUPS = (
    "keys",
    "create",
    "own",
    "existing",
    "derive",
    "repeat",
    "page",
    "verify",
    "rewrap",
    "sign",
    "doctor",
    "repair",
    "start",
)
_WIDTH = 120
_RESULTS = Path(__file__).parent / "results"


class Sizes(NamedTuple):
    """How much is done of each thing."""

    turns: int
    wallets: int
    rows: int
    starts: int
    most: int
    repairs: int


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Compare strongroom with its floor and with a home-made vault, on SQLite and on PostgreSQL.",
    )
    parser.add_argument("--quick", action="store_true", help="few turns: a look, not a measurement")
    parser.add_argument("--count", type=int, metavar="N", help="turns a candidate (default: 500; --quick: 60)")
    parser.add_argument("--wallets", type=int, metavar="N", help="wallets to verify (default: 2000; --quick: 200)")
    parser.add_argument("--rows", type=int, metavar="N", help="rows to rewrap (default: 5000; --quick: 500)")
    parser.add_argument("--most", type=int, metavar="N", help="wallets for doctor (default: 100000; --quick: 1000)")
    parser.add_argument("--repairs", type=int, metavar="N", help="wallets to repair (default: 100000; --quick: 1000)")
    parser.add_argument("--starts", type=int, metavar="N", help="processes to start (default: 15; --quick: 3)")
    parser.add_argument(
        "--only",
        nargs="+",
        choices=(*KINDS, *GROUPS),
        metavar="NAME",
        default=[],
        help=f"some of the databases ({', '.join(KINDS)}) and of the groups ({', '.join(GROUPS)})",
    )
    parser.add_argument("--postgresql", metavar="URL", help="a server to use instead of the one from the wheel")
    parser.add_argument("--publish", action="store_true", help="also put the run into docs/performance.md")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to write (default: bench/results/DATE.json)")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run; the exit code is 1 where floor and strongroom turn out to have done different things."""
    arguments = _parser().parse_args(argv)
    quick = arguments.quick
    count = arguments.count or (60 if quick else 500)
    wallets = arguments.wallets or (200 if quick else 2000)
    rows = arguments.rows or (500 if quick else 5000)
    starts = arguments.starts or (3 if quick else 15)
    most = arguments.most or (1000 if quick else 100_000)
    repairs = arguments.repairs or (1000 if quick else 100_000)
    kinds = [name for name in KINDS if name in arguments.only] or list(KINDS)
    groups = [name for name in GROUPS if name in arguments.only] or list(GROUPS)
    now = datetime.now(UTC)
    console = Console() if sys.stdout.isatty() else Console(width=_WIDTH)
    with open_backends(kinds, arguments.postgresql) as backends:
        results = Results(now.isoformat(timespec="seconds"), _command(arguments), facts(backends))
        _measure(results, backends, groups, Sizes(count, wallets, rows, starts, most, repairs))
    results.print(console)
    file = arguments.json or _RESULTS / f"{now:%Y-%m-%d}.json"
    results.write_json(file)
    console.print(f"Written to {file}", highlight=False)
    if arguments.publish:
        results.write_json(REFERENCE)
        publish()
        console.print(f"Published in {PAGE.name}", highlight=False)
    return 0 if results.fair else 1


def _command(arguments: argparse.Namespace) -> str:
    """What decides the numbers; not where they go, and no URL, which may hold a password."""
    names = ("count", "wallets", "rows", "starts", "most", "repairs")
    numbers = (f"--{name} {value}" for name in names if (value := getattr(arguments, name)))
    only = ("--only " + " ".join(arguments.only),) if arguments.only else ()
    return " ".join(("python -m bench", *(("--quick",) if arguments.quick else ()), *numbers, *only))


def _measure(results: Results, backends: Sequence[Backend], groups: Sequence[str], sizes: Sizes) -> None:
    from bench import creating, signing_memory, startup
    from bench.vault_processes import VaultProcesses

    if "start" in groups:
        started = startup.measure_startup(backends, sizes.starts)
    keyed = {"own", "repeat", "page", "verify", "rewrap"} & {*groups}
    keys = [crypto_baseline.new_key() for _ in range(sizes.wallets)] if keyed else []
    if "keys" in groups:
        results.measurements += creating.measure_keys(backends[0], sizes.turns)
    if "sign" in groups:
        results.add(*signing_memory.measure_in_memory(sizes.turns))
    with VaultProcesses() as pool:
        for backend in backends:
            _measure_on(results, backend, groups, sizes, keys, pool)
    if "start" in groups:
        results.add(*started)


def _measure_on(
    results: Results,
    backend: Backend,
    groups: Sequence[str],
    sizes: Sizes,
    keys: Sequence[crypto_baseline.BareKey],
    pool: VaultProcesses,
) -> None:
    from bench import (
        bench_doctor,
        creating,
        deriving,
        deriving_crowds,
        reading,
        repairing,
        rewrapping,
        signing,
        signing_crowds,
        verifying,
    )

    count = sizes.turns
    long = count >= 100
    batch = 250 if long else 20
    if "create" in groups:
        results.add(*creating.measure_create(backend, count))
    if "own" in groups:
        measured, proofs = creating.measure_own(backend, count, keys)
        results.add(measured, [], proofs)
    if "existing" in groups and backend.kind == "postgresql":
        results.add(*creating.measure_existing(backend, count))
    if "derive" in groups:
        results.add(*deriving.measure_derive(backend, 20 if long else 1, batch))
        results.add(*deriving_crowds.measure_derive_together(backend, 10 if long else 1, batch, pool))
    if "repeat" in groups:
        results.add(*reading.measure_repeat(backend, 4 * count, keys))
    if "page" in groups:
        results.add(*reading.measure_page(backend, count, keys))
    if "verify" in groups:
        results.add(*verifying.measure_verify(backend, 7 if long else 2, keys))
    if "rewrap" in groups:
        results.add(*rewrapping.measure_rewrap(backend, 5 if long else 1, keys, sizes.rows))
    if "sign" in groups:
        signed = signing.measure_sign(backend, max(2, count // 2))
        results.add(*signed)
        results.add(*signing_crowds.measure_crowds(backend, 4 if long else 1, count, signed[0], pool))
    if "doctor" in groups:
        results.add(*bench_doctor.measure_doctor(backend, 2 if long else 1, sizes.most))
    if "repair" in groups:
        results.add(*repairing.measure_repair(backend, count, sizes.repairs))


if __name__ == "__main__":
    sys.exit(main())
