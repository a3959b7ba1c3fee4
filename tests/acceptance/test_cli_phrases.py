"""Phrases of a project on the command line: made, shown, exported, and wallets of one by the thousand."""

from __future__ import annotations

import csv
import errno
import json
import os
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from eth_account import Account

from strongroom import Vault
from strongroom.cli import wallet_create_many
from testbed.command_line import PHRASE, PHRASE_ADDRESS, call

Account.enable_unaudited_hdwallet_features()
pytestmark = pytest.mark.usefixtures("initialised")


def test_the_life_of_a_phrase() -> None:
    project = str(uuid4())
    made = call("phrase", "create", "--project", project, "--json")
    assert (made.code, made.document["created"]) == (0, True)
    phrase = made.document["phrase"]
    assert not call("phrase", "create", "--project", project, "--json").document["created"]
    wallet = call("wallet", "create", "ethereum", "--project", project, "--phrase", "default", "--json")
    assert wallet.document["results"][0]["wallet"]["phrase_id"] == phrase["id"]
    wallet_id = wallet.document["results"][0]["wallet"]["id"]
    alone = call("wallet", "export", wallet_id, "--format", "mnemonic", "--reveal", "--json")
    assert (alone.code, alone.document["error"]["code"]) == (1, "no-phrase")
    assert f"phrase export {phrase['id']} --project {project} --reveal" in alone.document["error"]["hint"]
    shown = call("phrase", "show", "--project", project, "--json").document
    assert shown["accounts"] == [
        {
            "network": "ethereum",
            "variant": "default",
            "template": "m/44'/60'/0'/0/{index}",
            "next_index": 1,
            "xpub_exported": False,
            "key_revealed": False,
        }
    ]
    refused = call("phrase", "export", "--project", project)
    assert (refused.code, refused.out) == (2, "")
    words = call("phrase", "export", "--project", project, "--reveal").out.strip()
    address = wallet.document["results"][0]["wallet"]["address"]
    assert Account.from_mnemonic(words).address == address
    replaced = call("phrase", "replace", "--project", project, "--json").document["phrase"]
    listed = call("phrase", "list", "--project", project, "--json").document["phrases"]
    assert [(each["id"], each["status"]) for each in listed] == [(phrase["id"], "replaced"), (replaced["id"], "active")]
    assert call("phrase", "export", phrase["id"], "--project", project, "--reveal").out.strip() == words
    human = call("phrase", "show", phrase["id"], "--project", project)
    assert (human.code, "replaced" in human.out, words in human.out + human.err) == (0, True, False)


def test_a_replacement_that_is_repeated_with_its_key_changes_nothing() -> None:
    project = str(uuid4())
    first = call("phrase", "create", "--project", project, "--idempotency-key", "k", "--json").document["phrase"]
    asked = ("phrase", "replace", "--project", project, "--idempotency-key", "r")
    made = call(*asked, "--json").document
    assert call(*asked, "--json").document == {**made, "created": False}
    assert "This key made it before; nothing was changed." in call(*asked).err
    again = call("phrase", "create", "--project", project, "--idempotency-key", "k")
    assert (again.code, first["id"] in again.out, "It was replaced since" in again.err) == (0, True, True)
    assert "replaced since" not in call("phrase", "create", "--project", project).err


def test_what_was_kept_of_a_phrase_and_done_with_it_is_listed() -> None:
    project = str(uuid4())
    phrase = call("phrase", "create", "--project", project, "--json").document["phrase"]
    empty = call("phrase", "history", "--project", project)
    assert (empty.code, "Nothing was kept of this phrase." in empty.err) == (0, True)
    for _ in range(2):
        assert call("keys", "rotate").code == 0
        assert call("keys", "rewrap").code == 0
    first = call("phrase", "history", "--project", project, "--limit", "1", "--json").document
    more = ("--after", first["next"], "--json")
    second = call("phrase", "history", phrase["id"], "--project", project, *more).document
    assert [each["reason"] for each in first["history"] + second["history"]] == ["rewrap", "rewrap"]
    assert second["next"] is None
    shown = call("phrase", "history", "--project", project)
    assert (shown.code, "sealed by strongroom" in shown.out, "eyJ" in shown.out) == (0, True, False)
    assert call("phrase", "history", "none", "--project", project).code == 1
    log = call("log", "list", "--project", project, "--json").document["log"]
    assert [(each["action"], each["project_id"]) for each in log] == [("phrase-create", project)]


