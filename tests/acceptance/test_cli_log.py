"""Reading the log and finding wallets on the command line: who did what, to which wallet, of which project."""

from __future__ import annotations

import getpass
import re
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

import strongroom
from strongroom.cli import main
from strongroom.cli.log import ACTIONS
from strongroom.records import phrases
from strongroom.store.guard.names import INSTALLED, REMOVED
from strongroom.takeover.migrate import session as migrate
from strongroom.usecases import acknowledge
from testbed.command_line import call

USER = getpass.getuser()


def created(project: str, *arguments: str) -> dict[str, Any]:
    answer = call("wallet", "create", "ethereum", "--project", project, "--json", *arguments)
    wallet: dict[str, Any] = answer.document["results"][0]["wallet"]
    return wallet


def log(*arguments: str) -> list[dict[str, Any]]:
    answer = call("log", "list", "--json", *arguments)
    assert answer.code == 0, answer.err
    found: list[dict[str, Any]] = answer.document["log"]
    return found


@pytest.mark.parametrize("engine", ["sqlite"])
def test_the_log_names_the_user_and_is_filtered(initialised: Path, project: str, tmp_path: Path) -> None:
    wallet = created(project)
    other = created(project, "--label", "other", "--actor", "6f1c1c1e-6a5c-4d7e-9d0a-0e9f0f8e7b11")
    signed = call("sign", "message", wallet["address"], "-", "--json", stdin=b"hello").document
    assert (signed["wallet"], signed["address"]) == (wallet["id"], wallet["address"])
    assert call("keys", "rotate", "--reason", "every year").code == 0
    assert call("root-key", "new", str(tmp_path / "spare.key")).code == 0
    assert call("root-key", "add", f"file:{tmp_path}/spare.key").code == 0
    assert call("root-key", "remove", f"file:{tmp_path}/spare.key").code == 0

    everything = log()
    assert [record["action"] for record in everything if record["source"] == "event"][:3] == [
        "remove-root-key",
        "add-root-key",
        "rotate",
    ]
    by = {(record["action"], record["wallet_id"]): record["actor"] for record in everything}
    assert by["create", wallet["id"]] == by["sign", wallet["id"]] == USER
    assert by["rotate", None] == by["remove-root-key", None] == USER
    assert by["create", other["id"]] == "6f1c1c1e-6a5c-4d7e-9d0a-0e9f0f8e7b11"
    assert [record["at"] for record in everything] == sorted((record["at"] for record in everything), reverse=True)

    assert {each["action"] for each in log("--wallet", wallet["address"])} == {"create", "sign"}
    assert {each["wallet_id"] for each in log("--project", project)} == {wallet["id"], other["id"]}
    assert log("--project", str(uuid4())) == []
    assert {each["action"] for each in log("--action", "rotate")} == {"rotate"}
    assert [each["wallet_id"] for each in log("--actor", "6f1c1c1e-6a5c-4d7e-9d0a-0e9f0f8e7b11")] == [other["id"]]
    assert {each["actor"] for each in log("--actor", USER)} == {USER}
    assert log("--until", "2020-01-01") == []
    assert log("--since", "1h") == everything
    assert call("log", "list", "--since", "yesterday").code == 2
    assert "7d" in call("log", "list", "--since", "yesterday").err

    pages, cursor = [], ""
    while True:
        page = call("log", "list", "--json", "--limit", "2", *(("--after", cursor) if cursor else ())).document
        pages += page["log"]
        if page["next"] is None:
            break
        cursor = page["next"]
    assert pages == everything
    shown = call("log", "list").out
    assert "rotate" in shown
    assert "every year" in shown


@pytest.mark.parametrize("engine", ["sqlite"])
def test_wallets_of_all_projects_are_listed_and_searched(initialised: Path, project: str) -> None:
    wallet = created(project)
    elsewhere = created(str(uuid4()), "--label", "Treasury-1".lower())
    found = call("wallet", "list", "--json").document["wallets"]
    assert found == [wallet, elsewhere]
    assert wallet["project_id"] in call("wallet", "list").out
    for search, expected in (
        (wallet["address"][:9].lower(), [wallet]),
        (wallet["address"][:9].upper().replace("X", "x"), [wallet]),
        ("treas", [elsewhere]),
        ("0xzz", []),
        ("0x", [wallet, elsewhere]),
        ("%", []),
    ):
        assert call("wallet", "list", "--search", search, "--json").document["wallets"] == expected
    page = call("wallet", "list", "--limit", "1", "--json").document
    assert page["wallets"] == [wallet]
    assert call("wallet", "list", "--after", page["next"], "--json").document["wallets"] == [elsewhere]
    assert call("wallet", "list", "--network", "bitcoin", "--json").document["wallets"] == []
    projects = call("projects", "list", "--json").document["projects"]
    assert projects == [{"id": each, "wallets": 1} for each in sorted({project, elsewhere["project_id"]})]
    assert project in call("projects", "list").out


