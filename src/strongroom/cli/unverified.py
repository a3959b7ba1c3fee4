"""``--unverified``: what a database says of wallets, without the root key; every output says that nothing vouches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from strongroom.cli.command import CommandContext
from strongroom.cli.exit_codes import EXIT_DONE
from strongroom.cli.wallet_reference import is_wallet_id, parts_of

if TYPE_CHECKING:
    from strongroom.vault.unverified import UnverifiedVault, UnverifiedWallet

Unverified = Annotated[
    bool,
    typer.Option("--unverified", help="Without the root key: what the database says, which is not authenticated."),
]
_WARNING = (
    "Warning: not authenticated. No root key was used: anyone who writes to the database may have put others there."
)


def render_status(context: CommandContext) -> int:
    """Print ``status --unverified``: the facts that need no root key."""
    with _open(context) as vault:
        found = vault.status()
    if context.out.as_json:
        context.out.document(found.as_dict())
        return EXIT_DONE
    store = found.store
    context.out.facts(
        [
            ("proof", found.note),
            ("database", store.database),
            ("engine", store.engine),
            ("schema", store.schema_version),
            ("wallets", ", ".join(f"{number:,} {status}" for status, number in store.wallets.items()) or "none yet"),
            *(("root key", uri) for uri in found.root_keys),
            *((name.replace("_", " "), value) for name, value in store.durability.items()),
        ]
    )
    for warning in store.warnings:
        context.out.message(f"Warning: {warning}", style="yellow")
    _warn(context)
    return EXIT_DONE


def render_unverified_list(
    context: CommandContext, project: str | None, search: str | None, network: str | None, limit: int, after: str | None
) -> int:
    """Print ``wallet list --unverified``: a page of rows that nothing proves."""
    with _open(context) as vault:
        page = vault.list_wallets(project, network=network, search=search, limit=limit, after=after)
    if context.out.as_json:
        wallets = [wallet.as_dict() for wallet in page.wallets]
        context.out.document({"wallets": wallets, "next": page.next, "proved": False, "note": page.note})
        return EXIT_DONE
    columns = ("Network", "Label", "Address", "Wallet id", "Status", "Proof")
    if page.wallets:
        rows = [
            (wallet.network, wallet.label, wallet.address, str(wallet.id), wallet.status, wallet.note)
            for wallet in page.wallets
        ]
        context.out.table(columns, rows, folded={"Label": "Network", "Wallet id": "Address", "Proof": "Status"})
    else:
        context.out.message("No wallets.")
    _warn(context)
    if page.next is not None:
        context.out.message(f"More: add --after {page.next}")
    return EXIT_DONE


def render_unverified_wallet(context: CommandContext, name: str, project: str | None) -> int:
    """``wallet show --unverified``: the wallet is named as everywhere."""
    with _open(context) as vault:
        found = _named(vault, name, project)
    if context.out.as_json:
        context.out.document({"wallet": found.as_dict(), "proved": False, "note": found.note})
        return EXIT_DONE
    facts = found.as_dict()
    context.out.facts(
        [(key.replace("_", " "), "none" if value is None else _text(value)) for key, value in facts.items()]
    )
    _warn(context)
    return EXIT_DONE


def _named(vault: UnverifiedVault, name: str, project: str | None) -> UnverifiedWallet:
    from strongroom.errors import WalletNotFoundError
    from strongroom.records.identifiers import check_project_id

    if "/" in name:
        found = _by_parts(vault, parts_of(name))
    elif is_wallet_id(name):
        found = vault.get_wallet(name)
    else:
        return _by_address(vault, name, project)
    if project is not None and found.project_id != check_project_id(project):
        raise WalletNotFoundError("No wallet of this project has this name.")
    return found


def _by_parts(vault: UnverifiedVault, parts: list[str]) -> UnverifiedWallet:
    """The live wallet of a project, network and label, as rows say it: there may be several."""
    from strongroom.errors import WalletNotFoundError
    from strongroom.records.identifiers import check_label
    from strongroom.records.wallets import DEFAULT_LABEL, STATUS

    project, network, label = [*parts, DEFAULT_LABEL][:3]
    found = _searched(vault, project, network, check_label(label))
    same = [wallet for wallet in found if (wallet.label, wallet.status) == (label, STATUS)]
    if not same:
        raise WalletNotFoundError("The project has no wallet of this network and label.")
    return _only(same, "this network and label")


def _by_address(vault: UnverifiedVault, address: str, project: str | None) -> UnverifiedWallet:
    from strongroom.errors import WalletNotFoundError

    found = _searched(vault, project, None, address)
    same = [wallet for wallet in found if wallet.address.lower() == address.lower()]
    if not same:
        raise WalletNotFoundError("There is no wallet with this address.")
    return _only(same, "this address")


def _searched(
    vault: UnverifiedVault, project: str | None, network: str | None, search: str
) -> Iterator[UnverifiedWallet]:
    """All wallets whose address or label begins so."""
    after: str | None = None
    while True:
        page = vault.list_wallets(project, network=network, search=search, limit=1000, after=after)
        yield from page.wallets
        if page.next is None:
            return
        after = page.next


def _only(same: list[UnverifiedWallet], what: str) -> UnverifiedWallet:
    from strongroom.errors import AmbiguousWalletError

    if len(same) > 1:
        raise AmbiguousWalletError(f"Several wallets have {what}: {', '.join(str(each.id) for each in same)}.")
    return same[0]


def _open(context: CommandContext) -> UnverifiedVault:
    from strongroom.wiring import open_unverified

    return open_unverified(context.settings())


def _warn(context: CommandContext) -> None:
    context.out.message(_WARNING, style="yellow")


def _text(value: object) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
