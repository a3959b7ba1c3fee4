"""The guard: whatever a legacy application overwrites or deletes is kept with its whole identity, or refused."""

from __future__ import annotations

import sqlite3
from functools import partial
from uuid import uuid4

import psycopg
import pytest

import strongroom
from strongroom import Vault, Wallet
from testbed.databases.deployments import BACKENDS, Deployment
from testbed.databases.foreign import FOREIGN_TEXT
from testbed.databases.guards import EACH_MODE, install, put
from testbed.databases.legacy_application import OTHER, everything, kept, run, verbs

REFUSED = (psycopg.errors.RestrictViolation, sqlite3.IntegrityError)
ROWS = 1000
EACH_VERB = pytest.mark.parametrize(
    ("deployment", "verb"),
    [(backend, verb) for backend in BACKENDS for verb in verbs(backend)],
    indirect=["deployment"],
)


def text_of(deployment: Deployment, wallet: Wallet) -> str:
    return deployment.texts()[wallet.id]


# --- what the legacy application does -------------------------------------------------------------------------------


@pytest.mark.crossed(32)
@EACH_VERB
@pytest.mark.parametrize("custody", ["sealed", "foreign"])
def test_what_would_be_lost_is_kept_with_its_whole_identity(
    deployment: Deployment, wallet: Wallet, verb: str, custody: str
) -> None:
    if custody == "foreign":
        put(deployment, wallet.id, FOREIGN_TEXT)
    text = text_of(deployment, wallet)
    before = kept(deployment, wallet)
    install(deployment)
    run(deployment, verbs(deployment.backend)[verb], wallet.id)
    assert deployment.texts().get(wallet.id) != text
    added = kept(deployment, wallet)[len(before) :]
    if custody == "sealed" and deployment.foreign:
        assert (before[0][0], added) == (text, []), "it was kept when it was written"
    else:
        assert added == [(text, custody, verbs(deployment.backend)[verb].reason)]


@pytest.mark.crossed(32)
@EACH_VERB
@pytest.mark.parametrize("custody", ["sealed", "foreign"])
def test_what_would_lose_a_key_is_refused(deployment: Deployment, wallet: Wallet, verb: str, custody: str) -> None:
    if custody == "foreign":
        put(deployment, wallet.id, FOREIGN_TEXT)
    install(deployment, "refuse")
    *first, last = verbs(deployment.backend)[verb].statements
    if len(first) == 1 and "project_credentials" not in first[0]:
        deployment.execute(first[0], *[wallet.id] * first[0].count("?"))
        first = []
    before = everything(deployment)
    statement = first[0] if first else last
    with pytest.raises(REFUSED, match="strongroom guard") as caught:
        deployment.execute(statement, *[wallet.id] * statement.count("?"))
    assert "--mode archive" in str(caught.value)
    assert FOREIGN_TEXT not in str(caught.value)
    assert everything(deployment) == before


@EACH_MODE
def test_what_loses_nothing_passes_unseen(deployment: Deployment, wallet: Wallet, mode: str) -> None:
    install(deployment, mode)
    before = kept(deployment, wallet)
    text = text_of(deployment, wallet)
    for statement in (
        "UPDATE credential_vault_storage SET access_level = 'project_member', vault_id = 'v2' WHERE credential_id = ?",
        "UPDATE credential_vault_storage SET encrypted_private_key = encrypted_private_key WHERE credential_id = ?",
        "UPDATE project_credentials SET vault_stored = false WHERE id = ?",
    ):
        deployment.execute(statement, wallet.id)
    assert text_of(deployment, wallet) == text
    assert kept(deployment, wallet) == before


@EACH_MODE
@pytest.mark.parametrize("placeholder", ["", "MIGRATION_REQUIRED", "PRIVATE_KEY_NOT_RECOVERABLE"])
def test_a_placeholder_is_nothing_to_keep(deployment: Deployment, wallet: Wallet, mode: str, placeholder: str) -> None:
    put(deployment, wallet.id, placeholder)
    install(deployment, mode)
    before = kept(deployment, wallet)
    put(deployment, wallet.id, FOREIGN_TEXT)
    put_back = partial(put, deployment, wallet.id, "")
    if mode == "refuse":
        with pytest.raises(REFUSED):
            put_back()
        return
    put_back()
    deployment.execute("DELETE FROM credential_vault_storage WHERE credential_id = ?", wallet.id)
    assert kept(deployment, wallet)[len(before) :] == [(FOREIGN_TEXT, "foreign", "guard-update")]


