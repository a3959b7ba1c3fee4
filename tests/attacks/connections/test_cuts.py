"""Promise 7 at every message: a connection that is cut, and what the call, its retry and the database then say."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

import strongroom
from strongroom import StrongroomError, Vault
from strongroom.errors import ContentionError, OutcomeUnknownError, StoreUnavailableError
from strongroom.settings import Settings
from strongroom.store import keyring_store
from strongroom.store.connection import database
from strongroom.wiring import open_guard
from testbed.databases.deployments import open_deployment
from testbed.databases.rows import execute
from testbed.harness.sizes import SIZE, seeded, share
from testbed.legacy import schema_sql
from testbed.servers.postgres import PostgresServer
from testbed.servers.proxy import Mode, Predicate, ProtocolMessage, Proxy, Trap
from tests.attacks.audit import audit
from tests.attacks.connections.flows import KEYRING_FLOWS, WALLET_FLOWS
from tests.attacks.connections.scene import CallAnswer, CutFlow, CutScene
from tests.attacks.summary import StartTally
from tests.attacks.tally import Tally

_MOST_MESSAGES = 500
_SAY_NOTHING_WRITTEN = (StoreUnavailableError, ContentionError)
_WAYS = (("fresh", True), ("g4", False), ("fresh", False), ("g4", True))
"""Backends, and whether statements are prepared there."""
_THOROUGH = 5_000
"""From so many cuts on, each way cuts at every message."""
_STEP = 9 if SIZE.cuts >= 500 else 60
"""With fewer, at every n-th: each way and each aim begin elsewhere."""


def _runs(message: ProtocolMessage) -> bool:
    return message.sender == "client" and message.kind in ("Q", "E")


def _either(message: ProtocolMessage) -> bool:
    return message.sender == "client" or _answers(message)


def _ends(message: ProtocolMessage) -> bool:
    return message.sender == "server" and message.kind == "Z"


def _answers(message: ProtocolMessage) -> bool:
    """Rows do not count: there are more of them each time, and what comes after them does."""
    return message.sender == "server" and message.kind != "D"


@dataclass(frozen=True, slots=True)
class Aim:
    """Which messages are counted, and what becomes of the connection at the n-th."""

    counted: Callable[[ProtocolMessage], bool]
    mode: Mode
    times: int = 1
    """So many connections in a row: each at the same message, counted from the cut before it."""
    stay_down: bool = False
    cold: bool = False
    """The vault has no connection yet: its first messages are those of a connection that is made."""

    def nth(self, number: int) -> Predicate:
        """Match the n-th message that counts, and again the n-th after it."""
        seen = 0

        def matches(message: ProtocolMessage) -> bool:
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
    Aim(_either, "before", cold=True),
    Aim(_either, "before", times=2),
    Aim(_runs, "after", times=2),
    Aim(_runs, "in_flight", times=3),
    Aim(_runs, "after", times=7),
    *DOWN,
)


class Attack:
    """One vault behind the proxy, of which connections are cut again and again."""

    def __init__(self, scene: CutScene, proxy: Proxy, vault: Vault, row: Tally) -> None:
        self.scene, self.row = scene, row
        self._proxy, self._vault = proxy, vault

    def sweep(self, flow: CutFlow, aim: Aim, numbers: Iterator[int], most: int = _MOST_MESSAGES) -> None:
        """Cut at the messages with these numbers, until a call runs through."""
        for _, number in zip(range(most), numbers, strict=False):
            if not self.cut(flow, aim, number):
                return
        assert most < _MOST_MESSAGES, f"{flow.name}: there was no end of messages"

    def cut(self, flow: CutFlow, aim: Aim, number: int) -> bool:
        """One call, cut at the n-th message, and its retry; False if it had fewer messages."""
        subject = flow.prepare(self.scene)
        if aim.cold:
            self._proxy.cut_all()
        trap = self._proxy.arm(aim.nth(number), aim.mode, times=aim.times, stay_down=aim.stay_down)
        told = self._call(flow, subject, trap)
        if aim in SWEEP:
            assert isinstance(told, CallAnswer) or not flow.resolves, f"{flow.name}: {told!r} after one cut"
        if trap.fired:
            self.row.fault(flow.name, len(trap.caught))
        self._proxy.disarm()
        left = flow.left(self.scene, subject) if not isinstance(told, CallAnswer) else None
        if isinstance(told, _SAY_NOTHING_WRITTEN):
            assert left is None, f"{flow.name}: {type(told).__name__} says that nothing was written"
        again = self._again(flow, subject)
        if isinstance(told, CallAnswer):
            assert (again.what, not again.made) == (told.what, True), f"{flow.name}: the retry tells another thing"
            assert told.made is not False, f"{flow.name}: made by nobody"
        elif left is not None:
            assert (again.what, not again.made) == (left, True), f"{flow.name}: not what the first call left"
        return trap.fired

    def _again(self, flow: CutFlow, subject: object) -> CallAnswer:
        """The retry. Where questions stay open it may be the one that meets the cut."""
        again = flow.again or flow.call
        try:
            return again(self.scene, self._vault, subject)
        except OutcomeUnknownError:
            assert not flow.resolves
            return again(self.scene, self._vault, subject)

    def _call(self, flow: CutFlow, subject: object, trap: Trap) -> CallAnswer | StrongroomError:
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
    backend: str, prepared: bool, request: pytest.FixtureRequest, proxy: Proxy, keys: Path, tally: StartTally
) -> Iterator[Attack]:
    """An attack on a new place; in the end its database is looked through."""
    row = tally("connection cut", backend)
    with open_deployment(backend, request) as deployment, deployment.open() as direct:
        scene = CutScene(deployment, direct, keys)
        through = proxy.url(_name(deployment.url))
        with strongroom.open(through, root_key=deployment.root_key, prepared_statements=prepared) as vault:
            yield Attack(scene, proxy, vault, row)
        row.duplicates += scene.duplicates()
        audit(row, deployment.url, deployment.root_key, scene.told, foreign=deployment.foreign)


@pytest.mark.sized("cuts")
@pytest.mark.thorough(sample=4)
@pytest.mark.parametrize("flows", [WALLET_FLOWS, KEYRING_FLOWS], ids=["wallets", "keyring"])
@pytest.mark.parametrize(("backend", "prepared"), _WAYS)
def test_a_connection_cut_at_any_message_gives_the_right_answer_or_a_retry_does(
    backend: str,
    prepared: bool,
    flows: Sequence[CutFlow],
    request: pytest.FixtureRequest,
    proxy: Proxy,
    keys: Path,
    tally: StartTally,
) -> None:
    way = _WAYS.index((backend, prepared))
    wanted = share(SIZE.cuts, way, len(_WAYS)) if flows is WALLET_FLOWS else 0
    thorough = SIZE.cuts >= _THOROUGH
    rng = seeded(f"cuts {backend} {prepared} {flows[0].name}")
    with _attack(backend, prepared, request, proxy, keys, tally) as attack:
        for flow in flows:
            for number, aim in enumerate(SWEEP):
                attack.sweep(flow, aim, count(1) if thorough else count(1 + (2 * way + number) % 9, _STEP))
            for aim in DOWN if flow.writes else ():
                attack.sweep(flow, aim, count(1) if thorough else _spread(rng, _STEP))
        while attack.row.faults < wanted:
            _further(attack, flows, rng, wanted)


@pytest.mark.parametrize("backend", ["fresh", "g4"])
def test_an_installation_of_the_guard_that_is_cut_is_whole_or_did_not_happen(
    backend: str, request: pytest.FixtureRequest, proxy: Proxy, keys: Path, tally: StartTally
) -> None:
    rng = seeded(f"cuts guard {backend}")
    with _attack(backend, True, request, proxy, keys, tally) as attack, ExitStack() as stack:
        url = attack.scene.deployment.url
        direct, through = (open_guard(Settings(database=each)) for each in (url, proxy.url(_name(url))))
        stack.callback(direct.close)
        stack.callback(through.close)
        attack.scene.wallet()

        def state() -> str | None:
            # It looks twice, and a commit that is still in flight may come between the two.
            looks = (direct.status().state for _ in range(3))
            found = next(look for look in looks if look != "partly")
            return None if found == "absent" else found

        flow = CutFlow(
            "install the guard",
            lambda _: direct.remove(),
            lambda _scene, _vault, _subject: CallAnswer(through.install("archive").state),
            lambda _scene, _subject: state(),
            resolves=False,
        )
        for aim in (*SWEEP, *DOWN):
            attack.sweep(flow, aim, _spread(rng, 1 if SIZE.cuts >= _THOROUGH else 24))


@pytest.mark.parametrize("backend", ["fresh", "g4"])
def test_an_init_that_is_cut_is_repeated_and_makes_one_vault(
    backend: str, postgres: PostgresServer, proxy: Proxy, keys: Path, tally: StartTally
) -> None:
    row = tally("connection cut", backend)
    rng = seeded(f"cuts init {backend}")
    messages = 1
    for number in range(max(4, SIZE.cuts // 100)):
        name = f"cut_init_{backend}_{number}"
        url, root_key = postgres.create_database(name), f"file:{keys}/{uuid4()}.key"
        if backend != "fresh":
            execute(url, schema_sql(backend).replace("%", "%%"))
        seen = count(1)
        aim = Aim(_either, rng.choice(("before", "after", "in_flight")))
        cut = aim.nth(rng.randint(1, messages))
        trap = proxy.arm(lambda message, cut=cut, seen=seen: bool(next(seen)) and cut(message), aim.mode)  # type: ignore[misc]
        try:
            strongroom.init(proxy.url(name), root_key=root_key).close()
        except StrongroomError as error:
            assert trap.fired
            assert error.retryable, f"{error!r} after {trap.caught}"
        proxy.disarm()
        messages = max(messages, next(seen))
        row.fault("init", int(trap.fired))
        with strongroom.init(proxy.url(name), root_key=root_key) as vault:
            assert vault.status().store.generation == backend
            told = {}
            if backend == "fresh":
                wallet, _ = vault.create_wallet(uuid4(), "ethereum")
                told[str(wallet.id)] = wallet.address
        assert execute(url, "SELECT count(*) FROM strongroom_keyring") == [(1,)]
        audit(row, url, root_key, told, foreign=backend != "fresh")
        postgres.drop_database(name)


def _spread(rng: random.Random, step: int) -> Iterator[int]:
    """Every so many messages, from somewhere on."""
    return count(rng.randint(1, step), step)


def _further(attack: Attack, flows: Sequence[CutFlow], rng: random.Random, wanted: int) -> None:
    """Several cuts in a row, or of a connection that is being made, somewhere in each flow, until there are enough."""
    for flow in flows:
        for aim in FURTHER:
            if attack.row.faults >= wanted:
                return
            attack.sweep(flow, aim, count(rng.randint(1, 9), rng.randint(3, 9)), most=3)
