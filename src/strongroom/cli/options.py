"""Options that several commands take."""

from __future__ import annotations

from typing import Annotated

import typer

from strongroom.cli.completion import complete_label, complete_network, complete_variant

Project = Annotated[str, typer.Option("--project", metavar="UUID", help="The project that owns the wallet.")]
PhraseOwner = Annotated[str, typer.Option("--project", metavar="UUID", help="The project that owns the phrase.")]
PhraseLabel = Annotated[
    str, typer.Argument(metavar="LABEL", help="Tells the phrases of a project apart; or a phrase's id.")
]
OfPhrase = Annotated[str, typer.Option("--phrase", metavar="LABEL", help="The phrase's label or id.")]
OneNetwork = Annotated[
    str, typer.Argument(metavar="NETWORK", help="The network; `strongroom networks`.", autocompletion=complete_network)
]
AnyProject = Annotated[str | None, typer.Option("--project", metavar="UUID", help="Only wallets of this project.")]
Label = Annotated[
    str,
    typer.Option(
        "--label",
        metavar="LABEL",
        help="Tells wallets of one project on one network apart.",
        autocompletion=complete_label,
    ),
]
Variant = Annotated[
    str | None,
    typer.Option(
        "--variant",
        metavar="NAME",
        help="The address variant, such as taproot.",
        autocompletion=complete_variant,
    ),
]
Words = Annotated[int, typer.Option("--words", metavar="12|24", help="Words of the new phrase.")]
Account = Annotated[
    int | None, typer.Option("--account", metavar="N", help="The account of a BIP-44 path; 0 where it is left out.")
]
IndexPath = Annotated[
    str | None,
    typer.Option("--path", metavar="PATH", help="A path of your own with {index} in it, such as m/44'/60'/0'/{index}."),
]
IdempotencyKey = Annotated[
    str | None,
    typer.Option("--idempotency-key", metavar="KEY", help="Names this request: a repeat must be the same."),
]
Actor = Annotated[
    str | None,
    typer.Option(
        "--actor",
        metavar="WHO",
        help="Who does it, for the usage log; without it the name of the user who runs the command.",
    ),
]
Reason = Annotated[str | None, typer.Option("--reason", metavar="WHY", help="Why: goes into the usage log.")]

MnemonicStdin = Annotated[bool, typer.Option("--mnemonic-stdin", help="Read a BIP-39 phrase from standard input.")]
PrivateKeyStdin = Annotated[bool, typer.Option("--private-key-stdin", help="Read a private key from standard input.")]
MnemonicFile = Annotated[
    str | None, typer.Option("--mnemonic-file", metavar="FILE", help="Read a BIP-39 phrase from a file.")
]
PrivateKeyFile = Annotated[
    str | None, typer.Option("--private-key-file", metavar="FILE", help="Read a private key from a file.")
]
PassphraseStdin = Annotated[
    bool,
    typer.Option("--passphrase-stdin", help="The phrase's BIP-39 passphrase, the next line of standard input."),
]
PassphraseFile = Annotated[
    str | None,
    typer.Option("--passphrase-file", metavar="FILE", help="The phrase's BIP-39 passphrase, from a file."),
]
KeystorePasswordStdin = Annotated[
    bool, typer.Option("--keystore-password-stdin", help="Read the keystore's password from standard input.")
]
KeystorePasswordFile = Annotated[
    str | None,
    typer.Option("--keystore-password-file", metavar="FILE", help="Read the keystore's password from a file."),
]
After = Annotated[
    str | None, typer.Option("--after", metavar="CURSOR", help="Where the page before ended: its `next`.")
]
GiveAwayAccount = Annotated[
    bool,
    typer.Option(
        "--give-away-account",
        help="Do it although, with what was exported before, every key of the account can be computed.",
    ),
]
Reveal = Annotated[bool, typer.Option("--reveal", help="Yes, print the secret in plaintext.")]
