"""The state machine: everything that a vault does, asked in any order, with faults, compared with the model."""

from __future__ import annotations

from collections import Counter
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from strongroom import Vault
from strongroom.crypto.sealing import is_sealed
from strongroom.settings import Settings
from strongroom.takeover.doctor.passwords import Passwords
from strongroom.wiring.takeovers import open_doctor
from testbed.processes.wallets import PHRASE
from tests.attacks.states.model import EVM, Modelled, RefusedCall
from tests.attacks.states.rules_signing import TO, SigningRules
from tests.attacks.states.steps import (
    ANN,
    MISSING,
    NETWORKS,
    Drawn,
    Turn,
    assert_same,
    counted,
    flags,
    id_of,
    keys,
    picks,
    slots,
    turns,
)

PHRASE_TABLES = ("strongroom_phrase", "strongroom_phrase_account")
_MOST_EXAMINATIONS = 1
"""In one example: doctor looks at the whole schema, too."""
PLACEHOLDERS = ("", "MIGRATION_REQUIRED", "PRIVATE_KEY_NOT_RECOVERABLE")


class LifecycleRules(SigningRules):
    """What becomes of wallets."""

    # --- replace, revoke ---------------------------------------------------------------------------------------

    @rule(turn=turns, number=picks, key=keys)
    @counted
    def replace(self, turn: Turn, number: int, key: str | None) -> None:
        old = self.pick(number)
        outcome = self.ask(turn, lambda vault: vault.replace_wallet(id_of(old), idempotency_key=key))
        if old is None:
            self.expect(outcome, MISSING)
            return
        request = ("replace", *old.slot[1:], old.id)
        expected = self.model.answer_replacement(old, key, request)
        made = self.expect(outcome, expected)
        if made is None:
            return
        wallet, created = made
        if isinstance(expected, Modelled):
            assert (wallet.id, wallet.address, created) == (expected.id, expected.address, False)
            return
        assert created or outcome.repeated
        assert wallet.id not in self.model.wallets
        successor = self.model.replaced(old, key, request, wallet.id, wallet.address)
        if (phrase := self.model.succession(old)) is not None:
            self.model.derived(successor, phrase)
        assert (wallet.phrase_id, wallet.phrase_index) == (successor.phrase, successor.index)
        self.system.told[str(wallet.id)] = wallet.address

    @rule(turn=turns, number=picks)
    @counted
    def revoke(self, turn: Turn, number: int) -> None:
        wallet = self.pick(number)
        outcome = self.ask(turn, lambda vault: vault.revoke_wallet(id_of(wallet)))
        answer = self.expect(outcome, None if wallet else MISSING)
        if wallet is not None:
            wallet.status = "revoked"
            assert (answer.id, answer.status) == (wallet.id, "revoked")

    # --- texts -------------------------------------------------------------------------------------------------

    @rule(number=picks, placeholder=st.sampled_from(PLACEHOLDERS))
    @counted
    def the_legacy_application_writes_a_placeholder(self, number: int, placeholder: str) -> None:
        """Only where the key is kept, or somebody else has it."""
        wallet = self.pick(number)
        if wallet is None or not (wallet.kept or wallet.key or self.model.guarded):
            return
        self.system.bare(
            "UPDATE credential_vault_storage SET encrypted_private_key = ? WHERE credential_id = ?",
            placeholder,
            wallet.id,
        )
        self.model.blanked(wallet)

    @rule(turn=turns, number=picks, which=st.sampled_from(["its own", "its own", "another", "a phrase"]))
    @counted
    def store_key(self, turn: Turn, number: int, which: str) -> None:
        wallet = self.pick(number)
        own = wallet is not None and wallet.key is not None and which == "its own"
        key = wallet.key if own and wallet is not None else f"{0xF00D:064x}"
        given: dict[str, Any] = {"mnemonic": PHRASE, "passphrase": "x"} if which == "a phrase" else {"private_key": key}
        outcome = self.ask(turn, lambda vault: vault.store_key(id_of(wallet), **given))
        expected = self.model.store_key(wallet, fits=own) if wallet else MISSING
        self._settle_stored(outcome, expected)

    @rule(turn=turns, number=picks)
    @counted
    def restore(self, turn: Turn, number: int) -> None:
        wallet = self.pick(number)
        outcome = self.ask(turn, lambda vault: vault.restore(id_of(wallet)))
        self._settle_restored(outcome, wallet)

    def _settle_restored(self, outcome: Any, wallet: Modelled | None) -> None:
        self._settle_stored(outcome, self.model.restore(wallet) if wallet else MISSING)

    def _settle_stored(self, outcome: Any, expected: Any) -> None:
        stored = self.expect(outcome, expected)
        assert stored is None or stored.stored is expected or outcome.repeated

    @rule(turn=turns, number=picks)
    @counted
    def history(self, turn: Turn, number: int) -> None:
        wallet = self.pick(number)
        kept = self.ask(turn, lambda vault: vault.history(id_of(wallet)).entries).value
        assert kept is not None
        assert len(kept) == (len(wallet.kept) if wallet else 0)
        assert {entry.form for entry in kept} <= {"sealed"}

    @rule(turn=turns, number=picks)
    @counted
    def reveal_kept(self, turn: Turn, number: int) -> None:
        wallet = self.pick(number)
        if wallet is None or not wallet.kept:
            return
        found = self.ask(turn, lambda vault: vault.reveal_kept(vault.history(wallet.id).entries[-1].id, **ANN))
        kept = self.expect(found, None)
        assert (kept.network, kept.address) == (wallet.network, wallet.address)
        found = self.ask(turn, lambda vault: vault.reveal_kept_text(vault.history(wallet.id).entries[-1].id, **ANN))
        text = self.expect(found, None)
        assert (text.wallet_id, is_sealed(text.text.reveal_text())) == (wallet.id, True)

    @rule(turn=turns, number=picks)
    @counted
    def reveal(self, turn: Turn, number: int) -> None:
        wallet = self.pick(number)
        outcome = self.ask(turn, lambda vault: vault.reveal(id_of(wallet), **ANN).private_key.reveal_text())
        key = self.expect(outcome, MISSING if wallet is None else _unless_placeholder(wallet))
        if wallet is None or key is None:
            return
        if wallet.key is not None and wallet.network in EVM:
            assert key.removeprefix("0x") == wallet.key.removeprefix("0x")
        wallet.key = key

    # --- read --------------------------------------------------------------------------------------------------

    @rule(turn=turns, number=picks, form=st.sampled_from([UUID, str]))
    @counted
    def get(self, turn: Turn, number: int, form: type) -> None:
        wallet = self.pick(number)
        outcome = self.ask(turn, lambda vault: vault.get_wallet(form(str(id_of(wallet)))))
        found = self.expect(outcome, None if wallet else MISSING)
        if wallet is not None:
            assert_same(found, wallet)

    @rule(turn=turns, drawn=slots)
    @counted
    def find(self, turn: Turn, drawn: Drawn) -> None:
        slot = self.slot(drawn)
        outcome = self.ask(turn, lambda vault: vault.find_wallet(*slot))
        assert_same(self.expect(outcome, None), self.model.found(slot))

    @rule(turn=turns, number=picks)
    @counted
    def find_by_address(self, turn: Turn, number: int) -> None:
        wallet = self.pick(number)
        project, address = (wallet.slot[0], wallet.address) if wallet else (self.projects[0], TO[0])
        outcome = self.ask(turn, lambda vault: vault.find_by_address(address, project_id=project))
        there = self.model.with_address(project, address)
        expected = MISSING if not there else RefusedCall("ambiguous-wallet") if len(there) > 1 else None
        found = self.expect(outcome, expected)
        assert found is None or found.id == there[0].id

    @rule(turn=turns, number=picks)
    @counted
    def list_log(self, turn: Turn, number: int) -> None:
        wallet = self.pick(number)
        page = self.ask(turn, lambda vault: vault.list_log(id_of(wallet), limit=5)).value
        assert page is not None
        assert {record.wallet_id for record in page.records} <= ({str(wallet.id)} if wallet else set())
        times = [record.at for record in page.records if record.at is not None]  # one may have been tampered with
        assert times == sorted(times, reverse=True)

    @rule(turn=turns)
    @counted
    def list_projects(self, turn: Turn) -> None:
        def call(vault: Vault) -> dict[UUID, int]:
            page = vault.list_projects(limit=1_000)
            listed = list(page.projects)
            while page.next is not None:  # examples share the database
                page = vault.list_projects(limit=1_000, after=page.next)
                listed += page.projects
            return {project.id: project.wallets for project in listed}

        counted_wallets = self.ask(turn, call).value
        assert counted_wallets is not None
        for mine in self.projects:
            assert counted_wallets.get(mine, 0) == len(self.model.of_project(mine))

    @rule(turn=turns, project=st.integers(0, 1), network=st.sampled_from([None, *NETWORKS]), limit=st.integers(1, 4))
    @counted
    def list_and_count(self, turn: Turn, project: int, network: str | None, limit: int) -> None:
        mine = self.projects[project]

        def call(vault: Vault) -> tuple[list[UUID], int]:
            page = vault.list_wallets(mine, network=network, limit=limit)
            listed = list(page.wallets)
            while page.next is not None:
                page = vault.list_wallets(mine, network=network, limit=limit, after=page.next)
                listed += page.wallets
            return [wallet.id for wallet in listed], vault.count_wallets(mine)

        wallets = self.model.of_project(mine)
        expected = sorted(wallet.id for wallet in wallets if network in (None, wallet.network))
        assert self.ask(turn, call).value == (expected, len(wallets))

    @rule(turn=turns, project=st.integers(0, 1), phrases=flags)
    @counted
    def verify(self, turn: Turn, project: int, phrases: bool) -> None:
        self._compare_proofs(turn, self.projects[project], phrases=phrases)

    def _compare_proofs(self, turn: Turn, project: UUID, *, phrases: bool = False) -> None:
        outcome = self.ask(
            turn, lambda vault: {each.id: each.code for each in vault.verify(project_id=project, phrases=phrases)}
        )
        wallets = self.model.of_project(project)
        assert outcome.value == {each.id: None if each.text is not None else "not-sealed" for each in wallets}

    @precondition(lambda self: self.examinations < _MOST_EXAMINATIONS)
    @rule(turn=turns, project=st.integers(0, 1))
    @counted
    def doctor(self, turn: Turn, project: int) -> None:
        """It has connections of its own, which no fault reaches."""
        self.examinations += 1
        mine = self.projects[project]
        settings = Settings(database=self.system.deployment.url, root_key=self.system.opened_with[turn.vault])
        with open_doctor(settings, Passwords(), mine) as opened:
            for _ in opened.run():
                pass
            every = list(opened.diagnosis.spool)
            found = {(each.code, UUID(each.credential_id)) for each in every if each.table not in PHRASE_TABLES}
            of_phrases = Counter((each.code, each.row) for each in every if each.table in PHRASE_TABLES)
        wallets = self.model.of_project(mine)
        number = Counter(each.secret for each in wallets if each.text is not None)
        emptied = ("placeholder", "stored-flag-wrong")
        expected = {
            *((code, each.id) for each in wallets if each.text is None for code in emptied),
            *(("shared-key", each.id) for each in wallets if each.text is not None and number[each.secret] > 1),
        }
        assert found == expected, f"found {found - expected}, and not {expected - found}"
        active = [phrase for phrase in self.model.phrases_of(mine) if phrase.is_active]
        accounts = [(str(phrase.id), each) for phrase in active for each in phrase.accounts.values()]
        assert of_phrases == Counter(("phrase-account-wrong", phrase) for phrase, each in accounts if not each.is_right)

    # --- the end ---------------------------------------------------------------------------------------------

    def teardown(self) -> None:
        """Every wallet is what the model says, and those without a key get theirs back."""
        self.system.driver.disarm()
        for project in self.projects:
            self._compare_proofs(Turn(0), project)
        for wallet in list(self.model.without_a_key()):
            self._heal(wallet)
        for project in self.projects:
            self._compare_proofs(Turn(1), project)

    def _heal(self, wallet: Modelled) -> None:
        if wallet.kept:
            self._settle_restored(self.ask(Turn(0), lambda vault: vault.restore(wallet.id)), wallet)
        else:
            stored: Any = self.ask(Turn(0), lambda vault: vault.store_key(wallet.id, private_key=wallet.key)).value
            assert stored.stored is self.model.store_key(wallet, fits=True)


def _unless_placeholder(wallet: Modelled) -> RefusedCall | None:
    return None if wallet.text is not None else RefusedCall("not-sealed")
