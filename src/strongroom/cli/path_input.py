"""Derivation paths that a command is told to try."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from strongroom.cli.failures import CommandLineError
from strongroom.cli.secret_input import lines_of

NamedPaths = Annotated[
    list[str] | None,
    typer.Option("--path", metavar="PATH", help="Try this derivation path, before those of wallets. Repeatable."),
]
PathsFile = Annotated[
    str | None,
    typer.Option("--paths", metavar="FILE", help="Try the derivation paths of a file, one a line; # begins a comment."),
]

OnePath = Annotated[
    str | None,
    typer.Option("--path", metavar="PATH", help="Derive a phrase's key at this path; the stored address goes first."),
]


def paths_of(named: list[str] | None, file: str | None) -> tuple[str, ...]:
    """The paths that were named, and those of a file. Raises CommandLineError, InvalidPathError."""
    from strongroom.crypto.phrase_search import MOST_PATHS
    from strongroom.networks.curves import paths

    read = [] if file is None else [line.partition("#")[0].strip() for line in lines_of(Path(file), "derivation paths")]
    found = tuple(dict.fromkeys((*(named or ()), *(line for line in read if line))))
    if len(found) > MOST_PATHS:
        raise CommandLineError(f"More than {MOST_PATHS:,} derivation paths were named.", "Try them in several runs.")
    return tuple(paths.spelled(path) for path in found)
