"""``strongroom history reveal``: the key in one kept text, or the text."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from strongroom.cli.actors import actor_or_user
from strongroom.cli.command import CommandContext
from strongroom.cli.doctor import KeystorePassword, LegacyPassword, secrets_of
from strongroom.cli.exit_codes import EXIT_DONE
from strongroom.cli.failures import CommandLineError
from strongroom.cli.options import Actor, GiveAwayAccount, Reason, Reveal, Variant
from strongroom.cli.path_input import OnePath
from strongroom.cli.wallet_export import key_document
from strongroom.cli.wallet_reference import WalletProject

if TYPE_CHECKING:
    from strongroom.records.key_material import KeptKey, RevealedText
    from strongroom.secret import Secret

KeptText = Annotated[
    str,
    typer.Argument(
        metavar="ENTRY",
        help="Id of an entry of the history, or of a vault record (entry:ID or record:ID where both have it); "
        "metadata:WALLET for a text in the metadata of a credential.",
    ),
]
AsText = Annotated[bool, typer.Option("--text", help="Print the text as it is, whether a key is read from it or not.")]
NetworkOfKey = Annotated[str, typer.Option("--network", metavar="NETWORK", help="Of a key whose row names none.")]
WalletOfText = Annotated[
    str | None,
    typer.Option(
        "--wallet",
        metavar="WALLET",
        help="Id of the wallet that the text is of, if its row says another wallet or project.",
    ),
]


def reveal(
    context: CommandContext,
    text: KeptText,
    reveal: Reveal = False,
    as_text: AsText = False,
    network: NetworkOfKey = "",
    variant: Variant = None,
    path: OnePath = None,
    wallet: WalletOfText = None,
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
    _require_asked(reveal)
    if as_text:
        _require_as_it_is(network or variant or path or keystore_password_stdin)
    who, why = actor_or_user(actor), reason or "strongroom history reveal"
    legacy, keystore = secrets_of(legacy_password_stdin, keystore_password_stdin)
    with context.vault() as vault:
        found = (
            vault.reveal_kept_text(
                text, legacy_password=legacy, wallet=wallet, project_id=project, actor=who, reason=why
            )
            if as_text
            else vault.reveal_kept(
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
        )
    _render(context, found)
    return EXIT_DONE


def _require_asked(reveal: bool) -> None:
    if not reveal:
        raise CommandLineError(
            "This prints a secret in plaintext, so it must be asked for with --reveal.",
            "Add --reveal when nobody watches the screen, and the output goes where it should.",
        )


def _require_as_it_is(reads_key: object) -> None:
    """Refuse options that say how a key is read, where none is read."""
    if reads_key:
        raise CommandLineError(
            "--text prints a text as it is; options that say how a key is read do not go with it.",
            "Leave --text out to open a keystore, or leave the other options out; --legacy-password-stdin prints "
            "all that is in an envelope.",
        )


def _render(context: CommandContext, found: KeptKey | RevealedText) -> None:
    from strongroom.records.key_material import RevealedText

    if isinstance(found, RevealedText):
        _render_text(context, found)
    else:
        _render_key(context, found)


def _render_key(context: CommandContext, kept: KeptKey) -> None:
    """The key alone, for programs with what belongs to it; what people should know goes to standard error."""
    shown = kept.revealed
    if context.out.as_json:
        context.out.document({**_place_of(kept), **key_document(shown)})
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


def _render_text(context: CommandContext, kept: RevealedText) -> None:
    if context.out.as_json:
        shown = kept.text.reveal().decode(errors="backslashreplace")
        context.out.document({**_place_of(kept), "text": shown, "part": kept.part, "parts": kept.parts})
    else:
        _print_text(context, kept.text)
    context.out.message("Exported in plaintext, and logged: a text as it was stored.")
    if kept.parts > 1:
        context.out.message(f"It is part {kept.part} of {kept.parts}: `strongroom history WALLET` lists the others.")
    if kept.wallet_id is not None:
        context.out.message(f"It was kept for the wallet {kept.wallet_id}.")


def _place_of(kept: KeptKey | RevealedText) -> dict[str, str | None]:
    """Whose a kept text is, as JSON-ready values."""
    return {
        "project_id": None if kept.project_id is None else str(kept.project_id),
        "wallet_id": None if kept.wallet_id is None else str(kept.wallet_id),
        "network": kept.network,
        "address": kept.address,
    }


def _print_text(context: CommandContext, text: Secret) -> None:
    """Byte for byte; on a terminal without what would control it."""
    if sys.stdout.isatty():
        for line in text.reveal().decode(errors="backslashreplace").split("\n"):
            context.out.line(line)
    else:
        context.out.secret(text.reveal())
