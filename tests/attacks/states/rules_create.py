"""Rules of the state machine: create and import, also in a caller's transaction."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from typing import Any

from eth_keyfile.keyfile import create_keyfile_json
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from strongroom import Vault
from strongroom.crypto.phrase import Phrase
from strongroom.errors import FailedTransactionError, StrongroomError
from strongroom.networks import TABLE
from strongroom.records.wallets import Created
from strongroom.secret import Secret
from testbed.processes.wallets import PHRASE
from tests.attacks.states.model import EVM, Modelled, RefusedCall, Slot, Wanted
from tests.attacks.states.phrase_model import Model
from tests.attacks.states.steps import NETWORKS, Drawn, Steps, Turn, counted, flags, keys, slots, turns
from tests.attacks.states.system_under_test import CallOutcome

KEYS = [f"{0x5100 + number:064x}" for number in range(3)]
PASSWORD = "not a secret"
WRONG: dict[str, tuple[dict[str, object], str]] = {
    "network": ({"network": "nowhere"}, "unknown-network"),
    "label": ({"label": "UPPER"}, "invalid-label"),
    "words": ({"words": 13}, "invalid-mnemonic"),
    "key": ({"idempotency_key": "strongroom:mine"}, "invalid-idempotency-key"),
    "variant": ({"variant": "curly"}, "unknown-variant"),
    "project": ({"project_id": "not one"}, "invalid-project"),
}
"""Arguments that are refused, and how."""


Brought = tuple[str, int]
"""How a key comes in, and which one."""
brought = st.one_of(
    st.tuples(st.just("private_key"), st.integers(0, 2)),
    st.tuples(st.sampled_from(["mnemonic", "keystore"]), st.integers(0, 1)),
)


class CreateRules(Steps):
    """Wallets come into being."""

    def _settle(
        self, outcome: CallOutcome[Any], wanted: Wanted, expected: Modelled | RefusedCall | None, key: str | None = None
    ) -> None:
        """Compare what a create or an import came to with the model."""
        made = self.expect(outcome, expected)
        if made is not None:
            assert made.wallet.durable
            self._settle_wallet(made, wanted, expected, key, repeated=outcome.repeated)

    def _settle_wallet(
        self,
        made: Created,
        wanted: Wanted,
        expected: Modelled | RefusedCall | None,
        key: str | None,
        *,
        repeated: bool,
        model: Model | None = None,
    ) -> None:
        wallet = made.wallet
        assert (wallet.project_id, wallet.network, wallet.label) == wanted.slot
        if isinstance(expected, Modelled):
            assert (wallet.id, wallet.address, made.created) == (expected.id, expected.address, False)
            return
        assert made.created or repeated
        assert wallet.id not in (model or self.model).wallets, "a new wallet has a new id"
        (model or self.model).born(wanted, wallet.id, wallet.address, key)
        if model is None:
            self.system.told[str(wallet.id)] = wallet.address

    def _wanted(self, slot: Slot, variant: str | None, key: str | None, words: int = 12) -> Wanted:
        return Wanted(slot, ("create", *slot[1:], variant or "default", words), variant, None, key)

    # --- create and import -------------------------------------------------------------------------------------

    @initialize(drawn=slots, other=slots)
    def move_in(self, drawn: Drawn, other: Drawn) -> None:
        """Two wallets, or one."""
        for each in (drawn, other):
            self.create(turn=Turn(0), drawn=each, key=None, taproot=False, words=12)

    @rule(turn=turns, drawn=slots, key=keys, taproot=flags, words=st.sampled_from([12, 12, 24]))
    @counted
    def create(self, turn: Turn, drawn: Drawn, key: str | None, taproot: bool, words: int) -> None:
        slot = self.slot(drawn)
        variant = "taproot" if taproot and drawn[1] == "bitcoin" else None
        wanted = self._wanted(slot, variant, key, words)
        expected = self.model.answer(wanted)
        outcome = self.ask(
            turn,
            lambda vault: vault.create_wallet(
                slot[0], slot[1], label=slot[2], variant=variant, words=words, idempotency_key=key
            ),
        )
        self._settle(outcome, wanted, expected)

    @rule(turn=turns, drawn=slots, networks=st.lists(st.sampled_from(NETWORKS), max_size=2), key=keys)
    @counted
    def create_several(self, turn: Turn, drawn: Drawn, networks: list[str], key: str | None) -> None:
        project, _, label = self.slot(drawn)

        def call(vault: Vault) -> list[Any]:
            results = vault.create_wallets(project, [*networks, "nowhere"], label=label, idempotency_key=key)
            for each in results:
                if each.error is not None and each.error.retryable and self.system.driver.fell:
                    raise each.error
            return results

        outcome = self.ask(turn, call)
        assert outcome.value is not None, outcome.code
        assert outcome.value[-1].error.code == "unknown-network"
        for network, result in zip(networks, outcome.value, strict=False):
            wanted = self._wanted((project, network, label), None, key and f"{key}/{network}")
            expected = self.model.answer(wanted)
            value = None if result.wallet is None else Created(result.wallet, result.created)
            code = None if result.error is None else result.error.code
            self._settle(CallOutcome(value, code, outcome.repeated), wanted, expected)

    @rule(turn=turns, drawn=slots, how=brought, key=keys, taproot=flags)
    @counted
    def import_key(self, turn: Turn, drawn: Drawn, how: Brought, key: str | None, taproot: bool) -> None:
        slot = self.slot(drawn)
        variant = "taproot" if taproot and drawn[1] == "bitcoin" else None
        arguments, private_key = _key_of(slot[1], how)
        address = _address_of(slot[1], variant, how)
        request = ("import", *slot[1:], variant or "default", address, how[0] == "mnemonic")
        wanted = Wanted(slot, request, variant, address, key)
        expected = self.model.answer(wanted)
        outcome = self.ask(
            turn,
            lambda vault: vault.import_wallet(
                slot[0], slot[1], label=slot[2], variant=variant, idempotency_key=key, **arguments
            ),
        )
        self._settle(outcome, wanted, expected, private_key)
        if outcome.value is not None:
            assert outcome.value.wallet.address == address or key is not None

    @rule(
        turn=turns,
        orders=st.lists(st.tuples(slots, keys), min_size=1, max_size=3),
        commits=flags,
        reason=st.sampled_from([None, "bookkeeping"]),
    )
    @counted
    def callers_transaction(
        self, turn: Turn, orders: Sequence[tuple[Drawn, str | None]], commits: bool, reason: str | None
    ) -> None:
        """Creations in a transaction of the caller, who commits or rolls back."""
        every = [self._wanted(self.slot(drawn), None, key) for drawn, key in orders]

        def call(vault: Vault) -> list[Created | str]:
            with self.system.callers.connect() as connection:
                answers = [_within(vault, wanted, connection, reason) for wanted in every]
                (connection.commit if commits else connection.rollback)()
            return answers

        outcome = self.ask(turn, call)
        assert outcome.value is not None, outcome.code
        model = self.model if commits else self.model.copy()
        for wanted, answer in zip(every, outcome.value, strict=True):
            expected = model.answer(wanted)
            code = answer if isinstance(answer, str) else None
            asked = expected.code if isinstance(expected, RefusedCall) else None
            assert code == asked, f"{code}, not {asked}"
            if not isinstance(answer, str):
                assert not answer.wallet.durable
                stays = None if commits else model
                self._settle_wallet(answer, wanted, expected, None, repeated=outcome.repeated, model=stays)

    @rule(turn=turns, drawn=slots, wrong=st.sampled_from(sorted(WRONG)))
    @counted
    def ask_wrongly(self, turn: Turn, drawn: Drawn, wrong: str) -> None:
        project, network, label = self.slot(drawn)
        changed, code = WRONG[wrong]
        arguments: dict[str, Any] = {"project_id": project, "network": network, "label": label, **changed}
        outcome = self.ask(turn, lambda vault: vault.create_wallet(**arguments))
        assert outcome.code == code


def _within(vault: Vault, wanted: Wanted, connection: Any, reason: str | None) -> Created | str:
    """A creation in a caller's transaction, or its error's code; where all of it may be run again, the error is raised.

    Not RetryTransactionError alone: a vault whose keyring has changed reads it by its own connection, which may be cut.
    """
    project, network, label = wanted.slot
    try:
        return vault.create_wallet(
            project,
            network,
            label=label,
            idempotency_key=wanted.idempotency_key,
            reason=reason,
            connection=connection,
        )
    except FailedTransactionError:
        raise
    except StrongroomError as error:
        if error.retryable:
            raise
        return error.code


def _key_of(network: str, how: Brought) -> tuple[dict[str, str], str | None]:
    """The arguments of an import, and the key in hex where it is one."""
    kind, number = how
    if kind == "mnemonic":
        return {"mnemonic": PHRASE, **({"passphrase": "TREZOR"} if number else {})}, None
    if kind == "keystore" and network in EVM:
        return {"keystore": _keystore(number), "keystore_password": PASSWORD}, KEYS[number]
    return {"private_key": KEYS[number]}, KEYS[number]


@cache
def _keystore(number: int) -> str:
    """A Web3 Secret Storage document, cheap to open."""
    key = bytes.fromhex(KEYS[number])
    return json.dumps(create_keyfile_json(key, PASSWORD.encode(), kdf="pbkdf2", iterations=1))


@cache
def _address_of(network: str, variant: str | None, how: Brought) -> str:
    """What a key derives; the vectors of the networks have tested it."""
    found = TABLE.get(network)
    arguments, key = _key_of(network, how)
    scheme = found.scheme(variant)
    if key is not None:
        return found.public_half(Secret(bytes.fromhex(key)), scheme).address
    phrase = Phrase.parse(Secret.from_text(arguments["mnemonic"]), Secret.optional(arguments.get("passphrase")))
    return found.public_half(found.derive(phrase, scheme).private_key, scheme).address
