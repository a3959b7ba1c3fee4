"""``strongroom wallet replace`` and ``strongroom wallet revoke``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from strongroom.cli.command import Run, command
from strongroom.cli.failures import EXIT_DONE, EXIT_FAILED, UNKNOWN, CommandLineError
from strongroom.cli.options import Actor, IdempotencyKey, Reason, WalletId, Words
from strongroom.cli.wallet_read import tell_wallet

if TYPE_CHECKING:
    from strongroom.vault import Vault

_REPLACE = "Example: strongroom wallet replace 0190c3f2-7a51-7c68-8d3f-6a2f7e1b9c04 --reason 'key was seen'"
_REVOKE = "Example: strongroom wallet revoke 0190c3f2-7a51-7c68-8d3f-6a2f7e1b9c04 --reason 'project closed'"


def add(app: typer.Typer) -> None:
    """Register the commands."""
    command(app, "replace", unsure=UNKNOWN, epilog=_REPLACE)(replace)
    command(app, "revoke", unsure=UNKNOWN, epilog=_REVOKE)(revoke)


def replace(
    run: Run,
    wallet: WalletId,
    words: Words = 12,
    idempotency_key: IdempotencyKey = None,
    actor: Actor = None,
    reason: Reason = None,
) -> int:
    """Make a new wallet in the place of this one, which is retired.

    The retired one stays openable. A repeat returns the same successor.
    """
    with run.vault() as vault:
        old = vault.get_wallet(wallet)
        successor, created = vault.replace_wallet(
            old, words=words, idempotency_key=idempotency_key, actor=actor, reason=reason
        )
    if run.out.as_json:
        run.out.document({"created": created, "wallet": successor.as_dict(), "replaced": str(old.id)})
        return EXIT_DONE
    tell_wallet(run, successor)
    run.out.message(
        f"Made. The wallet {old.id} is retired, and can still be opened: move what it holds."
        if created
        else f"The wallet {old.id} has this successor already; nothing was changed."
    )
    return EXIT_DONE


def revoke(
    run: Run,
    wallet: WalletId,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask on a terminal.")] = False,
    actor: Actor = None,
    reason: Reason = None,
) -> int:
    """Retire a wallet without a successor; asks first on a terminal.

    Deletes nothing: the key stays openable. `wallet create` refuses its label from then on.
    """
    with run.vault() as vault:
        if not (yes or run.out.as_json) and sys.stdin is not None and sys.stdin.isatty():
            _confirm(run, vault, wallet)
        revoked = vault.revoke_wallet(wallet, actor=actor, reason=reason)
    if run.out.as_json:
        run.out.document({"wallet": revoked.as_dict()})
    else:
        tell_wallet(run, revoked)
        run.out.message("Revoked; its key can still be opened.")
        run.out.message(f"Next: strongroom wallet replace {revoked.id} makes a new wallet in its place.")
    return EXIT_DONE


def _confirm(run: Run, vault: Vault, wallet: str) -> None:
    found = vault.get_wallet(wallet)
    run.out.message(f"The {found.network} wallet {found.label} of project {found.project_id}, {found.address},")
    run.out.message("will be retired: no new wallet is made in its place until it is replaced.")
    sys.stderr.write("Revoke it? [y/N] ")
    sys.stderr.flush()
    if _answer() not in ("y", "yes"):
        raise CommandLineError(
            "The question was not answered with yes.",
            "Run it again and answer y, or add --yes.",
            code="not-confirmed",
            exit_code=EXIT_FAILED,
        )


def _answer() -> str:
    """What was typed; nothing where it is no text."""
    try:
        return sys.stdin.readline().strip().lower()
    except ValueError:
        return ""
