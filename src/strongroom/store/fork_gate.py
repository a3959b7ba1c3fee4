"""A fork waits until no session of this process is at a SQLite database.

SQLite keeps its own list of the locks that a process holds. A fork copies the list and not the locks: a child that was
forked in the middle of a transaction would believe that it holds them.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager

_LONGEST_WAIT_SECONDS = 30


class ForkGate:
    """Sessions pass side by side; a fork waits for those inside and holds up new ones until it is done."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._inside = 0
        self._forking = False
        _gates.add(weakref.ref(self, _gates.discard))

    @contextmanager
    def passing(self) -> Iterator[None]:
        """Be inside for the length of a block."""
        with self._changed:
            self._changed.wait_for(lambda: not self._forking, _LONGEST_WAIT_SECONDS)
            self._inside += 1
        try:
            yield
        finally:
            with self._changed:
                self._inside -= 1
                self._changed.notify_all()

    def _before(self) -> None:
        with self._changed:
            self._forking = True
            self._changed.wait_for(lambda: self._inside == 0, _LONGEST_WAIT_SECONDS)

    def _after(self) -> None:
        with self._changed:
            self._forking = False
            self._changed.notify_all()

    def _in_child(self) -> None:
        self._changed = threading.Condition()
        self._inside = 0
        self._forking = False


_gates: set[weakref.ref[ForkGate]] = set()


def _call(name: str) -> None:
    for gate in tuple(_gates):
        alive = gate()
        if alive is not None:
            getattr(alive, name)()


if hasattr(os, "register_at_fork"):  # once: what is registered here is never forgotten
    os.register_at_fork(
        before=lambda: _call("_before"),
        after_in_parent=lambda: _call("_after"),
        after_in_child=lambda: _call("_in_child"),
    )
