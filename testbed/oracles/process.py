"""An oracle in a process of its own, which answers one JSON request a line with one JSON line."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self


class OracleError(Exception):
    """The oracle cannot be installed, died, or refused a request."""


class OracleProcess:
    """Started at once; ended with the block."""

    def __init__(self, command: Sequence[Path | str], folder: Path) -> None:
        self._process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(timeout=30)
        self._process.stdout.close()

    def ask(self, operation: str, **request: Any) -> Any:
        """Return the result of an operation. Raises OracleError where the oracle refuses."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"operation": operation, **request}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise OracleError("the oracle died")
        answer = json.loads(line)
        if "error" in answer:
            raise OracleError(answer["error"])
        return answer["result"]