def test_a_phrase_that_exists_comes_in_and_is_advanced() -> None:
    project = str(uuid4())
    taken = call("phrase", "import", "--project", project, "--mnemonic-stdin", "--json", stdin=PHRASE.encode())
    assert (taken.code, taken.document["created"]) == (0, True)
    first = call("wallet", "create", "ethereum", "--project", project, "--phrase", "default", "--json")
    assert first.document["results"][0]["wallet"]["address"] == PHRASE_ADDRESS
    moved = call("phrase", "advance", "ethereum", "--to", "7", "--project", project, "--json")
    assert moved.document["account"]["next_index"] == 7
    again = call(
        "phrase", "import", "second", "--project", project, "--mnemonic-stdin", "--json", stdin=PHRASE.encode()
    )
    assert (again.code, again.document["error"]["code"]) == (5, "phrase-conflict")
    assert call("phrase", "show", "none", "--project", project).code == 1
    assert call("phrase", "import", "--project", project).code == 2


def test_many_wallets_are_written_to_a_file_and_only_the_missing_ones_are_made(vault_url: str, tmp_path: Path) -> None:
    project = str(uuid4())
    call("phrase", "create", "--project", project)
    asked = ("wallet", "create-many", "ethereum", "--project", project, "--label-prefix", "c-")
    made = call(*asked, "--count", "5", "--out", str(tmp_path / "a.csv"))
    assert (made.code, "5 wallets created, 0 were there" in made.err) == (0, True), made
    rows = list(csv.DictReader((tmp_path / "a.csv").read_text().splitlines()))
    assert [(row["label"], row["index"], row["created"]) for row in rows] == [
        (f"c-{n}", f"{n}", "true") for n in range(5)
    ]
    again = call(*asked, "--count", "7", "--out", str(tmp_path / "a.jsonl"))
    assert "2 wallets created, 5 were there" in again.err
    lines = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    assert [line["created"] for line in lines] == [False] * 5 + [True] * 2
    assert lines[0]["wallet"]["address"] == rows[0]["address"]
    printed = call(*asked, "--count", "1")
    assert printed.out.splitlines()[0] == "label,index,address,path,wallet_id,created"
    assert call(*asked, "--count", "0").code == 2
    assert call(*asked, "--count", "1", "--out", "a.txt").code == 2
    assert call(*asked, "--count", "1", "--phrase", "none").code == 1


def test_an_account_is_watched_and_its_keys_stay() -> None:
    project = str(uuid4())
    call("phrase", "import", "--project", project, "--mnemonic-stdin", stdin=PHRASE.encode())
    of = ("--project", project)
    made = call("wallet", "create", "ethereum", *of, "--phrase", "default", "--account", "0", "--json")
    wallet = made.document["results"][0]["wallet"]["id"]
    exported = call("phrase", "export-xpub", "ethereum", *of, "--json")
    assert (exported.code, exported.document["account"]["path"]) == (0, "m/44'/60'/0'")
    human = call("phrase", "export-xpub", "bitcoin", *of, "--variant", "taproot")
    assert (human.code, "\ndescriptor   tr([73c5da0a/86h/0h/0h]xpub" in human.out) == (0, True), human
    for command in (("wallet", "export", wallet, "--reveal"), ("wallet", "export", wallet, "--format", "keystore")):
        password = () if "keystore" not in command else ("--keystore-password-stdin",)
        refused = call(*command, *password, "--json", stdin=b"a good password\n")
        assert (refused.code, refused.document["error"]["code"]) == (5, "account-exposed"), refused
        assert "--give-away-account" in refused.document["error"]["hint"]
    given = call("wallet", "export", wallet, "--reveal", "--give-away-account")
    assert given.code == 0
    assert call("phrase", "export-xpub", "ethereum", *of).code == 5
    assert call("phrase", "export-xpub", "ethereum", *of, "--give-away-account").code == 0
    assert call("phrase", "export-xpub", "solana", *of).code == 2
    shown = call("phrase", "show", *of)
    assert "xpub, a key" in shown.out
    assert call("wallet", "create", "ethereum", *of, "--account", "1").code == 2


