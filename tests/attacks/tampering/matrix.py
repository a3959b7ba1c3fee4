"""The tampering matrix: every column of every table times every kind of tampering.

A cell changes one column of one row (kinds that end in "tag" its tag as well), asks the verbs, and ends as the worst
of what they answered. matrix_documented.py has what is neither right nor a typed error.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from zlib import crc32

from testbed.harness.sizes import seeded
from tests.attacks.tampering.matrix_backend import BACKENDS, MatrixBackend, Row, Statement, Table

GARBAGE: Mapping[str, Sequence[object]] = {
    "empty": ("",),
    "other type": (b"\xff\xfe", 2**62, "[1e400]", -1, "infinity"),
    "huge": ("A" * 1_000_000, "[" * 100_000),
    "escapes": ("\x1b]0;x\x07\x1b[2Jx\u202e", "'; DROP TABLE strongroom_slot; --"),
}
KINDS = ("another row's", "another project's", "older", "of a retired key", "NULL", *GARBAGE, "no tag", "another tag")
ROW_KINDS = ("older", "of a retired key", "deleted", "another project's")
_OLDER = ("older", "of a retired key")
WHOLE_ROW = "(the whole row)"
STAGES = (("read", "kept open", "transactions"), ("repeat", "change", "again"), ("retire", "again"))
"""What is asked of a cell, the rows tampered with anew for each; a short run asks for one part."""
OPERATED = ("operate", "again")
"""What is asked of some cells more: doctor and repair look at everything, which takes a while."""
EVERY = 5
"""Of how many cells one is operated on."""
PARTS = ("read", "kept open", "transactions", "repeat", "change", "retire")
_TARGETS = ("one", "revoked", "replaced", "hot", "other")
_STATES = ("status", "is_active", "revoked_at", "access_level")
_PROTECTED = ("project_credentials", "credential_vault_storage")
"""Tables whose tag is in the register."""
_FIRST_MIGRATIONS = ("0001", "0002")


class Cell(NamedTuple):
    """One change of one row."""

    table: str
    column: str
    kind: str
    target: str
    """The name of the wallet whose row it is, or the row's number."""
    statements: tuple[Statement, ...]

    @property
    def deployment(self) -> str:
        """The row of the printed table."""
        return f"{self.table}.{self.column}"

    def __str__(self) -> str:
        return f"{self.deployment}, {self.kind}, of {self.target}"


def cells(backend: MatrixBackend) -> Iterator[Cell]:
    """Every cell of a backend, in the order of the catalogue."""
    for table in backend.tables.values():
        for column in table.columns:
            for kind in KINDS:
                for row in _targets(backend, table, column, kind):
                    yield from _column_cells(backend, table, column, kind, row)
        for kind in ROW_KINDS:
            for row in _some(backend, table):
                yield from _row_cells(backend, table, kind, row)


def chosen(backend: MatrixBackend, *, kinds: bool) -> Iterator[tuple[list[Cell], str]]:
    """Of each column its cells in an order by the seed of the run, and one part of the verbs.

    ``kinds``: also those of each column and kind whose turn it is on this backend, so that all are tried on one.
    """
    by_place: dict[str, list[Cell]] = {}
    by_kind: dict[str, list[Cell]] = {}
    turn = BACKENDS.index(backend.deployment.backend)
    for cell in cells(backend):
        by_place.setdefault(cell.deployment, []).append(cell)
        name = f"{cell.deployment}, {cell.kind}"
        if kinds and crc32(name.encode()) % len(BACKENDS) == turn:
            by_kind.setdefault(name, []).append(cell)
    rng = seeded(f"matrix {backend.deployment.backend}")
    for number, found in enumerate((*by_place.values(), *by_kind.values())):
        rng.shuffle(found)
        yield found, PARTS[number % len(PARTS)]


def _targets(backend: MatrixBackend, table: Table, column: str, kind: str) -> list[Row]:
    """The rows that are changed: of each state where the column is one, else one that the seed chooses."""
    rows = _some(backend, table)
    if len(rows) < 2 or column in _STATES:
        return rows
    rng = seeded(f"{table.name}.{column} {kind}")
    fitting = [row for row in rows if _values(backend, table, column, kind, row)]
    return [rng.choice(fitting)] if fitting else []


