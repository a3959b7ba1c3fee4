"""Proof that floor and strongroom did the same: equal rows, and sealed texts that strongroom opens."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from bench.backends import Installation
from bench.registering import register_all
from strongroom.store import schema

_TABLES = (
    schema.strongroom_slot,
    schema.project_credentials,
    schema.credential_vault_storage,
    schema.credential_usage_logs,
)


@dataclass(frozen=True, slots=True)
class Proof:
    """One thing that must hold for a comparison to be fair, and whether it did."""

    text: str
    database: str
    holds: bool

    def as_dict(self) -> dict[str, Any]:
        """The proof as JSON-ready values."""
        return asdict(self)


def prove_equal(what: str, floor: Installation, ours: Installation, expected: int) -> list[Proof]:
    """Compare the rows of two databases, and verify every wallet of both."""
    counts = [_counts(installation) for installation in (floor, ours)]
    shapes = [_shapes(installation) for installation in (floor, ours)]
    register_all(floor)
    return [
        Proof(
            f"{what}: {expected} rows in each of {len(_TABLES)} tables, by floor and strongroom",
            floor.kind,
            counts == [[expected] * len(_TABLES)] * 2,
        ),
        Proof(f"{what}: the same columns are filled, with equal constants", floor.kind, shapes[0] == shapes[1]),
        prove_opens(f"{what}: strongroom verifies what the floor wrote", floor, expected),
        prove_opens(f"{what}: strongroom verifies what it wrote", ours, expected),
    ]


def prove_opens(text: str, installation: Installation, expected: int) -> Proof:
    """Every wallet opens, and derives what its row says."""
    results = list(installation.vault.verify())
    return Proof(text, installation.kind, len(results) == expected and all(result.ok for result in results))


def _counts(installation: Installation) -> list[int]:
    bare = installation.bare()
    return [int(bare.run(f"SELECT count(*) FROM {table.name}")[0][0]) for table in _TABLES]


_CONSTANT = frozenset(
    {
        *("network", "label", "version", "credential_type", "status", "is_active", "vault_stored", "metadata"),
        *("encryption_method", "access_level", "backup_created", "action_type", "action_details", "schema_version"),
    }
)
"""Columns that hold the same in every row of one comparison."""


def _shapes(installation: Installation) -> list[list[tuple[Any, ...]]]:
    """Of each table the different rows: the constants themselves, of other columns whether they are NULL."""
    bare = installation.bare()
    return [
        bare.run(
            "SELECT DISTINCT "
            + ", ".join(column.name if column.name in _CONSTANT else f"{column.name} IS NULL" for column in table.c)
            + f" FROM {table.name}"
        )
        for table in _TABLES
    ]
