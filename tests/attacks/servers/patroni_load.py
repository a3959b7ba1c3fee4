"""Processes that write to a cluster all the time, by two ways: through the pooler, and by a URL with all members."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

DATABASE = "vault"
"""The vault that they write to."""
WAYS = ("through the pooler", "by several hosts")
_PROCESSES_OF_EACH_WAY = 2
_PATIENCE_SECONDS = 240.0
_ACKNOWLEDGED = ("wallet", "signature")


class ClientProcess:
    """One of the processes, and the file that it prints to."""

    def __init__(self, way: str, number: int, url: str, root_key: str, shared: str, folder: Path) -> None:
        self.way = way
        self.path = folder / f"client-{number}"
        command = [sys.executable, "-m", "tests.attacks.servers.patroni_client", str(number), url, root_key, shared]
        self.errors = self.path.with_suffix(".errors")
        with self.path.open("wb") as told, self.errors.open("wb") as errors:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=told, stderr=errors)
        self.lines: list[dict[str, Any]] = []
        self._read_bytes = 0

    def read(self) -> None:
        """Take in what it has printed since."""
        with self.path.open("rb") as told:
            told.seek(self._read_bytes)
            whole, newline, _ = told.read().rpartition(b"\n")
        self._read_bytes += len(whole) + len(newline)
        self.lines += map(json.loads, whole.splitlines())
        assert self.process.poll() in (None, 0), self.errors.read_text(encoding="utf-8")[-3000:]

    def acknowledged(self) -> Iterator[dict[str, Any]]:
        """What it was told had happened."""
        return (line for line in self.lines if line["kind"] in _ACKNOWLEDGED)

    def end(self) -> None:
        """Let it finish what it is at, and wait."""
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):
            self.process.stdin.close()
        try:
            self.process.wait(_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class PatroniLoad:
    """The processes; they end when it is left, after the calls that they are at were answered."""

    def __init__(self, urls: Sequence[str], root_key: str, shared: str, folder: Path) -> None:
        self.clients = [
            ClientProcess(WAYS[way], way * _PROCESSES_OF_EACH_WAY + number + 1, url, root_key, shared, folder)
            for way, url in enumerate(urls)
            for number in range(_PROCESSES_OF_EACH_WAY)
        ]

    def __enter__(self) -> Self:
        self.wait_for_answers(time.monotonic())
        return self

    def __exit__(self, *_: object) -> None:
        for client in self.clients:
            client.end()
        for client in self.clients:
            client.read()

    def wait_for_answers(self, since: float, rounds: int = 2) -> None:
        """Wait until every process was told of a few more operations."""
        give_up = time.monotonic() + _PATIENCE_SECONDS
        while True:
            for client in self.clients:
                client.read()
            if all(sum(line["at"] > since for line in client.acknowledged()) >= rounds for client in self.clients):
                return
            errors = Counter(line.get("code") for client in self.clients for line in client.lines if line["at"] > since)
            assert time.monotonic() < give_up, f"the clients do not come on: {errors}"
            time.sleep(0.1)

    def outage(self, way: str, since: float, until: float) -> float:
        """The longest time in which no process of a way was told anything, of those that touch an interval."""
        clients = [client for client in self.clients if client.way == way]
        times: list[float] = sorted(line["at"] for client in clients for line in client.acknowledged())
        gaps = [after - before for before, after in pairwise(times) if after > since and before < until]
        return max(gaps)

    def lines(self, kind: str) -> Iterator[dict[str, Any]]:
        """All lines of a kind."""
        return (line for client in self.clients for line in client.lines if line["kind"] == kind)
