"""One table of a tampering matrix: columns of tables by kinds of tampering, and how each cell ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

_NONE = "-"


class CellResult(NamedTuple):
    """How one cell ended on one database."""

    deployment: str
    """``table.column``."""
    kind: str
    backend: str
    outcome: str
    """``right``, ``typed``, ``told``, ``rollback``, ``deletion``, or ``refused`` by the database itself."""


def table(results: Iterable[CellResult]) -> Iterator[str]:
    """The lines of the table, as Markdown; a cell that ended in several ways names each."""
    found: dict[str, dict[str, set[str]]] = {}
    kinds: dict[str, None] = {}
    counted: Counter[str] = Counter()
    for each in results:
        kinds.setdefault(each.kind)
        counted[each.outcome] += 1
        found.setdefault(each.deployment, {}).setdefault(each.kind, set()).add(each.outcome)
    lines = [("column", *kinds)]
    lines += [
        (deployment, *(_cell(found[deployment].get(kind, set())) for kind in kinds)) for deployment in sorted(found)
    ]
    widths = [max(len(line[at]) for line in lines) for at in range(len(lines[0]))]
    for number, line in enumerate(lines):
        yield "| " + " | ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)) + " |"
        if number == 0:
            yield "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    yield ""
    yield "Cells: " + ", ".join(f"{number:,} {outcome}" for outcome, number in sorted(counted.items()))


def _cell(outcomes: set[str]) -> str:
    """What a database refused says nothing where another one took it."""
    return "/".join(sorted(outcomes - {"refused"} or outcomes)) or _NONE
