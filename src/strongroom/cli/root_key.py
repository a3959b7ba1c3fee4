"""``strongroom root-key``."""

from __future__ import annotations

from typing import Annotated

import typer

from strongroom.cli.command import Run, command, common_callback
from strongroom.cli.failures import EXIT_DONE


def build() -> typer.Typer:
    """Put the commands together."""
    app = typer.Typer(help="Make a root key.")
    app.callback()(common_callback)
    command(
        app,
        "new",
        unsure="The file may have been made; it is never overwritten.",
        epilog="Example: strongroom root-key new production.key",
    )(new)
    return app


def new(run: Run, file: Annotated[str, typer.Argument(metavar="FILE", help="A file that does not exist yet.")]) -> int:
    """Make a new root key in a file that only you can read.

    For `strongroom init --root-key file:FILE`, or for a secret store that sets a variable for env:NAME.
    """
    from strongroom.errors import RootKeyExistsError
    from strongroom.rootkeys.file import FileRootKey

    uri = f"file:{file}"
    if not FileRootKey(uri).create():
        raise RootKeyExistsError("There is a file of this name already; it was not touched.")
    if run.out.as_json:
        run.out.document({"root_key": uri})
    else:
        run.out.line(uri)
        run.out.message("Keep a copy where the database is not: without this key no wallet can be opened.")
    return EXIT_DONE
