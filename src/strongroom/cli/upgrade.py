"""``strongroom upgrade``: bring strongroom's own tables and records up to date."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from strongroom.cli.command import CommandContext, command
from strongroom.cli.exit_codes import EXIT_DONE, EXIT_FINDINGS
from strongroom.cli.options import Actor, Reason

if TYPE_CHECKING:
    from strongroom.takeover import UpgradeReport, UpgradeResult, UpgradeStart

_UNSURE = "What was tagged before stays tagged; run the command again, it goes on where it was."
_EPILOG = """Examples: strongroom upgrade    strongroom upgrade --accept UUID    strongroom upgrade --refuse-foreign

Applications of this version go on meanwhile; those of an older one fail and write nothing."""
_NOT_ACCEPTED = (
    "Nothing was written for what is undecided, and it is refused. Look at each with `strongroom doctor` and "
    "`strongroom history list ID`; `strongroom upgrade --accept ID` asks at a terminal."
)
_MOST_SHOWN = 50

Accept = Annotated[
    list[str] | None,
    typer.Option("--accept", metavar="ID", help="Take this wallet's label and state as they are found; repeatable."),
]
LeaveUndecided = Annotated[
    bool, typer.Option("--leave-undecided", help="Finish although wallets are undecided: they are refused until then.")
]
AcceptForeign = Annotated[
    bool, typer.Option("--accept-foreign", help="Return wallets of legacy tables that nothing proves, marked so.")
]
RefuseForeign = Annotated[
    bool, typer.Option("--refuse-foreign", help="Return no wallet that nothing proves: no row can turn that off.")
]
MoveTo = Annotated[
    str | None,
    typer.Option("--move-to", metavar="NAME", help="Move strongroom's tables to this PostgreSQL schema."),
]


def add(app: typer.Typer) -> None:
    """Add ``strongroom upgrade`` to the application."""
    command(app, "upgrade", unsure=_UNSURE, epilog=_EPILOG)(upgrade)


def upgrade(
    context: CommandContext,
    accept: Accept = None,
    leave_undecided: LeaveUndecided = False,
    accept_foreign: AcceptForeign = False,
    refuse_foreign: RefuseForeign = False,
    move_to: MoveTo = None,
    actor: Actor = None,
    reason: Reason = None,
) -> int:
    """Bring strongroom's own tables up to date and tag what older versions wrote; wallet tables stay as they are.

    Online and resumable. Afterwards a record without a tag is refused. Exit code 3 while wallets are undecided.
    """
    from strongroom.cli.failures import CommandLineError
    from strongroom.records.identifiers import check_wallet_id
    from strongroom.records.usage_log import Attribution as Who

    if accept_foreign and refuse_foreign:
        raise CommandLineError("Name one of --accept-foreign and --refuse-foreign.", "Leave the other one out.")
    accepted = [check_wallet_id(each) for each in accept or ()]
    Who.of(actor, reason)
    takeover = context.takeover()

    def started(start: UpgradeStart) -> None:
        if start.moved:
            context.out.message(f"The tables are in the schema {move_to} now.")
            if not start.searched:
                context.out.message(
                    f"No vault is searched there: name it from now on, and for processes that run (--schema {move_to}, "
                    f"STRONGROOM_SCHEMA, or schema in strongroom.toml).",
                    style="yellow",
                )
        if start.migrated:
            context.out.message("The tables were brought up to date; records are tagged now.")

    interactive = not context.out.as_json and sys.stdin is not None and sys.stdin.isatty()
    with context.out.progress() as progress:
        done = takeover.upgrade(
            accept=accepted,
            leave_undecided=leave_undecided,
            accept_foreign=accept_foreign if accept_foreign or refuse_foreign else None,
            move_to=move_to,
            actor=actor,
            reason=reason,
            started=started,
            decide=_ask if interactive else None,
            progress=progress,
        )
    _render(context, done)
    decided = leave_undecided or not done.undecided
    return EXIT_DONE if done.finished and decided else EXIT_FINDINGS


def _ask(result: UpgradeResult) -> bool:
    question = f"{result.wallet_id}: {', '.join(result.undecided)} contradict its row. Take the row as it is found?"
    return typer.confirm(question, err=True)


def _render(context: CommandContext, done: UpgradeReport) -> None:
    results, finished, accepts = done.results, done.finished, done.accepts_foreign
    tagged = Counter(result.kind for result in results if result.tagged)
    left = [result for result in results if not result.tagged]
    found = [result for result in results if result.as_found]
    if context.out.as_json:
        document: dict[str, Any] = {
            "finished": finished,
            "accept_foreign": accepts,
            "tagged": dict(sorted(tagged.items())),
            "as_found": [
                {"kind": each.kind, "id": str(each.wallet_id), "found": list(each.as_found)} for each in found
            ],
            "undecided": [_left(each) for each in left],
        }
        context.out.document(document)
        return
    counts = ", ".join(f"{number:,} {kind} records" for kind, number in sorted(tagged.items()))
    context.out.line(f"Tagged: {counts}." if counts else "There was nothing to tag.")
    if found:
        _list(context, "Taken as found", [(str(each.wallet_id), each.kind, ", ".join(each.as_found)) for each in found])
    if left:
        _list(context, "Undecided", [(each["id"], each["kind"], each["why"]) for each in map(_left, left)])
    context.out.line("Finished: from now on a record without a tag is refused." if finished else "Not finished.")
    if done.switched or accepts:
        context.out.message(
            "Wallets of legacy tables that nothing proves are returned, with proved=False."
            if accepts
            else "Wallets that nothing proves are not returned."
        )
    if finished and left:
        context.out.message(_NOT_ACCEPTED)
    if not finished:
        context.out.message(
            "Next: look at each with `strongroom doctor` and `strongroom history list ID`, then "
            "`strongroom upgrade --accept ID`; or `strongroom upgrade --leave-undecided`."
        )


def _left(result: UpgradeResult) -> dict[str, str]:
    why = ", ".join(result.undecided) if result.error is None else result.error.code
    return {"kind": result.kind, "id": str(result.wallet_id), "why": why}


def _list(context: CommandContext, title: str, rows: Sequence[tuple[str, str, str]]) -> None:
    context.out.heading(title)
    context.out.table(("Wallet id", "Record", "What"), rows[:_MOST_SHOWN])
    if len(rows) > _MOST_SHOWN:
        context.out.line(f"and {len(rows) - _MOST_SHOWN:,} more; --json lists all.")
