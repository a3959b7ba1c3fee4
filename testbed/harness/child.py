"""What a child process of the fork server calls: ``arm()`` when the interesting part begins, ``emit()`` to print.

A child is a function at the top of an importable module, with arguments that JSON can carry::

    def create_one(url: str, root_key: str, project: str) -> None:
        vault = strongroom.open(url, root_key=root_key)
        arm()
        wallet, created = vault.create_wallet(project, "ethereum")
        emit({"id": str(wallet.id), "address": wallet.address})
"""

from __future__ import annotations

import json
import mmap
import os
import select
import struct
import sys
import threading
import time
from collections.abc import Callable
from enum import IntEnum
from typing import Any

_LONGEST_SECONDS = 120.0

STOPPED = 97
"""The exit status of a child that was stopped at a statement boundary."""
_NAME_LENGTH = 200


class Phase(IntEnum):
    """How far a child has come since it armed itself."""

    BEFORE = 0
    """No statement yet."""
    BEGUN = 1
    """The first statement has begun."""
    COMMITTED = 2
    """A commit of something written has returned."""
    PRINTED = 3
    """The result is out."""


class Board:
    """A page of memory that parent and child share: the phase, and when each was reached; and a bell.

    The bell is a pipe that only the child holds the other end of. Who waits at it sleeps, and is woken at once: one
    who looked again and again would take the processor from the child that it waits for.
    """

    def __init__(self) -> None:
        self._page = mmap.mmap(-1, mmap.PAGESIZE)
        self._hears, self._rings = os.pipe()

    def leave_to_child(self) -> None:
        """Called by the parent after the fork."""
        os.close(self._rings)

    def await_phase(self, phase: Phase, seconds: float) -> bool:
        """Wait until the child has reached a phase, or has ended; False if it takes longer than told."""
        return self._await(lambda: self.phase >= phase, seconds)

    def await_end(self, seconds: float) -> bool:
        """Wait until the child has ended; False if it takes longer than told."""
        return self._await(lambda: False, seconds)

    def close(self) -> None:
        """Called by the parent after the child's end."""
        os.close(self._hears)

    @property
    def phase(self) -> Phase:
        """The phase reached last."""
        return Phase(self._page[0])

    def advance(self, phase: Phase) -> None:
        """Reach a phase; the time is written first, so that a phase read always has its time."""
        struct.pack_into("q", self._page, 8 + 8 * phase, time.monotonic_ns())
        if self._page[0] != phase:
            self._page[0] = phase
            os.write(self._rings, b".")

    def reached_ns(self, phase: Phase) -> int:
        """When the phase was reached, on the monotonic clock; 0: never."""
        return int(struct.unpack_from("q", self._page, 8 + 8 * phase)[0])

    def _await(self, condition: Callable[[], bool], seconds: float) -> bool:
        give_up = time.monotonic() + seconds
        while not condition():
            ready, _, _ = select.select([self._hears], [], [], max(0.0, give_up - time.monotonic()))
            if not ready:
                return False
            if not os.read(self._hears, 64):
                return True
        return True


class Gate:
    """Where the children of a race wait until all have come."""

    def __init__(self) -> None:
        self._page = mmap.mmap(-1, mmap.PAGESIZE)

    def arrive(self, index: int) -> None:
        """Called by child ``index``: wait until the gate opens."""
        self._page[1 + index] = 1
        give_up = time.monotonic() + _LONGEST_SECONDS
        while not self._page[0]:
            if time.monotonic() > give_up:
                raise TimeoutError("the gate does not open")
            time.sleep(0.0002)

    def arrived(self, index: int) -> bool:
        """Whether child ``index`` is there."""
        return bool(self._page[1 + index])

    def open(self) -> None:
        """Let all go."""
        self._page[0] = 1


class Stopper:
    """The observer in a child: counts statement boundaries, stops at one, keeps the board."""

    def __init__(self, board: Board, records_fd: int, stop_at: int | None, gate: Gate, index: int) -> None:
        self.gate, self.index = gate, index
        self._board, self._records_fd, self._stop_at = board, records_fd, stop_at
        self._armed = False
        self._names: list[str] = []
        self._lock = threading.Lock()

    def before(self, statement: str) -> None:
        """Called by the drivers."""
        if self._armed:
            if self._board.phase is Phase.BEFORE:
                self._board.advance(Phase.BEGUN)
            self._boundary(f"before {statement}")

    def after(self, statement: str, committed: bool) -> None:
        """Called by the drivers."""
        if self._armed:
            if committed and self._board.phase < Phase.COMMITTED:
                self._board.advance(Phase.COMMITTED)
            self._boundary(f"after {statement}")

    def arm(self) -> None:
        """Count from here."""
        self._names.clear()
        self._board.advance(Phase.BEFORE)
        self._armed = True

    def emit(self, line: dict[str, Any]) -> None:
        """Print a line in one system call, and reach the last phase."""
        self._write({"line": line})
        self._board.advance(Phase.PRINTED)

    def report(self) -> None:
        """Leave what was counted where the fork server reads it."""
        names = [" ".join(name.split())[:_NAME_LENGTH] for name in self._names]
        self._write({"armed": self._armed, "names": names})

    def _boundary(self, name: str) -> None:
        with self._lock:
            self._names.append(name)
            if len(self._names) == self._stop_at:
                self.report()
                os._exit(STOPPED)

    def _write(self, record: dict[str, Any]) -> None:
        os.write(self._records_fd, json.dumps(record).encode() + b"\n")


current: Stopper | None = None
"""Set by the fork server in each child."""


def arm() -> None:
    """Begin to count statements: what came before (opening, connecting) does not matter."""
    if current is not None:
        current.arm()


def emit(line: dict[str, Any]) -> None:
    """Print a result, unbuffered. Outside of a fork server it goes to standard output."""
    if current is not None:
        current.emit(line)
    else:
        sys.stdout.write(json.dumps(line) + "\n")


def gate() -> None:
    """Wait until all children of the race have come here."""
    if current is not None:
        current.gate.arrive(current.index)
