"""``strongroom distribute``: spread a vault's tables over the nodes of a Citus cluster, by project."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from strongroom.cli.command import CommandContext, command
from strongroom.cli.exit_codes import EXIT_DONE, exit_code_of
from strongroom.cli.failures import UNKNOWN, CommandLineError
from strongroom.errors import OutcomeUnknownError, StrongroomError

if TYPE_CHECKING:
    from strongroom.takeover import DistributionStep

_EPILOG = """Examples: strongroom distribute --print > distribute.sql    strongroom distribute --apply

Needs the database alone, no root key: the coordinator's, as the tables' owner."""

Print = Annotated[bool, typer.Option("--print", help="Print the SQL of what is still to be done; changes nothing.")]
Apply = Annotated[bool, typer.Option("--apply", help="Run it, step by step; a run that ends early is continued.")]


def add(app: typer.Typer) -> None:
    """Add ``strongroom distribute`` to the application."""
    command(app, "distribute", unsure=UNKNOWN, epilog=_EPILOG)(distribute)


def distribute(context: CommandContext, print_: Print = False, apply: Apply = False) -> int:
    """Distribute the tables over the nodes of a Citus cluster: each project on one of them.

    Stop the applications first, and start them again afterwards. Foreign keys of other tables and triggers stand in the
    way, and are named; legacy tables stay as they are. There is no way back but a copy of the rows.
    """
    if print_ is apply:
        raise CommandLineError("Name one of --print and --apply.", "Print the SQL, read it, then apply it.")
    takeover = context.takeover()
    if print_:
        return _print(context, takeover.distribution_steps())
    made: list[str] = []

    def done(step: DistributionStep) -> None:
        made.append(step.about)
        context.out.message(f"{len(made)}. {step.about}")

    try:
        takeover.distribute(done)
    except StrongroomError as error:
        if not made:
            raise
        raise CommandLineError(
            error.message, error.hint, code=error.code, exit_code=exit_code_of(type(error)), changed=_kept(error)
        ) from error
    if context.out.as_json:
        context.out.document({"done": made})
    else:
        context.out.message(
            "The tables are distributed: start the applications again." if made else "There is nothing to do."
        )
    return EXIT_DONE


def _kept(error: StrongroomError) -> str:
    """What is said of changes, after an error that says which steps are done."""
    return UNKNOWN if isinstance(error, OutcomeUnknownError) else "Of the step that failed nothing was changed."


def _print(context: CommandContext, steps: list[DistributionStep]) -> int:
    if context.out.as_json:
        context.out.document({"steps": [{"about": step.about, "sql": step.sql} for step in steps]})
        return EXIT_DONE
    lines = [f"-- {number}. {step.about}\n{step.sql};" for number, step in enumerate(steps, 1)]
    context.out.script("\n".join(lines) if lines else "-- nothing to do")
    return EXIT_DONE
