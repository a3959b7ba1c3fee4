"""Repair and doctor where somebody writes to every table and has no root key.

The rule: nothing that a row says of itself makes one project's key another's, retires a wallet for another one, lets a
row of ours be missing, prints a key, or takes memory without bound.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import Any
from uuid import uuid4

import psycopg
import pytest

import strongroom
from strongroom.settings import Settings
from strongroom.wiring import open_guard
from testbed.command_line import call
from testbed.databases.attacked import KEY, WHO, Attacked, address_of, units
from testbed.defects.locked import LEGACY_PASSWORD, envelope_text
from tests.integration.damaged_databases import dump

OTHER, THIRD = "47" * 32, "48" * 32
PARTLY = 6


# --- one project's key stays its own -----------------------------------------------------------------------------


@pytest.mark.thorough(sample=1)
@pytest.mark.parametrize("source", ["sealed", "plaintext", "sealed, repointed", "sealed, in the history"])
@pytest.mark.parametrize("attacked", ["g2", "g3", "g4"], indirect=True)
def test_a_planted_row_of_another_project_is_not_filled(attacked: Attacked, source: str) -> None:
    """A row that merely states another project's address; on g4 the trigger adds its placeholder."""
    mine, theirs = attacked.deployment.project(), attacked.deployment.project()
    if source == "plaintext":
        address, owner = address_of(KEY), attacked.credential(theirs, address_of(KEY))
        text = KEY
        attacked.record(owner, text, theirs)
    else:
        with attacked.deployment.open() as vault:
            wallet = vault.create_wallet(theirs, "ethereum").wallet
        address, owner, text = wallet.address, wallet.id, attacked.deployment.texts()[wallet.id]
    planted = attacked.credential(mine, address)
    if source == "sealed, repointed":
        attacked.deployment.execute("DELETE FROM credential_vault_storage WHERE credential_id = ?", planted)
        attacked.deployment.execute(
            "UPDATE credential_vault_storage SET credential_id = ? WHERE credential_id = ?", planted, owner
        )
    if source == "sealed, in the history":
        attacked.entry(planted, text, mine, address, "sealed")
    found = {each["code"]: each for each in attacked.doctor() if each["credential_id"] == str(planted)}
    assert not any(each["automatic"] for each in found.values() if each["repair"] in ("fill", "move", "seal"))
    assert {each["repair"] for code, each in found.items() if code in ("placeholder", "missing-vault-record")} <= {
        "ask"
    }
    path = attacked.plan()
    assert not [a for a in units(path).get(str(planted), []) if a["do"] in ("fill", "move", "seal")]
    # where its record was repointed, the other project's vault id is taken
    assert attacked.apply(path).code in (0, PARTLY)
    attacked.assert_keyless(planted)
    if source != "sealed, repointed":
        with attacked.deployment.open() as vault:
            assert [result.ok for result in vault.verify(owner)] == [True]


@pytest.mark.parametrize("attacked", ["g2", "g3", "g4"], indirect=True)
def test_a_missing_key_is_filled_from_its_own_project(attacked: Attacked) -> None:
    """What the rule must not end: a key that was filed under another wallet of the same project."""
    project = attacked.deployment.project()
    lost, holder = attacked.credential(project, address_of(KEY)), attacked.credential(project, address_of(OTHER))
    attacked.record(holder, KEY, project)
    path = attacked.plan()
    assert "fill" in [a["do"] for a in units(path)[str(lost)]]
    assert attacked.apply(path).code == 0
    with attacked.deployment.open() as vault:
        assert vault.reveal(lost, **WHO).private_key.reveal_text().removeprefix("0x") == KEY


