"""The command line over the whole life of a wallet, and on a database that the legacy application made."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from unittest import mock
from uuid import UUID, uuid4

import psycopg
import pytest
import sqlalchemy
from eth_account import Account

import strongroom
from strongroom.cli.history import DEFAULT
from strongroom.errors import StoreUnavailableError
from strongroom.records.results import RewrapResult
from testbed.command_line import (
    OTHER_KEY,
    PHRASE,
    PHRASE_ADDRESS,
    PHRASE_KEY,
    WALLET_FIELDS,
    CommandResult,
    call,
    spawn,
)
from testbed.legacy import schema_sql
from tests.acceptance.cli_errors import SECRET, assert_error, assert_silent

PASSWORD = "correct horse battery staple"
EMPTY = "UPDATE credential_vault_storage SET encrypted_private_key = '' WHERE credential_id = :id"
GONE = "DELETE FROM credential_vault_storage WHERE credential_id = :id"
FOREIGN = "UPDATE credential_vault_storage SET encrypted_private_key = 'U2FsdGVk' WHERE credential_id = :id"

Run = Callable[[str, str], None]


@pytest.fixture
def change(vault_url: str) -> Iterator[Run]:
    """What the legacy application does to the rows of a wallet."""
    engine = strongroom.create_engine(vault_url)

    def run(sql: str, wallet: str) -> None:
        with engine.begin() as connection:
            key = UUID(wallet) if connection.dialect.name == "postgresql" else wallet
            assert connection.execute(sqlalchemy.text(sql), {"id": key}).rowcount == 1

    yield run
    engine.dispose()


def create(project: str, *options: str) -> dict[str, Any]:
    answer = call("wallet", "create", "ethereum", "--project", project, "--json", *options)
    assert answer.code == 0, answer
    wallet: dict[str, Any] = answer.document["results"][0]["wallet"]
    return wallet


def take(project: str, *options: str) -> dict[str, Any]:
    """Import the wallet of the well-known phrase."""
    arguments = ("wallet", "import", "ethereum", "--project", project, "--mnemonic-stdin", "--json", *options)
    wallet: dict[str, Any] = call(*arguments, stdin=PHRASE.encode()).document["wallet"]
    return wallet


def proved(wallet: str) -> bool:
    document = call("verify", wallet, "--json").document
    return bool((document["checked"], document["ok"]) == (1, 1))


# --- store-key ----------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("initialised")
@pytest.mark.parametrize("damage", [GONE, EMPTY, EMPTY.replace("''", "'MIGRATION_REQUIRED'")])
def test_store_key_completes_a_wallet_without_a_key_once(project: str, change: Run, damage: str) -> None:
    wallet = take(project)
    change(damage, wallet["id"])
    assert call("verify", "--json").code == 3
    store = ("wallet", "store-key", wallet["id"], "--private-key-stdin")
    first = call(*store, "--json", "--actor", "ann", "--reason", "lost insert", stdin=f"0x{PHRASE_KEY}\n".encode())
    assert first.code == 0
    assert list(first.document) == ["stored", "wallet", "warnings"]
    assert (first.document["stored"], first.document["warnings"]) == (True, [])
    assert list(first.document["wallet"]) == WALLET_FIELDS
    assert (first.document["wallet"]["id"], first.document["wallet"]["custody"]) == (wallet["id"], "ours")
    assert proved(wallet["id"])
    again = call(*store, stdin=PHRASE_KEY.encode())
    assert again.code == 0
    assert again.err == "This key was there already; nothing was changed.\n"
    assert PHRASE_KEY not in first.out + first.err + again.out


@pytest.mark.usefixtures("initialised")
def test_store_key_takes_a_phrase_its_passphrase_and_a_path(project: str, change: Run) -> None:
    Path("phrase").write_text(PHRASE)
    options = ("--path", "m/44'/60'/0'/0/7", "--passphrase-stdin", "--mnemonic-file", "phrase")
    imported = call("wallet", "import", "ethereum", "--project", project, *options, "--json", stdin=b"TREZOR")
    wallet = imported.document["wallet"]
    change(GONE, wallet["id"])
    wrong = call("wallet", "store-key", wallet["id"], "--mnemonic-file", "phrase", "--json")
    assert_error(wrong, "address-mismatch", 5)
    stored = call("wallet", "store-key", wallet["id"], *options, "--json", stdin=b"TREZOR")
    assert stored.document["stored"] is True
    exported = call("wallet", "export", wallet["id"], "--reveal", "--json").document
    assert (exported["mnemonic"], exported["path"]) == (PHRASE, "m/44'/60'/0'/0/7")


@pytest.mark.usefixtures("initialised")
def test_store_key_overwrites_nothing(project: str, change: Run) -> None:
    wallet = take(project)
    store = ("wallet", "store-key", wallet["id"], "--private-key-stdin", "--json")
    assert_error(call(*store, stdin=OTHER_KEY.encode()), "address-mismatch", 5)
    change(FOREIGN, wallet["id"])
    assert_error(call(*store, stdin=PHRASE_KEY.encode()), "identity-mismatch", 1)
    missing = ("wallet", "store-key", str(uuid4()), "--private-key-stdin", "--json")
    assert_error(call(*missing, stdin=OTHER_KEY.encode()), "wallet-not-found", 1)


@pytest.mark.thorough(sample=1)
@pytest.mark.usefixtures("initialised")
def test_of_two_processes_at_once_one_stores_the_key(project: str, change: Run) -> None:
    wallet = take(project)
    change(EMPTY, wallet["id"])
    store = ("wallet", "store-key", wallet["id"], "--private-key-stdin", "--json")
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: spawn(*store, stdin=PHRASE_KEY.encode()), range(2)))
    assert [answer.code for answer in answers] == [0, 0], answers
    assert sorted(answer.document["stored"] for answer in answers) == [False, True]
    assert proved(wallet["id"])


# --- replace and revoke -------------------------------------------------------------------------------------


@pytest.mark.usefixtures("initialised")
def test_replace_makes_one_successor(project: str) -> None:
    old = create(project)
    first = call("wallet", "replace", old["id"], "--words", "24", "--reason", "key was seen", "--json")
    assert first.code == 0
    assert list(first.document) == ["created", "wallet", "replaced"]
    assert (first.document["created"], first.document["replaced"]) == (True, old["id"])
    successor = first.document["wallet"]
    assert successor["id"] != old["id"]
    assert [successor[name] for name in ("network", "label")] == [old[name] for name in ("network", "label")]
    again = call("wallet", "replace", old["id"], "--json")
    assert again.document == {**first.document, "created": False}
    assert create(project) == successor
    assert call("wallet", "show", old["id"], "--json").document["wallet"]["status"] == "replaced"
    phrase = call("wallet", "export", successor["id"], "--reveal", "--json").document["mnemonic"]
    assert len(phrase.split()) == 24
    assert call("wallet", "export", old["id"], "--reveal").code == 0
    assert call("verify", "--json").document["ok"] == 2
    human = call("wallet", "replace", old["id"])
    assert successor["address"] in human.out
    assert "has this successor already; nothing was changed" in human.err
    made = call("wallet", "replace", successor["id"])
    assert f"The wallet {successor['id']} is retired" in made.err


@pytest.mark.usefixtures("initialised")
def test_an_idempotency_key_names_the_replacement(project: str) -> None:
    old, other = create(project), create(project, "--label", "other")
    key = ("--idempotency-key", "K-1", "--json")
    first = call("wallet", "replace", old["id"], *key)
    assert call("wallet", "replace", old["id"], *key).document == {**first.document, "created": False}
    assert_error(call("wallet", "replace", other["id"], *key), "idempotency-conflict", 5)


@pytest.mark.usefixtures("initialised")
def test_revoke_retires_until_it_is_replaced(project: str) -> None:
    wallet = create(project)
    revoke = ("wallet", "revoke", wallet["id"], "--reason", "project closed", "--json")
    answer = call(*revoke)
    assert answer.code == 0
    assert list(answer.document) == ["wallet"]
    assert (answer.document["wallet"]["id"], answer.document["wallet"]["status"]) == (wallet["id"], "revoked")
    assert call(*revoke).document == answer.document
    refused = call("wallet", "create", "ethereum", "--project", project, "--json")
    assert (refused.code, refused.document["results"][0]["error"]["code"]) == (5, "wallet-revoked")
    assert call("wallet", "export", wallet["id"], "--reveal").code == 0
    successor = call("wallet", "replace", wallet["id"], "--json").document["wallet"]
    assert create(project) == successor
    assert "1 revoked" in call("status").out or call("status", "--json").document["wallets"]["replaced"] == 1


@pytest.mark.usefixtures("initialised")
@pytest.mark.parametrize(
    ("typed", "options", "revoked"),
    [
        (b"", [], False),
        (b"\n", [], False),
        (b"n\n", [], False),
        (b"yes please\n", [], False),
        (b"y\n", [], True),
        (b"Yes\n", [], True),
        (b"", ["--yes"], True),
        (b"", ["--json"], True),
    ],
)
def test_revoke_asks_on_a_terminal(project: str, typed: bytes, options: list[str], revoked: bool) -> None:
    wallet = create(project)
    answer = call("wallet", "revoke", wallet["id"], *options, stdin=typed, terminal=True)
    assert answer.code == (0 if revoked else 1)
    assert ("Revoke it? [y/N]" in answer.err) is (not options)
    assert options or wallet["address"] in answer.err
    if not revoked:
        assert "Error (not-confirmed)" in answer.err
        assert "Nothing was changed." in answer.err
    status = call("wallet", "show", wallet["id"], "--json").document["wallet"]["status"]
    assert status == ("revoked" if revoked else "active")


@pytest.mark.usefixtures("initialised")
def test_revoke_in_a_pipe_does_not_ask(project: str) -> None:
    answer = call("wallet", "revoke", create(project)["id"])
    assert answer.code == 0
    assert "[y/N]" not in answer.err
    assert "Next: strongroom wallet replace" in answer.err


# --- sealing keys -------------------------------------------------------------------------------------------


@pytest.mark.thorough(sample=1)
@pytest.mark.usefixtures("initialised")
def test_keys_are_rotated_rewrapped_and_retired(project: str) -> None:
    old = call("keys", "status", "--json").document["sealing_keys"]
    assert [(key["state"], key["active"], key["rows"]) for key in old] == [("active", True, 0)]
    create(project)
    create(str(uuid4()))
    rotated = call("keys", "rotate", "--actor", "ann", "--reason", "every year", "--json")
    assert rotated.code == 0
    assert list(rotated.document) == ["kid"]
    create(project, "--label", "new")
    keys = {key["kid"]: key for key in call("keys", "status", "--json").document["sealing_keys"]}
    assert (keys[old[0]["kid"]]["state"], keys[old[0]["kid"]]["rows"]) == ("opening", 2)
    assert (keys[rotated.document["kid"]]["state"], keys[rotated.document["kid"]]["rows"]) == ("active", 1)
    human = call("keys", "status")
    assert all(kid in human.out for kid in keys)
    assert human.err == "Next: strongroom keys rewrap    (2 vault records under older keys)\n"
    assert "Next: strongroom keys rewrap" in call("status").err

    one = call("keys", "rewrap", "--project", project, "--json")
    assert one == CommandResult(0, '{"checked": 1, "rewrapped": 1, "failed": []}\n', "")
    assert call("keys", "rewrap").out == "1 vault record checked, 1 rewrapped, 0 not proved.\n"
    assert call("keys", "rewrap").out == "There is nothing to rewrap.\n"
    keys = {key["kid"]: key for key in call("keys", "status", "--json").document["sealing_keys"]}
    assert (keys[old[0]["kid"]]["state"], keys[old[0]["kid"]]["rows"]) == ("retired", 0)
    assert keys[rotated.document["kid"]]["rows"] == 3
    assert call("keys", "status").err == ""
    assert call("verify", "--json").document["ok"] == 3


@pytest.mark.usefixtures("initialised")
def test_a_vault_record_that_does_not_prove_is_a_finding_of_rewrap(project: str, change: Run) -> None:
    good, bad = create(project), create(project, "--label", "bad")
    change("UPDATE project_credentials SET public_key = 'ff' WHERE id = :id", bad["id"])
    call("keys", "rotate")
    answer = call("keys", "rewrap", "--json")
    assert answer.code == 3
    code = answer.document["failed"][0]["code"]
    assert answer.document == {"checked": 2, "rewrapped": 1, "failed": [{"id": bad["id"], "code": code}]}
    human = call("keys", "rewrap")
    assert human.code == 3
    assert bad["id"] in human.out
    assert "1 vault record checked, 0 rewrapped, 1 not proved." in human.out
    assert good["id"] not in human.out


@pytest.mark.usefixtures("initialised")
def test_what_was_rewrapped_before_a_failure_is_told() -> None:
    def results(*_: object, **__: object) -> Iterator[RewrapResult]:
        yield RewrapResult(uuid4(), rewrapped=True)
        yield RewrapResult(uuid4(), rewrapped=False)
        raise StoreUnavailableError("The server went away.")

    with mock.patch("strongroom.vault.vault.Vault.rewrap", results):
        answer = call("keys", "rewrap")
        assert (answer.code, answer.out) == (1, "")
        assert "Nothing was changed." not in answer.err
        assert "Rewrapped before that, and kept: 1 vault record." in answer.err
        assert_error(call("keys", "rewrap", "--json"), "store-unavailable", 1)


@pytest.mark.thorough(sample=1)
@pytest.mark.usefixtures("initialised")
def test_rewrap_shows_its_progress_to_a_terminal_and_to_nobody_else(project: str) -> None:
    create(project)
    call("keys", "rotate")
    reader, terminal = pty.openpty()
    command = [sys.executable, "-m", "strongroom", "keys", "rewrap", "--json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=terminal, check=True, timeout=60)
    os.close(terminal)
    assert json.loads(done.stdout) == {"checked": 1, "rewrapped": 1, "failed": []}
    assert b"Rewrapping" in os.read(reader, 65536)
    os.close(reader)
    assert call("keys", "rewrap", "--json").err == ""


# --- root keys ----------------------------------------------------------------------------------------------


def listed() -> list[str]:
    return [key["uri"] for key in call("root-key", "list", "--json").document["root_keys"]]


@pytest.mark.thorough(sample=1)
def test_the_root_key_is_changed_by_add_check_and_remove(
    initialised: Path, project: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    wallet = create(project)
    for command in (("root-key", "list"), ("status",)):
        assert "1 of 1 sealing key\n" in call(*command).out, command
    call("keys", "rotate")
    first, second = f"file:{initialised}/root.key", f"file:{initialised}/new.key"
    document = call("root-key", "list", "--json").document
    assert [list(key) for key in document["root_keys"]] == [["uri", "sealing_keys", "complete"]]
    assert [(key["uri"], len(key["sealing_keys"]), key["complete"]) for key in document["root_keys"]] == [
        (first, 2, True)
    ]
    assert "Next: strongroom root-key add" in call("root-key", "list").err
    assert_error(call("root-key", "add", "file:new.key", "--json"), "root-key-missing", 4)
    call("root-key", "new", "new.key")
    added = call("root-key", "add", "file:new.key", "--actor", "ann", "--reason", "spare", "--json")
    assert (added.code, added.document) == (0, {"root_key": second})
    assert sorted(listed()) == sorted([first, second])
    assert "2 of 2 sealing keys" in call("root-key", "list").out
    assert_error(call("root-key", "add", "file:new.key", "--json"), "root-key-exists", 4)
    assert call("root-key", "check", "--json").document == {"checked": 2, "ok": 2, "failed": []}
    assert call("root-key", "check", "file:new.key", "--json").document == {"checked": 1, "ok": 1, "failed": []}

    monkeypatch.setenv("STRONGROOM_ROOT_KEY", second)
    removed = call("root-key", "remove", "file:root.key", "--reason", "moved", "--json")
    assert (removed.code, removed.document) == (0, {"root_key": first})
    assert listed() == [second]
    assert_error(call("root-key", "remove", "file:new.key", "--json"), "last-root-key", 4)
    Path("root.key").unlink()
    assert proved(wallet["id"])


def test_removing_the_root_key_of_the_settings_is_told(initialised: Path) -> None:
    call("root-key", "new", "new.key")
    call("root-key", "add", "file:new.key")
    answer = call("root-key", "remove", "file:root.key")
    assert answer.code == 0
    assert "The settings still name it" in answer.err
    assert_error(call("status", "--json"), "root-key-mismatch", 4)
    assert call("--root-key", "file:new.key", "status").code == 0


def test_a_root_key_that_does_not_open_is_a_finding(initialised: Path) -> None:
    call("root-key", "new", "new.key")
    call("root-key", "add", "file:new.key")
    place = f"file:{initialised}/new.key"
    Path("new.key").rename("away.key")
    answer = call("root-key", "check", "--json")
    assert answer.code == 3
    assert answer.document == {"checked": 2, "ok": 1, "failed": [{"uri": place, "code": "root-key-missing"}]}
    assert_error(call("keys", "rotate", "--json"), "root-key-missing", 4)
    call("root-key", "new", "new.key")
    human = call("root-key", "check", place)
    assert human.code == 3
    assert place in human.out
    assert "Next (root-key-mismatch)" in human.err
    assert_error(call("root-key", "check", "file:unknown.key", "--json"), "root-key-missing", 4)


# --- history ------------------------------------------------------------------------------------------------

HISTORY_FIELDS = ["id", "form", "reason", "created_at", "address", "vault_id", "network", "label"]


@pytest.mark.thorough(sample=1)
@pytest.mark.usefixtures("initialised")
def test_history_lists_what_was_replaced_and_never_the_text(project: str, change: Run) -> None:
    wallet = create(project)
    assert call("history", wallet["id"], "--json") == CommandResult(0, '{"history": [], "next": null}\n', "")
    assert call("history", wallet["id"]).err == "Nothing was kept of this wallet.\n"
    call("keys", "rotate")
    call("keys", "rewrap")
    answers = [
        call("history", wallet["id"], "--json"),
        call("--json", "history", wallet["id"]),
        call("history", "--json", wallet["id"]),
        call("history", DEFAULT, wallet["id"], "--json"),
    ]
    assert answers == [answers[0]] * 4
    [entry] = answers[0].document["history"]
    assert list(entry) == HISTORY_FIELDS
    assert entry["form"] == "sealed"
    assert {name: entry[name] for name in HISTORY_FIELDS[4:]} == {name: wallet[name] for name in HISTORY_FIELDS[4:]}
    human = call("history", wallet["id"])
    assert entry["id"] in human.out
    assert "eyJ" not in human.out + answers[0].out

    restore = ("history", "restore", wallet["id"], "--json")
    change(GONE, wallet["id"])
    restored = call(*restore, "--actor", "ann", "--reason", "record was deleted")
    assert restored.code == 0
    assert list(restored.document) == ["stored", "wallet"]
    assert restored.document["stored"] is True
    assert proved(wallet["id"])
    assert call(*restore).document == {**restored.document, "stored": False}
    assert "nothing was changed" in call("history", "restore", wallet["id"]).err
    change(FOREIGN, wallet["id"])
    conflict = call(*restore)
    assert_error(conflict, "key-conflict", 5)
    assert "--archive-current" in conflict.document["error"]["hint"]
    assert call(*restore, "--archive-current", "--reason", "overwritten").document["stored"] is True
    assert proved(wallet["id"])


@pytest.mark.usefixtures("initialised")
@pytest.mark.parametrize("verb", ["replace", "revoke"])
def test_a_key_that_cannot_be_opened_is_not_said_to_open(project: str, change: Run, verb: str) -> None:
    whole, keyless = create(project), create(project, "--label", "keyless")
    change(GONE, keyless["id"])
    assert "can still be opened" in call("wallet", verb, whole["id"]).err
    told = call("wallet", verb, keyless["id"])
    assert told.code == 0
    assert "can still be opened" not in told.err
    assert "cannot be opened as it is stored" in told.err


@pytest.mark.usefixtures("initialised")
def test_restore_without_a_kept_text_is_key_missing(project: str, change: Run) -> None:
    wallet = create(project)
    change(GONE, wallet["id"])
    assert_error(call("history", "restore", wallet["id"], "--json"), "key-missing", 1)


def test_history_takes_an_id_or_a_command() -> None:
    text = call("history", "--help").out
    assert "Usage: strongroom history [OPTIONS] WALLET | restore WALLET" in text
    assert call("history").code == 2
    assert_error(call("history", "restore", "--json"), "usage", 2)
    assert_error(call("history", SECRET, SECRET, "--json"), "usage", 2)


# --- keystores ----------------------------------------------------------------------------------------------


@pytest.mark.thorough(sample=1)
@pytest.mark.usefixtures("initialised")
@pytest.mark.parametrize("kdf", ["scrypt", "pbkdf2"])
def test_a_keystore_comes_in_and_goes_out(project: str, kdf: Any) -> None:
    rounds = 2**12 if kdf == "scrypt" else 10_000
    made = Account.encrypt(bytes.fromhex(OTHER_KEY), PASSWORD, kdf=kdf, iterations=rounds)
    Path("keystore.json").write_text(json.dumps(made, indent=2) + "\n")
    Path("password").write_text(PASSWORD + "\n")
    arguments = ("wallet", "import", "ethereum", "--project", project, "--keystore", "keystore.json", "--json")
    first = call(*arguments, "--keystore-password-stdin", stdin=f"{PASSWORD}\n".encode())
    assert first.code == 0, first
    assert first.document["created"] is True
    wallet = first.document["wallet"]
    assert wallet["address"] == Account.from_key(OTHER_KEY).address
    again = call(*arguments, "--keystore-password-file", "password")
    assert again.document == {"created": False, "wallet": wallet, "warnings": []}
    wrong = call(*arguments, "--keystore-password-stdin", stdin=b"another password")
    assert wrong.code == 2
    assert list(wrong.document) == ["error"]

    export = ("wallet", "export", wallet["id"], "--format", "keystore")
    exported = call(*export, "--keystore-password-file", "password")
    assert exported.code == 0
    assert Account.decrypt(json.loads(exported.out), PASSWORD).hex().removeprefix("0x") == OTHER_KEY
    assert OTHER_KEY not in exported.out + exported.err
    document = call(*export, "--keystore-password-stdin", "--json", stdin=PASSWORD.encode()).document
    assert list(document) == ["keystore"]
    assert (document["keystore"]["version"], "crypto" in document["keystore"]) == (3, True)
    assert Account.decrypt(document["keystore"], PASSWORD).hex().removeprefix("0x") == OTHER_KEY


@pytest.mark.usefixtures("initialised")
def test_a_keystore_is_for_chains_like_ethereum(project: str) -> None:
    Path("keystore.json").write_text(json.dumps({"version": 3}))
    options = ("--project", project, "--keystore", "keystore.json", "--keystore-password-stdin", "--json")
    answer = call("wallet", "import", "bitcoin", *options, stdin=PASSWORD.encode())
    assert answer.code == 2
    made = call("wallet", "create", "solana", "--project", project, "--json").document["results"][0]["wallet"]
    export = ("wallet", "export", made["id"], "--format", "keystore", "--keystore-password-stdin", "--json")
    assert call(*export, stdin=PASSWORD.encode()).code == 2


@pytest.mark.usefixtures("initialised")
def test_a_terminal_is_asked_twice_for_the_password_of_a_new_keystore(project: str) -> None:
    export = ("wallet", "export", create(project)["id"], "--format", "keystore", "--keystore-password-stdin")
    with mock.patch("getpass.getpass", side_effect=[PASSWORD, PASSWORD + "r"]) as prompt:
        answer = call(*export, "--json", terminal=True)
    assert_error(answer, "usage", 2)
    assert prompt.call_count == 2
    assert PASSWORD not in answer.out + answer.err


@pytest.mark.usefixtures("initialised")
@pytest.mark.parametrize(
    "arguments",
    [
        ["wallet", "import", "ethereum", "--project", "x", "--keystore", "k.json"],
        ["wallet", "import", "ethereum", "--project", "x", "--private-key-stdin", "--keystore", "k.json"],
        ["wallet", "import", "ethereum", "--project", "x", "--private-key-stdin", "--keystore-password-stdin"],
        ["wallet", "import", "ethereum", "--project", "x", "--keystore", SECRET, "--keystore-password-stdin"],
        ["wallet", "import", "ethereum", "--project", "x", "--keystore-password", SECRET],
        ["wallet", "export", "x", "--format", "keystore"],
        ["wallet", "export", "x", "--reveal", "--keystore-password-stdin"],
        ["wallet", "store-key", "x"],
        ["wallet", "store-key", "x", "--private-key-stdin", "--mnemonic-stdin"],
        ["wallet", "store-key", "x", "--private-key-stdin", "--passphrase-stdin"],
        ["wallet", "store-key", "x", SECRET, "--private-key-stdin"],
        ["wallet", "store-key", "x", "--private-key-file", SECRET],
        ["wallet", "replace"],
        ["wallet", "replace", "x", "--words", SECRET],
        ["keys"],
        ["keys", SECRET],
        ["keys", "rewrap", SECRET],
        ["root-key", "add"],
        ["history"],
        ["history", "restore", "x", SECRET],
    ],
    ids=lambda arguments: " ".join(arguments)[:70],
)
def test_usage_errors_are_documents_and_quote_no_secret(arguments: list[str]) -> None:
    answer = call(*arguments, "--json")
    assert_error(answer, "usage", 2)
    assert_silent(answer)
    assert_silent(call(*arguments))


@pytest.mark.usefixtures("initialised")
@pytest.mark.parametrize(
    "arguments",
    [
        ["networks", SECRET],
        ["wallet", "store-key", SECRET, "--private-key-stdin"],
        ["wallet", "replace", SECRET],
        ["wallet", "revoke", SECRET],
        ["history", SECRET],
        ["history", "restore", SECRET],
        ["keys", "rewrap", "--project", SECRET],
        ["root-key", "add", SECRET],
        ["root-key", "check", SECRET],
        ["root-key", "remove", SECRET],
    ],
    ids=lambda arguments: " ".join(arguments)[:60],
)
def test_a_secret_in_the_wrong_place_is_not_quoted(arguments: list[str]) -> None:
    answer = call(*arguments, "--json", stdin=OTHER_KEY.encode())
    assert answer.code in (1, 2, 4), "64 digits in the place of a wallet may be an address of NEAR, which is not there"
    assert_silent(answer, OTHER_KEY)
    human = call(*arguments, stdin=OTHER_KEY.encode())
    assert human.code == answer.code
    assert_silent(human, OTHER_KEY)


# --- databases that the legacy application made
# -------------------------------------------------------------------------


@pytest.fixture
def legacy(postgresql_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[psycopg.Connection[Any]]:
    """A connection of the legacy application, to a database that the environment names."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STRONGROOM_DATABASE_URL", postgresql_url)
    monkeypatch.setenv("STRONGROOM_ROOT_KEY", "file:root.key")
    with psycopg.connect(postgresql_url, autocommit=True) as connection:
        yield connection


