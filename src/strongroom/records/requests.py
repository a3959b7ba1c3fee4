"""What an idempotency key remembers of a request."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from strongroom import bounded_json


@dataclass(frozen=True, slots=True)
class Request:
    """The public facts of a create or import, as an idempotency key remembers them."""

    operation: str
    network: str
    label: str
    facts: Mapping[str, str]

    def as_json(self) -> str:
        """The canonical form that is stored and compared."""
        return json.dumps(
            {"operation": self.operation, "network": self.network, "label": self.label, **self.facts},
            sort_keys=True,
            separators=(",", ":"),
        )

    def differing_fields(self, stored: str) -> tuple[str, ...]:
        """The names of the facts that differ from a stored request, sorted; all of them where it cannot be read."""
        ours, theirs = json.loads(self.as_json()), _facts_of(stored)
        return tuple(sorted(name for name in {*ours, *theirs} if ours.get(name) != theirs.get(name)))


def asked_for(stored: str) -> tuple[Any, Any]:
    """Network and label of a stored request; None where it cannot be read."""
    facts = _facts_of(stored)
    return facts.get("network"), facts.get("label")


def _facts_of(request: object) -> dict[str, Any]:
    try:
        facts = bounded_json.loads(request) if isinstance(request, str) else None
    except ValueError:
        facts = None
    return facts if isinstance(facts, dict) else {}
