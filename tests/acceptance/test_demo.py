"""The demo claims what is true: `make demo` runs to its end."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

DEMO = Path(__file__).parents[2] / "demo" / "demo.py"


def test_every_claim_of_the_demo_holds() -> None:
    environment = {**os.environ, "COLUMNS": "120"}
    done = subprocess.run([sys.executable, DEMO], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "NOT TRUE" not in done.stdout
    assert "All of it held" in done.stdout