def tables(legacy: psycopg.Connection[Any], schema: str = "public") -> set[str]:
    found = legacy.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", (schema,))
    return {name for (name,) in found}


def project_of(legacy: psycopg.Connection[Any]) -> str:
    row = legacy.execute("INSERT INTO projects (name) VALUES ('shop') RETURNING id").fetchone()
    assert row is not None
    return str(row[0])


def half_a_wallet(legacy: psycopg.Connection[Any], project: str, address: str = PHRASE_ADDRESS) -> str:
    """What the legacy application's first attempt leaves behind: the public half alone."""
    row = legacy.execute(
        "INSERT INTO project_credentials (project_id, public_key, key_vault_id, wallet_address)"
        " VALUES (%s, %s, %s, %s) RETURNING id",
        (project, address, f"vault_{uuid4()}", address),
    ).fetchone()
    assert row is not None
    return str(row[0])


@pytest.mark.parametrize("generation", ["g2", "g3", "g4"])
def test_init_adds_its_own_tables_and_says_what_it_found(legacy: psycopg.Connection[Any], generation: str) -> None:
    legacy.execute(schema_sql(generation))
    before = tables(legacy)
    answer = call("init")
    assert answer.code == 0
    assert (
        f"Found wallet tables of generation {generation}, made by the legacy application: they are used as they "
        f"are. " in (answer.err)
    )
    assert "Only tables that begin with strongroom_ were added." in answer.err
    assert tables(legacy) == before, "the application's own migrations would drop what they do not know"
    added = tables(legacy, "strongroom")
    assert added
    assert all(name.startswith("strongroom_") for name in added)
    again = call("init", "--json")
    assert (again.document["created"], again.document["generation"]) == (False, generation)
    human = call("init")
    assert f"generation {generation}" in human.err
    assert "were added" not in human.err
    assert f"({generation})" in call("status").out