@pytest.mark.thorough(sample=1)
@pytest.mark.parametrize("source", ["metadata", "history", "another wallet's record"])
@pytest.mark.parametrize("attacked", ["g2"], indirect=True)
def test_of_several_placeholders_one_is_filled_and_the_others_retired(attacked: Attacked, source: str) -> None:
    """In one plan; where the fill is struck from it, nothing is retired either."""
    project = attacked.deployment.project()
    metadata = json.dumps({"private_key_encrypted": KEY}) if source == "metadata" else "{}"
    lost = attacked.credential(project, address_of(KEY), metadata)
    for text in ("", "MIGRATION_REQUIRED", ""):
        attacked.record(lost, text, project)
    if source == "history":
        attacked.entry(lost, KEY, project, address_of(KEY), "foreign")
    elif source != "metadata":
        attacked.record(attacked.credential(project, address_of(OTHER)), KEY, project)
    records = "SELECT id, encrypted_private_key, access_level FROM credential_vault_storage WHERE credential_id = ?"
    before = attacked.deployment.execute(records, lost)
    path = attacked.plan()
    does = [(action["do"], action["code"]) for action in units(path)[str(lost)]]
    assert [do for do, code in does if code == "placeholder"] == ["fill", "retire", "retire"]

    document = json.loads(path.read_text())
    for unit in document["units"]:
        unit["actions"] = [each for each in unit["actions"] if each["do"] == "retire"]
    document["units"] = [unit for unit in document["units"] if unit["actions"]]
    struck = path.with_name("struck.json")
    struck.write_text(json.dumps(document))
    assert attacked.apply(struck).code == 0
    assert sorted(attacked.deployment.execute(records, lost), key=str) == sorted(before, key=str)

    path = attacked.plan()
    assert attacked.apply(path).code == 0
    after = attacked.deployment.execute(records, lost)
    assert sorted(text[:4] for _, text, level in after if level != "revoked") == ["eyJr"]
    assert sorted(text for _, text, level in after if level == "revoked") in (["", ""], ["", "MIGRATION_REQUIRED"])
    assert units(attacked.plan()) == {}
    assert attacked.deployment.execute(records, lost) == after
    with attacked.deployment.open() as vault:
        assert vault.reveal(lost, **WHO).private_key.reveal_text().removeprefix("0x") == KEY


@pytest.mark.parametrize("moved", ["the target", "the source"])
@pytest.mark.parametrize("attacked", ["g2", "g3", "g4"], indirect=True)
def test_a_row_that_changes_its_project_after_the_plan_is_left_alone(attacked: Attacked, moved: str) -> None:
    project, another = attacked.deployment.project(), attacked.deployment.project()
    lost, holder = attacked.credential(project, address_of(KEY)), attacked.credential(project, address_of(OTHER))
    attacked.record(holder, KEY, project)
    path = attacked.plan()
    wallet = lost if moved == "the target" else holder
    attacked.deployment.execute("UPDATE project_credentials SET project_id = ? WHERE id = ?", another, wallet)
    assert attacked.apply(path).code == PARTLY
    attacked.assert_keyless(lost)


@pytest.mark.parametrize("attacked", ["g2", "g3", "g4"], indirect=True)
def test_a_row_that_changes_its_project_between_look_and_lock_is_left_alone(
    attacked: Attacked, monkeypatch: pytest.MonkeyPatch
) -> None:
    from strongroom.store.repair_store import SqlRepairStore

    project, another = attacked.deployment.project(), attacked.deployment.project()
    lost, holder = attacked.credential(project, address_of(KEY)), attacked.credential(project, address_of(OTHER))
    attacked.record(holder, KEY, project)
    path = attacked.plan()
    genuine = SqlRepairStore.apply_changes

    def apply_changes(self: SqlRepairStore, *args: Any) -> bool:
        attacked.deployment.execute("UPDATE project_credentials SET project_id = ? WHERE id = ?", another, holder)
        return genuine(self, *args)

    monkeypatch.setattr(SqlRepairStore, "apply_changes", apply_changes)
    assert attacked.apply(path).code == PARTLY
    attacked.assert_keyless(lost)


