"""Rewrapping: rows a second from one sealing key to the next, with the old texts kept."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack

from bench import keywork
from bench.bare import Bare
from bench.creating import fill
from bench.grounds import Ground, House
from bench.keywork import Key, SealingKey
from bench.measure import Aim, Contestant, Measurement, named, race, rates
from bench.proofs import Proof, prove_opens

_PROJECTS = 10
EXISTING = "g4"


def measure_rewrap(
    ground: Ground, turns: int, keys: Sequence[Key], rows: int
) -> tuple[list[Measurement], list[Aim], list[Proof]]:
    """Whole passes over a database; on PostgreSQL also beside tables of other code."""
    measured, aims, proofs = _measure(ground, turns, keys, rows, None)
    if ground.kind == "postgresql":
        for found, more in zip((measured, aims, proofs), _measure(ground, turns, keys, rows, EXISTING), strict=True):
            found += more  # type: ignore[operator]
    return measured, aims, proofs


def _measure(
    ground: Ground, turns: int, keys: Sequence[Key], rows: int, generation: str | None
) -> tuple[list[Measurement], list[Aim], list[Proof]]:
    where = "rewrap" if generation is None else f"rewrap on {generation}"
    each = max(1, rows // _PROJECTS)
    total = each * _PROJECTS
    with ExitStack() as stack:
        floor, ours = (stack.enter_context(ground.house(generation)) for _ in range(2))
        bares = [house.bare() for house in (floor, ours)]
        for house, bare in zip((floor, ours), bares, strict=True):
            fill(bare, house, house.new_projects(_PROJECTS), keys, each)
        theirs = _Floor(floor, bares[0], total)
        taken = race(
            [
                Contestant("floor: open, seal, update", lambda _: theirs.rewrap()),
                Contestant("strongroom, with its proofs", lambda _: _our_pass(ours, total)),
            ],
            turns,
            warm_up=1,
        )
        measured = rates(where, ground.kind, taken, total)
        fast = named(measured, "strongroom, with its proofs")
        aims = [Aim(f"{where}, rows/s", ground.kind, 3000, fast.median, fast.best, at_least=True)]
        proofs = [
            prove_opens(f"{where}: strongroom verifies what the floor wrote", floor, total),
            prove_opens(f"{where}: strongroom verifies what it wrote", ours, total),
            Proof(f"{where}: as many texts kept by both", ground.kind, _kept(bares[0]) == _kept(bares[1])),
        ]
    return measured, aims if ground.kind == "postgresql" else [], proofs


class _Floor:
    """One pass after another, each to a new sealing key."""

    def __init__(self, house: House, bare: Bare, rows: int) -> None:
        self._house, self._bare, self._rows = house, bare, rows
        self._sealing: SealingKey = house.sealing

    def rewrap(self) -> None:
        """Open, seal and update every row, a page at a time."""
        new, done = self._house.rotated(), 0
        for page in self._bare.stream():
            if page:
                self._bare.rewrap(page, keywork.reseal(page, self._sealing, new))
            done += len(page)
        if done != self._rows:
            raise RuntimeError("the floor does not find what it wrote")
        self._sealing = new


def _our_pass(house: House, rows: int) -> None:
    house.vault.rotate_sealing_key()
    if sum(result.rewrapped for result in house.vault.rewrap()) != rows:
        raise RuntimeError("strongroom does not rewrap what the floor wrote")


def _kept(bare: Bare) -> int:
    return int(bare.run("SELECT count(*) FROM strongroom_vault_history")[0][0])
