"""Plans in the hands of people: struck, edited, damaged, out of date; and of several live wallets, which one stays."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from testbed.databases.rows import sqlite_path
from testbed.defects.registered import register_codes
from testbed.servers.postgres import PostgresServer
from tests.integration import damaged_databases
from tests.integration.damaged_databases import CREDENTIALS, RECORDS, DamagedDatabase, units_of, without

SOME = (
    "lost-with-its-key-in-the-metadata",
    "lost-and-filed-under-another",
    "lost-with-its-key-in-the-history",
    "unreadable-with-its-key-in-the-metadata",
    "key-in-metadata-too",
    "one-vault-id-for-several",
    "several-live",
    "several-live-under-one-label",
    "live-after-revoke",
    "flag-says-not-stored",
    "public-half-of-ours-changed",
    "label-of-ours-changed",
    "key-of-another-wallet-too",
)
"""Recipes of what each action is about, and of what needs a person."""
PARTLY = 6
IN_PLAINTEXT, IN_METADATA = 8, 4
"""Of how many recorded wallets in tables of ours the key stands where it should not."""
Unit = dict[str, Any]
Edit = Callable[[list[Unit]], None]


@pytest.fixture(params=["g4-vault", "sqlite"])
def damaged(request: pytest.FixtureRequest, root_key_uri: str, private_path: Path) -> DamagedDatabase:
    """A database with what can be repaired without passwords."""
    if request.param != "sqlite":
        server: PostgresServer = request.getfixturevalue("postgres")
        return damaged_databases.damaged(request.param, server, root_key_uri, private_path, 10, defects=SOME)
    made = damaged_databases.damaged("sqlite", None, root_key_uri, private_path, 10, defects=SOME)
    expose_recorded(made)
    return made


def expose_recorded(damaged: DamagedDatabase) -> None:
    """Let keys of recorded wallets be found in plaintext: of tables of ours, the register's alone are sealed and
    filled."""
    plain = [
        credential
        for credential in damaged.planted.truth.credentials
        if credential.registered is not None
        and (credential.registered.path, credential.registered.status) == (None, "active")
        and not list(register_codes("sqlite", credential, damaged.planted.truth.index().records[credential.id]))
    ][: IN_PLAINTEXT + IN_METADATA]
    assert len(plain) == IN_PLAINTEXT + IN_METADATA
    with closing(sqlite3.connect(sqlite_path(damaged.url))) as connection, connection:
        for number, credential in enumerate(plain):
            assert credential.key is not None
            key, there = credential.key.secret.hex(), number < IN_PLAINTEXT
            connection.execute(
                "UPDATE credential_vault_storage SET encrypted_private_key = ? WHERE credential_id = ?",
                (key if there else "", str(credential.id)),
            )
            if not there:
                metadata = json.dumps({**(credential.metadata or {}), "private_key_encrypted": key})
                connection.execute(
                    "UPDATE project_credentials SET metadata = ? WHERE id = ?", (metadata, str(credential.id))
                )


def edited(path: Path, edit: Edit) -> Path:
    """A plan after an edit of its units."""
    document = json.loads(path.read_text())
    edit(document["units"])
    path.write_text(json.dumps(document))
    return path


def with_action(units: list[Unit], **wanted: str) -> list[Unit]:
    """Units that have such an action."""
    return [
        unit
        for unit in units
        if any(all(action[name] == value for name, value in wanted.items()) for action in unit["actions"])
    ]


def report_of(path: Path) -> dict[str, Any]:
    """What the last run reported."""
    found: dict[str, Any] = json.loads(path.with_suffix(".report.json").read_text())
    return found


def assert_comes_to_rest(damaged: DamagedDatabase) -> None:
    """A wallet whose identity is restored takes a second plan, and may be in the way of another one of its slot."""
    for _ in range(4):
        path = damaged.plan()
        if units_of(path) == {}:
            return
        assert damaged.apply(path).code in (0, PARTLY)
    raise AssertionError("there was always something left to do")


# --- what a person strikes -----------------------------------------------------------------------------------


@pytest.mark.thorough(but=("sqlite",))
def test_struck_units_are_left_alone(damaged: DamagedDatabase) -> None:
    before = damaged.rows()
    path = damaged.plan()
    kept = set(list(units_of(path))[::3])

    def strike(units: list[Unit]) -> None:
        units[:] = [unit for unit in units if unit["credential_id"] in kept]

    assert damaged.apply(edited(path, strike)).code in (0, PARTLY)  # a struck one may be in another one's way
    after = damaged.rows()
    sources = {str(action.get("source")) for actions in units_of(path).values() for action in actions}
    assert without(after, kept | sources) == without(before, kept | sources)
    report = report_of(path)
    done, failed = ({each["credential_id"] for each in report[name]} for name in ("done", "not_done"))
    assert done | failed == kept
    assert len(failed) < len(kept) // 4
    restored = {each["credential_id"] for each in report["done"] if "relabel identity-changed" in each["did"]}
    assert (done - restored).isdisjoint(units_of(damaged.plan()))
    assert_comes_to_rest(damaged)


@pytest.mark.thorough(but=("sqlite", "g4-vault-seal"))
@pytest.mark.parametrize("do", ["unlink", "seal", "fill", "move", "relabel", "retire"])
def test_struck_actions_are_not_done(damaged: DamagedDatabase, do: str) -> None:
    path = damaged.plan()

    def strike(units: list[Unit]) -> None:
        for unit in units:
            unit["actions"] = [action for action in unit["actions"] if action["do"] != do]
        units[:] = [unit for unit in units if unit["actions"]]

    struck = {action["row"] for actions in units_of(path).values() for action in actions if action["do"] == do}
    before = damaged.rows()
    answer = damaged.apply(edited(path, strike))
    assert answer.code in (0, PARTLY), answer.err
    done = [what for each in report_of(path)["done"] for what in each["did"]]
    assert done
    assert not [what for what in done if what.startswith(do)]
    after = damaged.rows()
    column = {"seal": "encrypted_private_key", "unlink": "key_vault_id", "relabel": "encryption_method"}.get(do)
    table = CREDENTIALS if do == "unlink" else RECORDS
    if column is not None:
        for row in struck & before[table].keys():
            changed = after[table][row][column] != before[table][row][column]
            assert not changed or do == "relabel", (do, row)
    assert_comes_to_rest(damaged)


# --- what nobody should do to a plan -------------------------------------------------------------------------


def swap_credentials(units: list[Unit]) -> None:
    one, other = with_action(units, do="seal")[:2]
    one["credential_id"], other["credential_id"] = other["credential_id"], one["credential_id"]


def swap_rows(units: list[Unit]) -> None:
    one, other = with_action(units, do="seal")[:2]
    one["actions"], other["actions"] = other["actions"], one["actions"]


def copy_fingerprints(units: list[Unit]) -> None:
    for unit in units:
        unit["fingerprint"] = units[0]["fingerprint"] if unit is not units[0] else "00" * 32


def sources_of_others(units: list[Unit]) -> None:
    """Let every missing key be another wallet's."""
    sealed = with_action(units, do="seal", code="plaintext-key")
    for unit, other in zip(with_action(units, do="fill"), sealed, strict=False):
        for action in unit["actions"]:
            action["source"] = other["actions"][0]["row"]


