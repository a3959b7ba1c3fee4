"""The four generations of the schema that were found in the field, and what frameworks and teams made of it, as SQL."""

from __future__ import annotations

import re
from pathlib import Path

FILES = {
    "g1": "g1_public_half_only.sql",
    "g2": "g2_vault_without_unique.sql",
    "g3": "g3_vault_with_unique.sql",
    "g4": "g4_trigger.sql",
    **{
        name: f"variants/{name}.sql"
        for name in ("bigint_ids", "enum_columns", "strict_columns", "text_times_and_ids", "other_schema")
    },
}


def schema_sql(generation: str) -> str:
    """The SQL that makes a generation, with psql's includes followed."""
    return _read(Path(__file__).parent / FILES[generation])


def _read(path: Path) -> str:
    return re.sub(
        r"^\\ir (\S+)$", lambda include: _read(path.parent / include[1]), path.read_text(), flags=re.MULTILINE
    )
