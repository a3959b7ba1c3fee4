"""Read wallets of every project, by how they begin, and projects: page by page."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, Select, and_, case, func, literal_column, or_, select, tuple_
from sqlalchemy import text as text_sql
from sqlalchemy.sql.base import Executable

from strongroom.records.vault_texts import LEAST_SEALED_CHARACTERS
from strongroom.store.statements.building import LONGEST_TEXT, LONGEST_VALUE, Statement, StatementBuilder, limited
from strongroom.store.statements.column_forms import equals, param
from strongroom.store.statements.register_rows import NO_UUID
from strongroom.store.statements.tables import CREDENTIAL, HEAD, HISTORY, REGISTER, VAULT, WALLET_TABLES
from strongroom.store.statements.text_forms import begins_sealed, from_place, place_of, size_of, substring

LONGEST_HELD = 1 << 18
"""Characters that are read of a text that has or may have a sealed one; no text with more bytes is looked into."""


class PageStatements(StatementBuilder):
    """Pages of wallets, of records and of projects."""

    @Statement
    def projects(self) -> Executable:
        """A page of projects after an id, each with the number of its wallets."""
        owner = CREDENTIAL.c.project_id
        found = select(owner, func.count()).where(owner > self.id_param("after", owner)).group_by(owner).order_by(owner)
        return limited(found, param("limit", HEAD.c.version))

    @Statement
    def records_without_rows(self) -> Executable:
        """A page of records, after an id, whose wallets have no credential; in divided tables several may have it."""
        own = and_(self.is_named_by(REGISTER), *self.next_to_page(CREDENTIAL.c.id, True))
        rows = REGISTER.outerjoin(CREDENTIAL, own)
        place, named = [REGISTER.c.credential_id], [param("after", REGISTER.c.credential_id)]
        if self.sharded:
            place.append(REGISTER.c.project_id)
            named.append(param("after_project_id", REGISTER.c.project_id))
        after = tuple_(*place) > tuple_(*named)
        found = select(*self.record_columns(whole=True)).select_from(rows).where(CREDENTIAL.c.id.is_(None), after)
        return limited(found.order_by(*place), param("limit", HEAD.c.version))

    @Statement
    def keys_of_rows(self) -> Executable:
        """A page of what rows state after an id: whose wallet, its key and address, and a sealed text of it.

        Where tables are divided, an id may be in several parts: then a project is part of the place.
        """
        text = self.vault.c.encrypted_private_key
        sealed = case((begins_sealed(text), substring(text, LONGEST_TEXT)))
        columns = (
            self.beginning_of(CREDENTIAL.c.public_key),
            self.cut(CREDENTIAL.c.public_key, self.address()).label("address"),
        )
        found = select(CREDENTIAL.c.id, CREDENTIAL.c.project_id, *columns, sealed).select_from(
            self.with_vault(CREDENTIAL, paged=not self.sharded)
        )
        after = self.id_param("after", CREDENTIAL.c.id)
        if not self.sharded:
            return limited(
                found.where(CREDENTIAL.c.id > after).order_by(CREDENTIAL.c.id), param("limit", HEAD.c.version)
            )
        place = (CREDENTIAL.c.project_id, CREDENTIAL.c.id)
        behind = tuple_(*place) > tuple_(param("after_project_id", CREDENTIAL.c.project_id), after)
        return limited(found.where(behind).order_by(*place), param("limit", HEAD.c.version))

    @Statement
    def sealed_texts(self) -> Executable:
        """A page of the sealed texts of all vault records, after one: whose wallet, whatever rows and records it has.

        Of a wallet with rows one record is read with those: others may have been planted next to it.
        """
        place, text = self.sorted_id(VAULT.c.id), VAULT.c.encrypted_private_key
        found = select(VAULT.c.credential_id, place.label("place"), substring(text, LONGEST_TEXT))
        after = place > self.id_param("after", VAULT.c.id)
        return limited(found.where(begins_sealed(text), after).order_by(place), param("limit", HEAD.c.version))

    @Statement
    def records_with_sealed(self) -> Executable:
        """A page of the texts of vault records that have a sealed text anywhere, or one that is wrapped in something.

        Each as a whole, or from the first sealed text on where it is longer than any that is looked into. Metadata are
        always whole: their members are looked into one by one. A page begins with the row of the id that it is behind:
        the first id of all is one as well.
        """
        return self._with_sealed(VAULT.c.id, VAULT.c.encrypted_private_key)

    @Statement
    def entries_with_sealed(self) -> Executable:
        """The same of texts that were kept."""
        return self._with_sealed(HISTORY.c.id, HISTORY.c.text)

    @Statement
    def metadata_with_sealed(self) -> Executable:
        """The same of the metadata of credentials."""
        return self._with_sealed(CREDENTIAL.c.id, CREDENTIAL.c["metadata"])

    def _with_sealed(self, row: Column[Any], column: Column[Any]) -> Select[Any]:
        place, named = [self.sorted_id(row)], [self.id_param("after", row)]
        owner: Any = literal_column("NULL")
        if self.sharded:
            owner = row.table.c.project_id
            place, named = [owner, *place], [param("after_project_id", owner), *named]
        cast = "::text" if self.writes_in_one else ""
        lacking = row.table.name in WALLET_TABLES and not self.has(column)
        whole: Any = literal_column(f"NULL{cast}" if lacking else f"{column.table.name}.{column.name}{cast}")
        postgresql = self.writes_in_one
        from_there = place_of(whole, param("beginning", VAULT.c.encrypted_private_key), postgresql=postgresql)
        size = size_of(whole, postgresql=postgresql)
        may_hold = size >= literal_column(str(LEAST_SEALED_CHARACTERS))
        if row.table is not CREDENTIAL:
            may_hold = and_(may_hold, size <= literal_column(str(LONGEST_HELD)))
        start = case((may_hold, literal_column("1")), else_=from_there)
        text = from_place(whole, start, LONGEST_HELD + 1, postgresql=postgresql)
        found: Select[Any] = select(place[-1].label("place"), owner.label("owner"), text).select_from(row.table)
        found = found.where(tuple_(*place) >= tuple_(*named), or_(may_hold, from_there > literal_column("0")))
        return limited(found.order_by(*place), param("limit", HEAD.c.version))

    def first_place(self, table: str) -> dict[str, Any]:
        """Where the first page of texts with sealed ones begins: no id comes before. SQLite takes any text for one."""
        row = {"record": VAULT, "entry": HISTORY, "metadata": CREDENTIAL}[table].c.id
        return {"after": NO_UUID if self.writes_in_one and self._is_uuid(row) else "", "after_project_id": NO_UUID}

    @Statement
    def keys_of_records(self) -> Executable:
        """A page of what records state, after one: whose wallet, its key and address."""
        place = (REGISTER.c.project_id, REGISTER.c.credential_id)
        named = tuple_(param("after_project_id", REGISTER.c.project_id), param("after", REGISTER.c.credential_id))
        texts = (substring(each, LONGEST_VALUE) for each in (REGISTER.c.public_key, REGISTER.c.address))
        found = select(REGISTER.c.credential_id, REGISTER.c.project_id, *texts, literal_column("NULL"))
        return limited(found.where(tuple_(*place) > named).order_by(*place), param("limit", HEAD.c.version))

    @Statement
    def records_with_paths(self) -> Executable:
        """A page of the whole records, after one, that say that their keys are in a phrase's tree."""
        place = (REGISTER.c.project_id, REGISTER.c.credential_id)
        named = tuple_(param("after_project_id", REGISTER.c.project_id), param("after", REGISTER.c.credential_id))
        found = select(*self.record_columns(whole=True)).where(REGISTER.c.path.is_not(None), tuple_(*place) > named)
        return limited(found.order_by(*place), param("limit", HEAD.c.version))

    @Statement
    def records_of_wallets(self) -> Executable:
        """The whole records of some wallets."""
        named = "= ANY (:ids\\:\\:uuid[])" if self.writes_in_one else "IN (SELECT value FROM json_each(:ids))"
        return select(*self.record_columns(whole=True)).where(text_sql(f"strongroom_wallet.credential_id {named}"))

    def search_page(self, given: frozenset[str]) -> str:
        """Wallets after an id. ``given`` names parameters that narrow it: ``project_id``, ``network``, ``search``.

        ``search`` is the beginning of an address, in small letters, or of a label. Wallets that the register does not
        have are among them however they begin; on legacy tables, those of other networks are, too.
        """
        begins = param("search", CREDENTIAL.c.wallet_address)
        length = func.length(begins)
        narrowing = {
            "project_id": self.is_id(CREDENTIAL.c.project_id, "project_id"),
            "search": or_(
                func.lower(func.substr(self.address(), literal_column("1"), length)) == begins,
                func.substr(REGISTER.c.label, literal_column("1"), length) == begins,
                REGISTER.c.label.is_(None),
            ),
        }
        if self.foreign is None:
            narrowing["network"] = equals(CREDENTIAL.c.network, "network")
        found = self.paged(of_project="project_id" in given)
        return self.compiled(found.where(*(narrowing[name] for name in sorted(given & narrowing.keys()))))