def strange_sources(units: list[Unit]) -> None:
    for unit in units:
        for action in unit["actions"]:
            action["source"] = "'; DROP TABLE project_credentials; --"


def strange_ids(units: list[Unit]) -> None:
    for unit in units:
        unit["credential_id"] = "'; DROP TABLE project_credentials; --"


def strange_rows(units: list[Unit]) -> None:
    for unit in units:
        for action in unit["actions"]:
            action["row"] = "\0" if action["code"] == "foreign-history" else "nothing"


def seal_everything(units: list[Unit]) -> None:
    for unit in units:
        for action in unit["actions"]:
            action["do"] = "seal"


def fill_everything(units: list[Unit]) -> None:
    for unit in units:
        for action in unit["actions"]:
            action["do"] = "fill"


def other_error_codes(units: list[Unit]) -> None:
    codes = ["unreadable", "address-mismatch", "orphan-vault-record", "no-such-code", "sealed-elsewhere"]
    for number, unit in enumerate(units):
        for action in unit["actions"]:
            action["code"] = codes[number % len(codes)]


def empty_actions(units: list[Unit]) -> None:
    for unit in units:
        unit["actions"] = []


EDITS = [
    swap_credentials,
    swap_rows,
    copy_fingerprints,
    sources_of_others,
    strange_sources,
    strange_ids,
    strange_rows,
    seal_everything,
    fill_everything,
    other_error_codes,
]


