"""The guard: whatever an old application overwrites or deletes is kept with its whole identity, or refused."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from uuid import UUID, uuid4

import psycopg
import pytest

import strongroom
from strongroom import Vault, Wallet
from strongroom.settings import Settings
from strongroom.store.guard.installer import Guard
from strongroom.wiring import open_guard
from tests.integration.children_lifecycle import GROUNDS, Place
from tests.integration.foreign import FOREIGN_TEXT, GENERATIONS
from tests.integration.old_application import OTHER, everything, kept, run, verbs

MODES = ("archive", "refuse")
REFUSED = (psycopg.errors.RestrictViolation, sqlite3.IntegrityError)
ROWS = 1000
POSTGRESQL = pytest.mark.parametrize("place", ["fresh", *GENERATIONS], indirect=True)
FOREIGN = pytest.mark.parametrize("place", GENERATIONS, indirect=True)
SQLITE = pytest.mark.parametrize("place", ["sqlite"], indirect=True)
EACH_MODE = pytest.mark.parametrize("mode", MODES)
EACH_VERB = pytest.mark.parametrize(
    ("place", "verb"), [(ground, verb) for ground in GROUNDS for verb in verbs(ground)], indirect=["place"]
)


@contextmanager
def opened(place: Place) -> Iterator[Guard]:
    guard = open_guard(Settings(database=place.url))
    try:
        yield guard
    finally:
        guard.close()


def install(place: Place, mode: str = "archive") -> None:
    with opened(place) as guard:
        assert (guard.install(mode).state, guard.status().mode) == ("installed", mode)


def put(place: Place, wallet: UUID, text: str) -> None:
    """The old application's own text, without a guard."""
    place.execute("UPDATE credential_vault_storage SET encrypted_private_key = ? WHERE credential_id = ?", text, wallet)


def text_of(place: Place, wallet: Wallet) -> str:
    return place.texts()[wallet.id]


@pytest.fixture
def wallet(place: Place, here: Vault) -> Wallet:
    """A wallet of ours with a label of its own."""
    return here.create_wallet(place.project(), "solana", label="hot")[0]


# --- what the old application does -------------------------------------------------------------------------------


@EACH_VERB
@pytest.mark.parametrize("custody", ["sealed", "foreign"])
def test_what_would_be_lost_is_kept_with_its_whole_identity(
    place: Place, wallet: Wallet, verb: str, custody: str
) -> None:
    if custody == "foreign":
        put(place, wallet.id, FOREIGN_TEXT)
    text = text_of(place, wallet)
    before = kept(place, wallet)
    install(place)
    run(place, verbs(place.ground)[verb], wallet.id)
    assert place.texts().get(wallet.id) != text
    added = kept(place, wallet)[len(before) :]
    if custody == "sealed" and place.foreign:
        assert (before[0][0], added) == (text, []), "it was kept when it was written"
    else:
        assert added == [(text, custody, verbs(place.ground)[verb].reason)]


@EACH_VERB
@pytest.mark.parametrize("custody", ["sealed", "foreign"])
def test_what_would_lose_a_key_is_refused(place: Place, wallet: Wallet, verb: str, custody: str) -> None:
    if custody == "foreign":
        put(place, wallet.id, FOREIGN_TEXT)
    install(place, "refuse")
    *first, last = verbs(place.ground)[verb].statements
    if len(first) == 1 and "project_credentials" not in first[0]:
        place.execute(first[0], *[wallet.id] * first[0].count("?"))
        first = []
    before = everything(place)
    statement = first[0] if first else last
    with pytest.raises(REFUSED, match="strongroom guard") as caught:
        place.execute(statement, *[wallet.id] * statement.count("?"))
    assert "--mode archive" in str(caught.value)
    assert FOREIGN_TEXT not in str(caught.value)
    assert everything(place) == before


@EACH_MODE
def test_what_loses_nothing_passes_unseen(place: Place, wallet: Wallet, mode: str) -> None:
    install(place, mode)
    before = kept(place, wallet)
    text = text_of(place, wallet)
    for statement in (
        "UPDATE credential_vault_storage SET access_level = 'project_member', vault_id = 'v2' WHERE credential_id = ?",
        "UPDATE credential_vault_storage SET encrypted_private_key = encrypted_private_key WHERE credential_id = ?",
        "UPDATE project_credentials SET vault_stored = false WHERE id = ?",
    ):
        place.execute(statement, wallet.id)
    assert text_of(place, wallet) == text
    assert kept(place, wallet) == before


