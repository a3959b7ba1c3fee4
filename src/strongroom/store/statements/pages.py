"""Read wallets of every project, by how they begin, and projects: page by page."""

from __future__ import annotations

from sqlalchemy import func, literal_column, or_, select
from sqlalchemy.sql.base import Executable

from strongroom.store.statements.building import Statement, StatementBuilder, limited
from strongroom.store.statements.column_forms import equals, param
from strongroom.store.statements.tables import CREDENTIAL, HEAD, REGISTER


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
        """A page of records, after an id, whose wallets have no credential."""
        rows = REGISTER.outerjoin(CREDENTIAL, self.is_named_by(REGISTER))
        after = REGISTER.c.credential_id > param("after", REGISTER.c.credential_id)
        found = select(*self.record_columns(whole=True)).select_from(rows).where(CREDENTIAL.c.id.is_(None), after)
        return limited(found.order_by(REGISTER.c.credential_id), param("limit", HEAD.c.version))

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
        return self.compiled(self.paged().where(*(narrowing[name] for name in sorted(given & narrowing.keys()))))
