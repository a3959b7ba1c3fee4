"""Rewrapping: rows a second from one sealing key to the next, with the old texts kept."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack

from bench import crypto_baseline
from bench.backends import Backend, Installation
from bench.bare import Bare
from bench.bare_register import retag
from bench.creating import fill
from bench.crypto_baseline import BareKey, SealingKey
from bench.measure import Candidate, Measurement, Target, race, rates, ratio
from bench.proofs import Proof, prove_opens

_PROJECTS = 10
EXISTING = "g4"
_FLOOR = "floor: open, derive, seal, open, update, tags"
_OURS = "strongroom, with its proofs"


def measure_rewrap(
    backend: Backend, turns: int, keys: Sequence[BareKey], rows: int
) -> tuple[list[Measurement], list[Target], list[Proof]]:
    """Whole passes over a database; on PostgreSQL also alongside legacy tables."""
    measured, targets, proofs = _measure(backend, turns, keys, rows, None)
    if backend.kind == "postgresql":
        for found, more in zip(
            (measured, targets, proofs), _measure(backend, turns, keys, rows, EXISTING), strict=True
        ):
            found += more  # type: ignore[operator]
    return measured, targets, proofs


def _measure(
    backend: Backend, turns: int, keys: Sequence[BareKey], rows: int, generation: str | None
) -> tuple[list[Measurement], list[Target], list[Proof]]:
    where = "rewrap" if generation is None else f"rewrap on {generation}"
    each = max(1, rows // _PROJECTS)
    total = each * _PROJECTS
    with ExitStack() as stack:
        floor, ours = (stack.enter_context(backend.installation(generation)) for _ in range(2))
        bares = [installation.bare() for installation in (floor, ours)]
        for installation, bare in zip((floor, ours), bares, strict=True):
            fill(bare, installation, installation.new_projects(_PROJECTS), keys, each)
        theirs = _RewrapFloor(floor, bares[0], total)
        taken = race(
            [
                Candidate(_FLOOR, lambda _: theirs.rewrap()),
                Candidate(_OURS, lambda _: _our_pass(ours, total)),
            ],
            turns,
            warm_up=1,
        )
        measured = rates(where, backend.kind, taken, total)
        targets = [ratio(f"{where}, times its floor", 1.5, measured, _OURS, _FLOOR)]
        proofs = [
            prove_opens(f"{where}: strongroom verifies what the floor wrote", floor, total),
            prove_opens(f"{where}: strongroom verifies what it wrote", ours, total),
            Proof(f"{where}: as many texts kept by both", backend.kind, _kept(bares[0]) == _kept(bares[1])),
        ]
    return measured, targets, proofs


class _RewrapFloor:
    """One pass after another, each to a new sealing key."""

    def __init__(self, installation: Installation, bare: Bare, rows: int) -> None:
        self._house, self._bare, self._rows = installation, bare, rows
        self._sealing: SealingKey = installation.sealing

    def rewrap(self) -> None:
        """Open, derive, seal, open again and update every row, a page at a time; then the tags of the records."""
        new, done = self._house.rotated(), 0
        for page in self._bare.stream():
            if page:
                self._bare.rewrap(page, crypto_baseline.reseal(page, self._sealing, new))
            done += len(page)
        if done != self._rows:
            raise RuntimeError("the floor does not find what it wrote")
        retag(self._bare, self._sealing, new, is_sqlite=self._house.kind == "sqlite")
        self._sealing = new


def _our_pass(installation: Installation, rows: int) -> None:
    installation.vault.rotate_sealing_key()
    if sum(result.rewrapped for result in installation.vault.rewrap()) != rows:
        raise RuntimeError("strongroom does not rewrap what the floor wrote")


def _kept(bare: Bare) -> int:
    return int(bare.run("SELECT count(*) FROM strongroom_vault_history")[0][0])
