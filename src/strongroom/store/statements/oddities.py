"""Ask for what strongroom does not write, and so does not read."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import sqlalchemy as sa

from strongroom.records.vault_texts import SEALED_PREFIX
from strongroom.store import schema
from strongroom.store.catalog.foreign_schema import CREDENTIALS, VAULT
from strongroom.store.catalog.profile import Profile
from strongroom.store.column_types import Jsonb
from strongroom.store.statements.history_reading import MAX_TEXT_CHARACTERS, HistoryReading
from strongroom.store.statements.sealed_forms import is_one_sealed

_SEALED_COLUMNS = {
    VAULT: "encrypted_private_key",
    CREDENTIALS: "metadata",
    "strongroom_vault_history": "text",
    "strongroom_phrase": "sealed_text",
}
"""Where texts are read that may be sealed ones."""
_IDS = {
    VAULT: ("id", "credential_id"),
    CREDENTIALS: ("id", "project_id"),
    "strongroom_vault_history": ("id", "credential_id", "project_id"),
    "strongroom_phrase": ("project_id", "phrase_id"),
}
_UUID = "-".join("[0-9a-f]" * digits for digits in (8, 4, 4, 4, 12))
_ODD = f"typeof({{0}}) <> 'text' OR length(CAST({{0}} AS BLOB)) <> 36 OR {{0}} NOT GLOB '{_UUID}'"
_ADDRESSES = frozenset({"address", "wallet_address"})
_PUBLIC_KEYS = frozenset({"public_key"})
_DIGESTS = frozenset(
    {"kid", "tag", "key", "request", "digest", "identifier", "details", "action_details", "user_agent", "metadata"}
)
"""Columns in which as long a text is as a key has, and JSON that has digests in it."""
_LONGEST_WORD = 43
"""Letters and digits in a row that base64 of a key has; an address in hex, or a UUID, has fewer."""
_NO_TEXTS = ("uuid", "bool", "timestamp", "date", "time", "int", "big", "small", "numeric", "double", "real", "inet")
_KEY_COLUMNS = ("encrypted_private_key", "private_key_encrypted", "sealed_text", "private_key", "mnemonic")
MOST_VALUES = 200
_OF_KEYRING = frozenset({"strongroom_keyring", "strongroom_keyring_wrap", "strongroom_keyring_head"})


class OddityStatements(HistoryReading):
    """The statements about oddities, for one engine and one profile."""

    def __init__(self, profile: Profile, *, sqlite: bool) -> None:
        super().__init__(profile, sqlite=sqlite)
        self._tables, self._is_newest = profile.tables, profile.version == schema.HEAD
        self.hex_networks: tuple[str, ...] = ()
        """Networks whose addresses are as long as keys, in hexadecimal digits."""

    @cached_property
    def sealed_elsewhere(self) -> dict[str, str]:
        """By table, whether a sealed text stands in another column than those that are for one."""
        place = "instr" if self._sqlite else "strpos"
        return {
            table: f"SELECT 1 FROM {table} t WHERE {place}({self._others(table)}, '{SEALED_PREFIX}') > 0 LIMIT 1"  # noqa: S608
            for table in sorted(self._tables - _OF_KEYRING)
            if self._is_known(table)
        }

    @property
    def odd_entries(self) -> str:
        """Whether the history has entries of no form that strongroom writes, or such that say sealed and are not one
        sealed text alone."""
        one = is_one_sealed("text", sqlite=self._sqlite)
        return (
            "SELECT 1 FROM strongroom_vault_history "  # noqa: S608
            f"WHERE form NOT IN ('sealed', 'foreign') OR (form = 'sealed' AND NOT {one}) LIMIT 1"
        )

    @cached_property
    def odd_ids(self) -> dict[str, str]:
        """By table, whether an id is none that strongroom writes; SQLite takes anything for one."""
        if not self._sqlite:
            return {}
        return {
            table: f"SELECT 1 FROM {table} WHERE {' OR '.join(_ODD.format(each) for each in columns)} LIMIT 1"  # noqa: S608
            for table, columns in _IDS.items()
            if table in self._tables
        }

    @cached_property
    def keys_elsewhere(self) -> dict[str, str]:
        """By table, whether a column that is for something else has what is written as a key is."""
        tables = {table: [*self._written_as_keys(table)] for table in self._known_tables}
        return {
            table: f"SELECT 1 FROM {table} WHERE {' OR '.join(conditions)} LIMIT 1"  # noqa: S608
            for table, conditions in tables.items()
            if conditions
        }

    @cached_property
    def words_elsewhere(self) -> dict[str, str]:
        """By table, values of columns that are for something else with as many words as a phrase has."""
        found = {}
        for table in self._known_tables:
            texts = [
                f"SELECT {self._cut(name, MAX_TEXT_CHARACTERS)} FROM {table} WHERE {self._has_words(name)}"  # noqa: S608
                for name in map(_quoted, self._names(table))
            ]
            if texts:
                found[table] = f"SELECT * FROM ({' UNION ALL '.join(texts)}) AS t LIMIT {MOST_VALUES}"  # noqa: S608
        return found

    @property
    def beside(self) -> str:
        """The tables that are none of ours and have a column which is called as one that we keep keys in."""
        columns = ", ".join(f"'{each}'" for each in _KEY_COLUMNS)
        if self._sqlite:
            return (
                "SELECT DISTINCT m.name FROM sqlite_master m, pragma_table_info(m.name) c "  # noqa: S608
                f"WHERE m.type = 'table' AND lower(c.name) IN ({columns}) ORDER BY m.name LIMIT {MOST_VALUES}"
            )
        return (
            "SELECT DISTINCT c.relname::text FROM pg_catalog.pg_class c "  # noqa: S608
            "JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND NOT a.attisdropped AND a.attnum > 0 "
            "WHERE c.relkind IN ('r', 'p', 'm', 'f') AND NOT c.relispartition AND c.relpersistence <> 't' "
            f"AND lower(a.attname::text) IN ({columns}) ORDER BY 1 LIMIT {MOST_VALUES}"
        )

    @property
    def _known_tables(self) -> list[str]:
        return [table for table in sorted(self._tables - _OF_KEYRING) if self._is_known(table)]

    def _written_as_keys(self, table: str) -> Iterator[str]:
        names = self._names(table)
        for name in names:
            column = _quoted(name)
            if name in _PUBLIC_KEYS:
                yield self._is_hex_key(column, bare=False)
            elif name in _ADDRESSES:
                if "network" in names:
                    yield f"({self._is_hex_key(column, bare=True)} AND {self._has_other_addresses})"
            elif name not in _DIGESTS:
                yield self._has_run(column, _LONGEST_WORD)

    @property
    def _has_other_addresses(self) -> str:
        """That a row's network is none whose addresses are 32 bytes in hexadecimal digits."""
        names = ", ".join(f"'{name}'" for name in ("", *self.hex_networks))
        network = "coalesce(CAST(network AS TEXT), '')" if self._sqlite else "coalesce(network::text, '')"
        return f"{network} NOT IN ({names})"

    def _has_run(self, column: str, characters: int) -> str:
        """That so many letters and digits stand in a row, as base64 and base58 have them; hexadecimal digits, too."""
        if self._sqlite:
            run = "[A-Za-z0-9+/=]" * characters
            text = f"CAST({column} AS TEXT)"
            return f"(length({text}) >= {characters} AND {text} GLOB '*{run}*')"
        return f"{column}::text ~ '[A-Za-z0-9+/=]{{{characters}}}'"

    def _is_hex_key(self, column: str, *, bare: bool) -> str:
        """That 32 bytes stand there in hexadecimal digits; a public key of 32 bytes has no ``0x`` before it."""
        if self._sqlite:
            digits, text = "[0-9a-fA-F]" * 64, f"trim(CAST({column} AS TEXT))"
            forms = [f"0[xX]{digits}", *([digits] if bare else ())]
            matched = " OR ".join(f"{text} GLOB '{each}'" for each in forms)
            return f"(length({text}) IN (64, 66) AND ({matched}))"
        return f"{column}::text ~ '^\\s*(0[xX]){'?' if bare else ''}[0-9a-fA-F]{{64}}\\s*$'"

    def _has_words(self, column: str) -> str:
        if self._sqlite:
            text = f"CAST({column} AS TEXT)"
            spaces = f"replace(replace(replace({text}, ' ', ''), ',', ''), char(10), '')"
            return f"(length({text}) >= 35 AND length({text}) - length({spaces}) >= 11)"
        return f"{column}::text ~ '([a-zA-Z]+[^a-zA-Z]{{1,4}}){{11}}[a-zA-Z]+'"

    def _names(self, table: str) -> list[str]:
        """The columns that are for something else than keys, and may hold any text."""
        legacy = None if self._foreign is None else self._foreign.columns.get(table)
        if legacy is not None:
            types = {name: str(column.type) for name, column in legacy.items()}
            names = [name for name, kind in types.items() if not kind.startswith(_NO_TEXTS)]
        else:
            columns = schema.metadata.tables[table].columns
            names = [each.name for each in columns if isinstance(each.type, sa.String | Jsonb)]
        return [name for name in names if name != _SEALED_COLUMNS.get(table)]

    def _others(self, table: str) -> str:
        own, legacy = (
            _SEALED_COLUMNS.get(table, ""),
            None if self._foreign is None else self._foreign.columns.get(table),
        )
        names = [column.name for column in schema.metadata.tables[table].columns] if legacy is None else list(legacy)
        columns = [_quoted(name) for name in names if name != own]
        if self._sqlite:
            return " || ' ' || ".join(f"coalesce(CAST({name} AS TEXT), '')" for name in columns)
        return f"concat_ws(' ', {', '.join(f'{name}::text' for name in columns)})"

    def _is_known(self, table: str) -> bool:
        """Whether its columns are: of tables of ours those of this version."""
        ours = self._is_newest and table in schema.metadata.tables
        return ours if self._foreign is None else ours or table in self._foreign.columns


def _quoted(name: str) -> str:
    """A column, whatever it is called; for a driver that takes ``%`` for a parameter."""
    return '"' + name.replace('"', '""').replace("%", "%%") + '"'
