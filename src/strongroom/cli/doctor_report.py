"""What doctor found, for people: the summary first, then the findings, grouped by what to do."""

from __future__ import annotations

import shlex
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from strongroom.cli.output import counted, printable

if TYPE_CHECKING:
    from uuid import UUID

    from strongroom.cli.output import CommandOutput
    from strongroom.takeover import DoctorReport, Finding

_SHOWN = 5
"""Findings of one code and repair that are shown; the others are counted."""
_REPAIRS = {
    "seal": "Seal: the key is here, and is not sealed",
    "move": "Move: the key is stored in the metadata",
    "fill": "Fill: the key is known from elsewhere in this database",
    "relabel": "Relabel: a column says what is not so",
    "retire": "Retire: what should not be in use",
    "unlink": "Unlink: what two credentials share",
    "rewrap": "Rewrap: seal again",
    "ask": "Ask: somebody has to decide, or to bring a password, a key or a keyring",
    "unexplained": "Unexplained: nothing known explains the text, or something was not opened. Not lost: "
    "docs/doctor.md says what to try",
    "none": "Lost: nothing in this database gives the key back",
}
_STYLES = {"critical": "bold red", "error": "red", "warning": "yellow", "note": "dim"}


def render(out: CommandOutput, report: DoctorReport, more: str, *, resumed: bool, of_project: UUID | None) -> None:
    """Print the whole report for people: findings by severity, then what can be done.

    ``more``: the options that a plan needs to read what this run read, each behind a blank.
    """
    out.facts(list(_facts(report)))
    if report.schema:
        out.heading("The schema")
        for finding in report.schema:
            where = finding.table or "server"
            out.marked(_STYLES[finding.severity], finding.code, f"{where}: {finding.evidence}")
    _render_rows(out, report)
    if report.notes:
        out.heading("To be known: no finding, and the power of others")
        for note in report.notes:
            place = note.table or "server"
            place = place if note.credential_id is None else f"{place}, wallet {note.credential_id}"
            out.marked(_STYLES[note.severity], note.code, f"{place}: {note.evidence}")
            if note.command:
                out.line(f"        {note.command}")
    out.line()
    for line in _closing(report, more):
        out.line(line)
    for message in _limits(report, more, resumed=resumed, of_project=of_project):
        out.message(message, style="yellow")


def _facts(report: DoctorReport) -> Iterator[tuple[str, str]]:
    from strongroom.cli.status import generation

    yield "wallet tables", generation(report.generation)
    if not report.readable:
        yield "wallets", "not read: row-level security hides rows from this role"
        return
    yield "wallets", f"{report.credentials:,}, with {counted(report.vault_records, 'vault record')}"
    if not report.looked_at:
        return
    states = report.states
    yield "safe", f"{states['safe']:,} sealed{_proved(report)}"
    if report.exposed:
        yield "in plaintext", f"{report.exposed:,} whose key anybody can read who reads the database or a backup of it"
    yield "recoverable", f"{states['recoverable']:,} whose key is here, but not where or as it should be"
    yield "to be decided", f"{states['undecided']:,} that need a password, a keyring or a person"
    if states["unexplained"]:
        yield (
            "unexplained",
            f"{states['unexplained']:,} whose key may be in a text that nothing explains, or that was not opened",
        )
    yield "lost", f"{states['lost']:,} whose key is nowhere in this database"


def _proved(report: DoctorReport) -> str:
    if report.proved:
        return ", and proved with the root key"
    return f", as their headers say ({'the root key is lost' if _lost(report) else 'no root key was given'})"


def _lost(report: DoctorReport) -> bool:
    return any(finding.code == "root-key-lost" for finding in report.schema)


def _render_rows(out: CommandOutput, report: DoctorReport) -> None:
    """The groups; one pass over the findings, a few of each kept."""
    from strongroom.takeover import SEVERITIES

    shown: dict[tuple[str, str], list[Finding]] = defaultdict(list)
    counts: Counter[tuple[str, str]] = Counter()
    for finding in report.findings():
        group = "unexplained" if finding.code == "unreadable" or finding.unopened else finding.repair
        kind = (group, finding.code)
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
                out.line(f"    {finding.credential_id or finding.row}  {finding.evidence}")
                if not finding.automatic and finding.command and finding.repair != "retire":
                    out.line(f"        {finding.command}")
            if counts[repair, code] > len(found):
                out.line(f"    ... and {counts[repair, code] - len(found):,} more: --json prints them all")


_UNPROVED = (
    "Nothing was found, and nothing was proved: without the root key of a vault no sealed text is opened, and its "
    "register is not looked at. With it: strongroom doctor --root-key URI"
)
_SEALING = {"seal", "move"}
_OF_THE_REGISTER = {"register-mismatch", "status-differs"}


def _closing(report: DoctorReport, more: str) -> Iterator[str]:
    if report.healthy and report.complete:
        yield "Healthy: nothing was found." if report.proved else _UNPROVED
        return
    found, new = report.row_findings, sum(report.new().values())
    total = found + len(report.schema)
    rows = "1 finding" if found == 1 else f"{found:,} findings"
    yield f"{rows} about rows, {len(report.schema):,} about the schema. Nothing was changed."
    if new < total:
        yield f"{total - new:,} of them are acknowledged, {new:,} are new."
    if new:
        yield from (f"First: {step}" for step in _first(report, more))


