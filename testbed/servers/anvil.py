"""A real node of Ethereum for tests: anvil, whose binary comes in an npm package that a lock file pins.

It is installed once into a cache folder; that takes npm and the network, and afterwards neither.
"""

from __future__ import annotations

import atexit
import fcntl
import hashlib
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Self

from testbed.servers import node

_LAUNCHER = Path(__file__).with_name("launch.py")
_MANIFESTS = tuple(Path(__file__).with_name("anvil") / name for name in ("package.json", "package-lock.json"))
_BINARY = Path("node_modules", "@foundry-rs", "anvil-linux-amd64", "bin", "anvil")
_LISTENING = re.compile(r"Listening on (127\.0\.0\.1:[0-9]+)")
_TIMEOUT_SECONDS = 60.0
_INSTALL_TIMEOUT_SECONDS = 300.0


class AnvilServer:
    """An anvil of our own on a free port of the loopback interface; every transaction is mined at once.

    On Linux it stops with the thread that started it, by whatever means that ends: start it from the main thread.
    Only processes started here are ever ended.
    """

    def __init__(self, chain_id: int, log: Path) -> None:
        self.chain_id = chain_id
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self.url = ""
        """``http://127.0.0.1:PORT``."""

    @classmethod
    def start(cls, chain_id: int = 1) -> Self:
        """Install anvil where it is not yet, and start a new chain with that id."""
        binary = install()
        handle, log = tempfile.mkstemp(prefix="strongroom-anvil-", suffix=".log")
        os.close(handle)
        server = cls(chain_id, Path(log))
        try:
            server._launch(binary)
        except BaseException:
            server.close()
            raise
        atexit.register(server.close)
        return server

    @property
    def running(self) -> bool:
        """Whether it is alive."""
        return self._process is not None and self._process.poll() is None

    def read_log(self) -> str:
        """What it has printed so far."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def close(self) -> None:
        """End it; closing twice is harmless."""
        atexit.unregister(self.close)
        if self._process is not None and self.running:
            self._process.kill()
            self._process.wait(timeout=_TIMEOUT_SECONDS)
        self._log.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _launch(self, binary: Path) -> None:
        options = ["--host", "127.0.0.1", "--port", "0", "--chain-id", str(self.chain_id), "--accounts", "1"]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-I",
                    "-S",
                    _LAUNCHER,
                    "",
                    str(int(signal.SIGKILL)),
                    binary,
                    *options,
                    "--threads",
                    "1",
                ],
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + _TIMEOUT_SECONDS
        while (found := _LISTENING.search(self.read_log())) is None:
            if not self.running or time.monotonic() > deadline:
                raise RuntimeError(f"anvil did not start: {self.read_log()[-2000:]}")
            time.sleep(0.01)
        self.url = f"http://{found[1]}"


def install() -> Path:
    """Return the path of anvil's binary, after installing it where it is not there yet."""
    if sys.platform != "linux" or platform.machine() != "x86_64":
        found = shutil.which("anvil")
        if found is None:
            raise RuntimeError("anvil is pinned for Linux on x86-64; elsewhere install Foundry, so that PATH has anvil")
        return Path(found)
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "strongroom-tests"
    pinned = hashlib.sha256(b"".join(each.read_bytes() for each in _MANIFESTS)).hexdigest()[:16]
    home = cache / f"anvil-{pinned}"
    if not (home / _BINARY).exists():
        cache.mkdir(parents=True, exist_ok=True)
        with (cache / "anvil.lock").open("w") as lock:  # of several workers one installs
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (home / _BINARY).exists():
                _npm_ci(home)
    return home / _BINARY


def _npm_ci(home: Path) -> None:
    """Install what the lock file names, by its hash, in a folder that appears when it is whole."""
    with tempfile.TemporaryDirectory(prefix="anvil-", dir=home.parent) as folder:
        for manifest in _MANIFESTS:
            shutil.copy(manifest, folder)
        done = subprocess.run(
            node.npm("ci", "--ignore-scripts", "--no-audit", "--no-fund"),
            cwd=folder,
            env=node.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_INSTALL_TIMEOUT_SECONDS,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"npm ci failed: {done.stderr.decode(errors='replace')[-2000:]}")
        made = Path(folder) / "whole"
        made.mkdir()
        (Path(folder) / "node_modules").rename(made / "node_modules")
        shutil.rmtree(home, ignore_errors=True)
        made.rename(home)
