"""The keyring's rows. The row of strongroom_keyring_head arbitrates: a change is a compare-and-set on its version."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Self
from uuid import UUID

from strongroom.errors import (
    KeyringCorruptError,
    KeyringMissingError,
    StoreRefusedError,
    StoreUnavailableError,
    TriggerConflictError,
)
from strongroom.records.keyring import KeyringRows, WrappedKey
from strongroom.records.register import MOST_WRAPS, TaggedHead
from strongroom.records.stored_wallets import StoredWallet
from strongroom.records.usage_log import Event
from strongroom.records.vault_texts import SEALED_PATTERN
from strongroom.store.connection.database import CatalogueReader
from strongroom.store.connection.session import Session
from strongroom.store.context import LostRaceError, StoreContext, retry_after_schema_change
from strongroom.store.statements import Statements, rows, text_parameters
from strongroom.store.statements.register_rows import head_parameters, tagged_head, uuid_of
from strongroom.store.statements.wallet_row import FIRST_WALLET, behind, stored_wallet

_PAGE = 500


def read_keyring(database: CatalogueReader, sql: Statements, *, tagged: bool = True) -> KeyringRows | None:
    """The keyring with every wrap; None before the first init; without rows if they were removed.

    ``tagged``: the tables are those of a version that makes tags. Raises KeyringCorruptError for too many wraps.
    """
    found = [
        _KeyRow.of(rows.readable(row))
        for row in database.read(sql.keyring.read_keyring if tagged else sql.keyring.read_untagged_keyring, {})
    ]
    if len(found) > MOST_WRAPS:
        raise KeyringCorruptError(f"The keyring has more than {MOST_WRAPS} wraps: somebody added some.")
    if not found:
        return KeyringRows("", (), ()) if database.read(sql.keyring.read_keyring_head, {}) else None
    head = found[0].head
    version, *_ = head
    return KeyringRows(
        active_kid=next((row.kid for row in found if row.state == "active"), ""),
        wraps=tuple(
            WrappedKey(row.kid, row.root_key, row.wrapped, row.check_value) for row in found if row.wrapped is not None
        ),
        kids=tuple(dict.fromkeys(row.kid for row in found)),
        states={row.kid: row.state for row in found},
        version=_number(version),
        head=tagged_head(head) if tagged else None,
    )


class _KeyRow(NamedTuple):
    """A sealing key with one of its wraps, which may be missing, and the columns of the head, in the first row."""

    kid: Any
    state: Any
    root_key: Any
    wrapped: Any
    check_value: Any
    head: Sequence[Any]

    @classmethod
    def of(cls, row: Sequence[Any]) -> Self:
        kid, state, root_key, wrapped, check_value, *head = row
        return cls(kid, state, root_key, wrapped, check_value, head)


def _number(version: Any) -> int:
    """The keyring's version; 0, which no change fits, where there is no head or SQLite's holds no number."""
    return version if isinstance(version, int) else 0


class SqlKeyringStore:
    """Sealing keys, their wraps, and the texts that each of them sealed."""

    def __init__(self, context: StoreContext) -> None:
        self.context = context

    def read_keyring(self) -> KeyringRows | None:
        """The keyring with every wrap; None before the first init; without rows if they were removed."""
        return read_keyring(self.context.database, self.context.sql)

    def create_keyring(self, wrap: WrappedKey, head: TaggedHead, event: Event, now: datetime) -> bool:
        """Write the first keyring in one transaction; the row of strongroom_keyring_head arbitrates."""

        def unit(session: Session) -> bool:
            if session.change(self.context.sql.keyring.take_keyring_head, {"id": 1, **head_parameters(head)}) == 0:
                return False
            if session.fetch(self.context.sql.keyring.any_sealed, {"sealed_pattern": SEALED_PATTERN})[0][0]:
                raise KeyringMissingError(
                    "There are sealed rows, but no keyring that could open them. Nothing was changed."
                )
            session.write(self.context.sql.keyring.insert_sealing_key, {"kid": wrap.kid, "state": "active", "now": now})
            self._insert_wraps(session, [wrap], now)
            session.write(self.context.sql.keyring.insert_event, rows.event_parameters(event, now))
            return True

        return self.context.transact(unit)

    def seals_with(self, kid: str) -> bool:
        """Whether a sealing key is the one that seals now, in the keyring of the database."""
        return bool(self.context.read(self.context.sql.keyring.find_sealing_key, {"kid": kid}))

    def has_sealed_rows(self) -> bool:
        """Whether any vault record holds a sealed text."""
        return bool(self.context.read(self.context.sql.keyring.any_sealed, {"sealed_pattern": SEALED_PATTERN})[0][0])

    def has_unsealed_texts(self) -> bool:
        """Whether any vault record holds a text that is neither a sealed text nor a placeholder."""
        return bool(self.context.read(self.context.sql.register.any_unsealed, {"sealed_pattern": SEALED_PATTERN})[0][0])

    def sample_sealed_kids(self) -> frozenset[str]:
        """The kids of the sixteen oldest and newest vault records; none while a node of Citus cannot be reached."""
        looks = (self.context.sql.keyring.first_sealed, self.context.sql.keyring.last_sealed)
        try:
            ends = [rows.readable(row)[0] for sql in looks for row in self.context.read(sql, {})]
        except StoreUnavailableError:
            if not self.context.profile.distributed:
                raise
            return frozenset()  # the projects of all other nodes can be served
        # the legacy application's may be NULL
        return frozenset(kid for head in ends if (kid := rows.kid_of(head or "")) is not None)

    def add_sealing_key(self, wraps: Sequence[WrappedKey], head: TaggedHead, event: Event, now: datetime) -> bool:
        """Make a sealing key the active one, and let the one that was only open."""

        def unit(session: Session) -> None:
            session.write(self.context.sql.keyring.end_active_sealing_key, {})
            session.write(
                self.context.sql.keyring.insert_sealing_key, {"kid": wraps[0].kid, "state": "active", "now": now}
            )
            self._insert_wraps(session, wraps, now)

        return self._change(unit, head, event, now)

    def add_wraps(self, wraps: Sequence[WrappedKey], head: TaggedHead, event: Event, now: datetime) -> bool:
        """Add wraps of another root key."""
        return self._change(lambda session: self._insert_wraps(session, wraps, now), head, event, now)

    def remove_wraps(self, uri: str, head: TaggedHead, event: Event, now: datetime) -> bool:
        """Remove the wraps of a root key."""

        def unit(session: Session) -> None:
            session.change(self.context.sql.keyring.delete_wraps, {"root_key": uri})
            left = map(_KeyRow.of, session.fetch(self.context.sql.keyring.read_keyring, {}))
            if any(row.root_key == uri for row in left):
                raise TriggerConflictError("A trigger or rule kept a wrap of the root key; nothing was written.")

        return self._change(unit, head, event, now)

    def retire_sealing_key(self, kid: str, head: TaggedHead, event: Event, now: datetime) -> bool:
        """Mark a sealing key retired if it only opens and no vault record and no tag names it."""
        parameters = {"kid": kid, "beginning": rows.beginning_of(kid)}

        def unit(session: Session) -> None:
            if self.context.profile.distributed:  # else Citus asks the shards at once, and cannot change the keyring
                session.fetch(self.context.sql.keyring.one_shard_at_a_time, {})
            keyring = self.context.sql.keyring
            is_retirable = session.fetch(keyring.retirable_sealing_key, parameters)
            if session.change(keyring.retire_sealing_key, parameters):
                return
            if is_retirable:  # else a text or tag that names it may have been moved since
                session.require_none(keyring.retirable_sealing_key, parameters)
            raise LostRaceError

        try:
            return self._change(unit, head, event, now)
        except LostRaceError:
            return False

    def change_head(self, head: TaggedHead, event: Event, now: datetime) -> bool:
        """Another state of the head alone; False if its version is not the one before."""
        return self._change(lambda _: None, head, event, now)

    def count_tagged_by(self, kid: str) -> int:
        """How many tags a sealing key made."""
        return sum(
            int(self.context.read(sql, {"kid": kid})[0][0])
            for sql in self.context.sql.register.count_tagged_by.values()
        )

    def count_sealed(self, kid: str) -> int:
        """How many vault records begin with what a sealing key's texts begin with."""
        return int(
            self.context.read(self.context.sql.keyring.count_sealed, {"beginning": rows.beginning_of(kid)})[0][0]
        )

    def iter_not_sealed_by(self, kid: str, project_id: UUID | None = None) -> Iterator[list[StoredWallet]]:
        """Pages of wallets whose text another sealing key sealed; no transaction stays open between pages."""
        sql = (
            self.context.sql.keyring.sealed_otherwise
            if project_id is None
            else self.context.sql.keyring.sealed_otherwise_in_project
        )
        place: dict[str, Any] = FIRST_WALLET
        while True:
            parameters = {
                "project_id": project_id,
                **place,
                "limit": _PAGE,
                "sealed_pattern": SEALED_PATTERN,
                "beginning": rows.beginning_of(kid),
            }
            found = self.context.read(sql, parameters)
            if found:
                yield [stored_wallet(row) for row in found]
            if len(found) < _PAGE:
                return
            place = behind(found[-1])

    @retry_after_schema_change
    def rewrap(self, pairs: Sequence[tuple[StoredWallet, str]], now: datetime) -> frozenset[UUID]:
        """Compare-and-set texts; each row is its own: one that changed meanwhile is left alone."""
        if self.context.sql.wallets.sharded and len({stored.wallet.project_id for stored, _ in pairs}) == 1:
            return self.context.transact(lambda session: self._rewrap_in_project(session, pairs, now))
        if self.context.sql.writes_in_one:
            parameters = text_parameters.rewrap_parameters(pairs, now)
            written = self.context.write_statement(self.context.sql.rewraps.rewrap_many, parameters)
            return frozenset(uuid_of(wallet_id) for wallet_id, *_ in written)

        def unit(session: Session) -> frozenset[UUID]:
            return frozenset(stored.wallet.id for stored, text in pairs if self._rewrap_one(session, stored, text, now))

        return self.context.transact(unit)

    def _rewrap_one(self, session: Session, stored: StoredWallet, text: str, now: datetime) -> bool:
        """On SQLite, where the transaction holds the lock. The history first: the guard lets pass what is kept."""
        parameters = text_parameters.rewrap_row(stored, text, now)
        if session.fetch(self.context.sql.wallets.vault_texts, parameters) != [(stored.sealed_text,)]:
            return False
        session.write(self.context.sql.wallets.insert_history, {**parameters, "sealed_text": stored.sealed_text})
        if session.change(self.context.sql.rewraps.rewrap_text, parameters) != 1:
            raise StoreRefusedError("The vault record that was read is not the one that was written.")
        session.write(self.context.sql.log.insert_log, parameters)
        return True

    def _rewrap_in_project(
        self, session: Session, pairs: Sequence[tuple[StoredWallet, str]], now: datetime
    ) -> frozenset[UUID]:
        """Those of one project where tables are divided, each statement of one part. The history first, as above."""
        rewraps, project = self.context.sql.rewraps, {"project_id": pairs[0][0].wallet.project_id}
        asked = {**text_parameters.rewrap_parameters(pairs, now), **project}
        there = frozenset(uuid_of(wallet_id) for (wallet_id,) in session.fetch(rewraps.lock_in_project, asked))
        moved = [pair for pair in pairs if pair[0].wallet.id in there]
        if not moved:
            return there
        written = {**text_parameters.rewrap_parameters(moved, now), **project}
        kept = session.change(rewraps.keep_in_project, written)
        texts = session.fetch(rewraps.rewrap_in_project, written)
        logged = session.change(rewraps.log_in_project, written)
        if texts != [(True,)] * len(moved) or (kept, logged) != (len(moved), len(moved)):
            raise TriggerConflictError("A trigger or rule changed a text or kept a row out; nothing was written.")
        return there

    def _change(self, unit: Callable[[Session], object], head: TaggedHead, event: Event, now: datetime) -> bool:
        def whole(session: Session) -> bool:
            sql = self.context.sql
            if not session.change_as_read(
                sql.keyring.change_keyring_head, head_parameters(head), sql.unwritten.head_as_read
            ):
                return False
            unit(session)
            session.write(self.context.sql.keyring.insert_event, rows.event_parameters(event, now))
            return True

        return self.context.transact(whole)

    def _insert_wraps(self, session: Session, wraps: Sequence[WrappedKey], now: datetime) -> None:
        for wrap in wraps:
            session.write(
                self.context.sql.keyring.insert_wrap,
                {
                    "kid": wrap.kid,
                    "root_key": wrap.root_key_uri,
                    "wrapped": wrap.wrapped,
                    "check_value": wrap.check_value,
                    "now": now,
                },
            )
