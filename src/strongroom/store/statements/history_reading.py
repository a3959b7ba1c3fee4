"""Read what the history keeps, as text. What every statement of an inspection is made of is here, too."""

from __future__ import annotations

from functools import cached_property

from strongroom.store.catalog.foreign_schema import CREDENTIALS, TABLES
from strongroom.store.catalog.profile import Profile
from strongroom.store.statements.sealed_forms import is_one_sealed

MAX_TEXT_CHARACTERS = 65_536
"""Four times the longest document that a key is read from; the rest of a longer text is not even fetched."""
SHORT_CHARACTERS = 512
NO_ID = "(an id that is none)"
"""Of an entry whose id is no UUID, which SQLite takes."""
_IS_UUID = "id GLOB '" + "-".join("[0-9a-f]" * digits for digits in (8, 4, 4, 4, 12)) + "'"
_UTF8_BYTES = 4  # the most that a character takes
_KEPT = "id, credential_id, network, address, text, form, reason, project_id"


class HistoryReading:
    """The statements about the history, for one engine and one profile."""

    def __init__(self, profile: Profile, *, sqlite: bool) -> None:
        self._sqlite, self._foreign, self._sharded = sqlite, profile.foreign, profile.sharded
        self._id = "" if self._has_uuids(CREDENTIALS, "id", "project_id") else "::text"

    @cached_property
    def kept_of(self) -> str:
        """Rows of the history, to which a condition is added."""
        return f"SELECT {self._kept()} FROM strongroom_vault_history"  # noqa: S608

    @cached_property
    def kept_entry(self) -> str:
        """An entry of the history."""
        return f"{self.kept_of} WHERE id = {self._parameter('id')}"

    def kept(self, sealed: bool) -> str:
        """A page of the texts that the history keeps of a credential, sealed ones or the others, newest first."""
        return (
            f"{self.kept_of} WHERE credential_id = {self._parameter('id')} AND form {'=' if sealed else '<>'} 'sealed' "
            f"ORDER BY created_at DESC, id DESC LIMIT {self._parameter('limit')} OFFSET {self._parameter('skipped')}"
        )

    def unsealed_history(self, after: bool, of_project: bool, repaired: bool) -> str:
        """A page of the texts in the history that are the legacy application's, as they were or sealed as a text, and
        of those that say sealed and are not one sealed text alone.

        ``repaired``: with the envelopes and keystores that a repair opened and kept.
        """
        theirs = " AND reason <> 'repair'"
        others = f"reason = 'archive' OR NOT {is_one_sealed('text', sqlite=self._sqlite)}"
        conditions = [
            f"(form <> 'sealed'{'' if repaired else theirs} OR form = 'sealed' AND ({others}))",
            *([self._after("id")] if after else ()),
            *([_IS_UUID] if self._sqlite else ()),
            *([f"project_id = {self._parameter('project_id')}"] if of_project else ()),
        ]
        return (
            f"SELECT {self._kept()} FROM strongroom_vault_history WHERE {' AND '.join(conditions)} "  # noqa: S608
            f"ORDER BY id LIMIT {self._parameter('limit')}"
        )

    def sealed_beginnings(self, after: bool, of_others: bool) -> str:
        """A page of the beginnings of sealed texts, with the wallets that they are kept of.

        ``of_others``: of those alone that others wrote, or that were moved; strongroom keeps each under its own wallet.
        """
        conditions = [
            "form = 'sealed'",
            *(["(substr(reason, 1, 5) = 'guard' OR reason IN ('archive', 'repair'))"] if of_others else ()),
            *([self._after("id")] if after else ()),
            *([_IS_UUID] if self._sqlite else ()),
        ]
        columns = ", ".join(self._cut(each, SHORT_CHARACTERS) for each in ("id", "credential_id", "text"))
        columns = f"{columns}, length(text)"
        return (
            f"SELECT {columns} FROM strongroom_vault_history WHERE {' AND '.join(conditions)} "  # noqa: S608
            f"ORDER BY id LIMIT {self._parameter('limit')}"
        )

    def unplaced(self, after: bool, of_project: bool) -> str:
        """A page of the wallets of sealed texts in the history that are gone, or have another address by now."""
        mine = "c.id" if self._id == "" else "c.id::text"
        theirs = "h.credential_id" if self._id == "" else "h.credential_id::text"
        if not self._has(CREDENTIALS, "wallet_address"):
            address = "c.public_key"
        else:
            address = "coalesce(nullif(c.wallet_address, ''), c.public_key)"
        conditions = [
            "h.form = 'sealed'",
            f"(c.id IS NULL OR lower(h.address) <> lower({address}))",
            *([self._after("h.credential_id")] if after else ()),
            *([self._names_something("h.credential_id")] if self._sqlite else ()),
            *([f"h.project_id = {self._parameter('project_id')}"] if of_project else ()),
        ]
        return (
            f"SELECT DISTINCT h.credential_id, {self._cut(address, SHORT_CHARACTERS)}, c.id IS NULL "  # noqa: S608
            f"FROM strongroom_vault_history h LEFT JOIN {CREDENTIALS} c ON {mine} = {theirs}{self.same_project('h')} "
            f"WHERE {' AND '.join(conditions)} ORDER BY h.credential_id LIMIT {self._parameter('limit')}"
        )

    def _kept(self) -> str:
        sizes, names = {"text": MAX_TEXT_CHARACTERS + 1}, _KEPT.split(", ")
        columns = {name: self._cut(name, sizes.get(name, SHORT_CHARACTERS)) for name in names}
        if self._sqlite:  # where anything may stand for an id, a key as well: it is printed
            columns["id"] = f"CASE WHEN {_IS_UUID} THEN id ELSE '{NO_ID}' END"
        return ", ".join(columns.values())

    def same_project(self, alias: str) -> str:
        """That a row is of a credential's project, where tables are divided by it: they join on nothing less there."""
        return f" AND {alias}.project_id = c.project_id" if self._sharded else ""

    def of_stored_project(self, table: str, alias: str = "") -> str:
        """That a row is still of the project that was read in it, whosever it is: what locks or writes it says so.

        Nothing of legacy wallet tables, whose columns are theirs, nor of SQLite, where nobody else writes meanwhile.
        """
        if self._sqlite or (self._foreign is not None and table in TABLES):
            return ""
        return f" AND {alias}project_id = {self._parameter('stored_project')}"

    def _after(self, column: str) -> str:
        """That an id comes after a cursor. On SQLite the cursor is bytes: a text may be none that Python could send."""
        if not self._sqlite:
            return f"{column} > {self._parameter('after')}"
        return f"{column} > CAST(:after AS TEXT) AND {self._names_something(column)}"

    @staticmethod
    def _names_something(column: str) -> str:
        """That an id of SQLite is a text, read whole: BLOBs are sorted after texts, and a cut id is no cursor."""
        return f"typeof({column}) = 'text' AND length(CAST({column} AS BLOB)) <= {SHORT_CHARACTERS}"

    def _cut(self, column: str, characters: int) -> str:
        if self._sqlite:  # as bytes: for substr a text ends where its first NUL is
            cut = f"CAST(substr(CAST({column} AS BLOB), 1, {_UTF8_BYTES * characters}) AS TEXT)"
            empty = f"CASE typeof({column}) WHEN 'null' THEN NULL ELSE '' END"  # of which no large value is read
            return f"coalesce({cut}, {empty})"  # substr() of an empty BLOB is NULL before SQLite 3.41
        return f"left({column}::text, {characters})"

    def _has_uuids(self, table: str, *columns: str) -> bool:
        return all(self._type(table, column) in (None, "uuid") for column in columns)

    def _type(self, table: str, column: str) -> str | None:
        """The type of a column of a legacy table; None where the tables are ours."""
        found = None if self._foreign is None else self._foreign.columns.get(table, {}).get(column)
        return None if found is None else found.type

    def _has(self, table: str, column: str) -> bool:
        return self._foreign is None or self._foreign.has(table, column)

    def _parameter(self, name: str) -> str:
        return f":{name}" if self._sqlite else f"%({name})s"
