"""Doctor: rows a second by kind of row, alongside the bare reading, deriving or stretching of the same; and its memory.

Aims are judged at 10,000 wallets. Kinds that a key derivation function bounds have fewer, as many as take a second or
two; 100,000 wallets are looked at once, by a process of its own, which also tells how much memory it took.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import NamedTuple

from bench import crypto_baseline, doctor_process, seed_wallets
from bench.backends import Backend, Installation
from bench.bare import Bare
from bench.bare_register import check_tags
from bench.crypto_baseline import BareKey
from bench.measure import Candidate, Measurement, Samples, Target, named, race, rates, ratio
from bench.proofs import Proof
from bench.seed_wallets import Recipe
from strongroom.settings import Settings
from strongroom.takeover.doctor.findings import SEVERITIES
from strongroom.takeover.doctor.passwords import Passwords
from strongroom.wiring.takeovers import open_doctor

OURS = "strongroom"
_EXISTING = "g4"
_JUDGED = 10_000
_FEWER = 5
"""Of a small run's wallets, one in so many is of a kind that a key derivation function bounds."""
_LIMIT, _LEAST = 1.5, 0.9
"""Of what it does itself, times its floor; of the rate of a key derivation function, which leaves all cores to it."""
_STEPS = (1_000, _JUDGED, 100_000)
_ABOUT_ROWS = frozenset(list(SEVERITIES)[: list(SEVERITIES).index("foreign-history") + 1])
_ROOT = Path(__file__).parents[1]
Found = tuple[list[Measurement], list[Target], list[Proof]]


class BareWork(NamedTuple):
    """What the floor does with the wallets of a database."""

    name: str
    run: Callable[[Installation, Bare], int]
    """Returns how many wallets are right."""


class DoctorWorkload(NamedTuple):
    """Wallets of one kind, what doctor has to find, and what the floor does with them."""

    name: str
    recipes: tuple[Recipe, ...]
    findings: tuple[str, ...] = ()
    """What is found in each turn of the recipes."""
    with_root_key: bool = False
    floor: BareWork | None = None
    """What doctor's time is a multiple of."""
    stretch: Callable[[object], bytes] | None = None
    """The bare key derivation function of one row: of its rate doctor's is a part."""
    most: int = _STEPS[-1]
    """How many of them are looked at, at most."""
    is_slow: bool = False
    """A second for each: a small run leaves it to the others of its sort."""


def measure_doctor(backend: Backend, turns: int, most: int) -> Found:
    """Every kind in legacy tables; in strongroom's own those that it writes."""
    every: Found = ([], [], [])
    keys = _keys(most if backend.kind == "postgresql" else min(most, _JUDGED))
    for kind in (_HEALTHY, _PROVED):
        _add(every, _measure(backend, kind._replace(most=_JUDGED), None, keys, 1, most))
    if backend.kind == "postgresql":
        for kind in (each for each in _KINDS if most >= _STEPS[0] or not each.is_slow):
            given = [crypto_baseline.new_key() for _ in range(min(most, kind.most))] if kind is _PHRASES else keys
            _add(every, _measure(backend, kind, _EXISTING, given, turns, most))
    return every


def _keys(number: int) -> list[BareKey]:
    return [crypto_baseline.given_key() for _ in range(number)]


def _add(every: Found, more: Found) -> None:
    for found, new in zip(every, more, strict=True):
        found += new  # type: ignore[operator]


def _measure(
    backend: Backend, kind: DoctorWorkload, generation: str | None, keys: Sequence[BareKey], turns: int, most: int
) -> Found:
    """One kind in one database, which grows from step to step."""
    measured: list[Measurement] = []
    targets: list[Target] = []
    proofs: list[Proof] = []
    peaks: list[Measurement] = []
    where = "doctor" if generation is None else f"doctor on {generation}"
    with backend.installation(generation) as installation:
        planted, bare, sizes = 0, installation.bare(), _sizes(kind, most)
        for size in sizes:
            seed_wallets.write(installation, seed_wallets.seed_wallets(installation, kind.recipes, keys[planted:size]))
            planted, group = size, f"{where}: {kind.name}, {size:,}"
            if size > _JUDGED or (kind is _HEALTHY and generation is not None):
                taken, found, peak_mib = _look_alone(installation, kind, bare, size)
                peaks.append(_peak(backend, f"{size:,} wallets", peak_mib))
            if size <= _JUDGED:
                taken, found = _race(installation, kind, bare, size, turns)
            measured += rates(group, backend.kind, taken, size)
            proofs.append(Proof(f"{group}: doctor finds what was planted", backend.kind, _are_right(kind, size, found)))
            if size == min(_JUDGED, sizes[-1]):
                targets += _aims(where, kind, measured[-len(taken) :])
    if len(peaks) > 1:
        growth = max(0.0, peaks[-1].median - peaks[0].median)
        targets.append(Target(f"doctor, MiB more for {peaks[-1].name}", backend.kind, 10, growth, growth))
    return [*measured, *peaks], targets, proofs


