"""``strongroom repair``: write a plan, or carry one out."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from strongroom.cli.command import Run, command
from strongroom.cli.doctor import KeystorePassword, LegacyPassword, passwords_of
from strongroom.cli.failures import EXIT_DONE, EXIT_PARTLY, UNKNOWN, CommandLineError
from strongroom.cli.options import Actor, Reason
from strongroom.cli.private_file import write_new, write_over
from strongroom.files import read_at_most

if TYPE_CHECKING:
    from strongroom.doctor.passwords import Passwords
    from strongroom.repair.apply import Outcome
    from strongroom.repair.plan import Plan

_EPILOG = "Examples: strongroom repair --plan plan.json    strongroom repair --apply plan.json"
_LONGEST_BALANCES_BYTES = 256 << 20

PlanFile = Annotated[
    str | None, typer.Option("--plan", metavar="FILE", help="Write a plan to a new file; changes nothing.")
]
ApplyFile = Annotated[str | None, typer.Option("--apply", metavar="FILE", help="Do what a plan says, no more.")]
Balances = Annotated[
    str | None,
    typer.Option("--balances", metavar="FILE", help="Lines of address,balance: of duplicates, one with funds stays."),
]


def add(app: typer.Typer) -> None:
    """Register the command."""
    command(app, "repair", unsure=UNKNOWN, epilog=_EPILOG)(repair)


def repair(
    run: Run,
    plan: PlanFile = None,
    apply: ApplyFile = None,
    balances: Balances = None,
    legacy_password_stdin: LegacyPassword = False,
    keystore_password_stdin: KeystorePassword = False,
    actor: Actor = None,
    reason: Reason = None,
) -> int:
    """Save every key that can be saved: a plan for people first, then what it says.

    Deletes no row, replaces no key by another, invents none. Passwords as for doctor. --apply writes a report beside
    the plan, as HTML and as JSON; it may be repeated, and goes on where it was. Exit code 6 if a wallet was left out.
    """
    if (plan is None) == (apply is None):
        raise CommandLineError("Name one of --plan and --apply.", "Write a plan, read it, then apply it.")
    if apply is not None and balances is not None:
        raise CommandLineError("Balances go with --plan.", "What a plan says does not change when it is applied.")
    if plan is not None and os.path.lexists(plan):
        raise CommandLineError("The plan's file exists; nothing was written.", "Name another one, or remove it.")
    passwords = passwords_of(legacy_password_stdin, keystore_password_stdin)
    if plan is not None:
        return _plan(run, Path(plan), _balances(balances), passwords)
    return _apply(run, Path(str(apply)), passwords, actor, reason or "repair plan")


def _plan(run: Run, path: Path, balances: dict[str, str], passwords: Passwords) -> int:
    from strongroom.doctor.session import open_doctor
    from strongroom.repair import plan as plans
    from strongroom.repair.planner import Planner
    from strongroom.repair.session import open_workshop

    settings = run.settings()
    with open_workshop(settings, passwords) as workshop, open_doctor(settings, passwords) as doctor:
        for _ in run.out.watched(doctor.run(), "Looking", lambda: doctor.diagnosis.credentials):
            pass
        database = workshop.parts.store.status().database

        def looked(ids: Iterator[str]) -> Iterator[str]:
            return run.out.watched(ids, "Planning", lambda: doctor.diagnosis.credentials)

        planner = Planner(workshop.parts, workshop.store, workshop.ground, balances)
        made = planner.plan(doctor.diagnosis, database, looked)
    write_new(path, plans.lines(made))
    _tell_plan(run, made, path)
    return EXIT_DONE


def _tell_plan(run: Run, made: Plan, path: Path) -> None:
    from collections import Counter

    done = Counter(action.do for unit in made.units for action in unit.actions)
    if run.out.as_json:
        run.out.document({"plan": str(path), "wallets": len(made.units), "actions": done, "left": len(made.left)})
        return
    run.out.facts([(do, f"{number:,}") for do, number in done.items()])
    run.out.line(f"{len(made.units):,} wallets in {path}; {len(made.left):,} findings are left to people.")
    run.out.message("Nothing was changed. Read the plan, strike what should not be done, then:")
    run.out.message(f"Next: strongroom repair --apply {path}")


def _apply(run: Run, path: Path, passwords: Passwords, actor: str | None, reason: str) -> int:
    from strongroom.model import Actor as Who
    from strongroom.repair import plan as plans
    from strongroom.repair import report
    from strongroom.repair.apply import Applier, Ending
    from strongroom.repair.session import open_workshop

    wanted, who = plans.load(path), Who.of(actor, reason)
    outcomes: list[Outcome] = []
    with open_workshop(run.settings(), passwords) as workshop:
        database, now = workshop.parts.store.status().database, workshop.parts.clock
        if database != wanted.database:
            run.out.message(f"The plan was made for {wanted.database}, this is {database}.", style="yellow")
        applier = Applier(workshop.parts, workshop.store, workshop.ground, wanted, who)
        try:
            for outcome in run.out.watched(applier.run(), "Repairing", lambda: len(wanted.units)):
                outcomes.append(outcome)
        finally:
            exposed = _all_exposed(outcomes, workshop.store.exposed())
            reports = _write_reports(path, report.as_dict(outcomes, exposed, database, now()))
    _tell_outcomes(run, outcomes, len(exposed), reports)
    left = any(outcome.ending in (Ending.CHANGED, Ending.FAILED) for outcome in outcomes)
    return EXIT_PARTLY if left else EXIT_DONE


def _all_exposed(outcomes: list[Outcome], logged: Iterator[tuple[str, str]]) -> list[tuple[str, str]]:
    """Those of earlier runs too, as the usage log has them; of a wallet that is gone only this run tells."""
    found = dict(logged)
    for outcome in outcomes:
        if outcome.exposed:
            found.setdefault(outcome.unit.credential_id, outcome.unit.address)
    return list(found.items())


def _write_reports(path: Path, document: dict[str, Any]) -> tuple[Path, Path]:
    from strongroom.repair import report

    pages = path.with_suffix(".report.html"), path.with_suffix(".report.json")
    try:
        write_over(pages[0], report.page(document))
        write_over(pages[1], report.json_pieces(document))
    except CommandLineError as error:
        error.changed = "What was done is done; repeat the command, and it writes the reports."
        raise
    return pages


def _tell_outcomes(run: Run, outcomes: list[Outcome], exposed: int, reports: tuple[Path, Path]) -> None:
    from strongroom.repair import report

    if run.out.as_json:
        files = {"html": str(reports[0]), "json": str(reports[1])}
        run.out.document({"wallets": report.counts(outcomes), "exposed": exposed, "reports": files})
        return
    run.out.facts([(ending, f"{number:,}") for ending, number in report.counts(outcomes).items()])
    for outcome in [outcome for outcome in outcomes if outcome.error is not None][:5]:
        assert outcome.error is not None  # noqa: S101 - for the type checker
        run.out.message(f"{outcome.unit.credential_id}: {outcome.error.message}", style="red")
    run.out.line(f"Reports: {reports[0]}, {reports[1]}")
    if exposed:
        run.out.message(f"{exposed:,} keys stood in clear: move the funds of their addresses; the report lists them.")
    run.out.message("Next: strongroom doctor")


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
