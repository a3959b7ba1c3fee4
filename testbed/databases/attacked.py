"""A database that somebody writes to by the bare driver, and what repair and doctor say of it then."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

import strongroom
from strongroom.networks import TABLE
from strongroom.secret import Secret
from testbed.command_line import CommandResult, call
from testbed.databases.deployments import Deployment

KEY = "46" * 32
"""The plaintext key of ``Attacked.in_plaintext``."""
WHO: dict[str, Any] = {"actor": "test", "reason": "drill"}
_RECORD = (
    "INSERT INTO credential_vault_storage (id, credential_id, vault_id, encrypted_private_key, encryption_method, "
    "access_level, created_at, updated_at{more}) VALUES (?, ?, ?, ?, 'AES-256-GCM', 'project_admin', ?, ?{values})"
)
_CREDENTIAL = (
    "INSERT INTO project_credentials (id, project_id, credential_type, network, wallet_address, public_key, "
    "key_vault_id, status, is_active, vault_stored, metadata, created_at, updated_at) "
    "VALUES (?, ?, ?, 'ethereum', ?, ?, ?, 'active', true, true, ?, ?, ?)"
)
_OLD = "1999-01-01T00:00:00+00:00"


def address_of(key: str) -> str:
    return TABLE.get("ethereum").public_half(Secret(bytes.fromhex(key)), "bip44").address


def public_key_of(key: str) -> str:
    return TABLE.get("ethereum").public_half(Secret(bytes.fromhex(key)), "bip44").public_key


@dataclass
class Attacked:
    """A place, and what an attacker writes there by the bare driver."""

    deployment: Deployment
    folder: Path
    ids: list[UUID] = field(default_factory=list)

    def credential(self, project: UUID, address: str, metadata: str = "{}", kind: str = "", key: str = "") -> UUID:
        """A row of project_credentials."""
        wallet = uuid4()
        self.ids.append(wallet)
        kind = kind or f"wallet{len(self.ids)}"
        values = (wallet, project, kind, address, key, f"v-{wallet}", metadata, _OLD, _OLD)
        self.deployment.execute(_CREDENTIAL, *values)
        return wallet

    def record(self, wallet: UUID, text: str, project: UUID) -> str:
        """A row of credential_vault_storage; a trigger's placeholder goes."""
        row = uuid4()
        if self.deployment.backend != "g2":
            self.deployment.execute("DELETE FROM credential_vault_storage WHERE credential_id = ?", wallet)
        more = ("", "") if self.deployment.foreign else (", project_id, backup_created", ", ?, false")
        own = () if self.deployment.foreign else (project,)
        sql = _RECORD.format(more=more[0], values=more[1])
        self.deployment.execute(sql, row, wallet, f"v-{row}", text, _OLD, _OLD, *own)
        return str(row)

    def in_plaintext(self, project: UUID) -> UUID:
        """A wallet whose key is in plaintext and is to be sealed: of tables of ours, one that the register has."""
        if self.deployment.foreign:
            wallet = self.credential(project, address_of(KEY))
            self.record(wallet, KEY, project)
            return wallet
        with self.deployment.open() as vault:
            wallet = vault.import_wallet(project, "ethereum", private_key=KEY).wallet.id
        self.deployment.execute(
            "UPDATE credential_vault_storage SET encrypted_private_key = ? WHERE credential_id = ?", KEY, wallet
        )
        return wallet

    def entry(self, wallet: UUID, text: str, project: UUID, address: str, form: str) -> None:
        """A row of strongroom_vault_history."""
        self.deployment.execute(
            "INSERT INTO strongroom_vault_history (id, project_id, credential_id, network, label, address, public_key, "
            "vault_id, text, form, reason, created_at) VALUES (?, ?, ?, 'ethereum', 'default', ?, '', '', ?, ?, "
            "'guard-update', ?)",
            *(uuid4(), project, wallet, address, text, form, _OLD),
        )

    def repair(self, *options: str) -> CommandResult:
        answer = call("repair", "--database", self.deployment.url, "--root-key", self.deployment.root_key, *options)
        assert "internal-error" not in answer.err
        return answer

    def plan(self, *options: str, stdin: bytes = b"") -> Path:
        """Write a plan."""
        path = self.folder / f"plan-{uuid4()}.json"
        base = ("--database", self.deployment.url, "--root-key", self.deployment.root_key)
        answer = call("repair", *base, "--plan", str(path), *options, stdin=stdin)
        assert answer.code == 0, answer.err
        return path

    def apply(self, path: Path, *options: str, stdin: bytes = b"") -> CommandResult:
        base = ("--database", self.deployment.url, "--root-key", self.deployment.root_key)
        answer = call("repair", *base, "--apply", str(path), *options, stdin=stdin)
        assert "internal-error" not in answer.err
        return answer

    def doctor(self, *options: str, stdin: bytes = b"") -> list[dict[str, Any]]:
        base = ("--database", self.deployment.url, "--root-key", self.deployment.root_key)
        answer = call("doctor", *base, "--json", *options, stdin=stdin)
        assert answer.code in (0, 3), answer.err
        found: list[dict[str, Any]] = json.loads(answer.out)["findings"]
        return found

    def assert_keyless(self, wallet: UUID) -> None:
        """Nothing signs as this wallet."""
        with self.deployment.open() as vault:
            with pytest.raises(strongroom.StrongroomError):
                vault.reveal(wallet, **WHO)
            assert [result.ok for result in vault.verify(wallet)] == [False]


def units(path: Path) -> dict[str, list[dict[str, Any]]]:
    """The actions of a plan, by credential."""
    return {unit["credential_id"]: unit["actions"] for unit in json.loads(path.read_text())["units"]}
