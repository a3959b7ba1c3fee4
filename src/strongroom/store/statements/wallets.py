"""Read wallets, and write whole ones."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    CTE,
    Select,
    and_,
    case,
    false,
    func,
    literal_column,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.sql.base import Executable

from strongroom.records.vault_texts import PLACEHOLDERS
from strongroom.store.statements.building import LONGEST_TEXT, Statement, knows_sealing_key, limited
from strongroom.store.statements.column_forms import equals, param
from strongroom.store.statements.slots import is_slot
from strongroom.store.statements.tables import (
    CREDENTIAL,
    CREDENTIAL_ROW,
    HISTORY,
    HISTORY_ROW,
    IDEMPOTENCY,
    IDEMPOTENCY_ROW,
    REGISTER,
    REGISTER_ROW,
    SLOT,
    SLOT_ROW,
    VAULT,
    VAULT_ROW,
)
from strongroom.store.statements.text_forms import beginning, begins_sealed, substring
from strongroom.store.statements.usage_log import LogStatements

_LONGEST_STATUS = 64
_MOST_STATUSES = 50


class WalletStatements(LogStatements):
    """Read wallets, and write whole ones."""

    @Statement
    def find_live(self) -> Executable:
        """The slot's credential id, version and tag, and the wallet; by the slot's primary key."""
        slot = (self.short(SLOT.c.credential_id), self.short(SLOT.c.version), *self.tag_of(SLOT))
        named = SLOT.outerjoin(CREDENTIAL, self.is_named_by(SLOT))
        return (
            select(*slot, *self.wallet_columns(SLOT))
            .select_from(self.with_record(self.with_vault(named)))
            .where(*is_slot())
        )

    @Statement
    def find_idempotent(self) -> Executable:
        """The key's request, credential id and tag, and the wallet; by the key's primary key."""
        request, named_id = substring(IDEMPOTENCY.c.request, LONGEST_TEXT), self.short(IDEMPOTENCY.c.credential_id)
        named = IDEMPOTENCY.outerjoin(CREDENTIAL, self.is_named_by(IDEMPOTENCY))
        return (
            select(request, named_id, *self.tag_of(IDEMPOTENCY), *self.wallet_columns(self.named_by))
            .select_from(self.with_record(self.with_slot(self.with_vault(named))))
            .where(equals(IDEMPOTENCY.c.project_id, "project_id"), equals(IDEMPOTENCY.c.key, "idempotency_key"))
        )

    @Statement
    def get(self) -> Executable:
        """Select a wallet by the id of its credential."""
        return self.wallets().where(self.is_id(CREDENTIAL.c.id, "id"))

    @Statement
    def get_in_project(self) -> Executable:
        """A wallet by id, if it is the project's."""
        return self.wallets().where(
            self.is_id(CREDENTIAL.c.id, "id"), self.is_id(CREDENTIAL.c.project_id, "project_id")
        )

    @Statement
    def find_by_address_in_project(self) -> Executable:
        """At most a hundred of a project's wallets with an address."""
        by_address = self.wallets().where(
            self.address() == param("address", CREDENTIAL.c.wallet_address),
            self.is_id(CREDENTIAL.c.project_id, "project_id"),
        )
        return limited(by_address.order_by(CREDENTIAL.c.id), literal_column("100"))

    @Statement
    def find_by_address(self) -> Executable:
        """At most a hundred wallets with an address."""
        by_address = self.wallets().where(self.address() == param("address", CREDENTIAL.c.wallet_address))
        return limited(by_address.order_by(CREDENTIAL.c.id), literal_column("100"))

    @Statement
    def page(self) -> Executable:
        """Select the wallets with ids above one, in the order of ids, at most a page."""
        return self.paged()

    @Statement
    def page_of_project(self) -> Executable:
        """A project's wallets after an id."""
        return self.paged(of_project=True).where(self.is_id(CREDENTIAL.c.project_id, "project_id"))

    @Statement
    def page_of_network(self) -> Executable:
        """A project's wallets on one network after an id; on legacy tables, on any network."""
        if self.foreign is not None:
            return self.paged(of_project=True).where(self.is_id(CREDENTIAL.c.project_id, "project_id"))
        return self.paged(of_project=True).where(
            self.is_id(CREDENTIAL.c.project_id, "project_id"), equals(CREDENTIAL.c.network, "network")
        )

    @Statement
    def count(self) -> Executable:
        """How many credentials there are."""
        return select(func.count()).select_from(CREDENTIAL)

    @Statement
    def count_of_project(self) -> Executable:
        """How many credentials a project has."""
        return select(func.count()).select_from(CREDENTIAL).where(self.is_id(CREDENTIAL.c.project_id, "project_id"))

    @Statement
    def count_by_status(self) -> Executable:
        """How many credentials there are of each status; of statuses nobody needs more than these."""
        status = self.column(CREDENTIAL.c.status)
        if self.has(CREDENTIAL.c.status):
            status = substring(self.text(CREDENTIAL.c.status), _LONGEST_STATUS)
        found = select(status, func.count()).select_from(CREDENTIAL).group_by(status).order_by(func.count().desc())
        return limited(found, literal_column(str(_MOST_STATUSES)))

    @Statement
    def count_by_custody(self) -> Executable:
        """How many credentials have a sealed text, another one, a placeholder, or nothing."""
        text = beginning(self.vault.c.encrypted_private_key)
        custody = case(
            (text.is_(None), literal_column("'missing'")),
            (begins_sealed(text), literal_column("'ours'")),
            (text.in_([literal_column(f"'{each}'") for each in sorted(PLACEHOLDERS)]), literal_column("'placeholder'")),
            else_=literal_column("'foreign'"),
        ).label("custody")
        return select(custody, func.count()).select_from(self.with_vault(CREDENTIAL)).group_by(custody)

    @Statement
    def candidates(self) -> Executable:
        """A page of a project's rows that may be live, and that no slot names or the register has in this one."""
        recorded_here = and_(equals(REGISTER.c.network, "network"), equals(REGISTER.c.label, "label"))
        query = self.paged(of_project=True).where(
            self.is_id(CREDENTIAL.c.project_id, "project_id"),
            or_(self.named_by.c.credential_id.is_(None), recorded_here),
        )
        if self.has(CREDENTIAL.c.is_active):
            query = query.where(self.flag(CREDENTIAL.c.is_active).is_not(false()))
        if self.has(CREDENTIAL.c.revoked_at):
            query = query.where(CREDENTIAL.c.revoked_at.is_(None))
        return query

    @Statement
    def insert_wallet(self) -> Executable:
        """A whole wallet in one statement."""
        return self._insert_wallet(None)

    @Statement
    def insert_wallet_with_key(self) -> Executable:
        """A whole wallet and its idempotency key in one statement."""
        key = self.insert_from(IDEMPOTENCY, IDEMPOTENCY_ROW, None, arbitrated=True)
        return self._insert_wallet(key.returning(IDEMPOTENCY.c.credential_id).cte("taken_key"))

    @Statement
    def take_idempotency(self) -> Executable:
        """The idempotency key's row, unless it is taken."""
        return self.insert(IDEMPOTENCY, IDEMPOTENCY_ROW, arbitrated=True)

    @Statement
    def adopt_idempotency(self) -> Executable:
        """Let the key that this transaction took name a wallet that was there."""
        return (
            update(IDEMPOTENCY)
            .values(
                credential_id=param("candidate", IDEMPOTENCY.c.credential_id),
                kid=param("tag_kid", IDEMPOTENCY.c.kid),
                tag=param("key_tag", IDEMPOTENCY.c.tag),
            )
            .where(equals(IDEMPOTENCY.c.project_id, "project_id"), equals(IDEMPOTENCY.c.key, "idempotency_key"))
        )

    @Statement
    def insert_credential(self) -> Executable:
        """Insert the credential: a wallet's public half."""
        return self.insert(CREDENTIAL, CREDENTIAL_ROW)

    @Statement
    def insert_vault_record(self) -> Executable:
        """Insert the vault record: a wallet's sealed half."""
        return self.insert(VAULT, VAULT_ROW)

    @Statement
    def insert_halves(self) -> Executable:
        """Both halves, record, log and history in one statement; a trigger's own vault record comes after it."""
        credential = self.insert_from(CREDENTIAL, CREDENTIAL_ROW, None).returning(CREDENTIAL.c.id).cte("credential")
        vault = self.insert_from(VAULT, VAULT_ROW, credential).returning(VAULT.c.id).cte("vault_record")
        log = self.insert_log_from(credential)
        history = self.insert_from(HISTORY, HISTORY_ROW, credential).returning(HISTORY.c.id).cte("history")
        record = self.insert_from(REGISTER, REGISTER_ROW, credential).returning(REGISTER.c.version).cte("record")
        parts = [select(func.count()).select_from(part).scalar_subquery() for part in (vault, log, history, record)]
        return select(*parts)

    @Statement
    def insert_history(self) -> Executable:
        """A text that stands, or stood, in a vault record."""
        return self.insert(HISTORY, HISTORY_ROW)

    @Statement
    def vault_texts(self) -> Executable:
        """The texts that stand in a credential's vault records, as many as one looks at; more of them are strange."""
        return self._vault_texts(*self.of_project(VAULT))

    @Statement
    def orphaned_texts(self) -> Executable:
        """The same of a credential that is gone, and its project with it."""
        return self._vault_texts()

    def _vault_texts(self, *narrower: Any) -> Select[Any]:
        text = substring(VAULT.c.encrypted_private_key, LONGEST_TEXT)
        return limited(select(text).where(self.is_id(VAULT.c.credential_id, "id"), *narrower), literal_column("100"))

    @Statement
    def written(self) -> Executable:
        """What a credential and its vault record say, as far as a sealed text is bound to it."""
        written = (
            select(
                substring(VAULT.c.encrypted_private_key, LONGEST_TEXT),
                self.cut(VAULT.c.vault_id, self.text(VAULT.c.vault_id)),
                self.uuid(CREDENTIAL.c.project_id),
                self.cut(CREDENTIAL.c.public_key, self.address()),
                self.beginning_of(CREDENTIAL.c.public_key),
                self.cut(CREDENTIAL.c.key_vault_id, self.text(CREDENTIAL.c.key_vault_id)),
                func.coalesce(self.flag(CREDENTIAL.c.is_active), true()),
            )
            .select_from(CREDENTIAL.outerjoin(VAULT, self.of_one_wallet()))
            .where(self.is_id(CREDENTIAL.c.id, "id"), *self.of_project(CREDENTIAL))
        )
        return limited(written, literal_column("2"))

    def _insert_wallet(self, key: CTE | None) -> Select[Any]:
        """One statement that writes a whole wallet, or nothing.

        Each part selects from what the part before it returned: the key's row, the slot's row, the credential.
        The answer is (keys taken, slots taken, vault records written). Foreign keys are checked at its end.
        """
        slot = (
            self.insert_from(SLOT, SLOT_ROW, key, arbitrated=True, where=knows_sealing_key())
            .returning(SLOT.c.credential_id)
            .cte("taken_slot")
        )
        credential = self.insert_from(CREDENTIAL, CREDENTIAL_ROW, slot).returning(CREDENTIAL.c.id).cte("credential")
        vault = self.insert_from(VAULT, VAULT_ROW, credential).returning(VAULT.c.id).cte("vault_record")
        log = self.insert_log_from(credential)
        record = self.insert_from(REGISTER, REGISTER_ROW, credential).returning(REGISTER.c.version).cte("record")

        def rows(part: CTE) -> Any:
            return select(func.count()).select_from(part).scalar_subquery()

        taken_key = literal_column("1") if key is None else rows(key)
        # A slot without vault record, log row and record must not commit: the division fails, and the statement.
        whole = rows(vault) * rows(log) * rows(record)
        guard = case((rows(slot) > literal_column("0"), literal_column("1") / whole), else_=literal_column("0"))
        return select(taken_key, rows(slot), rows(vault), guard)
