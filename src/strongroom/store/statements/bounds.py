"""Whether a value is small enough to be read, said without reading it, whatever somebody made of it.

What PostgreSQL stores says nothing of what is sent. 64 KB of a compressed text are several megabytes, and a jsonb of
800 bytes may hold numbers of a million digits. So each condition is cheap where the ones before it hold.
"""

from __future__ import annotations

SQLITE_TEXT = "sqlite"
"""Stands for the type of any column of SQLite, which takes any value."""
_TEXTS = ("text", "character varying")
_NUMBERS = 'strict $.** ? (@.type() == "number")'
_MOST_NUMBERS = 256
_LARGEST = "1e4000"
"""Python reads integers of a few digits more. Behind the point a number has 16,383 digits at most."""
_DIGITS = (4, 20, 80, 1000, 4000)
"""Before the point: a number has at most the first of these that fits, else more than Python reads."""
_MOST_DIGITS = 131_072
_UTF8_BYTES = 4
_UNCOMPRESSED = 4
"""How many times as large as its text a jsonb of ours may be."""


def fits(value: str, kind: str, longest_bytes: int) -> str:
    """SQL of the condition that a value's text has at most so many bytes; true for NULL.

    ``kind`` is the column's type as PostgreSQL names it, or ``SQLITE_TEXT``. The bytes of a text are known without
    taking it apart; those of a jsonb are counted once it is known that it has few numbers, and none beyond a few
    thousand digits.
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
            f"WHEN jsonb_path_exists({value}, '{_NUMBERS} ? (!(@ > -{_LARGEST} && @ < {_LARGEST}))') THEN false",
            f"WHEN {numbers} > {_MOST_NUMBERS} THEN false",
        ]
    return f"(CASE {' '.join(conditions)} ELSE octet_length({value}::text) <= {longest_bytes} END)"


def is_read(value: str, most_characters: int) -> str:
    """SQL of the condition that the text of a jsonb has at most so many characters, whatever numbers are in it.

    A subquery adds up their digits: Citus plans none over the rows of several shards, and ``fits`` stands for it there.
    """
    largest = _UTF8_BYTES * most_characters
    return (
        f"(CASE WHEN {value} IS NULL THEN true WHEN pg_column_size({value}) > {largest} THEN false "
        f"WHEN pg_column_size(jsonb_build_array({value})) > {_UNCOMPRESSED * largest} THEN false "
        f"WHEN jsonb_path_exists({value}, '{_NUMBERS}') AND {_digits(value)} > {_UNCOMPRESSED * largest} THEN false "
        f"ELSE length({value}::text) <= {most_characters} END)"
    )


def _digits(value: str) -> str:
    """SQL of how many digits the numbers in a jsonb have at most, without writing out one of them."""
    before = " ".join(f"WHEN abs(n::numeric) < 1e{digits} THEN {digits}" for digits in _DIGITS)
    each = f"scale(n::numeric) + CASE {before} ELSE {_MOST_DIGITS} END"
    return f"(SELECT coalesce(sum({each}), 0) FROM jsonb_path_query({value}, '{_NUMBERS}') AS n)"  # noqa: S608
