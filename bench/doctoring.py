"""Doctor: rows a second by kind of row, beside the bare reading, deriving or stretching of the same; and its memory.

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
from pathlib import Path
from typing import NamedTuple

from bench import keywork, looking, planting
from bench.bare import Bare, Row
from bench.grounds import Ground, House
from bench.keywork import Key
from bench.measure import Aim, Contestant, Measurement, Turns, named, race, rates
from bench.planting import Recipe
from bench.proofs import Proof
from strongroom.doctor.findings import SEVERITIES
from strongroom.doctor.passwords import Passwords
from strongroom.settings import Settings
from strongroom.wiring.takeovers import open_doctor

OURS = "strongroom"
_EXISTING = "g4"
_JUDGED = 10_000
_STEPS = (1_000, _JUDGED, 100_000)
_ABOUT_ROWS = frozenset(list(SEVERITIES)[: list(SEVERITIES).index("foreign-history") + 1])
_ROOT = Path(__file__).parents[1]
Found = tuple[list[Measurement], list[Aim], list[Proof]]


class Kind(NamedTuple):
    """Wallets of one kind, what doctor has to find, and what the floor does with them."""

    name: str
    recipes: tuple[Recipe, ...]
    findings: tuple[str, ...] = ()
    """What is found in each turn of the recipes."""
    with_root_key: bool = False
    opened: Callable[[House, list[Row]], int] | None = None
    """Open or derive a page of rows; returns how many are right."""
    stretch: Callable[[object], bytes] | None = None
    """The bare key derivation function of one row."""
    least: float = 0
    """The aim: rows a second, or times the rate of the bare function."""
    most: int = _STEPS[-1]
    """How many of them are looked at, at most."""


def measure_doctor(ground: Ground, turns: int, most: int) -> Found:
    """Every kind in tables of other code; in strongroom's own those that it writes."""
    every: Found = ([], [], [])
    keys = _keys(most if ground.kind == "postgresql" else min(most, _JUDGED))
    for kind in (_HEALTHY, _PROVED):
        _add(every, _measure(ground, kind._replace(most=_JUDGED), None, keys, 1, most))
    if ground.kind == "postgresql":
        for kind in _KINDS:
            given = [keywork.new_key() for _ in range(min(most, kind.most))] if kind is _PHRASES else keys
            _add(every, _measure(ground, kind, _EXISTING, given, turns, most))
    return every


def _keys(number: int) -> list[Key]:
    return [keywork.given_key() for _ in range(number)]


def _add(every: Found, more: Found) -> None:
    for found, new in zip(every, more, strict=True):
        found += new  # type: ignore[operator]


def _measure(ground: Ground, kind: Kind, generation: str | None, keys: Sequence[Key], turns: int, most: int) -> Found:
    """One kind in one database, which grows from step to step."""
    measured: list[Measurement] = []
    aims: list[Aim] = []
    proofs: list[Proof] = []
    peaks: list[Measurement] = []
    where = "doctor" if generation is None else f"doctor on {generation}"
    with ground.house(generation) as house:
        planted, bare, sizes = 0, house.bare(), _sizes(kind, most)
        for size in sizes:
            planting.plant(house, planting.seedlings(house, kind.recipes, keys[planted:size]))
            planted, group = size, f"{where}: {kind.name}, {size:,}"
            if size > _JUDGED or (kind is _HEALTHY and generation is not None):
                taken, found, peak_mib = _look_alone(house, kind, bare, size)
                peaks.append(_peak(ground, f"{size:,} wallets", peak_mib))
            if size <= _JUDGED:
                taken, found = _race(house, kind, bare, size, turns)
            measured += rates(group, ground.kind, taken, size)
            proofs.append(Proof(f"{group}: doctor finds what was planted", ground.kind, _are_right(kind, size, found)))
            if kind.least and generation is not None and size == min(_JUDGED, sizes[-1]):
                aims.append(_aim(kind, measured[-len(taken) :]))
    if len(peaks) > 1:
        growth = max(0.0, peaks[-1].median - peaks[0].median)
        aims.append(Aim(f"doctor, MiB more for {peaks[-1].name}", ground.kind, 10, growth, growth))
    return [*measured, *peaks], aims, proofs


def _sizes(kind: Kind, most: int) -> list[int]:
    largest = min(kind.most, most)
    return [*(step for step in _STEPS if step < largest and kind.stretch is None), largest]


def _peak(ground: Ground, name: str, mib: float) -> Measurement:
    return Measurement("doctor on g4: memory", ground.kind, name, "MiB", mib, mib, mib, mib, 1)


def _aim(kind: Kind, measured: Sequence[Measurement]) -> Aim:
    ours = named(measured, OURS)
    if kind.stretch is None:
        return Aim(f"doctor, {kind.name}, rows/s", ours.database, kind.least, ours.median, ours.best, at_least=True)
    floor = named(measured, _STRETCH)
    times = ours.median / floor.median, ours.best / floor.best
    return Aim(
        f"doctor, {kind.name}, times the bare KDF on all cores", ours.database, kind.least, *times, at_least=True
    )


# --- taking turns -----------------------------------------------------------------------------------------------

_READ, _OPEN = "floor: reading", "floor: reading, deriving"
_STRETCH, _DERIVE = "floor: KDF on all cores", "floor: KDF and deriving on all cores"
_CORES = os.cpu_count() or 1


