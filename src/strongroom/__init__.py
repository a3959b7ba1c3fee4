"""strongroom: the vault for project wallets.

Create a wallet, retry it as often as you like; its key is never lost, never overwritten, never in plaintext.

    import strongroom

    vault = strongroom.init("sqlite:///vault.db", root_key="file:root.key")     # once
    vault = strongroom.open("sqlite:///vault.db", root_key="file:root.key")     # from then on
    vault = strongroom.open()                                                   # from environment or strongroom.toml
    wallet, created = vault.create_wallet(project_id, "ethereum")
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from strongroom import errors
from strongroom.errors import *  # noqa: F403 - the errors are public

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy.engine import Engine

    from strongroom.records.erasure import Erased as Erased
    from strongroom.records.history import HistoryEntry as HistoryEntry
    from strongroom.records.history import HistoryPage as HistoryPage
    from strongroom.records.identifiers import project_id_of as project_id_of
    from strongroom.records.key_material import Revealed as Revealed
    from strongroom.records.phrases import CreatedPhrase as CreatedPhrase
    from strongroom.records.phrases import PhraseAccount as PhraseAccount
    from strongroom.records.phrases import PhrasePage as PhrasePage
    from strongroom.records.phrases import ProjectPhrase as ProjectPhrase
    from strongroom.records.phrases import RevealedPhrase as RevealedPhrase
    from strongroom.records.phrases import VerifiedPhrase as VerifiedPhrase
    from strongroom.records.projects import ProjectPage as ProjectPage
    from strongroom.records.projects import ProjectSummary as ProjectSummary
    from strongroom.records.results import RewrapResult as RewrapResult
    from strongroom.records.results import VerifyResult as VerifyResult
    from strongroom.records.usage_log import LogPage as LogPage
    from strongroom.records.usage_log import LogRecord as LogRecord
    from strongroom.records.wallets import CreateResult as CreateResult
    from strongroom.records.wallets import Wallet as Wallet
    from strongroom.records.wallets import WalletPage as WalletPage
    from strongroom.records.watch_only import AccountXpub as AccountXpub
    from strongroom.records.watch_only import DiscoveredWallets as DiscoveredWallets
    from strongroom.secret import Secret as Secret
    from strongroom.takeover.face import Takeover as Takeover
    from strongroom.vault.async_vault import AsyncVault as AsyncVault
    from strongroom.vault.unverified import UnverifiedStatus as UnverifiedStatus
    from strongroom.vault.unverified import UnverifiedVault as UnverifiedVault
    from strongroom.vault.unverified import UnverifiedWallet as UnverifiedWallet
    from strongroom.vault.unverified import UnverifiedWalletPage as UnverifiedWalletPage
    from strongroom.vault.vault import Vault as Vault

__version__ = "0.2.0"

_LAZY = {
    "AccountXpub": "strongroom.records.watch_only",
    "AsyncVault": "strongroom.vault.async_vault",
    "CreateResult": "strongroom.records.wallets",
    "CreatedPhrase": "strongroom.records.phrases",
    "DiscoveredWallets": "strongroom.records.watch_only",
    "Erased": "strongroom.records.erasure",
    "HistoryEntry": "strongroom.records.history",
    "HistoryPage": "strongroom.records.history",
    "RewrapResult": "strongroom.records.results",
    "LogPage": "strongroom.records.usage_log",
    "LogRecord": "strongroom.records.usage_log",
    "PhraseAccount": "strongroom.records.phrases",
    "PhrasePage": "strongroom.records.phrases",
    "ProjectPage": "strongroom.records.projects",
    "ProjectPhrase": "strongroom.records.phrases",
    "ProjectSummary": "strongroom.records.projects",
    "Revealed": "strongroom.records.key_material",
    "RevealedPhrase": "strongroom.records.phrases",
    "Secret": "strongroom.secret",
    "Takeover": "strongroom.takeover.face",
    "UnverifiedStatus": "strongroom.vault.unverified",
    "UnverifiedVault": "strongroom.vault.unverified",
    "UnverifiedWallet": "strongroom.vault.unverified",
    "UnverifiedWalletPage": "strongroom.vault.unverified",
    "Vault": "strongroom.vault.vault",
    "VerifiedPhrase": "strongroom.records.phrases",
    "VerifyResult": "strongroom.records.results",
    "project_id_of": "strongroom.records.identifiers",
    "Wallet": "strongroom.records.wallets",
    "WalletPage": "strongroom.records.wallets",
}

__all__ = ["create_engine", "init", "open", "open_takeover", "open_unverified", *_LAZY, *errors.__all__]


def open(
    database: str | None = None, *, root_key: str | None = None, config: str | Path | None = None, **settings: Any
) -> Vault:
    """Open a vault that ``init`` made.

    What is not given is taken from the environment, and then from the settings file, as the command line does.

    Args:
        database: ``sqlite:///FILE`` or ``postgresql://HOST/NAME``.
        root_key: the root key's URI, such as ``file:root.key`` or ``env:NAME``; never a secret.
        config: the settings file; None is ./strongroom.toml, where there is one.
        settings: ``prepared_statements``, ``pool_size`` and the other fields of ``strongroom.settings.Settings``.

    Raises:
        InvalidSettingError: no database is named anywhere, or a setting is unknown or out of range.
        NotInitializedError, SchemaVersionError: run ``init`` first.
        RootKeyError: the root key is missing, malformed, readable by others, or not this keyring's.
        NotDurableError, RowsHiddenError, InsecureFileError: the database must not be trusted with keys as it is.
        StoreUnavailableError: it cannot be reached.
    """
    from strongroom.settings import Settings
    from strongroom.wiring import open_vault

    loaded = Settings.load(database, root_key, config, **settings)
    database = None  # may hold a password, and error reporters send local variables along
    return open_vault(loaded)


def open_unverified(
    database: str | None = None, *, config: str | Path | None = None, **settings: Any
) -> UnverifiedVault:
    """Open a vault's public data without its root key: nothing that is read is authenticated.

    What comes back is of types of its own with ``proved`` False, which no verb of a vault takes; there is no create,
    find or sign. For the day when the root key is lost, and for reports. ``open`` never falls back to it. Arguments are
    those of ``open``; a root key in the environment or the settings file is not used.

    Raises:
        NotInitializedError, SchemaVersionError, RowsHiddenError, StoreError: as for ``open``.
    """
    from strongroom.settings import Settings
    from strongroom.wiring import open_unverified as open_without_root_key

    loaded = Settings.load(database, None, config, **settings)
    database = None  # may hold a password, and error reporters send local variables along
    return open_without_root_key(loaded)


def open_takeover(
    database: str | None = None, *, root_key: str | None = None, config: str | Path | None = None, **settings: Any
) -> Takeover:
    """What ``strongroom doctor``, ``repair``, ``guard``, ``migrate`` and ``upgrade`` do, as Python.

    Arguments are those of ``open``. Nothing is opened yet: each verb opens what it needs and closes it, and says what
    that is. Doctor, guard and migrate need no root key. See docs/python-takeover.md.

    Raises InvalidSettingError, InsecureFileError.
    """
    from strongroom.settings import Settings
    from strongroom.wiring.takeovers import open_takeover as open_for

    loaded = Settings.load(database, root_key, config, **settings)
    database = None  # may hold a password, and error reporters send local variables along
    return open_for(loaded)


def init(
    database: str | None = None,
    *,
    root_key: str | None = None,
    config: str | Path | None = None,
    another_vault: bool = False,
    **settings: Any,
) -> Vault:
    """Make schema, root key and keyring where they are missing, and open the vault.

    Safe to repeat and to run from several processes: one of them makes the keyring, every other one verifies that
    its root key opens it. Nothing that exists is replaced. Arguments are those of ``open``, and:

        another_vault: whether a vault is made in ``schema``, with wallet tables and a keyring of its own, where another
            schema of the database has one already. Without it such a call is refused: most are a misspelled schema.

    Raises:
        SchemaNotNamedError: another schema has a vault, or wallet tables that none of the settings name.
        RootKeyError: as for ``open``; KeyringMissingError where sealed rows exist that no keyring opens.
        ForeignSchemaError: the database has legacy wallet tables that strongroom cannot use as they are.
        StoreError: the database failed. What was made so far stays, and the next call goes on from there.
    """
    from strongroom.settings import Settings
    from strongroom.wiring import init_vault

    loaded = Settings.load(database, root_key, config, **settings)
    database = None  # may hold a password, and error reporters send local variables along
    return init_vault(loaded, another_vault=another_vault).vault


def create_engine(database: str, **options: Any) -> Engine:
    """Return a SQLAlchemy engine whose connections ``connection=`` takes; see docs/transactions.md."""
    from strongroom.store.connection.engine import create_engine as create

    return create(database, **options)


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY})
