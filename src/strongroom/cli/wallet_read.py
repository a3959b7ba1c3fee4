"""``strongroom wallet list`` and ``strongroom wallet show``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from strongroom.cli.command import Run, command
from strongroom.cli.failures import EXIT_DONE
from strongroom.cli.options import AnyProject, Project

if TYPE_CHECKING:
    from strongroom.model import Wallet
    from strongroom.vault import Vault


def add(app: typer.Typer) -> None:
    """Register the commands."""
    command(app, "list", epilog="Example: strongroom wallet list --project 6f1c1c1e-6a5c-4d7e-9d0a-0e9f0f8e7b11")(
        list_wallets
    )
    command(app, "show", epilog="Example: strongroom wallet show 0x9858EfFD232B4033E47d90003D41EC34EcaEda94")(show)


def list_wallets(
    run: Run,
    project: Project,
    network: Annotated[
        str | None, typer.Option("--network", metavar="NAME", help="Only wallets of this network.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", metavar="N", help="Wallets of a page, 1 to 1,000.")] = 100,
    after: Annotated[
        str | None,
        typer.Option("--after", metavar="CURSOR", help="Where the page before ended: its `next`."),
    ] = None,
) -> int:
    """List a project's wallets in the order of their ids, a page at a time."""
    with run.vault() as vault:
        page = vault.list_wallets(project, network=network, limit=limit, after=after)
    if run.out.as_json:
        run.out.document({"wallets": [wallet.as_dict() for wallet in page.wallets], "next": page.next})
        return EXIT_DONE
    if page.wallets:
        columns = ("Network", "Label", "Address", "Wallet id", "Status", "Created (UTC)")
        rows = [
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
        folded = {"Label": "Network", "Wallet id": "Address", "Created (UTC)": "Status"}
        run.out.table(columns, rows, folded=folded)
    else:
        run.out.message("No wallets.")
    if page.next is not None:
        run.out.message(f"More: add --after {page.next}")
    return EXIT_DONE


def show(
    run: Run,
    wallet: Annotated[str, typer.Argument(metavar="ID-OR-ADDRESS", help="The wallet's id, or its address.")],
    project: AnyProject = None,
) -> int:
    """Show the public facts of one wallet."""
    with run.vault() as vault:
        found = _find(vault, wallet, project)
    if run.out.as_json:
        run.out.document({"wallet": found.as_dict()})
    else:
        tell_wallet(run, found)
    return EXIT_DONE


def tell_wallet(run: Run, wallet: Wallet) -> None:
    """Print the facts of a wallet for people."""
    facts = wallet.as_dict()
    run.out.facts([(name.replace("_", " "), _text(value)) for name, value in facts.items()])


def is_wallet_id(text: str) -> bool:
    """Whether a text is an id; else it is taken for an address."""
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _find(vault: Vault, wallet: str, project: str | None) -> Wallet:
    from strongroom.errors import InvalidProjectError, WalletNotFoundError

    if not is_wallet_id(wallet):
        return vault.find_by_address(wallet, project_id=project)
    if project is not None and not is_wallet_id(project):
        raise InvalidProjectError("The project id is not a UUID.")
    found = vault.get_wallet(wallet)
    if project is not None and found.project_id != UUID(project):
        raise WalletNotFoundError("No wallet of this project has this id.")
    return found


def _text(value: object) -> str:
    if value is None:
        return "none"
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
