"""``strongroom wallet move-key``."""

from __future__ import annotations

from typing import Annotated

import typer

from strongroom.cli.command import CommandContext, command
from strongroom.cli.doctor import KeystorePassword, LegacyPassword, secrets_of
from strongroom.cli.exit_codes import EXIT_DONE
from strongroom.cli.failures import UNKNOWN
from strongroom.cli.options import Actor, Reason, Variant
from strongroom.cli.path_input import OnePath
from strongroom.cli.wallet_read import render_wallet
from strongroom.cli.wallet_reference import WalletName, WalletProject, locate

_EPILOG = """Examples: strongroom wallet move-key 0190c3f2-7a51-7c68-8d3f-6a2f7e1b9c04 --to history
strongroom wallet move-key 0190c3f2-7a51-7c68-8d3f-6a2f7e1b9c04 --to wallet --label found"""


def add(app: typer.Typer) -> None:
    """Add ``strongroom wallet move-key`` to the application."""
    command(app, "move-key", unsure=UNKNOWN, epilog=_EPILOG)(move_key)


def move_key(
    context: CommandContext,
    wallet: WalletName,
    to: Annotated[str, typer.Option("--to", metavar="PLACE", help="history, or wallet: a wallet of its own.")],
    project: WalletProject = None,
    label: Annotated[str | None, typer.Option("--label", metavar="LABEL", help="Of the new wallet.")] = None,
    network: Annotated[
        str | None, typer.Option("--network", metavar="NETWORK", help="The network that the key is derived on.")
    ] = None,
    variant: Variant = None,
    path: OnePath = None,
    legacy_password_stdin: LegacyPassword = False,
    keystore_password_stdin: KeystorePassword = False,
    actor: Actor = None,
    reason: Reason = None,
) -> int:
    """Take a key out of a wallet's rows that derives another address than the wallet's.

    It is sealed under the address that it derives, and kept in the history or made a wallet of its own; a placeholder
    stays in its row. Never takes the wallet's own key.
    """
    legacy, keystore = secrets_of(legacy_password_stdin, keystore_password_stdin)
    with context.vault() as vault:
        found, within = locate(vault, wallet, project)
        addresses, made = vault.move_key(
            found,
            project_id=within,
            to=to,
            label=label,
            network=network,
            variant=variant,
            path=path,
            legacy_password=legacy,
            keystore_password=keystore,
            actor=actor,
            reason=reason,
        )
    if context.out.as_json:
        context.out.document({"addresses": list(addresses), "wallet": None if made is None else made.as_dict()})
        return EXIT_DONE
    if made is not None:
        render_wallet(context, made)
    context.out.message(f"Sealed, and out of the rows of {wallet}: the key of {', '.join(addresses)}.")
    context.out.message("If it was stored in plaintext, treat it as seen: move what that address holds.")
    return EXIT_DONE
