"""Mend the rows of one wallet, by their ids, under its credential's lock. Only columns that exist are named."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from strongroom.store.foreign import CREDENTIALS, LOGS, VAULT
from strongroom.store.profile import Profile
from strongroom.store.statements.inspection import InspectionStatements

_HISTORY = "strongroom_vault_history"


class RepairStatements:
    """The statements of a repair, for one engine and one profile."""

    def __init__(self, profile: Profile, *, sqlite: bool) -> None:
        self._sqlite = sqlite
        self._profile = profile
        self.reading = InspectionStatements(profile, sqlite=sqlite)

    def has(self, table: str, column: str) -> bool:
        """Whether a wallet table has a column."""
        return self._profile.foreign is None or self._profile.foreign.has(table, column)

    @cached_property
    def lock(self) -> str | None:
        """Lock a credential, then its records. SQLite locks the whole database when the transaction begins.

        A record that comes while the credential's lock is waited for is not locked, but seen by what reads afterwards.
        """
        if self._sqlite:
            return None
        return (
            f"WITH credential AS MATERIALIZED (SELECT id FROM {CREDENTIALS} WHERE id = %(id)s FOR UPDATE) "  # noqa: S608 - this module's own names
            f"SELECT 1 FROM {VAULT} WHERE credential_id = %(id)s AND EXISTS (SELECT FROM credential) FOR UPDATE"
        )

    @cached_property
    def lock_kept(self) -> str:
        """An entry of the history, locked."""
        lock = "" if self._sqlite else " FOR UPDATE"
        return f"SELECT text, form FROM {_HISTORY} WHERE id = {self._p('entry_id')}{lock}"  # noqa: S608

    def update(self, table: str, columns: Sequence[str]) -> str:
        """Set columns of one row; a parameter is named as its column."""
        values = ", ".join(f"{name} = {self._value(table, name)}" for name in columns if self.has(table, name))
        return f"UPDATE {table} SET {values} WHERE id = {self._p('row')}"  # noqa: S608

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
        )
        types = {"id": "uuid", "project_id": "uuid", "credential_id": "uuid", "created_at": "timestamptz"}
        values = ", ".join(
            self._p(f"kept_{name}") if self._sqlite else f"{self._p(f'kept_{name}')}::{types.get(name, 'text')}"
            for name in names
        )
        return f"INSERT INTO {_HISTORY} ({', '.join(names)}) VALUES ({values})"  # noqa: S608

    @cached_property
    def seal_history(self) -> str:
        """A sealed text in the place of another application's in the history."""
        return f"UPDATE {_HISTORY} SET text = {self._p('text')}, form = 'sealed' WHERE id = {self._p('entry_id')}"  # noqa: S608

    @property
    def event(self) -> str:
        """Whether an event was written."""
        return f"SELECT 1 FROM strongroom_events WHERE id = {self._p('event_id')}"  # noqa: S608

    @property
    def vault_id_taken_elsewhere(self) -> str:
        """Whether another credential has the same key_vault_id."""
        p = self._p
        return f"SELECT 1 FROM {CREDENTIALS} WHERE key_vault_id = {p('vault_id')} AND id <> {p('id')} LIMIT 1"  # noqa: S608

    @property
    def records_with_vault_id(self) -> str:
        """The credentials whose records have a vault id."""
        return f"SELECT credential_id FROM {VAULT} WHERE vault_id = {self._p('vault_id')}"  # noqa: S608

    def drop_members(self, names: Sequence[str]) -> str:
        """Take members out of a credential's metadata, without reading what is in them."""
        if self._sqlite:
            places = ", ".join(f"'$.{name}'" for name in names)
            value = f"json_remove(metadata, {places})"
        else:
            value = "metadata::jsonb"
            for name in names:
                value = f"({value} #- '{{{name.replace('.', ',')}}}')"
            value = f"{value}::{self._metadata_type}"
        return f"UPDATE {CREDENTIALS} SET metadata = {value} WHERE id = {self._p('id')}"  # noqa: S608

    @property
    def set_derivation(self) -> str:
        """Scheme and path in a credential's metadata."""
        if self._sqlite:
            value = "json_set(coalesce(metadata, '{}'), '$.scheme', :scheme, '$.path', :path)"
        else:
            facts = "jsonb_build_object('scheme', %(scheme)s::text, 'path', %(path)s::text)"
            value = f"(coalesce(metadata::jsonb, '{{}}') || {facts})::{self._metadata_type}"
        return f"UPDATE {CREDENTIALS} SET metadata = {value} WHERE id = {self._p('id')}"  # noqa: S608

    @property
    def _metadata_type(self) -> str:
        foreign = self._profile.foreign
        return "jsonb" if foreign is None else foreign.columns[CREDENTIALS]["metadata"].type

    @property
    def exposed(self) -> str:
        """Credentials whose usage log says that a repair found their key in clear, after an id; a page."""
        address = "coalesce(nullif(c.wallet_address, ''), c.public_key)"
        if not self.has(CREDENTIALS, "wallet_address"):
            address = "c.public_key"
        details = "l.action_details" if self._sqlite else "l.action_details::text"
        after = f"c.id > {self._p('after')} AND" if self._sqlite else f"c.id > {self._p('after')}::uuid AND"
        return (
            f"SELECT c.id, {address} FROM {CREDENTIALS} c WHERE {after} EXISTS ("  # noqa: S608
            f"SELECT 1 FROM {LOGS} l WHERE l.credential_id = c.id AND l.action_type = 'repair' "
            f"AND {details} LIKE {self._p('exposed')}) ORDER BY c.id LIMIT {self._p('limit')}"
        )

    def _value(self, table: str, name: str) -> str:
        foreign = self._profile.foreign
        if self._sqlite or foreign is None:
            return self._p(name)
        return f"{self._p(name)}::{foreign.columns[table][name].type}"

    def _p(self, name: str) -> str:
        return f":{name}" if self._sqlite else f"%({name})s"
