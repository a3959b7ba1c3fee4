"""Rules of the state machine: wallets that take the next index of a phrase."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import rule

from strongroom import Vault
from strongroom.errors import RetryTransactionError, StrongroomError
from strongroom.records.wallets import Created
from tests.attacks.states.model import RefusedCall, Wanted
from tests.attacks.states.phrase_model import Model, ModelledAccount, ModelledPhrase
from tests.attacks.states.rules_phrases import Owner, PhraseRules, owners, variant_of
from tests.attacks.states.steps import NETWORKS, Drawn, Turn, counted, flags, keys, slots, turns

batches = st.one_of(
    st.lists(st.sampled_from(["default", "a.b", "c", "d"]), min_size=1, max_size=4, unique=True),
    st.integers(1, 5),
)
"""Labels, or how many of a prefix."""


class DeriveRules(PhraseRules):
    """What is derived from a project's phrases."""

    def __init__(self) -> None:
        super().__init__()
        self.earlier: dict[tuple[UUID, str, str], tuple[int, int, tuple[Any, ...]]] = {}
        """Rows of accounts as they were: the next index, how often the sealing key was rotated by then, the row."""

    @rule(turn=turns, drawn=slots, owner=owners, key=keys, taproot=flags)
    @counted
    def derive(self, turn: Turn, drawn: Drawn, owner: Owner, key: str | None, taproot: bool) -> None:
        slot = self.slot(drawn)
        variant = "taproot" if taproot and drawn[1] == "bitcoin" else None
        phrase = self.model.phrase(slot[0], owner[1])
        outcome = self.ask(
            turn,
            lambda vault: vault.create_wallet(
                slot[0], slot[1], label=slot[2], variant=variant, phrase=owner[1], idempotency_key=key
            ),
        )
        if phrase is None:
            self.expect(outcome, RefusedCall("phrase-not-found"))
            return
        wanted = self._derived(slot[0], slot[1], slot[2], variant, key)
        expected = self.model.answer_derived(wanted, phrase)
        made = self.expect(outcome, expected)
        if made is not None:
            self._settle_derived(made, wanted, phrase, expected, repeated=outcome.repeated)

    def _derived(
        self, project: UUID, network: str, label: str, variant: str | None = None, key: str | None = None
    ) -> Wanted:
        request = ("create-derived", network, label, variant or "default")
        return Wanted((project, network, label), request, variant, None, key)

    def _settle_derived(
        self,
        made: Created,
        wanted: Wanted,
        phrase: ModelledPhrase,
        expected: Any,
        *,
        repeated: bool,
        model: Model | None = None,
    ) -> None:
        self._settle_wallet(made, wanted, expected, None, repeated=repeated, model=model)
        there = (model or self.model).wallets[made.wallet.id]
        if expected is None:
            (model or self.model).derived(there, phrase)
        assert (made.wallet.phrase_id, made.wallet.phrase_index) == (there.phrase, there.index)

    @rule(turn=turns, project=st.integers(0, 1), network=st.sampled_from(NETWORKS), batch=batches, owner=owners)
    @counted
    def create_many(self, turn: Turn, project: int, network: str, batch: Sequence[str] | int, owner: Owner) -> None:
        """What is missing is made, unless a label is that of another wallet: then nothing is."""
        mine, labels = self.projects[project], _labels(batch)
        phrase = self.model.phrase(mine, owner[1])
        outcome = self.ask(turn, lambda vault: _many(vault, mine, network, batch, phrase=owner[1]))
        if phrase is None:
            self.expect(outcome, RefusedCall("phrase-not-found"))
            return
        every = [self._derived(mine, network, label) for label in labels]
        missing = [wanted.slot not in self.model.live for wanted in every]
        if outcome.value is None:  # what it made it does not tell
            vault = self.system.vaults[1 - turn.vault]
            told = [vault.find_wallet(*wanted.slot) for wanted in every]
            answers = [None if each is None else Created(each, created=False) for each in told]
        else:
            answers = list(outcome.value)
        of_model = [self.model.answer_derived(wanted, phrase) for wanted in every]
        refused = next((each for each in of_model if isinstance(each, RefusedCall)), None)
        for wanted, answer, is_missing, expected in zip(every, answers, missing, of_model, strict=True):
            if isinstance(expected, RefusedCall) or (refused is not None and is_missing and answer is None):
                continue
            assert answer is not None
            assert (expected is None) is is_missing
            unsure = outcome.repeated or outcome.value is None
            self._settle_derived(answer, wanted, phrase, expected, repeated=unsure)
        self.expect(outcome, refused)

    @rule(
        turn=turns,
        project=st.integers(0, 1),
        network=st.sampled_from(NETWORKS),
        batch=batches,
        owner=owners,
        commits=flags,
    )
    @counted
    def batch_in_a_callers_transaction(
        self, turn: Turn, project: int, network: str, batch: Sequence[str] | int, owner: Owner, commits: bool
    ) -> None:
        """A caller who rolls back, or gets an error, took no index."""
        mine = self.projects[project]
        phrase = self.model.phrase(mine, owner[1])

        def call(vault: Vault) -> list[Created] | str:
            made: list[Created]
            with self.system.callers.connect() as connection:
                try:
                    made = _many(vault, mine, network, batch, phrase=owner[1], connection=connection)
                except RetryTransactionError:
                    raise
                except StrongroomError as error:
                    return error.code
                (connection.commit if commits else connection.rollback)()
            return made

        outcome = self.ask(turn, call)
        assert outcome.value is not None, outcome.code
        if phrase is None:
            assert outcome.value == "phrase-not-found"
            return
        every = [self._derived(mine, network, label) for label in _labels(batch)]
        refusals = [self.model.copy().answer_derived(wanted, phrase) for wanted in every]
        refused = next((each.code for each in refusals if isinstance(each, RefusedCall)), None)
        if refused is not None:
            assert outcome.value == refused
            return
        assert not isinstance(outcome.value, str), outcome.value
        model = self.model if commits else self.model.copy()
        for wanted, answer in zip(every, outcome.value, strict=True):
            own = model.phrases[phrase.id]
            expected = model.answer_derived(wanted, own)
            assert not answer.wallet.durable
            stays = None if commits else model
            self._settle_derived(answer, wanted, own, expected, repeated=outcome.repeated, model=stays)

    @rule(turn=turns, owner=owners, network=st.sampled_from(NETWORKS), ahead=st.integers(-2, 3))
    @counted
    def advance(self, turn: Turn, owner: Owner, network: str, ahead: int) -> None:
        project, label = self.projects[owner[0]], owner[1]
        phrase = self.model.phrase(project, label)
        account = ModelledAccount() if phrase is None else phrase.account(network, "default")
        before = account.row or 0
        to = max(0, before + ahead)
        outcome = self.ask(
            turn,
            lambda vault: vault.advance_phrase(project, network, to, phrase=label, actor="ann", reason="bookkeeping"),
        )
        found = self.expect(outcome, None if phrase else RefusedCall("phrase-not-found"))
        if found is not None:
            assert found.next_index == max(before, to)
            if to > before:
                account.row = to

    # --- the account's row -------------------------------------------------------------------------------------

    @rule(owner=owners, network=st.sampled_from(NETWORKS), goes=flags)
    @counted
    def the_row_of_an_account_is_lost_or_put_back(self, owner: Owner, network: str, goes: bool) -> None:
        """The register goes on telling which indices are taken."""
        phrase = self.model.phrase(self.projects[owner[0]], owner[1])
        account = None if phrase is None else phrase.accounts.get((network, "default"))
        if phrase is None or account is None or account.row is None:
            return
        where = "WHERE phrase_id = ? AND network = ? AND variant = ?"
        named = phrase.id, network, variant_of(network, "default")
        columns = "project_id, phrase_id, network, variant, template, next_index, version, kid, tag"
        [row] = self.system.bare(f"SELECT {columns} FROM strongroom_phrase_account {where}", *named)
        index, rotations, kept = self.earlier.setdefault(named, (account.row, self.rotations, row))
        skipped = account.taken != set(range(len(account.taken)))  # what was skipped might be given then
        if skipped or not (goes or rotations == self.rotations):
            return
        self.system.bare(f"DELETE FROM strongroom_phrase_account {where}", *named)
        account.row = None
        if not goes:
            marks = ", ".join("?" * len(kept))
            self.system.bare(f"INSERT INTO strongroom_phrase_account ({columns}) VALUES ({marks})", *kept)
            account.row = index


def _labels(batch: Sequence[str] | int) -> list[str]:
    return [f"n-{number}" for number in range(batch)] if isinstance(batch, int) else list(batch)


def _many(vault: Vault, project: UUID, network: str, batch: Sequence[str] | int, **arguments: Any) -> list[Created]:
    if isinstance(batch, int):
        return vault.create_many(project, network, count=batch, label_prefix="n-", **arguments)
    return vault.create_many(project, network, batch, **arguments)