def _first(report: DoctorReport, more: str) -> Iterator[str]:
    """What to do first: what gets worse by waiting. No command is named that would have nothing to do."""
    new = list(report.unacknowledged(report.schema))
    codes = {finding.code for finding in new}
    rows = _Rows.of(report)
    if "rls-hides-rows" in codes:
        yield "run doctor again as a role that sees every row: the owner, or see `strongroom grants doctor --print`."
    elif "readable-by-anon" in codes:
        yield "take the rights on these tables from anon, authenticated and PUBLIC: the keys can be read now."
    elif "root-key-lost" in codes:
        yield "find the root key, or a backup of it, or another one that root-key-lost names: without one no key opens."
    elif "keyring-changed" in codes:
        yield "restore strongroom_keyring_head and strongroom_keyring from a backup: without them no vault opens."
    elif "not-durable" in codes:
        yield "let the server keep what it commits (fsync, logged tables): a crash may lose keys at any time."
    elif not report.repairable:
        seen = "treat the keys in plaintext as seen; " if report.exposed else ""
        yield (
            f"{seen}strongroom does not work on ids of these types (column-type): take the keys out with the SQL of "
            "their findings, and import them into a vault of its own. `strongroom docs existing-databases` says how."
        )
    elif "column-type" in codes and rows.codes:
        seen = "treat the keys in plaintext as seen; " if report.exposed else ""
        yield f"{seen}change the columns that column-type names: the SQL is printed there. Then run doctor again."
    elif report.exposed and rows.codes:
        command = f"strongroom repair --plan plan.json{more}" if more else "strongroom repair"
        seals = f"`{command}` seals them; plan to move the funds."
        yield f"treat the keys in plaintext as seen: {seals if rows.repairs & _SEALING else 'plan to move the funds.'}"
    elif rows.codes and rows.codes <= _OF_THE_REGISTER:
        yield "compare with a backup; then `strongroom upgrade --accept ID` takes a wallet as its rows say it now."
    elif rows.codes:
        yield _of_rows(rows, more)
    else:
        yield _of_schema(codes)


class _Rows(NamedTuple):
    """What nobody acknowledged of rows."""

    repairs: frozenset[str]
    codes: frozenset[str]
    opens: str
    """The command that looks further for missing keys; empty where no finding names it."""

    @classmethod
    def of(cls, report: DoctorReport) -> _Rows:
        repairs, codes, opens = set[str](), set[str](), ""
        for finding in report.unacknowledged(report.findings()):
            repairs.add(finding.repair)
            codes.add(finding.code)
            opens = opens or (finding.command if finding.unopened else "")
        return cls(frozenset(repairs), frozenset(codes), opens)


def _of_rows(rows: _Rows, more: str) -> str:
    lost, opens = "strongroom wallet store-key ID", f"{rows.opens}{more}"
    if rows.repairs - {"ask", "none"}:
        also = f"    (lost keys: {lost})" if "none" in rows.repairs else ""
        also = f"    (missing keys: {opens})" if rows.opens else also
        return f"make a backup, then: strongroom repair --plan plan.json{more}{also}"
    if rows.opens:
        return f"look further for the missing keys: {opens}"
    if "none" in rows.repairs:
        return f"look for the lost keys elsewhere; with a key: {lost}"
    return "decide about what is under Ask: `strongroom docs findings` says of each code what helps."


def _of_schema(codes: set[str]) -> str:
    from strongroom.takeover import MIGRATED

    if codes & MIGRATED:
        return "change the schema: `strongroom migrate --print` prints the SQL; `strongroom docs migrate` explains it."
    if "column-type" in codes:
        return "change the columns that column-type names; where SQL does it, the SQL is printed there."
    return "change the server or the roles: `strongroom docs findings` says of each code how."


def _with_keys_in_metadata(report: DoctorReport) -> int:
    """How many wallets have such a finding: those of one come one after the other."""
    if not report.summary.get("key-in-metadata"):
        return 0
    found = (finding.row for finding in report.findings() if finding.code == "key-in-metadata")
    return sum(1 for _ in groupby(found))


def _limits(report: DoctorReport, more: str, *, resumed: bool, of_project: UUID | None) -> Iterator[str]:
    """What was not looked at."""
    if _lost(report):
        yield "Warning: the root key that the settings name is lost: nothing was proved, and damage may be unseen."
    if in_metadata := _with_keys_in_metadata(report):
        yield (
            f"Warning: {counted(in_metadata, 'wallet')} with keys in metadata, which the guard does not keep: anyone "
            "who changes the column or deletes the project loses them."
        )
    if not report.complete:
        project = f" --project {of_project}" if of_project else ""
        since = f" --since {shlex.quote(printable(report.last_id))}" if report.last_id else ""
        yield (
            f"Stopped after {report.looked_at:,} of {counted(report.credentials, 'wallet')}. "
            f"Go on with: strongroom doctor{project}{since}{more}"
        )
    if resumed or of_project or not report.complete:
        yield "Wallets were compared, and keys searched for, among those that were looked at only."
