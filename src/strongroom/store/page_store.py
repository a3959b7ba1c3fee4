"""Reading wallets and projects page by page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from strongroom.errors import StoreRefusedError
from strongroom.records.projects import ProjectSummary
from strongroom.records.stored_wallets import StoredWallet
from strongroom.records.wallets import WalletPlace
from strongroom.store.connection.session import Row
from strongroom.store.context import StoreContext, retry_after_schema_change
from strongroom.store.statements.register_rows import NO_UUID, is_spelled, uuid_of
from strongroom.store.statements.wallet_row import FIRST_WALLET, behind, names_project


class SqlPageStore:
    """Pages in the order of ids; no transaction stays open between two of them."""

    def __init__(self, context: StoreContext) -> None:
        self.context = context

    @retry_after_schema_change
    def page(
        self,
        project_id: UUID | None,
        network: str | None,
        after: WalletPlace | None,
        limit: int,
        search: str | None = None,
    ) -> list[StoredWallet]:
        """One page of a project's wallets, or of all, in the order of their ids, which is that of their creation."""
        asked = {"project_id": project_id, "network": network, "search": search}
        if project_id is None or search is not None:
            sql = self.context.sql.pages.search_page(
                frozenset(name for name, value in asked.items() if value is not None)
            )
        else:
            sql = (
                self.context.sql.wallets.page_of_project
                if network is None
                else self.context.sql.wallets.page_of_network
            )
        place = FIRST_WALLET if after is None else behind(after)
        found = self._rows_after(sql, asked, place, limit, of_wallets=True)
        return [self.context.stored(row) for row in found]

    @retry_after_schema_change
    def projects(self, after: UUID | None, limit: int) -> list[ProjectSummary]:
        """One page of projects, in the order of their ids."""
        found = self._rows_after(self.context.sql.pages.projects, {}, {"after": after or NO_UUID}, limit)
        return [ProjectSummary(uuid_of(project_id), int(wallets)) for project_id, wallets in found]

    def _rows_after(
        self, sql: str, asked: Mapping[str, Any], place: Mapping[str, Any], limit: int, *, of_wallets: bool = False
    ) -> list[Row]:
        """Up to ``limit`` rows in the order of ids, without those whose id or project is no UUID: they name nothing.

        Each page goes on after the id as it stands, so that it advances whatever stands there. Raises StoreRefusedError
        where an id is spelled in another way, and more may follow, which nobody could ask for, or the tables are ours.
        """
        kept: list[Row] = []
        while True:
            found = self.context.read(sql, {**asked, **place, "limit": limit})
            named = [row for row in found if uuid_of(_id_of(row)) != NO_UUID]
            if of_wallets and self.context.foreign:
                named = [row for row in named if names_project(row)]
            if (len(found) == limit or not self.context.foreign) and not all(is_spelled(_id_of(row)) for row in named):
                raise StoreRefusedError(
                    "An id in the wallet tables is not spelled as UUIDs are: in small letters, with hyphens.",
                    hint="Find it with `strongroom doctor`; a larger limit lists what fits on one page.",
                )
            kept += named
            if len(found) < limit or len(kept) >= limit:
                return kept[:limit]
            place = behind(found[-1])


def _id_of(row: Row) -> Any:
    """The id that pages are in the order of: every statement here returns it first."""
    found, *_ = row
    return found
