"""``strongroom sign``: one command for each kind that a network declares, its payload from a file or standard input."""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from strongroom import bounded_json
from strongroom.cli.command import CommandContext, command, common_callback
from strongroom.cli.completion import complete_among
from strongroom.cli.exit_codes import EXIT_DONE
from strongroom.cli.failures import UNKNOWN, CommandLineError
from strongroom.cli.options import Actor, Reason
from strongroom.cli.wallet_reference import WalletName, WalletProject, find
from strongroom.host.files import open_nonblocking

if TYPE_CHECKING:
    from strongroom.ports.signing import Signed
    from strongroom.records.signing_kinds import Option, SigningKind
    from strongroom.records.wallets import Wallet

_LONGEST_BYTES = 16 << 20
_LONGEST_JSON_CHARACTERS = 1 << 20
_ID = "0190c3f2-7a51-7c68-8d3f-6a2f7e1b9c04"
_AS_THEY_ARE = "The bytes of the file are what is signed, its last newline too."
_GUARDED = (
    "It is not sent. The same payload under a nonce gives the same signature; another one is refused unless it is a "
    "replacement."
)

Payload = Annotated[str, typer.Argument(metavar="FILE|-", help="What is signed; - is standard input.")]


def build() -> typer.Typer:
    """Make the Typer group ``strongroom sign`` with its commands."""
    app = typer.Typer(help="Sign with a wallet; its key stays in the vault.")
    app.callback()(common_callback)
    for kind in declared():
        epilog = f"Example: strongroom sign {kind.name} {_ID} payload"
        command(app, kind.name, unsure=UNKNOWN, epilog=epilog)(_command(kind))
    return app


def declared() -> list[SigningKind]:
    """Each kind that has a command, as all networks of the table declare it. Dangerous ones have none."""
    from strongroom.networks import TABLE
    from strongroom.ports.signing import SigningNetwork
    from strongroom.records.signing_kinds import merged

    found: dict[str, list[SigningKind]] = {}
    for network in TABLE:
        for kind in network.signing_kinds.values() if isinstance(network, SigningNetwork) else ():
            found.setdefault(kind.name, []).append(kind)
    return [merged(kinds) for kinds in found.values() if not kinds[0].dangerous]


def _command(kind: SigningKind) -> Callable[..., int]:
    read = _reader(kind)

    def sign(
        context: CommandContext,
        wallet: str,
        payload: str,
        project: str | None,
        actor: str | None,
        reason: str | None,
        **given: Any,
    ) -> int:
        options = _options(kind, given)
        content = read(payload)
        with context.vault() as vault:
            found = find(vault, wallet, project)
            signed = vault.sign(found, kind.name, content, actor=actor, reason=reason, **options)
        return _render(context, signed, found)

    remark = _AS_THEY_ARE if "text" in kind.forms else _GUARDED if "replace" in kind.by_name else ""
    sign.__doc__ = f"Sign {kind.noun}: {kind.standard}.\n\n{remark}"
    own = [
        _parameter("context", CommandContext),
        _parameter("wallet", WalletName),
        _parameter("payload", Payload, "-"),
        *map(_option, kind.options),
        _parameter("project", WalletProject, None),
        _parameter("actor", Actor, None),
        _parameter("reason", Reason, None),
    ]
    sign.__signature__ = inspect.Signature(own)  # type: ignore[attr-defined]
    return sign


def _parameter(name: str, annotation: Any, default: Any = inspect.Parameter.empty) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _option(option: Option) -> inspect.Parameter:
    """An option as Typer takes it: a flag says the opposite of its default."""
    name = (option.command_line or option.name).replace("_", "-")
    if option.type == "flag":
        declared = typer.Option(f"--no-{name}" if option.default else f"--{name}", help=option.help)
        return _parameter(option.name, Annotated[bool, declared], False)
    completion = complete_among(option.choices) if option.choices else None
    said = typer.Option(f"--{name}", metavar=option.metavar or None, help=option.help, autocompletion=completion)
    types: Mapping[str, Any] = {"amount": int | None, "choices": list[str] | None, "list": list[str] | None}
    return _parameter(option.name, Annotated[types.get(option.type, str | None), said], None)


def _options(kind: SigningKind, given: Mapping[str, Any]) -> dict[str, Any]:
    """The options that were given, as the verb takes them; 0 is a limit."""
    return {
        name: not kind.by_name[name].default if kind.by_name[name].type == "flag" else value
        for name, value in given.items()
        if value is not None and value is not False and value != []
    }


def _reader(kind: SigningKind) -> Callable[[str], Any]:
    """How the file of a kind is read: bytes as they are where any text is a payload, JSON as text, else by content."""
    if "text" in kind.forms:
        return _bytes
    return _text if set(kind.forms) == {"mapping", "json"} else _content


def _render(context: CommandContext, signed: Signed, wallet: Wallet) -> int:
    document = signed.as_dict()
    if context.out.as_json:
        context.out.document({"wallet": str(wallet.id), "address": wallet.address, "signed": document})
    else:
        context.out.facts(list(_lines(document)))
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
            with open(file, "rb", opener=open_nonblocking) as source:
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
    if len(text) > _LONGEST_JSON_CHARACTERS:
        raise CommandLineError(
            f"The payload is a JSON document of more than {_LONGEST_JSON_CHARACTERS:,} characters.",
            "Check what it holds.",
        )
    try:
        return bounded_json.loads(text)
    except (ValueError, RecursionError):
        raise CommandLineError("The payload is not valid JSON.", "Check it with a JSON tool.") from None
