"""``strongroom history``: the texts that were kept of a wallet."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from strongroom.cli.command import CommandContext, command, common_callback
from strongroom.cli.exit_codes import EXIT_DONE
from strongroom.cli.failures import UNKNOWN, closest
from strongroom.cli.history_reveal import reveal
from strongroom.cli.options import Actor, After, Reason
from strongroom.cli.wallet_read import render_wallet
from strongroom.cli.wallet_reference import WalletName, WalletProject, locate

if TYPE_CHECKING:
    from strongroom.records.history import HistoryEntry, HistoryPage

DEFAULT = "show"
_FORMS = {"sealed": "sealed by strongroom", "foreign": "the legacy application's"}
_REVEAL = "Example: strongroom history reveal 0190c3f2-7a51-7c68-8d3f-6a2f7e1b9c04 --reveal > key.txt"
_UNSURE = "The export may be logged already; nothing else was changed."
_RESTORE = "Example: strongroom history restore 0190c3f2-7a51-7c68-8d3f-6a2f7e1b9c04"


class _IdOrCommand(TyperGroup):
    """A first word that is no command, and like none, is an id for the default one."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        if args[0] not in self.commands and not _may_be_command(args[0], [*self.commands]):
            args = [DEFAULT, *args]
        return super().resolve_command(ctx, args)


def _may_be_command(word: str, commands: list[str]) -> bool:
    """Whether a word that names no wallet may be a command that was mistyped."""
    return re.fullmatch("[a-z-]{1,16}", word) is not None and bool(closest(word, commands))


def build() -> typer.Typer:
    """Make the Typer group ``strongroom history`` with its commands."""
    app = typer.Typer(
        cls=_IdOrCommand,
        help="Show the texts that were kept of a wallet, put its key back, or take a kept key out.",
        subcommand_metavar="WALLET | restore WALLET | reveal ENTRY",
    )
    app.callback()(common_callback)
    command(app, DEFAULT, epilog="Example: strongroom history 0190c3f2-7a51-7c68-8d3f-6a2f7e1b9c04")(show)
    command(app, "restore", unsure=UNKNOWN, epilog=_RESTORE)(restore)
    command(app, "reveal", unsure=_UNSURE, epilog=_REVEAL)(reveal)
    return app


def show(
    context: CommandContext,
    wallet: WalletName,
    project: WalletProject = None,
    limit: Annotated[int, typer.Option("--limit", metavar="N", help="Texts of a page, 1 to 1,000.")] = 100,
    after: After = None,
) -> int:
    """List what was kept of a wallet, oldest first, a page at a time; `strongroom history ID` is short for it.

    Shows no text, and opens none.
    """
    with context.vault() as vault:
        found, within = locate(vault, wallet, project)
        page = vault.history(found, project_id=within, limit=limit, after=after)
    render_history(context, page, "wallet", continued=after is not None)
    return EXIT_DONE


def render_history(context: CommandContext, page: HistoryPage, of: str, *, continued: bool) -> None:
    """Print a page of what was kept of a wallet or a phrase (``of``)."""
    entries = page.entries
    if context.out.as_json:
        context.out.document({"history": [_as_dict(entry) for entry in entries], "next": page.next})
    elif entries:
        context.out.table(
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
            folded={**dict.fromkeys(("Text", "Reason", "Network"), "Kept (UTC)"), "Entry id": "Address"},
        )
    else:
        context.out.message(f"Nothing more was kept of this {of}." if continued else f"Nothing was kept of this {of}.")
    if page.next is not None and not context.out.as_json:
        context.out.message(f"More: add --after {page.next}")


def restore(
    context: CommandContext,
    wallet: WalletName,
    project: WalletProject = None,
    archive_current: Annotated[
        bool, typer.Option("--archive-current", help="Keep the text that is stored in the history, and replace it.")
    ] = False,
    entry: Annotated[
        str | None,
        typer.Option("--entry", metavar="ENTRY", help="Restore from this entry of the history alone."),
    ] = None,
    actor: Actor = None,
    reason: Reason = None,
) -> int:
    """Put the newest kept text that proves back, where the wallet's key or all of its rows are missing.

    Another text that is stored, no matter who wrote it, is a conflict, unless --archive-current says that it goes into
    the history: a key in plaintext sealed, under the address that it derives.
    """
    with context.vault() as vault:
        named, within = locate(vault, wallet, project)
        restored, stored = vault.restore(
            named, project_id=within, archive_current=archive_current, entry=entry, actor=actor, reason=reason
        )
    if context.out.as_json:
        context.out.document({"stored": stored, "wallet": restored.as_dict()})
    else:
        render_wallet(context, restored)
        context.out.message("Put back, and proved." if stored else "The key was there already; nothing was changed.")
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
