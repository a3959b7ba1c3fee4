"""``strongroom repair``: write a plan, or carry one out."""

from __future__ import annotations

import os
import shlex
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from strongroom.cli.command import CommandContext, command
from strongroom.cli.doctor import KeystorePassword, LegacyPassword, secrets_of
from strongroom.cli.exit_codes import EXIT_DONE, EXIT_PARTLY
from strongroom.cli.failures import UNKNOWN, CommandLineError
from strongroom.cli.options import Actor, Reason
from strongroom.cli.output import counted
from strongroom.cli.path_input import NamedPaths, PathsFile, paths_of
from strongroom.cli.private_file import write_new, write_over
from strongroom.cli.repeated_options import repeated_options
from strongroom.host.files import read_at_most

if TYPE_CHECKING:
    from strongroom.secret import Secret
    from strongroom.takeover import RepairPlan, RepairReport

_EPILOG = "Examples: strongroom repair --plan plan.json    strongroom repair --apply plan.json"
_LONGEST_BALANCES_BYTES = 256 << 20

PlanFile = Annotated[
    str | None, typer.Option("--plan", metavar="FILE", help="Write a plan to a new file; changes nothing.")
]
ApplyFile = Annotated[str | None, typer.Option("--apply", metavar="FILE", help="Do what a plan says, no more.")]
Balances = Annotated[
    str | None,
    typer.Option("--balances", metavar="FILE", help="Lines of address,balance: told where something is to be chosen."),
]
Keep = Annotated[
    list[str] | None,
    typer.Option(
        "--keep", metavar="ID:ID", help="Of two live wallets of one slot, keep the first, retire the other. Repeatable."
    ),
]


class _Means(NamedTuple):
    """What somebody brought for reading what is there."""

    legacy_password: Secret | None
    keystore_password: Secret | None
    paths: tuple[str, ...]


def add(app: typer.Typer) -> None:
    """Add ``strongroom repair`` to the application."""
    command(app, "repair", unsure=UNKNOWN, epilog=_EPILOG)(repair)


def repair(
    context: CommandContext,
    plan: PlanFile = None,
    apply: ApplyFile = None,
    keep: Keep = None,
    balances: Balances = None,
    legacy_password_stdin: LegacyPassword = False,
    keystore_password_stdin: KeystorePassword = False,
    path: NamedPaths = None,
    paths: PathsFile = None,
    actor: Actor = None,
    reason: Reason = None,
) -> int:
    """Save every key that can be saved: a plan for people first, then what it says.

    Deletes no row, replaces no key by another, invents none. Passwords as for doctor. --apply writes a report next to
    the plan, as HTML and as JSON; it may be repeated, and goes on where it was. Exit code 6 if a wallet was left out.
    """
    if (plan is None) == (apply is None):
        raise CommandLineError("Name one of --plan and --apply.", "Write a plan, read it, then apply it.")
    if apply is not None and (balances is not None or keep):
        raise CommandLineError(
            "Balances and --keep go with --plan.", "What a plan says does not change when it is applied."
        )
    if plan is not None and os.path.lexists(plan):
        raise CommandLineError("The plan's file exists; nothing was written.", "Name another one, or remove it.")
    means = _Means(*secrets_of(legacy_password_stdin, keystore_password_stdin), paths_of(path, paths))
    if plan is not None:
        more = repeated_options(
            legacy_password_stdin=legacy_password_stdin,
            keystore_password_stdin=keystore_password_stdin,
            path=path,
            paths=paths,
        )
        return _plan(context, Path(plan), _balances(balances), [_pair(each) for each in keep or ()], means, more)
    return _apply(context, Path(str(apply)), means, actor, reason or "repair plan")


def _pair(text: str) -> tuple[str, str]:
    """The wallet that stays, and the one that is retired for it."""
    from strongroom.records.identifiers import check_wallet_id

    first, colon, second = text.partition(":")
    if not colon:
        raise CommandLineError("--keep takes two ids: KEEPER:LOSER.", "The plan's choices name them.")
    return str(check_wallet_id(first)), str(check_wallet_id(second))


def _plan(
    context: CommandContext,
    path: Path,
    balances: dict[str, str],
    chosen: list[tuple[str, str]],
    means: _Means,
    more: str,
) -> int:
    from strongroom.errors import UnmetChoiceError

    takeover = context.takeover()
    try:
        with context.out.progress() as progress:
            made = takeover.plan(
                keep=chosen, balances=balances, progress=progress, warn=partial(_warn, context), **means._asdict()
            )
    except UnmetChoiceError:
        raise CommandLineError(
            "--keep names two wallets that are not live in one slot, or the first one's key is not here.",
            "Nothing was written. Make a plan without --keep: its choices name the pairs.",
        ) from None
    write_new(path, made.json_pieces())
    _render_plan(context, made, path, more)
    return EXIT_DONE


