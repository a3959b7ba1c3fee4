"""Rules of the state machine: phrases of a project, which are made, brought, replaced, looked at and revealed."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import rule

from strongroom import ProjectPhrase, Vault
from strongroom.networks import TABLE
from tests.attacks.states.model import RefusedCall
from tests.attacks.states.phrase_model import ModelledPhrase
from tests.attacks.states.rules_lifecycle import LifecycleRules
from tests.attacks.states.steps import ANN, Turn, counted, keys, turns

BROUGHT = (
    "legal winner thank year wave sausage worth useful legal winner thank yellow",
    "letter advice cage absurd amount doctor acoustic avoid letter advice cage above",
)
"""Phrases that are imported."""
owners = st.tuples(st.integers(0, 1), st.sampled_from(["default", "default", "savings"]))
"""A project, and the label of a phrase."""
Owner = tuple[int, str]


class PhraseRules(LifecycleRules):
    """What a project's phrases do."""

    @rule(turn=turns, owner=owners, key=keys)
    @counted
    def create_phrase(self, turn: Turn, owner: Owner, key: str | None) -> None:
        project, label = self.projects[owner[0]], owner[1]
        request = ("phrase-create", label, 12)
        outcome = self.ask(turn, lambda vault: vault.create_phrase(project, words=12, label=label, idempotency_key=key))
        self._settle_phrase(outcome, (project, label), None, key, request)

    @rule(turn=turns, owner=owners, which=st.integers(0, 1), key=keys)
    @counted
    def import_phrase(self, turn: Turn, owner: Owner, which: int, key: str | None) -> None:
        project, label = self.projects[owner[0]], owner[1]
        request = ("phrase-import", label, which)
        outcome = self.ask(
            turn,
            lambda vault: vault.import_phrase(project, mnemonic=BROUGHT[which], label=label, idempotency_key=key),
        )
        self._settle_phrase(outcome, (project, label), which, key, request)

    def _settle_phrase(
        self, outcome: Any, owner: tuple[UUID, str], imported: int | None, key: str | None, request: tuple[object, ...]
    ) -> None:
        expected = self.model.answer_phrase(*owner, imported, key, request)
        made = self.expect(outcome, expected)
        if made is None:
            return
        phrase, created = made
        if isinstance(expected, ModelledPhrase):
            assert (phrase.id, created) == (expected.id, False)
            return
        assert created or outcome.repeated
        assert (phrase.project_id, phrase.label, phrase.status) == (*owner, "active")
        assert phrase.id not in self.model.phrases
        self.model.made_phrase(ModelledPhrase(phrase.id, *owner, imported), key, request)

    @rule(turn=turns, owner=owners)
    @counted
    def replace_phrase(self, turn: Turn, owner: Owner) -> None:
        """A fault after the commit makes the caller ask again, and what is replaced then is the new one."""
        project, label = self.projects[owner[0]], owner[1]
        old = self.model.phrase(project, label)
        if old is not None:
            outcome = self.ask(turn._replace(fault=None), lambda vault: vault.replace_phrase(project, label, words=12))
            made = self.expect(outcome, None)
            old.is_active = False
            self.model.made_phrase(ModelledPhrase(made.phrase.id, project, label, None), None, ())
            refused = self.ask(turn, lambda vault: vault.replace_phrase(project, old.id))
            self.expect(refused, RefusedCall("phrase-conflict"))
        else:
            outcome = self.ask(turn, lambda vault: vault.replace_phrase(project, label))
            self.expect(outcome, RefusedCall("phrase-not-found"))

    @rule(turn=turns, owner=owners)
    @counted
    def look_at_phrases(self, turn: Turn, owner: Owner) -> None:
        """By label, by id, in pages, opened, and how far their indices are taken."""
        project, label = self.projects[owner[0]], owner[1]
        there = self.model.phrase(project, label)

        def call(vault: Vault) -> tuple[ProjectPhrase | None, list[ProjectPhrase], list[Any]]:
            page = vault.list_phrases(project, limit=1)
            listed = list(page.phrases)
            while page.next is not None:
                page = vault.list_phrases(project, limit=1, after=page.next)
                assert page.phrases
                listed += page.phrases
            proofs = [(each.phrase_id, each.error) for each in vault.verify_phrases(project)]
            return vault.find_phrase(project, label), listed, proofs

        found, listed, proofs = self.expect(self.ask(turn, call), None)
        assert (None if found is None else found.id) == (None if there is None else there.id)
        mine = sorted((each.id, each.label, each.is_active) for each in self.model.phrases_of(project))
        assert [(each.id, each.label, each.status == "active") for each in listed] == mine
        assert proofs == [(each[0], None) for each in mine]
        if there is not None:
            assert self.ask(turn, lambda vault: vault.get_phrase(project, there.id)).value == found
            self._compare_accounts(turn, there)

    def _compare_accounts(self, turn: Turn, phrase: ModelledPhrase) -> None:
        found = self.ask(turn, lambda vault: vault.list_accounts(phrase.project, phrase.id)).value
        assert found is not None
        rows = {key: each.row for key, each in phrase.accounts.items() if each.row is not None}
        assert {(each.network, each.variant): each.next_index for each in found} == {
            (network, variant_of(network, variant)): row for (network, variant), row in rows.items()
        }

    @rule(turn=turns, owner=owners)
    @counted
    def reveal_phrase(self, turn: Turn, owner: Owner) -> None:
        project, label = self.projects[owner[0]], owner[1]
        there = self.model.phrase(project, label)
        outcome = self.ask(turn, lambda vault: vault.reveal_phrase(project, label, **ANN).mnemonic.reveal_text())
        words = self.expect(outcome, None if there else RefusedCall("phrase-not-found"))
        if there is not None and there.imported is not None:
            assert words == BROUGHT[there.imported]


def variant_of(network: str, variant: str) -> str:
    """A variant by its own name."""
    return TABLE.get(network).variants[0] if variant == "default" else variant
