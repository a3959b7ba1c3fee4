"""``strongroom wallet import``."""

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
    IdempotencyKey,
    KeystorePasswordFile,
    KeystorePasswordStdin,
    Label,
    MnemonicFile,
    MnemonicStdin,
    OneNetwork,
    PassphraseFile,
    PassphraseStdin,
    PrivateKeyFile,
    PrivateKeyStdin,
    Project,
    Reason,
    Variant,
)
from strongroom.cli.path_input import NamedPaths, PathsFile, paths_of
from strongroom.cli.wallet_read import render_wallet

_EPILOG = """Example: strongroom wallet import ethereum --project 6f1c1c1e-6a5c-4d7e-9d0a-0e9f0f8e7b11
--mnemonic-stdin < phrase.txt

On a terminal, the options that end in -stdin ask without showing what is typed."""


def add(app: typer.Typer) -> None:
    """Add ``strongroom wallet import`` to the application."""
    command(app, "import", unsure=UNKNOWN, epilog=_EPILOG)(import_wallet)


def import_wallet(
    context: CommandContext,
    network: OneNetwork,
    project: Project,
    mnemonic_stdin: MnemonicStdin = False,
    private_key_stdin: PrivateKeyStdin = False,
    mnemonic_file: MnemonicFile = None,
    private_key_file: PrivateKeyFile = None,
    passphrase_file: PassphraseFile = None,
    passphrase_stdin: PassphraseStdin = False,
    keystore: Annotated[
        str | None,
        typer.Option("--keystore", metavar="FILE", help="Read a keystore: Web3 Secret Storage (version 3), edesk."),
    ] = None,
    keystore_password_stdin: KeystorePasswordStdin = False,
    keystore_password_file: KeystorePasswordFile = None,
    path: NamedPaths = None,
    paths: PathsFile = None,
    variant: Variant = None,
    address: Annotated[
        str | None,
        typer.Option("--address", metavar="ADDRESS", help="Refuse a key that does not derive this address."),
    ] = None,
    label: Label = "default",
    idempotency_key: IdempotencyKey = None,
    actor: Actor = None,
    reason: Reason = None,
) -> int:
    """Take an existing key into the vault, sealed and proved.

    The same key again changes nothing; another key under the same label is refused.
    """
    given: dict[str, Any] = {}
    given |= KeySource(
        mnemonic_stdin=mnemonic_stdin,
        private_key_stdin=private_key_stdin,
        mnemonic_file=mnemonic_file,
        private_key_file=private_key_file,
        passphrase_stdin=passphrase_stdin,
        passphrase_file=passphrase_file,
        keystore=keystore,
        keystore_password_stdin=keystore_password_stdin,
        keystore_password_file=keystore_password_file,
        takes_keystore=True,
    ).read()
    from strongroom.errors import PhraseCaseWarning, SharedKeyWarning

    with context.vault() as vault, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", SharedKeyWarning)
        warnings.simplefilter("always", PhraseCaseWarning)
        wallet, created = vault.import_wallet(
            project,
            network,
            **given,
            path=paths_of(path, paths) or None,
            variant=variant,
            address=address,
            label=label,
            idempotency_key=idempotency_key,
            actor=actor,
            reason=reason,
        )
    if context.out.as_json:
        told = [str(each.message) for each in caught]
        context.out.document({"created": created, "wallet": wallet.as_dict(), "warnings": told})
    else:
        render_wallet(context, wallet)
        for each in caught:
            context.out.message(f"Warning: {each.message}", style="yellow")
        context.out.message("Imported." if created else "This key was there already; nothing was changed.")
    return EXIT_DONE
