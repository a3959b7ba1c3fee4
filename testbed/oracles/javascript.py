"""Oracles in JavaScript: installed from their lock file when a test first asks, then one process for the session.

Where they cannot be installed the tests that ask fail: a second opinion that is left out in silence is none.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from testbed.oracles.process import OracleError, OracleProcess
from testbed.servers import node

_HERE = Path(__file__).parent
_INSTALL_SECONDS = 300


class JavaScriptOracle(OracleProcess):
    """A process of node that answers requests, a line each."""

    def __init__(self, folder: Path) -> None:
        super().__init__([node.program(), "oracle.mjs"], folder)


def installed(name: str, cache: Path | None = None) -> Path:
    """Install the oracle of a folder next to this file, unless it is there, and return where.

    It goes below the virtual environment, under a name that its files' digest is part of; several processes may do
    so at once, and the first one wins. No script of a package is run.
    """
    source = _HERE / name
    files = sorted(source.glob("*.json")) + sorted(source.glob("*.mjs"))
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]
    folder = (cache or _cache()) / f"{name}-{digest}"
    if folder.exists():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        work = Path(temporary) / name
        work.mkdir()
        for file in files:
            shutil.copy(file, work)
        _npm_ci(work)
        try:
            work.rename(folder)
        except OSError:
            if not folder.exists():
                raise
    return folder


def _npm_ci(folder: Path) -> None:
    command = node.npm("ci", "--ignore-scripts", "--no-audit", "--no-fund")
    try:
        done = subprocess.run(
            command, cwd=folder, env=node.environment(), capture_output=True, text=True, timeout=_INSTALL_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise OracleError(f"node and npm cannot install {folder.name}: {error}") from error
    if done.returncode != 0:
        raise OracleError(f"npm ci failed for {folder.name}: {done.stderr[-2000:]}")


def _cache() -> Path:
    """Below the virtual environment that runs the tests; without one, or a read-only one, a folder of the user's."""
    if sys.prefix != sys.base_prefix and os.access(sys.prefix, os.W_OK):
        return Path(sys.prefix) / "oracles"
    return Path.home() / ".cache" / "strongroom-oracles"
