"""What a forked child must not inherit from its parent's other threads: locks that they hold, places in a queue."""

from __future__ import annotations

import os
import weakref
from typing import Protocol


class HasThreads(Protocol):
    """An object whose locks and counters are shared by the threads of one process."""

    def forget_other_threads(self) -> None:
        """Called in a forked child, whose only thread is the one that forked: make locks and counters anew."""


_known: set[weakref.ref[HasThreads]] = set()


def forget_in_child(shared: HasThreads) -> None:
    """Let a thing be told in every child that is forked while it is alive."""
    _known.add(weakref.ref(shared, _known.discard))


def _tell() -> None:
    for reference in tuple(_known):
        shared = reference()
        if shared is not None:
            shared.forget_other_threads()


if hasattr(os, "register_at_fork"):  # once: what is registered here is never forgotten
    os.register_at_fork(after_in_child=_tell)
