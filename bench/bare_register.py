"""The register by bare calls: records are read by the driver, their tags checked and made by HMAC, by one UPDATE."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple
from uuid import UUID

from bench import crypto_baseline
from bench.bare import Bare, Row
from bench.crypto_baseline import SealingKey

_IDS = frozenset({"project_id", "credential_id", "phrase_id"})


class _Kind(NamedTuple):
    """A kind of record: its table, the columns that its tag covers, in order, and those that name a row."""

    name: str
    table: str
    columns: tuple[str, ...]
    key: tuple[str, ...]


_KINDS = (
    _Kind(
        "wallet",
        "strongroom_wallet",
        (
            *("project_id", "credential_id", "network", "variant", "label", "vault_id", "address", "public_key"),
            *("scheme", "path", "access_level", "status", "version", "phrase_id", "phrase_index"),
        ),
        ("project_id", "credential_id"),
    ),
    _Kind(
        "slot",
        "strongroom_slot",
        ("project_id", "network", "label", "credential_id", "version"),
        ("project_id", "network", "label"),
    ),
)


def check_tags(bare: Bare, sealing: SealingKey, *, is_sqlite: bool) -> int:
    """Read every record of a wallet, and its slot; return how many pairs have the tags that they should."""
    fitting = []
    for kind in _KINDS:
        key = crypto_baseline.tag_key(sealing.key, kind.name)
        fitting.append(
            sum(crypto_baseline.tag(key, fields) == tag for _, fields, tag in _records(bare, kind, is_sqlite))
        )
    return min(fitting)


def retag(bare: Bare, old: SealingKey, new: SealingKey, *, is_sqlite: bool) -> None:
    """Check the tag of every record, and make it anew under another sealing key: an UPDATE a kind."""
    for kind in _KINDS:
        before, after = (crypto_baseline.tag_key(sealing.key, kind.name) for sealing in (old, new))
        keys: list[Row] = []
        tags: list[str] = []
        for row, fields, tag in _records(bare, kind, is_sqlite):
            if crypto_baseline.tag(before, fields) != tag:
                raise RuntimeError("a tag does not fit")
            keys.append(row)
            tags.append(crypto_baseline.tag(after, fields))
        (_update_sqlite if is_sqlite else _update_postgresql)(bare.connection, kind, new.kid, keys, tags)


def _records(bare: Bare, kind: _Kind, is_sqlite: bool) -> Iterator[tuple[Row, list[str | None], str]]:
    """Of each row its key as it is stored, the fields of its tag, and the tag."""
    read: Callable[[str], str] = _digits if is_sqlite else str
    columns = [read(column) for column in kind.columns]
    names, width = ", ".join([*kind.key, *columns, "tag"]), len(kind.key)
    for row in bare.run(f"SELECT {names} FROM {kind.table}"):
        yield row[:width], [_field(value) for value in row[width:-1]], row[-1]


def _digits(column: str) -> str:
    return f"replace({column}, '-', '')" if column in _IDS else column


def _field(value: Any) -> str | None:
    if value is None:
        return None
    return value.hex if isinstance(value, UUID) else str(value)


def _update_sqlite(connection: Any, kind: _Kind, kid: str, keys: list[Row], tags: list[str]) -> None:
    named = " AND ".join(f"{column} = ?" for column in kind.key)
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany(
        f"UPDATE {kind.table} SET kid = ?, tag = ? WHERE {named}",
        [(kid, tag, *row) for row, tag in zip(keys, tags, strict=True)],
    )
    connection.execute("COMMIT")


def _update_postgresql(connection: Any, kind: _Kind, kid: str, keys: list[Row], tags: list[str]) -> None:
    types = ", ".join(f"%s::{'uuid' if column in _IDS else 'text'}[]" for column in kind.key)
    named = " AND ".join(f"t.{column} = i.{column}" for column in kind.key)
    connection.execute(
        f"UPDATE {kind.table} t SET kid = %s, tag = i.tag "
        f"FROM unnest({types}, %s::text[]) AS i ({', '.join(kind.key)}, tag) WHERE {named}",
        (kid, *(list(column) for column in zip(*keys, strict=True)), tags),
    )