def _race(house: House, kind: Kind, bare: Bare, rows: int, turns: int) -> tuple[dict[str, Turns], list[dict[str, int]]]:
    """Everybody in turns, and what doctor found in each of them."""
    opened, stretch = kind.opened, kind.stretch
    settings = Settings(database=house.database, root_key=house.root_key if kind.with_root_key else None)
    passwords = Passwords() if stretch is None else looking.passwords()
    warm_up = int(rows == _STEPS[0])  # at first; where the function counts, it is warm after a row
    with ExitStack() as stack:
        doctors = [stack.enter_context(open_doctor(settings, passwords)) for _ in range(warm_up + turns)]
        contestants = [Contestant(_READ, lambda _: _read(bare, rows)), Contestant(OURS, looking.look, doctors)]
        if opened is not None:
            contestants.append(Contestant(_OPEN, lambda _: _opened(bare, house, opened, rows)))
        if stretch is not None:
            contestants.append(Contestant(_STRETCH, lambda _: _on_all_cores(stretch, rows)))
        if kind is _PHRASES:
            contestants.append(Contestant(_DERIVE, lambda _: _on_all_cores(_derived, rows)))
        taken = race(contestants, turns, warm_up, time.process_time)
        return taken, [doctor.diagnosis.summary() for doctor in doctors]


def _look_alone(
    house: House, kind: Kind, bare: Bare, rows: int
) -> tuple[dict[str, Turns], list[dict[str, int]], float]:
    """Once, in a process whose memory is its own; and the most that it had of it."""
    taken = race([Contestant(_READ, lambda _: _read(bare, rows))], 1, 0, time.process_time)
    arguments = (house.database, *((house.root_key,) if kind.with_root_key else ()))
    done = subprocess.run(
        [sys.executable, "-m", "bench.looking", *arguments], cwd=_ROOT, capture_output=True, text=True, check=True
    )
    told = json.loads(done.stdout)
    return {**taken, OURS: Turns([told["wall"]], [told["cpu"]])}, [told["summary"]], told["peak_mib"]


def _are_right(kind: Kind, rows: int, summaries: Iterable[Mapping[str, int]]) -> bool:
    """Whether doctor found what was planted, and nothing else about rows."""
    rounds, rest = divmod(rows, len(kind.recipes))
    wanted = {code: count * rounds for code, count in Counter(kind.findings).items()}
    about_rows = [{code: count for code, count in found.items() if code in _ABOUT_ROWS} for found in summaries]
    return rest > 0 or all(found == wanted for found in about_rows)


def _read(bare: Bare, rows: int) -> None:
    if sum(map(len, bare.stream())) != rows:
        raise RuntimeError("the floor does not read what was planted")


def _opened(bare: Bare, house: House, opened: Callable[[House, list[Row]], int], rows: int) -> None:
    if sum(opened(house, page) for page in bare.stream()) != rows:
        raise RuntimeError("the floor does not derive what was planted")


def _on_all_cores(stretch: Callable[[object], bytes], rows: int) -> None:
    shares = [range(core, rows, _CORES) for core in range(_CORES)]
    with ThreadPoolExecutor(_CORES) as pool:
        list(pool.map(lambda share: [stretch(row) and None for row in share], shares))


# --- the kinds --------------------------------------------------------------------------------------------------


def _verified(house: House, rows: list[Row]) -> int:
    return keywork.verify(rows, house.sealing, phrases=False)


def _from_hex(house: House, rows: list[Row]) -> int:
    return sum(keywork.public_half_of(bytes.fromhex(text[2:]))[1] == address for _, _, address, _, text in rows)


def _from_base64(house: House, rows: list[Row]) -> int:
    return sum(
        keywork.public_half_of(bytes.fromhex(base64.b64decode(text).decode()))[1] == address
        for _, _, address, _, text in rows
    )


def _derived(_: object) -> bytes:
    key = keywork.private_key_of(planting.stretch_phrase())
    keywork.public_half_of(key)
    return key


_HEALTHY = Kind("healthy", (planting.healthy,), least=10_000)
_PROVED = Kind(
    "healthy, root key", (planting.healthy,), with_root_key=True, opened=_verified, least=3_000, most=_JUDGED
)
_PHRASES = Kind(
    "mnemonic", (planting.phrase,), ("plaintext-mnemonic",), stretch=planting.stretch_phrase, least=0.9, most=1_000
)
_MIXTURE = (
    *(planting.healthy,) * 8,
    *(planting.plaintext,) * 4,
    *(planting.encoded,) * 2,
    *(planting.placeholder,) * 3,
    *(planting.only_in_metadata, planting.unreadable, planting.envelope),
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
    Kind("plaintext key", (planting.plaintext,), ("plaintext-key",), opened=_from_hex, least=3_000, most=_JUDGED),
    Kind("base64", (planting.encoded,), ("encoded-key",), opened=_from_base64, least=3_000, most=_JUDGED),
    Kind("mix, root key, no password", _MIXTURE, _MIXED_FINDINGS, with_root_key=True, most=_JUDGED),
    _PHRASES,
    Kind(
        "envelope", (planting.envelope,), ("legacy-envelope",), stretch=planting.stretch_envelope, least=0.9, most=100
    ),
    Kind(
        "keystore, light scrypt",
        (planting.keystore(4096, 6),),
        ("keystore",),
        stretch=planting.stretch_keystore(4096, 6),
        least=0.9,
        most=24,
    ),
    Kind(
        "keystore, standard scrypt",
        (planting.keystore(262_144, 1),),
        ("keystore",),
        stretch=planting.stretch_keystore(262_144, 1),
        least=0.9,
        most=2,
    ),
)
