"""Repair when the process dies, the connection breaks, or others write: no key is lost, every unit is done once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

import strongroom
from strongroom.networks import TABLE
from strongroom.repair.apply import Applier, Ending
from strongroom.repair.decision import Decider
from strongroom.repair.plan import Plan, Unit
from tests.ailments.recipes import RECIPES
from tests.attacks.sizes import SIZE, SMALL, seeded
from tests.attacks.summary import StartTally
from tests.harness.child import Phase
from tests.harness.kills import LANDED, kill_at_random
from tests.harness.nursery import Arguments, Nursery
from tests.harness.stops import run_stopped
from tests.integration import children_repair
from tests.integration.children_repair import Thing, Ward, carry_out, keyring_of, planted_ward, workshop
from tests.integration.rows import execute
from tests.servers.postgres import PostgresServer
from tests.servers.proxy import COMMIT, Mode, Proxy

KILLS = max(1 if SIZE.name == SMALL else 2, SIZE.client_kills // 200)
"""On each ground, beside those of the other flows: a repair is long, and so is the look at what it left."""
GROUNDS = ("g4-vault", "g2-vault", "fresh", "sqlite")
SEALED_ALIKE = ("plaintext-key", "encoded-key", "plaintext-mnemonic")
FEW_GROUNDS = ("g4-vault", "fresh", "sqlite")
SEED = 1
_MOST_BOUNDARIES = 200
STEP = max(2, SIZE.boundary_step)
"""Stopped before a statement: behind the one before it is the same."""
_TABLES = ("project_credentials", "credential_vault_storage", "strongroom_vault_history", "strongroom_slot")
Check = Callable[[str], None]
_wards: dict[tuple[str, str], tuple[Ward, str, list[Unit]]] = {}


@pytest.fixture(scope="module")
def wards(
    request: pytest.FixtureRequest, root_key_uri: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Ward]]:
    """A ward of each ground; planted when it is first asked for."""
    made: dict[str, Ward] = {}

    def ward(ground: str) -> Ward:
        if ground not in made:
            folder = tmp_path_factory.mktemp("ward")
            folder.chmod(0o700)

            def server() -> PostgresServer:
                return request.getfixturevalue("postgres")  # type: ignore[no-any-return]

            made[ground] = planted_ward(ground, SEED, 1, root_key_uri, server, folder)
            made[ground].plan = replace(made[ground].plan, units=one_of_each(made[ground]))
        return made[ground]

    yield ward
    for each in made.values():
        each.close()


@pytest.fixture
def ward(request: pytest.FixtureRequest, wards: Callable[[str], Ward]) -> Iterator[Ward]:
    """The ward of the ground that is the test's parameter."""
    opened = wards(request.param)
    yield opened
    opened.close()


EVERY_GROUND = pytest.mark.parametrize("ward", GROUNDS, indirect=True)
A_FEW_GROUNDS = pytest.mark.parametrize("ward", FEW_GROUNDS, indirect=True)


def ground_of(ward: Ward) -> str:
    """As the table of attacks names it."""
    return ward.planted.generation.removesuffix("-vault")


def one_of_each(ward: Ward) -> list[Unit]:
    """A unit of each kind that costs no key derivation function; such as are alone before such as do more at once."""
    chosen: dict[str, Unit] = {}
    for unit in sorted(ward.plan.units, key=lambda unit: len(unit.actions)):
        kinds = kinds_of(ward, unit)
        if not is_slow(ward, unit) and not kinds <= set(chosen):
            chosen.update({kind: unit for kind in kinds if kind not in chosen})
    ids = {unit.credential_id for unit in chosen.values()}
    return [unit for unit in ward.plan.units if unit.credential_id in ids]


def kinds_of(ward: Ward, unit: Unit) -> set[str]:
    """What is done, and for a missing key where it stands."""
    ledger = ward.planted.ledger
    credential = next((each for each in ledger.credentials if str(each.id) == unit.credential_id), None)
    kinds = set()
    for action in unit.actions:
        kind = "seal" if action.code in SEALED_ALIKE else f"{action.do} {action.code}"
        if action.do == "fill" and credential is not None:
            in_history = any(str(entry.credential) == unit.credential_id for entry in ledger.entries)
            where = "metadata" if credential.members else "history" if in_history else "another record"
            kind = f"fill from {where}"
        kinds.add(kind if unit.address else f"{kind} of a wallet that is gone")
    return kinds


def is_slow(ward: Ward, unit: Unit) -> bool:
    """Whether a password or a phrase is stretched for it."""
    ledger = ward.planted.ledger
    origins = {each.origin for each in ledger.credentials if str(each.id) == unit.credential_id}
    origins |= {entry.origin for entry in ledger.entries if str(entry.credential) == unit.credential_id}
    return any(origin in RECIPES and RECIPES[origin].cost == "kdf" for origin in origins)