@pytest.mark.parametrize("attacked", ["g2", "g3", "g4"], indirect=True)
def test_an_edited_plan_fills_nothing_across_projects(attacked: Attacked) -> None:
    """An honest action, its wallet and its source exchanged for others."""
    project, another = attacked.deployment.project(), attacked.deployment.project()
    lost, holder = attacked.credential(project, address_of(KEY)), attacked.credential(project, address_of(OTHER))
    attacked.record(holder, KEY, project)
    with attacked.deployment.open() as vault:
        wallet = vault.create_wallet(another, "ethereum").wallet
    planted = attacked.credential(project, wallet.address)
    ((record,),) = attacked.deployment.execute(
        "SELECT id FROM credential_vault_storage WHERE credential_id = ?", wallet.id
    )
    ours = attacked.deployment.execute("SELECT id FROM credential_vault_storage WHERE credential_id = ?", planted)
    path = attacked.plan()
    before = dump(attacked.deployment.url)
    document = json.loads(path.read_text())
    (unit,) = (unit for unit in document["units"] if unit["credential_id"] == str(lost))
    action = {**unit["actions"][0], "row": str(ours[0][0]) if ours else str(planted), "source": str(record)}
    document["units"].append({**unit, "credential_id": str(planted), "actions": [action]})
    path.write_text(json.dumps(document))
    answer = attacked.apply(path)
    assert (answer.code, "invalid-plan" in answer.err) == (2, True)
    assert dump(attacked.deployment.url) == before
    attacked.assert_keyless(planted)


@pytest.mark.parametrize("where", ["record", "metadata", "history"])
def test_an_envelope_that_was_copied_into_another_project_is_not_opened_there(attacked: Attacked, where: str) -> None:
    """Who copied it could not read it: the password is the operator's. It names no project, but is in two."""
    mine, theirs = attacked.deployment.project(), attacked.deployment.project()
    text = envelope_text(KEY, LEGACY_PASSWORD, bytes(16), bytes(16))
    password, options = f"{LEGACY_PASSWORD}\n".encode(), ("--legacy-password-stdin",)
    owner = attacked.credential(theirs, address_of(KEY))
    attacked.record(owner, text, theirs)
    planted = attacked.credential(
        mine, address_of(KEY), json.dumps({"private_key_encrypted": text} if where == "metadata" else {})
    )
    if where == "record":
        attacked.record(planted, text, mine)
    if where == "history":
        attacked.entry(planted, text, mine, address_of(KEY), "foreign")
    path = attacked.plan(*options, stdin=password)
    assert not [a for a in units(path).get(str(planted), []) if a["do"] in ("fill", "move", "seal")]
    assert attacked.apply(path, *options, stdin=password).code == 0
    attacked.assert_keyless(planted)


def test_an_entry_of_another_project_is_not_sealed_for_the_wallet(attacked: Attacked) -> None:
    mine, theirs = attacked.deployment.project(), attacked.deployment.project()
    planted = attacked.credential(mine, address_of(KEY))
    attacked.entry(planted, KEY, theirs, address_of(KEY), "foreign")
    path = attacked.plan()
    assert not [a for a in units(path).get(str(planted), []) if a["do"] in ("fill", "seal")]
    assert attacked.apply(path).code == 0
    attacked.assert_keyless(planted)
    assert attacked.deployment.execute(
        "SELECT text FROM strongroom_vault_history WHERE credential_id = ?", planted
    ) == [(KEY,)]


@pytest.mark.one_node
def test_a_wallet_that_was_moved_into_another_project_gets_its_old_project_back(attacked: Attacked) -> None:
    """And where its record is a placeholder, its sealed text in the history goes to nobody else."""
    mine, theirs = attacked.deployment.project(), attacked.deployment.project()
    with attacked.deployment.open() as vault:
        wallet = vault.create_wallet(theirs, "ethereum").wallet
    text = attacked.deployment.texts()[wallet.id]
    attacked.entry(wallet.id, text, mine, wallet.address, "sealed")
    attacked.deployment.execute("UPDATE project_credentials SET project_id = ? WHERE id = ?", mine, wallet.id)
    attacked.deployment.execute(
        "UPDATE credential_vault_storage SET encrypted_private_key = '' WHERE credential_id = ?", wallet.id
    )
    attacked.apply(attacked.plan())
    attacked.assert_keyless(wallet.id)


