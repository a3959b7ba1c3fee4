"""``strongroom docs``: the pages of the documentation, which come with the package."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from strongroom.cli.command import CommandContext, command
from strongroom.cli.completion import complete_page
from strongroom.cli.exit_codes import EXIT_DONE
from strongroom.cli.failures import CommandLineError
from strongroom.cli.pages import page_names, read_page

Page = Annotated[
    str | None,
    typer.Argument(metavar="[PAGE]", help="The page's name, such as quickstart.", autocompletion=complete_page),
]


def add(app: typer.Typer) -> None:
    """Add ``strongroom docs`` to the application."""
    command(app, "docs", epilog="Examples: strongroom docs    strongroom docs signing | less")(docs)


def docs(context: CommandContext, page: Page = None) -> int:
    """Show a page of the documentation, or list the pages. Needs no database."""
    if page is None:
        titles = {name: read_page(name).partition("\n")[0].removeprefix("# ") for name in page_names()}
        if context.out.as_json:
            context.out.document({"pages": [{"name": name, "title": title} for name, title in titles.items()]})
        else:
            context.out.table(("Page", "Title"), list(titles.items()))
            context.out.message("Next: strongroom docs PAGE")
        return EXIT_DONE
    name = Path(page).name.removesuffix(".md")
    if name not in page_names():
        raise CommandLineError("There is no such page.", f"The pages are: {', '.join(page_names())}.")
    text = read_page(name)
    if context.out.as_json:
        context.out.document({"name": name, "text": text})
    elif sys.stdout is not None and sys.stdout.isatty():
        context.out.markdown(text)
    else:
        context.out.script(text)
    return EXIT_DONE
