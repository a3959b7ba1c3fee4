"""What is to be said about other roles' code around the tables. docs/findings.md says when each is given."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from strongroom.store.catalog.surroundings import Surroundings, superuser_warning
from strongroom.takeover.doctor.findings import Finding

_FEW = 6


def shadow_findings(surroundings: Surroundings) -> Iterator[Finding]:
    """What stands where a better match than PostgreSQL's own would be looked for; one finding a schema."""
    schemas: dict[str, list[str]] = {}
    for schema, what, owner in surroundings.shadows:
        schemas.setdefault(schema, []).append(f"{what} of {owner}")
    for schema, found in schemas.items():
        yield _finding(
            "shadows-built-in",
            None,
            f"In the schema {schema} stand {_listed(found)}: who names no schema may run that instead of what "
            "is meant. strongroom names them.",
        )


def notes(surroundings: Surroundings) -> Iterator[Finding]:
    """What is as it may be, and should be known: none of it makes a database unhealthy."""
    for schema, roles in surroundings.creators:
        yield _finding(
            "others-may-create",
            None,
            f"In the schema {schema} others may CREATE what names are looked up as: {_listed(roles)}.",
        )
    for code in surroundings.code:
        runs = f" runs {code.function}" if code.function else ""
        yield _finding(
            "foreign-code",
            code.table,
            f"{code.what}{runs}, as the role that uses the table; {code.owner} may change it.",
        )
    if surroundings.superuser and surroundings.role is not None:
        yield _finding("runs-as-superuser", None, superuser_warning(surroundings.role))


def _finding(code: str, table: str | None, evidence: str) -> Finding:
    return Finding(code, table, None, None, evidence, "ask", automatic=False)


def _listed(names: Iterable[str]) -> str:
    every = list(names)
    more = f" and {len(every) - _FEW} more" if len(every) > _FEW else ""
    return ", ".join(every[:_FEW]) + more
