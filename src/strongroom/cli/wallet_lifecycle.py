"""``strongroom wallet replace`` and ``strongroom wallet revoke``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from strongroom.cli.command import CommandContext, command
from strongroom.cli.confirmation import confirm
from strongroom.cli.exit_codes import EXIT_DONE
from strongroom.cli.failures import UNKNOWN
from strongroom.cli.options import Actor, IdempotencyKey, Reason, Words
from strongroom.cli.wallet_read import render_wallet
from strongroom.cli.wallet_reference import WalletName, WalletProject, find, locate

if TYPE_CHECKING:
    from strongroom.records.wallets import Wallet
    from strongroom.vault.vault import Vault

_REPLACE = "Example: strongroom wallet replace 0190c3f2-7a51-7c68-8d3f-6a2f7e1b9c04 --reason 'key was seen'"
_REVOKE = "Example: strongroom wallet revoke 0190c3f2-7a51-7c68-8d3f-6a2f7e1b9c04 --reason 'project closed'"


def add(app: typer.Typer) -> None:
    """Add these commands to the group ``strongroom wallet``."""
    command(app, "replace", unsure=UNKNOWN, epilog=_REPLACE)(replace)
    command(app, "revoke", unsure=UNKNOWN, epilog=_REVOKE)(revoke)


def replace(
    context: CommandContext,
    wallet: WalletName,
    project: WalletProject = None,
    words: Words = 12,
    idempotency_key: IdempotencyKey = None,
    path: Annotated[
        str | None,
        typer.Option(
            "--path", metavar="PATH", help="The account that a phrase's wallet is in, where that is not certain."
        ),
    ] = None,
    actor: Actor = None,
    reason: Reason = None,
) -> int:
    """Make a new wallet in the place of this one, which is retired.

    Its key is not touched, and still opens where it did. A repeat returns the same successor.
    """
    with context.vault() as vault:
        old = find(vault, wallet, project)
        successor, created = vault.replace_wallet(
            old, words=words, idempotency_key=idempotency_key, path=path, actor=actor, reason=reason
        )
        key = _of_its_key(vault, old)
    if context.out.as_json:
        context.out.document({"created": created, "wallet": successor.as_dict(), "replaced": str(old.id)})
        return EXIT_DONE
    render_wallet(context, successor)
    context.out.message(
        f"Made. The wallet {old.id} is retired{key}"
        if created
        else f"The wallet {old.id} has this successor already; nothing was changed."
    )
    return EXIT_DONE


def _of_its_key(vault: Vault, wallet: Wallet) -> str:
    """What is to be said of the key of a wallet that was retired: it is opened and proved to say so."""
    from strongroom.errors import StrongroomError

    try:
        opens = all(result.ok for result in vault.verify(wallet))
    except StrongroomError:
        opens = False
    if opens:
        return ", and can still be opened: move what it holds."
    return "; it cannot be opened as it is stored: strongroom doctor says where its key is, if anywhere."


def revoke(
    context: CommandContext,
    wallet: WalletName,
    project: WalletProject = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask on a terminal.")] = False,
    actor: Actor = None,
    reason: Reason = None,
) -> int:
    """Retire a wallet without a successor; asks first on a terminal.

    Deletes nothing: the key stays openable. `wallet create` refuses its label from then on.
    """
    with context.vault() as vault:
        named, within = locate(vault, wallet, project)
        if not (yes or context.out.as_json) and sys.stdin is not None and sys.stdin.isatty():
            _confirm(context, vault.get_wallet(named, project_id=within))
        revoked = vault.revoke_wallet(named, project_id=within, actor=actor, reason=reason)
        key = _of_its_key(vault, revoked)
    if context.out.as_json:
        context.out.document({"wallet": revoked.as_dict()})
    else:
        render_wallet(context, revoked)
        context.out.message(f"Revoked{key}")
        context.out.message(f"Next: strongroom wallet replace {revoked.id} makes a new wallet in its place.")
    return EXIT_DONE


def _confirm(context: CommandContext, found: Wallet) -> None:
    context.out.message(f"The {found.network} wallet {found.label} of project {found.project_id}, {found.address},")
    context.out.message("will be retired: no new wallet is made in its place until it is replaced.")
    confirm("Revoke it?")
