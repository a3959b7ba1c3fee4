"""Plans as files: what is written can be read, sorted by what is done, and an edit breaks nothing silently."""

from __future__ import annotations

import json
import os
import random
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from strongroom.errors import InvalidPlanError
from strongroom.secret import Secret
from strongroom.store.inspection.inspection import FoundCredential, FoundRecord, FoundWallet
from strongroom.takeover.repair import plan as plans
from strongroom.takeover.repair.actions import ORDER, Action, with_one_filled
from strongroom.takeover.repair.plan import Plan, Unit, fingerprint

WALLET = "5a5a5a5a-5a5a-4a5a-8a5a-5a5a5a5a5a5a"
OTHER = "6a6a6a6a-6a6a-4a6a-8a6a-6a6a6a6a6a6a"
KEY = Secret(bytes(range(32)))
CREDENTIAL = FoundCredential(
    id=WALLET,
    project_id="1",
    network="ethereum",
    label="default",
    address="0x12",
    public_key="",
    key_vault_id="v1",
    live=True,
    status="active",
    vault_stored=True,
    scheme=None,
    path=None,
    key_texts=(("private_key_encrypted", "46" * 32),),
)
RECORD = FoundRecord("r1", WALLET, "47" * 32, "AES-256-GCM", "project_admin")


def written(path: Path, plan: Plan) -> Path:
    path.write_text("".join(plans.lines(plan)))
    return path


def unit(*actions: Action, wallet: str = WALLET) -> Unit:
    return Unit(wallet, "0x12", "ab" * 32, list(actions))


def test_what_is_written_can_be_read(tmp_path: Path) -> None:
    action = Action("fill", "missing-vault-record", "project_credentials", WALLET, 'no record; "quoted" \u2028', "r2")
    made = Plan("db", "g4", "k1", [unit(action)], [{"code": "unreadable"}])
    read = plans.load(written(tmp_path / "plan.json", made))
    assert (read.database, read.generation, read.kid) == ("db", "g4", "k1")
    assert list(read.units) == list(made.units)
    document = json.loads((tmp_path / "plan.json").read_text())
    assert document["left_to_people"] == [{"code": "unreadable"}]
    assert document["actions"] == {"fill": 1}


def test_an_empty_plan_is_one(tmp_path: Path) -> None:
    assert plans.load(written(tmp_path / "plan.json", Plan("db", "g4", "k1", []))).units == []


def test_units_are_sorted_by_what_is_done() -> None:
    units = [unit(Action(do, "code", "table", "row", "")) for do in ORDER]
    shuffled = random.Random(1).sample(units, len(units))
    assert sorted(shuffled, key=lambda each: each.rank) == units
    both = unit(Action("retire", "b", "table", "row", ""), Action("unlink", "a", "table", "row", ""))
    assert both.rank[0] == ORDER.index("unlink")


@pytest.mark.parametrize(
    ("changed", "same"),
    [
        ({"key_vault_id": "v2"}, True),
        ({"address": "0x13"}, False),
        ({"project_id": "2"}, False),
        ({"live": False}, False),
        ({"vault_stored": None}, False),
        ({"key_texts": ()}, False),
        ({"path": "m/0"}, False),
    ],
)
def test_fingerprints_of_credentials(changed: dict[str, object], same: bool) -> None:
    values = {name: getattr(CREDENTIAL, name) for name in CREDENTIAL.__slots__} | changed
    before = fingerprint(KEY, FoundWallet(CREDENTIAL, (RECORD,)))
    assert (fingerprint(KEY, FoundWallet(FoundCredential(**values), (RECORD,))) == before) is same


@pytest.mark.parametrize("name", ["id", "text", "encryption_method", "access_level"])
def test_fingerprints_of_records(name: str) -> None:
    values = {each: getattr(RECORD, each) for each in RECORD.__slots__} | {name: "another"}
    before = fingerprint(KEY, FoundWallet(CREDENTIAL, (RECORD,)))
    assert fingerprint(KEY, FoundWallet(CREDENTIAL, (FoundRecord(**values),))) != before
    assert fingerprint(KEY, FoundWallet(CREDENTIAL, (RECORD, RECORD))) != before
    assert fingerprint(Secret(b"x" * 32), FoundWallet(CREDENTIAL, (RECORD,))) != before
    assert "47" * 4 not in before


def test_a_unit_must_name_a_wallet(tmp_path: Path) -> None:
    for wallet in ("", "1; DROP TABLE", "\0", WALLET[:-1]):
        with pytest.raises(InvalidPlanError, match="names no wallet"):
            plans.load(written(tmp_path / "plan.json", Plan("db", "g4", "k1", [unit(wallet=wallet)])))


