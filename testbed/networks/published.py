"""Published vectors, read from the folder that STRONGROOM_VECTORS names; never part of this repository."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any


def load(folder: str, name: str) -> Any:
    """Return the content of a vector file; a test that asks is marked ``usefixtures("vectors")``."""
    return json.loads((Path(os.environ["STRONGROOM_VECTORS"]) / folder / name).read_text(encoding="utf-8"))
