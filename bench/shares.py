"""Where the time of a verb goes: `python -m bench.shares [--samples 2000] [--only sqlite "create again"]`.

A timer of CPU time stops the calling thread a thousand times a second of its own work, and what is on its stack then is
counted: the innermost part of the list below. What the clock says beyond the CPU is waiting, for the server and its
disk. Prints one table in Markdown for each database, in microseconds of a call.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import count
from types import FrameType

from bench.backends import Installation, open_backends
from bench.crypto_baseline import NETWORK
from strongroom.settings import Settings
from strongroom.takeover.doctor.passwords import Passwords
from strongroom.wiring.takeovers import open_doctor

PARTS: Mapping[str, tuple[str, ...]] = {
    "the driver": ("/psycopg/", "/sqlite3/", "/connection/session.py"),
    "the pool": ("/sqlalchemy/", "/connection/database.py"),
    "sealing, opening, tags": ("/strongroom/crypto/",),
    "keys, addresses, signatures": ("/wallycore/", "/Crypto/", "/strongroom/networks/", "/cryptography/"),
    "rows to wallets and back": ("/strongroom/store/", "/strongroom/records/", "/uuid.py"),
    "rows among each other": ("/doctor/cross_row", "/doctor/match_keys.py", "/heapq.py"),
    "checks and decisions": ("/strongroom/usecases/", "/strongroom/vault/", "/strongroom/"),
}
"""What is innermost on the stack, by a part of its file's path; the first that fits."""
OTHER = "the rest"
WAITING = "waiting"
_INTERVAL = 0.001
_BATCH = 100
_DIAGNOSED = 10_000
Verbs = Mapping[str, tuple[Callable[[], object], int]]


def verbs_of(installation: Installation) -> Verbs:
    """What is looked at: each verb, and how many wallets or signatures one call is."""
    vault = installation.vault
    project, fresh = uuid.uuid4(), count()
    wallet = vault.create_wallet(project, NETWORK).wallet
    vault.create_phrase(project)
    listed = uuid.uuid4()
    for number in range(_BATCH):
        vault.create_wallet(listed, NETWORK, label=f"l{number}")
    diagnosed = uuid.uuid4()
    vault.create_phrase(diagnosed)
    vault.create_many(diagnosed, NETWORK, count=_DIAGNOSED, label_prefix="d")
    return {
        "create": (lambda: vault.create_wallet(project, NETWORK, label=f"n{next(fresh)}"), 1),
        "create again": (lambda: vault.create_wallet(project, NETWORK), 1),
        "find": (lambda: vault.find_wallet(project, NETWORK), 1),
        "sign a message": (lambda: vault.sign_message(wallet, "hello"), 1),
        "list 100, a wallet": (lambda: vault.list_wallets(listed, limit=_BATCH), _BATCH),
        "derive, a wallet": (
            lambda: vault.create_many(project, NETWORK, count=_BATCH, label_prefix=f"d{next(fresh)}-"),
            _BATCH,
        ),
        "doctor, a wallet": (partial(_diagnose, installation, diagnosed), _DIAGNOSED),
    }


def _diagnose(installation: Installation, project_id: uuid.UUID) -> None:
    """Look at the wallets of a project without the root key; opening is a hundredth of it."""
    with open_doctor(Settings(database=installation.database), Passwords(), project_id) as doctor:
        for _ in doctor.run():
            pass
        if doctor.diagnosis.looked_at != _DIAGNOSED:
            raise RuntimeError(f"doctor looked at {doctor.diagnosis.looked_at} wallets")


def shares_of(verb: Callable[[], object], samples: int) -> tuple[dict[str, float], int]:
    """Seconds of CPU by part, and seconds of waiting, of all calls; and how many calls those were."""
    found: Counter[str] = Counter()

    def sample(_: int, frame: FrameType | None) -> None:
        found[part_of(frame)] += 1

    for _ in range(5):
        verb()
    before = signal.signal(signal.SIGPROF, sample)
    calls, wall, cpu = 0, time.perf_counter(), time.process_time()
    signal.setitimer(signal.ITIMER_PROF, _INTERVAL, _INTERVAL)
    try:
        while found.total() < samples:
            verb()
            calls += 1
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    taken = {part: cpu * found[part] / found.total() for part in (*PARTS, OTHER)}
    return {**taken, WAITING: max(0.0, wall - cpu)}, calls


def part_of(frame: FrameType | None) -> str:
    """The part that the innermost frame belongs to which belongs to any."""
    for each in _outwards(frame):
        for part, places in PARTS.items():
            if any(place in each.f_code.co_filename for place in places):
                return part
    return OTHER


def _outwards(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def table_of(rows: Mapping[str, Mapping[str, float]]) -> list[str]:
    """A Markdown table: a row for each verb, a column for each part, microseconds, and the share of the CPU."""
    parts = (*PARTS, OTHER)
    lines = [f"| us a call | CPU | {' | '.join(parts)} | {WAITING} |", f"|---|{'---:|' * (len(parts) + 2)}"]
    for name, taken in rows.items():
        cpu = sum(taken[part] for part in parts)
        cells = [f"{taken[part] * 1e6:,.1f} ({taken[part] / cpu:.0%})" for part in parts]
        lines.append(f"| {name} | {cpu * 1e6:,.1f} | {' | '.join(cells)} | {taken[WAITING] * 1e6:,.0f} |")
    return lines


def measure(installation: Installation, samples: int, only: Sequence[str] = ()) -> dict[str, dict[str, float]]:
    """Seconds a call by part, of each verb."""
    found = {}
    for name, (verb, items) in verbs_of(installation).items():
        if not only or name in only:
            taken, calls = shares_of(verb, samples)
            found[name] = {part: seconds / calls / items for part, seconds in taken.items()}
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.shares", description=__doc__.partition("\n")[0])
    parser.add_argument("--samples", type=int, default=2000, metavar="N", help="samples a verb (default: 2000)")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="some of the databases and verbs")
    arguments = parser.parse_args(argv)
    kinds = [kind for kind in ("sqlite", "postgresql") if kind in arguments.only] or ["sqlite", "postgresql"]
    only = [name for name in arguments.only if name not in kinds]
    with open_backends(kinds, None) as backends:
        for backend in backends:
            with backend.installation() as installation:
                print(f"\n{backend.kind}\n")
                print("\n".join(table_of(measure(installation, arguments.samples, only))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
