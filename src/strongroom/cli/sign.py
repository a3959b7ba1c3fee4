"""``strongroom sign``: messages, typed data, transactions and PSBTs, from a file or standard input."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from strongroom import bounded_json
from strongroom.cli.command import Run, command, common_callback
from strongroom.cli.failures import EXIT_DONE, UNKNOWN, CommandLineError
from strongroom.cli.options import Actor, Reason, WalletId
from strongroom.files import without_waiting

if TYPE_CHECKING:
    from strongroom.signing import Signed

_LONGEST_BYTES = 16 << 20
_ID = "0190c3f2-7a51-7c68-8d3f-6a2f7e1b9c04"

Payload = Annotated[str, typer.Argument(metavar="FILE|-", help="What is signed; - is standard input.")]
RetiredToo = Annotated[bool, typer.Option("--retired-too", help="Also with a wallet that was replaced.")]
Scheme = Annotated[str | None, typer.Option("--scheme", metavar="NAME", help="simple, full or legacy (Bitcoin).")]
Form = Annotated[str | None, typer.Option("--format", metavar="NAME", help="offchain or raw (Solana).")]
OtherChain = Annotated[
    bool, typer.Option("--allow-other-chain", help="Also where the domain names another chain (EIP-712).")
]
Replace = Annotated[
    bool, typer.Option("--replace", help="It replaces what was signed under this nonce, and pays a higher fee (EVM).")
]
NoNonceGuard = Annotated[
    bool, typer.Option("--no-nonce-guard", help="Also where something else was signed under this nonce (EVM).")
]
Unprotected = Annotated[
    bool, typer.Option("--allow-unprotected", help="Also without a chain id: valid on every chain (EVM).")
]
MaxFee = Annotated[
    int | None,
    typer.Option("--max-fee", metavar="N", help="The most that it may cost, in wei (EVM) or lamports (Solana)."),
]
MaxFeeSat = Annotated[
    int | None, typer.Option("--max-fee-sat", metavar="SATOSHI", help="The most that the inputs may pay in fees.")
]
Finalize = Annotated[bool, typer.Option("--finalize", help="Finish inputs, and print the transaction if it is whole.")]
Sighash = Annotated[
    list[str] | None,
    typer.Option("--sighash", metavar="NAME", help="Also allow this hash type, such as NONE."),
]


def build() -> typer.Typer:
    """Put the commands together."""
    app = typer.Typer(help="Sign with a wallet; its key stays in the vault.")
    app.callback()(common_callback)
    for name, function in (
        ("message", message),
        ("typed-data", typed_data),
        ("transaction", transaction),
        ("psbt", psbt),
    ):
        command(app, name, unsure=UNKNOWN, epilog=f"Example: strongroom sign {name} {_ID} payload")(function)
    return app


def message(
    run: Run,
    wallet: WalletId,
    payload: Payload = "-",
    scheme: Scheme = None,
    form: Form = None,
    retired_too: RetiredToo = False,
    actor: Actor = None,
    reason: Reason = None,
) -> int:
    """Sign a message: EIP-191 (EVM), BIP-322 or the legacy scheme (Bitcoin), off-chain message (Solana).

    The bytes of the file are the message, its last newline too.
    """
    options = {name: value for name, value in (("scheme", scheme), ("format", form)) if value is not None}
    data = _bytes(payload)
    with run.vault() as vault:
        signed = vault.sign_message(wallet, data, retired_too=retired_too, actor=actor, reason=reason, **options)
    return _tell(run, signed)


def typed_data(
    run: Run,
    wallet: WalletId,
    payload: Payload = "-",
    allow_other_chain: OtherChain = False,
    retired_too: RetiredToo = False,
    actor: Actor = None,
    reason: Reason = None,
) -> int:
    """Sign a JSON document of typed data: EIP-712, version 4. EVM only."""
    options = {"allow_other_chain": True} if allow_other_chain else {}
    document = _text(payload)
    with run.vault() as vault:
        signed = vault.sign_typed_data(wallet, document, retired_too=retired_too, actor=actor, reason=reason, **options)
    return _tell(run, signed)


def transaction(
    run: Run,
    wallet: WalletId,
    payload: Payload = "-",
    replace: Replace = False,
    no_nonce_guard: NoNonceGuard = False,
    allow_unprotected: Unprotected = False,
    max_fee: MaxFee = None,
    retired_too: RetiredToo = False,
    actor: Actor = None,
    reason: Reason = None,
) -> int:
    """Sign a transaction; it is not sent. EVM: JSON, or the unsigned bytes in hex. Solana: bytes, or base64.

    The same payload under a nonce gives the same signature; another one is refused unless it is a replacement.
    """
    given: dict[str, Any] = {"allow_unprotected": allow_unprotected or None, "max_fee": max_fee}
    options = {name: value for name, value in given.items() if value is not None}
    content = _content(payload)
    with run.vault() as vault:
        signed = vault.sign_transaction(
            wallet,
            content,
            replace=replace,
            nonce_guard=not no_nonce_guard,
            retired_too=retired_too,
            actor=actor,
            reason=reason,
            **options,
        )
    return _tell(run, signed)


def psbt(
    run: Run,
    wallet: WalletId,
    payload: Payload = "-",
    max_fee_sat: MaxFeeSat = None,
    sighash: Sighash = None,
    finalize: Finalize = False,
    retired_too: RetiredToo = False,
    actor: Actor = None,
    reason: Reason = None,
) -> int:
    """Sign the inputs of a PSBT that are this wallet's; binary or base64, version 0 or 2. Bitcoin only."""
    given: dict[str, Any] = {"max_fee_sat": max_fee_sat, "sighash_allowed": sighash, "finalize": finalize}
    options = {name: value for name, value in given.items() if value not in (None, False)}
    content = _content(payload)
    with run.vault() as vault:
        signed = vault.sign_psbt(wallet, content, retired_too=retired_too, actor=actor, reason=reason, **options)
    return _tell(run, signed)


def _tell(run: Run, signed: Signed) -> int:
    document = signed.as_dict()
    if run.out.as_json:
        run.out.document({"signed": document})
    else:
        run.out.facts(list(_lines(document)))
    return EXIT_DONE


def _lines(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [
        (name.replace("_", " "), value if isinstance(value, str) else json.dumps(value))
        for name, value in document.items()
        if value is not None
    ]


def _bytes(file: str) -> bytes:
    """What is in a file, or comes from standard input."""
    try:
        if file == "-":
            data = sys.stdin.buffer.read(_LONGEST_BYTES + 1)
        else:
            with open(file, "rb", opener=without_waiting) as source:
                data = source.read(_LONGEST_BYTES + 1)
    except (OSError, ValueError, AttributeError):
        raise CommandLineError("The payload cannot be read.", "Name a file, or - for standard input.") from None
    if len(data) > _LONGEST_BYTES:
        raise CommandLineError(f"The payload is longer than {_LONGEST_BYTES:,} bytes.", "Check what it holds.")
    return data


def _text(file: str) -> str:
    try:
        return _bytes(file).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise CommandLineError("The payload is not UTF-8 text.", "Save it as UTF-8.") from None


def _content(file: str) -> Any:
    """A JSON object as a mapping, other text as text, and what is no text as bytes."""
    data = _bytes(file)
    try:
        text = data.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        return data
    if not text.startswith("{"):
        return text if text.isprintable() else data
    try:
        return bounded_json.loads(text)
    except (ValueError, RecursionError):
        raise CommandLineError("The payload begins as JSON, and is none.", "Check it with a JSON tool.") from None