@EACH_MODE
@pytest.mark.parametrize("placeholder", ["", "MIGRATION_REQUIRED", "PRIVATE_KEY_NOT_RECOVERABLE"])
def test_a_placeholder_is_nothing_to_keep(place: Place, wallet: Wallet, mode: str, placeholder: str) -> None:
    put(place, wallet.id, placeholder)
    install(place, mode)
    before = kept(place, wallet)
    put(place, wallet.id, FOREIGN_TEXT)
    put_back = partial(put, place, wallet.id, "")
    if mode == "refuse":
        with pytest.raises(REFUSED):
            put_back()
        return
    put_back()
    place.execute("DELETE FROM credential_vault_storage WHERE credential_id = ?", wallet.id)
    assert kept(place, wallet)[len(before) :] == [(FOREIGN_TEXT, "foreign", "guard-update")]


def test_a_text_is_kept_once_and_each_text_is_kept(place: Place, wallet: Wallet) -> None:
    before = len(kept(place, wallet))
    put(place, wallet.id, "a")
    install(place)
    for text in ("b", "c", "a", "b", "c"):
        put(place, wallet.id, text)
    assert [row[0] for row in kept(place, wallet)[before:]] == ["a", "b", "c"]


@pytest.mark.parametrize("column", ["wallet_address", "public_key", "project_id", "id"])
@EACH_MODE
def test_a_changed_identity_is_kept_or_refused(place: Place, wallet: Wallet, column: str, mode: str) -> None:
    put(place, wallet.id, FOREIGN_TEXT)
    if column == "id" and place.ground != "sqlite":
        place.execute(
            "ALTER TABLE credential_vault_storage DROP CONSTRAINT credential_vault_storage_credential_id_fkey"
        )
        place.execute(
            "ALTER TABLE credential_vault_storage ADD CONSTRAINT credential_vault_storage_credential_id_fkey "
            "FOREIGN KEY (credential_id) REFERENCES project_credentials (id) ON UPDATE CASCADE"
        )
        place.execute("DELETE FROM credential_usage_logs")
    value = place.project() if column == "project_id" else uuid4()
    install(place, mode)
    before, rows = everything(place), kept(place, wallet)
    statement = f"UPDATE project_credentials SET {column} = ? WHERE id = ?"
    if mode == "refuse":
        with pytest.raises(REFUSED, match="strongroom guard"):
            place.execute(statement, value, wallet.id)
        assert everything(place) == before
        return
    place.execute(statement, value, wallet.id)
    assert kept(place, wallet)[len(rows) :] == [(FOREIGN_TEXT, "foreign", "guard-update")]


@EACH_MODE
@pytest.mark.parametrize("place", ["fresh", "sqlite"], indirect=True)
def test_in_tables_of_ours_the_network_is_a_part_of_the_identity(place: Place, wallet: Wallet, mode: str) -> None:
    install(place, mode)
    sql = "UPDATE project_credentials SET network = 'bitcoin' WHERE id = ?"
    if mode == "refuse":
        with pytest.raises(REFUSED, match="strongroom guard"):
            place.execute(sql, wallet.id)
    else:
        place.execute(sql, wallet.id)
        assert kept(place, wallet) == [(text_of(place, wallet), "sealed", "guard-update")]


def test_a_record_that_moves_to_another_credential_is_kept_with_the_old_one(
    place: Place, here: Vault, wallet: Wallet
) -> None:
    other, _ = here.create_wallet(wallet.project_id, "bitcoin")
    place.execute("DELETE FROM credential_vault_storage WHERE credential_id = ?", other.id)
    put(place, wallet.id, FOREIGN_TEXT)
    before = len(kept(place, wallet))
    install(place)
    place.execute("UPDATE credential_vault_storage SET credential_id = ? WHERE credential_id = ?", other.id, wallet.id)
    assert kept(place, wallet)[before:] == [(FOREIGN_TEXT, "foreign", "guard-update")]