def test_the_sql_that_init_prints_for_generation_1_helps(legacy: psycopg.Connection[Any]) -> None:
    legacy.execute(schema_sql("g1"))
    before = tables(legacy)
    answer = call("init")
    assert answer.code == 1
    assert "Error (foreign-schema)" in answer.err
    assert "Nothing was changed." in answer.err
    assert tables(legacy) == before
    assert call("init", "--json").document["error"]["code"] == "foreign-schema"
    sql = [line for line in answer.err.splitlines() if line.startswith("    ")]
    assert sql[0].startswith("    ALTER TABLE")
    legacy.execute("\n".join(sql))
    assert call("init", "--json").document["generation"] == "g3"
    wallet = create(project_of(legacy))
    assert proved(wallet["id"])


def test_status_of_generation_4_counts_keys_and_says_what_is_missing(legacy: psycopg.Connection[Any]) -> None:
    legacy.execute(schema_sql("g4"))
    assert call("init").code == 0
    project = project_of(legacy)
    create(project, "--label", "ours")
    half_a_wallet(legacy, project)
    document = call("status", "--json").document
    assert document["generation"] == "g4"
    assert document["wallets"] == {"active": 2}
    assert {name: number for name, number in document["custody"].items() if number} == {"ours": 1, "placeholder": 1}
    human = call("status")
    assert "1 sealed by strongroom, 1 placeholder" in human.out
    assert "1 without a key" in human.err
    assert "store-key" in human.err