@pytest.mark.parametrize("engine", ["sqlite"])
def test_every_command_that_takes_a_wallet_takes_its_three_names(initialised: Path, project: str) -> None:
    wallet = created(project)
    labelled = created(project, "--label", "pay")
    names = (wallet["id"], wallet["address"], f"{project}/ethereum", f"{project}/ethereum/default")
    for name in names:
        assert call("wallet", "show", name, "--json").document["wallet"] == wallet
        assert call("history", name).code == 0
        assert call("verify", name, "--json").document["checked"] == 1
        assert call("log", "list", "--wallet", name, "--json").document["log"] != []
        assert call("wallet", "export", name, "--reveal").code == 0
        assert call("sign", "message", name, "-", stdin=b"x").code == 0
    assert call("wallet", "show", f"{project}/ethereum/pay", "--json").document["wallet"] == labelled
    assert (
        call("wallet", "revoke", f"{project}/ethereum/pay", "--yes", "--json").document["wallet"]["id"]
        == (labelled["id"])
    )
    replaced = call("wallet", "replace", wallet["address"], "--json").document
    assert replaced["replaced"] == wallet["id"]
    for name, code in (("a/b/c/d", 2), (f"{project}//x", 2), (f"{project}/solana", 1), ("x/ethereum", 2)):
        assert call("wallet", "show", name).code == code, name


def test_an_id_that_is_no_uuid_has_a_project_id(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["projects", "id", "users.example.com", "user_42"]) == 0
    assert re.fullmatch(
        r"[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\n", capsys.readouterr().out
    )


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_project_is_erased_after_a_question(initialised: Path, project: str) -> None:
    wallet = created(project, "--label", "jane", "--actor", "jane")
    refused = call("projects", "erase", project)
    assert refused.code == 1
    assert "1 wallet of project" in refused.err
    assert "not-confirmed" in refused.err
    assert call("wallet", "show", wallet["id"], "--json").document["wallet"] == wallet
    erased = call("projects", "erase", project, "--yes", "--reason", "ticket 17", "--json").document
    assert (erased["complete"], erased["wallets"], erased["failed"]) == (True, 1, [])
    assert erased["kept"]["keys"]
    assert call("wallet", "export", wallet["id"], "--reveal").code == 0
    assert {each["actor"] for each in log("--project", project, "--action", "create")} == {None}
    events = log("--action", "erase-project")
    assert {(event["actor"], event["reason"]) for event in events} == {(USER, "ticket 17")}
    assert len(events) == 2
    assert call("projects", "erase", project, stdin=b"y\n").code == 0
    shown = call("projects", "erase", project, "--yes")
    assert "kept: keys" in shown.out
    assert call("projects", "erase", "nobody", "--yes").code == 2


@pytest.mark.parametrize("engine", ["sqlite"])
@pytest.mark.parametrize(
    ("typed", "meant"), [("sing", "sign"), ("Exprot", "export"), ("rotat", "rotate"), ("qqq", None), ("sign", None)]
)
@pytest.mark.usefixtures("initialised")
def test_an_action_that_may_be_meant_is_named(typed: str, meant: str | None) -> None:
    answer = call("log", "list", "--action", typed)
    assert (answer.code, answer.out) == (0, "")
    assert ("Did you mean" in answer.err) is (meant is not None)
    assert meant is None or f"Did you mean {meant}" in answer.err
    assert ("writes no such action" in answer.err) is (typed != "sign")


def test_every_action_of_the_source_is_known() -> None:
    source = "".join(path.read_text() for path in Path(strongroom.__file__).parent.rglob("*.py"))
    assert set(re.findall(r'(?:Event|LogEntry)\("([a-z-]+)"', source)) <= set(ACTIONS)
    assert {INSTALLED, REMOVED, migrate.EVENT, acknowledge.EVENT, *phrases.EVENTS} <= set(ACTIONS)
