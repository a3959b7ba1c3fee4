"""Every SQL statement of the store, built from the schema and compiled when it is first used.

Statements run on the driver's own connection, with the driver's prepared statements: SQLAlchemy's execution
costs more than the statement itself (docs/adr/0004). No ON CONFLICT names a target: inference over expression
indexes breaks when the server switches to a generic plan, so a lost race is found by reading again.
"""

from __future__ import annotations

from strongroom.store.statements.building import Statement
from strongroom.store.statements.erase import EraseStatements
from strongroom.store.statements.keyring import KeyringStatements
from strongroom.store.statements.lifecycle import LifecycleStatements
from strongroom.store.statements.pages import PageStatements
from strongroom.store.statements.register import TAGGED, RegisterStatements
from strongroom.store.statements.signing import SigningStatements
from strongroom.store.statements.tables import CREDENTIAL, CREDENTIAL_ROW, LOG, VAULT, VAULT_ROW
from strongroom.store.statements.usage_log import LOG_ROW, LogStatements
from strongroom.store.statements.wallets import WalletStatements

__all__ = ["TAGGED", "WALLET_ROWS", "Statements"]

WALLET_ROWS = {CREDENTIAL.name: CREDENTIAL_ROW, VAULT.name: VAULT_ROW, LOG.name: LOG_ROW}
"""The rows that a wallet is written with, by table; see ``tables``."""


class Statements(
    WalletStatements,
    LifecycleStatements,
    RegisterStatements,
    KeyringStatements,
    SigningStatements,
    LogStatements,
    PageStatements,
    EraseStatements,
):
    """The statements for one dialect and schema, as SQL text with named parameters."""

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """The names of all statements."""
        return tuple(
            name for kind in reversed(cls.__mro__) for name, value in vars(kind).items() if isinstance(value, Statement)
        )
