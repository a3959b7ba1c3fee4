"""Read what is there, as text, whatever the tables look like. Only columns that exist are named."""

from __future__ import annotations

from functools import cached_property

from strongroom.store.foreign import CREDENTIALS, VAULT
from strongroom.store.profile import Profile

MAX_TEXT_CHARACTERS = 65_536
"""Four times the longest document that a key is read from; the rest of a longer text is not even fetched."""
_SHORT_CHARACTERS = 512
_UTF8_BYTES = 4
"""The most that a character takes."""
_CREDENTIAL_FACTS = ("wallet_address", "public_key", "key_vault_id", "status")
_RECORD_FACTS = ("encryption_method", "access_level")
_METADATA = (
    "metadata ->> 'private_key_encrypted'",
    "metadata #>> '{vault_storage,encrypted_private_key}'",
    "metadata ->> 'private_key_vault_id'",
    "metadata ->> 'scheme'",
    "metadata ->> 'path'",
)
_SLOT = (("credential_id", "id"), ("project_id", "project_id"))
_KEPT = "id, credential_id, network, address, text, form, reason, project_id"


class InspectionStatements:
    """The statements of an inspection, for one engine and one profile."""

    def __init__(self, profile: Profile, *, sqlite: bool) -> None:
        self._sqlite = sqlite
        self._foreign = profile.foreign
        self._has_vault = VAULT in profile.tables
        self._has_slots = profile.foreign is not None and "strongroom_slot" in profile.tables
        self._id = "" if self._has_uuids(CREDENTIALS, "id", "project_id") else "::text"
        types = {self._type(CREDENTIALS, "id"), *({self._type(VAULT, "credential_id")} if self._has_vault else ())}
        self._reference = "" if len(types) == 1 else "::text"
        """How ids are compared: as they are, or as text where other code gave them other types."""

    @property
    def metadata_is_text(self) -> bool:
        """Whether the metadata come whole, as text, because the database would fail on some of them."""
        if self._foreign is None:
            return self._sqlite
        column = self._foreign.columns[CREDENTIALS].get("metadata")
        return column is not None and column.type != "jsonb"

    def count(self, table: str, of_project: bool) -> str:
        """How many rows a table has; of a project: those of its credentials."""
        if not of_project:
            return f"SELECT count(*) FROM {table}"  # noqa: S608 - this module's own names
        mine = f"SELECT id{self._reference} FROM {CREDENTIALS} WHERE project_id = {self._parameter('project_id')}"  # noqa: S608
        column = "id" if table == CREDENTIALS else "credential_id"
        return f"SELECT count(*) FROM {table} WHERE {column}{self._reference} IN ({mine})"  # noqa: S608

    def wallets(self, since: bool, of_project: bool) -> str:
        """Credentials and records, each with the other where there is one."""
        mine, theirs = f"c.id{self._reference}", f"v.credential_id{self._reference}"
        wallet = f"coalesce({mine}, {theirs})" if self._has_vault else mine
        join = f"FULL JOIN {VAULT} v ON {theirs} = {mine}" if self._has_vault else ""
        conditions = [
            *([f"({wallet} > {self._parameter('since')} OR {wallet} IS NULL)"] if since else ()),
            *([f"c.project_id = {self._parameter('project_id')}"] if of_project else ()),
        ]
        where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
        order = f"ORDER BY {wallet}{', v.id' if self._has_vault else ''}"
        return f"SELECT {self._columns()} FROM {CREDENTIALS} c {join} {where} {order}"  # noqa: S608

    @cached_property
    def wallet(self) -> str:
        """A credential and its records."""
        return (
            f"SELECT {self._columns()} FROM {CREDENTIALS} c LEFT JOIN {VAULT} v ON v.credential_id = c.id "  # noqa: S608
            f"WHERE c.id = {self._parameter('id')} ORDER BY v.id"
        )

    @cached_property
    def record(self) -> str:
        """A record, and its credential where there is one."""
        return (
            f"SELECT {self._columns()} FROM {VAULT} v LEFT JOIN {CREDENTIALS} c ON c.id = v.credential_id "  # noqa: S608
            f"WHERE v.id = {self._parameter('id')}"
        )

    @cached_property
    def kept_entry(self) -> str:
        """An entry of the history."""
        return f"SELECT {self._kept()} FROM strongroom_vault_history WHERE id = {self._parameter('id')}"  # noqa: S608

    def page_of_wallets(self, of_project: bool) -> str:
        """The credentials after an id, with their records (SQLite)."""
        project = "AND project_id = :project_id" if of_project else ""
        page = f"SELECT * FROM {CREDENTIALS} WHERE id > :after {project} ORDER BY id LIMIT :limit"  # noqa: S608
        return (
            f"SELECT {self._columns()} FROM ({page}) c LEFT JOIN {VAULT} v ON v.credential_id = c.id "  # noqa: S608
            "ORDER BY c.id, v.id"
        )

    @property
    def page_of_orphans(self) -> str:
        """The records after a credential's id whose credential is gone (SQLite)."""
        gone = f"NOT EXISTS (SELECT 1 FROM {CREDENTIALS} o WHERE o.id = credential_id)"  # noqa: S608
        page = (
            f"SELECT DISTINCT credential_id FROM {VAULT} WHERE credential_id > :after AND {gone} "  # noqa: S608
            "ORDER BY credential_id LIMIT :limit"
        )
        return (
            f"SELECT {self._columns()} FROM {VAULT} v LEFT JOIN {CREDENTIALS} c ON c.id = v.credential_id "  # noqa: S608
            f"WHERE v.credential_id IN ({page}) ORDER BY v.credential_id, v.id"
        )

    @cached_property
    def kept(self) -> str:
        """The newest texts that the history keeps of a credential."""
        condition = f"credential_id = {self._parameter('id')} ORDER BY created_at DESC, id DESC LIMIT 100"
        return f"SELECT {self._kept()} FROM strongroom_vault_history WHERE {condition}"  # noqa: S608

    def foreign_history(self, after: bool, of_project: bool) -> str:
        """A page of the texts in the history that are another application's."""
        conditions = [
            "form = 'foreign' AND reason <> 'repair'",
            *([f"id > {self._parameter('after')}"] if after else ()),
            *([f"project_id = {self._parameter('project_id')}"] if of_project else ()),
        ]
        return (
            f"SELECT {self._kept()} FROM strongroom_vault_history WHERE {' AND '.join(conditions)} "  # noqa: S608
            f"ORDER BY id LIMIT {self._parameter('limit')}"
        )

    def _columns(self) -> str:
        pairs = (f"s.{slot}{self._id} = c.{column}{self._id}" for slot, column in _SLOT)
        slot = f"SELECT %s FROM strongroom_slot s WHERE {' AND '.join(pairs)} ORDER BY s.network, s.label LIMIT 1"  # noqa: S608
        slots = [f"({slot % name})" if self._has_slots else "NULL" for name in ("network", "label")]
        record = (
            [
                self._text("v", VAULT, "id"),
                self._text("v", VAULT, "credential_id"),
                self._text("v", VAULT, "encrypted_private_key", MAX_TEXT_CHARACTERS + 1),
                *(self._text("v", VAULT, name) for name in _RECORD_FACTS),
            ]
            if self._has_vault
            else ["NULL"] * 5
        )
        return ", ".join(
            [
                self._text("c", CREDENTIALS, "id"),
                self._text("c", CREDENTIALS, "project_id"),
                *slots,
                self._text("c", CREDENTIALS, "network"),
                self._text("c", CREDENTIALS, "credential_type"),
                *(self._text("c", CREDENTIALS, name) for name in _CREDENTIAL_FACTS),
                self._plain(CREDENTIALS, "is_active"),
                "c.revoked_at IS NOT NULL" if self._has(CREDENTIALS, "revoked_at") else "false",
                self._plain(CREDENTIALS, "vault_stored"),
                *self._metadata(),
                *record,
            ]
        )

    def _metadata(self) -> list[str]:
        if not self._has(CREDENTIALS, "metadata"):
            return ["NULL"] * len(_METADATA)
        if self.metadata_is_text:
            return [self._text("c", CREDENTIALS, "metadata", MAX_TEXT_CHARACTERS), *["NULL"] * (len(_METADATA) - 1)]
        return [f"left(c.{expression}, {MAX_TEXT_CHARACTERS + 1})" for expression in _METADATA]

    def _kept(self) -> str:
        names = _KEPT.split(", ")
        return ", ".join(
            self._cut(name, MAX_TEXT_CHARACTERS + 1 if name == "text" else _SHORT_CHARACTERS) for name in names
        )

    def _plain(self, table: str, column: str) -> str:
        return f"c.{column}" if self._has(table, column) else "NULL"

    def _text(self, alias: str, table: str, column: str, characters: int = _SHORT_CHARACTERS) -> str:
        return self._cut(f"{alias}.{column}", characters) if self._has(table, column) else "NULL"

    def _cut(self, column: str, characters: int) -> str:
        if self._sqlite:  # as bytes: for substr a text ends where its first NUL is
            return f"CAST(substr(CAST({column} AS BLOB), 1, {_UTF8_BYTES * characters}) AS TEXT)"
        return f"left({column}::text, {characters})"

    def _has_uuids(self, table: str, *columns: str) -> bool:
        return all(self._type(table, column) in (None, "uuid") for column in columns)

    def _type(self, table: str, column: str) -> str | None:
        """The type of a column of other code; None where the tables are ours."""
        found = None if self._foreign is None else self._foreign.columns.get(table, {}).get(column)
        return None if found is None else found.type

    def _has(self, table: str, column: str) -> bool:
        return self._foreign is None or self._foreign.has(table, column)

    def _parameter(self, name: str) -> str:
        return f":{name}" if self._sqlite else f"%({name})s"