# --- nothing that a writer chose ranks wallets -------------------------------------------------------------------


@pytest.mark.thorough(sample=1)
@pytest.mark.parametrize("slot", ["ours", "repointed"])
@pytest.mark.parametrize("attacked", ["g2", "g3", "g4"], indirect=True)
def test_a_planted_older_duplicate_does_not_retire_the_right_wallet(attacked: Attacked, slot: str) -> None:
    project = attacked.deployment.project()
    with attacked.deployment.open() as vault:
        right = vault.create_wallet(project, "ethereum").wallet
    planted = attacked.credential(project, address_of(KEY))
    attacked.record(planted, KEY, project)
    if slot == "repointed":
        attacked.deployment.execute(
            "UPDATE strongroom_slot SET credential_id = ? WHERE credential_id = ?", planted, right.id
        )
    balances = attacked.folder / "balances.csv"
    balances.write_text(f"{address_of(KEY)},1000\n")
    path = attacked.plan("--balances", str(balances))
    retired = [(a["row"], a["source"]) for each in units(path).values() for a in each if a["code"] == "duplicate-live"]
    # where slot and record agree, they say which of the two is ours; a slot that was repointed says nothing
    assert retired == ([(str(planted), str(right.id))] if slot == "ours" else [])
    assert attacked.apply(path).code == 0
    ((live,),) = attacked.deployment.execute("SELECT is_active FROM project_credentials WHERE id = ?", right.id)
    assert live
    if slot == "repointed":
        chosen = attacked.plan("--keep", f"{right.id}:{planted}")
        assert attacked.apply(chosen).code == 0
    with attacked.deployment.open() as vault:
        assert vault.create_wallet(project, "ethereum").wallet.id == right.id


# --- the guard alongside repair -------------------------------------------------------------------------------------


def guarded(attacked: Attacked, mode: str) -> None:
    guard = open_guard(Settings(database=attacked.deployment.url))
    try:
        guard.install(mode)
    finally:
        guard.close()


@pytest.mark.parametrize("attacked", ["g2"], indirect=True)
def test_a_transaction_that_began_before_a_repair_loses_no_other_text_of_its_wallet(attacked: Attacked) -> None:
    """Two records of one credential: what repair kept of one of them lets nothing of the other one pass."""
    project = attacked.deployment.project()
    wallet = attacked.credential(project, address_of(KEY))
    attacked.record(wallet, KEY, project)
    other = attacked.record(wallet, OTHER, project)
    guarded(attacked, "archive")
    path = attacked.plan()
    with psycopg.connect(attacked.deployment.url) as connection:
        connection.execute("SELECT pg_current_xact_id()")
        assert attacked.apply(path).code == 0
        connection.execute("UPDATE credential_vault_storage SET encrypted_private_key = 'x' WHERE id = %s", [other])
    texts = {row[0] for row in attacked.deployment.execute("SELECT text FROM strongroom_vault_history")}
    assert OTHER in texts
    assert KEY not in texts


@pytest.mark.parametrize("attacked", ["g3", "fresh"], indirect=True)
@pytest.mark.one_server
def test_a_transaction_that_began_before_a_rewrap_is_refused_like_any_other(attacked: Attacked) -> None:
    with attacked.deployment.open() as vault:
        wallet = vault.create_wallet(attacked.deployment.project(), "ethereum").wallet
        guarded(attacked, "refuse")
        with psycopg.connect(attacked.deployment.url) as connection:
            connection.execute("SELECT pg_current_xact_id()")
            vault.rotate_sealing_key()
            assert [result.ok for result in vault.rewrap()] == [True]
            text = attacked.deployment.texts()[wallet.id]
            attacked.entry(wallet.id, text, wallet.project_id, wallet.address, "sealed")
            with pytest.raises(psycopg.errors.RestrictViolation):
                connection.execute(
                    "UPDATE credential_vault_storage SET encrypted_private_key = 'x' WHERE credential_id = %s",
                    [wallet.id],
                )


