"""Promise 7 at every message: a connection that is cut, and what the call, its retry and the database then say."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import psycopg
import pytest

import strongroom
from strongroom import StrongroomError, Vault
from strongroom.errors import ContentionError, StoreUnavailableError
from strongroom.store import database, keyring_store
from tests.attacks.audit import audit
from tests.attacks.cut_flows import KEYRING_FLOWS, WALLET_FLOWS, Answer, Flow, Scene
from tests.attacks.sizes import SIZE, seeded, share
from tests.attacks.summary import StartTally
from tests.attacks.tally import Tally
from tests.integration.children_lifecycle import open_place
from tests.servers.proxy import Message, Mode, Predicate, Proxy, Trap

_MOST_MESSAGES = 500
_SAY_NOTHING_WRITTEN = (StoreUnavailableError, ContentionError)
_PARTS = 8
"""How many tests share the cuts: two grounds, prepared or not, wallets and keyring."""


def _runs(message: Message) -> bool:
    return message.sender == "client" and message.kind in ("Q", "E")


def _ends(message: Message) -> bool:
    return message.sender == "server" and message.kind == "Z"


def _answers(message: Message) -> bool:
    """Rows do not count: there are more of them each time, and what comes after them does."""
    return message.sender == "server" and message.kind != "D"


@dataclass(frozen=True, slots=True)
class Aim:
    """Which messages are counted, and what becomes of the connection at the n-th."""

    counted: Callable[[Message], bool]
    mode: Mode
    times: int = 1
    """So many connections in a row: each at the same message, counted from the cut before it."""
    stay_down: bool = False
    cold: bool = False
    """The vault has no connection yet: its first messages are those of a connection that is made."""

    def nth(self, number: int) -> Predicate:
        """Match the n-th message that counts, and again the n-th after it."""
        seen = 0

        def matches(message: Message) -> bool:
            nonlocal seen
            seen += self.counted(message)
            if seen < number:
                return False
            seen = 0
            return True

        return matches


SWEEP = (
    Aim(lambda message: message.sender == "client", "before"),
    Aim(_runs, "after"),
    Aim(_runs, "in_flight"),
    Aim(_answers, "before"),
    Aim(_ends, "after"),
)
"""Every message of either side is cut off once; and each statement is run with its answer lost, awaited or not."""
DOWN = (Aim(_runs, "before", stay_down=True), Aim(_runs, "after", stay_down=True), Aim(_ends, "after", stay_down=True))
"""The server stays away after each statement, and comes back for the retry."""
FURTHER = (
    Aim(lambda message: _answers(message) or message.sender == "client", "before", cold=True),
    Aim(lambda message: _answers(message) or message.sender == "client", "before", times=2),
    Aim(_runs, "after", times=2),
    Aim(_runs, "in_flight", times=3),
    Aim(_runs, "after", times=7),
    *DOWN,
)


class Attack:
    """One vault behind the proxy, of which connections are cut again and again."""

    def __init__(self, scene: Scene, proxy: Proxy, vault: Vault, row: Tally) -> None:
        self.scene, self.row = scene, row
        self._proxy, self._vault = proxy, vault

    def sweep(self, flow: Flow, aim: Aim, numbers: Iterator[int], most: int = _MOST_MESSAGES) -> None:
        """Cut at the messages with these numbers, until a call runs through."""
        for _, number in zip(range(most), numbers, strict=False):
            if not self.cut(flow, aim, number):
                return
        assert most < _MOST_MESSAGES, f"{flow.name}: there was no end of messages"

    def cut(self, flow: Flow, aim: Aim, number: int) -> bool:
        """One call, cut at the n-th message, and its retry; False if it had fewer messages."""
        subject = flow.prepare(self.scene)
        if aim.cold:
            self._proxy.cut_all()
        trap = self._proxy.arm(aim.nth(number), aim.mode, times=aim.times, stay_down=aim.stay_down)
        told = self._call(flow, subject, trap)
        if trap.fired:
            self.row.fault(flow.name, len(trap.caught))
        self._proxy.disarm()
        left = flow.left(self.scene, subject) if not isinstance(told, Answer) else None
        if isinstance(told, _SAY_NOTHING_WRITTEN):
            assert left is None, f"{flow.name}: {type(told).__name__} says that nothing was written"
        again = (flow.again or flow.call)(self.scene, self._vault, subject)
        if isinstance(told, Answer):
            assert (again.what, not again.made) == (told.what, True), f"{flow.name}: the retry tells another thing"
            assert told.made is not False, f"{flow.name}: made by nobody"
        elif left is not None:
            assert (again.what, not again.made) == (left, True), f"{flow.name}: not what the first call left"
        return trap.fired

    def _call(self, flow: Flow, subject: object, trap: Trap) -> Answer | StrongroomError:
        try:
            return flow.call(self.scene, self._vault, subject)
        except StrongroomError as error:
            assert trap.fired, f"{flow.name}: {error!r} without a cut"
            assert error.retryable, f"{flow.name}: {error!r} after {trap.caught}"
            return error


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """A folder for root keys."""
    folder = tmp_path / "root-keys"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Attempts follow each other at once, and a rewrap takes two rows at a time."""
    monkeypatch.setattr(database, "_BACKOFF_SECONDS", 0.000_1)
    monkeypatch.setattr(keyring_store, "_PAGE", 2)


