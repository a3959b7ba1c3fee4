"""What child processes do alongside legacy tables."""

from __future__ import annotations

import strongroom
from testbed.harness.child import arm, emit, gate


def store_key(url: str, root_key: str, wallet: str, private_key: str) -> None:
    """Complete a wallet, stopped or killed from the first statement on."""
    with strongroom.open(url, root_key=root_key) as vault:
        arm()
        completed, stored = vault.store_key(wallet, private_key=private_key)
        emit({"id": str(completed.id), "stored": stored})


def store_key_at_once(url: str, root_key: str, wallet: str, private_key: str) -> None:
    """Complete a wallet at the same moment as every other child; emit the outcome, or the error's code."""
    with strongroom.open(url, root_key=root_key) as vault:
        gate()
        try:
            completed, stored = vault.store_key(wallet, private_key=private_key)
        except strongroom.StrongroomError as error:
            emit({"error": error.code})
        else:
            emit({"id": str(completed.id), "stored": stored})