def test_an_update_of_a_thousand_rows_keeps_a_thousand_texts(place: Place, here: Vault) -> None:
    wallets = [here.create_wallet(place.project(), "solana")[0] for _ in range(8)]
    for wallet in wallets:
        put(place, wallet.id, f"old {wallet.id}")
    if place.ground == "g2":  # several records of one credential
        place.execute(
            "INSERT INTO credential_vault_storage (credential_id, vault_id, encrypted_private_key) "
            f"SELECT '{wallets[0].id}', 'v' || n, 'text ' || n FROM generate_series(1, {ROWS}) n"
        )
    install(place)
    place.execute("UPDATE credential_vault_storage SET encrypted_private_key = 'gone'")
    found = {row[0] for row in place.execute("SELECT text FROM strongroom_vault_history")}
    expected = {f"old {wallet.id}" for wallet in wallets}
    expected |= {f"text {n}" for n in range(1, ROWS + 1)} if place.ground == "g2" else set()
    assert expected <= found


def test_what_the_guard_caught_can_be_restored_or_says_why_not(place: Place, here: Vault, wallet: Wallet) -> None:
    install(place)
    put(place, wallet.id, OTHER)
    put(place, wallet.id, "")
    entries = here.history(wallet).entries
    assert [entry.text for entry in entries][-1] == OTHER
    assert entries[-1].form == "foreign"
    assert entries[-1].reason == "guard-update"
    restored, stored = here.restore(wallet, actor="operator")
    assert stored
    assert [result.ok for result in here.verify(restored)] == [True]
    place.execute("DELETE FROM strongroom_vault_history WHERE form = 'sealed'")
    put(place, wallet.id, FOREIGN_TEXT)
    place.execute("DELETE FROM strongroom_vault_history WHERE form = 'sealed'")
    put(place, wallet.id, "")
    with pytest.raises(strongroom.KeyMissingError, match="2 texts are of another application") as caught:
        here.restore(wallet)
    assert FOREIGN_TEXT not in str(caught.value)


# --- our own verbs -------------------------------------------------------------------------------------------


@EACH_MODE
def test_our_own_verbs_pass(place: Place, here: Vault, mode: str) -> None:
    install(place, mode)
    key = "46" * 32
    project = place.project()
    hot, _ = here.create_wallet(project, "ethereum", label="hot", idempotency_key="k")
    imported, _ = here.import_wallet(project, "ethereum", private_key=key, label="cold")
    results = here.create_wallets(project, ["bitcoin", "solana"])
    assert all(result.error is None for result in results)
    if place.foreign:
        put_sql = "UPDATE credential_vault_storage SET encrypted_private_key = '' WHERE credential_id = ?"
        if mode == "archive":
            place.execute(put_sql, imported.id)
            assert here.store_key(imported, private_key=key).stored
            place.execute(put_sql, imported.id)
            assert here.restore(imported).stored
    successor, _ = here.replace_wallet(hot)
    assert here.revoke_wallet(imported).status == "revoked"
    here.rotate_sealing_key()
    old = place.texts()
    rewrapped = list(here.rewrap())
    assert [each.code for each in rewrapped if not each.ok] == []
    assert sum(each.rewrapped for each in rewrapped) == 5
    for wallet_id, text in old.items():
        rows = place.execute(
            "SELECT count(*) FROM strongroom_vault_history WHERE credential_id = ? AND text = ? AND reason = 'rewrap'",
            wallet_id,
            text,
        )
        assert rows == [(1,)], "no second copy"
    reasons = place.execute("SELECT reason FROM strongroom_vault_history")
    assert [reason for (reason,) in reasons if reason.startswith("guard")] == []
    assert here.get_wallet(successor.id).status == "active"
    place.assert_sound(here)


def test_a_placeholder_is_filled_in_refuse_mode(place: Place, here: Vault) -> None:
    key = "46" * 32
    imported, _ = here.import_wallet(place.project(), "ethereum", private_key=key)
    put(place, imported.id, "MIGRATION_REQUIRED")
    install(place, "refuse")
    assert here.store_key(imported, private_key=key).stored
    place.assert_sound(here)


def test_the_generation_stays_what_it_is_and_no_trigger_is_in_the_way(place: Place, wallet: Wallet) -> None:
    with place.open() as vault:
        before = vault.status().store.generation
    install(place)
    strongroom.init(place.url, root_key=place.root_key).close()
    with place.open() as vault:
        assert vault.status().store.generation == before
        assert vault.create_wallet(wallet.project_id, "bitcoin").created
