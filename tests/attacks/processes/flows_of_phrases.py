"""The flow of a phrase: wallets that take its next indices."""

from __future__ import annotations

from typing import Any

from testbed.harness.fork_server import Arguments
from tests.attacks.processes import children
from tests.attacks.processes.flows import ChildCase, KillFlow

_INDICES = """
SELECT phrase_index FROM strongroom_wallet WHERE project_id = ? AND phrase_id IS NOT NULL ORDER BY phrase_index"""


class Derive(KillFlow):
    """Wallets take the next indices of a phrase; all children share it."""

    name = "derive"
    variants = ("one", "several")
    child = children.derive
    at_once = True

    def set_up(self) -> None:
        """A project with a phrase."""
        self.project = self.deployment.project()
        self.phrase = self.vault.create_phrase(self.project).phrase

    def prepare(self, variant: str) -> tuple[Any, Arguments]:
        """Labels that nobody had."""
        labels = [f"{self.number}-{each}" for each in range(1 if variant == "one" else 3)]
        return labels, {"project": str(self.project), "labels": " ".join(labels)}

    def again(self, case: ChildCase) -> bool:
        """All of them are there, or none is; indices have no gaps and no repetition, before and after the retry."""
        left = [self.vault.find_wallet(self.project, "ethereum", label) for label in case.given]
        there = [wallet for wallet in left if wallet is not None]
        self.row.half_made += len(there) not in (0, len(left))
        self.row.lost += case.told is not None and not there
        self._require_no_gaps()
        made = self.vault.create_many(self.project, "ethereum", case.given)
        assert {each.created for each in made} == {not there}
        self.row.duplicates += there != [] and [each.wallet for each in made] != left
        self._require_no_gaps()
        for each in made:
            self.told_again(each.wallet)
        return bool(there)

    def end(self) -> None:
        """Every wallet is the one of its phrase and index, too."""
        super().end()
        found = list(self.vault.verify(project_id=self.project, phrases=True))
        self.row.unproved += sum(not result.ok for result in found)

    def _require_no_gaps(self) -> None:
        indices = [int(index) for (index,) in self.witness.ask(_INDICES, self.project)]
        self.row.half_made += indices != list(range(len(indices)))


FLOWS_OF_PHRASES: tuple[type[KillFlow], ...] = (Derive,)
