"""``strongroom wallet store-key``."""

from __future__ import annotations

from typing import Any

import typer

from strongroom.cli.command import Run, command
from strongroom.cli.failures import EXIT_DONE, UNKNOWN
from strongroom.cli.key_input import KeySource
from strongroom.cli.options import (
    Actor,
    DerivationPath,
    MnemonicFile,
    MnemonicStdin,
    PassphraseFile,
    PassphraseStdin,
    PrivateKeyFile,
    PrivateKeyStdin,
    Reason,
    Variant,
    WalletId,
)
from strongroom.cli.wallet_read import tell_wallet

_EPILOG = """Example: strongroom wallet store-key 0190c3f2-7a51-7c68-8d3f-6a2f7e1b9c04
--private-key-stdin < key.txt

On a terminal, the options that end in -stdin ask without showing what is typed."""


def add(app: typer.Typer) -> None:
    """Register the command."""
    command(app, "store-key", unsure=UNKNOWN, epilog=_EPILOG)(store_key)


def store_key(
    run: Run,
    wallet: WalletId,
    mnemonic_stdin: MnemonicStdin = False,
    private_key_stdin: PrivateKeyStdin = False,
    mnemonic_file: MnemonicFile = None,
    private_key_file: PrivateKeyFile = None,
    passphrase_file: PassphraseFile = None,
    passphrase_stdin: PassphraseStdin = False,
    path: DerivationPath = None,
    variant: Variant = None,
    actor: Actor = None,
    reason: Reason = None,
) -> int:
    """Complete a wallet whose key is missing: seal the key that you have.

    It must derive the stored address. The same key again changes nothing; no key is ever overwritten.
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
    with run.vault() as vault:
        completed, stored = vault.store_key(wallet, **given, path=path, variant=variant, actor=actor, reason=reason)
    if run.out.as_json:
        run.out.document({"stored": stored, "wallet": completed.as_dict()})
    else:
        tell_wallet(run, completed)
        run.out.message("Sealed and stored." if stored else "This key was there already; nothing was changed.")
    return EXIT_DONE