@pytest.mark.thorough(sample=1)
@pytest.mark.parametrize("attacked", ["g2", "g3", "g4"], indirect=True)
@pytest.mark.parametrize("mode", ["archive", "refuse"])
def test_repair_passes_its_own_guard_and_keeps_no_key_in_plaintext(attacked: Attacked, mode: str) -> None:
    project = attacked.deployment.project()
    wallet = attacked.credential(project, address_of(KEY))
    attacked.record(wallet, KEY, project)
    guarded(attacked, mode)
    assert attacked.apply(attacked.plan()).code == 0
    assert KEY not in {row[0] for row in attacked.deployment.execute("SELECT text FROM strongroom_vault_history")}
    with attacked.deployment.open() as vault:
        assert [result.ok for result in vault.verify(wallet)] == [True]


# --- no row, no result -------------------------------------------------------------------------------------------

SWALLOWED = {
    "the usage log": ("credential_usage_logs", "INSERT"),
    "the history": ("strongroom_vault_history", "INSERT"),
    "the history, sealed": ("strongroom_vault_history", "UPDATE"),
}


def swallow(attacked: Attacked, table: str, verb: str, how: str) -> None:
    """Keep rows out without an error."""
    if attacked.deployment.backend == "sqlite":
        attacked.deployment.execute(f"CREATE TRIGGER swallow BEFORE {verb} ON {table} BEGIN SELECT RAISE(IGNORE); END")
        return
    with psycopg.connect(attacked.deployment.url) as connection:
        if how == "rule":
            connection.execute(f"CREATE RULE swallow AS ON {verb} TO {table} DO INSTEAD NOTHING".encode())
            return
        body = "RETURN NULL" if how == "before" else f"DELETE FROM {table} WHERE id = NEW.id; RETURN NULL"
        connection.execute(
            f"CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body}; END $$; "
            f"CREATE TRIGGER zz_swallow {'BEFORE' if how == 'before' else 'AFTER'} {verb} ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION swallow()".encode()
        )


@pytest.mark.thorough(but=("g4",))
@pytest.mark.parametrize("attacked", ["g2", "g3", "g4"], indirect=True)
@pytest.mark.parametrize("how", ["before", "after", "rule"])
@pytest.mark.parametrize("swallowed", SWALLOWED)
def test_where_a_row_is_swallowed_nothing_is_repaired(attacked: Attacked, swallowed: str, how: str) -> None:
    project = attacked.deployment.project()
    wallet = attacked.credential(project, address_of(KEY))
    attacked.record(wallet, KEY, project)
    if swallowed == "the history, sealed":
        attacked.entry(wallet, KEY, project, address_of(KEY), "foreign")
    path = attacked.plan()
    swallow(attacked, *SWALLOWED[swallowed], how)
    before = dump(attacked.deployment.url)
    answer = attacked.apply(path)
    assert answer.code == PARTLY, answer
    assert dump(attacked.deployment.url) == before


@pytest.mark.parametrize("attacked", ["g2", "g3", "g4"], indirect=True)
@pytest.mark.parametrize("how", ["before", "after", "rule"])
def test_an_envelope_of_a_wallet_that_is_gone_is_not_replaced_where_its_copy_is_swallowed(
    attacked: Attacked, how: str
) -> None:
    """Its entry gets a sealed text; the envelope, which may hold more, is kept in a row of its own."""
    envelope = envelope_text(KEY, LEGACY_PASSWORD, bytes(16), bytes(16))
    attacked.entry(uuid4(), envelope, attacked.deployment.project(), address_of(KEY), "foreign")
    options, password = ("--legacy-password-stdin",), f"{LEGACY_PASSWORD}\n".encode()
    path = attacked.plan(*options, stdin=password)
    assert units(path), "else this test shows nothing"
    swallow(attacked, "strongroom_vault_history", "INSERT", how)
    before = dump(attacked.deployment.url)
    assert attacked.apply(path, *options, stdin=password).code == PARTLY
    assert dump(attacked.deployment.url) == before


