"""Signing by many callers: 1, 8 and 64 threads, in one process and in two, each signature with its durable row."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID

from eth_account import Account
from eth_account.messages import encode_defunct

import strongroom
from bench import crypto_baseline
from bench.aims import scaled
from bench.backends import Backend, Installation
from bench.measure import Candidate, Measurement, named, race, rates
from bench.proofs import Proof
from bench.signing import (
    EXISTING,
    KINDS,
    SHOWN,
    WALLETS,
    Found,
    count_signed,
    message,
    signed_bytes,
    transaction,
    wallets_of,
)
from bench.vault_processes import MOST, Team, VaultProcesses

_CALLERS = {1: 30, 8: 160, 64: 640}
"""Threads, and how many signatures they make in a turn of one process, at most: a short run asks for fewer of each."""
_SAMPLES = 8
_AIMS = {1: 4000, 2: 6000}
"""Signatures a second of 64 callers each, by the number of processes. What bounds them is CPU."""


class Job(NamedTuple):
    """What one process does in a turn."""

    kind: str
    first: int
    total: int
    callers: int


class Done(NamedTuple):
    """What it says afterwards."""

    cpu_seconds: float
    samples: list[tuple[int, bytes]]


@dataclass(slots=True)
class _Crowd:
    """Processes that sign in one house."""

    installation: Installation
    keys: Sequence[crypto_baseline.BareKey]
    team: Team
    of_each: int
    made: int = 0
    cpu_seconds: float = 0.0
    samples: list[tuple[str, int, bytes]] = field(default_factory=list)

    def sign(self, job: tuple[str, int, int]) -> None:
        """A turn: every process makes its part, all at once."""
        kind, callers, processes = job
        total = self.total(callers)
        jobs = [Job(kind, self.made + total * number, total, callers) for number in range(processes)]
        self.made += total * processes
        for done in self.team.run(jobs):
            self.cpu_seconds += done.cpu_seconds
            self.samples += [(kind, number, signed) for number, signed in done.samples]

    def total(self, callers: int) -> int:
        """How many signatures the callers of one process make in a turn."""
        return min(_CALLERS[callers], self.of_each * callers)

    def proofs(self, where: str) -> list[Proof]:
        """A row for each signature; and samples of them are the wallets' own."""
        addresses = [key.address for key in self.keys]
        recovered = all(
            _signer(kind, number, made) == addresses[number % WALLETS] for kind, number, made in self.samples
        )
        return [
            Proof(
                f"{where}: a log row for each signature",
                self.installation.kind,
                count_signed(self.installation) == self.made,
            ),
            Proof(
                f"{where}: samples recover to their wallets",
                self.installation.kind,
                recovered and len(self.samples) > 0,
            ),
        ]


def measure_crowds(
    backend: Backend, turns: int, of_each: int, signed: Sequence[Measurement], pool: VaultProcesses
) -> Found:
    """Signatures a second; on PostgreSQL, 64 callers also alongside legacy tables.

    ``signed`` is what one caller was measured with, and its floor.
    """
    measured, proofs = _measure(backend, turns, of_each, None, (1, 8, 64), (1, MOST), pool)
    if backend.kind != "postgresql":
        return measured, [], proofs
    floors = [each for each in signed if each.group == "sign"]
    targets = [
        scaled(
            f"sign, {_name(kind, 64, number)}, times the CPU of the floor of one",
            aim,
            named(measured, _name(kind, 64, number)),
            named(floors, f"{SHOWN[kind]}: floor"),
            by="cpu",
        )
        for kind in KINDS
        for number, aim in _AIMS.items()
    ]
    existing, more = _measure(backend, turns, of_each, EXISTING, (64,), (1,), pool)
    return measured + existing, targets, proofs + more


def _measure(
    backend: Backend,
    turns: int,
    of_each: int,
    generation: str | None,
    callers: Sequence[int],
    processes: Sequence[int],
    pool: VaultProcesses,
) -> tuple[list[Measurement], list[Proof]]:
    where = "sign, /s" if generation is None else f"sign on {generation}, /s"
    measured: list[Measurement] = []
    with ExitStack() as stack:
        crowd = _crowd(stack, backend, generation, pool, of_each)
        for threads in callers:
            for number in processes:
                candidates = [
                    Candidate(_name(kind, threads, number), crowd.sign, [(kind, threads, number)]) for kind in KINDS
                ]
                taken = race(candidates, turns, 1, lambda: crowd.cpu_seconds)
                measured += rates(where, backend.kind, taken, number * crowd.total(threads))
        return measured, crowd.proofs(where)


def _name(kind: str, threads: int, processes: int) -> str:
    callers = "1 caller" if threads == 1 else f"{threads} callers"
    return f"{kind}s, {callers}" if processes == 1 else f"{kind}s, 2 processes with {callers} each"


def _crowd(stack: ExitStack, backend: Backend, generation: str | None, pool: VaultProcesses, of_each: int) -> _Crowd:
    keys = [crypto_baseline.given_key() for _ in range(WALLETS)]
    installation = stack.enter_context(backend.installation(generation))
    ids = [wallet.id for wallet in wallets_of(installation, keys)]
    return _Crowd(installation, keys, stack.enter_context(pool.on(installation, partial(_do, ids))), of_each)


def _do(ids: list[UUID], vault: strongroom.Vault, job: Job) -> Done:
    """What a process does: so many threads sign what the job says."""
    numbers = iter(range(job.first, job.first + job.total))
    made: dict[int, Any] = {}
    failed: list[strongroom.StrongroomError] = []

    def work(mine: Iterator[int]) -> None:
        try:
            for number in mine:  # the iterator of a range is one for all threads: each number comes once
                wallet_id = ids[number % WALLETS]
                if job.kind == "message":
                    made[number] = vault.sign_message(wallet_id, message(number))
                else:
                    made[number] = vault.sign_transaction(wallet_id, transaction(number))
        except strongroom.StrongroomError as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(numbers,)) for _ in range(job.callers)]
    cpu = time.process_time()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    cpu = time.process_time() - cpu
    if failed:
        raise failed[0]
    if len(made) != job.total:
        raise RuntimeError("signatures are missing")
    sampled = sorted(made)[:: max(1, job.total // _SAMPLES)]
    return Done(cpu, [(number, signed_bytes(made[number])) for number in sampled])


def _signer(kind: str, number: int, made: bytes) -> str:
    if kind == "message":
        return str(Account.recover_message(encode_defunct(text=message(number)), signature=made))
    return str(Account.recover_transaction(made))
