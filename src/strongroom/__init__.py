"""strongroom: the vault for project wallets.

Create a wallet, retry it as often as you like; its key is never lost, never overwritten, never in the clear.

    import strongroom

    vault = strongroom.init("sqlite:///vault.db", root_key="file:root.key")     # once
    vault = strongroom.open("sqlite:///vault.db", root_key="file:root.key")     # from then on
    wallet, created = vault.create_wallet(project_id, "ethereum")
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from strongroom import errors
from strongroom.errors import *  # noqa: F403 - the errors are public

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine

    from strongroom.async_vault import AsyncVault as AsyncVault
    from strongroom.model import CreateResult as CreateResult
    from strongroom.model import HistoryEntry as HistoryEntry
    from strongroom.model import Revealed as Revealed
    from strongroom.model import RewrapResult as RewrapResult
    from strongroom.model import VerifyResult as VerifyResult
    from strongroom.model import Wallet as Wallet
    from strongroom.model import WalletPage as WalletPage
    from strongroom.secret import Secret as Secret
    from strongroom.vault import Vault as Vault

__version__ = "0.1.0"

_LAZY = {
    "AsyncVault": "strongroom.async_vault",
    "CreateResult": "strongroom.model",
    "HistoryEntry": "strongroom.model",
    "RewrapResult": "strongroom.model",
    "Revealed": "strongroom.model",
    "Secret": "strongroom.secret",
    "Vault": "strongroom.vault",
    "VerifyResult": "strongroom.model",
    "Wallet": "strongroom.model",
    "WalletPage": "strongroom.model",
}

__all__ = ["create_engine", "init", "open", *_LAZY, *errors.__all__]


def open(database: str, *, root_key: str, **settings: Any) -> Vault:
    """Open a vault that ``init`` made.

    Args:
        database: ``sqlite:///FILE`` or ``postgresql://HOST/NAME``.
        root_key: the root key's URI, such as ``file:root.key`` or ``env:NAME``; never a secret.
        settings: ``prepared_statements``, ``pool_size`` and the other fields of ``strongroom.settings.Settings``.

    Raises:
        NotInitializedError, SchemaVersionError: run ``init`` first.
        RootKeyError: the root key is missing, malformed, readable by others, or not this keyring's.
        NotDurableError, RowsHiddenError, InsecureFileError: the database must not be trusted with keys as it is.
        StoreUnavailableError: it cannot be reached.
    """
    from strongroom.settings import Settings
    from strongroom.wiring import open_vault

    return open_vault(Settings(database=database, root_key=root_key, **settings))


def init(database: str, *, root_key: str, **settings: Any) -> Vault:
    """Make schema, root key and keyring where they are missing, and open the vault.

    Safe to repeat and to run from several processes: one of them makes the keyring, every other one verifies that
    its root key opens it. Nothing that exists is replaced. Arguments are those of ``open``.

    Raises:
        RootKeyError: as for ``open``; KeyringMissingError where sealed rows exist that no keyring opens.
        ForeignSchemaError: the database has wallet tables of other code that strongroom cannot use as they are.
        StoreError: the database failed. What was made so far stays, and the next call goes on from there.
    """
    from strongroom.settings import Settings
    from strongroom.wiring import init_vault

    return init_vault(Settings(database=database, root_key=root_key, **settings)).vault


def create_engine(database: str, **options: Any) -> Engine:
    """Return a SQLAlchemy engine whose connections ``connection=`` takes; see docs/transactions.md."""
    from strongroom.store.engine import create_engine as create

    return create(database, **options)


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY})
