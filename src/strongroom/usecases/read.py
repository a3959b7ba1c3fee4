"""Read wallets: by id, by name, by address, page by page."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from strongroom.errors import (
    AmbiguousWalletError,
    IdentityMismatchError,
    InvalidAddressError,
    InvalidCursorError,
    InvalidLimitError,
    UnknownNetworkError,
    WalletNotFoundError,
)
from strongroom.records.identifiers import check_label, check_project_id, check_text, check_wallet_id
from strongroom.records.projects import ProjectPage
from strongroom.records.stored_wallets import StoredWallet
from strongroom.records.wallets import Wallet, WalletOfProject, WalletPage, WalletPlace, WalletReference
from strongroom.usecases.addresses import address_table, same_address
from strongroom.usecases.context import VaultContext
from strongroom.usecases.ownership import is_proved, owners_by_slot, require_never_recorded, require_own_project
from strongroom.usecases.register import check_slot, checked, is_shown

_LARGEST_PAGE = 1000
_SMALLEST_PAGE = 100
"""Rows that are read at a time where wallets were left out: a writer may have made any number of those."""


def get_stored(context: VaultContext, wallet: WalletReference, *, unproved: bool = False) -> StoredWallet:
    """A wallet with its sealed text, checked; a Wallet brings its project id into the statement.

    ``unproved``: also one that the vault does not accept, for verbs that prove it, complete it or retire it.
    """
    wallet_id, project_id = asked_for(wallet)
    found = checked(context, find_row(context, wallet), unproved=unproved)
    if unproved:
        require_never_recorded(context, found)
    else:
        require_own_project(context, found)
    if found.wallet.id != wallet_id or (project_id is not None and found.wallet.project_id != project_id):
        raise IdentityMismatchError(f"The row of {wallet_id} is another wallet's.", columns=("id", "project_id"))
    return found


def find_row(context: VaultContext, wallet: WalletReference) -> StoredWallet:
    """A wallet as its rows and its record say it, for verbs that check it themselves. Raises WalletNotFoundError."""
    wallet_id, project_id = asked_for(wallet)
    stored = context.store.wallets.get(wallet_id, project_id)
    if stored is None:
        raise WalletNotFoundError(f"There is no wallet {wallet_id}.")
    return stored


def in_project(wallet: UUID | str | Wallet, project_id: UUID | str | None) -> WalletReference:
    """What a caller named, and the project that it has to be of, where one is given. Raises InvalidProjectError."""
    if project_id is None:
        return wallet
    return WalletOfProject(wallet.id if isinstance(wallet, Wallet) else wallet, check_project_id(project_id))


def asked_for(wallet: WalletReference) -> tuple[UUID, UUID | None]:
    """The id of the wallet that a caller means, and its project where that is known. Raises InvalidWalletIdError."""
    if isinstance(wallet, Wallet):
        return wallet.id, wallet.project_id
    if isinstance(wallet, WalletOfProject):
        return check_wallet_id(wallet.id), wallet.project_id
    return check_wallet_id(wallet), None


def get_wallet(context: VaultContext, wallet: WalletReference) -> Wallet:
    """See Vault.get_wallet."""
    return get_stored(context, wallet).wallet


def find_wallet(context: VaultContext, project_id: UUID | str, network: str, label: str) -> Wallet | None:
    """See Vault.find_wallet."""
    check_text(network, UnknownNetworkError)
    name = context.networks.get(network).name
    project, label = check_project_id(project_id), check_label(label)
    stored = context.store.wallets.find_live(project, name, label)
    return None if stored is None else check_slot(context, stored, project, name, label).wallet


def find_by_address(context: VaultContext, address: str, project_id: UUID | str | None) -> Wallet:
    """See Vault.find_by_address."""
    project = None if project_id is None else check_project_id(project_id)
    check_text(address, InvalidAddressError)
    given, address = address, f"0x{address[2:]}" if address.startswith("0X") else address
    canonical = {match.address for match in address_table(context.networks).readings(address)}
    if not canonical:
        raise InvalidAddressError("This is not an address of any network that strongroom knows.")
    if context.store.foreign:
        behind_prefix = {each.rpartition(":")[2] for each in canonical}
        canonical |= {given, address, address.lower(), *behind_prefix}  # as the legacy application may have written it
    found = context.store.wallets.find_by_address(sorted(canonical), project)
    if not found:
        raise WalletNotFoundError("There is no wallet with this address.")
    if len(found) > 1:
        ids = ", ".join(str(stored.wallet.id) for stored in found)
        raise AmbiguousWalletError(f"Several wallets have this address: {ids}.")
    only = checked(context, found[0])
    require_own_project(context, only)
    wallet = only.wallet
    if not any(same_address(context, wallet, each) for each in canonical) or project not in (None, wallet.project_id):
        raise IdentityMismatchError(f"The row of {wallet.id} is another wallet's.", columns=("wallet_address",))
    return wallet


def list_wallets(
    context: VaultContext,
    project_id: UUID | str | None,
    network: str | None,
    limit: int,
    after: str | None,
    search: str | None = None,
) -> WalletPage:
    """See Vault.list_wallets."""
    check_limit(limit)
    if network is not None:
        check_text(network, UnknownNetworkError)
    if search is not None:
        check_text(search, InvalidAddressError)
    name = None if network is None else context.networks.get(network).name
    project, place = None if project_id is None else check_project_id(project_id), wallet_place(after)
    begins = None if not search else search.lower()
    found: list[Wallet] = []
    asked = limit + 1
    while len(found) <= limit:
        rows = context.store.pages.page(project, name, place, asked, begins)
        found += _shown(context, rows, name, begins, limit + 1 - len(found))
        if len(rows) < asked:
            break
        last = rows[-1].wallet
        place, asked = WalletPlace(last.id, last.project_id), max(asked, _SMALLEST_PAGE)
    shown = tuple(found[:limit])
    return WalletPage(shown, wallet_cursor(shown[-1], project) if len(found) > limit else None)


def _shown(
    context: VaultContext, rows: Sequence[StoredWallet], name: str | None, begins: str | None, most: int
) -> list[Wallet]:
    """The first wallets of a page that a list shows, checked."""
    misplaced = _misplaced(context, rows)
    shown: list[Wallet] = []
    for stored in rows:
        if len(shown) == most:
            break
        if (stored.wallet.id, stored.wallet.project_id) in misplaced:
            continue
        wallet = checked(context, stored, unproved=context.store.foreign).wallet
        if name in (None, wallet.network) and _begins(wallet, begins) and is_shown(context, wallet):
            shown.append(wallet)
    return shown


def _misplaced(context: VaultContext, rows: Sequence[StoredWallet]) -> set[tuple[UUID, UUID]]:
    """Of the wallets that nothing proves, those that are another project's than their rows say, by their slots.

    Each by its id and the project that its row says: a copied row says nothing of the one that it was copied from.
    """
    unproved = {(each.wallet.id, each.wallet.project_id) for each in rows if not is_proved(context, each)}
    if not unproved or context.keyring.accepts_untagged:
        return set()
    owners = owners_by_slot(context, {wallet_id for wallet_id, _ in unproved})
    return {(each, said) for each, said in unproved if (owner := owners.get(each)) is not None and owner.is_other(said)}


def _begins(wallet: Wallet, search: str | None) -> bool:
    return search is None or wallet.address.lower().startswith(search) or wallet.label.startswith(search)


def list_projects(context: VaultContext, limit: int, after: str | None) -> ProjectPage:
    """See Vault.list_projects."""
    check_limit(limit)
    found = context.store.pages.projects(id_cursor(after), limit + 1)
    shown = tuple(found[:limit])
    return ProjectPage(shown, str(shown[-1].id) if len(found) > limit else None)


def count_wallets(context: VaultContext, project_id: UUID | str | None) -> int:
    """See Vault.count_wallets."""
    return context.store.wallets.count(None if project_id is None else check_project_id(project_id))


def check_limit(limit: object) -> None:
    """Raise InvalidLimitError for what is no page size."""
    if not isinstance(limit, int) or not 1 <= limit <= _LARGEST_PAGE:
        raise InvalidLimitError(f"The page size is not between 1 and {_LARGEST_PAGE}.")


def wallet_place(after: str | None) -> WalletPlace | None:
    """Behind which wallet a page begins. Raises InvalidCursorError.

    Cursors of earlier versions, and of one project's lists, are ids alone.
    """
    wallet, tilde, project = after.partition("~") if isinstance(after, str) else (after, "", "")
    wallet_id, project_id = id_cursor(wallet), id_cursor(project) if tilde else None
    if wallet_id is None or project_id is None:
        return None if wallet_id is None else WalletPlace(wallet_id)
    return WalletPlace(wallet_id, project_id)


def wallet_cursor(last: Wallet, project_id: UUID | None) -> str:
    """The cursor behind a wallet, in the list of a project or, None, of all."""
    return str(last.id) if project_id is not None else f"{last.id}~{last.project_id}"


def id_cursor(after: str | None) -> UUID | None:
    """The id that a page continues after. Raises InvalidCursorError."""
    try:
        return None if after is None else UUID(after)
    except (ValueError, AttributeError, TypeError):
        raise InvalidCursorError("The cursor did not come from a page of this list.") from None