@pytest.mark.parametrize("attacked", ["g2", "g3", "g4"], indirect=True)
@pytest.mark.parametrize("how", ["before", "rule"])
def test_where_the_history_is_swallowed_no_key_is_stored(attacked: Attacked, how: str) -> None:
    wallet = attacked.credential(attacked.deployment.project(), address_of(KEY))
    swallow(attacked, "strongroom_vault_history", "INSERT", how)
    before = dump(attacked.deployment.url)
    with attacked.deployment.open() as vault, pytest.raises(strongroom.TriggerConflictError):
        vault.store_key(wallet, private_key=KEY)
    assert dump(attacked.deployment.url) == before


@pytest.mark.parametrize("attacked", ["g2", "g3", "g4"], indirect=True)
@pytest.mark.parametrize("how", ["before", "rule"])
def test_an_event_that_is_swallowed_is_an_error(attacked: Attacked, how: str) -> None:
    project = attacked.deployment.project()
    attacked.record(attacked.credential(project, address_of(KEY)), KEY, project)
    path = attacked.plan()
    swallow(attacked, "strongroom_events", "INSERT", how)
    answer = attacked.apply(path)
    assert answer.code not in (0, PARTLY)
    assert "strongroom_events" in answer.err


# --- what is printed ---------------------------------------------------------------------------------------------

PRINTED = [
    ("project_credentials", "wallet_address"),
    ("project_credentials", "public_key"),
    ("project_credentials", "credential_type"),
    ("project_credentials", "network"),
    ("project_credentials", "status"),
    ("project_credentials", "key_vault_id"),
    ("credential_vault_storage", "vault_id"),
    ("credential_vault_storage", "encryption_method"),
    ("credential_vault_storage", "access_level"),
    ("strongroom_vault_history", "network"),
    ("strongroom_vault_history", "address"),
    ("strongroom_vault_history", "label"),
    ("strongroom_vault_history", "reason"),
]


@pytest.mark.crossed(10)
@pytest.mark.thorough(but=("sqlite",))
@pytest.mark.parametrize(("table", "column"), PRINTED)
def test_a_key_that_stands_in_any_column_is_not_printed(attacked: Attacked, table: str, column: str) -> None:
    """Nor what a terminal would obey: in the plan, doctor's report, the report of a repair and the terminal."""
    project = attacked.deployment.project()
    wallet = attacked.credential(project, address_of(KEY))
    attacked.record(wallet, KEY, project)
    attacked.entry(wallet, KEY, project, address_of(KEY), "foreign")
    owner = "id" if table == "project_credentials" else "credential_id"
    secret = f"{OTHER[:-1]}\x1b" if column in ("wallet_address", "status") else OTHER
    allowed = True
    try:
        attacked.deployment.execute(f"UPDATE {table} SET {column} = ? WHERE {owner} = ?", secret, wallet)
        if column == "public_key":
            attacked.deployment.execute("UPDATE project_credentials SET wallet_address = '' WHERE id = ?", wallet)
    except Exception as error:
        assert re.search("check|too long", str(error), re.IGNORECASE), error
        allowed = False
    base = ("--database", attacked.deployment.url, "--root-key", attacked.deployment.root_key)
    printed = [call("doctor", *base), call("doctor", *base, "--json")]
    path = attacked.plan()
    printed += [attacked.apply(path), attacked.apply(path)]
    texts = [answer.out + answer.err for answer in printed]
    texts += [each.read_text() for each in attacked.folder.glob("plan-*")]
    assert len(texts) == 7
    assert not [text for text in texts if OTHER[:16] in text or "\x1b" in text or "\\u001b" in text], allowed


# --- memory ------------------------------------------------------------------------------------------------------

HUGE_MEGABYTES = 64
_PEAK = """
import json, re, sys
from strongroom.cli import main
codes = [main(arguments) for arguments in json.loads(sys.argv[1])]
with open("/proc/self/status") as status:
    print(json.dumps([codes, int(re.search(r"VmHWM:\\s+(\\d+)", status.read())[1])]), file=sys.stderr)
"""


