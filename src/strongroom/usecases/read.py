"""Read wallets: by id, by name, by address, page by page."""

from __future__ import annotations

from uuid import UUID

from strongroom.errors import (
    AmbiguousWalletError,
    InvalidAddressError,
    InvalidCursorError,
    InvalidLimitError,
    UnknownNetworkError,
    WalletNotFoundError,
)
from strongroom.identifiers import check_label, check_project_id, check_text, check_wallet_id
from strongroom.model import StoredWallet, Wallet, WalletPage
from strongroom.usecases.foreign import resolved
from strongroom.usecases.parts import Parts

_LARGEST_PAGE = 1000


def get_stored(parts: Parts, wallet: UUID | str | Wallet) -> StoredWallet:
    """A wallet with its sealed text; a Wallet brings its project id into the statement."""
    if isinstance(wallet, Wallet):
        wallet_id, project_id = wallet.id, wallet.project_id
    else:
        wallet_id, project_id = check_wallet_id(wallet), None
    stored = parts.store.get(wallet_id, project_id)
    if stored is None:
        raise WalletNotFoundError(f"There is no wallet {wallet_id}.")
    return resolved(parts, stored)


def get_wallet(parts: Parts, wallet: UUID | str | Wallet) -> Wallet:
    """See Vault.get_wallet."""
    return get_stored(parts, wallet).wallet


def find_wallet(parts: Parts, project_id: UUID | str, network: str, label: str) -> Wallet | None:
    """See Vault.find_wallet."""
    check_text(network, UnknownNetworkError)
    name = parts.networks.get(network).name
    stored = parts.store.find_live(check_project_id(project_id), name, check_label(label))
    return None if stored is None else stored.wallet


def find_by_address(parts: Parts, address: str, project_id: UUID | str | None) -> Wallet:
    """See Vault.find_by_address."""
    project = None if project_id is None else check_project_id(project_id)
    check_text(address, InvalidAddressError)
    canonical = set()
    for network in parts.networks:
        try:
            canonical.add(network.parse_address(address))
        except InvalidAddressError:
            continue
    if not canonical:
        raise InvalidAddressError("This is not an address of any network that strongroom knows.")
    if parts.store.foreign:
        canonical |= {address, address.lower()}  # other code may have written it in another form
    found = parts.store.find_by_address(sorted(canonical), project)
    if not found:
        raise WalletNotFoundError("There is no wallet with this address.")
    if len(found) > 1:
        ids = ", ".join(str(stored.wallet.id) for stored in found)
        raise AmbiguousWalletError(f"Several wallets have this address: {ids}.")
    return resolved(parts, found[0]).wallet


def list_wallets(
    parts: Parts, project_id: UUID | str, network: str | None, limit: int, after: str | None
) -> WalletPage:
    """See Vault.list_wallets."""
    if not isinstance(limit, int) or not 1 <= limit <= _LARGEST_PAGE:
        raise InvalidLimitError(f"The page size is not between 1 and {_LARGEST_PAGE}.")
    if network is not None:
        check_text(network, UnknownNetworkError)
    name = None if network is None else parts.networks.get(network).name
    project, cursor = check_project_id(project_id), _cursor(after)
    found: list[Wallet] = []
    while len(found) <= limit:
        page = [resolved(parts, stored).wallet for stored in parts.store.page(project, name, cursor, limit + 1)]
        found += [wallet for wallet in page if name in (None, wallet.network)]
        if len(page) <= limit:
            break
        cursor = page[-1].id
    shown = tuple(found[:limit])
    return WalletPage(shown, str(shown[-1].id) if len(found) > limit else None)


def count_wallets(parts: Parts, project_id: UUID | str | None) -> int:
    """See Vault.count_wallets."""
    return parts.store.count(None if project_id is None else check_project_id(project_id))


def _cursor(after: str | None) -> UUID | None:
    try:
        return None if after is None else UUID(after)
    except (ValueError, AttributeError, TypeError):
        raise InvalidCursorError("The cursor did not come from a page of this list.") from None
