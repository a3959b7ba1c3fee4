"""Every wallet of a database as it stands, healthy or not: a stream for those who look and change nothing.

Nothing is trusted here: texts are cut where they are longer than any key, ids are text, a column that the schema does
not have is None, and what belongs together is put together by ids alone. A record whose credential is gone comes as a
wallet without one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Sequence
from heapq import merge
from itertools import groupby, islice
from typing import Any
from uuid import UUID

from strongroom import bounded_json
from strongroom.errors import ForeignSchemaError, InvalidWalletIdError
from strongroom.records.identifiers import check_wallet_id
from strongroom.records.keyring import KeyringRows
from strongroom.store import schema
from strongroom.store.catalog.foreign_schema import CREDENTIALS, VAULT
from strongroom.store.catalog.profile import Profile
from strongroom.store.catalog.referenced_rows import lacks_project
from strongroom.store.connection.read_only import ReadOnlyDatabase
from strongroom.store.inspection.inspection_rows import (
    FoundCredential,
    FoundRecord,
    FoundWallet,
    KeptText,
    found_wallet,
    wallet_id_of,
)
from strongroom.store.inspection.kept_texts import KeptTexts
from strongroom.store.keyring_store import read_keyring
from strongroom.store.statements import Statements, rows
from strongroom.store.statements.history_reading import MAX_TEXT_CHARACTERS
from strongroom.store.statements.inspection import MOST_RECORDS, InspectionStatements

__all__ = ["MAX_TEXT_CHARACTERS", "FoundCredential", "FoundRecord", "FoundWallet", "Inspection", "KeptText"]

HISTORY = "strongroom_vault_history"
SLOT = "strongroom_slot"
_NEEDED = {CREDENTIALS: ("id",), VAULT: ("id", "credential_id", "encrypted_private_key")}
_PLAIN = re.compile("[0-9a-f-]{1,78}")
_MOST_EVENTS = 10_000
_PAGE = 100
"""Of rows whose texts are as long as they are read, a page is some 26 MB."""
_HEADERS = 5_000
"""Of beginnings of texts."""
_NUMBERS = frozenset({"smallint", "integer", "bigint", "numeric"})
_LONGEST_NUMBER = 19


class Inspection:
    """Reads all that doctor looks at, in the order of credential ids. Writes nothing.

    Raises ForeignSchemaError where the legacy tables lack a column without which a key would seem to be lost.
    """

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
        self._require_columns()

    def has(self, table: str, column: str) -> bool:
        """Whether a wallet table has a column."""
        return self._profile.foreign is None or self._profile.foreign.has(table, column)

    def _require_columns(self) -> None:
        missing = [
            f"{table}.{column}"
            for table, columns in _NEEDED.items()
            for column in columns
            if table in self._tables and not self.has(table, column)
        ]
        if missing:
            raise ForeignSchemaError(
                f"The wallet tables cannot be read, they lack: {', '.join(missing)}.",
                hint="Check the search_path, and under which names the application keeps its keys.",
            )

    def count_credentials(self) -> int:
        """How many credentials there are."""
        return self._count(CREDENTIALS)

    def count_records(self) -> int:
        """How many vault records there are."""
        return self._count(VAULT) if self.has_records else 0

    def keyring(self) -> KeyringRows | None:
        """The keyring as stored, or None."""
        if not {"strongroom_keyring", "strongroom_keyring_wrap", "strongroom_keyring_head"} <= self._tables:
            return None
        tagged = self._profile.version == schema.HEAD
        return read_keyring(self._database, Statements(self._database.engine.dialect), tagged=tagged)

    def nonce_collisions(self) -> Iterator[tuple[str, str, str]]:
        """Wallet, chain and nonce of what an upgrade found signed twice; the newest ones."""
        if "strongroom_events" not in self._tables:
            return
        for (text,) in self._database.read(self._sql.events, {"event": "nonce-collision", "limit": _PAGE}):
            try:
                details = bounded_json.loads(text) if isinstance(text, str) else None
            except ValueError:
                continue
            names = ("wallet", "chain_id", "nonce")
            told = [str(details.get(name)) for name in names] if isinstance(details, dict) else []
            if told and all(_PLAIN.fullmatch(each) for each in told):
                yield told[0], told[1], told[2]

    def acknowledgements(self) -> Iterator[dict[str, Any]]:
        """What the newest events say that acknowledge findings; nothing in them is checked."""
        if "strongroom_events" not in self._tables:
            return
        for (text,) in self._database.read(self._sql.events, {"event": "acknowledge", "limit": _MOST_EVENTS}):
            found = rows.facts(text)
            if found:
                yield found

    def places(self, ids: Collection[str]) -> dict[str, tuple[str | None, str, str]]:
        """Project, network and address of credentials by id, as their rows say them; what can be no id is left out."""
        asked = [each for each in ids if self._can_be(each)]
        if not asked or not self.readable:
            return {}
        found = self._database.read(self._sql.places, {"ids": json.dumps(asked) if self._database.sqlite else asked})
        return {row[0]: (row[1], row[2] or "", row[3] or "") for row in map(rows.readable, found)}

    def _can_be(self, wallet_id: str) -> bool:
        try:
            self._checked(wallet_id)
        except InvalidWalletIdError:
            return False
        return True

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
        """An id as the database compares it: the legacy application's may be numbers, or any text."""
        kind = "uuid" if self._profile.foreign is None else self._profile.foreign.columns[CREDENTIALS]["id"].type
        if kind == "uuid":
            return str(check_wallet_id(since))
        if kind in _NUMBERS and not (since.isascii() and since.isdigit() and len(since) < _LONGEST_NUMBER):
            raise InvalidWalletIdError("The ids of this database's wallets are numbers.")
        if not since.isprintable():
            raise InvalidWalletIdError("An id holds a character that cannot be printed.")
        return since

    def _grouped(self, rows: Iterator[tuple[Any, ...]]) -> Iterator[FoundWallet]:
        for wallet_id, group in groupby(rows, key=wallet_id_of):
            if wallet_id is None:  # records that name no credential have nothing to do with each other
                yield from filter(_has_a_name, map(self._wallet, zip(group)))  # in no frame, as everywhere here
            else:
                yield from filter(_has_a_name, map(self._wallet, map(_bounded, (group,))))

    def kept(self, credential_id: str) -> KeptTexts:
        """The texts that the history keeps of a credential, sealed ones first."""
        if not self.has_history or not _is_uuid(credential_id):
            return KeptTexts(lambda _, __: [], self._sql, credential_id)
        return KeptTexts(self._database.read, self._sql, credential_id)

    def unsealed_history(self, *, repaired: bool = False) -> Iterator[KeptText]:
        """Every entry of the history that is no key of ours: the legacy application's text, as it is or sealed.

        ``repaired``: also what a repair opened and kept.
        """
        if not self.has_history:
            return
        after: str | None = None
        while True:
            rows = self._database.read(
                self._sql.unsealed_history(after is not None, self._project is not None, repaired),
                {"after": _cursor(after, self._database), "project_id": self._project, "limit": _PAGE},
            )
            yield from (KeptText(*row) for row in rows)
            if len(rows) < _PAGE:
                return
            after = str(rows[-1][0])
            del rows  # no frame holds texts while the next page is asked for

    def unplaced(self) -> Iterator[tuple[str, str, bool]]:
        """Wallets that the history keeps a sealed text of, and whose rows are gone or have another address.

        Yields id, address (empty where the rows are gone), and whether they are.
        """
        if not self.has_history:
            return
        after: str | None = None
        while True:
            rows = self._database.read(
                self._sql.unplaced(after is not None, self._project is not None),
                {"after": _cursor(after, self._database), "project_id": self._project, "limit": _PAGE},
            )
            yield from ((str(wallet_id), address or "", bool(gone)) for wallet_id, address, gone in rows)
            if len(rows) < _PAGE:
                return
            after = str(rows[-1][0])

    def sealed_beginnings(self, *, of_others: bool) -> Iterator[tuple[str, str, str, int]]:
        """Id, wallet, beginning and length of every sealed text that the history keeps; see the statement."""
        after: str | None = None
        while self.has_history:
            statement = self._sql.sealed_beginnings(after is not None, of_others)
            rows = self._database.read(statement, {"after": _cursor(after, self._database), "limit": _HEADERS})
            yield from ((str(each), str(wallet_id), text or "", int(size)) for each, wallet_id, text, size in rows)
            if len(rows) < _HEADERS:
                return
            after = str(rows[-1][0])

    def kept_entry(self, entry_id: str) -> KeptText | None:
        """An entry of the history; None where it is gone by now."""
        found = self._database.read(self._sql.kept_entry, {"id": entry_id})
        return KeptText(*found[0]) if found else None

    def has_record(self, wallet_id: str) -> bool:
        """Whether the register has a record of a wallet, be it genuine or not."""
        if "strongroom_wallet" not in self._tables or not _is_uuid(wallet_id):
            return False
        return bool(self._database.read(self._sql.recorded, {"id": wallet_id}))

    def lacks_project(self, project_id: str) -> bool:
        """Whether legacy tables want a row for a project, and it is not there or cannot be read."""
        if self._profile.foreign is None or self._database.sqlite:
            return False
        return lacks_project(self._database, project_id)

    def _wallet(self, rows: Sequence[tuple[Any, ...]]) -> FoundWallet:
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
            parameters = {"after": _cursor(after, self._database), "project_id": self._project, "limit": _PAGE}
            rows = self._database.read(statement, parameters)
            yield from rows
            if len({wallet_id_of(row) for row in rows}) < _PAGE:
                return
            after = wallet_id_of(rows[-1]) or ""
            del rows


def _cursor(after: str | None, database: ReadOnlyDatabase) -> str | bytes | None:
    """An id as a parameter; of SQLite as it stands there, which need not be UTF-8."""
    return after.encode("utf-8", "surrogateescape") if after and database.sqlite else after


def _bounded(rows: Iterator[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """The rows of one credential, as many as are read."""
    return list(islice(rows, MOST_RECORDS + 1))


def _is_uuid(text: str) -> bool:
    """Whether a credential of the legacy application can be one that a table of ours names."""
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _has_a_name(found: FoundWallet) -> bool:
    """Whether there is an id to tell it by: legacy tables may hold rows whose own id is NULL."""
    return found.credential is not None or bool(found.records)
