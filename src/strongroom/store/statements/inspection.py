"""Read what is there, as text, whatever the tables look like. Only columns that exist are named."""

from __future__ import annotations

from functools import cached_property, partial

from strongroom.store.catalog.foreign_schema import CREDENTIALS, VAULT
from strongroom.store.catalog.profile import Profile
from strongroom.store.statements.bounds import SQLITE_TEXT, fits
from strongroom.store.statements.history_reading import MAX_TEXT_CHARACTERS, SHORT_CHARACTERS
from strongroom.store.statements.metadata_columns import metadata_columns
from strongroom.store.statements.oddities import OddityStatements
from strongroom.store.statements.wallet_row import (
    METADATA_MEMBERS,
    OTHER_METADATA,
    RECORD_COLUMNS,
    WHOLE_METADATA,
    InspectedRow,
)

MOST_RECORDS = 64
"""How many vault records of one credential are read."""
_LONGEST_DETAILS = 16_384
_CREDENTIAL_TEXTS = ("network", "credential_type", "wallet_address", "public_key", "key_vault_id", "status")
_SLOT = (("credential_id", "id"), ("project_id", "project_id"))


class InspectionStatements(OddityStatements):
    """The statements of an inspection, for one engine and one profile."""

    def __init__(self, profile: Profile, *, sqlite: bool) -> None:
        super().__init__(profile, sqlite=sqlite)
        self._has_vault, has_slots = VAULT in profile.tables, "strongroom_slot" in profile.tables
        self._has_slots = profile.foreign is not None and has_slots
        types = {self._type(CREDENTIALS, "id"), *({self._type(VAULT, "credential_id")} if self._has_vault else ())}
        self._reference = "" if len(types) == 1 else "::text"
        """How ids are compared: as they are, or as text where legacy tables give them other types."""

    @property
    def events(self) -> str:
        """The details of the newest events of one kind; NULL where one says more than any of ours."""
        details = "details" if self._sqlite else "details::text"
        small = fits("details", SQLITE_TEXT if self._sqlite else "jsonb", _LONGEST_DETAILS)
        return (
            f"SELECT CASE WHEN {small} THEN {details} END FROM strongroom_events "  # noqa: S608
            f"WHERE event = {self._parameter('event')} ORDER BY created_at DESC, id LIMIT {self._parameter('limit')}"
        )

    @property
    def any_phrase(self) -> str:
        """Whether there is a phrase of any project."""
        return "SELECT 1 FROM strongroom_phrase LIMIT 1"

    @cached_property
    def places(self) -> str:
        """Id, project, network and address of credentials by their ids."""
        named = [name for name in ("wallet_address", "public_key") if self._has(CREDENTIALS, name)]
        address = f"coalesce(nullif({named[0]}, ''), {named[-1]})" if named else "NULL"
        project, network = (name if self._has(CREDENTIALS, name) else "NULL" for name in ("project_id", "network"))
        if self._sqlite:
            return (
                f"SELECT id, {project}, substr({network}, 1, 512), substr({address}, 1, 512) FROM {CREDENTIALS} "  # noqa: S608
                "WHERE id IN (SELECT value FROM json_each(:ids))"
            )
        kind = self._type(CREDENTIALS, "id") or "uuid"
        return (
            f"SELECT id::text, {project}::text, substr({network}::text, 1, 512), substr({address}::text, 1, 512) "  # noqa: S608
            f"FROM {CREDENTIALS} WHERE id = ANY (%(ids)s::{kind}[])"
        )

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
        own = f"project_id = {self._parameter('project_id')}"
        if self._sharded:
            return f"SELECT count(*) FROM {table} WHERE {own}"  # noqa: S608
        mine = f"SELECT id{self._reference} FROM {CREDENTIALS} WHERE {own}"  # noqa: S608
        column = "id" if table == CREDENTIALS else "credential_id"
        return f"SELECT count(*) FROM {table} WHERE {column}{self._reference} IN ({mine})"  # noqa: S608

    def wallets(self, since: bool, of_project: bool) -> str:
        """Credentials and records, each with the other where there is one."""
        mine, theirs = f"c.id{self._reference}", f"v.credential_id{self._reference}"
        wallet = f"coalesce({mine}, {theirs})" if self._has_vault else mine
        join = f"FULL JOIN {VAULT} v ON {theirs} = {mine}{self.same_project('v')}" if self._has_vault else ""
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
        return self._wallet("")

    @cached_property
    def wallet_in_project(self) -> str:
        """The same, if the credential's row is still of the project that was read in it."""
        return self._wallet(self.of_stored_project(CREDENTIALS, "c."))

    def _wallet(self, narrower: str) -> str:
        own = f"c.id = {self.id_parameter(CREDENTIALS, 'id', 'id')}{narrower}"
        return (
            f"SELECT {self._columns()} FROM {CREDENTIALS} c LEFT JOIN {VAULT} v ON {self._of_one_wallet} "  # noqa: S608
            f"WHERE {own} ORDER BY v.id LIMIT {MOST_RECORDS + 1}"
        )

    @cached_property
    def record(self) -> str:
        """A record, and its credential where there is one."""
        return self._record_with("")

    @cached_property
    def record_in_project(self) -> str:
        """The same, if the record's row is still of the project that was read in it."""
        return self._record_with(self.of_stored_project(VAULT, "v."))

    def _record_with(self, narrower: str) -> str:
        return (
            f"SELECT {self._columns()} FROM {VAULT} v LEFT JOIN {CREDENTIALS} c ON {self._of_one_wallet} "  # noqa: S608
            f"WHERE v.id = {self.id_parameter(VAULT, 'id', 'id')}{narrower}"
        )

    @property
    def record_ids_are_uuids(self) -> bool:
        """Whether nothing but a UUID can be compared with the id of a record."""
        return not self._sqlite and self._has_uuids(VAULT, "id")

    def short(self, column: str) -> str:
        """What is read of a column that holds no key text."""
        return self._cut(column, SHORT_CHARACTERS)

    def page_of_wallets(self, of_project: bool) -> str:
        """The credentials after an id, with their records (SQLite)."""
        project = "AND project_id = :project_id" if of_project else ""
        page = f"SELECT * FROM {CREDENTIALS} WHERE {self._after('id')} {project} ORDER BY id LIMIT :limit"  # noqa: S608
        return (
            f"SELECT {self._columns()} FROM ({page}) c LEFT JOIN {VAULT} v ON v.credential_id = c.id "  # noqa: S608
            "ORDER BY c.id, v.id"
        )

    @property
    def page_of_orphans(self) -> str:
        """The records after a credential's id whose credential is gone (SQLite)."""
        gone = f"NOT EXISTS (SELECT 1 FROM {CREDENTIALS} o WHERE o.id = credential_id)"  # noqa: S608
        page = (
            f"SELECT DISTINCT credential_id FROM {VAULT} WHERE {self._after('credential_id')} AND {gone} "  # noqa: S608
            "ORDER BY credential_id LIMIT :limit"
        )
        return (
            f"SELECT {self._columns()} FROM {VAULT} v LEFT JOIN {CREDENTIALS} c ON c.id = v.credential_id "  # noqa: S608
            f"WHERE v.credential_id IN ({page}) ORDER BY v.credential_id, v.id"
        )

    @property
    def recorded(self) -> str:
        """Whether the register has a record of a wallet."""
        return f"SELECT 1 FROM strongroom_wallet WHERE credential_id = {self._parameter('id')}"  # noqa: S608

    def id_parameter(self, table: str, column: str, name: str) -> str:
        """A parameter that an id is compared with: a UUID, or its text."""
        kind = None if self._sqlite else self._type(table, column)
        return self._parameter(name) + ("" if kind in (None, "uuid") else "::text")

    def same_id(self, alias: str, table: str, other: str, credentials: str) -> str:
        """That a row names a credential; as text where legacy tables give the two columns other types."""
        as_text = "" if self._type(table, "credential_id") == self._type(credentials, "id") else "::text"
        return f"{alias}.credential_id{as_text} = {other}.id{as_text}"

    @property
    def _of_one_wallet(self) -> str:
        return f"v.credential_id{self._reference} = c.id{self._reference}{self.same_project('v')}"

    def _columns(self) -> str:
        credential, revoked = partial(self._text, "c", CREDENTIALS), self._has(CREDENTIALS, "revoked_at")
        network, label = self._slot()
        row = InspectedRow(
            id=credential("id"),
            project_id=credential("project_id"),
            slot_network=network,
            slot_label=label,
            **{name: credential(name) for name in _CREDENTIAL_TEXTS},
            is_active=self._plain(CREDENTIALS, "is_active"),
            is_revoked="c.revoked_at IS NOT NULL" if revoked else "false",
            vault_stored=self._plain(CREDENTIALS, "vault_stored"),
            **self._metadata(),
            **self._record(),
        )
        return ", ".join(row)

    def _slot(self) -> tuple[str, str]:
        """Network and label of a slot that names the credential."""
        if not self._has_slots:
            return "NULL", "NULL"
        pairs = (f"s.{slot}{self._id} = c.{column}{self._id}" for slot, column in _SLOT)
        slot = f"(SELECT %s FROM strongroom_slot s WHERE {' AND '.join(pairs)} ORDER BY s.network, s.label LIMIT 1)"  # noqa: S608
        return slot % "network", slot % "label"

    def _metadata(self) -> dict[str, str]:
        """Members of the metadata; where the database would fail on some of them, all of them in the first."""
        if self.metadata_is_text or not self._has(CREDENTIALS, "metadata"):
            nothing = dict.fromkeys((*METADATA_MEMBERS, OTHER_METADATA), "NULL")
            return {**nothing, WHOLE_METADATA: self._text("c", CREDENTIALS, "metadata", MAX_TEXT_CHARACTERS + 1)}
        return metadata_columns(MAX_TEXT_CHARACTERS, sharded=self._sharded)

    def _record(self) -> dict[str, str]:
        if not self._has_vault:
            return dict.fromkeys(RECORD_COLUMNS, "NULL")
        sizes = {"record_text": MAX_TEXT_CHARACTERS + 1}
        return {
            name: self._text("v", VAULT, column, sizes.get(name, SHORT_CHARACTERS))
            for name, column in RECORD_COLUMNS.items()
        }

    def _plain(self, table: str, column: str) -> str:
        return f"c.{column}" if self._has(table, column) else "NULL"

    def _text(self, alias: str, table: str, column: str, characters: int = SHORT_CHARACTERS) -> str:
        return self._cut(f"{alias}.{column}", characters) if self._has(table, column) else "NULL"
