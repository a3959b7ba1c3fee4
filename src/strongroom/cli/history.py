"""``strongroom history``: the texts that were kept of a wallet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperGroup

from strongroom.cli.command import Run, command, common_callback
from strongroom.cli.failures import EXIT_DONE, UNKNOWN
from strongroom.cli.options import Actor, Reason, WalletId
from strongroom.cli.wallet_read import tell_wallet

if TYPE_CHECKING:
    from strongroom.model import HistoryEntry

DEFAULT = "show"
_FORMS = {"sealed": "sealed by strongroom", "foreign": "another application's"}
_RESTORE = "Example: strongroom history restore 0190c3f2-7a51-7c68-8d3f-6a2f7e1b9c04"


class _IdOrCommand(TyperGroup):
    """A first word that is no command is an id for the default one."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        if args[0] not in self.commands:
            args = [DEFAULT, *args]
        return super().resolve_command(ctx, args)


def build() -> typer.Typer:
    """Put the commands together."""
    app = typer.Typer(
        cls=_IdOrCommand,
        help="Show the texts that were kept of a wallet, and put its key back.",
        subcommand_metavar="ID | restore ID",
    )
    app.callback()(common_callback)
    command(app, DEFAULT, epilog="Example: strongroom history 0190c3f2-7a51-7c68-8d3f-6a2f7e1b9c04")(show)
    command(app, "restore", unsure=UNKNOWN, epilog=_RESTORE)(restore)
    return app


def show(run: Run, wallet: WalletId) -> int:
    """List what was kept of a wallet, oldest first; `strongroom history ID` is short for it.

    Shows no text, and opens none.
    """
    with run.vault() as vault:
        entries = vault.history(wallet)
    if run.out.as_json:
        run.out.document({"history": [_as_dict(entry) for entry in entries]})
    elif entries:
        run.out.table(
            ("Kept (UTC)", "Text", "Reason", "Network", "Address", "Entry id"),
            [
                (
                    f"{entry.created_at:%Y-%m-%d %H:%M:%S}",
                    _FORMS.get(entry.form, entry.form),
                    entry.reason,
                    entry.network,
                    entry.address,
                    str(entry.id),
                )
                for entry in entries
            ],
            folded={"Reason": "Text", "Network": "Kept (UTC)", "Entry id": "Address"},
        )
    else:
        run.out.message("Nothing was kept of this wallet.")
    return EXIT_DONE


def restore(run: Run, wallet: WalletId, actor: Actor = None, reason: Reason = None) -> int:
    """Put the newest kept text that proves back, where the wallet's key is missing.

    Overwrites nothing: a text that stands there, whoever wrote it, is a conflict.
    """
    with run.vault() as vault:
        restored, stored = vault.restore(wallet, actor=actor, reason=reason)
    if run.out.as_json:
        run.out.document({"stored": stored, "wallet": restored.as_dict()})
    else:
        tell_wallet(run, restored)
        run.out.message("Put back, and proved." if stored else "The key was there already; nothing was changed.")
    return EXIT_DONE


def _as_dict(entry: HistoryEntry) -> dict[str, str]:
    return {
        "id": str(entry.id),
        "form": entry.form,
        "reason": entry.reason,
        "created_at": entry.created_at.isoformat(),
        "address": entry.address,
        "vault_id": entry.vault_id,
        "network": entry.network,
        "label": entry.label,
    }
