"""The keyring, and the texts that each of its keys sealed."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    Select,
    and_,
    delete,
    exists,
    func,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.sql.base import Executable

from strongroom.records.register import MOST_WRAPS
from strongroom.store.statements.building import LONGEST_VALUE, Statement, knows_sealing_key, limited
from strongroom.store.statements.column_forms import equals, param
from strongroom.store.statements.register import RegisterStatements
from strongroom.store.statements.tables import (
    CREDENTIAL,
    EVENT_ROW,
    EVENTS,
    HEAD,
    HEAD_ROW,
    KEYRING,
    KEYRING_ROW,
    PHRASE,
    TAGGED,
    VAULT,
    WRAP,
    WRAP_ROW,
)
from strongroom.store.statements.text_forms import beginning, beginnings, begins_sealed, substring
from strongroom.store.statements.usage_log import LogStatements

_LONGEST_WRAP = 4_096
_LONGEST_WORD = 64


class KeyringStatements(LogStatements):
    """The keyring, and the texts that each of its keys sealed."""

    _KEYS = tuple(
        substring(column, characters)
        for column, characters in (
            (KEYRING.c.kid, _LONGEST_WORD),
            (KEYRING.c.state, _LONGEST_WORD),
            (WRAP.c.root_key, _LONGEST_WRAP),
            (WRAP.c.wrapped, _LONGEST_WRAP),
            (WRAP.c.check_value, LONGEST_VALUE),
        )
    )
    _IN_ORDER = (KEYRING.c.created_at, KEYRING.c.kid, WRAP.c.created_at, WRAP.c.root_key)

    @Statement
    def read_keyring(self) -> Executable:
        """Sealing keys with their wraps, in the order of their making, the first with the head: one snapshot of all.

        One more than there may be at most, so that too many are told from as many as there may be.
        """
        return self._keys_and(*RegisterStatements.head_columns())

    @Statement
    def read_untagged_keyring(self) -> Executable:
        """The same, where a version of strongroom that made no tags made the tables."""
        return self._keys_and(HEAD.c.version)

    def _keys_and(self, *head: Any) -> Select[Any]:
        """Joined with the first row alone: what the head holds may be large, and would be sorted with every row."""
        key, wrap = KEYRING.alias("first_key"), WRAP.alias("first_wrap")
        order = (key.c.created_at, key.c.kid, wrap.c.created_at, wrap.c.root_key)
        source = key.outerjoin(wrap, wrap.c.kid == key.c.kid)
        kid, root_key = (
            limited(select(column).select_from(source).order_by(*order), literal_column("1")).scalar_subquery()
            for column in (key.c.kid, wrap.c.root_key)
        )
        first = and_(KEYRING.c.kid == kid, or_(WRAP.c.root_key.is_(None), WRAP.c.root_key == root_key))
        return limited(
            select(*self._KEYS, *head)
            .select_from(KEYRING.outerjoin(WRAP, WRAP.c.kid == KEYRING.c.kid).outerjoin(HEAD, first))
            .order_by(*self._IN_ORDER),
            literal_column(str(MOST_WRAPS + 1)),
        )

    @Statement
    def find_sealing_key(self) -> Executable:
        """A sealing key of the keyring, if it is the one that seals now."""
        return select(literal_column("1")).where(knows_sealing_key())

    @Statement
    def read_keyring_head(self) -> Executable:
        """The row that says that there is a keyring."""
        return select(HEAD.c.version)

    @Statement
    def take_keyring_head(self) -> Executable:
        """The row that says that there is a keyring, unless it is taken."""
        return self.insert(HEAD, HEAD_ROW, arbitrated=True)

    @Statement
    def change_keyring_head(self) -> Executable:
        """Another state of the keyring, if it is the one that was read."""
        values = {column: param(name, HEAD.c[column]) for column, name in HEAD_ROW.items() if column != "id"}
        return update(HEAD).values(values).where(equals(HEAD.c.version, "old_version"))

    @Statement
    def insert_sealing_key(self) -> Executable:
        """Insert the name and the state of a sealing key."""
        return self.insert(KEYRING, KEYRING_ROW)

    @Statement
    def end_active_sealing_key(self) -> Executable:
        """Let the active sealing key only open."""
        active = KEYRING.c.state == literal_column("'active'")
        return update(KEYRING).values(state=literal_column("'opening'")).where(active)

    @Statement
    def retire_sealing_key(self) -> Executable:
        """Mark a sealing key that only opens, and that no sealed text and no tag names, as retired."""
        return update(KEYRING).values(state=literal_column("'retired'")).where(*self._is_retirable())

    @Statement
    def retirable_sealing_key(self) -> Executable:
        """Whether a sealing key is such a one."""
        return select(literal_column("1")).select_from(KEYRING).where(*self._is_retirable())

    def _is_retirable(self) -> tuple[Any, ...]:
        one: Select[Any] = select(literal_column("1"))
        phrase = beginning(PHRASE.c.sealed_text) == param("beginning", PHRASE.c.sealed_text)
        named = [exists(one.select_from(VAULT).where(self._sealed_by())), exists(one.select_from(PHRASE).where(phrase))]
        named += [exists(one.select_from(table).where(equals(table.c.kid, "kid"))) for table in TAGGED.values()]
        return equals(KEYRING.c.kid, "kid"), KEYRING.c.state == literal_column("'opening'"), ~or_(*named)

    @property
    def one_shard_at_a_time(self) -> str:
        """Let Citus ask shard after shard until the transaction ends."""
        return "SELECT set_config('citus.multi_shard_modify_mode', 'sequential', true)"

    @Statement
    def insert_wrap(self) -> Executable:
        """A sealing key as a root key wrapped it."""
        return self.insert(WRAP, WRAP_ROW)

    @Statement
    def delete_wraps(self) -> Executable:
        """The wraps of one root key."""
        return delete(WRAP).where(equals(WRAP.c.root_key, "root_key"))

    @Statement
    def insert_event(self) -> Executable:
        """Insert an event of the vault, which concerns no credential."""
        return self.insert(EVENTS, EVENT_ROW)

    @Statement
    def any_sealed(self) -> Executable:
        """Whether any vault record holds a sealed text."""
        sealed = begins_sealed(VAULT.c.encrypted_private_key)
        return select(exists(select(literal_column("1")).select_from(VAULT).where(sealed)))

    @Statement
    def first_sealed(self) -> Executable:
        """What the oldest vault records begin with: forty characters name the sealing key."""
        return limited(beginnings().order_by(VAULT.c.credential_id), literal_column("16"))

    @Statement
    def last_sealed(self) -> Executable:
        """What the newest vault records begin with."""
        return limited(beginnings().order_by(VAULT.c.credential_id.desc()), literal_column("16"))

    @Statement
    def count_sealed(self) -> Executable:
        """How many vault records begin with a sealing key's forty characters."""
        return select(func.count()).select_from(VAULT).where(self._sealed_by())

    @staticmethod
    def _sealed_by() -> Any:
        text = VAULT.c.encrypted_private_key
        return beginning(text) == param("beginning", text)

    @Statement
    def sealed_otherwise(self) -> Executable:
        """Wallets after an id whose text another sealing key sealed."""
        return self.paged().where(*self._otherwise())

    @Statement
    def sealed_otherwise_in_project(self) -> Executable:
        """A project's wallets after an id whose text another sealing key sealed."""
        own = self.is_id(CREDENTIAL.c.project_id, "project_id")
        return self.paged(of_project=True).where(*self._otherwise(), own)

    def _otherwise(self) -> tuple[Any, ...]:
        text = self.vault.c.encrypted_private_key
        return (
            begins_sealed(text),
            beginning(text) != param("beginning", VAULT.c.encrypted_private_key),
        )
