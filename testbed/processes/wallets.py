"""What child processes do in these tests."""

from __future__ import annotations

import strongroom
from testbed.databases.older_versions import upgrade
from testbed.harness.child import arm, emit, gate

PHRASE = " ".join(["abandon"] * 11 + ["about"])


def create(url: str, root_key: str, project: str, network: str = "ethereum", key: str | None = None) -> None:
    """Create one wallet, stopped or killed from the first statement of the creation on."""
    with strongroom.open(url, root_key=root_key) as vault:
        arm()
        wallet, created = vault.create_wallet(project, network, idempotency_key=key)
        emit({"id": str(wallet.id), "address": wallet.address, "created": created})


def import_phrase(url: str, root_key: str, project: str, key: str | None = None) -> None:
    """Import the standard phrase."""
    with strongroom.open(url, root_key=root_key) as vault:
        arm()
        wallet, created = vault.import_wallet(project, "bitcoin", mnemonic=PHRASE, idempotency_key=key)
        emit({"id": str(wallet.id), "address": wallet.address, "created": created})


def race(url: str, root_key: str, project: str, network: str = "ethereum", key: str | None = None) -> None:
    """Create one wallet at the same moment as every other child; emit it, or the error's code."""
    with strongroom.open(url, root_key=root_key) as vault:
        gate()
        try:
            wallet, created = vault.create_wallet(project, network, idempotency_key=key)
        except strongroom.StrongroomError as error:
            emit({"error": error.code})
        else:
            emit({"id": str(wallet.id), "address": wallet.address, "created": created})


def initialise(url: str, root_key: str) -> None:
    """Initialise at the same moment as every other child; emit the active sealing key, or the error's code."""
    gate()
    try:
        with strongroom.init(url, root_key=root_key) as vault:
            emit({"kid": vault.status().sealing_keys[0].kid})
    except strongroom.StrongroomError as error:
        emit({"error": f"{error.code}: {error}"})


def bring_up_to_date(url: str, root_key: str) -> None:
    """Upgrade at the same moment as every other child; emit the active sealing key, or the error's code."""
    gate()
    try:
        upgrade(url, root_key)
        with strongroom.open(url, root_key=root_key) as vault:
            emit({"kid": vault.status().sealing_keys[0].kid})
    except strongroom.StrongroomError as error:
        emit({"error": error.code})


def warm_up() -> None:
    """Import what children need."""
    import alembic.command  # noqa: F401
    import mnemonic  # noqa: F401
    import psycopg  # noqa: F401

    import strongroom.wiring  # noqa: F401
    from strongroom.crypto.phrase import Phrase

    Phrase.generate()
