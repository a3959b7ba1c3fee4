"""What the rules of the state machine are made of: what is drawn, who is asked, and how answers are compared."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ClassVar, NamedTuple
from uuid import UUID, uuid4

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine

from strongroom import Vault, Wallet
from tests.attacks.states.faults import BETWEEN, KINDS, InjectedFault
from tests.attacks.states.model import Modelled, RefusedCall, Slot
from tests.attacks.states.phrase_model import Model
from tests.attacks.states.system_under_test import CallOutcome, SystemUnderTest

NETWORKS = ("ethereum", "base", "bitcoin", "solana")
ANN: dict[str, Any] = {"actor": "ann", "reason": "bookkeeping"}
MISSING = RefusedCall("wallet-not-found")


class Turn(NamedTuple):
    """Which of the vaults is asked, and what befalls it."""

    vault: int
    fault: InjectedFault | None = None


faults = st.builds(InjectedFault, st.sampled_from(KINDS), at=st.integers(1, 6), times=st.sampled_from([1, 1, 2, 4, 6]))
turns = st.builds(Turn, vault=st.integers(0, 1), fault=st.one_of(*[st.none()] * 7, faults))
slots = st.tuples(st.integers(0, 1), st.sampled_from(NETWORKS), st.sampled_from(["default", "a.b"]))
keys = st.sampled_from([None, None, "one", "two", "three"])
UNKNOWN = 30
picks = st.one_of(st.integers(0, 1), st.integers(0, 2), st.integers(0, UNKNOWN))
flags = st.booleans()
Drawn = tuple[int, str, str]


def counted(method: Callable[..., None]) -> Callable[..., None]:
    """Count the steps of a rule; after each, the vault that was not asked sees what the model says."""

    @wraps(method)
    def step(self: Steps, *args: Any, **arguments: Any) -> None:
        method(self, *args, **arguments)
        if self.touched is not None:
            found = self.system.vaults[1 - self.asked].find_wallet(*self.touched)
            assert_same(found, self.model.found(self.touched))
        self.system.steps[method.__name__.replace("_", " ")] += 1

    return step


class Steps(RuleBasedStateMachine):
    """Two projects on a database that other examples use, too."""

    system: ClassVar[SystemUnderTest]

    def __init__(self) -> None:
        super().__init__()
        self.model = Model(keeps_all=self.system.deployment.foreign, guarded=self.system.guarded)
        self.projects = [self.system.project(), self.system.project()]
        self.signed: dict[tuple[object, ...], str] = {}
        self.touched: Slot | None = None
        self.asked = 0
        self.rotations = 0
        self.examinations = 0

    def ask(self, turn: Turn, call: Callable[[Vault], Any]) -> CallOutcome[Any]:
        """Ask one of the vaults, with a fault that falls now or later."""
        self.asked = turn.vault
        if turn.fault is not None and turn.fault.kind == BETWEEN:
            self.system.cut_between_calls()
        elif turn.fault is not None:
            self.system.driver.arm(turn.fault)
        return self.system.ask(turn.vault, call)

    def slot(self, drawn: Drawn) -> Slot:
        """A slot of one of the two projects."""
        self.touched = (self.projects[drawn[0]], drawn[1], drawn[2])
        return self.touched

    def pick(self, number: int) -> Modelled | None:
        """One of the wallets; None stands for one that is not there."""
        wallets = list(self.model.wallets.values())
        if number == UNKNOWN or not wallets:
            return None
        wallet = wallets[number % len(wallets)]
        self.touched = wallet.slot
        return wallet

    def expect(self, outcome: CallOutcome[Any], expected: object) -> Any:
        """The value where none of the model's errors is expected, else None."""
        code = expected.code if isinstance(expected, RefusedCall) else None
        assert outcome.code == code, f"{outcome.code}, and not {code}"
        return outcome.value


def assert_same(found: Wallet | None, wallet: Modelled | None) -> None:
    """What a vault says of a wallet is what the model says."""
    if wallet is None:
        assert found is None
        return
    assert found is not None
    assert (found.id, found.address, found.status) == (wallet.id, wallet.address, wallet.status)
    assert (found.project_id, found.network, found.label) == wallet.slot


def id_of(wallet: Modelled | None) -> UUID:
    """A wallet's id, or that of no wallet."""
    return uuid4() if wallet is None else wallet.id
