"""``strongroom repair`` as people meet it: what it prints, its exit codes, its reports, its refusals."""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

import strongroom
from testbed.command_line import CommandResult, call
from testbed.databases.rows import execute
from testbed.defects.keys import key_of
from tests.acceptance.html_page import Page

DONE, FAILED, USAGE, PARTLY = 0, 1, 2, 6
CLEAR = "46" * 32
AFTERWARDS = "the key stands there sealed with AES-256-GCM, bound to this wallet, and encryption_method says so"


@pytest.fixture
def damaged(vault_url: str, root_key_uri: str) -> Callable[..., str]:
    """Plant a wallet whose key is in plaintext; returns its id."""

    def plant(key: str = CLEAR, network: str = "ethereum", project: UUID | None = None, kind: str = "") -> str:
        with strongroom.open(vault_url, root_key=root_key_uri) as vault:
            wallet = vault.import_wallet(project or uuid4(), network, private_key=key, label=kind or "default").wallet
        sql = "UPDATE credential_vault_storage SET encrypted_private_key = ? WHERE credential_id = ?"
        execute(vault_url, sql, (key, str(wallet.id)))
        return str(wallet.id)

    return plant


@pytest.fixture
def repair(vault_url: str, root_key_uri: str) -> Callable[..., CommandResult]:
    """Run the command."""

    def run(*options: str, stdin: bytes = b"") -> CommandResult:
        return call("repair", "--database", vault_url, "--root-key", root_key_uri, *options, stdin=stdin)

    return run


@pytest.fixture
def plan(private_path: Path) -> Path:
    """Where a plan is written."""
    return private_path / "plan.json"


def report_of(plan: Path) -> tuple[dict[str, Any], str]:
    document: dict[str, Any] = json.loads(plan.with_suffix(".report.json").read_text())
    return document, plan.with_suffix(".report.html").read_text()


# --- what it prints ------------------------------------------------------------------------------------------


def test_from_a_plan_to_a_sealed_key(
    damaged: Callable[..., str], repair: Callable[..., CommandResult], plan: Path, vault_url: str, root_key_uri: str
) -> None:
    wallet = damaged()
    planned = repair("--plan", str(plan))
    assert (planned.code, CLEAR in planned.out + planned.err) == (DONE, False)
    assert re.search(r"seal +1\n", planned.out)
    assert f"1 wallet in {plan}; 1 finding is left to people." in planned.out
    assert f"Next: strongroom repair --apply {plan}" in planned.err
    text = plan.read_text()
    assert CLEAR not in text
    document = json.loads(text)
    (unit,) = document["units"]
    assert list(unit) == ["credential_id", "address", "actions", "fingerprint"]
    (action,) = unit["actions"]
    assert len(action.pop("fingerprint")) == 64
    assert {**action, "row": ""} == {
        "do": "seal",
        "code": "plaintext-key",
        "recognised": "hex private key; derives the stored address (ethereum, bip44)",
        "afterwards": AFTERWARDS,
        "table": "credential_vault_storage",
        "row": "",
    }
    applied = repair("--apply", str(plan))
    assert applied.code == DONE, applied.err
    assert re.search(r"done +1\nnot needed +0\nchanged since +0\nfailed +0\n", applied.out)
    assert "1 key in plaintext" in applied.err
    with strongroom.open(vault_url, root_key=root_key_uri) as vault:
        assert [result.ok for result in vault.verify(wallet)] == [True]
        assert vault.reveal(wallet, actor="t", reason="t").private_key.reveal_text().removeprefix("0x") == CLEAR
    again = repair("--apply", str(plan))
    assert (again.code, re.search(r"done +0\nnot needed +1\n", again.out) is not None) == (DONE, True)


def test_documents(damaged: Callable[..., str], repair: Callable[..., CommandResult], plan: Path) -> None:
    damaged()
    planned = {"plan": str(plan), "wallets": 1, "actions": {"seal": 1}, "choices": 0, "left": 1}
    document = repair("--plan", str(plan), "--json").document
    superuser = document.pop("warnings")  # PostgreSQL's alone: the tests are one
    assert document == planned
    applied = repair("--apply", str(plan), "--json")
    reports = {name: str(plan.with_suffix(f".report.{name}")) for name in ("html", "json")}
    wallets = {"done": 1, "not needed": 0, "changed since": 0, "failed": 0}
    assert applied.document == {
        "wallets": wallets,
        "exposed": 1,
        "acceptance_ended": False,
        "reports": reports,
        "warnings": superuser,
    }
    assert applied.err == "".join(f"{warning}\n" for warning in superuser)


