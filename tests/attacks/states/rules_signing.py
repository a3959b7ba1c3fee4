"""Rules of the state machine: the keyring, and signatures."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from strongroom import Vault
from tests.attacks.leaks.verbs import TYPED
from tests.attacks.states.model import CHAINS, EVM, Payload, RefusedCall
from tests.attacks.states.rules_create import CreateRules
from tests.attacks.states.steps import ANN, MISSING, NETWORKS, Turn, counted, flags, id_of, picks, turns

TO = ("0x00000000000000000000000000000000000000aa", "0x00000000000000000000000000000000000000bb")
_MOST_ROTATIONS = 1
"""In one example: with each sealing key of a database it takes longer to open it."""

OTHER_PAYLOADS: dict[str, tuple[tuple[str, ...], Callable[[int], Any]]] = {
    "sign_typed_data": (EVM, lambda chain: {**TYPED, "domain": {"chainId": chain}}),
    "sign_authorization": (EVM, lambda chain: {"chainId": chain, "address": TO[0], "nonce": 2}),
    "dangerously_sign_digest": (NETWORKS, lambda _: bytes(32)),
    "sign_psbt": (("bitcoin",), lambda _: b"psbt\xff"),
}
"""Verbs: the networks whose wallets sign so, and what."""

payloads = st.builds(Payload, st.sampled_from(TO), st.sampled_from([100, 200, 300]))


class SigningRules(CreateRules):
    """Sealing keys, root keys, and what wallets are for."""

    # --- the keyring -------------------------------------------------------------------------------------------

    @precondition(lambda self: self.rotations < _MOST_ROTATIONS)
    @rule(turn=turns)
    @counted
    def rotate(self, turn: Turn) -> None:
        before = self.system.active_kid()
        self.rotations += 1
        outcome = self.ask(turn, lambda vault: vault.rotate_sealing_key(**ANN))
        assert outcome.code is None
        assert outcome.value == self.system.active_kid() != before

    @rule(turn=turns, project=st.sampled_from([0, 1, None]))
    @counted
    def rewrap(self, turn: Turn, project: int | None) -> None:
        scope = self.projects if project is None else [self.projects[project]]
        due = set().union(*(self.system.sealed_otherwise(each) for each in scope))

        def call(vault: Vault) -> set[UUID]:
            results = list(vault.rewrap(project_id=None if project is None else scope[0]))
            for each in results:
                if each.error is not None:
                    raise each.error
            return {each.id for each in results if each.rewrapped}

        outcome = self.ask(turn, call)
        assert outcome.value is not None, outcome.code
        done = outcome.value & set(self.model.wallets)
        assert done == due or (outcome.repeated and done <= due)
        assert not set().union(*(self.system.sealed_otherwise(each) for each in scope))
        assert project is not None or self.ask(turn, lambda vault: vault.count_pending_rewraps()).value == 0
        for wallet_id in due:
            self.model.rewrapped(self.model.wallets[wallet_id])

    @rule(turn=turns, which=st.integers(0, 2), verb=st.sampled_from(["add", "check", "open", "remove"]))
    @counted
    def root_keys(self, turn: Turn, which: int, verb: str) -> None:
        system = self.system
        uri = [*system.spare_keys, system.main_key][which]
        known, last = uri in system.root_keys, system.root_keys == {uri}
        if verb == "add":
            outcome = self.ask(turn, lambda vault: vault.add_root_key(uri))
            done = outcome.repeated and outcome.code == "root-key-exists"
            assert done or outcome.code == ("root-key-exists" if known else None)
            system.root_keys.add(uri)
        elif verb == "check":
            outcome = self.ask(turn, lambda vault: vault.check_root_key(uri))
            assert outcome.code == (None if known else "root-key-missing")
            self._compare_status(turn)
        elif verb == "open":
            system.reopen(turn.vault, uri if known else system.main_key)
        elif last or uri != system.main_key:
            for number, opened_with in enumerate(system.opened_with):
                if opened_with == uri != system.main_key:
                    system.reopen(number, system.main_key)
            outcome = self.ask(turn, lambda vault: vault.remove_root_key(uri))
            done = outcome.repeated and outcome.code == "root-key-missing"
            assert done or outcome.code == (("last-root-key" if last else None) if known else "root-key-missing")
            system.root_keys -= set() if last else {uri}

    def _compare_status(self, turn: Turn) -> None:
        found = self.ask(turn, lambda vault: vault.status()).value
        assert found is not None
        assert [key.kid for key in found.sealing_keys if key.active] == [self.system.active_kid()]
        assert all(set(key.root_keys) == self.system.root_keys for key in found.sealing_keys)

    # --- sign --------------------------------------------------------------------------------------------------

    @rule(turn=turns, number=picks, allow_retired=flags, whole=flags)
    @counted
    def sign_message(self, turn: Turn, number: int, allow_retired: bool, whole: bool) -> None:
        wallet = self.pick(number)

        def call(vault: Vault) -> str:
            if whole:
                named = vault.get_wallet(id_of(wallet))
                return str(vault.sign(named, "message", "hello", allow_retired=allow_retired).as_dict())
            return str(vault.sign_message(id_of(wallet), "hello", allow_retired=allow_retired).as_dict())

        outcome = self.ask(turn, call)
        self.expect(outcome, self.model.sign(wallet, allow_retired=allow_retired) if wallet else MISSING)

    @rule(turn=turns, number=picks, verb=st.sampled_from(sorted(OTHER_PAYLOADS)))
    @counted
    def sign_otherwise(self, turn: Turn, number: int, verb: str) -> None:
        """Whatever has no nonce, or one that no transaction has; of PSBTs one that is none."""
        wallet = self.pick(number)
        networks, payload = OTHER_PAYLOADS[verb]
        given = payload(CHAINS.get(wallet.network, 1) if wallet else 1)
        outcome = self.ask(turn, lambda vault: str(getattr(vault, verb)(id_of(wallet), given).as_dict()))
        expected: RefusedCall | None = MISSING
        if wallet is not None and wallet.network not in networks:
            expected = RefusedCall("unsupported-signing")
        elif wallet is not None:
            expected = (
                RefusedCall("malformed-payload")
                if verb == "sign_psbt"
                else self.model.sign(wallet, allow_retired=False)
            )
        signed = self.expect(outcome, expected)
        assert signed is None or self.signed.setdefault((id_of(wallet), verb), signed) == signed

    @rule(
        turn=turns,
        number=picks,
        nonce=st.integers(0, 1),
        payloads=st.lists(payloads, min_size=1, max_size=3),
        replace=flags,
        allow_retired=flags,
    )
    @counted
    def sign_transactions(
        self, turn: Turn, number: int, nonce: int, payloads: list[Payload], replace: bool, allow_retired: bool
    ) -> None:
        """A few, under one nonce."""
        wallet = self.pick(number)
        chain = CHAINS.get(wallet.network, 1) if wallet else 1
        for payload in payloads:
            transaction = _transaction(chain, nonce, payload)
            outcome = self.ask(
                turn, partial(_sign, id_of(wallet), transaction, replace=replace, allow_retired=allow_retired)
            )
            expected: RefusedCall | None = MISSING
            if wallet is not None:
                how = {"replace": replace, "allow_retired": allow_retired}
                expected = self.model.sign_transaction(wallet, nonce, payload, **how)
            signed = self.expect(outcome, expected)
            if signed is not None and wallet is not None:
                known = self.signed.setdefault((wallet.id, nonce, payload), signed)
                assert known == signed, "the same payload has one signature"


def _sign(wallet: UUID, transaction: dict[str, object], vault: Vault, *, replace: bool, allow_retired: bool) -> str:
    return str(vault.sign_transaction(wallet, transaction, replace=replace, allow_retired=allow_retired).as_dict())


def _transaction(chain: int, nonce: int, payload: Payload) -> dict[str, object]:
    return {
        "type": 2,
        "chainId": chain,
        "nonce": nonce,
        "maxFeePerGas": payload.fee,
        "maxPriorityFeePerGas": payload.fee // 2,
        "gas": 21_000,
        "to": payload.to,
        "value": 1,
        "data": "0x",
    }