def _some(backend: MatrixBackend, table: Table) -> list[Row]:
    """A row of each wallet that is tampered with: the newest one, and where it changed, that one."""
    by_name: dict[str, Row] = {}
    for row in table.rows:
        name = backend.name_of(row)
        if name in _TARGETS and (name not in by_name or _older(table, row, "older") is not None):
            by_name[str(name)] = row
    if by_name:
        return [by_name[name] for name in _TARGETS if name in by_name]
    return list(table.rows)


def _older(table: Table, row: Row, kind: str) -> Row | None:
    """The same row before the last changes, or before those and a new sealing key, where it was another one."""
    key = [row[column] for column in table.key]
    before = table.older if kind == "older" else table.oldest
    found = next((each for each in before if [each[column] for column in table.key] == key), None)
    return None if found is None or found == row else found


def _column_cells(backend: MatrixBackend, table: Table, column: str, kind: str, row: Row) -> Iterator[Cell]:
    target = backend.name_of(row) or f"row {list(table.rows).index(dict(row))}"
    for values, more in _values(backend, table, column, kind, row):
        yield Cell(table.name, column, kind, target, (backend.update(table.name, row, values), *more))


def _row_cells(backend: MatrixBackend, table: Table, kind: str, row: Row) -> Iterator[Cell]:
    target = backend.name_of(row) or f"row {list(table.rows).index(dict(row))}"
    if kind == "deleted":
        yield Cell(table.name, WHOLE_ROW, kind, target, (backend.delete(table.name, row),))
        return
    found = _older(table, row, kind) if kind in _OLDER else _other(backend, table, row, own=False)
    if found is not None:
        values = {name: value for name, value in found.items() if kind in _OLDER or name not in ("id", "kid", "state")}
        kept = {name for name in table.key if kind not in _OLDER} | ({"credential_id"} if "tag" not in row else set())
        values = {name: value for name, value in values.items() if name not in kept}
        yield Cell(table.name, WHOLE_ROW, kind, target, (backend.update(table.name, row, values),))


def _values(
    backend: MatrixBackend, table: Table, column: str, kind: str, row: Row
) -> list[tuple[dict[str, object], tuple[Statement, ...]]]:
    """The new values of a row, with further statements; none where a kind makes no sense of the column."""
    if kind in GARBAGE:
        rng = seeded(f"{table.name}.{column} {kind} {backend.deployment.backend}")
        return [({column: rng.choice(GARBAGE[kind])}, ())]
    if kind == "NULL":
        return [({column: None}, ())] if row[column] is not None else []
    if kind in _OLDER:
        before = _older(table, row, kind)
        if table.name == "strongroom_migrations":
            return [({column: version}, ()) for version in _FIRST_MIGRATIONS]
        return [] if before is None or before[column] == row[column] else [({column: before[column]}, ())]
    value = _other(backend, table, row, own=kind == "another row's", column=column)
    if kind in ("no tag", "another tag"):
        return _with_tag(backend, table, column, kind, row)
    return [] if value is None else [({column: value[column]}, ())]


def _with_tag(
    backend: MatrixBackend, table: Table, column: str, kind: str, row: Row
) -> list[tuple[dict[str, object], tuple[Statement, ...]]]:
    """Another value, the tag that would tell being removed or another row's."""
    other = _other(backend, table, row, own=True, column=column) or _other(
        backend, table, row, own=False, column=column
    )
    if other is None:
        return []
    if table.name in _PROTECTED:
        register = backend.tables["strongroom_wallet"]
        (record,) = (each for each in register.rows if backend.name_of(each) == backend.name_of(row))
        if kind == "no tag":
            return [({column: other[column]}, (backend.delete(register.name, record),))]
        stranger = next(each for each in register.rows if each["tag"] != record["tag"])
        tag = {"kid": stranger["kid"], "tag": stranger["tag"]}
        return [({column: other[column]}, (backend.update(register.name, record, tag),))]
    if "tag" not in row or column in ("kid", "tag"):
        return []
    tag = {"tag": None} if kind == "no tag" else {"kid": other["kid"], "tag": other["tag"]}
    return [({column: other[column], **tag}, ())]


def _other(
    backend: MatrixBackend, table: Table, row: Row, *, own: bool, column: str | None = None
) -> dict[str, Any] | None:
    """A row of the same project, or of another one, that differs; one that belongs to no project counts as the own."""
    project = backend.project_of(row)
    for each in table.rows:
        differs = each != row if column is None else each[column] != row[column] and each[column] is not None
        if differs and (backend.project_of(each) == project) is own:
            return each
    return None
