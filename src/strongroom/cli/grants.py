"""``strongroom grants``: the least privileges of a database role, as SQL."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from strongroom.cli.command import CommandContext, command
from strongroom.cli.exit_codes import EXIT_DONE
from strongroom.cli.failures import CommandLineError

_EPILOG = """Example: strongroom grants creator --print --to app

Needs the database alone, no root key. Run what it prints as the owner of the tables."""


class DatabaseRole(StrEnum):
    """What a role is for."""

    reader = "reader"
    creator = "creator"
    signer = "signer"
    operator = "operator"
    doctor = "doctor"


Role = Annotated[
    DatabaseRole,
    typer.Argument(metavar="ROLE", help="reader, creator (or signer, which is the same), operator or doctor."),
]
Print = Annotated[bool, typer.Option("--print", help="Print the SQL; change nothing.")]
To = Annotated[
    str | None,
    typer.Option("--to", metavar="NAME", help="The database's role that gets them; strongroom_ROLE if not given."),
]


def add(app: typer.Typer) -> None:
    """Add ``strongroom grants`` to the application."""
    command(app, "grants", epilog=_EPILOG)(grants)


def grants(context: CommandContext, role: Role, print_: Print = False, to: To = None) -> int:
    """Print the GRANTs and policies that a role needs to read, to create and sign, to operate, or for doctor.

    Nothing is granted by this command, and no role needs BYPASSRLS or to own a table.
    """
    if not print_:
        raise CommandLineError("grants prints SQL and runs none: add --print.", "See: strongroom grants --help")
    from strongroom.wiring import print_grants

    name = to or f"strongroom_{role.value}"
    statements = print_grants(context.settings(), role.value, name)
    if context.out.as_json:
        context.out.document({"role": role.value, "to": name, "sql": "\n".join(statements)})
    else:
        context.out.script("\n".join(["BEGIN;", *statements, "COMMIT;"]))
        context.out.message("Run it as the owner of the tables, after CREATE ROLE; it may be run again.")
    return EXIT_DONE
