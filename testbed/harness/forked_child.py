"""A child that is forked from the process of a test."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

LONGEST_SECONDS = 30
"""What a child gets before the system ends it: one that hangs must not stay."""


def in_child(work: Callable[[], object]) -> int:
    """Fork, run the work in the child, and return its exit status: 0 where it came to its end."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(LONGEST_SECONDS)
            work()
            status = 0
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