def test_a_text_is_kept_once_and_each_text_is_kept(deployment: Deployment, wallet: Wallet) -> None:
    before = len(kept(deployment, wallet))
    put(deployment, wallet.id, "a")
    install(deployment)
    for text in ("b", "c", "a", "b", "c"):
        put(deployment, wallet.id, text)
    assert [row[0] for row in kept(deployment, wallet)[before:]] == ["a", "b", "c"]


@pytest.mark.one_node
@pytest.mark.parametrize("column", ["wallet_address", "public_key", "project_id", "id"])
@EACH_MODE
def test_a_changed_identity_is_kept_or_refused(deployment: Deployment, wallet: Wallet, column: str, mode: str) -> None:
    put(deployment, wallet.id, FOREIGN_TEXT)
    if column == "id" and deployment.backend != "sqlite":
        deployment.execute(
            "ALTER TABLE credential_vault_storage DROP CONSTRAINT credential_vault_storage_credential_id_fkey"
        )
        deployment.execute(
            "ALTER TABLE credential_vault_storage ADD CONSTRAINT credential_vault_storage_credential_id_fkey "
            "FOREIGN KEY (credential_id) REFERENCES project_credentials (id) ON UPDATE CASCADE"
        )
        deployment.execute("DELETE FROM credential_usage_logs")
    value = deployment.project() if column == "project_id" else uuid4()
    install(deployment, mode)
    before, rows = everything(deployment), kept(deployment, wallet)
    statement = f"UPDATE project_credentials SET {column} = ? WHERE id = ?"
    if mode == "refuse":
        with pytest.raises(REFUSED, match="strongroom guard"):
            deployment.execute(statement, value, wallet.id)
        assert everything(deployment) == before
        return
    deployment.execute(statement, value, wallet.id)
    assert kept(deployment, wallet)[len(rows) :] == [(FOREIGN_TEXT, "foreign", "guard-update")]


@EACH_MODE
@pytest.mark.parametrize("deployment", ["fresh", "sqlite"], indirect=True)
def test_in_tables_of_ours_the_network_is_a_part_of_the_identity(
    deployment: Deployment, wallet: Wallet, mode: str
) -> None:
    install(deployment, mode)
    sql = "UPDATE project_credentials SET network = 'bitcoin' WHERE id = ?"
    if mode == "refuse":
        with pytest.raises(REFUSED, match="strongroom guard"):
            deployment.execute(sql, wallet.id)
    else:
        deployment.execute(sql, wallet.id)
        assert kept(deployment, wallet) == [(text_of(deployment, wallet), "sealed", "guard-update")]


def test_a_record_that_moves_to_another_credential_is_kept_with_the_old_one(
    deployment: Deployment, vault_a: Vault, wallet: Wallet
) -> None:
    other, _ = vault_a.create_wallet(wallet.project_id, "bitcoin")
    deployment.execute("DELETE FROM credential_vault_storage WHERE credential_id = ?", other.id)
    put(deployment, wallet.id, FOREIGN_TEXT)
    before = len(kept(deployment, wallet))
    install(deployment)
    deployment.execute(
        "UPDATE credential_vault_storage SET credential_id = ? WHERE credential_id = ?", other.id, wallet.id
    )
    assert kept(deployment, wallet)[before:] == [(FOREIGN_TEXT, "foreign", "guard-update")]


def test_an_update_of_a_thousand_rows_keeps_a_thousand_texts(deployment: Deployment, vault_a: Vault) -> None:
    wallets = [vault_a.create_wallet(deployment.project(), "solana")[0] for _ in range(8)]
    for wallet in wallets:
        put(deployment, wallet.id, f"old {wallet.id}")
    if deployment.backend == "g2":  # several records of one credential
        deployment.execute(
            "INSERT INTO credential_vault_storage (credential_id, vault_id, encrypted_private_key) "
            f"SELECT '{wallets[0].id}', 'v' || n, 'text ' || n FROM generate_series(1, {ROWS}) n"
        )
    install(deployment)
    deployment.execute("UPDATE credential_vault_storage SET encrypted_private_key = 'gone'")
    found = {row[0] for row in deployment.execute("SELECT text FROM strongroom_vault_history")}
    expected = {f"old {wallet.id}" for wallet in wallets}
    expected |= {f"text {n}" for n in range(1, ROWS + 1)} if deployment.backend == "g2" else set()
    assert expected <= found


