"""``strongroom doctor`` at the command line: its document, its exit codes, stopping and going on."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from strongroom.errors import StoreUnavailableError
from testbed.command_line import OTHER_KEY, PHRASE_KEY, CommandResult, call
from testbed.databases.foreign import address_of
from testbed.databases.rows import execute
from testbed.defects.locked import envelope_text, keystore_text
from testbed.servers.postgres import wait_until

KEY = bytes.fromhex(OTHER_KEY)
FINDING = [
    *("name", "code", "severity", "table", "row", "credential_id", "project_id", "network", "address", "evidence"),
    *("repair", "automatic", "command", "acknowledged"),
]
LEGACY, KEYSTORES = "the master pässword", "the keystores' pässword"


@pytest.fixture
def url(initialised: Path) -> str:
    """The database of a vault that the environment names."""
    return os.environ["STRONGROOM_DATABASE_URL"]


def wallets(count: int, project: str | None = None) -> list[str]:
    """Make wallets; their ids in order."""
    made = [
        call("wallet", "create", "ethereum", "--project", project or str(uuid4()), "--label", f"w{n}", "--json")
        for n in range(count)
    ]
    return sorted(each.document["results"][0]["wallet"]["id"] for each in made)


def spoil(url: str, sql: str, *values: Any) -> None:
    execute(url, sql, values)


def found(answer: CommandResult) -> list[dict[str, Any]]:
    findings: list[dict[str, Any]] = answer.document["findings"]
    return findings


# --- what is printed -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("made", [0, 1])
def test_without_a_root_key_nothing_is_called_healthy(
    initialised: Path, monkeypatch: pytest.MonkeyPatch, made: int
) -> None:
    wallets(made)
    monkeypatch.delenv("STRONGROOM_ROOT_KEY")
    answer = call("doctor")
    assert answer.code == 0
    assert "Healthy" not in answer.out
    assert "nothing was proved" in answer.out
    assert call("doctor", "--root-key", f"file:{initialised}/root.key").out.endswith("Healthy: nothing was found.\n")


@pytest.mark.usefixtures("url")
def test_a_fresh_vault_is_healthy() -> None:
    for _ in range(2):
        answer = call("doctor")
        assert (answer.code, answer.err) == (0, "")
        assert answer.out.endswith("\nHealthy: nothing was found.\n")
        document = call("doctor", "--json")
        assert document.code == 0
        assert list(document.document) == [
            "generation",
            "schema",
            "notes",
            "credentials",
            "vault_records",
            "findings",
            "summary",
            "new",
        ]
        assert (document.document["findings"], document.document["summary"]) == ([], {})
        wallets(2)


def test_the_document_is_that_of_the_reference(url: str) -> None:
    ids = wallets(2)
    spoil(url, "UPDATE credential_vault_storage SET encrypted_private_key = '' WHERE credential_id = ?", ids[0])
    answer = call("--json", "doctor")
    assert answer.code == 3
    document = answer.document
    assert (document["generation"], document["credentials"], document["vault_records"]) == ("fresh", 2, 2)
    assert [list(each) for each in document["findings"]] == [FINDING] * 2
    assert document["summary"] == {"placeholder": 1, "stored-flag-wrong": 1}
    placeholder = next(each for each in document["findings"] if each["code"] == "placeholder")
    assert placeholder["table"] == "credential_vault_storage"
    assert placeholder["credential_id"] == ids[0] != placeholder["row"]
    assert (placeholder["severity"], placeholder["repair"]) == ("critical", "none")
    ((address, owner),) = execute(
        url, "SELECT wallet_address, project_id FROM project_credentials WHERE id = ?", (ids[0],)
    )
    assert (placeholder["address"], placeholder["network"], placeholder["project_id"]) == (
        address,
        "ethereum",
        str(owner),
    )


@pytest.mark.thorough(sample=1)
def test_people_see_five_of_a_kind_and_how_many_more(url: str) -> None:
    ids = wallets(8)
    spoil(url, "UPDATE project_credentials SET vault_stored = false")
    answer = call("doctor")
    assert answer.code == 3
    shown = [each for each in ids if each in answer.out]
    assert len(shown) == 5
    assert "    ... and 3 more: --json prints them all\n" in answer.out
    assert "stored-flag-wrong  8\n" in answer.out
    assert "8 findings about rows, 0 about the schema. Nothing was changed.\n" in answer.out
    assert len(found(call("doctor", "--json"))) == 8
    assert "\x1b" not in answer.out + answer.err


@pytest.mark.thorough(sample=1)
def test_only_the_wallets_of_a_project_are_looked_at(url: str, project: str) -> None:
    mine, _ = wallets(2, project), wallets(3)
    spoil(url, "UPDATE project_credentials SET vault_stored = false")
    answer = call("doctor", "--project", project, "--json")
    assert {each["credential_id"] for each in found(answer)} == set(mine)
    assert (answer.document["credentials"], answer.document["vault_records"]) == (2, 2)
    told = call("doctor", "--project", project)
    assert told.err == "Wallets were compared, and keys searched for, among those that were looked at only.\n"


@pytest.mark.usefixtures("url")
def test_a_project_that_nobody_has_is_healthy() -> None:
    wallets(1)
    answer = call("doctor", "--project", str(uuid4()), "--json")
    assert (answer.code, answer.document["credentials"]) == (0, 0)


@pytest.mark.parametrize(
    ("options", "exit_code", "code"),
    [
        (["--project", OTHER_KEY], 2, "invalid-project"),
        (["--since", OTHER_KEY], 2, "invalid-wallet-id"),
        (["--since", ""], 2, "invalid-wallet-id"),
        (["--since"], 2, "usage"),
        ([OTHER_KEY], 2, "usage"),
        (["--legacy-password", OTHER_KEY], 2, "usage"),
        (["--legacy-password-stdin"], 2, "usage"),
        (["--database", "sqlite:///none.db"], 1, "not-initialized"),
        (["--database", f"postgresql://u:{OTHER_KEY}@127.0.0.1:1/x"], 2, "invalid-setting"),
        (["--database", "postgresql://u@127.0.0.1:1/x"], 1, "connection-refused"),
        (["--database", "mysql://u@h/x"], 2, "unsupported-database"),
    ],
    ids=lambda value: " ".join(value)[:50] if isinstance(value, list) else str(value),
)
@pytest.mark.parametrize("engine", ["sqlite"])
@pytest.mark.usefixtures("url")
def test_what_cannot_be_done_is_said_without_quoting_it(options: list[str], exit_code: int, code: str) -> None:
    answer = call("doctor", *options, "--json")
    assert answer.document["error"]["code"] == code, answer.out
    assert answer.code == exit_code
    human = call("doctor", *options)
    assert (human.code, human.out) == (exit_code, "")
    assert OTHER_KEY[:12] not in answer.out + answer.err + human.err
    assert "Traceback" not in human.err


def test_without_any_database_it_says_how_to_name_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("DATABASE_URL", "ROOT_KEY"):
        monkeypatch.delenv(f"STRONGROOM_{name}", raising=False)
    answer = call("doctor", "--json")
    assert answer.code in (1, 2)
    assert answer.document["error"]["hint"]
    assert list(tmp_path.iterdir()) == []


# --- the root key --------------------------------------------------------------------------------------------


def test_with_the_root_key_texts_are_proved_and_without_it_they_are_believed(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = wallets(2)
    text = str(
        execute(url, "SELECT encrypted_private_key FROM credential_vault_storage WHERE credential_id = ?", (ids[0],))[
            0
        ][0]
    )
    head, wrapped, nonce, sealed, tag = text.split(".")
    spoiled = ".".join((head, wrapped, nonce, ("A" if sealed[0] != "A" else "B") + sealed[1:], tag))
    spoil(url, "UPDATE credential_vault_storage SET encrypted_private_key = ? WHERE credential_id = ?", spoiled, ids[0])
    answer = call("doctor")
    assert answer.code == 3
    assert "1 sealed, and proved with the root key" in answer.out
    monkeypatch.delenv("STRONGROOM_ROOT_KEY")
    Path("root.key").unlink(missing_ok=True)
    answer = call("doctor")
    assert "2 sealed, as their headers say (no root key was given)" in answer.out


def test_the_wrong_root_key_is_exit_code_4(url: str, tmp_path: Path) -> None:
    wallets(1)
    assert call("root-key", "new", f"{tmp_path}/other.key").code == 0
    answer = call("doctor", "--root-key", f"file:{tmp_path}/other.key", "--json")
    assert (answer.code, answer.document["error"]["code"]) == (4, "root-key-mismatch")
    missing = call("doctor", "--root-key", f"file:{tmp_path}/none.key", "--json")
    assert (missing.code, missing.document["summary"]) == (3, {"root-key-lost": 1})


def test_a_root_key_is_not_needed_where_there_is_no_keyring(url: str, tmp_path: Path) -> None:
    wallets(1)
    for table in ("wrap", "head"):
        spoil(url, f"DELETE FROM strongroom_keyring_{table}")
    spoil(url, "DELETE FROM strongroom_keyring")
    answer = call("doctor", "--root-key", f"file:{tmp_path}/none.key", "--json")
    assert answer.code == 3
    assert answer.document["summary"] == {"unknown-sealing-key": 1}


# --- passwords -----------------------------------------------------------------------------------------------


@pytest.fixture
def locked(url: str) -> list[str]:
    """Two wallets: the text of one is an envelope, of the other a keystore."""
    texts = {
        OTHER_KEY: envelope_text(OTHER_KEY, LEGACY, bytes(32), bytes(16)),
        PHRASE_KEY: keystore_text(bytes.fromhex(PHRASE_KEY), KEYSTORES, bytes(32), bytes(16), UUID(int=1)),
    }
    ids = wallets(2)
    for wallet, (key, text) in zip(ids, texts.items(), strict=True):
        address = address_of("ethereum", key)
        spoil(url, "UPDATE project_credentials SET wallet_address = ? WHERE id = ?", address, wallet)
        spoil(
            url, "UPDATE credential_vault_storage SET encrypted_private_key = ? WHERE credential_id = ?", text, wallet
        )
    return ids


@pytest.mark.parametrize(
    ("options", "stdin", "opened"),
    [
        ([], "", (None, None)),
        (["--legacy-password-stdin"], f"{LEGACY}\n", (True, None)),
        (["--keystore-password-stdin"], KEYSTORES, (None, True)),
        (["--legacy-password-stdin", "--keystore-password-stdin"], f"{LEGACY}\n{KEYSTORES}\n", (True, True)),
        (["--keystore-password-stdin", "--legacy-password-stdin"], f"{LEGACY}\r\n{KEYSTORES}\r\n", (True, True)),
        (["--legacy-password-stdin", "--keystore-password-stdin"], f"{KEYSTORES}\n{LEGACY}\n", (False, False)),
        (["--legacy-password-stdin"], "guess", (False, None)),
    ],
    ids=range(7),
)
def test_passwords_come_by_standard_input(
    locked: list[str], options: list[str], stdin: str, opened: tuple[bool | None, bool | None]
) -> None:
    answer = call("doctor", *options, "--json", stdin=stdin.encode())
    assert answer.code == 3
    for wallet, code, fits in zip(locked, ("legacy-envelope", "keystore"), opened, strict=True):
        [told] = [each for each in found(answer) if (each["code"], each["credential_id"]) == (code, wallet)]
        assert (told["repair"], told["automatic"]) == (("seal", True) if fits else ("ask", False))
        says = {True: "opened", False: "does not open it", None: "its password is needed"}[fits]
        assert says in told["evidence"]
    assert LEGACY not in answer.out
    assert KEYSTORES not in answer.out


@pytest.mark.parametrize("engine", ["sqlite"])
@pytest.mark.parametrize("stdin", ["", "\n", f"{LEGACY}\n", f"{LEGACY}\n{KEYSTORES}\nmore\n", "\udcff\n\udcff"])
def test_two_passwords_are_two_lines(url: str, stdin: str) -> None:
    data = stdin.encode(errors="surrogateescape")
    answer = call("doctor", "--legacy-password-stdin", "--keystore-password-stdin", "--json", stdin=data)
    assert (answer.code, answer.document["error"]["code"]) == (2, "usage")
    assert LEGACY not in answer.out


# --- stopping and going on -----------------------------------------------------------------------------------


def of_rows(answer: CommandResult) -> Counter[str]:
    return Counter(json.dumps(each) for each in found(answer))


@pytest.mark.thorough(sample=1)
def test_two_halves_find_what_the_whole_finds(url: str) -> None:
    """Wherever the first was stopped: orphans are found once, in the order of ids."""
    ids = wallets(6)
    spoil(url, "UPDATE project_credentials SET vault_stored = false")
    spoil(url, "UPDATE credential_vault_storage SET encrypted_private_key = 'x' WHERE credential_id = ?", ids[2])
    gone = make_orphans(url, ids)
    whole = call("doctor", "--json")
    assert {each["credential_id"] for each in found(whole)} == {*ids, *gone}
    for since in sorted([*ids, *gone]):
        rest = of_rows(call("doctor", "--since", since, "--json"))
        wanted = Counter(
            json.dumps(each)
            for each in found(whole)
            if each["credential_id"] > since or each["code"] == "register-mismatch"  # looked at as a whole
        )
        assert rest == wanted


def make_orphans(url: str, ids: list[str]) -> list[str]:
    """Records whose credentials are gone, with ids before, between and after those that are there."""
    if url.startswith("postgresql"):
        spoil(url, "ALTER TABLE credential_vault_storage DROP CONSTRAINT credential_vault_storage_credential_id_fkey")
    middle = UUID(int=UUID(ids[2]).int + 1)
    gone = ["00000000-0000-4000-8000-000000000000", str(middle), "ffffffff-ffff-4fff-bfff-ffffffffffff"]
    for each in gone:
        spoil(
            url,
            """INSERT INTO credential_vault_storage (id, project_id, credential_id, vault_id, encrypted_private_key,
                   encryption_method, access_level, backup_created, created_at, updated_at)
               SELECT ?, project_id, ?, ?, 'x', encryption_method, access_level, backup_created, created_at, updated_at
                 FROM credential_vault_storage LIMIT 1""",
            str(uuid4()),
            each,
            f"vault_{each}",
        )
    return gone


class Stopping:
    """Interrupts a run at the n-th wallet, as Ctrl-C would."""

    def __init__(self, at: int) -> None:
        self.left = at

    def __call__(self, results: Any, *_: Any) -> Any:
        for result in results:
            yield result
            self.left -= 1
            if not self.left:
                raise KeyboardInterrupt


@pytest.mark.thorough(sample=1)
@pytest.mark.parametrize("at", [1, 4, 7, 9])
def test_a_run_that_is_stopped_prints_what_it_found_and_how_to_go_on(
    url: str, at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = wallets(6)
    spoil(url, "UPDATE project_credentials SET vault_stored = false, key_vault_id = 'same'")
    make_orphans(url, ids)
    whole = [each for each in found(call("doctor", "--json")) if each["code"] != "shared-key-vault-id"]
    with monkeypatch.context() as patch:
        patch.setattr("strongroom.takeover.face.reported", lambda _, *rest: Stopping(at)(*rest))
        first = call("doctor", "--json")
        told = call("doctor")
    assert first.code == told.code == 130
    assert list(first.document) == [
        *("generation", "schema", "notes", "credentials", "vault_records", "stopped_after", "findings"),
        *("summary", "new"),
    ]
    codes = Counter(each["code"] for each in [*first.document["schema"], *found(first)])
    assert first.document["new"] == first.document["summary"] == codes, "none of them is acknowledged"
    since = first.document["stopped_after"]
    assert f"Go on with: strongroom doctor --since {since}\n" in told.err
    second = call("doctor", "--since", since, "--json")
    assert all(each["code"] != "register-mismatch" for each in found(first)), (
        "the register is looked at last, and then as a whole"
    )
    halves = [each for each in found(first) + found(second) if each["code"] != "shared-key-vault-id"]
    assert sorted(map(json.dumps, halves)) == sorted(map(json.dumps, whole))
    shared = [each for each in found(first) if each["code"] == "shared-key-vault-id"]
    looked_at = len({each["credential_id"] for each in found(first)} & set(ids))
    assert len(shared) == (looked_at if looked_at > 1 else 0), "wallets were compared with those that were looked at"


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_connection_that_ctrl_c_broke_takes_nothing_of_what_was_found(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    wallets(2)
    spoil(url, "UPDATE project_credentials SET vault_stored = false")

    def closed(*_: Any) -> None:
        raise StoreUnavailableError

    monkeypatch.setattr("strongroom.store.inspection.inspection.Inspection.places", closed)
    whole = call("doctor", "--json")
    assert whole.code not in (0, 3, 130), "a whole run says where everything is, or fails"
    monkeypatch.setattr("strongroom.takeover.face.reported", lambda _, *rest: Stopping(2)(*rest))
    stopped = call("doctor", "--json")
    assert stopped.code == 130
    assert [each["code"] for each in found(stopped)] == ["stored-flag-wrong"] * 2
    assert all(each["project_id"] is None for each in found(stopped))


@pytest.mark.parametrize("engine", ["sqlite"])
def test_the_command_that_goes_on_names_the_project_and_the_place(
    url: str, project: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = wallets(3, project)

    def stop_at_once(*_: Any) -> Any:
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr("strongroom.takeover.face.reported", stop_at_once)
    told = call("doctor", "--project", project, "--since", ids[0])
    assert told.code == 130
    assert f"Go on with: strongroom doctor --project {project} --since {ids[0]}\n" in told.err


@pytest.mark.parametrize("engine", ["sqlite"])
def test_ctrl_c_during_the_comparisons_is_not_taken_for_the_end(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    wallets(2)

    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    spoil(url, "UPDATE project_credentials SET key_vault_id = 'same'")
    monkeypatch.setattr("strongroom.takeover.doctor.cross_rows.CrossRows.compare", interrupted)
    answer = call("doctor", "--json")
    assert answer.code == 130


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_process_that_gets_ctrl_c_in_the_middle_ends_with_130(url: str) -> None:
    """Keystores of a second each, so that there is a middle."""
    ids = wallets(12)
    slow = keystore_text(KEY, KEYSTORES, bytes(32), bytes(16), UUID(int=1)).replace('"n": 1024', '"n": 262144')
    spoil(url, "UPDATE credential_vault_storage SET encrypted_private_key = ?", slow)
    spoil(url, "UPDATE credential_vault_storage SET encrypted_private_key = '' WHERE credential_id = ?", ids[0])
    command = [sys.executable, "-m", "strongroom", "doctor", "--keystore-password-stdin", "--json"]
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # who runs the tests may ignore it
    )
    assert process.stdin is not None
    process.stdin.write(b"guess\n")
    process.stdin.close()
    process.stdin = None
    statistics = Path(f"/proc/{process.pid}/task")
    wait_until(lambda: len(list(statistics.iterdir())) > 1, "it works on no keystore")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert b"Traceback" not in err
    assert process.returncode == 130, err
    document = json.loads(out)
    assert document["credentials"] == 12
    assert len({each["credential_id"] for each in document["findings"]}) < 12
    assert document["stopped_after"] in (None, *ids)


@pytest.mark.parametrize("engine", ["sqlite"])
def test_progress_is_shown_to_a_terminal_and_to_nobody_else(url: str) -> None:
    wallets(2)
    assert call("doctor").err == ""
    reader, terminal = pty.openpty()
    try:
        done = subprocess.run(
            [sys.executable, "-m", "strongroom", "doctor"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=terminal,
            timeout=60,
            check=True,
            env={**os.environ, "TERM": "xterm"},
        )
        shown = os.read(reader, 65_536).decode()
    finally:
        os.close(reader)
        os.close(terminal)
    assert re.search(r"Looking.*0/2", shown)
    assert done.stdout.decode().endswith("Healthy: nothing was found.\n")