class Bystander:
    """Looks at a clone at any moment: what must hold, and how it ends."""

    def __init__(self, ward: Ward) -> None:
        self.ward = ward
        self.keyring = keyring_of(ward.planted.url, ward.root_key)
        self.before: set[Thing] = ward.things(ward.planted.url, self.keyring)
        whole = ward.clone()
        self.endings = Counter(outcome.ending for outcome in carry_out(whole, ward.root_key, ward.plan))
        self.end = ward.state(whole, self.keyring)
        self.findings = ward.findings(whole)
        self.opened = opened_by(whole, ward)
        assert self.endings[Ending.DONE] == len(ward.plan.units)
        self.assert_nothing_lost(whole)

    def lost(self, url: str) -> int:
        """How many keys, phrases and unopened texts do not stand under their credential any more."""
        return len(self.before - self.ward.things(url, self.keyring))

    def assert_nothing_lost(self, url: str) -> None:
        """Every key, phrase and unopened text still stands under its credential."""
        assert self.lost(url) == 0

    def assert_ended(self, url: str) -> None:
        """The same as an uninterrupted run leaves: rows, history, logs, findings, and what is revealed."""
        assert self.ward.state(url, self.keyring) == self.end
        assert self.ward.findings(url) == self.findings
        assert opened_by(url, self.ward) == self.opened
        self.assert_nothing_lost(url)


def opened_by(url: str, ward: Ward) -> dict[str, str]:
    """What verify and reveal say of the wallets of the plan; a key that is revealed is the one that was planted."""
    there = {str(row[0]) for row in execute(url, "SELECT id FROM project_credentials")}
    truth = {str(each.id): each.key for each in ward.planted.ledger.credentials}
    restored = {unit.credential_id for unit in ward.plan.units if "relabel identity-changed" in kinds_of(ward, unit)}
    found: dict[str, str] = {}
    with strongroom.open(url, root_key=ward.root_key) as vault:
        for wallet in there & {unit.credential_id for unit in ward.plan.units}:
            [verified] = vault.verify(wallet, phrases=True)
            try:
                shown = vault.reveal(wallet, actor="test", reason="to compare").private_key
            except strongroom.StrongroomError as error:
                found[wallet] = f"{verified.code} {error.code}"
            else:
                found[wallet] = "opens" if verified.ok else str(verified.code)
                key = truth[wallet]
                if key is not None and wallet not in restored:
                    assert TABLE.get(key.networks[0]).parse_private_key(shown).reveal() == key.secret
    return found


def raw(url: str) -> list[list[Any]]:
    """Every row of the tables that a repair writes."""
    return [sorted(execute(url, f"SELECT * FROM {table}"), key=repr) for table in _TABLES]


# --- death ---------------------------------------------------------------------------------------------------


@pytest.mark.thorough(sample=2)
@EVERY_GROUND
def test_kill_9_at_random_moments_loses_nothing_and_ends_as_an_uninterrupted_run(
    ward: Ward, nursery: Nursery, tally: StartTally
) -> None:
    nursery.warm_up(children_repair.warm_up)
    row, rng = tally("client killed", ground_of(ward)), seeded(f"kill -9: repair, {ground_of(ward)}")
    bystander, plan = Bystander(ward), ward.file()
    urls = [ward.clone()]

    def arguments(_: int) -> Arguments:
        return {"url": urls[-1], "root_key": ward.root_key, "plan": plan}

    for report in kill_at_random(nursery, children_repair.apply, arguments, KILLS, rng):
        row.lost += bystander.lost(urls[-1])
        if report.killed:
            row.fault(LANDED[report.phase])
        else:
            assert set(report.printed[0]["endings"].values()) <= {"done", "not needed"}, report.printed
        if report.phase is Phase.PRINTED:
            row.acknowledged += len(ward.plan.units)
            bystander.assert_ended(urls[-1])
            urls.append(ward.clone())
    last = nursery.run(children_repair.apply, **arguments(0))
    assert set(last.printed[0]["endings"].values()) <= {"done", "not needed"}, last.printed
    bystander.assert_ended(urls[-1])


