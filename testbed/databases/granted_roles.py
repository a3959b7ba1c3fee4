"""Roles with what ``strongroom grants`` prints: what each of them does and is refused, on one server as on Citus."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

import strongroom
from strongroom import Vault, Wallet
from testbed.command_line import call
from testbed.databases.rows import execute
from testbed.processes.signing import transaction

WHY: dict[str, Any] = {"actor": "operator", "reason": "a test"}
NOT_A_CREATORS = (
    "UPDATE strongroom.strongroom_keyring_head SET version = 9",
    "UPDATE strongroom.strongroom_keyring_head SET id = 2",
    "DELETE FROM strongroom.credential_vault_storage",
    "UPDATE strongroom.credential_vault_storage SET encrypted_private_key = ''",
    "UPDATE strongroom.strongroom_nonce SET nonce = '5'",
    "TRUNCATE strongroom.credential_usage_logs",
)
"""Changes that a role which creates and signs is refused."""
NOT_AN_OPERATORS = (
    "CREATE TABLE strongroom.mine (id int)",
    "DROP TABLE strongroom.strongroom_nonce",
    "DELETE FROM strongroom.credential_vault_storage",
    "TRUNCATE strongroom.credential_usage_logs",
)
"""Changes that no role of strongroom may make."""


def create_roles(url: str, kinds: Iterable[str]) -> dict[str, str]:
    """The name of a new role of each kind, none of which may bypass row-level security."""
    names = {kind: f"{kind}_{uuid4().hex[:8]}" for kind in kinds}
    for name in names.values():
        execute(url, f"CREATE ROLE {name} LOGIN NOBYPASSRLS NOSUPERUSER")
    return names


def url_of(url: str, role: str) -> str:
    """The same database as another role."""
    return re.sub(r"//\w+@", f"//{role}@", url, count=1)


def printed(url: str, kind: str, role: str) -> str:
    """What is printed for a role."""
    answer = call("grants", kind, "--print", "--to", role, "--database", url)
    assert answer.code == 0, answer.err
    return answer.out


def grant(url: str, kind: str, role: str) -> None:
    """Run what is printed for a role as one text, as a driver sends it; twice, since it may be run again."""
    script = printed(url, kind, role)
    with psycopg.connect(url, autocommit=True) as connection:
        for _ in range(2):
            connection.execute(script.encode())


def refusal(verb: Callable[[], object]) -> strongroom.PrivilegeMissingError:
    """The error of a verb for which a privilege is missing."""
    with pytest.raises(strongroom.PrivilegeMissingError) as caught:
        verb()
    return caught.value


def assert_changes_nothing(url: str, changes: Iterable[str]) -> None:
    """Each of these statements is refused."""
    with psycopg.connect(url, autocommit=True) as connection:
        for change in changes:
            with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.CheckViolation)):
                connection.execute(change.encode())


def assert_creates_and_signs(url: str, project: UUID, root_key: str) -> None:
    """A creator makes three wallets, signs with them and reveals their keys, and is refused everything else."""
    with strongroom.open(url, root_key=root_key) as vault:
        wallet, created = vault.create_wallet(project, "ethereum")
        assert created
        assert vault.create_wallet(project, "ethereum") == (wallet, False)
        assert vault.create_wallet(project, "solana", idempotency_key="k").created
        assert vault.import_wallet(project, "ethereum", label="i", private_key="11" * 32).created
        assert vault.sign_message(wallet, "hello")
        vault.sign_transaction(wallet, transaction(1, 100))
        vault.sign_transaction(wallet, transaction(1, 300), replace=True)
        with pytest.raises(strongroom.NonceConflictError):
            vault.sign_transaction(wallet, transaction(1, 400))
        assert vault.reveal(wallet, **WHY).private_key is not None
        assert [result.code for result in vault.verify()] == [None] * 3
        for verb in (lambda: vault.replace_wallet(wallet), lambda: vault.revoke_wallet(wallet)):
            refused = refusal(verb)
            assert re.search(r"table (project_credentials|strongroom_(slot|wallet))", str(refused))
            assert "UPDATE" in refused.message
            assert "strongroom grants" in refused.hint
        assert "strongroom_keyring" in str(refusal(vault.rotate_sealing_key))
        assert "strongroom grants" in refusal(lambda: vault.erase_project(project, **WHY)).hint
        assert vault.get_wallet(wallet.id, project_id=project) == wallet
    assert_changes_nothing(url, NOT_A_CREATORS)


def assert_reads(vault: Vault, wallet: Wallet) -> None:
    """The only wallet of a vault is read in every way, and a reader is told what it lacks for the other verbs."""
    project = wallet.project_id
    assert vault.get_wallet(wallet) == wallet == vault.find_wallet(project, "ethereum")
    assert vault.find_by_address(wallet.address) == wallet
    assert vault.list_wallets(project).wallets == (wallet,)
    assert vault.status().store.wallets == {"active": 1}
    assert [result.code for result in vault.verify()] == [None]
    assert vault.history(wallet).entries == ()
    assert vault.list_log(project_id=project).records
    refused = refusal(lambda: vault.create_wallet(project, "solana"))
    assert "INSERT" in refused.message
    assert "on the table" in refused.message
    assert "credential_usage_logs" in str(refusal(lambda: vault.reveal(wallet, **WHY)))
    for verb in (
        lambda: vault.sign_message(wallet, "hello"),
        lambda: vault.revoke_wallet(wallet),
        vault.rotate_sealing_key,
    ):
        refusal(verb)


def do_every_verb(vault: Vault, project: UUID) -> Wallet:
    """What an operator does, all but an erasure; a wallet that stays."""
    wallet = vault.create_wallet(project, "ethereum").wallet
    other = vault.replace_wallet(wallet).wallet
    vault.rotate_sealing_key()
    assert all(result.rewrapped for result in vault.rewrap())
    vault.revoke_wallet(other)
    assert vault.reveal(wallet, **WHY).private_key is not None
    kept = vault.create_wallet(project, "solana").wallet
    vault.sign_message(kept, "hello")
    assert [result.code for result in vault.verify()] == [None] * 3
    return kept


def assert_doctor_runs(url: str, root_key: str) -> None:
    """Doctor examines the only wallet of a vault, with and without its root key, and finds nothing."""
    for arguments in ((), ("--root-key", root_key)):
        answer: Any = call("doctor", "--database", url, "--json", *arguments)
        assert answer.code == 0, answer.out
        assert (answer.document["credentials"], answer.document["summary"]) == (1, {})
