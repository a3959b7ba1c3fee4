"""Every wallet of a database as it stands, healthy or not: a stream for those who look and change nothing.

Nothing is trusted here: texts are cut where they are longer than any key, ids are text, a column that the schema does
not have is None, and what belongs together is put together by ids alone. A record whose credential is gone comes as a
wallet without one.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from heapq import merge
from itertools import groupby
from typing import Any
from uuid import UUID

from strongroom.errors import InvalidWalletIdError
from strongroom.identifiers import check_wallet_id
from strongroom.model import KeyringRows
from strongroom.store.foreign import CREDENTIALS, VAULT
from strongroom.store.keyring_store import read_keyring
from strongroom.store.profile import Profile
from strongroom.store.read_only import ReadOnlyDatabase
from strongroom.store.rows import label_of
from strongroom.store.statements import Statements
from strongroom.store.statements.inspection import MAX_TEXT_CHARACTERS, InspectionStatements

__all__ = ["MAX_TEXT_CHARACTERS", "FoundCredential", "FoundRecord", "FoundWallet", "Inspection", "KeptText"]

HISTORY = "strongroom_vault_history"
SLOT = "strongroom_slot"
_PAGE = 500
_NUMBERS = frozenset({"smallint", "integer", "bigint", "numeric"})
_LONGEST_NUMBER = 19
_TRUE = frozenset({"true", "t", "yes", "y", "on", "1"})
_FALSE = frozenset({"false", "f", "no", "n", "off", "0"})


@dataclass(frozen=True, slots=True)
class FoundRecord:
    """A row of ``credential_vault_storage``."""

    id: str
    credential_id: str | None
    text: str | None = field(repr=False)
    """At most one character more than ``MAX_TEXT_CHARACTERS``: whatever is longer is no key."""
    encryption_method: str | None
    access_level: str | None


@dataclass(frozen=True, slots=True)
class FoundCredential:
    """A row of ``project_credentials``."""

    id: str
    project_id: str | None
    network: str
    """What slot, column or credential type name; not proved to be the address's."""
    label: str
    address: str
    """``wallet_address``, else ``public_key``."""
    public_key: str
    key_vault_id: str | None
    live: bool
    status: str | None
    vault_stored: bool | None
    scheme: str | None
    path: str | None
    key_texts: tuple[tuple[str, str], ...] = field(repr=False)
    """Members of the metadata in which other code kept key texts: name and text."""


@dataclass(frozen=True, slots=True)
class FoundWallet:
    """A credential with its records, or records whose credential is gone."""

    credential: FoundCredential | None
    records: tuple[FoundRecord, ...]

    @property
    def id(self) -> str | None:
        """The credential's id, be the credential there or not; None for a record that names none."""
        return self.records[0].credential_id if self.credential is None else self.credential.id


@dataclass(frozen=True, slots=True)
class KeptText:
    """A row of ``strongroom_vault_history``."""

    id: str
    credential_id: str | None
    network: str
    address: str
    text: str = field(repr=False)
    form: str
    reason: str
    project_id: str | None


