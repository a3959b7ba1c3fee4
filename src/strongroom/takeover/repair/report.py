"""What a repair did, as JSON and as one HTML page that needs nothing else."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from html import escape
from typing import Any

from strongroom.takeover.doctor.derivation import Derivation
from strongroom.takeover.repair.outcomes import UnitOutcome, UnitStatus

COPIES = (
    ("dead rows in the table", "VACUUM FULL credential_vault_storage; VACUUM FULL project_credentials;"),
    ("the write-ahead log and its archive", "keep archived WAL no longer than you must; SELECT pg_switch_wal();"),
    ("backups and dumps", "make a new one now, and let those from before expire or be destroyed"),
    ("replicas, and snapshots of disks", "repeat the VACUUM's effect by replay; delete snapshots from before"),
    (
        "the server's logs",
        "where log_statement or log_min_duration_statement showed statements of the legacy application",
    ),
)
"""Where a key that was stored in plaintext may still be on PostgreSQL, and what can be done."""
COPIES_SQLITE = (
    ("free pages of the database file", "VACUUM; then PRAGMA wal_checkpoint(TRUNCATE);"),
    ("the files next to it (-wal, -journal)", "gone after the checkpoint, when no process has the database open"),
    ("backups and copies of the file", "make a new one now, and destroy those from before"),
    (
        "snapshots of disks, and the disk itself",
        "delete snapshots from before; what a disk keeps of old blocks is its own",
    ),
)
"""The same on SQLite."""
_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem;color:#1b1f24}"
    "h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}table{border-collapse:collapse;width:100%}"
    "td,th{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #d8dee4;vertical-align:top}"
    "code{font:13px ui-monospace,monospace;overflow-wrap:anywhere}.bad{color:#b42318}.good{color:#067647}"
    "@media(prefers-color-scheme:dark){body{background:#0d1117;color:#e6edf3}td,th{border-color:#30363d}}"
)


def counts(outcomes: Sequence[UnitOutcome]) -> dict[str, int]:
    """Number of wallets by how they ended."""
    found = Counter(outcome.status for outcome in outcomes)
    return {status.value: found[status] for status in UnitStatus}


def all_exposed(
    outcomes: Sequence[UnitOutcome], logged: Iterable[tuple[str, str, str]], derivation: Derivation
) -> list[tuple[str, str]]:
    """Those of earlier runs too, as the usage log has them; of a wallet that is gone only this run tells."""
    found = {wallet_id: derivation.shown(network, address) for wallet_id, network, address in logged}
    for outcome in outcomes:
        if outcome.exposed:
            found.setdefault(outcome.unit.credential_id, outcome.unit.address)
    return list(found.items())


def as_dict(
    outcomes: Sequence[UnitOutcome],
    exposed: Sequence[tuple[str, str]],
    database: str,
    at: datetime,
    *,
    acceptance_ended: bool = False,
    sqlite: bool = False,
) -> dict[str, Any]:
    """The report as JSON-ready values; ``exposed`` are ids and addresses of all runs, this one's among them."""
    return {
        "database": database,
        "at": at.isoformat(),
        "wallets": counts(outcomes),
        "acceptance_ended": acceptance_ended,
        "exposed": [{"credential_id": credential_id, "address": address} for credential_id, address in exposed],
        "copies": [{"where": where, "what_to_do": what} for where, what in (COPIES_SQLITE if sqlite else COPIES)],
        "done": [
            {"credential_id": outcome.unit.credential_id, "did": [f"{a.do} {a.code}" for a in outcome.done]}
            for outcome in outcomes
            if outcome.status is UnitStatus.DONE
        ],
        "not_done": [
            {
                "credential_id": outcome.unit.credential_id,
                "ending": outcome.status.value,
                **({} if outcome.error is None else {"error": outcome.error.as_dict()}),
            }
            for outcome in outcomes
            if outcome.status in (UnitStatus.CHANGED, UnitStatus.FAILED)
        ],
    }


def page(document: dict[str, Any]) -> Iterator[str]:
    """The report as an HTML page, piece by piece; it loads nothing from anywhere."""
    yield f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Repair report</title><style>{_STYLE}</style>'
    yield f"<h1>Repair of {escape(document['database'])}</h1><p>{escape(document['at'])}, by strongroom.</p>"
    yield from _table(("Wallets", ""), ((status, f"{number:,}") for status, number in document["wallets"].items()))
    if document["acceptance_ended"]:
        yield "<p>Every live wallet is in the register: unproved wallets are no longer returned.</p>"
    exposed = document["exposed"]
    if exposed:
        yield '<h2 class="bad">Keys that were in plaintext</h2>'
        yield (
            "<p>They are sealed now. Anyone who could read the database, or a copy of it, before may have them: "
            "<strong>move the funds of these addresses to new wallets.</strong></p>"
        )
        yield from _table(("Address", "Wallet"), ((each["address"], each["credential_id"]) for each in exposed))
        yield "<h2>Where copies may still be</h2>"
        yield from _table(("Where", "What to do"), ((each["where"], each["what_to_do"]) for each in document["copies"]))
    yield "<h2>What was done</h2>"
    yield from _table(
        ("Wallet", "Done"), ((each["credential_id"], ", ".join(each["did"])) for each in document["done"])
    )
    if document["not_done"]:
        yield '<h2 class="bad">What was not done</h2>'
        yield from _table(
            ("Wallet", "Why"),
            ((each["credential_id"], _why(each)) for each in document["not_done"]),
        )
    yield "</html>\n"


def json_pieces(document: dict[str, Any]) -> Iterator[str]:
    """The report as a JSON document."""
    yield from json.JSONEncoder(indent=2).iterencode(document)
    yield "\n"


def _why(entry: dict[str, Any]) -> str:
    error = entry.get("error")
    return entry["ending"] if error is None else f"{entry['ending']}: {error['message']} {error['hint']}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield "<table><tr>" + "".join(f"<th>{escape(name)}</th>" for name in head) + "</tr>"
    for row in rows:
        yield "<tr>" + "".join(f"<td><code>{escape(cell)}</code></td>" for cell in row) + "</tr>"
    yield "</table>"
