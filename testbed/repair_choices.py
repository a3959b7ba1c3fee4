"""What a person does with a plan of repair."""

from __future__ import annotations

import json
from pathlib import Path


def choose_all(plan: Path) -> None:
    """Choose everything that a plan leaves to a person: there is something."""
    document = json.loads(plan.read_text())
    assert document["choices"]
    for choice in document["choices"]:
        choice["chosen"] = True
    plan.write_text(json.dumps(document))
