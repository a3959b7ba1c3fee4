"""Repair, and the verbs that archive a stored text, where tables are divided by project, and where they could be.

``tests/citus/test_repair.py`` runs the same on nodes.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from strongroom.records.register import SlotRecord
from strongroom.records.usage_log import Attribution, LogEntry
from strongroom.settings import Settings
from strongroom.store import change_writer
from strongroom.store.repair_changes import Recording, RelatedRows, WalletChangeSet
from strongroom.store.repair_store import SqlRepairStore
from strongroom.store.sql_store import SqlStore
from strongroom.usecases.register import recorded
from strongroom.usecases.tagging import register, tag_slot
from strongroom.wiring import open_context
from testbed.command_line import PHRASE, PHRASE_KEY
from testbed.databases.attacked import Attacked, units
from testbed.databases.deployments import Deployment
from testbed.databases.foreign import address_of
from testbed.databases.guards import WHO, key_of, put, rows_gone
from testbed.databases.moved_rows import WALLET_ROWS, divided, move, put_row
from testbed.defects.locked import KEYSTORE_PASSWORD, LEGACY_PASSWORD, envelope_text, keystore_text
from tests.integration.repaired_database import KEY, OTHER, RepairedDatabase, kept_of

PARTLY = 6
THIRD = "48" * 32
EMPTIED = "PRIVATE_KEY_NOT_RECOVERABLE"


@pytest.fixture
def repaired(place: Deployment, private_path: Path) -> RepairedDatabase:
    return RepairedDatabase(place, private_path)


# --- repair ----------------------------------------------------------------------------------------------------


def test_a_plan_for_wallets_of_several_projects_is_carried_out(repaired: RepairedDatabase) -> None:
    place = repaired.deployment
    keys = [f"{number:02x}" * 32 for number in range(81, 87)]
    wallets = [repaired.add(place.project(), key, key) for key in keys]
    answer = repaired.repair()
    assert json.loads(answer.out)["wallets"]["done"] == len(wallets)
    with place.open() as vault:
        assert [result.ok for result in vault.verify()] == [True] * len(wallets)
        assert {key_of(vault, vault.get_wallet(each)).removeprefix("0x") for each in wallets} == set(keys)
    assert all(repaired.doctor(each) == set() for each in wallets)
    logged = place.execute("SELECT credential_id FROM credential_usage_logs WHERE action_type = 'repair'")
    assert sorted(str(each) for (each,) in logged) == sorted(map(str, wallets))


DONE = {
    *(("seal", code) for code in ("plaintext-key", "plaintext-mnemonic", "encoded-key", "legacy-envelope", "keystore")),
    *(("fill", "placeholder"), ("fill", "missing-vault-record"), ("move", "key-in-metadata")),
    *(("relabel", code) for code in ("wrong-label", "identity-changed", "stored-flag-wrong")),
    *(("retire", "live-after-revoke"), ("unlink", "shared-key-vault-id"), ("seal", "foreign-history")),
}
"""What is done about findings of tables of ours; of retired wallets and slots the test after the next is."""


def damage(repaired: RepairedDatabase) -> dict[UUID, str]:
    """A wallet of a project of its own for each of ``DONE``, and its key; the last one is revoked."""
    place, keys = repaired.deployment, iter(f"{number:02x}" * 32 for number in range(64, 96))
    found = {}

    def add(text: Callable[[str], str] | None = None) -> UUID:
        key = next(keys)
        with place.open() as vault:
            wallet = vault.import_wallet(place.project(), "ethereum", private_key=key).wallet
        found[wallet.id] = key
        if text is not None:
            put(place, wallet.id, text(key))
        return wallet.id

    add(str)
    add(lambda key: base64.b64encode(bytes.fromhex(key)).decode())
    add(lambda key: envelope_text(key, LEGACY_PASSWORD, bytes(16), bytes(16)))
    add(lambda key: keystore_text(bytes.fromhex(key), KEYSTORE_PASSWORD, bytes(32), bytes(16), UUID(int=1)))
    with place.open() as vault:
        phrase = vault.import_wallet(place.project(), "ethereum", mnemonic=PHRASE).wallet
    found[phrase.id] = PHRASE_KEY
    put(place, phrase.id, PHRASE)
    in_metadata = add(lambda _: "")
    place.execute(
        "UPDATE project_credentials SET metadata = metadata || jsonb_build_object('private_key_encrypted', ?::text) "
        "WHERE id = ?",
        *(found[in_metadata], in_metadata),
    )
    lost = add()
    sealed = place.texts()
    project, address = said(place, lost)
    Attacked(place, repaired.folder).entry(lost, sealed[lost], project, address, "sealed")
    place.execute("DELETE FROM credential_vault_storage WHERE credential_id = ?", lost)
    place.execute(
        "UPDATE credential_vault_storage SET encryption_method = 'AES-256-CBC' WHERE credential_id = ?", add()
    )
    place.execute("UPDATE project_credentials SET wallet_address = ? WHERE id = ?", address_of("ethereum", KEY), add())
    place.execute("UPDATE project_credentials SET vault_stored = false WHERE id = ?", add())
    one, other = add(), add()
    place.execute("UPDATE project_credentials SET key_vault_id = ? WHERE id = ?", f"vault_{one}", other)
    kept = add()
    project, address = said(place, kept)
    Attacked(place, repaired.folder).entry(kept, found[kept], project, address, "foreign")
    revoked = add()
    with place.open() as vault:
        vault.revoke_wallet(revoked)
    place.execute(
        "UPDATE credential_vault_storage SET access_level = 'project_admin', revoked_at = NULL WHERE credential_id = ?",
        revoked,
    )
    return found


def said(place: Deployment, wallet: UUID) -> tuple[UUID, str]:
    """Project and address of a wallet, as its row says them."""
    ((project, address),) = place.execute(
        "SELECT project_id, wallet_address FROM project_credentials WHERE id = ?", wallet
    )
    return project, address


def test_each_kind_of_finding_is_repaired(repaired: RepairedDatabase) -> None:
    place = repaired.deployment
    keys = damage(repaired)
    attacked = Attacked(place, repaired.folder)
    passwords = "--legacy-password-stdin", "--keystore-password-stdin"
    lines = f"{LEGACY_PASSWORD}\n{KEYSTORE_PASSWORD}\n".encode()
    plan = attacked.plan(*passwords, stdin=lines)
    assert {(each["do"], each["code"]) for actions in units(plan).values() for each in actions} == DONE
    assert attacked.apply(plan, *passwords, stdin=lines).code == 0
    assert units(attacked.plan(*passwords, stdin=lines)) == {}
    with place.open() as vault:
        assert [result.ok for result in vault.verify()] == [True] * len(keys)
        assert {each: key_of(vault, vault.get_wallet(each)).removeprefix("0x") for each in keys} == keys
    everything = str([place.execute(f"SELECT * FROM {table}") for table in (*WALLET_ROWS, "strongroom_vault_history")])
    assert [key for key in keys.values() if key in everything] == []


def test_the_slot_and_the_rows_of_a_retired_wallet_are_settled(repaired: RepairedDatabase) -> None:
    """As the store is asked to: in tables of ours the register lets no two live wallets have one slot."""
    place = repaired.deployment
    project = place.project()
    with place.open() as vault:
        retired = vault.import_wallet(project, "ethereum", private_key=KEY).wallet
        stays = vault.import_wallet(project, "ethereum", private_key=OTHER, label="second").wallet
    context = open_context(Settings(database=place.url, root_key=place.root_key))
    try:
        assert isinstance(context.store, SqlStore)
        store = context.store.repair
        found, keeper = store.read_wallet(retired.id), store.read_wallet(stays.id)
        assert found is not None
        assert keeper is not None
        old = recorded(context, retired.id)
        assert old is not None
        record = old.record._replace(status="replaced", version=old.record.version + 1)
        taken = SlotRecord(project, "ethereum", "default", stays.id, 1)
        tags = Recording.SlotTags(tag_slot(context, taken), tag_slot(context, taken._replace(version=2)), 1)
        changes = WalletChangeSet(
            credential={"is_active": False, "status": "replaced"},
            slot=("ethereum", "default", stays.id),
            recording=Recording(old, register(context, record), tags),
        )
        entry, now = LogEntry("repair", Attribution()), context.clock()
        related = RelatedRows(wallets={str(stays.id): keeper})
        assert store.apply_changes(retired, found, changes, entry, now, related)
        assert not store.apply_changes(retired, found, changes, entry, now, related), "it is another row by now"
        found = store.read_wallet(retired.id)
        assert found is not None
        place.execute("DELETE FROM strongroom_wallet WHERE credential_id = ?", retired.id)
        place.execute("UPDATE project_credentials SET credential_type = 'theirs' WHERE id = ?", retired.id)
        found = store.read_wallet(retired.id)
        assert found is not None
        again = WalletChangeSet(credential={"vault_stored": True}, recording=Recording(None, register(context, record)))
        assert store.apply_changes(retired, found, again, entry, now, RelatedRows())
    finally:
        context.close()
    rows = "SELECT id, credential_type, status, is_active FROM project_credentials WHERE project_id = ? ORDER BY status"
    assert [tuple(map(str, row)) for row in place.execute(rows, project)] == [
        (str(stays.id), "ethereum_wallet", "active", "True"),
        (str(retired.id), "ethereum_wallet", "replaced", "False"),
    ]
    slots = "SELECT credential_id, version FROM strongroom_slot WHERE project_id = ? AND label = 'default'"
    assert [tuple(map(str, row)) for row in place.execute(slots, project)] == [(str(stays.id), "2")]


def test_a_key_is_taken_from_the_record_of_another_projects_wallet(repaired: RepairedDatabase) -> None:
    """Its own sealed text was copied there: rows of two projects are locked, and those of one are written."""
    place = repaired.deployment
    mine, theirs = place.project(), place.project()
    with place.open() as vault:
        wallet = vault.import_wallet(mine, "ethereum", private_key=KEY).wallet
        holder = vault.import_wallet(theirs, "ethereum", private_key=OTHER).wallet
    sealed = place.texts()[wallet.id]
    put(place, holder.id, sealed)
    put(place, wallet.id, "")
    assert repaired.apply(repaired.plan()).code == 0
    with place.open() as vault:
        assert key_of(vault, wallet).removeprefix("0x") == KEY
    assert place.texts()[holder.id] == sealed


def test_an_entry_of_the_history_is_sealed_where_its_project_is(repaired: RepairedDatabase) -> None:
    """Of a wallet that is there, and of one whose rows are gone; a text of another project's is left to people."""
    place = repaired.deployment
    project, another = place.project(), place.project()
    there, gone = repaired.add(project, KEY, KEY), repaired.add(project, OTHER, OTHER)
    rows_gone(place, gone)
    for wallet, owner, key in ((there, project, KEY), (there, another, THIRD), (gone, project, OTHER)):
        Attacked(place, repaired.folder).entry(wallet, key, owner, address_of("ethereum", key), "foreign")
    assert repaired.apply(repaired.plan()).code == 0
    forms = {(owner, form) for owner, form, _ in kept_of(place, there)}
    assert (str(another), "foreign") in forms
    assert (str(project), "foreign") not in forms
    assert {(owner, form) for owner, form, _ in kept_of(place, gone)} == {(str(project), "sealed")}