def test_addresses_in_use_are_discovered_from_a_list(tmp_path: Path) -> None:
    project, used = str(uuid4()), tmp_path / "used.txt"
    call("phrase", "import", "--project", project, "--mnemonic-stdin", stdin=PHRASE.encode())
    second = Account.from_mnemonic(PHRASE, account_path="m/44'/60'/0'/0/2").address
    used.write_text(f"# from the explorer\n{PHRASE_ADDRESS.lower()}  # the first\n\n{second}\n0x{'12' * 20}\n")
    asked = ("phrase", "discover", "ethereum", "--project", project, "--used", str(used))
    found = call(*asked, "--json")
    assert found.code == 0, found
    assert (found.document["used"], found.document["asked"], found.document["next_index"]) == ([0, 2], 23, 3)
    assert [wallet["phrase_index"] for wallet in found.document["wallets"]] == [0, 1, 2]
    assert found.document["unmatched"] == [f"0x{'12' * 20}"]
    again = call(*asked)
    assert (again.code, "2 of 23 addresses are in use; 0 wallets created" in again.err) == (0, True), again
    used.write_text("bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu\n")
    refused = call(*asked)
    assert (refused.code, "Line 1 of the file is not an address" in refused.err) == (2, True), refused


def test_a_file_of_wallets_stays_until_there_is_something_in_its_place(vault_url: str, tmp_path: Path) -> None:
    project, out = str(uuid4()), tmp_path / "a.csv"
    call("phrase", "create", "--project", project)
    asked = ("wallet", "create-many", "ethereum", "--project", project, "--label-prefix", "c-", "--count", "3")
    assert call(*asked, "--out", str(out)).code == 0
    before = out.read_text()
    refused = call(*asked, "--phrase", "none", "--out", str(out))
    assert (refused.code, out.read_text()) == (1, before)
    assert "Nothing was changed." in refused.err
    assert call(*asked, "--out", str(out)).code == 0
    assert out.read_text() == before.replace("true", "false")
    nowhere = call(*asked, "--out", str(tmp_path / "none" / "a.csv"))
    assert (nowhere.code, "cannot be written" in nowhere.err, "file-refused" in nowhere.err) == (1, True, True)


def test_wallets_without_a_prefix_have_the_label_of_their_phrase(vault_url: str, tmp_path: Path) -> None:
    project, out = str(uuid4()), tmp_path / "addresses.csv"
    made = call("phrase", "create", "--project", project, "--json").document["phrase"]["id"]
    asked = ("wallet", "create-many", "ethereum", "--project", project, "--count", "3", "--out", str(out))
    assert call(*asked, "--phrase", "default").code == 0
    before = out.read_text()
    assert [row["label"] for row in csv.DictReader(before.splitlines())] == ["default-0", "default-1", "default-2"]
    for of in (("--phrase", "default"), ("--phrase", made), ()):
        again = call(*asked, *of)
        assert (again.code, "0 wallets created, 3 were there" in again.err) == (0, True), again
        assert out.read_text() == before.replace("true", "false")
    other = call("wallet", "create-many", "ethereum", "--project", project, "--count", "1", "--phrase", str(uuid4()))
    assert (other.code, "phrase-not-found" in other.err) == (1, True)


def test_a_prefix_too_long_for_the_last_label_is_refused_before_the_first_wallet(vault_url: str) -> None:
    project = str(uuid4())
    call("phrase", "create", "--project", project)
    asked = ("wallet", "create-many", "ethereum", "--project", project, "--label-prefix", "q" * 61)
    refused = call(*asked, "--count", "1001")
    assert (refused.code, "invalid-label" in refused.err, "Nothing was changed." in refused.err) == (2, True, True)
    assert call("wallet", "list", "--project", project, "--json").document["wallets"] == []


