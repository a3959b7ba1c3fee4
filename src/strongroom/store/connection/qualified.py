"""Statements whose meaning does not depend on search_path (PostgreSQL; docs/adr/0018-qualified-sql.md).

The database looks up an operator, a function or a type without a schema in every schema of search_path. Anyone who may
CREATE in one of them can define a better match, which then runs as the role that asks. So no text leaves unqualified:
operators become ``OPERATOR(pg_catalog.=)``, functions and types ``pg_catalog.``, tables the schema that they were found
in. What names an operator without showing it (IN, LIKE, NULLIF) is written out. What cannot be written out, or would
mean something else (all qualified operators bind alike), is a ``NotQualifiableError``: write it in another way.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from strongroom.store.connection.sql_tokens import WORDS, WORDS_OF_DEFINITIONS, NotQualifiableError, tokens_of
from strongroom.store.connection.sql_writer import StatementWriter, identifier

__all__ = ["NotQualifiableError", "NumberedText", "QualifiedTexts", "identifier", "qualified", "with_numbers"]

_DEFINES = re.compile(r"\s*(?:CREATE|ALTER|DROP|COMMENT|REVOKE|GRANT|LOCK)\b", re.IGNORECASE)
_SETS = re.compile(r"\s*(?:SET|SHOW|BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|FETCH|CLOSE)\b", re.IGNORECASE)
"""What names neither operators nor tables."""
_BLOCK = re.compile(r"\s*DO\s+(\$\w*\$)(.*)\1\s*", re.IGNORECASE | re.DOTALL)


def qualified(sql: str, schemas: Mapping[str, str] | None = None, others: Mapping[str, str] | None = None) -> str:
    """The statement with a schema for everything in it; what has one stays as it is.

    ``schemas`` says of each table in which it is, ``others`` of each operator, function and type that is not one of
    PostgreSQL's own. Names are not quoted.

    Raises NotQualifiableError.
    """
    if _SETS.match(sql):
        return sql
    block = _BLOCK.fullmatch(sql)
    if block is not None:
        return f"DO {block[1]}{_written(block[2], schemas, others, defines=True)}{block[1]}"
    return _written(sql, schemas, others, defines=bool(_DEFINES.match(sql)))


def _written(sql: str, schemas: Mapping[str, str] | None, others: Mapping[str, str] | None, *, defines: bool) -> str:
    words = WORDS | WORDS_OF_DEFINITIONS if defines else WORDS
    return "".join(StatementWriter(tokens_of(sql, words), schemas or {}, others or {}, defines=defines).write())


_MOST_TEXTS = 1000


@lru_cache(2 * _MOST_TEXTS)
def _qualified_once(sql: str, schemas: tuple[tuple[str, str], ...]) -> str:
    """The same for every vault of the process: reading a statement takes longer than running it."""
    return qualified(sql, dict(schemas))


_SCHEMA = "SELECT located.oid FROM pg_namespace located WHERE located.nspname = {}"
_LOCATED = re.compile(r"\bis_located\((\w+)\)")


_PARAMETER = re.compile(r"%(?:\((\w+)\)[sbt]|%)")


class NumberedText(NamedTuple):
    """A statement as the server takes it: with ``$1`` for the first of its parameters."""

    sql: bytes | str
    """Bytes, which psycopg neither encodes nor hashes each time; text where its encoding is the connection's."""
    names: tuple[str, ...]
    """The parameters, in the order of their numbers."""


def with_numbers(sql: str) -> NumberedText:
    """A statement with numbers for psycopg's named parameters; ``%%`` is a percent sign.

    psycopg does the same, each time anew where a statement has more than 4,096 bytes: half of the driver's time.
    """
    numbers: dict[str, int] = {}

    def number(found: re.Match[str]) -> str:
        return "%" if found[1] is None else f"${numbers.setdefault(found[1], len(numbers) + 1)}"

    text = _PARAMETER.sub(number, sql)
    return NumberedText(text.encode() if text.isascii() else text, tuple(numbers))


class QualifiedTexts(dict[str, Any]):
    """Each statement as it is sent, qualified when it is first asked for.

    In a statement about the catalogue, ``is_located(c)`` stands for the condition that the row ``c`` of pg_class is in
    the schema where the vault's table of that name is.
    """

    def __init__(self, schemas: Mapping[str, str] | None = None) -> None:
        super().__init__()
        self.schemas = dict(schemas or {})
        self._numbered: dict[str, NumberedText] = {}

    def numbered(self, sql: str) -> NumberedText:
        """A statement with numbers for its parameters."""
        found = self._numbered.get(sql)
        if found is None:
            if len(self._numbered) >= _MOST_TEXTS:
                self._numbered.clear()
            found = self._numbered[sql] = with_numbers(self[sql])
        return found

    def text_of(self, sql: str) -> str:
        """A statement with a schema for everything in it."""
        located = _LOCATED.sub(lambda found: located_as(found[1], self.schemas), sql)
        return _qualified_once(located, tuple(self.schemas.items()))

    def __missing__(self, sql: str) -> Any:
        if len(self) >= _MOST_TEXTS:
            self.clear()
        text = self[sql] = self.text_of(sql)
        return text


def located_as(row: str, schemas: Mapping[str, str]) -> str:
    """The condition that a row of pg_class is the table of the vault that its name says; for a text with parameters."""
    homes: dict[str, list[str]] = {}
    for name, home in schemas.items():
        homes.setdefault(home, []).append(f"'{name}'")
    conditions = [
        f"({row}.relname IN ({', '.join(sorted(names))}) AND {row}.relnamespace = ({_SCHEMA.format(_literal(home))}))"
        for home, names in sorted(homes.items())
    ]
    return f"({' OR '.join(conditions) or 'false'})"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''").replace("%", "%%") + "'"
