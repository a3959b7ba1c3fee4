"""What child processes do that are killed, in addition to what tests/integration lets them do."""

from __future__ import annotations

import strongroom
from strongroom.settings import Settings
from strongroom.wiring import open_guard
from testbed.harness.child import arm, emit
from testbed.processes import wallets


def initialise(url: str, root_key: str) -> None:
    """Make schema and keyring, and the root key where it is missing."""
    arm()
    with strongroom.init(url, root_key=root_key) as vault:
        emit({"kid": vault.status().sealing_keys[0].kid})


def install_guard(url: str, root_key: str, mode: str) -> None:
    """Install the guard; no root key is asked for."""
    guard = open_guard(Settings(database=url))
    arm()
    emit({"state": guard.install(mode).state})


def remove_guard(url: str, root_key: str) -> None:
    """Remove the guard."""
    guard = open_guard(Settings(database=url))
    arm()
    emit({"removed": guard.remove()})


def sign_message(url: str, root_key: str, wallet: str, text: str) -> None:
    """Sign a message."""
    with strongroom.open(url, root_key=root_key) as vault:
        arm()
        emit(vault.sign_message(wallet, text).as_dict())


def derive(url: str, root_key: str, project: str, labels: str) -> None:
    """Create wallets that take the next indices of the project's phrase."""
    with strongroom.open(url, root_key=root_key) as vault:
        arm()
        for made in vault.create_many(project, "ethereum", labels.split()):
            emit({"id": str(made.wallet.id), "address": made.wallet.address})


def expose(url: str, root_key: str, project: str, wallet: str, account: int, what: str) -> None:
    """Let an account's xpub out, or the private key of a wallet in it."""
    with strongroom.open(url, root_key=root_key) as vault:
        arm()
        if what == "xpub":
            vault.export_xpub(project, "base", account=account, actor="test", reason="to be killed")
        else:
            vault.reveal(wallet, project_id=project, actor="test", reason="to be killed")
        emit({"out": what})


def warm_up(url: str, root_key: str) -> None:
    """Import and cache what children need to come to a database of this kind."""
    wallets.warm_up()
    strongroom.open(url, root_key=root_key).close()