def test_a_file_of_wallets_is_whole_or_as_it_was(
    vault_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wallet_create_many, "_BATCH", 2)
    project, out, link = str(uuid4()), tmp_path / "a.csv", tmp_path / "link.csv"
    call("phrase", "create", "--project", project)
    call("wallet", "create", "ethereum", "--project", project, "--label", "c-3")
    asked = ("wallet", "create-many", "ethereum", "--project", project, "--label-prefix", "c-", "--out", str(link))
    link.symlink_to(out)
    assert call(*asked, "--count", "2").code == 0
    out.chmod(0o640)
    before = out.read_text()
    refused = call(*asked, "--count", "5")
    assert (refused.code, "phrase-conflict" in refused.err) == (5, True), refused
    assert "No wallet was created." in refused.err
    assert (out.read_text(), {each.name for each in tmp_path.iterdir()} >= {"a.csv", "link.csv"}) == (before, True)
    assert [each.name for each in tmp_path.iterdir() if each.name.startswith(".a.csv")] == []
    assert call(*asked, "--count", "3").code == 0
    assert (len(out.read_text().splitlines()), link.is_symlink(), out.stat().st_mode & 0o777) == (4, True, 0o640)


def test_what_was_made_before_a_label_of_another_wallet_is_said(
    vault_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wallet_create_many, "_BATCH", 2)
    project = str(uuid4())
    call("phrase", "create", "--project", project)
    call("wallet", "create", "ethereum", "--project", project, "--label", "default-3")
    asked = ("wallet", "create-many", "ethereum", "--project", project, "--count", "5")
    call("wallet", "create", "ethereum", "--project", project, "--label", "c-1")
    refused = call(*asked, "--label-prefix", "c-")
    assert (refused.code, "phrase-conflict" in refused.err, "No wallet was created." in refused.err) == (5, True, True)
    told = call(*asked)
    assert (told.code, "2 wallets created before it; what was made stays." in told.err) == (5, True), told
    assert len(call("wallet", "list", "--project", project, "--json").document["wallets"]) == 4


def test_a_full_disk_is_said_and_so_is_what_was_made(
    vault_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    project, device = str(uuid4()), tmp_path / "full.csv"
    call("phrase", "create", "--project", project)
    asked = ("wallet", "create-many", "ethereum", "--project", project, "--label-prefix", "c-", "--count", "3")
    device.symlink_to("/dev/full")
    told = call(*asked, "--out", str(device))
    assert (told.code, "file-refused" in told.err, "No space left" in told.err) == (1, True, True), told
    assert "3 wallets created before it; what was made stays." in told.err
    assert "run the same command again" in told.err
    monkeypatch.setattr("os.fsync", full)
    told = call(*asked, "--out", str(tmp_path / "a.csv"))
    assert (told.code, "file-refused" in told.err, "Nothing was changed." in told.err) == (1, True, True), told
    assert [each.name for each in tmp_path.iterdir() if "a.csv" in each.name] == []


def test_create_many_ends_where_its_phrase_is_replaced(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is written does not say of which phrase a wallet is: a file has those of one."""
    monkeypatch.setattr(wallet_create_many, "_BATCH", 3)
    project = str(uuid4())
    assert call("phrase", "create", "--project", project).code == 0
    create_many, calls = Vault.create_many, list[int]()

    def replaced_before(self: Vault, *given: Any, **named: Any) -> Any:
        calls.append(len(calls))
        if len(calls) == number:
            self.replace_phrase(project)
        return create_many(self, *given, **named)

    monkeypatch.setattr(Vault, "create_many", replaced_before)
    number = 2
    command = ("wallet", "create-many", "ethereum", "--project", project, "--count", "9", "--json")
    answer = call(*command)
    assert answer.code == 5
    lines = [json.loads(line) for line in answer.out.splitlines()]
    assert [line["wallet"]["phrase_index"] for line in lines[:-1]] == [0, 1, 2]
    assert "was replaced" in lines[-1]["error"]["message"]
    number = 0
    calls.clear()
    assert call(*command).code == 0
