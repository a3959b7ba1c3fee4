"""Taking a wallet as its rows say it, without a terminal."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from strongroom.records.usage_log import Attribution
from strongroom.settings import Settings
from strongroom.wiring import open_upgrade
from testbed.databases.deployments import Deployment


def accept_decided(deployment: Deployment, wallet: UUID) -> list[Any]:
    """As a person who said yes at a terminal."""
    opened = open_upgrade(Settings(database=deployment.url, root_key=deployment.root_key), Attribution())
    try:
        return list(opened.accept(wallet, Attribution(), decided=True))
    finally:
        opened.vault_context.close()
