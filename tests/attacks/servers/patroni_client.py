"""A process that creates wallets and signs without pause, retries as documented, and prints what it was told.

``python -m tests.attacks.servers.patroni_client NAME URL ROOT_KEY SHARED``, SHARED being the id of a wallet with which
all of these processes sign, under the same nonces, each something else. It ends when its standard input ends. Each line
is a document of JSON; the times are those of the monotonic clock, which the processes of a machine share.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable
from itertools import count
from typing import Any, TypeVar
from uuid import uuid4

import strongroom
from strongroom import Vault
from testbed.load import insist
from testbed.processes.signing import transaction

T = TypeVar("T")

_PAUSE_SECONDS = 0.05
_PATIENCE_SECONDS = 180.0


def main(name: str, url: str, root_key: str, shared: str) -> None:
    """Go on until nobody listens."""
    ended = threading.Event()
    threading.Thread(target=_wait_for_the_end, args=(ended,), daemon=True).start()
    pooled = "6432" in url  # in transaction mode
    with strongroom.open(url, root_key=root_key, prepared_statements=not pooled) as vault:
        _tell("ready")
        for number in count(1):
            if ended.wait(_PAUSE_SECONDS):
                return
            _round(vault, name, number, shared)


def _wait_for_the_end(ended: threading.Event) -> None:
    sys.stdin.read()
    ended.set()


def _round(vault: Vault, name: str, number: int, shared: str) -> None:
    """A wallet, a signature with it, and one that others want under the same nonce."""
    project = uuid4()
    wallet, _ = _insist(lambda: vault.create_wallet(project, "ethereum", idempotency_key=f"{name}-{number}"))
    _tell("wallet", id=str(wallet.id), address=wallet.address, project=str(project), key=f"{name}-{number}")
    _sign(vault, str(wallet.id), 1, 1)
    _sign(vault, shared, number, int(name))


def _sign(vault: Vault, wallet: str, nonce: int, value: int) -> None:
    payload = {**transaction(nonce, 100), "value": value}
    try:
        signed: Any = _insist(lambda: vault.sign_transaction(wallet, payload))
    except strongroom.NonceConflictError:
        _tell("refused", wallet=wallet, nonce=nonce)
        return
    _tell("signature", wallet=wallet, nonce=nonce, value=value, raw=bytes(signed.raw_transaction).hex())


def _insist(call: Callable[[], T]) -> T:
    return insist(call, lambda error: _tell("error", code=error.code), patience_seconds=_PATIENCE_SECONDS)


def _tell(kind: str, **values: Any) -> None:
    print(json.dumps({"kind": kind, "at": time.monotonic(), **values}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
