"""A fork waits until nobody is at what a child must not inherit in the middle of being done.

SQLite keeps its own list of the locks that a process holds. A fork copies the list and not the locks: a child that was
forked in the middle of a transaction would believe that it holds them. Python holds a lock for each module that is
being loaded: a child that was forked meanwhile waits for a thread that it does not have.
"""

from __future__ import annotations

import os
import threading
import weakref

_LONGEST_WAIT_SECONDS = 30


class ForkGate:
    """Callers pass side by side; a fork waits for those inside and holds up new ones until it is done."""

    def __init__(self) -> None:
        self._in_child()
        _gates.add(weakref.ref(self, _gates.discard))

    def __enter__(self) -> None:
        """Be inside for the length of a block."""
        with self._lock:
            if self._forks:
                self._changed.wait_for(lambda: self._forks == 0, _LONGEST_WAIT_SECONDS)
            self._inside += 1

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._forks:
                self._changed.notify_all()

    def _before(self) -> None:
        with self._changed:
            self._forks += 1  # counted: the end of one thread's fork must not let sessions into another one's
            self._changed.wait_for(lambda: self._inside == 0, _LONGEST_WAIT_SECONDS)

    def _after(self) -> None:
        with self._changed:
            self._forks -= 1
            self._changed.notify_all()

    def _in_child(self) -> None:
        self._lock = threading.RLock()  # a signal handler may call in the middle of a call
        self._changed = threading.Condition(self._lock)
        self._inside = 0
        self._forks = 0


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
