"""Clients that create, replace and sign without pause, and insist: what they were told, they remember."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar
from uuid import UUID

from strongroom import Vault, Wallet
from strongroom.errors import NonceConflictError, StrongroomError
from testbed.databases.deployments import Deployment
from testbed.load import insist
from testbed.processes.signing import transaction

T = TypeVar("T")

THREADS = 8
_AFTERWARDS = 3
"""How many rounds each client makes once the new primary is there."""
_PATIENCE_SECONDS = 120.0
_PAUSE_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature that a client got."""

    wallet: Wallet
    nonce: int
    raw_transaction: bytes


@dataclass
class Client:
    """A database, the vault that clients have open there, and what they were told."""

    deployment: Deployment
    vault: Vault
    projects: Iterator[UUID]
    """Made beforehand: the legacy application's row of a project is not ours to insist on."""
    told: dict[str, str] = field(default_factory=dict)
    live: dict[UUID, Wallet] = field(default_factory=dict)
    """The wallet that each project was told of last."""
    wallets: Counter[UUID] = field(default_factory=Counter)
    """How many wallets each project was told of."""
    signatures: list[Signature] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    """What calls told instead of an answer, by code."""

    def round(self) -> None:
        """A wallet, its successor, and a signature; each call is repeated until it answers."""
        project = next(self.projects)
        wallet, _ = self._insist(lambda: self.vault.create_wallet(project, "ethereum"))
        self._tell(wallet)
        self.sign(wallet, 1)
        successor, _ = self._insist(lambda: self.vault.replace_wallet(wallet, idempotency_key="order-1"))
        self._tell(successor)

    def sign(self, wallet: Wallet, nonce: int) -> None:
        """One signature."""
        signed: Any = self._insist(lambda: self.vault.sign_transaction(wallet, transaction(nonce, 100)))
        self.signatures.append(Signature(wallet, nonce, bytes(signed.raw_transaction)))

    def forgotten(self) -> int:
        """How many nonces would be signed a second time: signatures that a client has, and the vault does not know."""
        return sum(self._is_forgotten(each) for each in self.signatures)

    def made_again(self) -> int:
        """How many wallets a repeated call would make a second time, or tell otherwise."""
        wrong = 0
        for project, wallet in self.live.items():
            again, created = self.vault.create_wallet(project, "ethereum")
            wrong += created or again.id != wallet.id
        return wrong

    def extra(self) -> int:
        """How many credentials our projects have that nobody was told of; or how many they lack."""
        sql = "SELECT project_id, count(*) FROM project_credentials GROUP BY project_id"
        found = {UUID(str(project)): int(number) for project, number in self.deployment.execute(sql)}
        return sum(abs(found.get(project, 0) - number) for project, number in self.wallets.items())

    def _is_forgotten(self, each: Signature) -> bool:
        try:
            self.vault.sign_transaction(each.wallet, {**transaction(each.nonce, 100), "value": 2}, allow_retired=True)
        except NonceConflictError:
            return False
        return True

    def _tell(self, wallet: Wallet) -> None:
        assert wallet.durable
        self.told[str(wallet.id)] = wallet.address
        self.live[wallet.project_id] = wallet
        self.wallets[wallet.project_id] += 1

    def _insist(self, call: Callable[[], T]) -> T:
        return insist(call, self._meet, patience_seconds=_PATIENCE_SECONDS)

    def _meet(self, error: StrongroomError) -> None:
        self.errors[error.code] += 1


class FailoverLoad:
    """Threads that go round and round, until the new primary is there and they have used it."""

    def __init__(self, clients: list[Client]) -> None:
        self._clients = clients
        self._rounds = threading.Semaphore(0)
        self._promoted = threading.Event()
        self._threads = ThreadPoolExecutor(THREADS)
        self._running: list[Future[None]] = []

    def __enter__(self) -> Self:
        self._running = [
            self._threads.submit(self._run, self._clients[number % len(self._clients)]) for number in range(THREADS)
        ]
        return self

    def wait_for(self, rounds: int) -> None:
        """Wait until all clients together have made so many rounds."""
        give_up = time.monotonic() + _PATIENCE_SECONDS
        for _ in range(rounds):
            while not self._rounds.acquire(timeout=1):
                self._raise_what_was_raised()
                assert time.monotonic() < give_up, "the clients do not come on"

    def wait_for_an_error(self) -> None:
        """Wait until a call has given up and said so; raises what one of the clients raised instead."""
        give_up = time.monotonic() + _PATIENCE_SECONDS
        while not any(client.errors for client in self._clients):
            self._raise_what_was_raised()
            assert time.monotonic() < give_up, "the primary is gone, and nobody was told"
            time.sleep(_PAUSE_SECONDS)

    def promoted(self) -> None:
        """Tell the clients that they may end soon; raises what one of them raised."""
        self._promoted.set()
        for each in self._running:
            each.result(_PATIENCE_SECONDS)

    def __exit__(self, *_: object) -> None:
        self._promoted.set()
        self._threads.shutdown()

    def _raise_what_was_raised(self) -> None:
        for each in self._running:
            if each.done():
                each.result()

    def _run(self, client: Client) -> None:
        left = _AFTERWARDS
        while left:
            left -= self._promoted.is_set()
            client.round()
            self._rounds.release()
