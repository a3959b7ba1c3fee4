"""What the numbers were measured on."""

from __future__ import annotations

import os
import platform
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench.backends import Backend

_LIBRARIES = ("cryptography", "wallycore", "SQLAlchemy", "psycopg", "eth-account", "coincurve")


def facts(backends: Sequence[Backend]) -> dict[str, Any]:
    """Processor, versions, load, and how long the disk takes to be sure."""
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "load": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "postgresql": next((_server_version(backend.server) for backend in backends if backend.server), None),
        "fsync_ms": round(_fsync_seconds() * 1e3, 3),
        "libraries": {name: version(name) for name in _LIBRARIES},
    }


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


def _server_version(server: str) -> str:
    import psycopg

    with psycopg.connect(server) as connection:
        return str(connection.info.parameter_status("server_version"))


def _fsync_seconds() -> float:
    taken = []
    with tempfile.TemporaryFile() as file:
        for _ in range(20):
            file.write(bytes(4096))
            file.flush()
            start = time.perf_counter()
            os.fsync(file.fileno())
            taken.append(time.perf_counter() - start)
    return statistics.median(taken)
