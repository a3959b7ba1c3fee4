"""Callers who go on through any outage: what they were told, and what no error excuses.

Each thread does one thing after the other on one open vault, and repeats what failed with an error that is
retryable, until it is done. Any other error is a fault of the product, and is kept.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from itertools import count
from typing import Self, TypeVar
from uuid import UUID

import strongroom
from strongroom import Vault, Wallet
from strongroom.errors import NonceConflictError
from testbed.databases.deployments import Deployment
from testbed.load import LoadThreads, insist
from testbed.processes.signing import transaction
from tests.attacks.tally import Tally

T = TypeVar("T")

_CALLERS = 8
_SIGNERS = 3
"""Wallets that all callers sign with, under the same nonces."""
_PATIENCE_SECONDS = 120.0
_PAUSE_SECONDS = 0.01
_SIGNATURES = "SELECT count(*) FROM credential_usage_logs WHERE action_type = 'sign' AND credential_id = ?"
_NONCES = "SELECT nonce FROM strongroom_nonce WHERE credential_id = ?"


class ServerLoad:
    """Eight callers of one vault who create, replace and sign, and one who rotates and rewraps alongside them."""

    def __init__(self, deployment: Deployment, vault: Vault, rng: random.Random) -> None:
        self.told: dict[str, str] = {}
        """The address of each wallet that a caller was told of."""
        self.done = 0
        """Operations that were acknowledged."""
        self.retried: Counter[str] = Counter()
        """How often a caller met each error."""
        self._vault = vault
        self._deployment = deployment
        self._project = deployment.project()
        self._under_way: dict[int, str] = {}
        self._labels = count(1)
        self._nonce = 0
        self._signed: dict[tuple[UUID, int], set[int]] = {}
        self._signers = [vault.create_wallet(self._project, "ethereum", label=f"s{n}")[0] for n in range(_SIGNERS)]
        self._told(*self._signers)
        self._rewrap_wanted = threading.Event()
        rounds: list[Callable[[int], None]] = [
            partial(self._call, number, [], random.Random(rng.random())) for number in range(_CALLERS)
        ]
        self._threads = LoadThreads([*rounds, self._rewrap], patience_seconds=_PATIENCE_SECONDS)
        self.inexcusable = self._threads.failures
        """Errors that are not retryable, or not ours; and answers that contradict an earlier one."""

    def __enter__(self) -> Self:
        self._threads.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._threads.__exit__()

    def go_on(self, operations: int) -> None:
        """Wait until so many more operations were acknowledged; a rewrap begins meanwhile."""
        self._rewrap_wanted.set()
        wanted, deadline = self.done + operations, time.monotonic() + _PATIENCE_SECONDS
        while self.done < wanted and not self.inexcusable:
            assert time.monotonic() < deadline, f"the callers do not come on: {self.retried}"
            time.sleep(0.002)

    def under_way(self) -> Counter[str]:
        """What callers are waiting for at this moment."""
        return Counter(self._under_way.copy().values())

    def settle(self, row: Tally) -> None:
        """After the end: nonces with two signatures, and signatures without their rows."""
        row.duplicates += sum(len(values) - 1 for values in self._signed.values())
        row.acknowledged += len(self._signed)
        for wallet in self._signers:
            nonces = {nonce for signer, nonce in self._signed if signer == wallet.id}
            kept = {int(nonce) for (nonce,) in self._deployment.execute(_NONCES, wallet.id)}
            row.lost += len(nonces - kept)
            row.lost += max(0, len(nonces) - int(self._deployment.execute(_SIGNATURES, wallet.id)[0][0]))

    # --- what callers do ----------------------------------------------------------------------------------------

    def _call(self, number: int, own: list[Wallet], rng: random.Random, _round: int) -> None:
        verb = rng.choice((self._create, self._create_with_key, self._replace, self._sign, self._sign))
        verb(number, own, rng)

    def _create(self, number: int, own: list[Wallet], rng: random.Random) -> None:
        label = f"l{next(self._labels)}"
        network = rng.choice(("ethereum", "solana"))
        wallet, _ = self._until_done(
            number, "create", lambda: self._vault.create_wallet(self._project, network, label=label)
        )
        self._told(wallet)
        own.append(wallet)

    def _create_with_key(self, number: int, own: list[Wallet], rng: random.Random) -> None:
        label = f"l{next(self._labels)}"

        def create() -> strongroom.records.wallets.Created:
            return self._vault.create_wallet(self._project, "ethereum", label=label, idempotency_key=f"order-{label}")

        wallet, _ = self._until_done(number, "create with key", create)
        self._told(wallet)
        own.append(wallet)
        if rng.random() < 0.3:
            self._expect(self._until_done(number, "create again", create) == (wallet, False), "a key's second answer")

    def _replace(self, number: int, own: list[Wallet], rng: random.Random) -> None:
        if not own:
            return
        old = own.pop(rng.randrange(len(own)))
        wallet, _ = self._until_done(number, "replace", lambda: self._vault.replace_wallet(old))
        self._told(wallet)
        again = self._until_done(number, "replace again", lambda: self._vault.replace_wallet(old))
        self._expect(again == (wallet, False), "a second successor")
        own.append(wallet)

    def _sign(self, number: int, own: list[Wallet], rng: random.Random) -> None:
        """Everybody signs something else under the same nonces: of each, one payload is signed."""
        nonce = self._nonce
        wallet = rng.choice(self._signers)
        payload = {**transaction(nonce, 10), "value": number}
        with suppress(NonceConflictError):
            self._until_done(number, "sign", lambda: self._vault.sign_transaction(wallet, payload))
            self._signed.setdefault((wallet.id, nonce), set()).add(number)
        if rng.random() < 0.5:
            self._nonce = max(self._nonce, nonce + 1)

    def _rewrap(self, _round: int) -> None:
        if not self._rewrap_wanted.wait(_PAUSE_SECONDS):
            return
        self._rewrap_wanted.clear()
        self._until_done(_CALLERS, "rotate", self._vault.rotate_sealing_key)
        results = self._until_done(_CALLERS, "rewrap", lambda: list(self._vault.rewrap()))
        self._expect(all(result.error is None for result in results), "a row that was not rewrapped")

    def _until_done(self, number: int, verb: str, work: Callable[[], T]) -> T:
        def once() -> T:
            self._under_way[number] = verb
            try:
                return work()
            finally:
                del self._under_way[number]

        try:
            answer = insist(
                once,
                self._meet,
                patience_seconds=_PATIENCE_SECONDS,
                pause_seconds=_PAUSE_SECONDS,
                ended=self._threads.ended,
            )
        except NonceConflictError:
            self.done += 1
            raise
        self.done += 1
        return answer

    def _meet(self, error: strongroom.StrongroomError) -> None:
        self.retried[error.code] += 1

    def _told(self, *wallets: Wallet) -> None:
        self.told.update({str(wallet.id): wallet.address for wallet in wallets})

    def _expect(self, holds: bool, otherwise: str) -> None:
        if not holds:
            self.inexcusable.append(AssertionError(otherwise))
