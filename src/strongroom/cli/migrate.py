"""``strongroom migrate``: print the SQL that a schema needs, or run it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from strongroom.cli.command import Run, command
from strongroom.cli.failures import EXIT_DONE, UNKNOWN, CommandLineError
from strongroom.cli.options import Actor, Reason

if TYPE_CHECKING:
    from strongroom.model import Actor as Who
    from strongroom.repair.migration import Migration, Step
    from strongroom.repair.migration_session import Migrator

_EPILOG = "Examples: strongroom migrate --print > migrate.sql    strongroom migrate --apply"

Print = Annotated[bool, typer.Option("--print", help="Print the SQL; changes nothing.")]
Apply = Annotated[bool, typer.Option("--apply", help="Run that SQL, in one transaction.")]


def add(app: typer.Typer) -> None:
    """Register the command."""
    command(app, "migrate", unsure=UNKNOWN, epilog=_EPILOG)(migrate)


def migrate(run: Run, print_: Print = False, apply: Apply = False, actor: Actor = None, reason: Reason = None) -> int:
    """Bring wallet tables of other code to what fresh ones guarantee: keys, foreign keys, checks, rights.

    Needs no init and no root key; run it as the tables' owner. Only what is missing is changed, and nothing where
    rows stand in the way (`migration-blocked`) or others use the tables.
    """
    if print_ is apply:
        raise CommandLineError("Name one of --print and --apply.", "Print the SQL, read it, then apply it.")
    from strongroom.model import Actor as Who
    from strongroom.repair.migration_session import open_migrator

    who = Who.of(actor, reason)
    migrator = open_migrator(run.settings())
    return _print(run, migrator.migration) if print_ else _apply(run, migrator, who)


def _print(run: Run, migration: Migration) -> int:
    if run.out.as_json:
        run.out.document({**_document(migration), "sql": migration.script()})
    else:
        run.out.pieces([migration.script()])
    return EXIT_DONE


def _apply(run: Run, migrator: Migrator, who: Who) -> int:
    migration = migrator.migration
    number = 0

    def done(step: Step) -> None:
        nonlocal number
        number = number % len(migration.steps) + 1
        run.out.message(f"{number} of {len(migration.steps)}  {step.title}")

    migrator.apply(done, who)
    if run.out.as_json:
        run.out.document({**_document(migration), "applied": bool(migration.steps)})
    elif migration.steps:
        run.out.line(f"{len(migration.steps)} steps done, in one transaction.")
    else:
        run.out.line("Nothing to do: these tables guarantee what fresh ones do.")
    for remark in migration.remarks:
        run.out.message(f"Left ({remark.finding}): {remark.text}", style="yellow")
    return EXIT_DONE


def _document(migration: Migration) -> dict[str, object]:
    return {
        "generation": migration.generation,
        "steps": [step.as_dict() for step in migration.steps],
        "remarks": [remark.as_dict() for remark in migration.remarks],
    }
