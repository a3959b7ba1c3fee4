"""``strongroom log list``: what was done, by whom, when."""

from __future__ import annotations

import difflib
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from strongroom.cli.command import CommandContext, command, common_callback
from strongroom.cli.exit_codes import EXIT_DONE
from strongroom.cli.failures import CommandLineError
from strongroom.cli.options import After
from strongroom.cli.wallet_reference import locate

if TYPE_CHECKING:
    from strongroom.records.usage_log import LogRecord

_TIME_HINT = "A time is 2026-11-28, 2026-11-28T14:30 (UTC), 2026-11-28T14:30+01:00, or ago: 30m, 24h, 7d."
_AGO = re.compile(r"([1-9][0-9]{0,5})([mhd])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_PHRASES = (
    *("phrase-create", "phrase-import", "phrase-export", "phrase-replace", "phrase-advance", "phrase-repair"),
    "xpub-export",
)
ACTIONS = (
    *("create", "import", "export", "sign", "sign-refused", "rewrap", "replace", "revoke", "fill", "repair"),
    *("move-key", "init", "upgrade", "accept", "accept-foreign", "erase-project", "rotate", "retire", "migrate"),
    *("add-root-key", "remove-root-key", "nonce-collision", "acknowledge", *_PHRASES, "guard-install", "guard-remove"),
    "schema-move",
)
"""What strongroom writes into the log; the legacy application may have words of its own."""
_EPILOG = """Examples: strongroom log list --action export --since 7d
strongroom log list --wallet 0x9858EfFD232B4033E47d90003D41EC34EcaEda94 --json"""


def build() -> typer.Typer:
    """Make the Typer group ``strongroom log`` with its commands."""
    app = typer.Typer(help="Read the usage log.")
    app.callback()(common_callback)
    command(app, "list", epilog=_EPILOG)(list_log)
    return app


def list_log(
    context: CommandContext,
    wallet: Annotated[
        str | None,
        typer.Option("--wallet", metavar="WALLET", help="Only of this wallet: id, address, or PROJECT/NETWORK/LABEL."),
    ] = None,
    project: Annotated[
        str | None,
        typer.Option("--project", metavar="UUID", help="Only of this project: its wallets, and its phrases."),
    ] = None,
    by: Annotated[str | None, typer.Option("--actor", metavar="WHO", help="Only what this one did.")] = None,
    action: Annotated[
        str | None, typer.Option("--action", metavar="NAME", help="Only this, such as sign, export or rotate.")
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="TIME", help="From this time on, such as 7d or 2026-11-01.")
    ] = None,
    until: Annotated[str | None, typer.Option("--until", metavar="TIME", help="Before this time.")] = None,
    limit: Annotated[int, typer.Option("--limit", metavar="N", help="Rows of a page, 1 to 1,000.")] = 100,
    after: After = None,
) -> int:
    """List what was done with wallets and with the vault, newest first, a page at a time.

    What was done with the vault, such as rotate, is left out where a wallet or a project is named; events of a
    project's phrases are its own.
    """
    asked = {"since": _time(since), "until": _time(until), "actor": by, "action": action}
    with context.vault() as vault:
        found = None if wallet is None else locate(vault, wallet, project)[0]
        page = vault.list_log(found, project_id=project, limit=limit, after=after, **asked)  # type: ignore[arg-type]
    if context.out.as_json:
        context.out.document({"log": [record.as_dict() for record in page.records], "next": page.next})
        return EXIT_DONE
    if page.records:
        columns = ("Time (UTC)", "Action", "Actor", "Reason", "Wallet id")
        context.out.table(
            columns, [_row(record) for record in page.records], folded={"Actor": "Action", "Wallet id": "Reason"}
        )
    else:
        context.out.message(f"Nothing in the log.{_unknown(action)}")
    if page.next is not None:
        context.out.message(f"More: add --after {page.next}")
    return EXIT_DONE


def _unknown(action: str | None) -> str:
    """What an action may mean that strongroom never writes."""
    if action is None or action in ACTIONS:
        return ""
    close = difflib.get_close_matches(action.lower(), ACTIONS, 2)
    meant = f" Did you mean {' or '.join(close)}?" if close else ""
    return f" strongroom writes no such action.{meant} Its actions: {', '.join(ACTIONS)}."


def _row(record: LogRecord) -> tuple[str, ...]:
    at = "none" if record.at is None else f"{record.at:%Y-%m-%d %H:%M:%S}"
    return at, record.action, record.actor or "", record.reason or "", record.wallet_id or ""


def _time(text: str | None) -> datetime | None:
    if text is None:
        return None
    ago = _AGO.fullmatch(text)
    try:
        if ago is not None:
            given: dict[str, Any] = {_UNITS[ago[2]]: int(ago[1])}
            return datetime.now(UTC) - timedelta(**given)
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise CommandLineError("This is not a time.", _TIME_HINT) from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