def test_the_reported_failure_ends_with_one_proved_key_on_generation_4(legacy: psycopg.Connection[Any]) -> None:
    legacy.execute(schema_sql("g4"))
    assert call("init").code == 0
    project = project_of(legacy)
    wallet = half_a_wallet(legacy, project)  # the trigger writes its empty row
    with pytest.raises(psycopg.errors.UniqueViolation, match="credential_vault_storage_credential_id_key"):
        legacy.execute(
            "INSERT INTO credential_vault_storage (credential_id, vault_id, encrypted_private_key)"
            " VALUES (%s, %s, 'text')",
            (wallet, f"vault_{uuid4()}"),
        )
    refused = call("wallet", "create", "ethereum", "--project", project, "--json")
    assert refused.document["results"][0]["error"]["code"] == "key-missing"
    store = ("wallet", "store-key", wallet, "--private-key-stdin", "--json")
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: spawn(*store, stdin=PHRASE_KEY.encode()), range(2)))
    assert [answer.code for answer in answers] == [0, 0], answers
    assert sorted(answer.document["stored"] for answer in answers) == [False, True]
    assert proved(wallet)
    assert create(project)["id"] == wallet
    [(count,)] = legacy.execute("SELECT count(*) FROM credential_vault_storage").fetchall()
    assert count == 1


def test_what_the_legacy_application_overwrites_stays_in_the_history(legacy: psycopg.Connection[Any]) -> None:
    legacy.execute(schema_sql("g4"))
    assert call("init").code == 0
    wallet = create(project_of(legacy))
    [entry] = call("history", wallet["id"], "--json").document["history"]
    assert (entry["form"], entry["reason"], entry["address"]) == ("sealed", "create", wallet["address"])
    legacy.execute("UPDATE credential_vault_storage SET encrypted_private_key = 'U2FsdGVk'")
    assert not proved(wallet["id"])
    assert_error(call("history", "restore", wallet["id"], "--json"), "key-conflict", 5)
    legacy.execute("UPDATE credential_vault_storage SET encrypted_private_key = ''")
    assert call("history", "restore", wallet["id"], "--json").document["stored"] is True
    assert proved(wallet["id"])
