"""Whether a value is small enough to be read, said without reading it, whatever somebody made of it.

What PostgreSQL stores says nothing of what is sent. 64 KB of a compressed text are several megabytes, and a jsonb of
800 bytes may hold numbers of a million digits. So each condition is cheap where the ones before it hold.
"""

from __future__ import annotations

SQLITE_TEXT = "sqlite"
"""Stands for the type of any column of SQLite, which takes any value."""
_TEXTS = ("text", "character varying")
_NUMBERS = 'strict $.** ? (@.type() == "number")'
_DIGITS = (4, 20, 80, 1000, 4000)
"""Before the point: a number has at most the first of these that fits, else more than Python reads."""
_MOST_DIGITS = 131_072
_UNCOMPRESSED = 4
"""How many times as large as its text a jsonb of ours may be."""


def fits(value: str, kind: str, longest_bytes: int, longest_characters: int | None = None) -> str:
    """SQL of the condition that a value's text has at most so many bytes, or characters; true for NULL.

    ``kind`` is the column's type as PostgreSQL names it, or ``SQLITE_TEXT``. The bytes of a text are known without
    taking it apart; those of a jsonb are counted once it is known how many digits its numbers have at most.
    """
    if kind == SQLITE_TEXT:  # as bytes: length() of a text ends where its first NUL is
        return f"({value} IS NULL OR length(CAST({value} AS BLOB)) <= {longest_bytes})"
    if kind in _TEXTS:
        return f"coalesce(octet_length({value}) <= {longest_bytes}, true)"
    conditions = [f"WHEN {value} IS NULL THEN true", f"WHEN pg_column_size({value}) > {longest_bytes} THEN false"]
    if kind == "jsonb":
        conditions += [
            f"WHEN pg_column_size(jsonb_build_array({value})) > {_UNCOMPRESSED * longest_bytes} THEN false",
            f"WHEN {_digits(value)} > {_UNCOMPRESSED * longest_bytes} THEN false",
        ]
    size = f"octet_length({value}::text) <= {longest_bytes}"
    if longest_characters is not None:
        size = f"length({value}::text) <= {longest_characters}"
    return f"(CASE {' '.join(conditions)} ELSE {size} END)"


def _digits(value: str) -> str:
    """SQL of how many digits the numbers in a jsonb have at most, without writing out one of them."""
    before = " ".join(f"WHEN abs(n::numeric) < 1e{digits} THEN {digits}" for digits in _DIGITS)
    each = f"scale(n::numeric) + CASE {before} ELSE {_MOST_DIGITS} END"
    return f"(SELECT coalesce(sum({each}), 0) FROM jsonb_path_query({value}, '{_NUMBERS}') AS n)"  # noqa: S608
