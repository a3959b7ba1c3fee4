"""A database in which the legacy application writes, and repairs of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from strongroom.records.register import Registered
from strongroom.settings import Settings
from strongroom.usecases.register import recorded
from strongroom.wiring import open_context
from testbed.command_line import CommandResult, call
from testbed.databases.deployments import Deployment, open_deployment
from testbed.databases.foreign import address_of

KEY, OTHER = "45" * 32, "46" * 32
_OLD = "1999-01-01T00:00:00+00:00"
_CREDENTIAL = (
    "INSERT INTO project_credentials (id, project_id, credential_type, network, wallet_address, public_key, "
    "key_vault_id, status, is_active, vault_stored, metadata, created_at, updated_at) "
    "VALUES (?, ?, ?, 'ethereum', ?, '', ?, 'active', true, true, '{{}}', ?, ?)"
).replace("{{}}", "{}")
_RECORD = (
    "INSERT INTO credential_vault_storage (id, credential_id, vault_id, encrypted_private_key, encryption_method, "
    "access_level, created_at, updated_at{more}) VALUES (?, ?, ?, ?, 'AES-256-GCM', 'project_admin', ?, ?{values})"
)


@dataclass
class RepairedDatabase:
    """A database in which the legacy application writes, and repairs of it."""

    deployment: Deployment
    folder: Path
    kinds: Iterator[int] = field(default_factory=lambda: iter(range(99)))

    def add(self, project: UUID, key: str, text: str | None, *, planted: bool = False) -> UUID:
        """A wallet of the legacy application; in tables of ours one of ours, with another text, unless it is
        planted."""
        wallet = uuid4()
        kind = f"kind{next(self.kinds)}"
        if not self.deployment.foreign and not planted:
            with self.deployment.open() as vault:
                wallet = vault.import_wallet(project, "ethereum", private_key=key, label=kind).wallet.id
            self.deployment.execute(
                "UPDATE credential_vault_storage SET encrypted_private_key = ? WHERE credential_id = ?", text, wallet
            )
            return wallet
        self.deployment.execute(
            _CREDENTIAL, wallet, project, kind, address_of("ethereum", key), f"v-{wallet}", _OLD, _OLD
        )
        self.deployment.execute("DELETE FROM credential_vault_storage WHERE credential_id = ?", wallet)  # a trigger's
        if text is not None:
            more = ("", "") if self.deployment.foreign else (", project_id, backup_created", ", ?, false")
            sql = _RECORD.format(more=more[0], values=more[1])
            own = () if self.deployment.foreign else (project,)
            self.deployment.execute(sql, uuid4(), wallet, f"v-{wallet}", text, _OLD, _OLD, *own)
        return wallet

    def run(self, command: str, *options: str) -> CommandResult:
        return call(command, "--database", self.deployment.url, "--root-key", self.deployment.root_key, *options)

    def plan(self, *options: str) -> Path:
        path = self.folder / f"plan-{uuid4()}.json"
        answer = self.run("repair", "--plan", str(path), *options)
        assert answer.code == 0, answer.err
        return path

    def apply(self, path: Path) -> CommandResult:
        answer = self.run("repair", "--apply", str(path), "--json")
        assert "internal-error" not in answer.err
        return answer

    def repair(self, *options: str) -> CommandResult:
        answer = self.apply(self.plan(*options))
        assert answer.code == 0, answer.err
        return answer

    def record(self, wallet: UUID) -> Registered | None:
        """The record of a wallet, if its tag fits."""
        context = open_context(Settings(database=self.deployment.url, root_key=self.deployment.root_key))
        try:
            return recorded(context, wallet)
        finally:
            context.close()

    def register(self) -> list[tuple[Any, ...]]:
        return sorted(map(repr, self.deployment.execute("SELECT * FROM strongroom_wallet"))) + sorted(  # type: ignore[return-value]
            map(repr, self.deployment.execute("SELECT * FROM strongroom_slot"))
        )

    def doctor(self, wallet: UUID) -> set[str]:
        """The codes that doctor gives for a wallet."""
        found = json.loads(self.run("doctor", "--json").out)["findings"]
        return {each["code"] for each in found if each["credential_id"] == str(wallet)}


@contextmanager
def repaired_database(backend: str, request: pytest.FixtureRequest, folder: Path) -> Iterator[RepairedDatabase]:
    with open_deployment(backend, request) as deployment:
        yield RepairedDatabase(deployment, folder)


def kept_of(deployment: Deployment, wallet: UUID) -> list[tuple[Any, ...]]:
    """Project, form and text of what the history keeps of a wallet."""
    sql = "SELECT project_id::text, form, text FROM strongroom_vault_history WHERE credential_id = ? ORDER BY id"
    return deployment.execute(sql, wallet)
