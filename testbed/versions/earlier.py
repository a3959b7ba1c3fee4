"""A process of an earlier version: opens a vault, and runs verbs that it is told, one line each."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path
from types import TracebackType
from typing import Any, Self

WHEELS = Path(__file__).parent
_PROGRAM = """
import json, sys
import strongroom
url, root_key, how = json.loads(sys.stdin.readline())
assert strongroom.__version__ == "0.1.0", strongroom.__file__
def told(value):
    if isinstance(value, tuple):
        return [told(each) for each in value]
    return value.as_dict() if hasattr(value, "as_dict") else str(value)
try:
    vault = strongroom.init(url, root_key=root_key) if how == "init" else strongroom.open(url, root_key=root_key)
except strongroom.StrongroomError as error:
    print(json.dumps({"error": error.code, "class": type(error).__name__}), flush=True)
    sys.exit()
print(json.dumps({"ready": True}), flush=True)
for line in sys.stdin:
    verb, arguments, options = json.loads(line)
    try:
        made = getattr(vault, verb)(*arguments, **options)
        if verb == "rewrap":
            made = len(list(made))
        answer = {"value": told(made)}
    except strongroom.StrongroomError as error:
        answer = {"error": error.code, "class": type(error).__name__}
    except Exception as error:
        answer = {"error": "untyped", "class": type(error).__name__}
    print(json.dumps(answer), flush=True)
"""


def unpacked(folder: Path, version: str = "0.1.0") -> Path:
    """The packages of a version, in a folder that goes before the others."""
    with zipfile.ZipFile(WHEELS / f"strongroom-{version}-py3-none-any.whl") as wheel:
        wheel.extractall(folder)
    return folder


class EarlierVersion:
    """A vault that is open in a process of an earlier version. Ends with its context."""

    def __init__(self, packages: Path, url: str, root_key: str, how: str = "open") -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(packages)!r}); exec({_PROGRAM!r})"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.opened = self._ask([url, root_key, how])

    def call(self, verb: str, *arguments: Any, **options: Any) -> dict[str, Any]:
        """Run one verb: ``{"value": ...}``, or ``{"error": code, "class": name}``."""
        return self._ask([verb, list(arguments), options])

    def made(self, verb: str, *arguments: Any, **options: Any) -> Any:
        """Run one verb that succeeds, and return what it made."""
        answer = self.call(verb, *arguments, **options)
        assert "value" in answer, answer
        return answer["value"]

    def _ask(self, line: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(line) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(timeout=60)
        self._process.stdout.close()