def test_files_that_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A directory, a pipe that nobody writes to, nothing, and one that is longer than any plan."""
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe", tmp_path / "nothing"):
        with pytest.raises(InvalidPlanError) as caught:
            plans.load(path)
        assert str(tmp_path) not in caught.value.message
    monkeypatch.setattr(plans, "MAX_BYTES", 100)
    with pytest.raises(InvalidPlanError, match="is not JSON"):
        plans.load(written(tmp_path / "long.json", Plan("db" * 100, "g4", "k1", [])))


DAMAGE: dict[str, bytes] = {
    "empty": b"",
    "not JSON": b"{,}",
    "not UTF-8": b"\xff\xfe\x00",
    "a list": b"[]",
    "a number": b"1e999",
    "nothing in it": b"{}",
    "another format": b'{"format": "strongroom repair plan 99", "units": []}',
    "no units": b'{"format": "strongroom repair plan 1", "database": "x", "generation": "x", "fingerprints_by": "x"}',
    "deep": b"[" * 200_000,
    "long number": b'{"format": ' + b"9" * 5000 + b"}",
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_what_is_no_plan_is_refused(damage: str, tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_bytes(DAMAGE[damage])
    with pytest.raises(InvalidPlanError, match="plan"):
        plans.load(tmp_path / "plan.json")


CHOICE = Action("retire", "duplicate-live", "project_credentials", WALLET, "why", "k")


def signed(action: Action, unit_of: Unit) -> Action:
    return replace(action, fingerprint=plans.signature(KEY, unit_of, action))


@pytest.mark.parametrize(
    "edit",
    [
        {"do": "seal"},
        {"code": "placeholder"},
        {"table": "t"},
        {"row": "r9"},
        {"recognised": "harmless"},
        {"source": "another"},
        {"source": None},
        {"source_table": "credential_vault_storage"},
        {"seen": "00"},
        {"fingerprint": ""},
        {"fingerprint": "\u00e9"},
    ],
    ids=str,
)
def test_an_action_that_was_edited_is_not_one_that_was_offered(edit: dict[str, Any]) -> None:
    one = unit()
    action = signed(CHOICE, one)
    plans.require_offered(KEY, Plan("db", "g4", "k1", [replace(one, actions=[action])]))
    with pytest.raises(InvalidPlanError, match="not one that the plan offered"):
        plans.require_offered(KEY, Plan("db", "g4", "k1", [replace(one, actions=[replace(action, **edit)])]))


@pytest.mark.parametrize(
    "edit", [{"credential_id": str(UUID(int=1))}, {"fingerprint": "00"}, {"address": "0x13"}], ids=str
)
def test_an_action_of_one_unit_is_none_of_another(edit: dict[str, Any]) -> None:
    one = unit()
    one.actions.append(signed(CHOICE, one))
    with pytest.raises(InvalidPlanError):
        plans.require_offered(KEY, Plan("db", "g4", "k1", [replace(one, **edit)]))


@pytest.mark.parametrize("chosen", [True, False])
def test_a_choice_counts_where_somebody_made_it(tmp_path: Path, chosen: bool) -> None:
    seal = Action("seal", "plaintext-key", "credential_vault_storage", "r1", "")
    path = written(tmp_path / "plan.json", Plan("db", "g4", "k1", [unit(seal)], choices=[unit(CHOICE)]))
    document = json.loads(path.read_text())
    assert [choice["chosen"] for choice in document["choices"]] == [False]
    document["choices"][0]["chosen"] = chosen
    path.write_text(json.dumps(document))
    (read,) = plans.load(path).units
    assert read.actions == [seal, *([CHOICE] if chosen else [])]


@pytest.mark.parametrize("struck", ["units", "choices"])
def test_a_unit_of_which_every_action_was_struck_is_none(tmp_path: Path, struck: str) -> None:
    seal = Action("seal", "plaintext-key", "credential_vault_storage", "r1", "")
    path = written(tmp_path / "plan.json", Plan("db", "g4", "k1", [unit(seal, wallet=OTHER)], choices=[unit(CHOICE)]))
    document = json.loads(path.read_text())
    document["choices"][0]["chosen"] = True
    document[struck][0]["actions"] = []
    path.write_text(json.dumps(document))
    (read,) = plans.load(path).units
    assert read.actions == [CHOICE if struck == "units" else seal]


@pytest.mark.parametrize("choices", [{}, [1], [{}], [{"chosen": "yes"}], [{"chosen": True}]])
def test_choices_that_are_none(tmp_path: Path, choices: object) -> None:
    path = written(tmp_path / "plan.json", Plan("db", "g4", "k1", []))
    path.write_text(json.dumps({**json.loads(path.read_text()), "choices": choices}))
    with pytest.raises(InvalidPlanError):
        plans.load(path)


@pytest.mark.parametrize(
    ("levels", "filled"),
    [(("user", "user"), "a"), (("revoked", "user"), "b"), (("revoked", "revoked"), "a"), ((None, None), "a")],
)
def test_of_several_placeholders_the_first_that_is_in_use_is_filled(levels: tuple[str, str], filled: str) -> None:
    records = [FoundRecord(row, WALLET, "", "", level) for row, level in zip("ab", levels, strict=True)]
    fills = [Action("fill", "placeholder", "credential_vault_storage", row, "no key", "s") for row in "ba"]
    move = Action("move", "key-in-metadata", "project_credentials", WALLET, "")
    actions = with_one_filled([*fills, move], records)
    assert [(each.do, each.row, each.source) for each in actions] == [
        *(("fill", row, "s") if row == filled else ("retire", row, None) for row in "ba"),
        ("move", WALLET, None),
    ]
    assert with_one_filled([fills[0], move], records) == [fills[0], move], "one alone stays as it is"