class Inspection:
    """Reads all that doctor looks at, in the order of credential ids. Writes nothing."""

    def __init__(
        self,
        database: ReadOnlyDatabase,
        profile: Profile,
        project_id: UUID | None = None,
        hidden: Collection[str] = frozenset(),
    ) -> None:
        self._database = database
        self._profile = profile
        self._project = None if project_id is None else str(project_id)
        self._sql = InspectionStatements(profile, sqlite=database.sqlite)
        self._tables = profile.tables - set(hidden)
        self.has_records = VAULT in self._tables
        """False on g1, which has no vault table."""
        self.has_history = HISTORY in self._tables
        self.readable = not {CREDENTIALS, VAULT, SLOT} & set(hidden)
        """Whether the wallets can be read at all: row-level security may hide them."""

    def has(self, table: str, column: str) -> bool:
        """Whether a wallet table has a column."""
        return self._profile.foreign is None or self._profile.foreign.has(table, column)

    def count_credentials(self) -> int:
        """How many credentials there are."""
        return self._count(CREDENTIALS)

    def count_records(self) -> int:
        """How many vault records there are."""
        return self._count(VAULT) if self.has_records else 0

    def keyring(self) -> KeyringRows | None:
        """The keyring as stored, or None where there is none."""
        if not {"strongroom_keyring", "strongroom_keyring_wrap", "strongroom_keyring_head"} <= self._tables:
            return None
        return read_keyring(self._database, Statements(self._database.engine.dialect))

    def wallets(self, since: str | None = None) -> Iterator[FoundWallet]:
        """Every wallet after an id, and every record without a credential, in the order of ids.

        Records that name no credential come last, whatever the id. Raises InvalidWalletIdError where ``since`` cannot
        be an id of this database.
        """
        after = None if since is None else self._checked(since)
        if not self._database.sqlite:
            yield from self._grouped(self._stream(after))
            return
        of_credentials = self._grouped(self._pages(self._sql.page_of_wallets(self._project is not None), after))
        of_none = self._grouped(self._pages(self._sql.page_of_orphans, after)) if self._project is None else ()
        yield from merge(of_credentials, of_none, key=lambda found: found.id or "")

    def _checked(self, since: str) -> str:
        """An id as the database compares it: other code's may be numbers, or any text."""
        kind = "uuid" if self._profile.foreign is None else self._profile.foreign.columns[CREDENTIALS]["id"].type
        if kind == "uuid":
            return str(check_wallet_id(since))
        if kind in _NUMBERS and not (since.isascii() and since.isdigit() and len(since) < _LONGEST_NUMBER):
            raise InvalidWalletIdError("The ids of this database's wallets are numbers.")
        return since

    def _grouped(self, rows: Iterator[tuple[Any, ...]]) -> Iterator[FoundWallet]:
        for wallet_id, group in groupby(rows, key=_wallet_id):
            if wallet_id is None:  # records that name no credential have nothing to do with each other
                yield from (self._wallet([row]) for row in group)
            else:
                yield self._wallet(list(group))

    def kept(self, credential_id: str) -> list[KeptText]:
        """The newest texts that the history keeps of a credential."""
        if not self.has_history:
            return []
        rows = self._database.read(self._sql.kept, {"id": credential_id})
        return [KeptText(*row) for row in rows]

    def foreign_history(self) -> Iterator[KeptText]:
        """Every entry of the history that is not sealed by us, in the order of ids."""
        if not self.has_history:
            return
        after: str | None = None
        while True:
            rows = self._database.read(
                self._sql.foreign_history(after is not None, self._project is not None),
                {"after": after, "project_id": self._project, "limit": _PAGE},
            )
            yield from (KeptText(*row) for row in rows)
            if len(rows) < _PAGE:
                return
            after = str(rows[-1][0])
            del rows  # no frame holds texts while the next page is asked for

    def _wallet(self, rows: list[tuple[Any, ...]]) -> FoundWallet:
        return found_wallet(rows, metadata_is_text=self._sql.metadata_is_text)

    def _count(self, table: str) -> int:
        rows = self._database.read(self._sql.count(table, self._project is not None), {"project_id": self._project})
        return int(rows[0][0])

    def _stream(self, since: str | None) -> Iterator[tuple[Any, ...]]:
        """PostgreSQL: one statement, one snapshot."""
        statement = self._sql.wallets(since is not None, self._project is not None)
        return self._database.stream(statement, {"since": since, "project_id": self._project}, _PAGE)

    def _pages(self, statement: str, since: str | None) -> Iterator[tuple[Any, ...]]:
        """SQLite: a statement for each page of wallets, since a long one would hold up those who write."""
        after = since or ""
        while True:
            parameters = {"after": after, "project_id": self._project, "limit": _PAGE}
            rows = self._database.read(statement, parameters)
            yield from rows
            if len({_wallet_id(row) for row in rows}) < _PAGE:
                return
            after = _wallet_id(rows[-1]) or ""
            del rows


def found_wallet(rows: Sequence[tuple[Any, ...]], *, metadata_is_text: bool) -> FoundWallet:
    """The wallet of all rows of one credential, or of records that have none."""
    records = tuple(FoundRecord(*row[_RECORD:]) for row in rows if row[_RECORD] is not None)
    if rows[0][0] is None:
        return FoundWallet(None, records)
    members = _members(rows[0][_METADATA]) if metadata_is_text else rows[0][_METADATA:_RECORD]
    return FoundWallet(_credential(rows[0][:_METADATA], members), records)


def _wallet_id(row: tuple[Any, ...]) -> str | None:
    return row[0] if row[0] is not None else row[_RECORD + 1]  # type: ignore[no-any-return]


_METADATA = 13
_RECORD = 18
"""Where in a row the metadata begin, and the record."""
_MEMBERS = ("private_key_encrypted", "vault_storage.encrypted_private_key", "private_key_vault_id")


def _members(text: str | None) -> tuple[str | None, ...]:
    """What is looked for in metadata that come as text; nothing where they are no JSON object."""
    try:
        return _looked_for(json.loads(text or ""))
    except (ValueError, RecursionError):
        return _looked_for(None)


def _looked_for(facts: Any) -> tuple[str | None, ...]:
    if not isinstance(facts, dict):
        return (None,) * (_RECORD - _METADATA)
    nested = facts.get("vault_storage")
    found = (
        facts.get(_MEMBERS[0]),
        nested.get("encrypted_private_key") if isinstance(nested, dict) else None,
        facts.get(_MEMBERS[2]),
        facts.get("scheme"),
        facts.get("path"),
    )
    return tuple(value if value is None or isinstance(value, str) else json.dumps(value) for value in found)


def _flag(value: Any) -> bool | None:
    """A boolean from a column of any type: PostgreSQL's words where it is text. None for what says neither."""
    word = str(value).strip().lower()
    return True if word in _TRUE else False if word in _FALSE else None


def _credential(row: tuple[Any, ...], members: tuple[Any, ...]) -> FoundCredential:
    (
        credential_id,
        project_id,
        slot_network,
        slot_label,
        network,
        kind,
        wallet_address,
        public_key,
        key_vault_id,
        status,
        is_active,
        revoked,
        vault_stored,
    ) = row
    return FoundCredential(
        id=credential_id,
        project_id=project_id,
        network=slot_network or network or (kind or "").partition("_wallet")[0],
        label=slot_label or label_of(kind),
        address=wallet_address or public_key or "",
        public_key=public_key or "",
        key_vault_id=key_vault_id,
        live=_flag(is_active) is not False and not revoked,
        status=status,
        vault_stored=_flag(vault_stored),
        scheme=members[3],
        path=members[4],
        key_texts=tuple((name, text) for name, text in zip(_MEMBERS, members, strict=False) if text),
    )
