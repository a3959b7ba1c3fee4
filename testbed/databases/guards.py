"""The guard, installed on a deployment, and what the legacy application does to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest

from strongroom import Vault, Wallet
from strongroom.settings import Settings
from strongroom.store.guard.installer import Guard
from strongroom.wiring import open_guard
from testbed.databases.deployments import Deployment
from testbed.databases.foreign import GENERATIONS

MODES = ("archive", "refuse")
POSTGRESQL = pytest.mark.parametrize("deployment", ["fresh", *GENERATIONS], indirect=True)
FOREIGN = pytest.mark.parametrize("deployment", GENERATIONS, indirect=True)
SQLITE = pytest.mark.parametrize("deployment", ["sqlite"], indirect=True)
EACH_MODE = pytest.mark.parametrize("mode", MODES)


@contextmanager
def opened(deployment: Deployment) -> Iterator[Guard]:
    guard = open_guard(Settings(database=deployment.url))
    try:
        yield guard
    finally:
        guard.close()


def install(deployment: Deployment, mode: str = "archive") -> None:
    with opened(deployment) as guard:
        assert (guard.install(mode).state, guard.status().mode) == ("installed", mode)


def put(deployment: Deployment, wallet: UUID, text: str) -> None:
    """The legacy application's own text, without a guard."""
    deployment.execute(
        "UPDATE credential_vault_storage SET encrypted_private_key = ? WHERE credential_id = ?", text, wallet
    )


WHO: dict[str, Any] = {"actor": "test", "reason": "to compare"}


def key_of(vault: Vault, wallet: Wallet) -> str:
    return vault.reveal(wallet.id, **WHO).private_key.reveal_text()


def rows_gone(deployment: Deployment, wallet: UUID) -> None:
    """By hand, with the guard installed: logs, record and credential."""
    for table, column in (
        ("credential_usage_logs", "credential_id"),
        ("credential_vault_storage", "credential_id"),
        ("project_credentials", "id"),
    ):
        deployment.execute(f"DELETE FROM {table} WHERE {column} = ?", wallet)
