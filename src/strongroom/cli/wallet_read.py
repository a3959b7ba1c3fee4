"""``strongroom wallet list`` and ``strongroom wallet show``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from strongroom.cli.command import CommandContext, command
from strongroom.cli.completion import complete_network
from strongroom.cli.exit_codes import EXIT_DONE
from strongroom.cli.options import After, AnyProject
from strongroom.cli.unverified import Unverified, render_unverified_list, render_unverified_wallet
from strongroom.cli.wallet_reference import WalletName, find

if TYPE_CHECKING:
    from strongroom.records.wallets import Wallet


_LIST = """Examples: strongroom wallet list --project 6f1c1c1e-6a5c-4d7e-9d0a-0e9f0f8e7b11
strongroom wallet list --search 0x98"""


def add(app: typer.Typer) -> None:
    """Add these commands to the group ``strongroom wallet``."""
    command(app, "list", epilog=_LIST)(list_wallets)
    command(app, "show", epilog="Example: strongroom wallet show 0x9858EfFD232B4033E47d90003D41EC34EcaEda94")(show)


def list_wallets(
    context: CommandContext,
    project: AnyProject = None,
    search: Annotated[
        str | None,
        typer.Option("--search", metavar="PREFIX", help="Only wallets whose address or label begins so."),
    ] = None,
    network: Annotated[
        str | None,
        typer.Option(
            "--network", metavar="NAME", help="Only wallets of this network.", autocompletion=complete_network
        ),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", metavar="N", help="Wallets of a page, 1 to 1,000.")] = 100,
    after: After = None,
    unverified: Unverified = False,
) -> int:
    """List wallets, a project's or all, in the order of their ids, a page at a time."""
    if unverified:
        return render_unverified_list(context, project, search, network, limit, after)
    with context.vault() as vault:
        page = vault.list_wallets(project, network=network, search=search, limit=limit, after=after)
    if context.out.as_json:
        context.out.document({"wallets": [wallet.as_dict() for wallet in page.wallets], "next": page.next})
        return EXIT_DONE
    if page.wallets:
        columns: tuple[str, ...] = ("Network", "Label", "Address", "Wallet id", "Status", "Created (UTC)")
        rows: list[tuple[str, ...]] = [
            (
                wallet.network,
                wallet.label,
                wallet.address,
                str(wallet.id),
                wallet.status,
                "none" if wallet.created_at is None else f"{wallet.created_at:%Y-%m-%d %H:%M}",
            )
            for wallet in page.wallets
        ]
        folded = {"Label": "Network", "Wallet id": "Address", "Created (UTC)": "Status", "Project": "Address"}
        if project is None:
            columns = (*columns, "Project")
            rows = [(*row, str(wallet.project_id)) for row, wallet in zip(rows, page.wallets, strict=True)]
        context.out.table(columns, rows, folded=folded)
    else:
        context.out.message("No wallets.")
    if page.next is not None:
        context.out.message(f"More: add --after {page.next}")
    return EXIT_DONE


def show(
    context: CommandContext,
    wallet: WalletName,
    project: AnyProject = None,
    unverified: Unverified = False,
) -> int:
    """Show the public facts of one wallet."""
    if unverified:
        return render_unverified_wallet(context, wallet, project)
    with context.vault() as vault:
        found = find(vault, wallet, project)
    if context.out.as_json:
        context.out.document({"wallet": found.as_dict()})
    else:
        render_wallet(context, found)
    return EXIT_DONE


def render_wallet(context: CommandContext, wallet: Wallet) -> None:
    """Print the facts of a wallet for people."""
    facts = wallet.as_dict()
    context.out.facts([(name.replace("_", " "), _text(value)) for name, value in facts.items()])


def _text(value: object) -> str:
    if value is None:
        return "none"
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