def _warn(context: CommandContext, warning: str) -> None:
    context.out.message(warning, style="yellow")


def _render_plan(context: CommandContext, made: RepairPlan, path: Path, more: str) -> None:
    if context.out.as_json:
        context.out.document(
            {
                "plan": str(path),
                "wallets": made.wallets,
                "actions": made.actions,
                "choices": made.choices,
                "left": made.left,
                "warnings": list(made.warnings),
            }
        )
        return
    context.out.facts([(do, f"{number:,}") for do, number in made.actions.items()])
    left = "1 finding is" if made.left == 1 else f"{made.left:,} findings are"
    wallets = "1 wallet" if made.wallets == 1 else f"{made.wallets:,} wallets"
    context.out.line(f"{wallets} in {path}; {left} left to people.")
    if made.choices:
        many = "choice is" if made.choices == 1 else "choices are"
        context.out.line(f"{made.choices:,} {many} yours: mark them in the plan (`chosen`), or see --keep.")
    if not made.wallets:
        what = "that a repair could do without you" if made.left else "to repair"
        context.out.message(f"There is nothing {what}: the plan is empty.")
        if made.left:
            context.out.message(f"Next: read left_to_people in {path}: it says of each finding why, and what helps.")
        return
    context.out.message("Nothing was changed. Read the plan, strike what should not be done, then:")
    context.out.message(f"Next: strongroom repair --apply {shlex.quote(str(path))}{more}")


def _apply(context: CommandContext, path: Path, means: _Means, actor: str | None, reason: str) -> int:
    from strongroom.records.usage_log import Attribution as Who
    from strongroom.takeover import read_plan

    wanted = read_plan(path)
    Who.of(actor, reason)
    takeover = context.takeover()
    reports = path.with_suffix(".report.html"), path.with_suffix(".report.json")
    with context.out.progress() as progress:
        done = takeover.apply(
            wanted,
            actor=actor,
            reason=reason,
            progress=progress,
            warn=partial(_warn, context),
            report=partial(_write_reports, reports),
            **means._asdict(),
        )
    _render_done(context, done, reports)
    return EXIT_PARTLY if done.left_out else EXIT_DONE


def _write_reports(paths: tuple[Path, Path], done: RepairReport) -> None:
    try:
        write_over(paths[0], done.html_pieces())
        write_over(paths[1], done.json_pieces())
    except CommandLineError as error:
        error.changed = "What was done is done; repeat the command, and it writes the reports."
        raise


def _render_done(context: CommandContext, done: RepairReport, reports: tuple[Path, Path]) -> None:
    exposed = len(done.exposed)
    if context.out.as_json:
        files = {"html": str(reports[0]), "json": str(reports[1])}
        document = {"wallets": dict(done.wallets), "exposed": exposed, "acceptance_ended": done.acceptance_ended}
        context.out.document({**document, "reports": files, "warnings": list(done.warnings)})
        return
    context.out.facts([(ending, f"{number:,}") for ending, number in done.wallets.items()])
    for wallet_id, error in done.errors[:5]:
        context.out.message(f"{wallet_id}: {error.message}", style="red")
    context.out.line(f"Reports: {reports[0]}, {reports[1]}")
    if exposed:
        where = "its address" if exposed == 1 else "their addresses"
        context.out.message(
            f"{counted(exposed, 'key')} in plaintext: move the funds of {where}; the report lists them."
        )
    if done.acceptance_ended:
        context.out.message(
            "Every live wallet is in the register now: unproved wallets are no longer returned. "
            "`strongroom upgrade --accept-foreign` accepts them again."
        )
    context.out.message("Next: strongroom doctor")


def _balances(path: str | None) -> dict[str, str]:
    """Addresses, in lower case, that have a balance."""
    if path is None:
        return {}
    try:
        with open(path, "rb") as file:
            text = read_at_most(file, _LONGEST_BALANCES_BYTES).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        raise CommandLineError("The file with balances cannot be read.", "Give lines of address,balance.") from None
    found = {}
    for number, line in enumerate(text.splitlines(), 1):
        address, comma, amount = line.partition(",")
        if not line.strip():
            continue
        if not comma or not _is_amount(amount.strip()):
            raise CommandLineError(f"Line {number} of the balances is not address,balance.", "Nothing was written.")
        if amount.strip().strip("0.") != "":
            found[address.strip().lower()] = amount.strip()
    return found


def _is_amount(text: str) -> bool:
    whole, _, part = text.partition(".")
    return whole.isascii() and whole.isdigit() and (part == "" or (part.isascii() and part.isdigit()))