def test_what_changed_since_is_left_alone(
    damaged: Callable[..., str], repair: Callable[..., CommandResult], plan: Path, vault_url: str
) -> None:
    """Another key stands there now, or the address is another one: the plan spoke of other rows."""
    one, other, third = damaged(), damaged("47" * 32), damaged("48" * 32)
    assert repair("--plan", str(plan)).code == DONE
    for change, wallet in (
        ("encrypted_private_key = '0x' || encrypted_private_key", one),
        ("access_level = 'project_member'", other),
    ):
        execute(vault_url, f"UPDATE credential_vault_storage SET {change} WHERE credential_id = ?", (wallet,))
    applied = repair("--apply", str(plan))
    assert applied.code == PARTLY
    assert re.search(r"done +1\nnot needed +0\nchanged since +2\n", applied.out)
    document, page = report_of(plan)
    assert {(each["credential_id"], each["ending"]) for each in document["not_done"]} == {
        (one, "changed since"),
        (other, "changed since"),
    }
    assert [each["credential_id"] for each in document["done"]] == [third]
    assert page.count("changed since") >= 2
    texts = execute(vault_url, "SELECT encrypted_private_key FROM credential_vault_storage")
    assert sorted(text for (text,) in texts if not text.startswith("eyJ")) == sorted(["0x" + CLEAR, "47" * 32])


def test_times_and_vault_ids_may_change_between_plan_and_apply(
    damaged: Callable[..., str], repair: Callable[..., CommandResult], plan: Path, vault_url: str
) -> None:
    damaged()
    repair("--plan", str(plan))
    execute(vault_url, "UPDATE credential_vault_storage SET vault_id = 'v2', updated_at = created_at")
    execute(vault_url, "UPDATE project_credentials SET key_vault_id = 'v2', updated_at = created_at")
    assert repair("--apply", str(plan)).code == DONE


def test_the_log_says_what_was_done(
    damaged: Callable[..., str], repair: Callable[..., CommandResult], plan: Path, vault_url: str
) -> None:
    wallet = damaged()
    repair("--plan", str(plan))
    repair("--apply", str(plan), "--actor", "ann", "--reason", "take over")
    rows = execute(
        vault_url,
        "SELECT credential_id, performed_by, action_details FROM credential_usage_logs WHERE action_type = 'repair'",
    )
    ((credential, actor, details),) = rows
    found = json.loads(details) if isinstance(details, str) else details
    assert (str(credential), actor) == (wallet, None)
    assert found == {"did": "seal plaintext-key", "exposed": "true", "actor": "ann", "reason": "take over"}
    ((details,),) = execute(vault_url, "SELECT details FROM strongroom_events WHERE event = 'repair'")
    assert (json.loads(details) if isinstance(details, str) else details) == {
        "actions": "1",
        "actor": "ann",
        "reason": "take over",
    }
    repair("--apply", str(plan))
    assert execute(vault_url, "SELECT count(*) FROM strongroom_events WHERE event = 'repair'") == [(1,)]


# --- reports -------------------------------------------------------------------------------------------------


def test_the_page_needs_nothing_else_and_shows_no_key(
    damaged: Callable[..., str], repair: Callable[..., CommandResult], plan: Path, vault_url: str
) -> None:
    wallet = damaged()
    repair("--plan", str(plan))
    repair("--apply", str(plan))
    document, page = report_of(plan)
    address = key_of(bytes.fromhex(CLEAR), "evm").address
    assert document["exposed"] == [{"credential_id": wallet, "address": address}]
    found = Page(page)
    assert {tag for tag, _ in found.tags}.isdisjoint({"script", "link", "img", "iframe", "object", "base", "form"})
    assert not [attributes for _, attributes in found.tags if attributes.keys() & {"src", "href", "onload", "style"}]
    assert not re.search(r"https?:|url\(|@import", page)
    for shown in (address, wallet, "move the funds", "VACUUM", "backups", "seal plaintext-key"):
        assert shown in found.text
    sqlite = vault_url.startswith("sqlite")
    assert ("VACUUM FULL" in found.text, "write-ahead log and its archive" in found.text) == (not sqlite, not sqlite)
    assert ("wal_checkpoint" in found.text) == sqlite
    assert CLEAR not in page + json.dumps(document)
    for path in plan.parent.iterdir():
        if path.name.startswith("plan"):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600, path.name


@pytest.mark.thorough(sample=1)
def test_exposed_addresses_are_listed_after_every_run(
    damaged: Callable[..., str], repair: Callable[..., CommandResult], plan: Path, private_path: Path
) -> None:
    """A run that finds everything done tells of them too, and so does the run of another plan."""
    wallet = damaged()
    repair("--plan", str(plan))
    repair("--apply", str(plan))
    plan.with_suffix(".report.json").unlink()
    plan.with_suffix(".report.html").unlink()
    repair("--apply", str(plan))
    document, page = report_of(plan)
    assert ([each["credential_id"] for each in document["exposed"]], document["done"]) == ([wallet], [])
    assert wallet in page
    other = private_path / "other.json"
    later = damaged("47" * 32)
    repair("--plan", str(other))
    assert "2 keys in plaintext" in repair("--apply", str(other)).err
    assert {each["credential_id"] for each in report_of(other)[0]["exposed"]} == {wallet, later}


