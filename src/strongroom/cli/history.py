"""``strongroom history``: the texts that were kept of a wallet."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from strongroom.cli.actors import actor_or_user
from strongroom.cli.command import CommandContext, command, common_callback
from strongroom.cli.doctor import KeystorePassword, LegacyPassword, secrets_of
from strongroom.cli.exit_codes import EXIT_DONE
from strongroom.cli.failures import UNKNOWN, CommandLineError
from strongroom.cli.options import Actor, After, GiveAwayAccount, Reason, Reveal, Variant
from strongroom.cli.path_input import OnePath
from strongroom.cli.wallet_read import render_wallet
from strongroom.cli.wallet_reference import WalletName, WalletProject, locate

if TYPE_CHECKING:
    from strongroom.records.history import HistoryEntry
    from strongroom.secret import Secret

DEFAULT = "show"
_FORMS = {"sealed": "sealed by strongroom", "foreign": "the legacy application's"}
_REVEAL = "Example: strongroom history reveal 0190c3f2-7a51-7c68-8d3f-6a2f7e1b9c04 --reveal > key.txt"
_UNSURE = "The export may be logged already; nothing else was changed."
_RESTORE = "Example: strongroom history restore 0190c3f2-7a51-7c68-8d3f-6a2f7e1b9c04"


class _IdOrCommand(TyperGroup):
    """A first word that is no command is an id for the default one."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        if args[0] not in self.commands:
            args = [DEFAULT, *args]
        return super().resolve_command(ctx, args)


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
        context.out.message(
            "Nothing was kept of this wallet." if after is None else "Nothing more was kept of this wallet."
        )
    if page.next is not None and not context.out.as_json:
        context.out.message(f"More: add --after {page.next}")
    return EXIT_DONE


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


def reveal(
    context: CommandContext,
    text: Annotated[
        str,
        typer.Argument(
            metavar="ENTRY",
            help="Id of an entry of the history, or of a vault record (entry:ID or record:ID where both have it); "
            "metadata:WALLET for a text in the metadata of a credential.",
        ),
    ],
    reveal: Reveal = False,
    as_text: Annotated[
        bool, typer.Option("--text", help="Print the text as it is, whether a key is read from it or not.")
    ] = False,
    network: Annotated[str, typer.Option("--network", metavar="NETWORK", help="Of a key whose row names none.")] = "",
    variant: Variant = None,
    path: OnePath = None,
    wallet: Annotated[
        str | None,
        typer.Option(
            "--wallet",
            metavar="WALLET",
            help="Id of the wallet that the text is of, if its row says another wallet or project.",
        ),
    ] = None,
    project: WalletProject = None,
    legacy_password_stdin: LegacyPassword = False,
    keystore_password_stdin: KeystorePassword = False,
    give_away_account: GiveAwayAccount = False,
    actor: Actor = None,
    reason: Reason = None,
) -> int:
    """Print the key in one kept text, where its wallet is gone or is another one; logged first.

    Takes an entry of the history, or a vault record that a finding names. Standard output carries the key alone, or
    with --json its address and phrase as well. With --text it carries the whole text: where no key is read from it, or
    where it holds more than one.
    """
    if not reveal:
        raise CommandLineError(
            "This prints a secret in plaintext, so it must be asked for with --reveal.",
            "Add --reveal when nobody watches the screen, and the output goes where it should.",
        )
    who, why = actor_or_user(actor), reason or "strongroom history reveal"
    if as_text:
        if network or variant or path or keystore_password_stdin:
            raise CommandLineError(
                "--text prints a text as it is; options that say how a key is read do not go with it.",
                "Leave --text out to open a keystore, or leave the other options out; --legacy-password-stdin prints "
                "all that is in an envelope.",
            )
        legacy, _ = secrets_of(legacy_password_stdin, False)
        return _reveal_text(context, text, legacy, (wallet, project), who, why)
    legacy, keystore = secrets_of(legacy_password_stdin, keystore_password_stdin)
    with context.vault() as vault:
        kept = vault.reveal_kept(
            text,
            network=network,
            variant=variant,
            path=path,
            legacy_password=legacy,
            keystore_password=keystore,
            wallet=wallet,
            project_id=project,
            give_away_account=give_away_account,
            actor=who,
            reason=why,
        )
    shown = kept.revealed
    if context.out.as_json:
        phrase, passphrase = shown.mnemonic, shown.passphrase
        context.out.document(
            {
                "project_id": None if kept.project_id is None else str(kept.project_id),
                "wallet_id": None if kept.wallet_id is None else str(kept.wallet_id),
                "network": kept.network,
                "address": kept.address,
                "private_key": shown.private_key.reveal_text(),
                "mnemonic": None if phrase is None else phrase.reveal_text(),
                "passphrase": None if passphrase is None else passphrase.reveal_text(),
                "path": shown.path,
                "scheme": shown.scheme,
            }
        )
    else:
        context.out.secret(shown.private_key.reveal())
    context.out.message(f"Exported in plaintext, and logged: the key of {kept.address} on {kept.network}.")
    if kept.project_id is not None:
        context.out.message(f"It was kept for the wallet {kept.wallet_id} of the project {kept.project_id}.")
    if not context.out.as_json and shown.mnemonic is not None:
        context.out.message(f"It has a phrase, which --json prints; path {shown.path} ({shown.scheme}).")
    if kept.holds_more:
        context.out.message(
            "Another key or secret is in the same text: --text in the place of other options prints "
            "it whole, with --legacy-password-stdin all that is in an envelope."
        )
    return EXIT_DONE


def _reveal_text(
    context: CommandContext,
    text_id: str,
    legacy: Secret | None,
    of: tuple[str | None, str | None],
    actor: str,
    reason: str,
) -> int:
    with context.vault() as vault:
        kept = vault.reveal_kept_text(
            text_id, legacy_password=legacy, wallet=of[0], project_id=of[1], actor=actor, reason=reason
        )
    if context.out.as_json:
        context.out.document(
            {
                "project_id": None if kept.project_id is None else str(kept.project_id),
                "wallet_id": None if kept.wallet_id is None else str(kept.wallet_id),
                "network": kept.network,
                "address": kept.address,
                "text": kept.text.reveal().decode(errors="backslashreplace"),
                "part": kept.part,
                "parts": kept.parts,
            }
        )
    else:
        _print_text(context, kept.text)
    context.out.message("Exported in plaintext, and logged: a text as it was stored.")
    if kept.parts > 1:
        context.out.message(f"It is part {kept.part} of {kept.parts}: `strongroom history WALLET` lists the others.")
    if kept.wallet_id is not None:
        context.out.message(f"It was kept for the wallet {kept.wallet_id}.")
    return EXIT_DONE


def _print_text(context: CommandContext, text: Secret) -> None:
    """Byte for byte; on a terminal without what would control it."""
    if sys.stdout.isatty():
        for line in text.reveal().decode(errors="backslashreplace").split("\n"):
            context.out.line(line)
    else:
        context.out.secret(text.reveal())


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
