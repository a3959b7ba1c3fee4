"""What strongroom promises, shown and checked on SQLite: `make demo`.

Works in a directory that it throws away. Exits 1 when a claim turns out false. No secret is printed.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import shlex
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple, NoReturn
from uuid import uuid4

from rich import box
from rich.console import Console
from rich.table import Table

from strongroom.cli import main
from strongroom.testing import temporary_vault

NETWORKS = ("ethereum", "bitcoin", "solana")
console = Console(highlight=False, markup=True)


def claim(text: str, holds: bool) -> None:
    """Say what is true, or stop the demo because it is not."""
    console.print(f"  [green]✓[/] {text}" if holds else f"  [bold red]✗ NOT TRUE: {text}[/]")
    if not holds:
        sys.exit(1)


def chapter(number: int, title: str) -> None:
    console.print()
    console.rule(f"[bold]{number}. {title}", align="left", style="dim")


def ask(*arguments: str, code: int = 0) -> dict[str, Any]:
    """Run `strongroom --json ...` and return its document."""
    console.print(f"  [dim]$[/] strongroom {shlex.join(arguments)}", soft_wrap=True)
    answer = io.StringIO()
    with contextlib.redirect_stdout(answer), contextlib.redirect_stderr(io.StringIO()):
        got = main(["--json", *arguments])
    document: dict[str, Any] = json.loads(answer.getvalue())
    if got != code:
        claim(f"the command ends with {code} (it was {got}: {document})", holds=False)
    return document


def show(*arguments: str) -> None:
    """Run a command as people see it."""
    console.print(f"  [dim]$[/] strongroom {shlex.join(arguments)}", soft_wrap=True)
    if main(list(arguments)) != 0:
        claim("the command succeeds", holds=False)


def table(results: list[dict[str, Any]]) -> None:
    view = Table(box=box.SIMPLE_HEAD, border_style="dim", header_style="bold", padding=(0, 1))
    view.add_column("Network", style="cyan")
    view.add_column("Address", overflow="fold")
    view.add_column("This call")
    for result in results:
        outcome = "[green]created it[/]" if result["created"] else "found it"
        view.add_row(result["network"], result["wallet"]["address"], outcome)
    console.print(view)


def create_and_die(moment: str, *arguments: str) -> int:
    """Run a create in a process of its own that dies by `kill -9` at a moment; return how it ended."""
    console.print(f"  [dim]$[/] strongroom {shlex.join(arguments)}     [red]killed {moment}[/]", soft_wrap=True)
    command = [sys.executable, __file__, "--child", moment, *arguments]
    return subprocess.run(command, capture_output=True, check=False, timeout=30).returncode


def child(moment: str, arguments: list[str]) -> NoReturn:
    """The process that dies. It watches its own SQLite connection to know when."""
    seen: list[str] = []

    def die(*_: object) -> NoReturn:
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError

    def watch(statement: str) -> None:
        if moment == "before COMMIT" and "INSERT" in seen:
            die()
        seen.append("INSERT" if "INSERT" in statement.upper() else "")

    genuine = sqlite3.connect

    def connect(*given: Any, **options: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = genuine(*given, **options)
        connection.set_trace_callback(watch)
        return connection

    sqlite3.connect = sqlite3.dbapi2.connect = connect  # type: ignore[assignment]
    if moment == "after COMMIT":
        sys.stdout.write = die  # type: ignore[method-assign]
    main(["--json", *arguments])
    sys.exit("it was not killed")


def tell() -> None:
    """The story."""
    project = str(uuid4())
    started = time.monotonic()

    chapter(1, "A vault, made in one command")
    made = ask("init")
    claim("settings, database and root key are there", all(Path(file).exists() for file in made["files"]))
    modes = {Path(file).stat().st_mode & 0o777 for file in made["files"]}
    claim(f"{len(made['files'])} files, readable by nobody else", modes == {0o600})
    claim("init again changes nothing", not ask("init")["created"])

    chapter(2, "Wallets on three networks")
    create = ("wallet", "create", *NETWORKS, "--project", project)
    first = ask(*create)["results"]
    table(first)
    claim("three wallets were created", [result["created"] for result in first] == [True] * 3)

    chapter(3, "The same call again")
    second = ask(*create)["results"]
    table(second)
    claim("nothing was created", [result["created"] for result in second] == [False] * 3)
    claim("the wallets are the same", [one["wallet"] for one in first] == [two["wallet"] for two in second])

    chapter(4, "Killed in the middle of a creation")
    hot = ("wallet", "create", "ethereum", "--project", project, "--label", "hot")
    claim("the process died by kill -9", create_and_die("before COMMIT", *hot) == -signal.SIGKILL)
    claim("it left no half of a wallet", len(listed(project)) == 3 and rows("credential_vault_storage") == 3)
    retried = ask(*hot)["results"][0]
    claim("the retry created the wallet", retried["created"])
    claim("there is exactly one", [w["label"] for w in listed(project)].count("hot") == 1)
    proved = ask("verify", retried["wallet"]["id"])
    claim("and it is proved", (proved["checked"], proved["ok"]) == (1, 1))

    chapter(5, "Killed after the commit, before the answer")
    cold = ("wallet", "create", "bitcoin", "--project", project, "--label", "cold")
    claim("the process died by kill -9", create_and_die("after COMMIT", *cold) == -signal.SIGKILL)
    committed = [wallet for wallet in listed(project) if wallet["label"] == "cold"]
    claim("its wallet was committed", len(committed) == 1)
    retried = ask(*cold)["results"][0]
    claim("the retry created nothing", not retried["created"])
    claim("it returned that wallet", retried["wallet"] == committed[0])

    live_and_retire(project, committed[0])
    end_the_reported_failure(str(uuid4()))

    chapter(8, "Every wallet, proved")
    proved = ask("verify", "--phrases")
    claim("7 wallets open, derive and equal their rows", (proved["checked"], proved["ok"]) == (7, 7))
    claim(
        "as many credentials as vault records",
        rows("project_credentials") == 7 == rows("credential_vault_storage"),
    )
    show("wallet", "list", "--project", project)
    show("status")

    take_over(str(uuid4()))
    console.print(f"\n[bold green]All of it held[/], in {time.monotonic() - started:.1f} s.")


def live_and_retire(project: str, cold: dict[str, Any]) -> None:
    """Replace, revoke, rotate."""
    chapter(6, "A wallet's key was seen: replaced. A project closed: revoked")
    old = next(wallet for wallet in listed(project) if wallet["label"] == "hot")
    replaced = ask("wallet", "replace", old["id"], "--reason", "key was seen")
    new = replaced["wallet"]
    claim("a new wallet was made in its place", replaced["created"] and new["address"] != old["address"])
    again = ask("wallet", "replace", old["id"], "--reason", "key was seen")
    claim("the same call again returns the same successor", not again["created"] and again["wallet"] == new)
    live = ask("wallet", "create", "ethereum", "--project", project, "--label", "hot")["results"][0]
    claim("create returns the successor", not live["created"] and live["wallet"] == new)
    retired = ask("wallet", "show", old["id"])["wallet"]
    claim("the old one is retired, and still opens", retired["status"] == "replaced" and ask("verify", old["id"])["ok"])

    revoked = ask("wallet", "revoke", cold["id"], "--reason", "project closed")["wallet"]
    claim("the other one is revoked", revoked["status"] == "revoked")
    refused = ask("wallet", "create", "bitcoin", "--project", project, "--label", "cold", code=5)["results"][0]
    claim("create makes no other in its place by itself", refused["error"]["code"] == "wallet-revoked")
    claim("its key still opens", ask("verify", cold["id"])["ok"] == 1)

    kid = ask("keys", "rotate")["kid"]
    moved = ask("keys", "rewrap")
    claim("a new sealing key, and 6 wallets moved to it", (moved["rewrapped"], moved["failed"]) == (6, []))
    sealed = {key["kid"]: key["rows"] for key in ask("keys", "status")["sealing_keys"]}
    claim("the old one seals none of them any more", sealed[kid] == 6 == sum(sealed.values()))


def take_over(project: str) -> None:
    """Keys that a legacy application writes in plaintext over sealed ones: found, sealed, and kept while it still
    writes."""
    chapter(9, "Keys that a legacy application wrote in plaintext, taken over")
    plain, kept = new_key_of_the_old_application(), new_key_of_the_old_application()
    plain, kept = import_as("cold", plain, project), import_as("hot", kept, project)
    old_code("deletes what is sealed", CLEARED, [plain.id])
    old_code("writes the key in plaintext", VAULT_RECORD, [plain.id, project, plain.vault_id, plain.key, "AES-256-GCM"])
    old_code("overwrites another one in place", OVERWRITE, [kept.key, kept.id])
    found = ask("doctor", code=3)
    clear = {finding["credential_id"] for finding in found["findings"] if finding["code"] == "plaintext-key"}
    claim("doctor sees both", clear == {plain.id, kept.id})
    changed = {finding["credential_id"] for finding in found["findings"] if finding["code"] == "register-mismatch"}
    claim("and that the register knows them otherwise", changed == clear)
    claim("the guard is on", ask("guard", "--install")["state"] == "installed")
    ask("repair", "--plan", "plan.json")
    claim("a plan says what would be done, and holds no key", no_key_in("plan.json", plain, kept))
    done = ask("repair", "--apply", "plan.json")
    claim("it was done: both keys are sealed", done["exposed"] == 2)
    claim("both wallets are proved, with their own keys", ask("verify", "--project", project)["ok"] == 2)
    claim("doctor finds nothing any more", not ask("doctor")["findings"])

    wallet = ask("wallet", "create", "solana", "--project", project)["results"][0]["wallet"]
    old_code("overwrites its key, as it always did", OVERWRITE, ["", wallet["id"]])
    reasons = [entry["reason"] for entry in ask("history", wallet["id"])["history"]]
    claim("the guard kept it", reasons[-1] == "guard-update")
    claim("it is put back", ask("history", "restore", wallet["id"])["stored"])
    claim("the wallet is whole again", ask("verify", wallet["id"])["ok"] == 1)
    vacuum()
    claim("the keys are nowhere in plaintext", no_key_in("strongroom.db", plain, kept))


class Lost(NamedTuple):
    """The wallet that the legacy application made. Its key lives in memory only."""

    id: str
    vault_id: str
    address: str
    public_key: str
    key: str


def end_the_reported_failure(project: str) -> None:
    """The failure that strongroom was made for, replayed with the statements of the legacy application.

    In a file that strongroom made, the register believes no wallet that something else adds: the legacy application
    takes the key of a registered one away first. In its own tables, on PostgreSQL, it makes the wallet, too.
    """
    chapter(7, "The reported failure, replayed and ended")
    lost = new_key_of_the_old_application()
    lost = import_as("default", lost, project)
    old_code("its retry begins with a DELETE, committed", CLEARED, [lost.id])
    refusal = old_code("then the vault record", VAULT_RECORD, [lost.id, project, lost.vault_id, "text", "AES256"])
    claim("a CHECK refused it: the wallet has no key", "CHECK constraint failed" in refusal)
    old_code("meanwhile a trigger writes its row", VAULT_RECORD, [lost.id, project, lost.vault_id, "", "AES-256-GCM"])
    again = [lost.id, project, f"{lost.vault_id}_2", "text", "AES-256-GCM"]
    refusal = old_code("the retry, with the constraint met", VAULT_RECORD, again)
    claim("it died on the unique key", refusal == "UNIQUE constraint failed: credential_vault_storage.credential_id")

    refused = ask("wallet", "create", "ethereum", "--project", project, code=1)["results"][0]
    alone = rows("project_credentials", f"WHERE project_id = '{project}'") == 1
    claim("create does not make another wallet in its place", "error" in refused and alone)
    wrong = ask_with("1" * 64, "wallet", "store-key", lost.id, "--private-key-stdin")
    claim("another key is refused", wrong["error"]["code"] == "address-mismatch")
    with ThreadPoolExecutor(2) as pool:  # two processes
        store = ("wallet", "store-key", lost.id, "--private-key-stdin")
        answers = list(pool.map(lambda _: ask_with(lost.key, *store), range(2)))
    claim(f"two processes brought it at once; neither failed{failures(answers)}", not failures(answers))
    outcomes = sorted(answer["stored"] for answer in answers)
    claim("it was stored once", outcomes == [False, True])
    claim("both were told of the same wallet", answers[0]["wallet"] == answers[1]["wallet"])
    claim("there is one vault record", rows("credential_vault_storage", f"WHERE credential_id = '{lost.id}'") == 1)
    claim("it is sealed, and proved", ask("verify", lost.id)["ok"] == 1)
    found = ask("wallet", "show", lost.address)["wallet"]
    claim("it is the same wallet, whole", (found["id"], found["custody"]) == (lost.id, "ours"))
    text = Path("strongroom.db").read_bytes().lower()
    claim("its key is nowhere in plaintext", lost.key.removeprefix("0x").lower().encode() not in text)


def failures(answers: list[dict[str, Any]]) -> str:
    return "".join(f": {answer['error']}" for answer in answers if "error" in answer)


CLEARED = "DELETE FROM credential_vault_storage WHERE credential_id = ?"
VAULT_RECORD = """INSERT INTO credential_vault_storage
    (id, credential_id, project_id, vault_id, encrypted_private_key, encryption_method, access_level,
     backup_created, created_at, updated_at)
    VALUES (lower(hex(randomblob(16))), ?, ?, ?, ?, ?, 'project_admin', 0, datetime(), datetime())"""
OVERWRITE = "UPDATE credential_vault_storage SET encrypted_private_key = ? WHERE credential_id = ?"


def no_key_in(file: str, *lost: Lost) -> bool:
    text = Path(file).read_bytes().lower()
    return not any(each.key.removeprefix("0x").lower().encode() in text for each in lost)


def vacuum() -> None:
    """What the report of a repair advises: dead rows still hold what was in plaintext."""
    console.print("  [dim]$[/] sqlite3 strongroom.db VACUUM")
    with contextlib.closing(sqlite3.connect("strongroom.db")) as connection:
        connection.execute("VACUUM")


def new_key_of_the_old_application() -> Lost:
    with temporary_vault() as elsewhere:
        wallet, _ = elsewhere.create_wallet(uuid4(), "ethereum")
        key = elsewhere.reveal(wallet, actor="demo", reason="a key to lose").private_key.reveal_text()
    return Lost(str(uuid4()), f"vault_{uuid4()}", wallet.address, wallet.public_key, key)


def import_as(label: str, lost: Lost, project: str) -> Lost:
    """Import a wallet of the legacy application's; returns it under the id that it has now."""
    command = ("wallet", "import", "ethereum", "--project", project, "--label", label, "--private-key-stdin")
    return lost._replace(id=ask_with(lost.key, *command)["wallet"]["id"])


