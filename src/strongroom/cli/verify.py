"""``strongroom verify``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from strongroom.cli.command import CommandContext, command
from strongroom.cli.exit_codes import EXIT_DONE, EXIT_FINDINGS
from strongroom.cli.options import AnyProject
from strongroom.cli.output import counted
from strongroom.cli.wallet_reference import locate

if TYPE_CHECKING:
    from strongroom.records.results import VerifyResult

_EPILOG = "Examples: strongroom verify    strongroom verify --project UUID --phrases    strongroom verify WALLET"


def add(app: typer.Typer) -> None:
    """Add ``strongroom verify`` to the application."""
    command(app, "verify", epilog=_EPILOG)(verify)


def verify(
    context: CommandContext,
    wallet: Annotated[
        str | None, typer.Argument(metavar="[WALLET]", help="One wallet only: id, address, or PROJECT/NETWORK/LABEL.")
    ] = None,
    project: AnyProject = None,
    phrases: Annotated[bool, typer.Option("--phrases", help="Also derive each key from its phrase (slower).")] = False,
) -> int:
    """Prove stored wallets: open, derive, compare.

    Changes nothing. Exit code 3 if a wallet does not prove.
    """
    checked = 0
    failed: list[VerifyResult] = []
    warned: list[VerifyResult] = []
    with context.vault() as vault:
        named, within = (None, project) if wallet is None else locate(vault, wallet, project)
        results = vault.verify(named, project_id=within, phrases=phrases)

        def count() -> int:
            return 1 if wallet is not None else vault.count_wallets(project)

        for result in context.out.with_progress(results, "Verifying", count):
            checked += 1
            if not result.ok:
                failed.append(result)
            if result.warnings:
                warned.append(result)
    if context.out.as_json:
        found = [{"id": str(result.id), "code": result.code} for result in failed]
        told = [{"id": str(result.id), "warnings": list(result.warnings)} for result in warned]
        context.out.document({"checked": checked, "ok": checked - len(failed), "failed": found, "warnings": told})
    else:
        _render(context, checked, failed)
        _warn(context, warned)
    return EXIT_FINDINGS if failed else EXIT_DONE


def _render(context: CommandContext, checked: int, failed: list[VerifyResult]) -> None:
    wallets = "1 wallet" if checked == 1 else f"{checked:,} wallets"
    if not failed:
        context.out.line(f"{wallets} checked, all proved." if checked else "There are no wallets to check.")
        return
    context.out.table(
        ("Wallet id", "Code", "What it means"),
        [(str(result.id), result.code or "", result.error.message if result.error else "") for result in failed],
    )
    context.out.line(f"{wallets} checked, {len(failed):,} not proved.")
    context.out.message("Nothing was changed.")
    for code, hint in {result.code: result.error.hint for result in failed if result.error}.items():
        context.out.message(f"Next ({code}): {hint}")


def _warn(context: CommandContext, warned: list[VerifyResult]) -> None:
    """Wallets that share a key: they are right, and sign under one another's nonces."""
    from strongroom.records.results import ACROSS_PROJECTS

    if not warned:
        return
    across = sum(ACROSS_PROJECTS in result.warnings for result in warned)
    context.out.message(
        f"{counted(len(warned), 'wallet')} {'shares its' if len(warned) == 1 else 'share their'} key with another one, "
        f"{across:,} of them with another project's: "
        "the nonce guard covers wallets of one project. --json names them.",
        style="yellow",
    )
