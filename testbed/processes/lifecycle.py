"""Child processes that replace, revoke, rotate, rewrap and erase."""

from __future__ import annotations

import strongroom
from strongroom.store import keyring_store
from testbed.databases.deployments import PAGE
from testbed.harness.child import arm, emit, gate

# --- children ------------------------------------------------------------------------------------------------


def replace(url: str, root_key: str, wallet: str, key: str | None = None) -> None:
    """Replace a wallet, stopped or killed from the first statement on."""
    with strongroom.open(url, root_key=root_key) as vault:
        arm()
        successor, created = vault.replace_wallet(wallet, idempotency_key=key)
        emit({"id": str(successor.id), "address": successor.address, "created": created})


def race_to_replace(url: str, root_key: str, wallet: str) -> None:
    """Replace a wallet at the same moment as every other child."""
    with strongroom.open(url, root_key=root_key) as vault:
        gate()
        successor, created = vault.replace_wallet(wallet)
        emit({"id": str(successor.id), "created": created})


def revoke(url: str, root_key: str, wallet: str) -> None:
    """Revoke a wallet."""
    with strongroom.open(url, root_key=root_key) as vault:
        arm()
        emit({"status": vault.revoke_wallet(wallet).status})


def rotate(url: str, root_key: str) -> None:
    """Make a new sealing key."""
    with strongroom.open(url, root_key=root_key) as vault:
        arm()
        emit({"kid": vault.rotate_sealing_key()})


def rewrap(url: str, root_key: str) -> None:
    """Rewrap everything, a few rows at a time."""
    keyring_store._PAGE = PAGE
    with strongroom.open(url, root_key=root_key) as vault:
        arm()
        results = list(vault.rewrap())
        emit({"rewrapped": sum(result.rewrapped for result in results), "codes": [each.code for each in results]})


def race_to_rewrap(url: str, root_key: str) -> None:
    """Rewrap everything at the same moment as every other child."""
    keyring_store._PAGE = PAGE
    with strongroom.open(url, root_key=root_key) as vault:
        gate()
        results = list(vault.rewrap())
        emit({"rewrapped": sum(result.rewrapped for result in results), "failed": sum(not r.ok for r in results)})


def race_to_rotate(url: str, root_key: str) -> None:
    """Rotate at the same moment as every other child; emit the kid, or the error's code."""
    with strongroom.open(url, root_key=root_key) as vault:
        gate()
        try:
            emit({"kid": vault.rotate_sealing_key()})
        except strongroom.StrongroomError as error:
            emit({"error": error.code})


def add_root_key(url: str, root_key: str, uri: str) -> None:
    """Add a root key."""
    with strongroom.open(url, root_key=root_key) as vault:
        arm()
        vault.add_root_key(uri)
        emit({"added": uri})


def remove_root_key(url: str, root_key: str, uri: str) -> None:
    """Remove a root key."""
    with strongroom.open(url, root_key=root_key) as vault:
        arm()
        vault.remove_root_key(uri)
        emit({"removed": uri})


def seal_after_a_look(url: str, root_key: str, wallet: str, project: str) -> None:
    """In a process of its own: read one wallet, then create another; emit what seals by then."""
    with strongroom.open(url, root_key=root_key) as vault:
        gate()
        ok = all(result.ok for result in vault.verify(wallet))
        created, _ = vault.create_wallet(project, "ethereum", label="later")
        emit({"ok": ok, "id": str(created.id)})


def erase(url: str, root_key: str, project: str) -> None:
    """Erase a project, stopped from the first statement on."""
    with strongroom.open(url, root_key=root_key) as vault:
        arm()
        erased = vault.erase_project(project, actor="operator", reason="request 17")
        emit({"wallets": erased.wallets, "complete": erased.complete})


def race_to_erase(url: str, root_key: str, project: str) -> None:
    """Erase a project at the same moment as every other child."""
    with strongroom.open(url, root_key=root_key) as vault:
        gate()
        erased = vault.erase_project(project, actor="operator", reason="request 17")
        emit({"wallets": erased.wallets, "complete": erased.complete})
