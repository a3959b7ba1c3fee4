"""The chains' own libraries, in the environment that `make attack` makes of requirements/oracles.txt."""

from __future__ import annotations

from pathlib import Path

from testbed.oracles.process import OracleError, OracleProcess

_HERE = Path(__file__).parent / "sdks"
_PROGRAM = Path(__file__).parents[2] / ".venv-oracles" / "bin" / "python"


class ChainSdks(OracleProcess):
    """A process of the other environment. Raises OracleError where that is not there."""

    def __init__(self) -> None:
        if not _PROGRAM.exists():
            raise OracleError("there is no .venv-oracles: `make attack` makes it, `make .venv-oracles/.done` it alone")
        super().__init__([_PROGRAM, "-I", "oracle.py"], _HERE)