@pytest.mark.thorough(sample=1)
@A_FEW_GROUNDS
def test_a_process_stopped_at_any_statement_boundary_leaves_a_unit_done_or_untouched(
    ward: Ward, nursery: Nursery, tally: StartTally
) -> None:
    nursery.warm_up(children_repair.warm_up)
    row, rng = tally("client stopped at a statement", ground_of(ward)), seeded(f"stops: repair, {ground_of(ward)}")
    bystander = Bystander(ward)
    kinds = {kind for unit in ward.plan.units for kind in kinds_of(ward, unit)}
    ours = ground_of(ward) in ("fresh", "sqlite")  # there, people decide of what the register does not have
    assert len(kinds) >= (5 if ours else 11), sorted(kinds)
    url = ward.clone()
    for unit in ward.plan.units:
        given = {"url": url, "root_key": ward.root_key, "plan": ward.file(unit)}
        before = raw(url)
        for boundary in range(rng.randrange(1, STEP + 1, 2), _MOST_BOUNDARIES, STEP):
            report = run_stopped(nursery, children_repair.apply, boundary, given)
            if report.stopped:
                row.fault("repair")
            if report.phase >= Phase.COMMITTED:
                break
            assert raw(url) == before, f"{kinds_of(ward, unit)} stopped {report.names[-1]}"
        row.lost += bystander.lost(url)
        again = nursery.run(children_repair.apply, **given).printed[0]["endings"]
        assert again == {unit.credential_id: "not needed"}
    bystander.assert_ended(url)
    assert row.faults >= (3 * len(ward.plan.units) if STEP == 2 else 1)


# --- lost connections ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["before", "after", "in_flight"])
@pytest.mark.parametrize("ward", ["g4-vault"], indirect=True)
def test_a_commit_whose_answer_is_lost_is_done_once_and_told_as_done(
    ward: Ward, postgres: PostgresServer, proxy: Proxy, mode: Mode
) -> None:
    bystander = Bystander(ward)
    url = ward.clone()
    through = proxy.url(ward.names[-1])
    for unit in ward.plan.units:
        with workshop(through, ward.root_key) as opened:
            applier = Applier(opened.parts, opened.store, opened.ground, only(ward.plan, unit))
            trap = proxy.arm(COMMIT, mode)
            [outcome] = list(applier.run())
            proxy.disarm()
        assert trap.fired
        assert (outcome.ending, outcome.done) == (Ending.DONE, tuple(unit.actions)), kinds_of(ward, unit)
    bystander.assert_ended(url)
    events = execute(url, "SELECT count(*) FROM strongroom_events WHERE event = 'repair'")
    assert events == [(len(ward.plan.units),)]


@pytest.mark.parametrize("mode", ["before", "after"])
@pytest.mark.parametrize("ward", ["g4-vault"], indirect=True)
def test_the_event_of_a_run_is_written_once_where_its_answer_is_lost(ward: Ward, proxy: Proxy, mode: Mode) -> None:
    url = ward.clone()
    unit = ward.plan.units[0]
    commits = iter(range(1, 10))
    with workshop(proxy.url(ward.names[-1]), ward.root_key) as opened:
        proxy.arm(lambda message: COMMIT(message) and next(commits) == 2, mode)
        applier = Applier(opened.parts, opened.store, opened.ground, only(ward.plan, unit))
        assert [outcome.ending for outcome in applier.run()] == [Ending.DONE]
    assert execute(url, "SELECT count(*) FROM strongroom_events WHERE event = 'repair'") == [(1,)]


def only(plan: Plan, *units: Unit) -> Plan:
    return replace(plan, units=units)


# --- two at once ---------------------------------------------------------------------------------------------


@pytest.mark.thorough(sample=1)
@A_FEW_GROUNDS
def test_two_processes_with_one_plan_do_each_unit_once(ward: Ward, nursery: Nursery) -> None:
    nursery.warm_up(children_repair.warm_up)
    bystander = Bystander(ward)
    url, plan = ward.clone(), ward.file()
    given = {"url": url, "root_key": ward.root_key, "plan": plan}
    reports = nursery.race(children_repair.apply_at_once, [given, given])
    told = [report.printed[0] for report in reports]
    assert [each["errors"] for each in told] == [[], []]
    for unit in ward.plan.units:
        assert sorted(each["endings"][unit.credential_id] for each in told) == ["done", "not needed"]
    bystander.assert_ended(url)


@A_FEW_GROUNDS
def test_what_another_process_does_between_two_looks_is_not_needed(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    bystander = Bystander(ward)
    url = ward.clone()
    as_planned, others = Decider.is_as_planned, iter([ward.plan])

    def late(decider: Decider, *seen: Any) -> bool:
        for plan in others:
            carry_out(url, ward.root_key, plan)
        return as_planned(decider, *seen)

    monkeypatch.setattr(Decider, "is_as_planned", late)
    endings = {outcome.ending for outcome in carry_out(url, ward.root_key, ward.plan)}
    assert endings == {Ending.NOT_NEEDED}
    bystander.assert_ended(url)
