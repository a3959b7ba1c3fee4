"""``strongroom wallet create``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from strongroom.cli.command import CommandContext, command
from strongroom.cli.completion import complete_network
from strongroom.cli.exit_codes import EXIT_DONE, EXIT_PARTLY, exit_code_of
from strongroom.cli.failures import UNKNOWN, CommandLineError, of_error
from strongroom.cli.options import Account, Actor, IdempotencyKey, IndexPath, Label, Project, Reason, Variant, Words
from strongroom.cli.phrase_reference import reference_of

if TYPE_CHECKING:
    from strongroom.records.wallets import CreateResult
    from strongroom.vault.vault import Vault

_EPILOG = """Example: strongroom wallet create ethereum bitcoin --project 6f1c1c1e-6a5c-4d7e-9d0a-0e9f0f8e7b11

With --idempotency-key K, one network's request is remembered under K,
those of several under K/NETWORK each."""
_LONGEST_NAME = 40


def add(app: typer.Typer) -> None:
    """Add ``strongroom wallet create`` to the application."""
    command(app, "create", unsure=UNKNOWN, epilog=_EPILOG)(create)


def create(
    context: CommandContext,
    networks: Annotated[
        list[str],
        typer.Argument(
            metavar="NETWORK", help="One network or several; `strongroom networks`.", autocompletion=complete_network
        ),
    ],
    project: Project,
    label: Label = "default",
    words: Words = 12,
    variant: Variant = None,
    phrase: Annotated[
        str | None,
        typer.Option("--phrase", metavar="LABEL", help="Take the next index of this phrase of the project."),
    ] = None,
    account: Account = None,
    path: IndexPath = None,
    idempotency_key: IdempotencyKey = None,
    actor: Actor = None,
    reason: Reason = None,
) -> int:
    """Create a wallet on each network, or return the one that is there.

    May be repeated indefinitely: what exists is returned unchanged.
    """
    if variant is not None and len(networks) != 1:
        raise CommandLineError("--variant goes with exactly one network.", "Create each variant by itself.")
    if phrase is not None and len(networks) != 1:
        raise CommandLineError("--phrase goes with exactly one network.", "Create the wallets one by one.")
    if phrase is None and (account is not None or path is not None):
        raise CommandLineError("--account and --path go with --phrase.", "Name the phrase, or leave them out.")
    asked = {
        "label": label,
        "words": words,
        "idempotency_key": idempotency_key,
        "actor": actor,
        "reason": reason,
    }
    with context.vault() as vault:
        named = None if phrase is None else reference_of(phrase)
        results = _create(
            vault, project, networks, {"variant": variant, "phrase": named, "account": account, "path": path}, asked
        )
    if context.out.as_json:
        context.out.document({"results": [_as_dict(result) for result in results]})
    else:
        _render(context, results)
    errors = [result.error for result in results if result.error is not None]
    if not errors:
        return EXIT_DONE
    return EXIT_PARTLY if len(errors) < len(results) else exit_code_of(type(errors[0]))


def _create(
    vault: Vault, project: str, networks: list[str], of_one: dict[str, Any], asked: dict[str, Any]
) -> list[CreateResult]:
    from strongroom.errors import StrongroomError
    from strongroom.records.wallets import CreateResult

    try:
        if len(networks) > 1:
            return vault.create_wallets(project, networks, **asked)
        wallet, created = vault.create_wallet(project, networks[0], **of_one, **asked)
    except StrongroomError as error:
        return [CreateResult(network, error=error) for network in networks]
    return [CreateResult(networks[0], wallet, created)]


def _as_dict(result: CreateResult) -> dict[str, Any]:
    if result.wallet is None:
        error = result.error.as_dict() if result.error else None
        return {"network": _as_named(result.network), "error": error}
    return {"network": result.network, "created": result.created, "wallet": result.wallet.as_dict()}


def _as_named(network: str) -> str:
    """The name as it was given, unless it is so long that it may be a key in the wrong place."""
    return network if len(network) <= _LONGEST_NAME else "?"


def _render(context: CommandContext, results: list[CreateResult]) -> None:
    rows = [
        (
            result.wallet.network,
            result.wallet.label,
            result.wallet.address,
            str(result.wallet.id),
            "created" if result.created else "was there",
        )
        for result in results
        if result.wallet is not None
    ]
    if rows:
        context.out.table(
            ("Network", "Label", "Address", "Wallet id", "Outcome"),
            rows,
            folded={"Label": "Network", "Wallet id": "Address"},
        )
    failures = {_as_named(result.network): result.error for result in results if result.error is not None}
    for error in dict.fromkeys(failures.values()):  # one that all networks share is told once
        networks = [network for network in failures if failures[network] is error]
        if len(results) > 1:
            context.out.message(f"{', '.join(networks)}:")
        of_error(error, UNKNOWN).render(context.out)
    made = sum(result.created for result in results)
    if rows:
        context.out.message(f"{made} created, {len(rows) - made} unchanged, {len(failures)} failed.")
