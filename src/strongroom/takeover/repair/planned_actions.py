"""What a plan is going to say, while it is made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from strongroom.records.vault_texts import ALL_MEMBERS
from strongroom.takeover.doctor import commands
from strongroom.takeover.doctor.findings import HISTORY, VAULT, Finding
from strongroom.takeover.repair.actions import Action


@dataclass(slots=True)
class PlannedActions:
    """What is planned for each wallet, what may be chosen, and what is left to people."""

    actions: dict[str, list[Action]] = field(default_factory=dict)
    choices: list[tuple[str, Action]] = field(default_factory=list)
    left: list[dict[str, Any]] = field(default_factory=list)
    phrases: dict[tuple[str, str], Finding] = field(default_factory=dict)
    """A finding about each phrase of which there is any, by project and id: somebody may have copied a row."""
    spread: set[str] = field(default_factory=set)
    """Credentials whose own key or phrase is stored in several projects."""
    holders: set[str] = field(default_factory=set)
    """Credentials under which any key or phrase is stored that is in several projects."""

    def takes_of_phrase(self, finding: Finding) -> bool:
        """Whether a finding is about a phrase, whose rows are looked at again when all findings are known."""
        if finding.is_of_phrase:
            self.phrases.setdefault((str(finding.source), str(finding.row)), finding)
        return finding.is_of_phrase

    def add(self, credential_id: str, action: Action) -> None:
        """Add an action to those that are planned for a wallet."""
        self.actions.setdefault(credential_id, []).append(action)

    def leave(self, finding: Finding, why: str, way_out: str = "") -> None:
        """Leave a finding to people; ``way_out``: what gets the key out that no plan fills in."""
        left = replace(finding, evidence=f"{finding.evidence}; {why}", repair="ask", automatic=False)
        left = replace(left, named_command=left.named_command or way_out)
        self.left.append(left.as_dict())

    def leave_actions(self, credential_id: str, actions: Sequence[Action], why: str) -> None:
        """Leave what was planned for a wallet to people."""
        for action in actions:
            place = (action.table, action.row, credential_id)
            left = Finding(action.code, *place, f"{action.recognised}; {why}", "ask")
            self.left.append(replace(left, named_command=_shown(action, credential_id)).as_dict())

    def will_be_filled(self, credential_id: str | None) -> bool:
        """Whether a wallet's missing key comes into its record."""
        return any(action.do == "fill" for action in self.actions.get(credential_id or "", ()))


def _shown(action: Action, credential_id: str) -> str:
    """What gets the wallet's own key out that is not sealed, moved or filled in: nothing takes it from its rows."""
    if action.do == "fill" and action.source is not None:
        return {HISTORY: commands.restore(credential_id), VAULT: ""}.get(action.source_table or "", "")
    if action.do in ("move", "fill"):
        return commands.reveal_text(f"{commands.in_metadata(credential_id)}/{ALL_MEMBERS}")
    return commands.reveal_text(action.row) if action.do == "seal" else ""
