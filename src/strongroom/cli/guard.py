"""``strongroom guard``: keep what the legacy application overwrites or deletes."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from strongroom.cli.command import CommandContext, command
from strongroom.cli.exit_codes import EXIT_DONE, EXIT_FINDINGS
from strongroom.cli.failures import UNKNOWN, CommandLineError

if TYPE_CHECKING:
    from strongroom.records.guard import EventTriggers, GuardStatus
    from strongroom.takeover import Takeover

_EPILOG = """Example: strongroom guard --install

Needs the database alone, no root key."""
_MEANING = {
    "archive": "what would be lost is kept in strongroom_vault_history",
    "refuse": "what would lose a key is refused",
}
_METADATA = "keys in it are not guarded: strongroom repair seals them"


class Mode(StrEnum):
    """What the guard does with a write that would lose a key."""

    archive = "archive"
    refuse = "refuse"


Print = Annotated[bool, typer.Option("--print", help="Print the SQL that --install runs; change nothing.")]
Install = Annotated[bool, typer.Option("--install", help="Install the guard, or repair it, or change its mode.")]
Remove = Annotated[bool, typer.Option("--remove", help="Drop exactly what was installed.")]
Status = Annotated[bool, typer.Option("--status", help="Say what is installed; exit code 3 if it is not intact.")]
ModeOption = Annotated[
    Mode | None,
    typer.Option("--mode", help="archive keeps what would be lost, refuse refuses the write; archive if not given."),
]


def add(app: typer.Typer) -> None:
    """Add ``strongroom guard`` to the application."""
    command(app, "guard", unsure=UNKNOWN, epilog=_EPILOG)(guard)


def guard(
    context: CommandContext,
    print_: Print = False,
    install: Install = False,
    remove: Remove = False,
    status: Status = False,
    mode: ModeOption = None,
) -> int:
    """Keep, or refuse to lose, what the legacy application overwrites or deletes: triggers on the wallet tables.

    For as long as the legacy application still writes there. Choose one of --print, --install, --remove, --status.
    """
    if [print_, install, remove, status].count(True) != 1:
        raise CommandLineError("Choose one of --print, --install, --remove, --status.", "See: strongroom guard --help")
    if mode is not None and not (print_ or install):
        raise CommandLineError("--mode belongs to --print and --install.", "See: strongroom guard --help")
    takeover = context.takeover()
    if print_:
        return _print(context, takeover, (mode or Mode.archive).value)
    if install:
        return _render(context, takeover.install_guard((mode or Mode.archive).value), installed=True)
    if remove:
        return _remove(context, takeover)
    return _render(context, takeover.guard_status())


def _print(context: CommandContext, takeover: Takeover, mode: str) -> int:
    script = takeover.guard_script(mode)
    if context.out.as_json:
        context.out.document({"mode": mode, "sql": script})
    else:
        context.out.script(script)
        context.out.message("Run it in one transaction; it may be run again.")
    return EXIT_DONE


def _remove(context: CommandContext, takeover: Takeover) -> int:
    removed = takeover.remove_guard()
    if context.out.as_json:
        context.out.document({**takeover.guard_status().as_dict(), "removed": removed})
    else:
        context.out.message("The guard was removed." if removed else "There is no guard; nothing was changed.")
    return EXIT_DONE


def _render_event_triggers(context: CommandContext, found: EventTriggers, *, installed: bool) -> None:
    if found.sql is None:
        return
    states = ", ".join(f"{name} is {state}" for name, state in found.states.items() if state != "intact")
    if found.superuser and not installed:
        context.out.message(f"Event triggers: {states}.")
        return
    who = "The role may not make them" if installed else "`strongroom guard --install` makes them where the role may"
    context.out.message(f"Event triggers: {states}. {who}; a superuser does so with:")
    context.out.script(found.sql)


def _ddl(found: GuardStatus) -> list[tuple[str, str]]:
    if found.event_triggers is None:
        return []
    whole = found.event_triggers.sql is None
    return [("DDL", "DROP and ALTER that could lose keys are refused" if whole else "DROP and ALTER are not refused")]


def _render(context: CommandContext, found: GuardStatus, *, installed: bool = False) -> int:
    if context.out.as_json:
        context.out.document(found.as_dict())
    else:
        mode = f"{found.mode}: {_MEANING[found.mode]}" if found.mode else "unknown"
        facts = [("mode", mode), *_ddl(found), ("metadata", _METADATA)]
        context.out.facts([("guard", found.state), *([] if found.state == "absent" else facts)])
        if found.state == "partly":
            rows = [(part.name, part.table or part.kind, part.state) for part in found.parts if part.state != "intact"]
            context.out.table(("Part", "On", "State"), rows)
    if found.state != "absent" and found.event_triggers is not None and not context.out.as_json:
        _render_event_triggers(context, found.event_triggers, installed=installed)
    for warning in found.warnings:
        context.out.message(f"Warning: {warning}", style="yellow")
    events = found.event_triggers
    mendable = events is not None and events.sql is not None and events.superuser and not installed
    if found.state != "installed" or mendable:
        context.out.message("Next: strongroom guard --install")
    return EXIT_DONE if found.state == "installed" and not found.warnings else EXIT_FINDINGS
