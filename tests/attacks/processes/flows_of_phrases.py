"""The flows of a phrase: wallets that take its next indices, and what leaves its accounts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from strongroom import AccountExposedError
from testbed.harness.fork_server import Arguments
from tests.attacks.processes import children
from tests.attacks.processes.flows import ChildCase, KillFlow

_INDICES = """
SELECT phrase_index FROM strongroom_wallet WHERE project_id = ? AND phrase_id IS NOT NULL ORDER BY phrase_index"""
_LEFT = "SELECT xpub_exported, key_revealed FROM strongroom_phrase_branch WHERE project_id = ? AND path = ?"
_XPUBS = "SELECT count(*) FROM strongroom_events WHERE event = 'xpub-export' AND CAST(details AS text) LIKE ?"
_KEYS = "SELECT count(*) FROM credential_usage_logs WHERE credential_id = ? AND action_type = 'export'"


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


class Expose(KillFlow):
    """An account's xpub leaves, or the private key of one of its wallets; each child has an account of its own."""

    name = "expose"
    variants = ("xpub", "key")
    child = children.expose
    at_once = True

    def set_up(self) -> None:
        """A project with a phrase."""
        self.project = self.deployment.project()
        self.phrase = self.vault.create_phrase(self.project).phrase

    def prepare(self, variant: str) -> tuple[Any, Arguments]:
        """A wallet in an account that nothing has left."""
        wallet = self.vault.create_wallet(
            self.project, "ethereum", label=f"l{self.number}", phrase="default", account=self.number
        ).wallet
        self.told_again(wallet)
        given = {"project": str(self.project), "wallet": str(wallet.id), "account": self.number, "what": variant}
        return given, given

    def again(self, case: ChildCase) -> bool:
        """The mark and the log row are both there, or neither; after the one the other does not leave."""
        wallet, account, what = (case.given[name] for name in ("wallet", "account", "what"))
        marks = self.witness.ask(_LEFT, self.project, f"m/44'/60'/{account}'")
        logged = (
            self.witness.ask(_XPUBS, f"%\"m/44'/60'/{account}'\"%")
            if what == "xpub"
            else self.witness.ask(_KEYS, wallet)
        )[0][0]
        self.row.half_made += len(marks) != logged
        self.row.lost += case.told is not None and not marks
        why: dict[str, Any] = {"actor": "test", "reason": "to compare"}
        calls: dict[str, Callable[[], object]] = {
            "xpub": lambda: self.vault.export_xpub(self.project, "bnb", account=account, **why),
            "key": lambda: self.vault.reveal(wallet, **why),
        }
        calls[what]()
        (other,) = calls.keys() - {what}
        with pytest.raises(AccountExposedError):
            calls[other]()
        return bool(marks)


FLOWS_OF_PHRASES: tuple[type[KillFlow], ...] = (Derive, Expose)
