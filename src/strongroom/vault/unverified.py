"""Public data of a vault without its root key: what the database says, and nothing vouches for.

Only ``open_unverified`` leads here, and what it returns is of types of its own, which no verb of a vault takes.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Any, Literal, Self
from uuid import UUID

from strongroom.errors import InvalidAddressError, StrongroomError, UnknownNetworkError, WalletNotFoundError
from strongroom.ports.network import Networks
from strongroom.ports.stores import Stores
from strongroom.records.identifiers import check_project_id, check_text, check_wallet_id
from strongroom.records.status import StoreStatus
from strongroom.records.wallets import Wallet
from strongroom.usecases.read import check_limit, wallet_cursor, wallet_place

NOT_AUTHENTICATED = "not authenticated"
"""What every output says of what was read without the root key."""


@dataclass(frozen=True, slots=True)
class UnverifiedWallet:
    """What the rows of a wallet say, not authenticated.

    Anyone who writes to the database may have put another address here: do not pay to
    it, and do not show it as a place to pay to.
    """

    id: UUID
    project_id: UUID
    network: str
    label: str
    address: str
    public_key: str
    status: str
    """``active``, ``replaced`` or ``revoked``, as the rows say."""
    custody: str | None
    """``ours``, ``foreign``, or None without a vault record."""
    scheme: str | None
    path: str | None
    created_at: datetime | None
    proved: Literal[False] = field(default=False, init=False)
    note: str = field(default=NOT_AUTHENTICATED, init=False)

    @classmethod
    def of(cls, wallet: Wallet) -> Self:
        """The same facts without a voucher."""
        return cls(
            wallet.id,
            wallet.project_id,
            wallet.network,
            wallet.label,
            wallet.address,
            wallet.public_key,
            wallet.status,
            wallet.custody,
            wallet.scheme,
            wallet.path,
            wallet.created_at,
        )

    def as_dict(self) -> dict[str, Any]:
        """The wallet as JSON-ready values, ``proved`` false and the note among them."""
        return {
            **asdict(self),
            "id": str(self.id),
            "project_id": str(self.project_id),
            "created_at": None if self.created_at is None else self.created_at.isoformat(),
        }


@dataclass(frozen=True, slots=True)
class UnverifiedWalletPage:
    """One page of a list, in the order of the ids."""

    wallets: tuple[UnverifiedWallet, ...]
    next: str | None
    """What to pass as ``after`` for the next page, or None."""
    note: str = field(default=NOT_AUTHENTICATED, init=False)


@dataclass(frozen=True, slots=True)
class UnverifiedStatus:
    """Facts about a vault that need no root key."""

    store: StoreStatus
    root_keys: tuple[str, ...]
    """URIs of the root keys that are said to wrap the keyring: one of them is needed."""
    proved: Literal[False] = field(default=False, init=False)
    note: str = field(default=NOT_AUTHENTICATED, init=False)

    def as_dict(self) -> dict[str, Any]:
        """The facts as JSON-ready values."""
        store = asdict(self.store)
        return {**store, "root_keys": list(self.root_keys), "proved": self.proved, "note": self.note}


class UnverifiedVault:
    """Reads what a database says, without a root key. It has no create, find or sign, and opens no key.

    Get one from ``strongroom.open_unverified``. Raises StoreError where the database fails.
    """

    def __init__(self, store: Stores, networks: Networks) -> None:
        self._store = store
        self._networks = networks

    def status(self) -> UnverifiedStatus:
        """Return facts about the database, and which root keys the keyring names."""
        try:
            rows = self._store.keyring.read_keyring()
        except StrongroomError:  # it is damaged, which is not what was asked
            rows = None
        uris = () if rows is None else tuple(dict.fromkeys(wrap.root_key_uri for wrap in rows.wraps))
        return UnverifiedStatus(self._store.status(), uris)

    def get_wallet(self, wallet_id: UUID | str, *, project_id: UUID | str | None = None) -> UnverifiedWallet:
        """Return what the rows of a wallet say. Raises WalletNotFoundError, InvalidWalletIdError, StoreError."""
        asked = check_wallet_id(wallet_id)
        stored = self._store.wallets.get(asked, None if project_id is None else check_project_id(project_id))
        if stored is None:
            raise WalletNotFoundError(f"There is no wallet {asked}.")
        return UnverifiedWallet.of(stored.wallet)

    def list_wallets(
        self,
        project_id: UUID | str | None = None,
        *,
        network: str | None = None,
        search: str | None = None,
        limit: int = 100,
        after: str | None = None,
    ) -> UnverifiedWalletPage:
        """Return one page of a project's wallets, or of all, as their rows say them. Arguments as Vault.list_wallets.

        Raises InvalidLimitError, InvalidCursorError, UnknownNetworkError, StoreError.
        """
        check_limit(limit)
        if network is not None:
            check_text(network, UnknownNetworkError)
        if search is not None:
            check_text(search, InvalidAddressError)
        name = None if network is None else self._networks.get(network).name
        project = None if project_id is None else check_project_id(project_id)
        begins = search.lower() if search else None
        rows = self._store.pages.page(project, name, wallet_place(after), limit + 1, begins)
        shown = tuple(UnverifiedWallet.of(stored.wallet) for stored in rows[:limit])
        more = len(rows) > limit
        return UnverifiedWalletPage(shown, wallet_cursor(rows[limit - 1].wallet, project) if more else None)

    def close(self) -> None:
        """Give the connections back; closing twice is harmless."""
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()