def _name(url: str) -> str:
    with psycopg.connect(url) as connection:
        return str(connection.info.dbname)


@contextmanager
def _attack(
    ground: str, prepared: bool, request: pytest.FixtureRequest, proxy: Proxy, keys: Path, tally: StartTally
) -> Iterator[Attack]:
    """An attack on a new place; in the end its database is looked through."""
    row = tally("connection cut", ground)
    with open_place(ground, request) as place, place.open() as direct:
        scene = Scene(place, direct, keys)
        through = proxy.url(_name(place.url))
        with strongroom.open(through, root_key=place.root_key, prepared_statements=prepared) as vault:
            yield Attack(scene, proxy, vault, row)
        row.duplicates += scene.duplicates()
        audit(row, place.url, place.root_key, scene.told, foreign=place.foreign)


@pytest.mark.parametrize("flows", [WALLET_FLOWS, KEYRING_FLOWS], ids=["wallets", "keyring"])
@pytest.mark.parametrize("prepared", [True, False], ids=["prepared", "unprepared"])
@pytest.mark.parametrize("ground", ["fresh", "g4"])
def test_a_connection_cut_at_any_message_gives_the_right_answer_or_a_retry_does(
    ground: str,
    prepared: bool,
    flows: Sequence[Flow],
    request: pytest.FixtureRequest,
    proxy: Proxy,
    keys: Path,
    tally: StartTally,
) -> None:
    part = [("fresh", "g4").index(ground), prepared, flows is KEYRING_FLOWS]
    wanted = share(SIZE.cuts, sum(bool(bit) << place for place, bit in enumerate(part)), _PARTS)
    thorough = prepared == (ground == "fresh") or SIZE.cuts > 500
    rng = seeded(f"cuts {ground} {prepared} {flows[0].name}")
    with _attack(ground, prepared, request, proxy, keys, tally) as attack:
        for flow in flows:
            for aim in SWEEP:
                attack.sweep(flow, aim, count(1) if thorough else count(rng.randint(1, 3), 3))
            if flow.writes:
                for aim in DOWN:
                    attack.sweep(flow, aim, count(1) if thorough else count(rng.randint(1, 3), 3))
        while attack.row.faults < wanted:
            _further(attack, flows, rng)


def _further(attack: Attack, flows: Sequence[Flow], rng: random.Random) -> None:
    """Several cuts in a row, or of a connection that is being made, somewhere in each flow."""
    for flow in flows:
        for aim in FURTHER:
            attack.sweep(flow, aim, count(rng.randint(1, 9), rng.randint(3, 9)), most=3)
