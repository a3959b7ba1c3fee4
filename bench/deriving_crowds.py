"""Deriving by two processes: they wait for each other at the phrase's account, and are together not slower than one."""

from __future__ import annotations

import time
import uuid
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import count
from typing import NamedTuple

import strongroom
from bench.backends import Backend
from bench.deriving import make
from bench.measure import Candidate, Measurement, Target, race, rates, ratio
from bench.proofs import Proof
from bench.vault_processes import Team, VaultProcesses

_BATCHES = 4
"""Of a turn: one process makes all of them, or two make half of them each."""
_ONE, _TWO = "1 process", "2 processes on one phrase"


class Job(NamedTuple):
    """What one process does in a turn."""

    project: uuid.UUID
    prefixes: tuple[str, ...]
    """Of the labels of each batch."""
    batch: int


@dataclass(slots=True)
class _Crowd:
    """Processes that derive from one phrase."""

    project: uuid.UUID
    team: Team
    batch: int
    made: int = 0
    cpu_seconds: float = 0.0
    _numbers: count[int] = field(default_factory=count)

    def derive(self, processes: int) -> None:
        """A turn."""
        share = _BATCHES // processes
        jobs = [
            Job(self.project, tuple(f"{next(self._numbers)}-" for _ in range(share)), self.batch)
            for _ in range(processes)
        ]
        self.cpu_seconds += sum(self.team.run(jobs))
        self.made += _BATCHES * self.batch


def measure_derive_together(
    backend: Backend, turns: int, batch: int, pool: VaultProcesses
) -> tuple[list[Measurement], list[Target], list[Proof]]:
    """Wallets a second of one phrase, by one process and by two."""
    with ExitStack() as stack:
        installation, project = stack.enter_context(backend.installation()), uuid.uuid4()
        installation.vault.create_phrase(project)
        crowd = _Crowd(project, stack.enter_context(pool.on(installation, _derive)), batch)
        candidates = [
            Candidate(_ONE, lambda _: crowd.derive(1)),
            Candidate(_TWO, lambda _: crowd.derive(2)),
        ]
        taken = race(candidates, turns, 1, lambda: crowd.cpu_seconds)
        measured = rates("derive, /s", backend.kind, taken, _BATCHES * batch)
        targets = [ratio("derive, two processes on one phrase, times the time of one", 1, measured, _TWO, _ONE)]
        found = installation.bare().run(
            "SELECT count(*), count(DISTINCT phrase_index), min(phrase_index), max(phrase_index) + 1 "
            "FROM strongroom_wallet"
        )
        proof = Proof(
            "derive: the indices of two processes are without gaps and without repetition",
            backend.kind,
            tuple(found[0]) == (crowd.made, crowd.made, 0, crowd.made),
        )
        return measured, targets, [proof]


def _derive(vault: strongroom.Vault, job: Job) -> float:
    """What a process does: batch after batch; the CPU that it took."""
    begun = time.process_time()
    for prefix in job.prefixes:
        make(vault, job.project, prefix, job.batch)
    return time.process_time() - begun