@pytest.mark.thorough(sample=1)
def test_what_stands_in_the_database_is_escaped(
    damaged: Callable[..., str], repair: Callable[..., CommandResult], plan: Path, vault_url: str
) -> None:
    """What is no address is not printed as one: it may be a key, or what a browser or a terminal obeys."""
    hostile = '"><script>alert(1)</script><img src=x onerror=1>\x1b[31m'
    wallet = damaged()
    repair("--plan", str(plan))
    repair("--apply", str(plan))
    execute(vault_url, "UPDATE project_credentials SET wallet_address = ? WHERE id = ?", (hostile, wallet))
    again = repair("--apply", str(plan))
    document, page = report_of(plan)
    assert document["exposed"][0]["address"] == "(wallet_address holds no address of a network)"
    assert "<script" not in page
    assert {tag for tag, _ in Page(page).tags}.isdisjoint({"script", "img"})
    assert "\x1b" not in again.out + again.err
    third = plan.with_name("third.json")
    assert repair("--plan", str(third)).code == DONE
    json.loads(third.read_text())


# --- refusals ------------------------------------------------------------------------------------------------


def told(answer: CommandResult, code: int, *words: str) -> None:
    """It failed as it should, said what, and printed no traceback."""
    assert (answer.code, answer.out) == (code, ""), answer
    assert "Traceback" not in answer.err
    for word in words:
        assert word in answer.err, answer.err


def test_options_that_do_not_go_together(repair: Callable[..., CommandResult], plan: Path) -> None:
    told(repair(), USAGE, "Name one of --plan and --apply")
    told(repair("--plan", str(plan), "--apply", str(plan)), USAGE, "Name one of")
    told(repair("--apply", str(plan), "--balances", str(plan)), USAGE, "Balances and --keep go with --plan")
    told(repair("--apply", str(plan), "--keep", "a:b"), USAGE, "Balances and --keep go with --plan")
    told(repair("--apply", str(plan)), USAGE, "invalid-plan", "cannot be read")
    told(repair("--plan", str(plan.parent / "no" / "plan.json")), FAILED, "file-refused", "No such file")
    assert not plan.exists()


def test_an_existing_file_is_not_overwritten(repair: Callable[..., CommandResult], plan: Path) -> None:
    plan.write_text("mine")
    told(repair("--plan", str(plan)), USAGE, "exists")
    assert plan.read_text() == "mine"


@pytest.mark.parametrize(
    "text", ["address only", "0x12,", "0x12,much", "0x12,1,2", "0x12,-1", "0x12,1e5", "0x12,٣", "\ufeff0x12;1"]
)
def test_bad_balances(repair: Callable[..., CommandResult], plan: Path, text: str) -> None:
    balances = plan.with_name("balances.csv")
    balances.write_text(f"0x34,5\n{text}\n")
    told(repair("--plan", str(plan), "--balances", str(balances)), USAGE, "Line 2 of the balances")
    assert not plan.exists()


def test_balances_that_cannot_be_read(repair: Callable[..., CommandResult], plan: Path) -> None:
    binary = plan.with_name("binary")
    binary.write_bytes(b"\xff\xfe")
    for path in (plan.with_name("nowhere"), plan.parent, binary):
        told(repair("--plan", str(plan), "--balances", str(path)), USAGE, "cannot be read")


def test_a_report_that_cannot_be_written(
    damaged: Callable[..., str], repair: Callable[..., CommandResult], plan: Path, vault_url: str
) -> None:
    """What was done stays done, and the next run tells of it."""
    damaged()
    repair("--plan", str(plan))
    plan.with_suffix(".report.html").mkdir()
    answer = repair("--apply", str(plan))
    assert (answer.code, "file-refused" in answer.err) == (FAILED, True)
    assert "Nothing was changed" not in answer.err
    plan.with_suffix(".report.html").rmdir()
    assert repair("--apply", str(plan)).code == DONE
    assert len(report_of(plan)[0]["exposed"]) == 1


def test_what_is_no_vault(
    repair: Callable[..., CommandResult], plan: Path, postgresql_url: str, root_key_uri: str
) -> None:
    empty = call("repair", "--database", postgresql_url, "--root-key", root_key_uri, "--plan", str(plan))
    told(empty, empty.code, "not-initialized")
    assert empty.code not in (DONE, PARTLY)
    assert not plan.exists()


def test_a_wrong_root_key(vault_url: str, private_path: Path, plan: Path) -> None:
    other = f"file:{private_path / 'other.key'}"
    strongroom.init(f"sqlite:///{private_path / 'other.db'}", root_key=other).close()
    answer = call("repair", "--database", vault_url, "--root-key", other, "--plan", str(plan))
    told(answer, answer.code, "Error (root-key")
    without = call("repair", "--database", vault_url, "--plan", str(plan))
    assert without.code not in (DONE, PARTLY)
    assert not plan.exists()