def peak_megabytes(*commands: tuple[str, ...]) -> tuple[list[int], int]:
    """The exit codes of commands in one process of its own, and the most memory that it took."""
    done = subprocess.run(
        [sys.executable, "-c", _PEAK, json.dumps(commands)],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
        env={name: value for name, value in os.environ.items() if not name.startswith("STRONGROOM_")},
    )
    codes, kilobytes = json.loads(done.stderr.splitlines()[-1])
    return codes, kilobytes >> 10


@pytest.mark.thorough(but=("g2-record", "g2-history"))
@pytest.mark.parametrize(
    ("attacked", "where"),
    [
        ("g2", "address"),
        *((backend, where) for backend in ("g2", "fresh") for where in ("record", "metadata", "history")),
    ],
    indirect=["attacked"],
)
def test_a_text_of_64_megabytes_is_not_fetched(attacked: Attacked, where: str) -> None:
    """A prefix is read: by doctor, while a plan is made, and while it is applied."""
    project = attacked.deployment.project()
    wallet = attacked.in_plaintext(project)
    huge = f"repeat('a', {HUGE_MEGABYTES} << 20)"
    if where == "metadata":
        attacked.deployment.execute(
            "UPDATE project_credentials "
            f"SET metadata = jsonb_build_object('note', {huge}, 'private_key_encrypted', {huge})"
        )
    if where == "address":
        attacked.deployment.execute("ALTER TABLE project_credentials ALTER COLUMN wallet_address TYPE text")
        attacked.deployment.execute(f"UPDATE project_credentials SET wallet_address = {huge}")
    if where == "history":
        attacked.entry(wallet, KEY, project, address_of(KEY), "foreign")
        attacked.entry(wallet, "later", project, address_of(KEY), "foreign")
        attacked.deployment.execute(f"UPDATE strongroom_vault_history SET text = {huge} WHERE text = 'later'")
    if where == "record":
        lost = attacked.credential(project, address_of(OTHER))
        attacked.record(lost, "later", project)
        attacked.deployment.execute(
            f"UPDATE credential_vault_storage SET encrypted_private_key = {huge} WHERE encrypted_private_key = 'later'"
        )
    base = ("--database", attacked.deployment.url, "--root-key", attacked.deployment.root_key)
    path = attacked.folder / "plan.json"
    commands = ("doctor", *base), ("repair", *base, "--plan", str(path)), ("repair", *base, "--apply", str(path))
    codes, peak = peak_megabytes(*commands)
    assert codes == [3, 0, 0]
    assert peak < 110
    if where != "address":
        with attacked.deployment.open() as vault:
            (result,) = vault.verify(wallet)
        if attacked.deployment.foreign or where != "metadata":
            assert result.ok
        else:  # of such metadata nothing is read, and our own tables must say scheme and path
            assert (result.ok, result.code) == (False, "identity-mismatch")


@pytest.mark.thorough
@pytest.mark.parametrize("attacked", ["g2"], indirect=True)
def test_any_number_of_records_of_one_credential_takes_bounded_memory(attacked: Attacked) -> None:
    """And nothing is decided about the wallet: what was not read may be another key."""
    project = attacked.deployment.project()
    wallet = attacked.credential(project, address_of(KEY))
    attacked.record(wallet, KEY, project)
    attacked.deployment.execute(
        "INSERT INTO credential_vault_storage (id, credential_id, vault_id, encrypted_private_key, encryption_method) "
        "SELECT gen_random_uuid(), ?, 'v' || n, repeat(md5('' || n), 2100), 'AES-256-GCM' "
        "FROM generate_series(1, 3000) n",
        wallet,
    )
    base = ("--database", attacked.deployment.url, "--root-key", attacked.deployment.root_key)
    path = attacked.folder / "plan.json"
    codes, peak = peak_megabytes(("doctor", *base), ("repair", *base, "--plan", str(path)))
    assert codes == [3, 0]
    assert peak < 150
    assert units(path) == {}
