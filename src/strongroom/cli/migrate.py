"""``strongroom migrate``: print the SQL that a schema needs, or run it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from strongroom.cli.command import CommandContext, command
from strongroom.cli.exit_codes import EXIT_DONE
from strongroom.cli.failures import UNKNOWN, CommandLineError
from strongroom.cli.options import Actor, Reason

if TYPE_CHECKING:
    from strongroom.takeover import MigrationPlan, Step, Takeover

_EPILOG = "Examples: strongroom migrate --print > migrate.sql    strongroom migrate --apply"

Print = Annotated[bool, typer.Option("--print", help="Print the SQL; changes nothing.")]
Apply = Annotated[bool, typer.Option("--apply", help="Run that SQL, in one transaction.")]


def add(app: typer.Typer) -> None:
    """Add ``strongroom migrate`` to the application."""
    command(app, "migrate", unsure=UNKNOWN, epilog=_EPILOG)(migrate)


def migrate(
    context: CommandContext, print_: Print = False, apply: Apply = False, actor: Actor = None, reason: Reason = None
) -> int:
    """Bring legacy wallet tables to what fresh ones guarantee: keys, foreign keys, checks, rights.

    Needs no init and no root key; run it as the tables' owner. Only what is missing is changed, and nothing where
    rows stand in the way (`migration-blocked`) or others use the tables.
    """
    if print_ is apply:
        raise CommandLineError("Name one of --print and --apply.", "Print the SQL, read it, then apply it.")
    from strongroom.records.usage_log import Attribution as Who

    Who.of(actor, reason)
    takeover = context.takeover()
    plan = takeover.plan_migration()
    for warning in plan.warnings:
        context.out.message(warning, style="yellow")
    return _print(context, plan) if print_ else _apply(context, takeover, plan, actor, reason)


def _print(context: CommandContext, plan: MigrationPlan) -> int:
    script = plan.script()
    if context.out.as_json:
        context.out.document({**_document(plan), "sql": script})
    else:
        context.out.script(script)
    return EXIT_DONE


def _apply(
    context: CommandContext, takeover: Takeover, plan: MigrationPlan, actor: str | None, reason: str | None
) -> int:
    number = 0

    def done(step: Step) -> None:
        nonlocal number
        number = number % len(plan.steps) + 1
        context.out.message(f"{number} of {len(plan.steps)}  {step.title}")

    takeover.migrate(plan, actor=actor, reason=reason, done=done)
    if context.out.as_json:
        context.out.document({**_document(plan), "applied": bool(plan.steps)})
    elif plan.steps:
        context.out.line(f"{len(plan.steps)} steps done, in one transaction.")
    else:
        context.out.line("Nothing to do: these tables guarantee what fresh ones do.")
    for remark in plan.remarks:
        context.out.message(f"Left ({remark.finding}): {remark.text}", style="yellow")
    return EXIT_DONE


def _document(plan: MigrationPlan) -> dict[str, object]:
    return {
        "generation": plan.generation,
        "steps": [step.as_dict() for step in plan.steps],
        "remarks": [remark.as_dict() for remark in plan.remarks],
        "warnings": list(plan.warnings),
    }
