"""``strongroom wallet store-key``."""

from __future__ import annotations

import warnings
from typing import Annotated, Any

import typer

from strongroom.cli.command import CommandContext, command
from strongroom.cli.exit_codes import EXIT_DONE
from strongroom.cli.failures import UNKNOWN
from strongroom.cli.key_input import KeySource
from strongroom.cli.options import (
    Actor,
    MnemonicFile,
    MnemonicStdin,
    PassphraseFile,
    PassphraseStdin,
    PrivateKeyFile,
    PrivateKeyStdin,
    Reason,
    Variant,
)
from strongroom.cli.path_input import NamedPaths, PathsFile, paths_of
from strongroom.cli.wallet_read import render_wallet
from strongroom.cli.wallet_reference import WalletName, WalletProject, locate

_EPILOG = """Example: strongroom wallet store-key 0190c3f2-7a51-7c68-8d3f-6a2f7e1b9c04
--private-key-stdin < key.txt

On a terminal, the options that end in -stdin ask without showing what is typed."""


def add(app: typer.Typer) -> None:
    """Add ``strongroom wallet store-key`` to the application."""
    command(app, "store-key", unsure=UNKNOWN, epilog=_EPILOG)(store_key)


def store_key(
    context: CommandContext,
    wallet: WalletName,
    project: WalletProject = None,
    mnemonic_stdin: MnemonicStdin = False,
    private_key_stdin: PrivateKeyStdin = False,
    mnemonic_file: MnemonicFile = None,
    private_key_file: PrivateKeyFile = None,
    passphrase_file: PassphraseFile = None,
    passphrase_stdin: PassphraseStdin = False,
    path: NamedPaths = None,
    paths: PathsFile = None,
    variant: Variant = None,
    archive_current: Annotated[
        bool,
        typer.Option(
            "--archive-current",
            help="Where the legacy application's text is stored, keep it in the history, and put the key in its place.",
        ),
    ] = False,
    actor: Actor = None,
    reason: Reason = None,
) -> int:
    """Complete a wallet whose key is missing: seal the key that you have.

    It must derive the stored address. The same key again changes nothing; no key is ever overwritten. Where the
    wallet's rows are gone, too, they are made anew.
    """
    given: dict[str, Any] = {}
    given |= KeySource(
        mnemonic_stdin=mnemonic_stdin,
        private_key_stdin=private_key_stdin,
        mnemonic_file=mnemonic_file,
        private_key_file=private_key_file,
        passphrase_stdin=passphrase_stdin,
        passphrase_file=passphrase_file,
    ).read()
    given |= {"path": paths_of(path, paths) or None, "variant": variant, "archive_current": archive_current}
    from strongroom.errors import PhraseCaseWarning

    with context.vault() as vault, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", PhraseCaseWarning)
        found, within = locate(vault, wallet, project)
        completed, stored = vault.store_key(found, project_id=within, **given, actor=actor, reason=reason)
    if context.out.as_json:
        told = [str(each.message) for each in caught]
        context.out.document({"stored": stored, "wallet": completed.as_dict(), "warnings": told})
    else:
        render_wallet(context, completed)
        for each in caught:
            context.out.message(f"Warning: {each.message}", style="yellow")
        context.out.message("Sealed and stored." if stored else "This key was there already; nothing was changed.")
    return EXIT_DONE
