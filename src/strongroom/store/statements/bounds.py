"""Whether a value is small enough to be read, said without reading it, whatever somebody made of it.

What PostgreSQL stores says nothing of what is sent. 64 KB of a compressed text are several megabytes, and a jsonb of
800 bytes may hold numbers of 400 million digits. So each condition is cheap where the ones before it hold.
"""

from __future__ import annotations

SQLITE_TEXT = "sqlite"
"""Stands for the type of any column of SQLite, which takes any value."""
_TEXTS = ("text", "character varying")
_MOST_NUMBERS = 256
_NUMBERS = 'strict $.** ? (@.type() == "number")'
_AMOUNT = "1e40"
"""Of more digits than any amount has; behind the point a number has 16,383 at most."""
_UNCOMPRESSED = 4
"""How many times as large as its text a jsonb of ours may be."""


def fits(value: str, kind: str, longest_bytes: int, largest: str = _AMOUNT) -> str:
    """SQL of the condition that a value's text has at most so many bytes; true for NULL.

    ``kind`` is the column's type as PostgreSQL names it, or ``SQLITE_TEXT``. The bytes of a text are known without
    taking it apart; those of a jsonb are counted once it is known that it has few numbers, and none beyond ``largest``.
    """
    if kind == SQLITE_TEXT:  # as bytes: length() of a text ends where its first NUL is
        return f"({value} IS NULL OR length(CAST({value} AS BLOB)) <= {longest_bytes})"
    if kind in _TEXTS:
        return f"coalesce(octet_length({value}) <= {longest_bytes}, true)"
    conditions = [f"WHEN {value} IS NULL THEN true", f"WHEN pg_column_size({value}) > {longest_bytes} THEN false"]
    if kind == "jsonb":
        numbers = f"jsonb_array_length(jsonb_path_query_array({value}, '{_NUMBERS}'))"
        conditions += [
            f"WHEN pg_column_size(jsonb_build_array({value})) > {_UNCOMPRESSED * longest_bytes} THEN false",
            f"WHEN jsonb_path_exists({value}, '{_NUMBERS} ? (!(@ > -{largest} && @ < {largest}))') THEN false",
            f"WHEN {numbers} > {_MOST_NUMBERS} THEN false",
        ]
    return f"(CASE {' '.join(conditions)} ELSE octet_length({value}::text) <= {longest_bytes} END)"