def old_code(what: str, statement: str, values: list[str]) -> str:
    """What the legacy application does: one statement, one commit. Returns the error's text, or nothing."""
    begin = statement.partition("\n")[0].partition(" SET")[0].partition(" WHERE")[0]
    console.print(f"  [dim]old code>[/] {begin} ...     [dim]{what}[/]", soft_wrap=True)
    with contextlib.closing(sqlite3.connect("strongroom.db")) as connection:
        try:
            with connection:
                connection.execute(statement, values)
        except sqlite3.IntegrityError as error:
            console.print(f"  [red]{error}[/]")
            return str(error)
    return ""


def ask_with(secret: str, *arguments: str) -> dict[str, Any]:
    """Run a command in a process of its own that reads a secret from standard input; return its document."""
    console.print(f"  [dim]$[/] strongroom {shlex.join(arguments)} [dim]< key[/]", soft_wrap=True)
    command = [sys.executable, "-m", "strongroom", "--json", *arguments]
    done = subprocess.run(command, input=secret.encode(), capture_output=True, check=False, timeout=30)
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def listed(project: str) -> list[dict[str, Any]]:
    with contextlib.redirect_stdout(answer := io.StringIO()):
        main(["--json", "wallet", "list", "--project", project])
    wallets: list[dict[str, Any]] = json.loads(answer.getvalue())["wallets"]
    return wallets


def rows(name: str, condition: str = "") -> int:
    with contextlib.closing(sqlite3.connect("strongroom.db")) as connection:
        return int(connection.execute(f"SELECT count(*) FROM {name} {condition}").fetchone()[0])


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[2], sys.argv[3:])
    for variable in [name for name in os.environ if name.startswith("STRONGROOM_")]:
        del os.environ[variable]
    with tempfile.TemporaryDirectory(prefix="strongroom-demo-") as directory, contextlib.chdir(directory):
        tell()
