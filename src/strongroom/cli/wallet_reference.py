"""How a wallet is named on the command line: by its id, its address, or PROJECT/NETWORK/LABEL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from strongroom.cli.failures import CommandLineError

if TYPE_CHECKING:
    from strongroom.records.wallets import Wallet
    from strongroom.vault.vault import Vault

WalletName = Annotated[
    str, typer.Argument(metavar="WALLET", help="The wallet: its id, its address, or PROJECT/NETWORK/LABEL.")
]

WalletProject = Annotated[
    str | None,
    typer.Option("--project", metavar="UUID", help="The wallet's project: a wallet of another one is not found."),
]


def is_wallet_id(text: str) -> bool:
    """Whether a text is an id."""
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def find(vault: Vault, name: str, project: str | None = None) -> Wallet:
    """The wallet that is named. Raises WalletNotFoundError, AmbiguousWalletError and others."""
    from strongroom.errors import WalletNotFoundError
    from strongroom.records.identifiers import check_project_id

    within = None if project is None else check_project_id(project)
    if "/" in name:
        found = _by_parts(vault, name)
    elif is_wallet_id(name):
        return vault.get_wallet(name, project_id=within)
    else:
        return vault.find_by_address(name, project_id=project)
    if within not in (None, found.project_id):
        raise WalletNotFoundError("No wallet of this project has this name.")
    return found


def locate(vault: Vault, name: str, project: str | None = None) -> tuple[str, str | None]:
    """The id of the wallet that is named, and its project where that is known.

    An id is passed on with the project that is given, also one whose rows are gone: the verb that takes both refuses a
    wallet of another project. Raises as ``find`` does.
    """
    if is_wallet_id(name):
        return name, project
    found = find(vault, name, project)
    return str(found.id), str(found.project_id)


def parts_of(name: str) -> list[str]:
    """Project and network of a wallet that is named by them, and its label where that is named. Raises
    CommandLineError.
    """
    parts = name.split("/")
    if len(parts) not in (2, 3) or "" in parts:
        raise CommandLineError(
            "This names no wallet.", "A wallet is named by its id, its address, or PROJECT/NETWORK[/LABEL]."
        )
    return parts


def _by_parts(vault: Vault, name: str) -> Wallet:
    from strongroom.errors import WalletNotFoundError

    found = vault.find_wallet(*parts_of(name))
    if found is None:
        raise WalletNotFoundError("The project has no wallet of this network and label.")
    return found
