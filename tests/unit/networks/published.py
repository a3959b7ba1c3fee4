"""Published vectors, read from the folder that STRONGROOM_VECTORS names; never part of this repository."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest


def load(folder: str, name: str) -> Any:
    """Return the content of a vector file; the test is reported as not run where the variable is unset."""
    root = os.environ.get("STRONGROOM_VECTORS")
    if not root:
        pytest.skip("STRONGROOM_VECTORS is not set")
    return json.loads((Path(root) / folder / name).read_text(encoding="utf-8"))
