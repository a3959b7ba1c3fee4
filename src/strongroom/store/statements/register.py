"""The register: records of wallets, and the tags of everything that carries one."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from sqlalchemy import Column, Select, Table, delete, exists, func, literal_column, not_, or_, select, tuple_, update
from sqlalchemy import text as text_sql
from sqlalchemy.sql.base import Executable

from strongroom.records.register import MOST_STATES_CHARACTERS
from strongroom.records.wallets import STATUS
from strongroom.store.schema import UNTAGGED_NONCES
from strongroom.store.statements.building import Statement, StatementBuilder, limited, same
from strongroom.store.statements.column_forms import equals, param
from strongroom.store.statements.slots import is_slot
from strongroom.store.statements.tables import (
    CREDENTIAL,
    HEAD,
    NONCE,
    REGISTER,
    REGISTER_ROW,
    SLOT,
    TAGGED,
    VAULT,
)
from strongroom.store.statements.text_forms import begins_sealed, substring

LONGEST_KEY = 512
"""Characters of a public key: more than any has."""
_LONGEST = 16_385
_LONGEST_NAME = 1_024
_PROJECT = param("project_id", REGISTER.c.project_id)


class RegisterStatements(StatementBuilder):
    """The register: records of wallets, and the tags of everything that carries one."""

    @Statement
    def find_record(self) -> Executable:
        """The whole record of a wallet, by its id."""
        return select(*self.record_columns(whole=True)).where(equals(REGISTER.c.credential_id, "id"))

    @Statement
    def insert_record(self) -> Executable:
        """A wallet's record in the register, unless there is one."""
        return self.insert(REGISTER, REGISTER_ROW, arbitrated=True)

    @Statement
    def change_record(self) -> Executable:
        """Another state of a wallet's record, if it is the one that was read."""
        changed = [name for name in REGISTER_ROW if name not in ("project_id", "credential_id")]
        return (
            update(REGISTER)
            .values({name: param(REGISTER_ROW[name], REGISTER.c[name]) for name in changed})
            .where(
                equals(REGISTER.c.project_id, "project_id"),
                equals(REGISTER.c.credential_id, "id"),
                equals(REGISTER.c.version, "old_version"),
                equals(REGISTER.c.tag, "old_tag"),
            )
        )

    @Statement
    def shared_keys(self) -> Executable:
        """Public keys that several wallets have, and of how many projects; at most a hundred thousand."""
        return limited(self._shared(), literal_column("100000"))

    @Statement
    def shared_key(self) -> Executable:
        """The same, of one public key."""
        return self._shared().where(equals(REGISTER.c.public_key, "public_key"))

    @Statement
    def key_of_another_project(self) -> Executable:
        """Whether the record of a wallet of another project than one has one of some keys or addresses."""
        others = (self._is_spelled(REGISTER.c.public_key, REGISTER.c.address), REGISTER.c.project_id != _PROJECT)
        return select(exists(select(literal_column("1")).select_from(REGISTER).where(*others)))

    @Statement
    def row_of_another_project(self) -> Executable:
        """Whether a row of another project than one, or of none, has one: nobody need have recorded that wallet."""
        owner = CREDENTIAL.c.project_id
        others = (
            self._is_spelled(*filter(self.has, (CREDENTIAL.c.wallet_address, CREDENTIAL.c.public_key))),
            or_(owner.is_(None), not_(self.is_id(owner, "project_id"))),
        )
        return select(exists(select(literal_column("1")).select_from(CREDENTIAL).where(*others)))

    @Statement
    def rows_of_project(self) -> Executable:
        """The credentials of a project whose rows have one of some keys or addresses; the first ones."""
        own = (
            self._is_spelled(*filter(self.has, (CREDENTIAL.c.wallet_address, CREDENTIAL.c.public_key))),
            self.is_id(CREDENTIAL.c.project_id, "project_id"),
        )
        return limited(select(CREDENTIAL.c.id).where(*own), param("limit", HEAD.c.version))

    def _is_spelled(self, *columns: Column[Any]) -> Any:
        """That one of some columns has one of the ``spellings``, in whatever case and with whatever stands around it.

        The tables are read as a whole: no index has these forms, and few callers ask.
        """
        one_of = "lower(trim(substr({0}, 1, 2048), :spaces)) IN (SELECT value FROM json_each(:spellings))"
        if self.writes_in_one:
            bare = "regexp_replace(lower(substr({0}\\:\\:text, 1, 2048)), '[^0-9a-z]', '', 'g')"
            one_of = f"{bare} = ANY (:spellings\\:\\:text[])"
        return or_(*(text_sql(one_of.format(f"{each.table.name}.{each.name}")) for each in columns))

    @Statement
    def wallets_of_other_projects(self) -> Executable:
        """The wallets of other projects than one that have a public key, by the register; a few of them."""
        others = (equals(REGISTER.c.public_key, "public_key"), not_(equals(REGISTER.c.project_id, "project_id")))
        return limited(select(REGISTER.c.credential_id).where(*others), literal_column("16"))

    @Statement
    def retired_of_project(self) -> Executable:
        """The records of a project's wallets that have a public key, and are not live; so many of them."""
        named = (equals(REGISTER.c.public_key, "public_key"), REGISTER.c.status != literal_column(f"'{STATUS}'"))
        retired = select(*self.record_columns(whole=True)).where(equals(REGISTER.c.project_id, "project_id"), *named)
        return limited(retired, param("limit", HEAD.c.version))

    @staticmethod
    def _shared() -> Select[Any]:
        projects = func.count(REGISTER.c.project_id.distinct())
        key = substring(REGISTER.c.public_key, LONGEST_KEY)
        whole = key == REGISTER.c.public_key  # a longer one is no wallet's
        return select(key, projects).where(whole).group_by(key).having(func.count() > literal_column("1"))

    @Statement
    def count_unregistered(self) -> Executable:
        """How many credentials the register does not have."""
        rows = CREDENTIAL.outerjoin(REGISTER, REGISTER.c.credential_id == self.uuid(CREDENTIAL.c.id))
        return select(func.count()).select_from(rows).where(REGISTER.c.credential_id.is_(None))

    @Statement
    def any_unsealed(self) -> Executable:
        """Whether any vault record holds a text that is neither sealed nor a placeholder."""
        text = func.coalesce(VAULT.c.encrypted_private_key, literal_column("''"))
        placeholders = ("''", "'MIGRATION_REQUIRED'", "'PRIVATE_KEY_NOT_RECOVERABLE'")
        foreign = [text != literal_column(each) for each in placeholders]
        unsealed = not_(begins_sealed(text))
        return select(exists(select(literal_column("1")).select_from(VAULT).where(unsealed, *foreign)))

    @Statement
    def unregistered(self) -> Executable:
        """A page of wallets that the register does not have, after an id."""
        return self.paged().where(REGISTER.c.credential_id.is_(None))

    @cached_property
    def tagged_otherwise(self) -> dict[str, str]:
        """By table: a page of rows that another sealing key tagged than the one that is named, or none did."""
        return {name: self.compiled(self._page_of(table)) for name, table in TAGGED.items()}

    @cached_property
    def tagged_otherwise_in_project(self) -> dict[str, str]:
        """The same of a project's rows."""
        return {name: self.compiled(self._page_of(table, of_project=True)) for name, table in TAGGED.items()}

    @cached_property
    def tagged_beyond(self) -> dict[str, str]:
        """By table: some rows whose keys are longer than any of ours, which no page could be continued after."""
        return {name: self.compiled(self._beyond(table)) for name, table in TAGGED.items() if _text_keys(table)}

    @cached_property
    def tagged_beyond_in_project(self) -> dict[str, str]:
        """The same of a project's rows."""
        tables = {name: TAGGED[name] for name in self.tagged_beyond}
        own = {name: self._beyond(table).where(*self.of_project(table)) for name, table in tables.items()}
        return {name: self.compiled(each) for name, each in own.items()}

    @cached_property
    def count_tagged_by(self) -> dict[str, str]:
        """By table: how many rows a sealing key tagged."""
        return {
            name: self.compiled(select(func.count()).select_from(table).where(equals(table.c.kid, "kid")))
            for name, table in TAGGED.items()
        }

    @cached_property
    def retag(self) -> dict[str, str]:
        """By table: another tag of a row, if it still has the one that was read."""
        return {name: self.compiled(self._retag(table)) for name, table in TAGGED.items()}

    @cached_property
    def forget(self) -> dict[str, str]:
        """By table: take a row away, if it still has the tag that was read."""
        return {name: self.compiled(delete(table).where(*self._as_read(table))) for name, table in TAGGED.items()}

    @Statement
    def untagged_nonce_page(self) -> Executable:
        """Nonces that an older version wrote down, each with its wallet's record."""
        record = ", ".join(f"r.{column.name}" for column in REGISTER.c)
        return text_sql(
            "SELECT x.project_id, x.credential_id, x.chain_id, x.nonce, substr(x.digest, 1, 2048), "  # noqa: S608
            f"substr(x.fee, 1, 2048), {record} "
            f"FROM {UNTAGGED_NONCES} x JOIN strongroom_wallet r ON r.credential_id = x.credential_id "
            "ORDER BY x.project_id, x.credential_id, x.chain_id, x.nonce LIMIT :limit OFFSET :skipped"
        )

    @Statement
    def delete_untagged_nonce(self) -> Executable:
        """Take a nonce away that an older version wrote down, as it was read."""
        return text_sql(
            f"DELETE FROM {UNTAGGED_NONCES} WHERE project_id = :project_id AND credential_id = :id "  # noqa: S608
            "AND chain_id = :chain_id AND nonce = :nonce AND digest = :digest"
        )

    @Statement
    def delete_nonce(self) -> Executable:
        """Take away what was signed under a nonce, before something that paid more takes its place."""
        return delete(NONCE).where(
            *(equals(NONCE.c[name], name) for name in ("project_id", "chain_id", "address", "nonce"))
        )

    @Statement
    def delete_record(self) -> Executable:
        """Take a wallet's record away, before another one takes its place in the same transaction."""
        return delete(REGISTER).where(*self.of_project(REGISTER), equals(REGISTER.c.credential_id, "id"))

    @Statement
    def delete_slot(self) -> Executable:
        """Take a slot away, before another one takes its place in the same transaction."""
        return delete(SLOT).where(*is_slot())

    @property
    def any_untagged_nonce(self) -> str:
        """A nonce that an older version wrote down, if there is one left."""
        return f"SELECT 1 FROM {UNTAGGED_NONCES} LIMIT 1"  # noqa: S608

    @property
    def complete_head(self) -> tuple[str, ...]:
        """What lets no row of the head take back that every record has a tag; a new vault has it from the start."""
        if self.writes_in_one:
            table = "ALTER TABLE strongroom_keyring_head"
            name = "strongroom_keyring_head_complete"
            return f"{table} DROP CONSTRAINT IF EXISTS {name}", f"{table} ADD CONSTRAINT {name} CHECK (tags_complete)"
        return tuple(
            f"CREATE TRIGGER IF NOT EXISTS strongroom_keyring_head_complete_{event.lower()} "
            f"BEFORE {event} ON strongroom_keyring_head WHEN NEW.tags_complete IS NOT 1 "
            "BEGIN SELECT RAISE(ABORT, 'the upgrade of this vault has finished'); END"
            for event in ("INSERT", "UPDATE")
        )

    @property
    def drop_untagged_nonces(self) -> str:
        """The table of nonces that an older version wrote down, when it is empty."""
        return f"DROP TABLE {UNTAGGED_NONCES}"

    @staticmethod
    def head_columns() -> tuple[Any, ...]:
        """The head of the keyring, in the order of ``rows.tagged_head``."""
        states = substring(HEAD.c.states, MOST_STATES_CHARACTERS + 1)
        return HEAD.c.version, states, HEAD.c.tags_complete, HEAD.c.accept_foreign, *StatementBuilder.tag_of(HEAD)

    def _page_of(self, table: Table, *, of_project: bool = False) -> Any:
        """A page after a key. Only rows whose keys are read whole: a page must be continued after its last one."""
        own = self.of_project(table) if of_project else ()
        keys = [table.c[column.name] for column in table.primary_key if not (own and column.name == "project_id")]
        after = tuple_(*keys) > tuple_(*(param(f"after_{key.name}", key) for key in keys))
        whole = [_cut(key) == key for key in _text_keys(table)]
        found = self._others_of(table).where(*own, after, *whole).order_by(*keys)
        return limited(found, param("limit", HEAD.c.version))

    def _beyond(self, table: Table) -> Any:
        cut = or_(*(_cut(key) != key for key in _text_keys(table)))
        return limited(self._others_of(table).where(cut), param("limit", HEAD.c.version))

    @staticmethod
    def _others_of(table: Table) -> Select[Any]:
        """What another sealing key tagged than the one that is named, or none."""
        fields = [column for column in table.c if column.name not in ("created_at", "updated_at")]
        columns = [_cut(each).label(each.name) if _is_text(each) else each for each in fields]
        return select(*columns).where(or_(table.c.kid.is_(None), table.c.kid != param("kid", table.c.kid)))

    def _retag(self, table: Table) -> Any:
        tag = {"kid": param("tag_kid", table.c.kid), "tag": param("new_tag", table.c.tag)}
        return update(table).values(**tag).where(*self._as_read(table))

    @staticmethod
    def _as_read(table: Table) -> tuple[Any, ...]:
        keys = [equals(column, column.name) for column in table.primary_key]
        return *keys, same(table.c.tag, param("old_tag", table.c.tag))


def _cut(column: Column[Any]) -> Any:
    return substring(column, _LONGEST)


def _text_keys(table: Table) -> list[Column[Any]]:
    return [column for column in table.primary_key if _is_text(column)]


def _is_text(column: Any) -> bool:
    return str(column.type) == "TEXT" or column.name in ("network", "label", "key")
