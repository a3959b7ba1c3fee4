"""Roles with what `strongroom grants` prints, on Citus: each does its verbs through the coordinator, and no others."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from uuid import uuid4

import psycopg
import pytest

import strongroom
from testbed.command_line import call
from testbed.databases.rows import execute
from testbed.processes.signing import transaction
from tests.citus.conftest import CITUS_URL

KINDS = ("reader", "creator", "signer", "operator", "doctor")
WHY = {"actor": "operator", "reason": "a test"}


@pytest.fixture(scope="module")
def roles() -> Iterator[dict[str, str]]:
    """A role of each kind, none of which may pass over row-level security; Citus makes them on every node."""
    names = {kind: f"{kind}_{uuid4().hex[:8]}" for kind in KINDS}
    for name in names.values():
        execute(CITUS_URL, f"CREATE ROLE {name} LOGIN NOBYPASSRLS NOSUPERUSER")
    yield names
    for name in names.values():
        execute(CITUS_URL, f"DROP OWNED BY {name}")
        execute(CITUS_URL, f"DROP ROLE {name}")


def grant(url: str, kind: str, role: str) -> None:
    """Run what is printed for a role as one text, as a driver sends it."""
    printed = call("grants", kind, "--print", "--to", role, "--database", url)
    assert printed.code == 0, printed.err
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(printed.out.encode())


@pytest.fixture
def as_role(distributed_url: str, roles: dict[str, str]) -> Callable[[str], str]:
    """The URL for the role of a kind, with what is printed for it."""

    def make(kind: str) -> str:
        grant(distributed_url, kind, roles[kind])
        return url_of(distributed_url, roles[kind])

    return make


def url_of(url: str, role: str) -> str:
    return re.sub(r"//\w+@", f"//{role}@", url, count=1)


def test_what_was_granted_before_the_tables_were_distributed_is_granted_again(
    citus_url: str, roles: dict[str, str], root_key_uri: str
) -> None:
    grant(citus_url, "creator", roles["creator"])
    assert call("distribute", "--apply", "--database", citus_url).code == 0
    project = uuid4()
    with strongroom.open(url_of(citus_url, roles["creator"]), root_key=root_key_uri) as vault:
        wallet = vault.create_wallet(project, "ethereum").wallet
        with pytest.raises(strongroom.PrivilegeMissingError, match="project_credentials"):
            vault.sign_message(wallet, "hello")
        for _ in range(2):  # it may be run again
            grant(citus_url, "creator", roles["creator"])
        assert vault.sign_message(wallet, "hello")


@pytest.mark.parametrize("kind", ["creator", "signer"])
def test_a_creator_creates_and_signs_and_nothing_else(
    kind: str, as_role: Callable[[str], str], root_key_uri: str
) -> None:
    project = uuid4()
    url = as_role(kind)
    with strongroom.open(url, root_key=root_key_uri) as vault:
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
        for verb in (
            lambda: vault.replace_wallet(wallet),
            lambda: vault.revoke_wallet(wallet),
            vault.rotate_sealing_key,
            lambda: vault.erase_project(project, **WHY),
        ):
            with pytest.raises(strongroom.PrivilegeMissingError) as caught:
                verb()
            assert "strongroom grants" in caught.value.hint
        assert vault.get_wallet(wallet.id, project_id=project) == wallet
    with psycopg.connect(url, autocommit=True) as connection:
        for change in (
            "UPDATE strongroom.strongroom_keyring_head SET version = 9",
            "UPDATE strongroom.strongroom_keyring_head SET id = 2",
            "DELETE FROM strongroom.credential_vault_storage",
            "UPDATE strongroom.credential_vault_storage SET encrypted_private_key = ''",
            "UPDATE strongroom.strongroom_nonce SET nonce = 5",
            "TRUNCATE strongroom.credential_usage_logs",
        ):
            with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.CheckViolation)):
                connection.execute(change.encode())
        with pytest.raises(psycopg.errors.FeatureNotSupported):  # of what a lock needs nothing can be changed
            connection.execute("UPDATE strongroom.project_credentials SET project_id = gen_random_uuid()")


@pytest.mark.parametrize("kind", ["reader", "doctor"])
def test_who_reads_is_told_what_it_lacks(
    kind: str, as_role: Callable[[str], str], distributed_url: str, root_key_uri: str
) -> None:
    project = uuid4()
    with strongroom.open(distributed_url, root_key=root_key_uri) as vault:
        wallet = vault.create_wallet(project, "ethereum").wallet
    with strongroom.open(as_role(kind), root_key=root_key_uri) as vault:
        assert vault.get_wallet(wallet) == wallet == vault.find_wallet(project, "ethereum")
        assert vault.find_by_address(wallet.address) == wallet
        assert vault.list_wallets(project).wallets == (wallet,)
        status = vault.status().store
        assert (status.wallets, status.nodes, status.shards) == ({"active": 1}, 2, 32)
        assert [result.code for result in vault.verify()] == [None]
        assert vault.history(wallet).entries == ()
        assert vault.list_log(project_id=project).records
        for verb in (
            lambda: vault.create_wallet(project, "solana"),
            lambda: vault.reveal(wallet, **WHY),
            lambda: vault.sign_message(wallet, "hello"),
            lambda: vault.revoke_wallet(wallet),
            vault.rotate_sealing_key,
        ):
            with pytest.raises(strongroom.PrivilegeMissingError):
                verb()


def test_an_operator_does_every_verb_and_makes_no_table(as_role: Callable[[str], str], root_key_uri: str) -> None:
    project, url = uuid4(), as_role("operator")
    with strongroom.open(url, root_key=root_key_uri) as vault:
        wallet = vault.create_wallet(project, "ethereum").wallet
        other = vault.replace_wallet(wallet).wallet
        vault.rotate_sealing_key()
        assert all(result.rewrapped for result in vault.rewrap())
        vault.revoke_wallet(other)
        assert vault.reveal(wallet, **WHY).private_key is not None
        kept = vault.create_wallet(project, "solana").wallet
        vault.sign_message(kept, "hello")
        assert [result.code for result in vault.verify()] == [None] * 3
        assert vault.erase_project(project, **WHY).complete
    with psycopg.connect(url, autocommit=True) as connection:
        for change in (
            "CREATE TABLE strongroom.mine (id int)",
            "DROP TABLE strongroom.strongroom_nonce",
            "DELETE FROM strongroom.credential_vault_storage",
            "TRUNCATE strongroom.credential_usage_logs",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(change.encode())


def test_doctor_runs_as_its_role(as_role: Callable[[str], str], distributed_url: str, root_key_uri: str) -> None:
    url = as_role("doctor")
    with strongroom.open(distributed_url, root_key=root_key_uri) as vault:
        vault.create_wallet(uuid4(), "ethereum")
    for arguments in ((), ("--root-key", root_key_uri)):
        answer = call("doctor", "--database", url, "--json", *arguments)
        assert answer.code == 0, answer.out
        assert (answer.document["credentials"], answer.document["summary"]) == (1, {})
