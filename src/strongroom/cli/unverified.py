"""``--unverified``: what a database says of wallets, without the root key; every output says that nothing vouches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from strongroom.cli.command import CommandContext
from strongroom.cli.exit_codes import EXIT_DONE
from strongroom.cli.failures import CommandLineError
from strongroom.cli.wallet_reference import is_wallet_id

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
    """``wallet show --unverified``: by id or by address."""
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
    from strongroom.errors import AmbiguousWalletError, WalletNotFoundError
    from strongroom.records.identifiers import check_project_id

    if "/" in name:
        raise CommandLineError(
            "With --unverified a wallet is named by its id or its address.",
            "See: strongroom wallet list --unverified",
        )
    if is_wallet_id(name):
        found = vault.get_wallet(name)
        if project is not None and found.project_id != check_project_id(project):
            raise WalletNotFoundError("No wallet of this project has this name.")
        return found
    page = vault.list_wallets(project, search=name, limit=1000)
    same = [wallet for wallet in page.wallets if wallet.address.lower() == name.lower()]
    if not same:
        raise WalletNotFoundError("There is no wallet with this address.")
    if len(same) > 1:
        raise AmbiguousWalletError(f"Several wallets have this address: {', '.join(str(each.id) for each in same)}.")
    return same[0]


def _open(context: CommandContext) -> UnverifiedVault:
    from strongroom.wiring import open_unverified

    return open_unverified(context.settings())


def _warn(context: CommandContext) -> None:
    context.out.message(_WARNING, style="yellow")


def _text(value: object) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
