"""The stores of a vault on SQLite and PostgreSQL: one a protocol, over one context."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self, TypeVar

from strongroom.records.status import StoreStatus
from strongroom.records.vault_texts import SEALED_PATTERN
from strongroom.store import schema
from strongroom.store.catalog.sharding import read_spread
from strongroom.store.catalog.standbys import read_standbys
from strongroom.store.connection.async_calls import run_awaited
from strongroom.store.connection.transport import transport_remark
from strongroom.store.connection.urls import shown_url
from strongroom.store.context import StoreContext
from strongroom.store.erase_store import SqlEraseStore
from strongroom.store.exposure_store import SqlExposureStore
from strongroom.store.keyring_store import SqlKeyringStore
from strongroom.store.lifecycle_store import SqlLifecycleStore
from strongroom.store.log_store import SqlLogStore
from strongroom.store.page_store import SqlPageStore
from strongroom.store.phrase_store import SqlPhraseStore
from strongroom.store.register_store import SqlRegisterStore
from strongroom.store.repair_store import SqlRepairStore
from strongroom.store.rescue_store import SqlRescueStore
from strongroom.store.signing_store import SqlSigningStore
from strongroom.store.tag_store import SqlTagStore
from strongroom.store.wallet_store import SqlWalletStore

T = TypeVar("T")


class SqlStore:
    """Every store of a SQL database whose profile was found usable."""

    def __init__(self, context: StoreContext) -> None:
        self.context = context
        self.wallets = SqlWalletStore(context)
        self.pages = SqlPageStore(context)
        self.phrases = SqlPhraseStore(context)
        self.exposures = SqlExposureStore(context)
        self.keyring = SqlKeyringStore(context)
        self.lifecycle = SqlLifecycleStore(context)
        self.signing = SqlSigningStore(context)
        self.register = SqlRegisterStore(context)
        self.tags = SqlTagStore(context)
        self.log = SqlLogStore(context)
        self.erase = SqlEraseStore(context)
        self.rescue = SqlRescueStore(context)
        self.repair = SqlRepairStore(context)

    def within(self, connection: Any | None) -> Self:
        """The same stores in the transaction of a caller's connection; None: these, on connections of our own."""
        return self if connection is None else type(self)(self.context.within(connection))

    async def run_awaited(self, connection: Any, verb: Callable[[Any], T]) -> T:
        """Run a verb that takes a connection on an asynchronous one, on the caller's loop."""
        return await run_awaited(connection, verb)

    @property
    def durable(self) -> bool:
        """Whether what is read and written here has been committed."""
        return self.context.durable

    def run_key_work(self, work: Callable[[], T]) -> T:
        """Run work that needs no database: in a thread where the caller's loop runs the statements, else here."""
        return self.context.database.run_key_work(work)

    @property
    def plain_vault_ids(self) -> bool:
        """Whether a vault id is the wallet's id alone, because a column for it is a uuid."""
        return self.context.plain_vault_ids

    @property
    def time_step_microseconds(self) -> int:
        """How exactly a wallet's time of creation is kept: 1, unless the column is a number of larger units."""
        return self.context.time_step_microseconds

    @property
    def foreign(self) -> bool:
        """Whether the legacy application made, and may still write, the wallet tables."""
        return self.context.foreign

    @property
    def divided(self) -> bool:
        """Whether the tables are divided by project, so that no row becomes another project's."""
        return self.context.profile.sharded

    def status(self) -> StoreStatus:
        database, profile, sql = self.context.database, self.context.profile, self.context.sql
        remarks = (transport_remark(database.engine), database.pooling.remark, read_standbys(database).remark)
        spread = read_spread(database, profile.schemas) if profile.citus else None
        by_custody = database.read(sql.wallets.count_by_custody, {"sealed_pattern": SEALED_PATTERN})
        return StoreStatus(
            database=shown_url(database.engine.url),
            engine=profile.engine,
            schema_version=profile.version or schema.HEAD,
            generation=profile.generation,
            wallets={str(status): int(n) for status, n in database.read(sql.wallets.count_by_status, {})},
            custody={str(custody): int(n) for custody, n in by_custody},
            durability=profile.durability,
            warnings=(*profile.warnings(), *(remark for remark in (*remarks, spread and spread.remark) if remark)),
            nodes=None if spread is None else spread.nodes,
            shards=None if spread is None else spread.shards,
        )

    def close(self) -> None:
        self.context.database.close()
        self.context.forget_rows()
