"""``strongroom wallet import``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from strongroom.cli.command import Run, command
from strongroom.cli.failures import EXIT_DONE, SECRETS_HINT, UNKNOWN, CommandLineError
from strongroom.cli.options import Actor, IdempotencyKey, Label, Project, Reason, Variant
from strongroom.cli.secret_input import StandardInput, from_file
from strongroom.cli.wallet_read import tell_wallet
from strongroom.secret import Secret

_EPILOG = """Example: strongroom wallet import ethereum --project 6f1c1c1e-6a5c-4d7e-9d0a-0e9f0f8e7b11
--mnemonic-stdin < phrase.txt

On a terminal, --mnemonic-stdin and --private-key-stdin ask without showing what is typed."""


def add(app: typer.Typer) -> None:
    """Register the command."""
    command(app, "import", unsure=UNKNOWN, epilog=_EPILOG)(import_wallet)


def import_wallet(
    run: Run,
    network: Annotated[str, typer.Argument(metavar="NETWORK", help="The network; `strongroom networks`.")],
    project: Project,
    mnemonic_stdin: Annotated[
        bool, typer.Option("--mnemonic-stdin", help="Read a BIP-39 phrase from standard input.")
    ] = False,
    private_key_stdin: Annotated[
        bool, typer.Option("--private-key-stdin", help="Read a private key from standard input.")
    ] = False,
    mnemonic_file: Annotated[
        str | None, typer.Option("--mnemonic-file", metavar="FILE", help="Read a BIP-39 phrase from a file.")
    ] = None,
    private_key_file: Annotated[
        str | None, typer.Option("--private-key-file", metavar="FILE", help="Read a private key from a file.")
    ] = None,
    passphrase_file: Annotated[
        str | None,
        typer.Option("--passphrase-file", metavar="FILE", help="The phrase's BIP-39 passphrase, from a file."),
    ] = None,
    passphrase_stdin: Annotated[
        bool,
        typer.Option("--passphrase-stdin", help="The phrase's BIP-39 passphrase, the next line of standard input."),
    ] = False,
    path: Annotated[
        str | None,
        typer.Option("--path", metavar="PATH", help="The derivation path, if not the network's own."),
    ] = None,
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
    sources = [mnemonic_stdin, private_key_stdin, mnemonic_file is not None, private_key_file is not None]
    if sum(sources) != 1:
        raise CommandLineError(
            "Name one of --mnemonic-stdin, --private-key-stdin, --mnemonic-file and --private-key-file.",
            SECRETS_HINT,
        )
    is_phrase = mnemonic_stdin or mnemonic_file is not None
    if passphrase_stdin and passphrase_file is not None:
        raise CommandLineError("Name one of --passphrase-stdin and --passphrase-file.", SECRETS_HINT)
    if (passphrase_stdin or passphrase_file is not None) and not is_phrase:
        raise CommandLineError("A passphrase goes with a phrase only.", "Leave the passphrase out.")
    stdin = StandardInput((mnemonic_stdin or private_key_stdin) + passphrase_stdin)
    key_file = mnemonic_file if is_phrase else private_key_file
    secret = _take(stdin, key_file, "phrase" if is_phrase else "private key")
    passphrase = None
    if passphrase_stdin or passphrase_file is not None:
        passphrase = _take(stdin, passphrase_file, "passphrase")
    with run.vault() as vault:
        wallet, created = vault.import_wallet(
            project,
            network,
            private_key=None if is_phrase else secret,
            mnemonic=secret if is_phrase else None,
            passphrase=passphrase,
            path=path,
            variant=variant,
            address=address,
            label=label,
            idempotency_key=idempotency_key,
            actor=actor,
            reason=reason,
        )
    if run.out.as_json:
        run.out.document({"created": created, "wallet": wallet.as_dict()})
    else:
        tell_wallet(run, wallet)
        run.out.message("Imported." if created else "This key was there already; nothing was changed.")
    return EXIT_DONE


def _take(stdin: StandardInput, path: str | None, name: str) -> Secret:
    return stdin.line(name) if path is None else from_file(Path(path), name)
