"""``strongroom projects``: who has wallets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from strongroom.cli.actors import actor_or_user
from strongroom.cli.command import CommandContext, command, common_callback
from strongroom.cli.confirmation import confirm
from strongroom.cli.exit_codes import EXIT_DONE, EXIT_PARTLY
from strongroom.cli.options import Actor, After

if TYPE_CHECKING:
    from strongroom.records.erasure import Erased


_ERASE = "Example: strongroom projects erase 6f1c1c1e-6a5c-4d7e-9d0a-0e9f0f8e7b11 --reason 'ticket 17'"
_UNSURE = "What was erased stays so; run it again, it goes on where it was."


def build() -> typer.Typer:
    """Make the Typer group ``strongroom projects`` with its commands."""
    app = typer.Typer(help="List projects, and say which id stands for yours.")
    app.callback()(common_callback)
    command(app, "list", epilog="Example: strongroom projects list")(list_projects)
    command(app, "erase", unsure=_UNSURE, epilog=_ERASE)(erase)
    command(app, "id", epilog="Example: strongroom projects id users.example.com user_42")(project_id)
    return app


def list_projects(
    context: CommandContext,
    limit: Annotated[int, typer.Option("--limit", metavar="N", help="Projects of a page, 1 to 1,000.")] = 100,
    after: After = None,
) -> int:
    """List the projects that have wallets, in the order of their ids, a page at a time."""
    with context.vault() as vault:
        page = vault.list_projects(limit=limit, after=after)
    if context.out.as_json:
        found = [{"id": str(project.id), "wallets": project.wallets} for project in page.projects]
        context.out.document({"projects": found, "next": page.next})
        return EXIT_DONE
    if page.projects:
        rows = [(str(project.id), f"{project.wallets:,}") for project in page.projects]
        context.out.table(("Project", "Wallets"), rows)
    else:
        context.out.message("No projects: there is no wallet yet.")
    if page.next is not None:
        context.out.message(f"More: add --after {page.next}")
    return EXIT_DONE


def project_id(
    context: CommandContext,
    namespace: Annotated[
        str, typer.Argument(metavar="NAMESPACE", help="A UUID that you chose once, or a DNS name such as example.com.")
    ],
    text: Annotated[str, typer.Argument(metavar="TEXT", help="Your own id, such as 42 or user_42.")],
) -> int:
    """Print the project id that stands for an id of your own that is no UUID: UUID version 5."""
    from strongroom.records.identifiers import project_id_of

    found = project_id_of(namespace, text)
    if context.out.as_json:
        context.out.document({"project_id": str(found)})
    else:
        context.out.line(str(found))
    return EXIT_DONE


def erase(
    context: CommandContext,
    project: Annotated[str, typer.Argument(metavar="PROJECT", help="The project's id.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask; needed where nobody can be asked.")] = False,
    actor: Actor = None,
    reason: Annotated[
        str, typer.Option("--reason", metavar="WHY", help="Why; it stays in the events: name no person.")
    ] = "strongroom projects erase",
) -> int:
    """Take what may name a person from a project's rows, and retire all of its wallets. There is no way back.

    The keys stay, and open by the wallets' ids. Exit code 6 if wallets were left.
    """
    from strongroom.records.identifiers import check_project_id

    project_id = check_project_id(project)
    with context.vault() as vault:
        if not yes:
            wallets = vault.count_wallets(project_id)
            number = "1 wallet" if wallets == 1 else f"{wallets:,} wallets"
            context.out.message(
                f"{number} of project {project_id} will be retired; labels, actors and reasons are erased."
            )
            confirm("Erase it?")
        erased = vault.erase_project(project_id, actor=actor_or_user(actor), reason=reason)
    if context.out.as_json:
        context.out.document(erased.as_dict())
    else:
        _render(context, erased)
    return EXIT_DONE if erased.complete else EXIT_PARTLY


def _render(context: CommandContext, erased: Erased) -> None:
    context.out.facts(
        [
            ("wallets retired", f"{erased.wallets:,}"),
            ("log records", f"{erased.log_records:,}"),
            ("idempotency keys", f"{erased.idempotency_keys:,}"),
            *((f"kept: {name}", why) for name, why in erased.as_dict()["kept"].items()),
        ]
    )
    for wallet_id, error in erased.failed:
        what = f"{wallet_id} ({error.code})." if wallet_id.int else error.message
        context.out.message(f"Left as it is: {what} {error.hint}", style="yellow")
    if erased.complete:
        context.out.message(
            "Erased. Copies in backups, in the server's log and in freed pages are not reached from here:"
        )
        context.out.message("`strongroom docs erasure` says how they go.")
    else:
        context.out.message("Run it again when what is left was settled.")
