"""Every SQL statement of the store, built from the schema and compiled when it is first used.

Statements run on the driver's own connection, with the driver's prepared statements: SQLAlchemy's execution
costs more than the statement itself (docs/adr/0004). No ON CONFLICT names a target: inference over expression
indexes breaks when the server switches to a generic plan, so a lost race is found by reading again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from sqlalchemy import Dialect

from strongroom.store.catalog.foreign_schema import ForeignSchema
from strongroom.store.statements.building import Statement, StatementBuilder
from strongroom.store.statements.erase import EraseStatements
from strongroom.store.statements.keyring import KeyringStatements
from strongroom.store.statements.lifecycle import LifecycleStatements
from strongroom.store.statements.pages import PageStatements
from strongroom.store.statements.phrase_texts import PhraseTextStatements
from strongroom.store.statements.phrases import PhraseStatements
from strongroom.store.statements.register import RegisterStatements
from strongroom.store.statements.rewraps import RewrapStatements
from strongroom.store.statements.signing import SigningStatements
from strongroom.store.statements.slots import SlotStatements
from strongroom.store.statements.tables import CREDENTIAL, CREDENTIAL_ROW, LOG, TAGGED, VAULT, VAULT_ROW
from strongroom.store.statements.unwritten import UnwrittenStatements
from strongroom.store.statements.usage_log import LOG_ROW, LogStatements
from strongroom.store.statements.wallets import WalletStatements

__all__ = ["TAGGED", "WALLET_ROWS", "Statements"]

WALLET_ROWS = {CREDENTIAL.name: CREDENTIAL_ROW, VAULT.name: VAULT_ROW, LOG.name: LOG_ROW}
"""The rows that a wallet is written with, by table; see ``tables``."""


class Statements:
    """The statements for one dialect and schema, as SQL text with named parameters: a part for each subject."""

    PARTS: ClassVar[Mapping[str, type[StatementBuilder]]] = {
        "wallets": WalletStatements,
        "lifecycle": LifecycleStatements,
        "register": RegisterStatements,
        "keyring": KeyringStatements,
        "rewraps": RewrapStatements,
        "signing": SigningStatements,
        "log": LogStatements,
        "pages": PageStatements,
        "phrases": PhraseStatements,
        "phrase_texts": PhraseTextStatements,
        "erase": EraseStatements,
        "slots": SlotStatements,
        "unwritten": UnwrittenStatements,
    }

    def __init__(
        self,
        dialect: Dialect,
        foreign: ForeignSchema | None = None,
        *,
        untagged_nonces: bool = False,
        sharded: bool = False,
    ) -> None:
        self.wallets = WalletStatements(dialect, foreign, sharded=sharded)
        self.lifecycle = LifecycleStatements(dialect, foreign, sharded=sharded)
        self.register = RegisterStatements(dialect, foreign, sharded=sharded)
        self.keyring = KeyringStatements(dialect, foreign, sharded=sharded)
        self.rewraps = RewrapStatements(dialect, foreign, sharded=sharded)
        self.signing = SigningStatements(dialect, foreign, untagged_nonces=untagged_nonces, sharded=sharded)
        self.log = LogStatements(dialect, foreign, sharded=sharded)
        self.pages = PageStatements(dialect, foreign, sharded=sharded)
        self.phrases = PhraseStatements(dialect, foreign, sharded=sharded)
        self.phrase_texts = PhraseTextStatements(dialect, foreign, sharded=sharded)
        self.erase = EraseStatements(dialect, foreign, untagged_nonces=untagged_nonces, sharded=sharded)
        self.slots = SlotStatements(dialect, foreign, sharded=sharded)
        self.unwritten = UnwrittenStatements(dialect, foreign, sharded=sharded)
        self.untagged_nonces = untagged_nonces
        """Whether nonces that an older version wrote down are still in a table of their own."""
        self.writes_in_one = self.wallets.writes_in_one
        """Whether the engine has data-modifying CTEs, so that one statement writes a whole wallet."""

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """The names of all statements; no two parts have one of the same name."""
        return tuple(
            name for kind in cls.PARTS.values() for name, value in vars(kind).items() if isinstance(value, Statement)
        )

    def __getitem__(self, name: str) -> Any:
        """What a part has under a name: a statement, statements by table, or a method that builds one. KeyError."""
        for part, kind in self.PARTS.items():
            if name in vars(kind):
                return getattr(getattr(self, part), name)
        raise KeyError(name)
