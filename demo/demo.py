"""What strongroom promises, shown and checked on SQLite: `make demo`.

Works in a directory that it throws away. Exits 1 when a claim turns out false. No secret is printed.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NoReturn
from uuid import uuid4

from rich import box
from rich.console import Console
from rich.table import Table

from strongroom.cli import main

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
    console.print(f"  [dim]$[/] strongroom {' '.join(arguments)}", soft_wrap=True)
    answer = io.StringIO()
    with contextlib.redirect_stdout(answer), contextlib.redirect_stderr(io.StringIO()):
        got = main(["--json", *arguments])
    document: dict[str, Any] = json.loads(answer.getvalue())
    if got != code:
        claim(f"the command ends with {code} (it was {got}: {document})", holds=False)
    return document


def show(*arguments: str) -> None:
    """Run a command as people see it."""
    console.print(f"  [dim]$[/] strongroom {' '.join(arguments)}", soft_wrap=True)
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
    console.print(f"  [dim]$[/] strongroom {' '.join(arguments)}     [red]killed {moment}[/]", soft_wrap=True)
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

    chapter(6, "Every wallet, proved")
    proved = ask("verify", "--phrases")
    claim("5 wallets open, derive and equal their rows", (proved["checked"], proved["ok"]) == (5, 5))
    claim(
        "as many credentials as vault records",
        rows("project_credentials") == 5 == rows("credential_vault_storage"),
    )
    show("wallet", "list", "--project", project)
    show("status")
    console.print(f"\n[bold green]All of it held[/], in {time.monotonic() - started:.1f} s.")


def listed(project: str) -> list[dict[str, Any]]:
    with contextlib.redirect_stdout(answer := io.StringIO()):
        main(["--json", "wallet", "list", "--project", project])
    wallets: list[dict[str, Any]] = json.loads(answer.getvalue())["wallets"]
    return wallets


def rows(name: str) -> int:
    with contextlib.closing(sqlite3.connect("strongroom.db")) as connection:
        return int(connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0])


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[2], sys.argv[3:])
    for variable in [name for name in os.environ if name.startswith("STRONGROOM_")]:
        del os.environ[variable]
    with tempfile.TemporaryDirectory(prefix="strongroom-demo-") as directory, contextlib.chdir(directory):
        tell()
