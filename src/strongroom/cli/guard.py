"""``strongroom guard``: keep what other code overwrites or deletes."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from strongroom.cli.command import Run, command
from strongroom.cli.failures import EXIT_DONE, EXIT_FINDINGS, UNKNOWN, CommandLineError

if TYPE_CHECKING:
    from strongroom.model import GuardStatus
    from strongroom.store.guard.installer import Guard

_EPILOG = """Example: strongroom guard --install

Needs the database alone, no root key."""
_MEANING = {
    "archive": "what would be lost is kept in strongroom_vault_history",
    "refuse": "what would lose a key is refused",
}


class Mode(StrEnum):
    """What the guard does with a write that would lose a key."""

    archive = "archive"
    refuse = "refuse"


Print = Annotated[bool, typer.Option("--print", help="Print the SQL that --install runs; change nothing.")]
Install = Annotated[bool, typer.Option("--install", help="Install the guard, or mend it, or change its mode.")]
Remove = Annotated[bool, typer.Option("--remove", help="Drop exactly what was installed.")]
Status = Annotated[bool, typer.Option("--status", help="Say what is installed; exit code 3 if it is not intact.")]
ModeOption = Annotated[
    Mode | None,
    typer.Option("--mode", help="archive keeps what would be lost, refuse refuses the write; archive if not given."),
]


def add(app: typer.Typer) -> None:
    """Register the command."""
    command(app, "guard", unsure=UNKNOWN, epilog=_EPILOG)(guard)


def guard(
    run: Run,
    print_: Print = False,
    install: Install = False,
    remove: Remove = False,
    status: Status = False,
    mode: ModeOption = None,
) -> int:
    """Keep, or refuse to lose, what other code overwrites or deletes: triggers on the wallet tables.

    For as long as an old application still writes there. Choose one of --print, --install, --remove, --status.
    """
    if [print_, install, remove, status].count(True) != 1:
        raise CommandLineError("Choose one of --print, --install, --remove, --status.", "See: strongroom guard --help")
    if mode is not None and not (print_ or install):
        raise CommandLineError("--mode belongs to --print and --install.", "See: strongroom guard --help")
    from strongroom.wiring import open_guard

    opened = open_guard(run.settings())
    try:
        if print_:
            return _print(run, opened, (mode or Mode.archive).value)
        if install:
            return _tell(run, opened.install((mode or Mode.archive).value))
        if remove:
            return _remove(run, opened)
        return _tell(run, opened.status())
    finally:
        opened.close()


def _print(run: Run, opened: Guard, mode: str) -> int:
    script = str(opened.script(mode))
    if run.out.as_json:
        run.out.document({"mode": mode, "sql": script})
    else:
        run.out.line(script)
        run.out.message("Run it in one transaction; it may be run again.")
    return EXIT_DONE


def _remove(run: Run, opened: Guard) -> int:
    removed = opened.remove()
    if run.out.as_json:
        run.out.document({**opened.status().as_dict(), "removed": removed})
    else:
        run.out.message("The guard was removed." if removed else "There is no guard; nothing was changed.")
    return EXIT_DONE


def _tell(run: Run, found: GuardStatus) -> int:
    if run.out.as_json:
        run.out.document(found.as_dict())
    else:
        mode = f"{found.mode}: {_MEANING[found.mode]}" if found.mode else "unknown"
        run.out.facts([("guard", found.state), *([] if found.state == "absent" else [("mode", mode)])])
        if found.state == "partly":
            rows = [(part.name, part.table or part.kind, part.state) for part in found.parts if part.state != "intact"]
            run.out.table(("Part", "On", "State"), rows)
    for warning in found.warnings:
        run.out.message(f"Warning: {warning}", style="yellow")
    if found.state != "installed":
        run.out.message("Next: strongroom guard --install")
    return EXIT_DONE if found.state == "installed" and not found.warnings else EXIT_FINDINGS
