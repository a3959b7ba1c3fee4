"""What rows, plans, URLs and errors hold reaches a terminal as text: nothing in it is obeyed, hidden or reordered."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from testbed.command_line import CommandResult, call
from testbed.databases.rows import execute
from testbed.terminal import HOSTILE, OBEYED, SHOWN


def plant(url: str, wallet_id: str) -> None:
    """Hostile text in every column that takes it, as somebody may leave it who writes to the database."""
    row = "id = ?" if not url.startswith("sqlite") else "replace(id, '-', '') = replace(?, '-', '')"
    label = json.dumps({"custom_name": HOSTILE, "label": HOSTILE, "scheme": HOSTILE, "path": HOSTILE})
    sets = {"status": HOSTILE[:32], "wallet_address": HOSTILE, "metadata": label}
    for column, value in sets.items():
        execute(url, f"UPDATE project_credentials SET {column} = ? WHERE {row}", (value, wallet_id))
    execute(url, "UPDATE strongroom_vault_history SET reason = ?, address = ?", (HOSTILE, HOSTILE))
    execute(
        url,
        "INSERT INTO strongroom_keyring_wrap SELECT kid, ?, wrapped, check_value, created_at "
        "FROM strongroom_keyring_wrap",
        (f"file:{HOSTILE}",),
    )


def assert_inert(answer: CommandResult) -> None:
    text = answer.out + answer.err
    assert [each for each in OBEYED if each in text] == []


@pytest.mark.thorough(sample=1)
@pytest.mark.usefixtures("initialised")
def test_rows_with_escape_sequences_are_printed_as_text_by_every_command(
    project: str, vault_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    created = call("wallet", "create", "ethereum", "bitcoin", "--project", project, "--json").document["results"]
    wallet, other = (each["wallet"]["id"] for each in created)
    assert call("keys", "rotate").code == 0
    assert call("keys", "rewrap").code == 0  # the older texts go into the history
    plant(vault_url, wallet)
    for arguments in (
        ["wallet", "list", "--project", project],
        ["wallet", "show", wallet],
        ["wallet", "show", HOSTILE],
        ["history", wallet],
        ["history", other],
        ["verify"],
        ["verify", wallet],
        ["status"],
        ["keys", "status"],
        ["root-key", "list"],
        ["root-key", "check"],
        ["doctor"],
        ["wallet", "create", "ethereum", "--project", project],
        ["wallet", "revoke", wallet, "--yes"],
    ):
        for given in (arguments, [*arguments, "--json"]):
            assert_inert(call(*given))
    assert SHOWN.encode("ascii", "backslashreplace").decode() in call("root-key", "list").out
    monkeypatch.setenv("STRONGROOM_DEBUG", "1")
    assert_inert(call("wallet", "show", wallet))


@pytest.mark.usefixtures("initialised")
def test_a_question_on_a_terminal_shows_rows_as_text(project: str, vault_url: str) -> None:
    [result] = call("wallet", "create", "ethereum", "--project", project, "--json").document["results"]
    plant(vault_url, result["wallet"]["id"])
    assert_inert(call("wallet", "revoke", result["wallet"]["id"], stdin=b"no\n", terminal=True))


@pytest.mark.usefixtures("initialised")
def test_a_plan_and_a_path_and_a_url_with_escape_sequences_are_printed_as_text(
    project: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    call("wallet", "create", "ethereum", "--project", project)
    plan = Path("plan.json")
    assert call("repair", "--plan", str(plan)).code == 0
    document = json.loads(plan.read_text())
    document["database"] = HOSTILE
    hostile = Path("plan\x1b]0;x\x07\u202e.json")
    hostile.write_text(json.dumps(document))
    answer = call("repair", "--apply", str(hostile))
    assert_inert(answer)
    assert "\\x1b]0;owned" in answer.err
    assert_inert(call("root-key", "new", "key\x1b]0;x\x07\u202e.key"))
    assert_inert(call("--config", f"c{HOSTILE}", "status"))
    monkeypatch.setenv("STRONGROOM_DATABASE_URL", f"sqlite:///{HOSTILE}")
    assert_inert(call("status"))
    monkeypatch.setenv("STRONGROOM_ROOT_KEY", f"file:{HOSTILE}")
    assert_inert(call("status"))
