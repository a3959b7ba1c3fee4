"""What a process can do so that its memory is not written down by accident. The command line does; applications may."""

from __future__ import annotations

import sys
from contextlib import suppress

_PR_SET_DUMPABLE = 4


def harden_process() -> tuple[str, ...]:
    """Keep this process from writing its memory to disk when it crashes, and others of its user from attaching to it.

    Sets the limit of core dumps to 0 (soft and hard; child processes inherit it), and on Linux marks the process as not
    dumpable (``prctl``): no core dump then goes to a crash handler either, no other process of the same user can attach
    a debugger or read ``/proc/PID/mem`` and ``environ``, and crash reporters and profilers that do so stop working.
    Root still can. An ``exec`` ends the latter. Call it early, before keys are in memory. It may be called again.

    Returns what is in force now, of ``core-limit`` and ``not-dumpable``. Raises nothing: what a platform does not have,
    or a sandbox forbids, is left out.
    """
    return tuple(name for name, done in (("core-limit", _limit_cores()), ("not-dumpable", _forbid_dumps())) if done)


def _limit_cores() -> bool:
    with suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        return True
    return False


def _forbid_dumps() -> bool:
    if not sys.platform.startswith("linux"):
        return False
    with suppress(ImportError, OSError, AttributeError):
        import ctypes

        return bool(ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) == 0)
    return False
