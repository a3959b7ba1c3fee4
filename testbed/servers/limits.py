"""Bound how large the files may become that another process writes: beyond, it is told EFBIG, as of a disk that fails.

Root without CAP_SYS_RESOURCE may do this to its own processes only, and a server of ours runs as somebody else: so a
process of that user does it. ``python -I -S limits.py USER PID BYTES`` is that process; -1 lifts the bound.
"""

from __future__ import annotations

import resource
import runpy
import subprocess
import sys
from pathlib import Path

_LAUNCHER = Path(__file__).with_name("launch.py")


def bound_files(pid: int, size_bytes: int | None, user: str | None) -> None:
    """Bound the files of a user's process, or with None lift the bound."""
    size = resource.RLIM_INFINITY if size_bytes is None else size_bytes
    command = [sys.executable, "-I", "-S", __file__, user or "", str(pid), str(size)]
    subprocess.run(command, check=True, capture_output=True)


def _main(user: str, pid: str, size_bytes: str) -> None:
    runpy.run_path(str(_LAUNCHER))["become"](user)
    _, hard = resource.prlimit(int(pid), resource.RLIMIT_FSIZE)
    resource.prlimit(int(pid), resource.RLIMIT_FSIZE, (int(size_bytes), hard))


if __name__ == "__main__":
    _main(*sys.argv[1:])
