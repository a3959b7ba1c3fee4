"""What a role lacks, in words: the table and what the statement does with it."""

from __future__ import annotations

import re

from strongroom.errors import PrivilegeMissingError
from strongroom.store import schema

LACKS_PRIVILEGE = "42501"
STATEMENT = "strongroom_statement"
"""The attribute of a driver's error that holds the statement it came from, as it is written here."""
_NAMES = {*schema.TABLES, schema.VERSION_TABLE, schema.UNTAGGED_NONCES}
_THING = re.compile(r"\b(table|view|schema|function|sequence|relation|column) \"?([A-Za-z_][A-Za-z0-9_$]{0,62})\"?")
_WORD = re.compile(r"\w+")
_LOCK = re.compile(r"\bFOR\s+(?:NO\s+KEY\s+UPDATE|UPDATE|KEY\s+SHARE|SHARE)\b", re.IGNORECASE)


def privilege_error(error: BaseException) -> PrivilegeMissingError:
    """The error for what a server refused with 42501. Of its words only names of tables and the like are used."""
    diagnosis = getattr(error, "diag", None)
    words = getattr(diagnosis, "message_primary", None) or ""
    known = [name for name in _WORD.findall(words) if name in _NAMES]
    found = _THING.search(words)
    kind, name = ("table", known[0]) if known else (found[1], found[2]) if found else ("", "")
    if "row-level security" in words:
        return PrivilegeMissingError(
            f"A policy of row-level security refuses the statement on the table {name}.",
            hint="Give the role policies with USING (true) and WITH CHECK (true): `strongroom grants ROLE --print`.",
        )
    if not name:
        return PrivilegeMissingError("The database refused the statement: a privilege that the role lacks.")
    if kind != "table":
        return PrivilegeMissingError(f"The role lacks a privilege on the {kind} {name}.")
    commands = _commands(getattr(error, STATEMENT, ""), name)
    needs = f" The statement needs {' and '.join(commands)} on it." if commands else ""
    return PrivilegeMissingError(f"The role lacks a privilege on the table {name}.{needs}")


def _commands(sql: str, table: str) -> list[str]:
    """What a statement does with a table."""
    name = rf'(?:"[^"]*"\.|\w+\.)?"?{re.escape(table)}"?(?!\w)'

    def says(words: str) -> bool:
        return re.search(words + r"\s+(?:ONLY\s+)?" + name, sql, re.IGNORECASE) is not None

    reads = says(r"(?<!DELETE\s)\b(?:FROM|JOIN)|,")
    found = {
        "SELECT": reads,
        "INSERT": says(r"\bINSERT\s+INTO"),
        "UPDATE": says(r"\bUPDATE") or (reads and _LOCK.search(sql) is not None),
        "DELETE": says(r"\bDELETE\s+FROM"),
    }
    return [command for command, said in found.items() if said]