@pytest.mark.thorough(but=("sqlite",))
@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.__name__)
def test_nothing_is_done_beyond_what_an_examination_calls_for(damaged: DamagedDatabase, edit: Edit) -> None:
    """A plan with an action that was not offered is refused as a whole; an honest one works as ever."""
    found = {each["row"]: each for each in damaged.doctor() if not each["automatic"]}
    before = damaged.rows()
    path = damaged.plan()
    answer = damaged.apply(edited(path, edit))
    assert (answer.code, "invalid-plan" in answer.err) == (2, True), answer.err
    after = damaged.rows()
    assert after == before
    known = {wallet: planted.private_key for wallet, planted in damaged.planted.wallets.items() if planted.recoverable}
    with damaged.open() as vault:
        for result in vault.verify():
            if result.ok and result.id in known:
                assert (
                    damaged_databases.raw_key(vault.reveal(result.id, **damaged_databases.ACTOR))
                    == known[UUID(str(result.id))]
                )
    left = {(each["code"], each["row"]) for each in damaged.doctor() if not each["automatic"]}
    asked = {(each["code"], row) for row, each in found.items() if each["code"] in ("unreadable", "address-mismatch")}
    assert asked <= left
    assert_comes_to_rest(damaged)


@pytest.fixture
def patient_of_a_file(root_key_uri: str, private_path: Path) -> DamagedDatabase:
    """The same, in SQLite."""
    return damaged_databases.damaged("sqlite", None, root_key_uri, private_path, 10, defects=SOME)


BROKEN_UNITS: dict[str, Edit] = {
    "unit is a text": lambda units: units.insert(0, "unit"),  # type: ignore[arg-type]
    "no fingerprint": lambda units: units[0].pop("fingerprint"),
    "fingerprint is a number": lambda units: units[0].update(fingerprint=1),
    "actions are a text": lambda units: units[0].update(actions="all"),
    "action is a list": lambda units: units[0].update(actions=[[]]),
    "no row": lambda units: units[0]["actions"][0].pop("row"),
    "do what there is not": lambda units: units[0]["actions"][0].update(do="delete"),
    "source is a number": lambda units: units[0]["actions"][0].update(source=1),
}


@pytest.mark.parametrize("broken", BROKEN_UNITS)
def test_a_broken_unit_is_refused_before_anything_is_done(patient_of_a_file: DamagedDatabase, broken: str) -> None:
    before = patient_of_a_file.rows()
    answer = patient_of_a_file.apply(edited(patient_of_a_file.plan(), BROKEN_UNITS[broken]))
    assert (answer.code, "invalid-plan" in answer.err) == (2, True), answer.err
    assert patient_of_a_file.rows() == before


def test_an_unknown_sealing_key_is_refused(patient_of_a_file: DamagedDatabase) -> None:
    before = patient_of_a_file.rows()
    path = patient_of_a_file.plan()
    document = json.loads(path.read_text())
    path.write_text(json.dumps({**document, "fingerprints_by": "k-of-another-vault"}))
    answer = patient_of_a_file.apply(path)
    assert ("unknown-sealing-key" in answer.err, answer.out) == (True, "")
    assert answer.code not in (0, PARTLY)
    assert patient_of_a_file.rows() == before


def test_an_emptied_unit_does_nothing(patient_of_a_file: DamagedDatabase) -> None:
    path = edited(patient_of_a_file.plan(), empty_actions)
    before = patient_of_a_file.rows()
    assert patient_of_a_file.apply(path).code == 0
    assert patient_of_a_file.rows() == before


def test_a_plan_of_another_database_does_nothing_there(
    damaged: DamagedDatabase, root_key_uri: str, sqlite_vault_url: str
) -> None:
    path = damaged.plan()
    other = DamagedDatabase(sqlite_vault_url, root_key_uri, damaged.folder, damaged.planted)
    before = other.rows()
    answer = other.apply(path)
    assert answer.code != 0
    assert other.rows() == before
