"""What doctor found, for people: the summary first, then the findings, grouped by what to do."""

from __future__ import annotations

import shlex
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uuid import UUID

    from strongroom.cli.output import Output
    from strongroom.doctor.diagnosis import Diagnosis
    from strongroom.doctor.findings import Finding

_SHOWN = 5
"""Findings of one code and repair that are shown; the others are counted."""
_REPAIRS = {
    "seal": "Seal: the key is here, and is not sealed",
    "move": "Move: the key stands in the metadata",
    "fill": "Fill: the key is known from elsewhere in this database",
    "relabel": "Relabel: a column says what is not so",
    "retire": "Retire: what should not be in use",
    "unlink": "Unlink: what two credentials share",
    "rewrap": "Rewrap: seal again",
    "ask": "Ask: somebody has to decide, or to bring a password, a key or a keyring",
    "none": "Lost: nothing in this database gives the key back",
}
_STYLES = {"critical": "bold red", "error": "red", "warning": "yellow"}


def tell(out: Output, diagnosis: Diagnosis, *, resumed: bool, of_project: UUID | None) -> None:
    """Print the whole report."""
    out.facts(list(_facts(diagnosis)))
    if diagnosis.schema:
        out.heading("The schema")
        for finding in diagnosis.schema:
            where = finding.table or "server"
            out.marked(_STYLES[finding.severity], finding.code, f"{where}: {_printable(finding.evidence)}")
    _tell_rows(out, diagnosis)
    out.line()
    for line in _closing(diagnosis):
        out.line(line)
    for message in _limits(diagnosis, resumed=resumed, of_project=of_project):
        out.message(message, style="yellow")


def _facts(diagnosis: Diagnosis) -> Iterator[tuple[str, str]]:
    from strongroom.cli.status import generation
    from strongroom.doctor.notes import State

    yield "wallet tables", generation(diagnosis.generation)
    if not diagnosis.readable:
        yield "wallets", "not read: row-level security hides rows from this role"
        return
    yield "wallets", f"{diagnosis.credentials:,}, with {diagnosis.vault_records:,} vault records"
    if not diagnosis.looked_at:
        return
    states = diagnosis.states
    yield "safe", f"{states[State.SAFE]:,} sealed{_proved(diagnosis)}"
    if diagnosis.exposed:
        yield "in clear", f"{diagnosis.exposed:,} whose key anybody can read who reads the database or a backup of it"
    yield "recoverable", f"{states[State.RECOVERABLE]:,} whose key is here, but not where or as it should be"
    yield "to be decided", f"{states[State.UNDECIDED]:,} that need a password, a keyring or a person"
    yield "lost", f"{states[State.LOST]:,} whose key is nowhere in this database"


def _proved(diagnosis: Diagnosis) -> str:
    return ", and proved with the root key" if diagnosis.proved else ", as their headers say (no root key was given)"


def _tell_rows(out: Output, diagnosis: Diagnosis) -> None:
    """The groups; one pass over the findings, a few of each kept."""
    from strongroom.doctor.findings import SEVERITIES

    shown: dict[tuple[str, str], list[Finding]] = defaultdict(list)
    counts: Counter[tuple[str, str]] = Counter()
    for finding in diagnosis.spool:
        kind = (finding.repair, finding.code)
        counts[kind] += 1
        if len(shown[kind]) < _SHOWN:
            shown[kind].append(finding)
    for repair, title in _REPAIRS.items():
        kinds = [code for code in SEVERITIES if counts[repair, code]]
        if kinds:
            out.heading(title)
        for code in kinds:
            found = shown[repair, code]
            out.marked(_STYLES[found[0].severity], code, f"{counts[repair, code]:,}")
            for finding in found:
                out.line(_printable(f"    {finding.credential_id or finding.row}  {finding.evidence}"))
            if counts[repair, code] > len(found):
                out.line(f"    ... and {counts[repair, code] - len(found):,} more: --json prints them all")


def _printable(text: str) -> str:
    """Text with what came from the database in it: nothing that a terminal would obey, or that no file takes."""
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


def _closing(diagnosis: Diagnosis) -> Iterator[str]:
    if diagnosis.healthy and diagnosis.complete:
        yield "Healthy: nothing was found."
        return
    found = sum(diagnosis.spool.counts.values())
    yield f"{found:,} findings about rows, {len(diagnosis.schema):,} about the schema. Nothing was changed."
    yield from (f"First: {step}" for step in _first(diagnosis))


def _first(diagnosis: Diagnosis) -> Iterator[str]:
    """What to do first: what gets worse by waiting."""
    codes = {finding.code for finding in diagnosis.schema}
    if "rls-hides-rows" in codes:
        yield "run doctor again as a role that sees every row (the tables' owner, or one with BYPASSRLS)."
    elif "readable-by-anon" in codes:
        yield "take the rights on these tables from anon, authenticated and PUBLIC: the keys can be read now."
    elif "not-durable" in codes:
        yield "let the server keep what it commits (fsync, logged tables): a crash may lose keys at any time."
    elif diagnosis.exposed:
        yield "treat the keys in clear as seen: `strongroom repair` seals them; plan to move the funds."
    elif diagnosis.spool.counts:
        yield "make a backup, then: strongroom repair --plan plan.json    (lost keys: strongroom wallet store-key ID)"
    else:
        yield "change the schema: `strongroom migrate --print` prints the SQL; docs/migrate.md explains it."


def _limits(diagnosis: Diagnosis, *, resumed: bool, of_project: UUID | None) -> Iterator[str]:
    """What was not looked at."""
    if not diagnosis.complete:
        project = f" --project {of_project}" if of_project else ""
        since = f" --since {shlex.quote(_printable(diagnosis.last_id))}" if diagnosis.last_id else ""
        yield (
            f"Stopped after {diagnosis.looked_at:,} of {diagnosis.credentials:,} wallets. "
            f"Go on with: strongroom doctor{project}{since}"
        )
    if resumed or of_project or not diagnosis.complete:
        yield "Wallets were compared, and keys searched for, among those that were looked at only."
