"""Repair the rows of one wallet, by their ids, under its credential's lock. Only columns that exist are named.

What locks or writes a row of ours names the project that was read in it (``stored_project``), whosever the wallet is:
where the tables are divided that is the row's place, and everywhere a row that moved meanwhile is not found any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from strongroom.store.catalog.foreign_schema import CREDENTIALS, LOGS, VAULT
from strongroom.store.catalog.profile import Profile
from strongroom.store.statements.inspection import InspectionStatements
from strongroom.store.statements.metadata_texts import can_be_taken_out
from strongroom.store.statements.slots import SLOT_KEY
from strongroom.store.write_conditions import SCHEMA_VERSION

_HISTORY = "strongroom_vault_history"


class RepairStatements:
    """The statements of a repair, for one engine and one profile."""

    def __init__(self, profile: Profile, *, sqlite: bool) -> None:
        self._sqlite = sqlite
        self._profile = profile
        self.reading = InspectionStatements(profile, sqlite=sqlite)

    @property
    def foreign(self) -> bool:
        """Whether the wallet tables are legacy tables."""
        return self._profile.foreign is not None

    def has(self, table: str, column: str) -> bool:
        """Whether a wallet table has a column that strongroom writes."""
        return self._profile.foreign is None or self._profile.foreign.written(table, column) is not None

    @property
    def _ids_are_text(self) -> bool:
        return self._profile.foreign is not None and self._profile.foreign.columns[CREDENTIALS]["id"].base != "uuid"

    @cached_property
    def lock(self) -> str | None:
        """Lock a credential, then its records. SQLite locks the whole database when the transaction begins.

        A record that comes while the credential's lock is waited for is not locked, but seen by what reads afterwards.
        """
        if self._sqlite:
            return None
        return (
            f"WITH credential AS MATERIALIZED (SELECT id FROM {CREDENTIALS} WHERE {self._is_mine} FOR UPDATE) "  # noqa: S608 - this module's own names
            f"{self._records} AND EXISTS (SELECT FROM credential) FOR UPDATE"
        )

    @cached_property
    def lock_records(self) -> str:
        """Lock the records that name a credential and say another project than it does (PostgreSQL)."""
        return f"{self._records} FOR UPDATE"

    @property
    def _records(self) -> str:
        return f"SELECT 1 FROM {VAULT} WHERE credential_id = {self._record_of}{self._stored(VAULT)}"  # noqa: S608

    @cached_property
    def lock_kept(self) -> str:
        """An entry of the history, locked."""
        lock = "" if self._sqlite else " FOR UPDATE"
        return f"{self.reading.kept_of} WHERE {self._is_entry}{lock}"

    @cached_property
    def lock_record(self) -> str | None:
        """Lock a vault record. SQLite locks the whole database when the transaction begins."""
        if self._sqlite:
            return None
        record = self.reading.id_parameter(VAULT, "id", "id")
        return f"SELECT 1 FROM {VAULT} WHERE id = {record}{self._stored(VAULT)} FOR UPDATE"  # noqa: S608

    @cached_property
    def written_history(self) -> str:
        """Text and form of an entry of the history, as it was taken."""
        return f"SELECT text, form FROM {_HISTORY} WHERE {self._is_entry}"  # noqa: S608

    @cached_property
    def written_log(self) -> str:
        """Whether a row of the usage log was taken."""
        foreign, mine = self._profile.foreign, self.reading.id_parameter(LOGS, "credential_id", "id")
        which = f"id = {self.reading.id_parameter(LOGS, 'id', 'log_id')}"
        if foreign is not None and foreign.written(LOGS, "id") is None:  # the database numbers its rows
            which = f"action_type::text = 'repair' AND performed_at = {self._value(LOGS, 'performed_at', 'now')}"
        own = "" if foreign is not None else f" AND project_id = {self._p('project_id')}"  # as it was inserted
        return f"SELECT 1 FROM {LOGS} WHERE {which} AND credential_id = {mine}{own}"  # noqa: S608

    @cached_property
    def slot(self) -> str:
        """The credential that a slot names."""
        names = " AND ".join(f"{name} = {self._p(name)}" for name in SLOT_KEY)
        return f"SELECT credential_id FROM strongroom_slot WHERE {names}"  # noqa: S608

    def update(self, table: str, columns: Sequence[str]) -> str:
        """Set columns of one row; a parameter is named as its column."""
        values = ", ".join(f"{name} = {self._value(table, name)}" for name in columns if self.has(table, name))
        row = self.reading.id_parameter(table, "id", "row")
        return f"UPDATE {table} SET {values} WHERE id = {row}{self._stored(table)}"  # noqa: S608

    @cached_property
    def insert_history(self) -> str:
        """Keep a text with its wallet's identity. The guard lets pass what was kept in the same transaction."""
        names = (
            "id",
            "project_id",
            "credential_id",
            "network",
            "label",
            "address",
            "public_key",
            "vault_id",
            "text",
            "form",
            "reason",
            "created_at",
            "schema_version",
        )
        types = {
            "id": "uuid",
            "project_id": "uuid",
            "credential_id": "uuid",
            "created_at": "timestamptz",
            "schema_version": "integer",
        }
        values = ", ".join(
            self._p(f"kept_{name}") if self._sqlite else f"{self._p(f'kept_{name}')}::{types.get(name, 'text')}"
            for name in names
        )
        return f"INSERT INTO {_HISTORY} ({', '.join(names)}) VALUES ({values})"  # noqa: S608

    @cached_property
    def seal_history(self) -> str:
        """A sealed text in the place of the legacy application's in the history."""
        return f"UPDATE {_HISTORY} SET text = {self._p('text')}, form = 'sealed' WHERE {self._is_entry}"  # noqa: S608

    @cached_property
    def copy_history(self) -> str:
        """An entry once more, as it is, in a row of its own of which nothing is left to do."""
        same = "project_id, credential_id, network, label, address, public_key, vault_id"
        same = f"{same}, text, form, created_at"
        copy = self._p("copy_id") + ("" if self._sqlite else "::uuid")
        return (
            f"INSERT INTO {_HISTORY} (id, {same}, reason, schema_version) "  # noqa: S608
            f"SELECT {copy}, {same}, 'repair', {SCHEMA_VERSION} FROM {_HISTORY} WHERE {self._is_entry}"
        )

    @property
    def event(self) -> str:
        """Whether an event was written."""
        return f"SELECT 1 FROM strongroom_events WHERE id = {self._p('event_id')}"  # noqa: S608

    @property
    def vault_id_taken_elsewhere(self) -> str:
        """Whether another credential has the same key_vault_id."""
        other = f"key_vault_id = {self._p('vault_id')} AND id <> {self._mine}"
        return f"SELECT 1 FROM {CREDENTIALS} WHERE {other} LIMIT 1"  # noqa: S608

    @property
    def own_vault_id(self) -> str:
        """Whether a record of a credential has a vault id."""
        mine = f"vault_id = {self._p('vault_id')} AND credential_id = {self._record_of}"
        return f"SELECT 1 FROM {VAULT} WHERE {mine} LIMIT 1"  # noqa: S608

    @property
    def settle(self) -> str:
        """Rows of ours say what the register does: state, and the type that the network gives, unless it is taken."""
        p = self._p
        kind, status = (p("kind"), p("status")) if self._sqlite else (f"{p('kind')}::text", f"{p('status')}::text")
        now = p("now") if self._sqlite else f"{p('now')}::timestamptz"
        return (
            f"UPDATE {CREDENTIALS} SET status = {status}, is_active = ({status} = 'active'), revoked_at = "  # noqa: S608
            f"CASE WHEN {status} = 'revoked' THEN coalesce(revoked_at, {now}) ELSE NULL END, "
            f"credential_type = CASE WHEN {status} = 'active' AND {self._taken} THEN credential_type ELSE {kind} END "
            f"WHERE {self._is_mine}"
        )

    @property
    def settle_kind(self) -> str:
        """The type of a live row of ours, which stays where another live one has taken it."""
        kind = self._p("kind") if self._sqlite else f"{self._p('kind')}::text"
        return (
            f"UPDATE {CREDENTIALS} SET credential_type = {kind} "  # noqa: S608
            f"WHERE {self._is_mine} AND credential_type <> {kind} AND NOT {self._taken}"
        )

    @property
    def _taken(self) -> str:
        kind = self._p("kind") if self._sqlite else f"{self._p('kind')}::text"
        project = f"{CREDENTIALS}.project_id" if self._sqlite else self._p("stored_project")
        return (
            f"EXISTS (SELECT 1 FROM {CREDENTIALS} other WHERE other.project_id = {project} "  # noqa: S608
            f"AND other.network = {CREDENTIALS}.network AND other.credential_type = {kind} "
            f"AND other.is_active AND other.revoked_at IS NULL AND other.id <> {CREDENTIALS}.id)"
        )

    def drop_members(self, names: Sequence[str]) -> str:
        """Take members out of a credential's metadata, without reading what is in them."""
        names = [name for name in names if can_be_taken_out(name)]  # they are written into the statement
        if self._sqlite:
            places = ("metadata", *(f"'$.{name}'" for name in names))
            value = f"json_remove({', '.join(places)})"
        else:
            value = "metadata::jsonb"
            for name in names:
                value = f"({value} #- '{{{name.replace('.', ',')}}}')"
            value = f"{value}::{self._metadata_type}"
        return f"UPDATE {CREDENTIALS} SET metadata = {value} WHERE {self._is_mine}"  # noqa: S608

    @property
    def set_derivation(self) -> str:
        """Scheme and path in a credential's metadata."""
        if self._sqlite:
            value = "json_set(coalesce(metadata, '{}'), '$.scheme', :scheme, '$.path', :path)"
        else:
            facts = "jsonb_build_object('scheme', %(scheme)s::text, 'path', %(path)s::text)"
            value = f"(coalesce(metadata::jsonb, '{{}}') || {facts})::{self._metadata_type}"
        return f"UPDATE {CREDENTIALS} SET metadata = {value} WHERE {self._is_mine}"  # noqa: S608

    @property
    def _metadata_type(self) -> str:
        foreign = self._profile.foreign
        return "jsonb" if foreign is None else foreign.columns[CREDENTIALS]["metadata"].type

    @property
    def exposed(self) -> str:
        """Credentials whose usage log says that a repair found their key in plaintext, after an id; a page."""
        address = "coalesce(nullif(c.wallet_address, ''), c.public_key)"
        if self._profile.foreign is not None and not self._profile.foreign.has(CREDENTIALS, "wallet_address"):
            address = "c.public_key"
        address = self.reading.short(address)
        lacks_network = self._profile.foreign is not None and not self._profile.foreign.has(CREDENTIALS, "network")
        network = "''" if lacks_network else self.reading.short("c.network")
        details = "l.action_details" if self._sqlite else "l.action_details::text"
        uuid = "" if self._sqlite or self._ids_are_text else "::uuid"
        after = f"c.id > {self.reading.id_parameter(CREDENTIALS, 'id', 'after')}{uuid} AND"
        logged = "" if self._sqlite else "::text"
        same = self.reading.same_id("l", LOGS, "c", CREDENTIALS) + self.reading.same_project("l")
        return (
            f"SELECT c.id, {network}, {address} FROM {CREDENTIALS} c WHERE {after} EXISTS ("  # noqa: S608
            f"SELECT 1 FROM {LOGS} l WHERE {same} AND l.action_type{logged} = 'repair' "
            f"AND {details} LIKE {self._p('exposed')}) ORDER BY c.id LIMIT {self._p('limit')}"
        )

    @property
    def _is_mine(self) -> str:
        return f"id = {self._mine}{self._stored(CREDENTIALS)}"

    @property
    def _is_entry(self) -> str:
        return f"id = {self._p('entry_id')}{self._stored(_HISTORY)}"

    def _stored(self, table: str) -> str:
        return self.reading.of_stored_project(table)

    @property
    def _mine(self) -> str:
        return self.reading.id_parameter(CREDENTIALS, "id", "id")

    @property
    def _record_of(self) -> str:
        return self.reading.id_parameter(VAULT, "credential_id", "id")

    def _value(self, table: str, name: str, parameter: str = "") -> str:
        value, foreign = self._p(parameter or name), self._profile.foreign
        template = None if self._sqlite or foreign is None else foreign.written(table, name)
        return value if template is None else template.format(f"({value})")

    def _p(self, name: str) -> str:
        return f":{name}" if self._sqlite else f"%({name})s"
