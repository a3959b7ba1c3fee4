"""Every finding that nothing has to be decided about is in the plan, or among what is left to people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from strongroom.takeover.doctor.findings import Finding, shown_id
from strongroom.takeover.repair.plan import Unit, is_id

_LATER = "the next plan does it, when the wallet's identity is restored"
_WITH_IT = "sealing its text does it, which is left to people"
_BY_HAND = "a plan does nothing about rows whose ids are no UUIDs, or that changed meanwhile"


def uncovered(
    findings: Iterable[Finding], units: Sequence[Unit], left: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[Finding, str]]:
    """Automatic findings that neither a unit nor what is left has, each with why."""
    covered = {(action.code, action.row) for unit in units for action in unit.actions}
    sealed = {action.row for unit in units for action in unit.actions if action.do == "seal"}
    told = {(finding["code"], finding["row"]) for finding in left}
    left_rows = {finding["row"] for finding in left}
    restored = {unit.credential_id for unit in units if any(a.code == "identity-changed" for a in unit.actions)}
    for finding in findings:
        row = None if finding.row is None else shown_id(finding.row)
        if not finding.automatic or (finding.code, finding.row) in covered or (finding.code, row) in told:
            continue
        if not _stays(finding) and not (finding.code == "wrong-label" and finding.row in sealed):
            with_it = finding.code == "wrong-label" and row in left_rows
            yield finding, _WITH_IT if with_it else _LATER if finding.credential_id in restored else _BY_HAND


def _stays(finding: Finding) -> bool:
    """Whether it is about the one of several rows that stays as it is."""
    if finding.code == "duplicate-vault-records":
        return finding.source == finding.row
    return finding.code == "shared-key-vault-id" and is_id(finding.row or "")