def test_what_the_guard_caught_can_be_restored_or_says_why_not(
    deployment: Deployment, vault_a: Vault, wallet: Wallet
) -> None:
    install(deployment)
    put(deployment, wallet.id, OTHER)
    put(deployment, wallet.id, "")
    entries = vault_a.history(wallet).entries
    assert [entry.text for entry in entries][-1] == OTHER
    assert entries[-1].form == "foreign"
    assert entries[-1].reason == "guard-update"
    restored, stored = vault_a.restore(wallet, actor="operator")
    assert stored
    assert [result.ok for result in vault_a.verify(restored)] == [True]
    deployment.execute("DELETE FROM strongroom_vault_history WHERE form = 'sealed'")
    put(deployment, wallet.id, FOREIGN_TEXT)
    deployment.execute("DELETE FROM strongroom_vault_history WHERE form = 'sealed'")
    put(deployment, wallet.id, "")
    with pytest.raises(strongroom.KeyMissingError, match="2 texts are of the legacy application") as caught:
        vault_a.restore(wallet)
    assert FOREIGN_TEXT not in str(caught.value)


# --- our own verbs -------------------------------------------------------------------------------------------


@EACH_MODE
def test_our_own_verbs_pass(deployment: Deployment, vault_a: Vault, mode: str) -> None:
    install(deployment, mode)
    key = "46" * 32
    project = deployment.project()
    hot, _ = vault_a.create_wallet(project, "ethereum", label="hot", idempotency_key="k")
    imported, _ = vault_a.import_wallet(project, "ethereum", private_key=key, label="cold")
    results = vault_a.create_wallets(project, ["bitcoin", "solana"])
    assert all(result.error is None for result in results)
    if deployment.foreign:
        put_sql = "UPDATE credential_vault_storage SET encrypted_private_key = '' WHERE credential_id = ?"
        if mode == "archive":
            deployment.execute(put_sql, imported.id)
            assert vault_a.store_key(imported, private_key=key).stored
            deployment.execute(put_sql, imported.id)
            assert vault_a.restore(imported).stored
    successor, _ = vault_a.replace_wallet(hot)
    assert vault_a.revoke_wallet(imported).status == "revoked"
    vault_a.rotate_sealing_key()
    old = deployment.texts()
    rewrapped = list(vault_a.rewrap())
    assert [each.code for each in rewrapped if not each.ok] == []
    assert sum(each.rewrapped for each in rewrapped) == 5
    for wallet_id, text in old.items():
        rows = deployment.execute(
            "SELECT count(*) FROM strongroom_vault_history WHERE credential_id = ? AND text = ? AND reason = 'rewrap'",
            wallet_id,
            text,
        )
        assert rows == [(1,)], "no second copy"
    reasons = deployment.execute("SELECT reason FROM strongroom_vault_history")
    assert [reason for (reason,) in reasons if reason.startswith("guard")] == []
    assert vault_a.get_wallet(successor.id).status == "active"
    deployment.assert_sound(vault_a)


def test_a_placeholder_is_filled_in_refuse_mode(deployment: Deployment, vault_a: Vault) -> None:
    key = "46" * 32
    imported, _ = vault_a.import_wallet(deployment.project(), "ethereum", private_key=key)
    put(deployment, imported.id, "MIGRATION_REQUIRED")
    install(deployment, "refuse")
    assert vault_a.store_key(imported, private_key=key).stored
    deployment.assert_sound(vault_a)


def test_the_generation_stays_what_it_is_and_no_trigger_is_in_the_way(deployment: Deployment, wallet: Wallet) -> None:
    with deployment.open() as vault:
        before = vault.status().store.generation
    install(deployment)
    strongroom.init(deployment.url, root_key=deployment.root_key).close()
    with deployment.open() as vault:
        assert vault.status().store.generation == before
        assert vault.create_wallet(wallet.project_id, "bitcoin").created


@pytest.mark.parametrize("deployment", ["g2", "g3", "g4"], indirect=True)
@pytest.mark.parametrize("cascade_first", [True, False], ids=["cascade first", "deletion first"])
def test_one_session_may_delete_in_any_order(deployment: Deployment, vault_a: Vault, cascade_first: bool) -> None:
    """The server plans the guard's functions once a session: what a record holds then has to keep its types."""
    first, second = (vault_a.create_wallet(deployment.project(), "ethereum").wallet for _ in range(2))
    install(deployment)
    deletions = [
        ("DELETE FROM projects WHERE id = %s", first.project_id),
        ("DELETE FROM credential_vault_storage WHERE credential_id = %s", second.id),
    ]
    with psycopg.connect(deployment.url, autocommit=True) as session:
        session.execute("DELETE FROM credential_usage_logs")
        for sql, deleted in deletions if cascade_first else reversed(deletions):
            session.execute(sql, [deleted])
    assert all(kept(deployment, wallet) for wallet in (first, second))
