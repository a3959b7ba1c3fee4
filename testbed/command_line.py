"""The command line, run in this process or in one of its own."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from unittest import mock

import typer

from strongroom.cli import app, main

PHRASE = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about"
PHRASE_ADDRESS = "0x9858EfFD232B4033E47d90003D41EC34EcaEda94"
PHRASE_KEY = "1ab42cc412b618bdea3a599e3c9bae199ebf030895b039e9db1e30dafb12b727"
OTHER_KEY = "4646464646464646464646464646464646464646464646464646464646464646"

WALLET_FIELDS = [
    "id",
    "project_id",
    "network",
    "label",
    "address",
    "public_key",
    "vault_id",
    "status",
    "access_level",
    "encryption_method",
    "custody",
    "scheme",
    "path",
    "created_at",
    "durable",
    "proved",
    "phrase_id",
    "phrase_index",
]


@dataclass(frozen=True)
class CommandResult:
    """What one run of the command line left behind."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """Standard output, which must be one JSON document on one line."""
        assert self.out.endswith("\n")
        assert self.out.count("\n") == 1
        document: dict[str, Any] = json.loads(self.out)
        return document


class Terminal(io.TextIOWrapper):
    """Standard input that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def call(*arguments: str, stdin: bytes = b"", terminal: bool = False) -> CommandResult:
    """Run ``strongroom`` in this process, with streams like those of a pipe."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    given = (Terminal if terminal else io.TextIOWrapper)(io.BytesIO(stdin), encoding="utf-8")
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), mock.patch("sys.stdin", given):
        code = main(list(arguments))
    texts = [stream.buffer.getvalue().decode() for stream in (out, err)]
    return CommandResult(code, *texts)


def spawn(*arguments: str, stdin: bytes = b"", **environ: str) -> CommandResult:
    """Run ``python -m strongroom`` in a process of its own."""
    command: Sequence[str] = [sys.executable, "-m", "strongroom", *arguments]
    done = subprocess.run(
        command, input=stdin, capture_output=True, check=False, timeout=60, env={**os.environ, **environ}
    )
    return CommandResult(done.returncode, done.stdout.decode(), done.stderr.decode())


def commands(command: Any = None, name: str = "") -> Iterator[tuple[str, Any]]:
    command = command or typer.main.get_command(app.build())
    if not hasattr(command, "commands"):
        yield name, command
    for part, child in getattr(command, "commands", {}).items():
        yield from commands(child, f"{name} {part}".strip())
