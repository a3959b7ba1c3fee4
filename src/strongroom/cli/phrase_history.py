"""``strongroom phrase history``: the texts that were kept of a phrase."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import typer

from strongroom.cli.command import CommandContext, command
from strongroom.cli.exit_codes import EXIT_DONE
from strongroom.cli.history import render_history
from strongroom.cli.options import After, PhraseLabel, PhraseOwner
from strongroom.cli.phrase_reference import reference_of

_EPILOG = "Example: strongroom phrase history default --project 6f1c1c1e-6a5c-4d7e-9d0a-0e9f0f8e7b11"


def add(app: typer.Typer) -> None:
    """Add the command to ``strongroom phrase``."""
    command(app, "history", epilog=_EPILOG)(history)


def history(
    context: CommandContext,
    project: PhraseOwner,
    label: PhraseLabel = "default",
    limit: Annotated[int, typer.Option("--limit", metavar="N", help="Texts of a page, 1 to 1,000.")] = 100,
    after: After = None,
) -> int:
    """List what was kept of a phrase, oldest first, a page at a time; by its id also where its row is gone.

    Shows no text, and opens none. `strongroom log list --project UUID` says what was done with it.
    """
    named = reference_of(label)
    with context.vault() as vault:
        phrase = named if isinstance(named, UUID) else vault.get_phrase(project, named)
        page = vault.history(phrase, project_id=project, limit=limit, after=after)
    render_history(context, page, "phrase", continued=after is not None)
    return EXIT_DONE
