"""Repair against the generator's databases: what can be saved is saved, and nothing else is touched.

``STRONGROOM_DEFECT_WALLETS=2000`` and ``STRONGROOM_DEFECT_SEED=7`` make it another, larger run: of every generation,
with and without passwords and guard.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from testbed.defects.definition import derives
from testbed.defects.finding import EVERYTHING, Access
from testbed.defects.ground_truth import CredentialRow, GroundTruth, Index, Record
from testbed.defects.registered import columns_of as register_columns
from testbed.defects.texts import PLACEHOLDERS, Text
from testbed.defects.write import WrittenDatabase
from testbed.harness.canary import Canary
from testbed.servers.postgres import PostgresServer
from tests.integration import damaged_databases
from tests.integration.damaged_databases import (
    ACTOR,
    CREDENTIALS,
    HISTORY,
    RECORDS,
    REPAIRABLE,
    ROOT_KEY_ONLY,
    DamagedDatabase,
    Rows,
    codes,
    everything_of,
    owner,
    planted_texts,
    raw_key,
    sealed_contents,
    spelled,
    units_of,
    without,
    words,
)

WALLETS = int(os.environ.get("STRONGROOM_DEFECT_WALLETS", "150"))
SEED = int(os.environ.get("STRONGROOM_DEFECT_SEED", "1"))
MODES = ("", "archive", "refuse")
FEW = [
    ("g2", EVERYTHING, ""),
    ("g2-without-foreign-key", ROOT_KEY_ONLY, "archive"),
    ("g3", ROOT_KEY_ONLY, "refuse"),
    ("g4", EVERYTHING, "refuse"),
    ("g2-vault", EVERYTHING, "archive"),
    ("g3-vault", ROOT_KEY_ONLY, ""),
    ("g4-vault", ROOT_KEY_ONLY, "archive"),
    ("g4-vault", EVERYTHING, ""),
    ("fresh", ROOT_KEY_ONLY, "archive"),
    ("fresh", EVERYTHING, "refuse"),
    ("fresh-divided", ROOT_KEY_ONLY, "archive"),
    ("fresh-divided", EVERYTHING, ""),
    ("sqlite", ROOT_KEY_ONLY, ""),
    ("sqlite", EVERYTHING, "refuse"),
]
RUNS = list(product(REPAIRABLE, (ROOT_KEY_ONLY, EVERYTHING), MODES)) if WALLETS > 150 else FEW
NAMES = [f"{name}-{'passwords' if given.legacy_password else 'none'}-{mode or 'off'}" for name, given, mode in RUNS]

PUBLIC_HALF = frozenset({"network", "wallet_address", "public_key", "metadata"})
STATE = frozenset({"credential_type", "status", "is_active", "revoked_at"})
"""Of tables of ours, whose rows say what the register does."""
REGISTER = "strongroom_wallet"
OURS = ("fresh", "fresh-divided", "sqlite")
WRITE_KEYS = {"seal", "fill", "move"}
WRITTEN = {
    "unlink": {"key_vault_id", "vault_id"},
    "seal": {"encrypted_private_key", "encryption_method", "vault_stored", "text", "form"},
    "fill": {"encrypted_private_key", "encryption_method", "vault_stored", "access_level"},
    "move": {"metadata"},
    "relabel": {"encryption_method", "project_id", "vault_stored", *PUBLIC_HALF},
    "retire": {"access_level", "revoked_at", "is_active", "status"},
}
"""The columns that an action may change; the time of the change is another one."""


@pytest.fixture
def damaged_of(
    root_key_uri: str, private_path: Path, request: pytest.FixtureRequest
) -> Callable[[str], DamagedDatabase]:
    """Make a database of a generation with defects."""

    def make(generation: str) -> DamagedDatabase:
        server: PostgresServer | None = None
        if generation != "sqlite":
            server = request.getfixturevalue("postgres")
        return damaged_databases.damaged(generation, server, root_key_uri, private_path, WALLETS, SEED)

    return make


@pytest.mark.thorough(but=("g4-vault-passwords", "fresh-passwords", "sqlite-none", "g3-none"))
@pytest.mark.parametrize(("generation", "given", "mode"), RUNS, ids=NAMES)
def test_what_can_be_saved_is_saved_and_nothing_else_is_touched(
    generation: str, given: Access, mode: str, damaged_of: Callable[[str], DamagedDatabase]
) -> None:
    damaged = damaged_of(generation)
    if mode:
        damaged.guard(mode)
    assert_repaired(damaged, given, ours=generation in OURS)


def assert_repaired(damaged: DamagedDatabase, given: Access, *, ours: bool) -> None:
    """Repair a database; nothing else is touched, and a second repair has nothing to do."""
    found, before = damaged.doctor(given), damaged.rows()
    path = damaged.plan(given)
    assert damaged.rows() == before, "planning changes nothing"
    units = units_of(path)
    assert_planned_or_left(found, units, damaged_databases.left_of(path))
    answer = damaged.apply(path, given)
    assert (answer.code, answer.err.count("Error")) == (0, 0), answer.err
    after = damaged.rows()

    assert_no_key_is_written_without_a_record(damaged.planted.truth, units)
    assert_outside_is_untouched(before, after, units)
    assert_only_what_was_planned_changed(before, after, units, ours=ours)
    assert_nothing_is_lost(damaged, before, after)
    assert_history_is_not_in_plaintext(damaged, before, after)
    assert_findings_that_remain(found, damaged.doctor(given), path, units, after, damaged.planted)

    assert damaged.apply(path, given).code == 0
    assert damaged.rows() == after, "a second run changes nothing"
    assert units_of(damaged.plan(given)) == {}
    assert damaged.rows() == after
    waiting = {
        each["credential_id"] for each in damaged_databases.left_of(path) if "waits for the choice" in each["evidence"]
    }
    rivals = {each["row"] for each in damaged_databases.left_of(path) if each["code"] == "duplicate-live"}
    assert_keys_prove(damaged, given, after, waiting, rivals if ours else set())


def assert_planned_or_left(
    found: list[dict[str, Any]], units: dict[str, list[dict[str, Any]]], left: list[dict[str, Any]]
) -> None:
    """Every automatic finding is in the plan or among what is left; of several rows, the one that stays is neither."""
    planned = {(action["code"], action["row"]) for actions in units.values() for action in actions}
    sealed = {action["row"] for actions in units.values() for action in actions if action["do"] == "seal"}
    told = planned | {(each["code"], each["row"]) for each in left}
    missing = {
        (each["code"], each["row"])
        for each in found
        if each["automatic"] and (each["code"], each["row"]) not in told
        if not (each["code"] == "wrong-label" and each["row"] in sealed)
    }
    assert {code for code, _ in missing} <= {"duplicate-vault-records", "shared-key-vault-id"}


# --- what holds ----------------------------------------------------------------------------------------------


def assert_no_key_is_written_without_a_record(truth: GroundTruth, units: dict[str, Any]) -> None:
    """In tables of ours a row that the register does not have was planted, or forgotten: a person decides."""
    if truth.generation in OURS:
        unknown = {str(each.id) for each in truth.credentials if each.registered is None}
        assert unknown
        writing = {key for key, actions in units.items() if WRITE_KEYS & {action["do"] for action in actions}}
        assert writing.isdisjoint(unknown)


def assert_outside_is_untouched(before: Rows, after: Rows, units: dict[str, Any]) -> None:
    """Byte for byte, and of the other tables too; a slot of a keeper is new."""
    inside = set(units)
    keepers = {action.get("source") for actions in units.values() for action in actions} - inside
    assert without(after, inside | keepers) == without(before, inside | keepers)
    for table in (CREDENTIALS, RECORDS, HISTORY):
        there = {key: row for key, row in before[table].items() if owner(table, row) in keepers}
        assert {key: after[table][key] for key in there} == there
    recorded = {owner("", row) for key, row in after[REGISTER].items() if before[REGISTER].get(key) != row}
    assert recorded <= inside, "of nothing else a record is made or changed"
    for table in before.keys() - {CREDENTIALS, RECORDS, HISTORY, REGISTER, "strongroom_slot"}:
        assert {key: after[table].get(key) for key in before[table]} == before[table]
        if table not in ("credential_usage_logs", "strongroom_events"):
            assert after[table] == before[table]
    logged = [row for key, row in after["credential_usage_logs"].items() if key not in before["credential_usage_logs"]]
    with_credential = [each for each in units if each in before[CREDENTIALS]]
    assert sorted(owner("", row) for row in logged) == sorted(with_credential)
    assert {row["action_type"] for row in logged} == {"repair"}
    assert len(after["strongroom_events"]) == len(before["strongroom_events"]) + 1


def assert_only_what_was_planned_changed(
    before: Rows, after: Rows, units: dict[str, list[dict[str, Any]]], *, ours: bool
) -> None:
    """No row is gone, and in a row of a unit only those columns changed that its actions are about."""
    for table in before:
        assert before[table].keys() <= after[table].keys(), table
    for table in (CREDENTIALS, RECORDS, HISTORY):
        for key, row in before[table].items():
            changed = {name for name in row if row[name] != after[table][key][name]} - {"updated_at"}
            dos = {action["do"] for action in units.get(owner(table, row), [])}
            allowed = set().union(*(WRITTEN[do] for do in dos))
            if ours and dos & {"seal", "fill"}:
                allowed |= PUBLIC_HALF | STATE
            if ours and "retire" in dos:
                allowed |= STATE
            if table == RECORDS and row["revoked_at"] is None and dos:
                allowed |= carried_by_the_trigger(after[CREDENTIALS].get(owner(table, row)), after[table][key])
            assert changed <= allowed, (table, key, dos, changed)
    new = [row for key, row in after[RECORDS].items() if key not in before[RECORDS]]
    for row in new:
        dos = {action["code"] for action in units[owner(RECORDS, row)]}
        by_trigger = row["encrypted_private_key"] in PLACEHOLDERS
        assert "missing-vault-record" in dos or by_trigger, dos


def carried_by_the_trigger(credential: dict[str, Any] | None, record: dict[str, Any]) -> set[str]:
    """The old trigger copies the revocation of a credential to its record, whichever of its columns changes."""
    return {"revoked_at"} if credential is not None and record["revoked_at"] == credential["revoked_at"] else set()


def assert_nothing_is_lost(damaged: DamagedDatabase, before: Rows, after: Rows) -> None:
    """Each text of before still stands somewhere, or what is in it stands sealed under the same wallet."""
    everything = everything_of(after)
    sealed = sealed_contents(damaged)
    for credential, text in planted_texts(damaged.planted):
        if not text.value or text.form in ("placeholder", "unreadable"):
            continue
        there = spelled(text.value) in everything.get(credential, "")
        kept = sealed.get(credential, set())
        inside = words(text.phrase) if text.secret is None and text.phrase is not None else text.secret
        assert there or inside in kept, (text.form, credential)
    for row in before[HISTORY].values():
        assert row["text"] in everything[owner(HISTORY, row)] or row["form"] == "foreign"


def assert_history_is_not_in_plaintext(damaged: DamagedDatabase, before: Rows, after: Rows) -> None:
    """What repair put there is sealed, or under a password of the legacy application."""
    locked = {text.value for _, text in planted_texts(damaged.planted) if text.form in ("envelope", "keystore")}
    noise = {text.value for _, text in planted_texts(damaged.planted) if text.form == "unreadable"}
    for key, row in after[HISTORY].items():
        if key not in before[HISTORY]:
            sealed = (row["form"], row["text"][:10]) == ("sealed", "eyJraWQiOi")
            assert sealed or row["text"] in locked or row["text"] in noise, row["reason"]


def assert_findings_that_remain(
    before: list[dict[str, Any]],
    after: list[dict[str, Any]],
    path: Path,
    units: dict[str, list[dict[str, Any]]],
    rows: Rows,
    planted: WrittenDatabase,
) -> None:
    """Only what needs a person; of that nothing is missing but what came right with something else."""
    left = {each["row"] for each in damaged_databases.left_of(path)}
    assert {(each["code"], each["row"]) for each in after if each["automatic"] and each["row"] not in left} == set()
    done = {(action["code"], action["row"]) for actions in units.values() for action in actions}
    was, now = codes(before), codes(after)
    assert not {key for key in now if (key[0], key[1]) in done and key[2] not in ("ask", "none")}
    filled = {key for key, actions in units.items() if any(action["do"] == "fill" for action in actions)}
    keys = {planted.wallets[UUID(key)].private_key for key in filled}
    sharing = filled | {credential for credential, text in planted_texts(planted) if text.secret in keys}
    for code, row, repair, _ in now - was:
        by_trigger = code == "placeholder" and repair in ("none", "ask")  # g4: it was a missing record before
        explained = (
            by_trigger
            or (code == "shared-key" and row in sharing)
            or (code == "key-in-metadata" and repair == "ask" and (code, row) in done)  # another key next to its own
        )
        assert explained, (code, row, repair)
    retired = {owner(RECORDS, row) for row in rows[RECORDS].values() if row["access_level"] == "revoked"}
    credentials = {(each["code"], each["row"]): each["credential_id"] for each in before}
    for code, row, repair, automatic in was - now:
        credential = credentials[code, row]
        explained = (
            automatic
            or code == "duplicate-live"
            or (code == "register-mismatch" and credential in units)  # its key was proved, or its rows put back
            or (code == "missing-vault-record" and repair in ("none", "ask"))
            or (code == "duplicate-vault-records" and credential in retired)
        )
        assert explained, (code, row, repair)


def assert_keys_prove(damaged: DamagedDatabase, given: Access, rows: Rows, waiting: set[str], rivals: set[str]) -> None:
    """Every recoverable wallet whose record is not taken by something else: sealed, and the key that was planted.

    But for those that wait for a person's choice; of live rivals in tables of ours one at most has the slot's type.
    """
    truth = damaged.planted.truth
    contradicted = set(retired_behind_the_register(truth)) | rivals
    wanted = sorted(set(saved(truth, given, divided=damaged.divided)) - waiting - contradicted)
    known = [each for each in truth.credentials if truth.generation not in OURS or each.registered is not None]
    assert len(wanted) > len(known) // 3
    everything = everything_of(rows)
    with damaged.open() as vault:
        results = {str(result.id): result for result in vault.verify()}
        assert {results[wallet].code for wallet in contradicted - rivals} <= {"identity-mismatch"}
        for wallet in wanted:
            assert results[wallet].ok, (wallet, results[wallet].code)
            key = damaged.planted.wallets[UUID(wallet)].private_key
            assert key is not None
            assert raw_key(vault.reveal(wallet, **ACTOR)) == key
            assert Canary(key).in_text(everything[wallet], wallet) == []
    own = set(wanted)
    by_id = {str(credential.id): credential for credential in truth.credentials}
    for credential, text in planted_texts(damaged.planted):
        if credential in own and text.form in ("key", "phrase", "encoded") and derives(text, by_id[credential].key):
            assert spelled(text.value) not in everything[credential], (credential, text.form)
    for row in rows[RECORDS].values():
        if owner(RECORDS, row) in own and (row["encrypted_private_key"] or "").startswith("eyJraWQiOi"):
            assert row["encryption_method"] == "AES-256-GCM"


def retired_behind_the_register(truth: GroundTruth) -> Iterator[str]:
    """Wallets of ours whose rows say that they are retired, and whose record does not: a person decides, no repair."""
    if truth.generation in OURS:
        for credential in truth.credentials:
            if credential.registered is not None and credential.registered.status == "active" and not credential.live:
                yield str(credential.id)


def project_of(record: Record, index: Index) -> UUID | None:
    """Whose a text is: what its header says, else the project of the row that it is stored in."""
    if record.text.header is not None:
        return record.text.header.project
    holder = index.by_id.get(record.credential)
    return None if holder is None else holder.project


def saved(truth: GroundTruth, given: Access, *, divided: bool = False) -> Iterator[str]:
    """Wallets whose key can be had, and whose record is empty or has it: nothing there has to be decided."""
    index = truth.index()
    projects: dict[object, set[UUID]] = defaultdict(set)
    """In which projects each key stands: what would come out of a password there is left to people."""
    for credential in truth.credentials:
        texts = [*credential.members.values(), *(record.text for record in index.records[credential.id])]
        for text in [*texts, *(entry.text for entry in index.entries[credential.id])]:
            projects[text.secret].add(credential.project)
    for credential in truth.credentials:
        records = index.records[credential.id]
        own = [record.text for record in records]
        entries = [entry for entry in index.entries[credential.id] if entry.project == credential.project]
        elsewhere = [*credential.members.values(), *(entry.text for entry in entries)]
        elsewhere += [
            record.text for record in index.records_with(credential) if project_of(record, index) == credential.project
        ]
        had = any(given.opens(text, truth.kids) and derives(text, credential.key) for text in [*own, *elsewhere])
        free = all(
            text.form == "placeholder" or (given.opens(text, truth.kids) and derives(text, credential.key))
            for text in own
        )
        bound = all(text.header is None or text.header.credential == credential.id for text in own)
        asked = any(text.form not in ("key", "phrase", "encoded", "sealed") for text in own) or not own
        doubtful = truth.generation in OURS and not vouched_for(credential, own, divided=divided)
        if (
            had
            and free
            and bound
            and not doubtful
            and not (asked and len(projects[credential.key and credential.key.secret]) > 1)
        ):
            yield str(credential.id)


def vouched_for(credential: CredentialRow, own: Sequence[Text], *, divided: bool) -> bool:
    """Whether the register has a wallet of ours and its rows agree, but for what a sealed text of its own restores.

    Where tables are divided by project no row becomes another project's.
    """
    registered = credential.registered
    if registered is None:
        return False
    there = register_columns(credential)
    restored = {0, 1, 4, 5, 6} if any(text.form == "sealed" for text in own) else set()
    if divided:
        restored.discard(0)
    return all(
        one == other
        for number, (one, other) in enumerate(zip(there, registered.columns, strict=True))
        if number not in restored | {3}
    )
