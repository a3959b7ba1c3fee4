"""``strongroom wallet export``: the one command that prints a secret, and keystores."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from strongroom.cli.actors import actor_or_user
from strongroom.cli.command import CommandContext, command
from strongroom.cli.completion import complete_export
from strongroom.cli.exit_codes import EXIT_DONE, EXIT_FAILED
from strongroom.cli.failures import CommandLineError
from strongroom.cli.key_input import check_password, new_password
from strongroom.cli.options import Actor, GiveAwayAccount, KeystorePasswordFile, KeystorePasswordStdin, Reason, Reveal
from strongroom.cli.wallet_reference import WalletName, WalletProject, locate

if TYPE_CHECKING:
    from strongroom.records.key_material import Revealed
    from strongroom.records.wallets import Wallet

_EPILOG = """Example: strongroom wallet export 0190c3f2-7a51-7c68-8d3f-6a2f7e1b9c04 --reveal > key.txt

Standard output carries the secret and nothing else. Each export is a row of the usage log.
A keystore (--format keystore) is encrypted under a password, and takes no --reveal."""
_FORMS = ("key", "mnemonic", "keystore")
_UNSURE = "The export may be in the usage log already; nothing else was changed."


def add(app: typer.Typer) -> None:
    """Add ``strongroom wallet export`` to the application."""
    command(app, "export", unsure=_UNSURE, epilog=_EPILOG)(export)


def export(
    context: CommandContext,
    wallet: WalletName,
    project: WalletProject = None,
    reveal: Reveal = False,
    form: Annotated[
        str, typer.Option("--format", metavar="FORM", help="key, mnemonic or keystore.", autocompletion=complete_export)
    ] = "key",
    keystore_password_stdin: KeystorePasswordStdin = False,
    keystore_password_file: KeystorePasswordFile = None,
    give_away_account: GiveAwayAccount = False,
    actor: Actor = None,
    reason: Reason = None,
) -> int:
    """Print the private key or the phrase of a wallet in plaintext, or its key in a keystore.

    The wallet is proved and the export is logged first. A keystore is for Ethereum and chains like it.
    """
    if form not in _FORMS:
        raise CommandLineError("--format takes key, mnemonic or keystore.", "Leave it out for the private key.")
    check_password(keystore_password_stdin, keystore_password_file, wanted=form == "keystore")
    how: dict[str, Any] = {
        "actor": actor_or_user(actor),
        "reason": reason or "strongroom wallet export",
        "give_away_account": give_away_account,
    }
    if form == "keystore":
        return _keystore(context, wallet, project, keystore_password_file, how)
    if not reveal:
        raise CommandLineError(
            "An export prints a secret in plaintext, so it must be asked for with --reveal.",
            "Add --reveal when nobody watches the screen, and the output goes where it should.",
        )
    with context.vault() as vault:
        found, within = locate(vault, wallet, project)
        if form == "mnemonic":
            _require_phrase(vault.get_wallet(found, project_id=within))
        revealed = vault.reveal(found, project_id=within, **how)
    if form == "mnemonic" and revealed.mnemonic is None:
        raise _no_phrase()
    _print(context, revealed, form)
    return EXIT_DONE


def _keystore(
    context: CommandContext, wallet: str, project: str | None, password_file: str | None, how: dict[str, Any]
) -> int:
    password = new_password(password_file)
    with context.vault() as vault:
        found, within = locate(vault, wallet, project)
        keystore = vault.export_keystore(found, project_id=within, password=password, **how)
    if context.out.as_json:
        context.out.document({"keystore": json.loads(keystore)})
    else:
        context.out.script(keystore)
    context.out.message("Exported under the password; the usage log has a row of it.")
    return EXIT_DONE


def key_document(revealed: Revealed) -> dict[str, str | None]:
    """A key and the phrase that it comes from, as JSON-ready values."""
    phrase, passphrase = revealed.mnemonic, revealed.passphrase
    return {
        "private_key": revealed.private_key.reveal_text(),
        "mnemonic": None if phrase is None else phrase.reveal_text(),
        "passphrase": None if passphrase is None else passphrase.reveal_text(),
        "path": revealed.path,
        "scheme": revealed.scheme,
    }


def _print(context: CommandContext, revealed: Revealed, form: str) -> None:
    phrase = revealed.mnemonic
    if context.out.as_json:
        context.out.document(key_document(revealed))
    elif form == "mnemonic" and phrase is not None:
        context.out.secret(phrase.reveal())
    else:
        context.out.secret(revealed.private_key.reveal())
    context.out.message("Exported in plaintext; the usage log has a row of it.")
    if phrase is not None and (context.out.as_json or form == "mnemonic"):
        context.out.message(f"The phrase derives this wallet at {revealed.path} ({revealed.scheme}).")
        if revealed.passphrase is not None:
            printed = "it is in the document" if context.out.as_json else "--json prints it"
            context.out.message(f"Without its passphrase the phrase derives other wallets: {printed}.")


def _require_phrase(wallet: Wallet) -> None:
    if wallet.path is None:
        raise _no_phrase()
    if wallet.phrase_id is not None:
        raise CommandLineError(
            "This wallet was derived from a phrase of its project, which is kept by itself.",
            f"`strongroom phrase export {wallet.phrase_id} --project {wallet.project_id} --reveal` prints that phrase.",
            code="no-phrase",
            exit_code=EXIT_FAILED,
        )


def _no_phrase() -> CommandLineError:
    return CommandLineError(
        "This wallet came from a private key and has no phrase.",
        "Leave --format out to print the private key.",
        code="no-phrase",
        exit_code=EXIT_FAILED,
    )