def _sizes(kind: DoctorWorkload, most: int) -> list[int]:
    largest = min(kind.most, most if kind.stretch is None else max(1, most // _FEWER))
    return [*(step for step in _STEPS if step < largest and kind.stretch is None), largest]


def _peak(backend: Backend, name: str, mib: float) -> Measurement:
    return Measurement("doctor on g4: memory", backend.kind, name, "MiB", mib, mib, mib, mib, 1)


def _aims(where: str, kind: DoctorWorkload, measured: Sequence[Measurement]) -> list[Target]:
    if kind.floor is not None:
        return [ratio(f"{where}, {kind.name}, times its floor", _LIMIT, measured, OURS, kind.floor.name)]
    if kind.stretch is None:
        return []
    ours, floor = named(measured, OURS), named(measured, _STRETCH)
    reached, best = ours.median / floor.median, ours.best / floor.best
    text = f"{where}, {kind.name}, times the rate of the bare KDF on all cores"
    return [Target(text, ours.database, _LEAST, reached, best, at_least=True, unit="/s", absolute=ours.median)]


# --- taking turns -----------------------------------------------------------------------------------------------

_READ = "floor: reading"
_STRETCH, _DERIVE = "floor: KDF on all cores", "floor: KDF and deriving on all cores"
_CORES = os.cpu_count() or 1


def _race(
    installation: Installation, kind: DoctorWorkload, bare: Bare, rows: int, turns: int
) -> tuple[dict[str, Samples], list[dict[str, int]]]:
    """Everybody in turns, and what doctor found in each of them."""
    stretch = kind.stretch
    settings = Settings(database=installation.database, root_key=installation.root_key if kind.with_root_key else None)
    passwords = Passwords() if stretch is None else doctor_process.passwords()
    warm_up = int(rows == _STEPS[0])  # at first; where the function counts, it is warm after a row
    with ExitStack() as stack:
        doctors = [stack.enter_context(open_doctor(settings, passwords)) for _ in range(warm_up + turns)]
        candidates = [*_floors(installation, kind, bare, rows), Candidate(OURS, doctor_process.diagnose, doctors)]
        if stretch is not None:
            candidates.append(Candidate(_STRETCH, lambda _: _on_all_cores(stretch, rows)))
        if kind is _PHRASES:
            candidates.append(Candidate(_DERIVE, lambda _: _on_all_cores(_derived, rows)))
        taken = race(candidates, turns, warm_up, time.process_time)
        return taken, [doctor.diagnosis.summary() for doctor in doctors]


def _look_alone(
    installation: Installation, kind: DoctorWorkload, bare: Bare, rows: int
) -> tuple[dict[str, Samples], list[dict[str, int]], float]:
    """Once, in a process whose memory is its own; and the most that it had of it."""
    taken = race(_floors(installation, kind, bare, rows), 1, 0, time.process_time)
    arguments = (installation.database, *((installation.root_key,) if kind.with_root_key else ()))
    done = subprocess.run(
        [sys.executable, "-m", "bench.doctor_process", *arguments],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    told = json.loads(done.stdout)
    return {**taken, OURS: Samples([told["wall"]], [told["cpu"]])}, [told["summary"]], told["peak_mib"]


def _are_right(kind: DoctorWorkload, rows: int, summaries: Iterable[Mapping[str, int]]) -> bool:
    """Whether doctor found what was planted, and nothing else about rows."""
    rounds, rest = divmod(rows, len(kind.recipes))
    wanted = {code: count * rounds for code, count in Counter(kind.findings).items()}
    about_rows = [{code: count for code, count in found.items() if code in _ABOUT_ROWS} for found in summaries]
    return rest > 0 or all(found == wanted for found in about_rows)


def _floors(installation: Installation, kind: DoctorWorkload, bare: Bare, rows: int) -> list[Candidate]:
    """Reading alone, and what doctor's time is a multiple of."""
    works = [_READING] if kind.floor is None else [_READING, kind.floor]
    return [Candidate(work.name, partial(_work, work, installation, bare, rows)) for work in works]


def _work(work: BareWork, installation: Installation, bare: Bare, rows: int, _: object) -> None:
    if work.run(installation, bare) != rows:
        raise RuntimeError("the floor does not find what was planted")


def _on_all_cores(stretch: Callable[[object], bytes], rows: int) -> None:
    shares = [range(core, rows, _CORES) for core in range(_CORES)]
    with ThreadPoolExecutor(_CORES) as pool:
        list(pool.map(lambda share: [stretch(row) and None for row in share], shares))


# --- the kinds --------------------------------------------------------------------------------------------------


def _counted(_: Installation, bare: Bare) -> int:
    return sum(map(len, bare.stream()))


def _claimed(_: Installation, bare: Bare) -> int:
    return sum(crypto_baseline.claim(page) for page in bare.stream(whole=True))


def _proved(installation: Installation, bare: Bare) -> int:
    fitting = check_tags(bare, installation.sealing, is_sqlite=installation.kind == "sqlite")
    return min(
        fitting, sum(crypto_baseline.verify(page, installation.sealing, phrases=False) for page in bare.stream())
    )


def _from_hex(_: Installation, bare: Bare) -> int:
    return _deriving(bare, lambda text: text[2:])


def _from_base64(_: Installation, bare: Bare) -> int:
    return _deriving(bare, lambda text: base64.b64decode(text).decode())


def _deriving(bare: Bare, digits: Callable[[str], str]) -> int:
    return sum(
        crypto_baseline.public_half_of(bytes.fromhex(digits(text)))[1] == address
        for page in bare.stream()
        for _, _, address, _, text in page
    )


def _derived(_: object) -> bytes:
    key = crypto_baseline.private_key_of(seed_wallets.stretch_phrase())
    crypto_baseline.public_half_of(key)
    return key


_READING = BareWork(_READ, _counted)
_HEALTHY = DoctorWorkload(
    "healthy", (seed_wallets.healthy,), floor=BareWork("floor: read, split the header, compare", _claimed)
)
_PROVED = DoctorWorkload(
    "healthy, root key",
    (seed_wallets.healthy,),
    with_root_key=True,
    floor=BareWork("floor: read, open, derive, check the tags", _proved),
    most=_JUDGED,
)
_PHRASES = DoctorWorkload(
    "mnemonic",
    (seed_wallets.phrase,),
    ("plaintext-mnemonic",),
    stretch=seed_wallets.stretch_phrase,
    most=1_000,
)
_MIXTURE = (
    *(seed_wallets.healthy,) * 8,
    *(seed_wallets.plaintext,) * 4,
    *(seed_wallets.encoded,) * 2,
    *(seed_wallets.placeholder,) * 3,
    *(seed_wallets.only_in_metadata, seed_wallets.unreadable, seed_wallets.envelope),
)
_MIXED_FINDINGS = (
    *("plaintext-key",) * 4,
    *("encoded-key",) * 2,
    *("placeholder",) * 3,
    *("missing-vault-record", "key-in-metadata", "unreadable", "legacy-envelope"),
)
_KINDS = (
    _HEALTHY,
    _PROVED,
    DoctorWorkload(
        "plaintext key",
        (seed_wallets.plaintext,),
        ("plaintext-key",),
        floor=BareWork("floor: reading, deriving", _from_hex),
        most=_JUDGED,
    ),
    DoctorWorkload(
        "base64",
        (seed_wallets.encoded,),
        ("encoded-key",),
        floor=BareWork("floor: reading, deriving", _from_base64),
        most=_JUDGED,
    ),
    DoctorWorkload("mix, root key, no password", _MIXTURE, _MIXED_FINDINGS, with_root_key=True, most=_JUDGED),
    _PHRASES,
    DoctorWorkload(
        "envelope",
        (seed_wallets.envelope,),
        ("legacy-envelope",),
        stretch=seed_wallets.stretch_envelope,
        most=100,
    ),
    DoctorWorkload(
        "keystore, light scrypt",
        (seed_wallets.keystore(4096, 6),),
        ("keystore",),
        stretch=seed_wallets.stretch_keystore(4096, 6),
        most=24,
    ),
    DoctorWorkload(
        "keystore, standard scrypt",
        (seed_wallets.keystore(262_144, 1),),
        ("keystore",),
        stretch=seed_wallets.stretch_keystore(262_144, 1),
        most=2,
        is_slow=True,
    ),
)
