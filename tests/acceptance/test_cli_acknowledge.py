"""Doctor as a monitor: findings that a person knows of, where each is, and what is said of what to do first."""

from __future__ import annotations

import getpass
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from strongroom.takeover.doctor import acknowledgements
from strongroom.takeover.doctor.findings import SEVERITIES, TAMPERING
from testbed.command_line import PHRASE_KEY, CommandResult, call
from testbed.databases.rows import execute

pytestmark = pytest.mark.parametrize("engine", ["sqlite"])


@pytest.fixture
def damaged(initialised: Path, project: str, vault_url: str) -> dict[str, Any]:
    """A wallet whose key is a placeholder, and whose history is gone: nothing gives it back."""
    answer = call("wallet", "create", "ethereum", "--project", project, "--json")
    wallet: dict[str, Any] = answer.document["results"][0]["wallet"]
    execute(vault_url, "UPDATE credential_vault_storage SET encrypted_private_key = ''")
    execute(vault_url, "UPDATE project_credentials SET vault_stored = false")
    return wallet


def findings(answer: CommandResult) -> dict[str, dict[str, Any]]:
    document = answer.document
    return {finding["name"]: finding for finding in (*document["schema"], *document["findings"])}


def test_what_is_acknowledged_is_not_new(damaged: dict[str, Any], vault_url: str, project: str) -> None:
    answer = call("doctor", "--json")
    assert answer.code == 3
    (lost,) = [each for each in findings(answer).values() if each["code"] == "placeholder"]
    assert (lost["address"], lost["network"], lost["project_id"]) == (damaged["address"], "ethereum", project)
    assert lost["acknowledged"] is None
    names = list(findings(answer))
    assert call("doctor", "--acknowledge", names[0]).code == 2
    assert "There is no such finding" in call("doctor", "--acknowledge", "x:y", "--reason", "x").err
    for lasting in ("0d", "366d", "1w"):
        assert call("doctor", "--acknowledge", names[0], "--reason", "x", "--for", lasting).code == 2

    flags = [part for name in names for part in ("--acknowledge", name)]
    written = call("doctor", *flags, "--reason", "ticket 9", "--for", "30d", "--actor", "ops", "--json").document
    assert [each["name"] for each in written["acknowledged"]] == names
    answer = call("doctor", "--json")
    assert answer.code == 0
    assert answer.document["new"] == {}
    assert answer.document["summary"] != {}
    assert {each["acknowledged"]["reason"] for each in findings(answer).values()} == {"ticket 9"}
    shown = call("doctor")
    assert shown.code == 0
    assert "acknowledged, 0 are new" in shown.out
    assert "First:" not in shown.out
    assert call("doctor", "--acknowledge", names[0], "--reason", "again").code == 0
    [event, *_] = call("log", "list", "--json", "--action", "acknowledge").document["log"]
    assert event["actor"] == getpass.getuser(), "who runs the command, where nobody is named"
    assert "Healthy" not in shown.out

    # something else about the same wallet is new, and so is what was acknowledged when it says something else
    execute(vault_url, "UPDATE credential_vault_storage SET encrypted_private_key = 'MIGRATION_REQUIRED'")
    answer = call("doctor", "--json")
    assert (answer.code, answer.document["new"]) == (3, {"placeholder": 1})


def test_nobody_without_the_root_key_silences_a_monitor(
    damaged: dict[str, Any], vault_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (name,) = findings(call("doctor", "--json"))
    assert call("doctor", "--acknowledge", name, "--reason", "known").code == 0
    assert call("doctor").code == 0
    ((details,),) = execute(vault_url, "SELECT details FROM strongroom_events WHERE event = 'acknowledge'")
    for changes in (
        {"until": "2099-01-01T00:00:00+00:00"},
        {"finding": "x"},
        {"tag": "x"},
        {"reason": "y"},
        {"until": "x"},
    ):
        text = json.dumps({**json.loads(details), **changes})
        execute(vault_url, "UPDATE strongroom_events SET details = ? WHERE event = 'acknowledge'", (text,))
        assert call("doctor").code == 3, changes
    execute(vault_url, "UPDATE strongroom_events SET details = ? WHERE event = 'acknowledge'", (details,))
    assert call("doctor").code == 0
    later = datetime.now(UTC) + timedelta(days=91)
    read = acknowledgements.Acknowledgements.read
    monkeypatch.setattr(acknowledgements.Acknowledgements, "read", lambda events, keys, now: read(events, keys, later))
    assert call("doctor").code == 3, "an acknowledgement ends"


def test_tampering_cannot_be_acknowledged(damaged: dict[str, Any], vault_url: str) -> None:
    execute(vault_url, "UPDATE strongroom_wallet SET variant = 'taproot'")
    (name,) = [each for each in findings(call("doctor", "--json")) if each.startswith("register-mismatch")]
    refused = call("doctor", "--acknowledge", name, "--reason", "known")
    assert refused.code == 2
    assert "tampering" in refused.err
    assert set(SEVERITIES) >= TAMPERING


def test_first_names_no_command_that_has_nothing_to_do(damaged: dict[str, Any], vault_url: str, tmp_path: Path) -> None:
    shown = call("doctor").out
    assert "repair --plan" not in shown
    assert "First: look for the lost keys elsewhere; with a key: strongroom wallet store-key ID" in shown
    plan = call("repair", "--plan", str(tmp_path / "plan.json"))
    assert "the plan is empty" in plan.err
    assert "--apply" not in plan.err
    assert "0 wallets" in plan.out
    execute(vault_url, "UPDATE credential_vault_storage SET encrypted_private_key = ?", ("0x" + PHRASE_KEY,))
    shown = call("doctor").out
    assert "repair --plan" not in shown
    assert "`strongroom repair` seals them" not in shown, "it derives another address: nothing seals it"
