"""Threads that create wallets and sign without pause, retry as documented, and remember what they were told."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, Self, TypeVar
from uuid import UUID, uuid4

import strongroom
from strongroom import Vault
from strongroom.records.wallets import Wallet
from testbed.load import LoadThreads, insist
from testbed.processes.signing import transaction

T = TypeVar("T")
THREADS = 6
_PAUSE_SECONDS = 0.05
_PATIENCE_SECONDS = 60.0


class MadeWallet(NamedTuple):
    """A wallet that was acknowledged, and the key that it was asked for by."""

    project: UUID
    key: str
    wallet: Wallet


class MadeSignature(NamedTuple):
    """A signature that was acknowledged."""

    wallet: Wallet
    nonce: int
    fee: int
    raw: bytes


class Load:
    """Calls of several threads on one vault, until the block is left.

    Each round creates a wallet, signs with it, and signs with a wallet that all threads share under the same nonces,
    each thread another payload. With ``rotates`` one more thread rotates the sealing key and rewraps. ``failures`` has
    what ended a thread: every error but those that say that they may be retried.
    """

    def __init__(self, vault: Vault, shared: Wallet, *, rotates: bool = False) -> None:
        self.wallets: list[MadeWallet] = []
        self.signatures: list[MadeSignature] = []
        self.errors: Counter[str] = Counter()
        self._vault, self._shared = vault, shared
        rounds: list[Callable[[int], None]] = [partial(self._round, number) for number in range(THREADS)]
        self._threads = LoadThreads(rounds + [self._rotate] * rotates, patience_seconds=2 * _PATIENCE_SECONDS)
        self.failures = self._threads.failures

    def __enter__(self) -> Self:
        self._threads.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._threads.__exit__()

    def wait_for_more(self, wallets: int = 2 * THREADS) -> None:
        """Return when so many more wallets were acknowledged, or a thread failed."""
        wanted, deadline = len(self.wallets) + wallets, time.monotonic() + 2 * _PATIENCE_SECONDS
        while len(self.wallets) < wanted and not self.failures:
            assert time.monotonic() < deadline, f"no service: {self.errors}"
            time.sleep(_PAUSE_SECONDS)

    def _round(self, thread: int, number: int) -> None:
        project, key = uuid4(), f"{thread}-{number}"
        wallet = self._insist(lambda: self._vault.create_wallet(project, "ethereum", idempotency_key=key)).wallet
        self.wallets.append(MadeWallet(project, key, wallet))
        self._sign(wallet, 1, 100)
        self._sign(self._shared, number, 100 + thread)

    def _rotate(self, _number: int) -> None:
        self._insist(self._vault.rotate_sealing_key)
        self._insist(lambda: list(self._vault.rewrap()))

    def _sign(self, wallet: Wallet, nonce: int, fee: int) -> None:
        try:
            signed: Any = self._insist(lambda: self._vault.sign_transaction(wallet, transaction(nonce, fee)))
        except strongroom.NonceConflictError:
            if wallet is not self._shared:
                raise
            return
        self.signatures.append(MadeSignature(wallet, nonce, fee, bytes(signed.raw_transaction)))

    def _insist(self, call: Callable[[], T]) -> T:
        return insist(call, self._meet, patience_seconds=_PATIENCE_SECONDS)

    def _meet(self, error: strongroom.StrongroomError) -> None:
        self.errors[error.code] += 1
