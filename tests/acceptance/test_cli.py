"""The command line, run in this process: every command, its documents and its exit codes, on each database."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path
from unittest import mock
from uuid import UUID, uuid4

import pytest

import strongroom
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
from testbed.databases.rows import execute

# --- create -------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("initialised")
def test_create_prints_one_result_a_network_and_a_repeat_prints_the_same_wallets(project: str) -> None:
    networks = ["ethereum", "bitcoin", "solana"]
    first = call("wallet", "create", *networks, "--project", project, "--json")
    assert first.code == 0
    assert list(first.document) == ["results"]
    results = first.document["results"]
    assert [list(result) for result in results] == [["network", "created", "wallet"]] * 3
    assert [result["network"] for result in results] == networks
    assert [result["created"] for result in results] == [True] * 3
    assert [list(result["wallet"]) for result in results] == [WALLET_FIELDS] * 3
    assert {result["wallet"]["project_id"] for result in results} == {project}
    assert all(result["wallet"]["durable"] for result in results)

    again = call("--json", "wallet", "create", *networks, "--project", project)
    assert again.code == 0
    assert [result["created"] for result in again.document["results"]] == [False] * 3
    assert [result["wallet"] for result in again.document["results"]] == [r["wallet"] for r in results]


@pytest.mark.usefixtures("initialised")
def test_one_network_has_results_too(project: str) -> None:
    answer = call("wallet", "create", "ethereum", "--project", project, "--label", "hot", "--json")
    [result] = answer.document["results"]
    assert (result["network"], result["created"], result["wallet"]["label"]) == ("ethereum", True, "hot")


@pytest.mark.usefixtures("initialised")
def test_partly_done_is_exit_code_6(project: str) -> None:
    answer = call("wallet", "create", "ethereum", "atlantis", "--project", project, "--json")
    assert answer.code == 6
    good, bad = answer.document["results"]
    assert good["created"] is True
    assert list(bad) == ["network", "error"]
    assert list(bad["error"]) == ["code", "message", "hint"]
    assert (bad["network"], bad["error"]["code"]) == ("atlantis", "unknown-network")


@pytest.mark.usefixtures("initialised")
def test_nothing_done_is_the_exit_code_of_the_first_error(project: str) -> None:
    answer = call("wallet", "create", "atlantis", "utopia", "--project", project, "--json")
    assert answer.code == 2
    assert [result["error"]["code"] for result in answer.document["results"]] == ["unknown-network"] * 2
    shared = call("wallet", "create", "ethereum", "bitcoin", "--project", "nobody", "--json")
    assert shared.code == 2
    assert [result["error"]["code"] for result in shared.document["results"]] == ["invalid-project"] * 2


@pytest.mark.usefixtures("initialised")
def test_people_read_three_lines_of_an_error(project: str) -> None:
    answer = call("wallet", "create", "atlantis", "--project", project)
    assert (answer.code, answer.out) == (2, "")
    what, changed, following = answer.err.splitlines()
    assert what.startswith("Error (unknown-network): ")
    assert changed == "Nothing was changed."
    assert following.startswith("Next: ")


@pytest.mark.usefixtures("initialised")
def test_people_read_a_table_that_is_not_cut_in_a_pipe(project: str) -> None:
    call("wallet", "create", "bitcoin", "--project", project, "--variant", "taproot")
    answer = call("wallet", "create", "bitcoin", "--project", project, "--variant", "taproot")
    assert answer.code == 0
    [row] = [line for line in answer.out.splitlines() if "bc1p" in line]
    assert re.fullmatch(r"\s*bitcoin\s+default\s+bc1p\w{58}\s+[0-9a-f-]{36}\s+was there\s*", row)
    assert answer.err == "0 created, 1 unchanged, 0 failed.\n"
    assert "\x1b" not in answer.out + answer.err


@pytest.mark.usefixtures("initialised")
def test_a_conflict_is_exit_code_5(project: str) -> None:
    create = ("wallet", "create", "bitcoin", "--project", project, "--json")
    assert call(*create).code == 0
    assert call(*create, "--variant", "taproot").code == 5
    key = ("--idempotency-key", "K-1")
    assert call(*create, "--label", "a", *key).code == 0
    answer = call(*create, "--label", "b", *key)
    assert answer.code == 5
    assert answer.document["results"][0]["error"]["code"] == "idempotency-conflict"


@pytest.mark.usefixtures("initialised")
def test_words_variant_actor_and_reason_are_passed_on(project: str) -> None:
    made = call(
        *("wallet", "create", "bitcoin", "--project", project, "--words", "24", "--variant", "taproot"),
        *("--actor", "ann", "--reason", "demo", "--json"),
    ).document["results"][0]["wallet"]
    assert made["scheme"] == "bip86"
    phrase = call("wallet", "export", made["id"], "--reveal", "--json").document["mnemonic"]
    assert len(phrase.split()) == 24


@pytest.mark.usefixtures("initialised")
def test_a_variant_goes_with_one_network(project: str) -> None:
    answer = call("wallet", "create", "bitcoin", "solana", "--variant", "taproot", "--project", project, "--json")
    assert answer.code == 2
    assert answer.document["error"]["code"] == "usage"


# --- list and show ------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("initialised")
def test_list_goes_page_by_page(project: str) -> None:
    for label in ("a", "b", "c"):
        call("wallet", "create", "ethereum", "--project", project, "--label", label)
    call("wallet", "create", "solana", "--project", project)
    pages: list[list[str]] = []
    cursor: str | None = None
    while True:
        after = [] if cursor is None else ["--after", cursor]
        answer = call("wallet", "list", "--project", project, "--network", "ethereum", "--limit", "2", "--json", *after)
        assert answer.code == 0
        assert list(answer.document) == ["wallets", "next"]
        pages.append([wallet["label"] for wallet in answer.document["wallets"]])
        cursor = answer.document["next"]
        if cursor is None:
            break
    assert [label for page in pages for label in page] == ["a", "b", "c"]
    assert len(pages[0]) == 2
    seen = call("wallet", "list", "--project", project, "--limit", "2")
    assert seen.out.count("0x") == 2
    assert "--after" in seen.err


@pytest.mark.usefixtures("initialised")
def test_an_empty_list_is_not_an_error(project: str) -> None:
    assert call("wallet", "list", "--project", project, "--json").document == {"wallets": [], "next": None}
    assert call("wallet", "list", "--project", project) == CommandResult(0, "", "No wallets.\n")


@pytest.mark.usefixtures("initialised")
def test_show_takes_an_id_or_an_address(project: str) -> None:
    made = call("wallet", "create", "ethereum", "--project", project, "--json").document["results"][0]["wallet"]
    for name in (made["id"], made["address"], made["address"].lower()):
        for scope in ([], ["--project", project]):
            answer = call("wallet", "show", name, *scope, "--json")
            assert (answer.code, answer.document) == (0, {"wallet": made})
        elsewhere = call("wallet", "show", name, "--project", str(uuid4()), "--json")
        assert (elsewhere.code, elsewhere.document["error"]["code"]) == (1, "wallet-not-found")
    human = call("wallet", "show", made["id"])
    assert all(made[name] in human.out for name in ("id", "address", "public_key", "created_at"))
    assert call("wallet", "show", str(uuid4())).code == 1


# --- import and export --------------------------------------------------------------------------------------


@pytest.mark.usefixtures("initialised")
@pytest.mark.parametrize("ending", [b"", b"\n", b"\r\n"])
def test_a_phrase_comes_in_by_standard_input_and_goes_out_by_export(project: str, ending: bytes) -> None:
    arguments = ("wallet", "import", "ethereum", "--project", project, "--mnemonic-stdin", "--json")
    first = call(*arguments, "--address", PHRASE_ADDRESS, stdin=PHRASE.encode() + ending)
    assert first.code == 0
    assert list(first.document) == ["created", "wallet", "warnings"]
    assert (first.document["created"], first.document["wallet"]["address"]) == (True, PHRASE_ADDRESS)
    again = call(*arguments, stdin=PHRASE.encode())
    assert again.document == {"created": False, "wallet": first.document["wallet"], "warnings": []}

    wallet = first.document["wallet"]["id"]
    answer = call("wallet", "export", wallet, "--reveal", "--json", "--actor", "ann", "--reason", "test")
    assert list(answer.document) == ["private_key", "mnemonic", "passphrase", "path", "scheme"]
    assert answer.document["passphrase"] is None
    assert answer.document["private_key"].removeprefix("0x") == PHRASE_KEY
    assert (answer.document["mnemonic"], answer.document["path"]) == (PHRASE, "m/44'/60'/0'/0/0")
    assert call("wallet", "export", wallet, "--reveal", "--json", "--format", "key").document == answer.document
    assert call("wallet", "export", wallet, "--reveal", "--format", "mnemonic").out == PHRASE + "\n"
    key = call("wallet", "export", wallet, "--reveal")
    assert key.out == answer.document["private_key"] + "\n"
    assert PHRASE_KEY not in key.err


@pytest.mark.usefixtures("initialised")
def test_a_private_key_has_no_phrase_to_export(project: str) -> None:
    arguments = ("wallet", "import", "ethereum", "--project", project, "--private-key-stdin", "--json")
    made = call(*arguments, stdin=f"0x{OTHER_KEY}\n".encode()).document["wallet"]
    document = call("wallet", "export", made["id"], "--reveal", "--json").document
    assert document["private_key"].removeprefix("0x") == OTHER_KEY
    assert (document["mnemonic"], document["path"]) == (None, None)
    refused = call("wallet", "export", made["id"], "--reveal", "--format", "mnemonic", "--json")
    assert (refused.code, refused.document["error"]["code"]) == (1, "no-phrase")


@pytest.mark.usefixtures("initialised")
def test_secrets_come_in_by_files(project: str, vault_url: str) -> None:
    Path("phrase").write_text(PHRASE + "\n")
    Path("key").write_text(OTHER_KEY)
    Path("passphrase").write_text("TREZOR\n")
    addresses = set()
    for label, given in {
        "plain": ("--mnemonic-file", "phrase"),
        "passphrase": ("--mnemonic-file", "phrase", "--passphrase-file", "passphrase"),
        "key": ("--private-key-file", "key"),
        "path": ("--mnemonic-file", "phrase", "--path", "m/44'/60'/0'/0/1"),
    }.items():
        arguments = ("wallet", "import", "ethereum", "--project", project, "--label", label, "--json", *given)
        addresses.add(call(*arguments).document["wallet"]["address"])
    assert len(addresses) == 4
    assert PHRASE_ADDRESS in addresses
    piped = ("--label", "passphrase", "--mnemonic-stdin", "--passphrase-stdin", "--json")
    answer = call("wallet", "import", "ethereum", "--project", project, *piped, stdin=f"{PHRASE}\nTREZOR\n".encode())
    assert answer.document["created"] is False
    exported = call("wallet", "export", answer.document["wallet"]["id"], "--reveal", "--format", "mnemonic")
    assert exported.out == PHRASE + "\n"
    assert "passphrase" in exported.err
    assert "TREZOR" not in exported.err
    whole = call("wallet", "export", answer.document["wallet"]["id"], "--reveal", "--json").document
    assert (whole["mnemonic"], whole["passphrase"], whole["scheme"]) == (PHRASE, "TREZOR", "bip44")
    slot = "SELECT credential_id FROM strongroom_slot WHERE label = 'passphrase'"
    [(record,)] = execute(vault_url, f"SELECT id FROM credential_vault_storage WHERE credential_id = ({slot})")
    kept = call("history", "reveal", str(record), "--reveal", "--json")
    assert (kept.document["mnemonic"], kept.document["passphrase"]) == (PHRASE, "TREZOR")
    assert "TREZOR" not in kept.err


@pytest.mark.usefixtures("initialised")
def test_another_key_under_the_label_is_a_conflict(project: str) -> None:
    arguments = ("wallet", "import", "ethereum", "--project", project, "--json")
    assert call(*arguments, "--mnemonic-stdin", stdin=PHRASE.encode()).code == 0
    answer = call(*arguments, "--private-key-stdin", stdin=OTHER_KEY.encode())
    assert (answer.code, answer.document["error"]["code"]) == (5, "key-conflict")
    mismatch = call(
        *arguments, "--label", "x", "--private-key-stdin", "--address", PHRASE_ADDRESS, stdin=OTHER_KEY.encode()
    )
    assert (mismatch.code, mismatch.document["error"]["code"]) == (5, "address-mismatch")


@pytest.mark.usefixtures("initialised")
def test_an_export_must_be_asked_for(project: str) -> None:
    made = call("wallet", "create", "ethereum", "--project", project, "--json").document["results"][0]["wallet"]
    answer = call("wallet", "export", made["id"])
    assert (answer.code, answer.out) == (2, "")
    assert "--reveal" in answer.err
    assert call("wallet", "export", made["id"], "--reveal", "--format", "qr").code == 2


@pytest.mark.usefixtures("initialised")
def test_a_terminal_is_asked_without_showing_what_is_typed(project: str) -> None:
    arguments = ("wallet", "import", "ethereum", "--project", project, "--mnemonic-stdin", "--passphrase-stdin")
    with mock.patch("getpass.getpass", side_effect=[PHRASE, "TREZOR"]) as prompt:
        answer = call(*arguments, "--json", terminal=True)
    assert answer.code == 0
    assert prompt.call_count == 2


@pytest.mark.usefixtures("initialised")
@pytest.mark.parametrize("error", [EOFError(), OSError(), UnicodeDecodeError("utf-8", PHRASE.encode(), 0, 1, "no")])
def test_what_cannot_be_typed_is_told_without_it(project: str, error: Exception) -> None:
    with mock.patch("getpass.getpass", side_effect=error):
        answer = call("wallet", "import", "ethereum", "--project", project, "--mnemonic-stdin", terminal=True)
    assert (answer.code, answer.out) == (2, "")
    assert "No phrase was typed" in answer.err
    assert PHRASE not in answer.err


# --- verify, status, networks, root-key ---------------------------------------------------------------------


@pytest.mark.usefixtures("initialised")
def test_verify_counts_what_it_proved(project: str) -> None:
    other = str(uuid4())
    made = call("wallet", "create", "ethereum", "solana", "--project", project, "--json").document["results"]
    call("wallet", "create", "bitcoin", "--project", other)
    assert call("verify", "--json") == CommandResult(0, '{"checked": 3, "ok": 3, "failed": [], "warnings": []}\n', "")
    assert call("verify", "--project", project, "--phrases", "--json").document["checked"] == 2
    assert call("verify", made[0]["wallet"]["id"], "--json").document["checked"] == 1
    assert call("verify", "--project", project).out == "2 wallets checked, all proved.\n"
    assert call("verify", str(uuid4()), "--json").code == 1


def test_a_wallet_that_does_not_prove_is_exit_code_3(
    initialised: Path, project: str, vault_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sqlalchemy

    made = call("wallet", "create", "ethereum", "bitcoin", "--project", project, "--json").document["results"]
    damaged = made[0]["wallet"]["id"]
    engine = strongroom.create_engine(vault_url)
    with engine.begin() as connection:
        kind = connection.dialect.name
        key = UUID(damaged) if kind == "postgresql" else damaged
        changed = connection.execute(
            sqlalchemy.text("UPDATE project_credentials SET public_key = 'ff' WHERE id = :id"), {"id": key}
        )
        assert changed.rowcount == 1
    engine.dispose()
    answer = call("verify", "--json")
    assert answer.code == 3
    assert answer.document == {
        "checked": 2,
        "ok": 1,
        "failed": [{"id": damaged, "code": answer.document["failed"][0]["code"]}],
        "warnings": [],
    }
    human = call("verify", "--project", project)
    assert human.code == 3
    assert damaged in human.out
    assert "2 wallets checked, 1 not proved." in human.out
    assert "Next (" in human.err


@pytest.mark.usefixtures("initialised")
def test_status_shows_the_vault_and_what_comes_next(project: str, vault_url: str) -> None:
    assert "Next: strongroom wallet create" in call("status").err
    call("wallet", "create", "ethereum", "--project", project)
    document = call("status", "--json").document
    assert list(document) == [
        "database",
        "engine",
        "schema_version",
        "generation",
        "wallets",
        "custody",
        "durability",
        "warnings",
        "nodes",
        "shards",
        "sealing_keys",
        "root_keys",
    ]
    assert document["generation"] == "fresh"
    assert document["wallets"]["active"] == 1
    assert document["custody"]["ours"] == 1
    assert [list(key) for key in document["sealing_keys"]] == [["kid", "state", "active", "rows", "root_keys"]]
    assert document["sealing_keys"][0]["rows"] == 1
    assert document["root_keys"] == document["sealing_keys"][0]["root_keys"]
    human = call("status")
    assert human.code == 0
    assert "1 active" in human.out
    assert document["sealing_keys"][0]["kid"] in human.out
    assert "Next: strongroom verify" in human.err


def test_one_network_is_shown_with_the_addresses_of_the_test_phrase(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shown = call("networks", "bitcoin", "--json").document["network"]
    assert shown["variants"][1]["example"] == "bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr"
    assert shown["imported_variants"][0]["example"] is None
    human = call("networks", "bitcoin")
    assert shown["variants"][0]["example"] in human.out
    assert "WIF (base58check)" in human.out
    assert call("networks", "atlantis").code == 2


def test_networks_needs_no_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    document = call("networks", "--json").document
    assert list(document) == ["networks"]
    by_name = {network["name"]: network for network in document["networks"]}
    assert by_name["bitcoin"]["caip2"].startswith("bip122:")
    assert [variant["name"] for variant in by_name["bitcoin"]["variants"]][1] == "taproot"
    assert by_name["ethereum"]["coin_type"] == 60
    assert by_name["ethereum"]["variants"] == [
        {"name": "default", "scheme": "bip44", "curve": "secp256k1", "path": "m/44'/60'/0'/0/0"}
    ]
    assert "transaction" in by_name["ethereum"]["signs"]
    assert by_name["ethereum"]["key_forms"][0] == "0x and 64 hexadecimal digits"
    assert [each["name"] for each in by_name["solana"]["imported_variants"]] == ["raw-seed", "sollet"]
    human = call("networks")
    assert all(name in human.out for name in by_name)


def test_root_key_new_never_replaces_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert call("root-key", "new", "my.key", "--json").document == {"root_key": "file:my.key"}
    text = Path("my.key").read_bytes()
    assert Path("my.key").stat().st_mode & 0o777 == 0o600
    answer = call("--json", "root-key", "new", "my.key")
    assert (answer.code, answer.document["error"]["code"]) == (4, "root-key-exists")
    assert Path("my.key").read_bytes() == text
    assert text.decode().strip() not in call("root-key", "new", "your.key").out


@pytest.mark.thorough(sample=1)
@pytest.mark.usefixtures("initialised")
def test_verify_shows_its_progress_to_a_terminal_and_to_nobody_else(project: str) -> None:
    call("wallet", "create", "ethereum", "--project", project)
    assert call("verify", "--json").err == ""
    reader, terminal = pty.openpty()
    command = [sys.executable, "-m", "strongroom", "verify", "--json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=terminal, check=True, timeout=60)
    os.close(terminal)
    assert json.loads(done.stdout)["checked"] == 1
    assert b"Verifying" in os.read(reader, 65536)
    os.close(reader)


# --- processes ----------------------------------------------------------------------------------------------


@pytest.mark.thorough(sample=1)
@pytest.mark.usefixtures("initialised")
def test_the_module_runs_as_a_program(project: str) -> None:
    assert call("wallet", "create", "ethereum", "--project", project).code == 0
    listed = spawn("--json", "wallet", "list", "--project", project)
    assert (listed.code, len(listed.document["wallets"])) == (0, 1)
    missing = spawn("wallet", "show", str(uuid4()), "--json")
    assert (missing.code, missing.document["error"]["code"]) == (1, "wallet-not-found")
    imported = spawn(
        *("wallet", "import", "solana", "--project", project, "--mnemonic-stdin", "--json"),
        stdin=PHRASE.encode(),
    )
    assert imported.code == 0
    assert imported.document["wallet"]["address"] == "HAgk14JpMQLgt6rVgv7cBQFJWFto5Dqxi472uT3DKpqk"


@pytest.mark.thorough(sample=1)
@pytest.mark.usefixtures("initialised")
def test_a_reader_that_goes_away_is_told_on_standard_error(project: str) -> None:
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "strongroom", "wallet", "create", "ethereum", "--project", project, "--json"]
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, check=False, timeout=60)
    os.close(write)
    assert done.returncode == 1
    assert b"The output could not be written." in done.stderr
    assert b"may be repeated safely" in done.stderr
    assert b"Traceback" not in done.stderr
    assert (
        call("wallet", "create", "ethereum", "--project", project, "--json").document["results"][0]["created"] is False
    )