def test_a_text_that_is_changed_while_repair_waits_for_its_row_stays(repaired: RepairedDatabase) -> None:
    place = repaired.deployment
    project = place.project()
    wallet = repaired.add(project, KEY, KEY)
    plan = repaired.plan()
    with psycopg.connect(place.url) as writer, ThreadPoolExecutor(1) as threads:
        writer.execute(
            "UPDATE credential_vault_storage SET encrypted_private_key = 'their newer text' "
            "WHERE credential_id = %s AND project_id = %s",
            (wallet, project),
        )
        running = threads.submit(repaired.apply, plan)
        with pytest.raises(TimeoutError):
            running.result(timeout=2)
        writer.commit()
        assert json.loads(running.result(timeout=60).out)["wallets"]["done"] == 0
    assert place.texts()[wallet] == "their newer text"


def test_while_repair_writes_nobody_moves_or_changes_its_rows(
    repaired: RepairedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another connection asks for each of them, under the locks, and would have to wait."""
    place, refused = repaired.deployment, list[str]()
    project, another = place.project(), place.project()
    wallet = repaired.add(project, KEY, KEY)
    Attacked(place, repaired.folder).entry(wallet, KEY, project, address_of("ethereum", KEY), "foreign")
    plan = repaired.plan()
    genuine = change_writer.ask_again

    def ask_again(*args: Any) -> None:
        genuine(*args)
        for table in ("project_credentials", "credential_vault_storage", "strongroom_vault_history"):
            column = "id" if table == "project_credentials" else "credential_id"
            with psycopg.connect(place.url) as writer:
                writer.execute("SET LOCAL statement_timeout = '1s'")
                try:
                    writer.execute(
                        f"DELETE FROM {table} WHERE {column} = %s AND project_id = %s".encode(), (wallet, project)
                    )
                except psycopg.errors.QueryCanceled:
                    refused.append(table)
                writer.rollback()

    monkeypatch.setattr(change_writer, "ask_again", ask_again)
    assert repaired.apply(plan).code == 0
    assert set(refused) == {"project_credentials", "credential_vault_storage", "strongroom_vault_history"}
    with place.open() as vault:
        assert key_of(vault, vault.get_wallet(wallet)).removeprefix("0x") == KEY
    assert another not in {row[0] for row in place.execute("SELECT project_id FROM project_credentials")}


@pytest.mark.parametrize("moment", ["before the look", "between look and lock"])
def test_rows_that_move_to_another_project_are_not_written(
    repaired: RepairedDatabase, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    place = repaired.deployment
    project, thief = place.project(), place.project()
    wallet = repaired.add(project, KEY, KEY)
    plan = repaired.plan()
    genuine = SqlRepairStore.apply_changes

    def apply_changes(self: SqlRepairStore, *args: Any) -> bool:
        move(place, wallet, thief)
        return genuine(self, *args)

    if moment == "before the look":
        move(place, wallet, thief)
    else:
        monkeypatch.setattr(SqlRepairStore, "apply_changes", apply_changes)
    assert repaired.apply(plan).code == PARTLY
    assert place.texts()[wallet] == KEY, "as the writer left it"
    found = place.execute("SELECT project_id::text FROM credential_vault_storage WHERE credential_id = ?", wallet)
    assert found == [(str(thief),)]
    assert place.execute("SELECT 1 FROM credential_usage_logs WHERE action_type = 'repair'") == []


def test_a_record_that_says_another_project_is_locked_and_written_where_it_is(
    repaired: RepairedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On one server nothing but the id ties it to its credential; where tables are divided no such row can be."""
    place = repaired.deployment
    project, another = place.project(), place.project()
    wallet = repaired.add(project, KEY, KEY)
    moves = "UPDATE credential_vault_storage SET project_id = ? WHERE credential_id = ?"
    if divided(place):
        with pytest.raises(psycopg.Error):
            place.execute(moves, another, wallet)
        return
    place.execute(moves, another, wallet)
    genuine, refused = change_writer.ask_again, list[bool]()

    def ask_again(*args: Any) -> None:
        genuine(*args)
        with psycopg.connect(place.url) as writer:
            writer.execute("SET LOCAL lock_timeout = '200ms'")
            with suppress(psycopg.errors.LockNotAvailable):
                writer.execute("UPDATE credential_vault_storage SET project_id = %s", (project,))
                refused.append(False)
            refused.append(True)

    plan = repaired.plan()
    monkeypatch.setattr(change_writer, "ask_again", ask_again)
    assert repaired.apply(plan).code == 0
    assert refused == [True]
    with place.open() as vault:
        assert key_of(vault, vault.get_wallet(wallet)).removeprefix("0x") == KEY
    owner = place.execute("SELECT project_id::text FROM credential_vault_storage WHERE credential_id = ?", wallet)
    assert owner == [(str(another),)]


def test_a_wallet_that_was_moved_comes_back_into_its_project(repaired: RepairedDatabase) -> None:
    """On one server its row says so again; where tables are divided a person makes its rows anew."""
    place = repaired.deployment
    project, thief = place.project(), place.project()
    with place.open() as vault:
        wallet = vault.import_wallet(project, "ethereum", private_key=KEY).wallet
    move(place, wallet.id, thief)
    assert "identity-changed" in repaired.doctor(wallet.id)
    plan = repaired.plan()
    assert repaired.apply(plan).code == 0
    document = json.loads(plan.read_text())
    if divided(place):
        assert document["units"] == []
        restore = f"strongroom history restore {wallet.id} --project {project}"
        assert [each["code"] for each in document["left_to_people"] if restore in each["evidence"]] == [
            "identity-changed"
        ]
        with place.open() as vault:
            assert vault.restore(wallet.id, project_id=project).stored
            assert vault.get_wallet(wallet.id, project_id=project).proved
            assert vault.find_wallet(project, "ethereum") == vault.get_wallet(wallet.id, project_id=project)
            shown = vault.reveal(wallet.id, project_id=project, **WHO).private_key.reveal_text()
            assert shown.removeprefix("0x") == KEY
        return
    with place.open() as vault:
        found = vault.get_wallet(wallet.id)
        assert (found.project_id, found.proved) == (project, True)


def test_of_an_id_that_several_projects_have_nothing_is_decided(repaired: RepairedDatabase) -> None:
    place = repaired.deployment
    project, thief = place.project(), place.project()
    wallet = repaired.add(project, KEY, KEY)
    with psycopg.connect(place.url) as connection:
        found = connection.execute("SELECT to_jsonb(c)::text FROM project_credentials c WHERE id = %s", (wallet,))
        ((row,),) = found.fetchall()
        if not divided(place):
            with pytest.raises(psycopg.errors.UniqueViolation):
                put_row(connection, "project_credentials", {**json.loads(row), "project_id": str(thief)})
            return
        put_row(connection, "project_credentials", {**json.loads(row), "project_id": str(thief)})
    plan = repaired.plan()
    assert json.loads(plan.read_text())["units"] == []
    assert repaired.apply(plan).code == 0
    assert place.texts()[wallet] == KEY
    found_again = json.loads(repaired.run("doctor", "--json").out)["findings"]
    assert any("several projects have its id" in each["evidence"] for each in found_again)
