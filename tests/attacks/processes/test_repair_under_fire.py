"""Repair when the process dies, the connection breaks, or others write: no key is lost, every unit is done once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from strongroom.takeover.repair.apply import Applier
from strongroom.takeover.repair.decision import Decider
from strongroom.takeover.repair.outcomes import UnitStatus
from strongroom.takeover.repair.plan import Plan, Unit
from testbed.databases.rows import execute
from testbed.harness.child import Phase
from testbed.harness.fork_server import Arguments, ForkServer
from testbed.harness.random_kills import LANDED, kill_at_random
from testbed.harness.sizes import SIZE, SMALL, seeded
from testbed.harness.statement_stops import run_stopped
from testbed.processes import repairs
from testbed.processes.repair_plans import kinds_of
from testbed.processes.repair_witness import RepairWitness
from testbed.processes.repairs import RepairScene, repair_session, run_plan
from testbed.servers.postgres import PostgresServer
from testbed.servers.proxy import COMMIT, Mode, Proxy
from tests.attacks.summary import StartTally

KILLS = max(1 if SIZE.name == SMALL else 2, SIZE.client_kills // 200)
"""On each backend, in addition to those of the other flows: a repair is long, and so is the look at what it left."""
BACKENDS = ("g4-vault", "g2-vault", "fresh", "sqlite")
CORE_BACKENDS = ("g4-vault", "fresh", "sqlite")
_MOST_BOUNDARIES = 200
STEP = max(2, SIZE.boundary_step)
"""Stopped before a statement: behind the one before it is the same."""
_TABLES = ("project_credentials", "credential_vault_storage", "strongroom_vault_history", "strongroom_slot")
Check = Callable[[str], None]
_clones: dict[tuple[str, str], tuple[RepairScene, str, list[Unit]]] = {}


EVERY_BACKEND = pytest.mark.parametrize("repair_scene", BACKENDS, indirect=True)
SOME_BACKENDS = pytest.mark.parametrize("repair_scene", CORE_BACKENDS, indirect=True)


def backend_of(repair_scene: RepairScene) -> str:
    """As the table of attacks names it."""
    return repair_scene.planted.generation.removesuffix("-vault")


def raw(url: str) -> list[list[Any]]:
    """Every row of the tables that a repair writes."""
    return [sorted(execute(url, f"SELECT * FROM {table}"), key=repr) for table in _TABLES]


# --- death ---------------------------------------------------------------------------------------------------


@pytest.mark.sized("name", "client_kills")
@pytest.mark.thorough(sample=2)
@EVERY_BACKEND
def test_kill_9_at_random_moments_loses_nothing_and_ends_as_an_uninterrupted_run(
    repair_scene: RepairScene, fork_server: ForkServer, tally: StartTally
) -> None:
    fork_server.warm_up(repairs.warm_up)
    row, rng = tally("client killed", backend_of(repair_scene)), seeded(f"kill -9: repair, {backend_of(repair_scene)}")
    witness, plan = RepairWitness(repair_scene), repair_scene.file()
    urls = [repair_scene.clone()]

    def arguments(_: int) -> Arguments:
        return {"url": urls[-1], "root_key": repair_scene.root_key, "plan": plan}

    for report in kill_at_random(fork_server, repairs.apply, arguments, KILLS, rng):
        row.lost += witness.lost(urls[-1])
        if report.killed:
            row.fault(LANDED[report.phase])
        else:
            assert set(report.printed[0]["endings"].values()) <= {"done", "not needed"}, report.printed
        if report.phase is Phase.PRINTED:
            row.acknowledged += len(repair_scene.plan.units)
            witness.assert_ended(urls[-1])
            urls.append(repair_scene.clone())
    last = fork_server.run(repairs.apply, **arguments(0))
    assert set(last.printed[0]["endings"].values()) <= {"done", "not needed"}, last.printed
    witness.assert_ended(urls[-1])


@pytest.mark.sized("boundary_step")
@pytest.mark.thorough(sample=1)
@SOME_BACKENDS
def test_a_process_stopped_at_any_statement_boundary_leaves_a_unit_done_or_untouched(
    repair_scene: RepairScene, fork_server: ForkServer, tally: StartTally
) -> None:
    fork_server.warm_up(repairs.warm_up)
    row, rng = (
        tally("client stopped at a statement", backend_of(repair_scene)),
        seeded(f"stops: repair, {backend_of(repair_scene)}"),
    )
    witness = RepairWitness(repair_scene)
    kinds = {kind for unit in repair_scene.plan.units for kind in kinds_of(repair_scene, unit)}
    ours = backend_of(repair_scene) in ("fresh", "sqlite")  # there, people decide of what the register does not have
    assert len(kinds) >= (5 if ours else 11), sorted(kinds)
    url = repair_scene.clone()
    for unit in repair_scene.plan.units:
        given = {"url": url, "root_key": repair_scene.root_key, "plan": repair_scene.file(unit)}
        before = raw(url)
        for boundary in range(rng.randrange(1, STEP + 1, 2), _MOST_BOUNDARIES, STEP):
            report = run_stopped(fork_server, repairs.apply, boundary, given)
            if report.stopped:
                row.fault("repair")
            if report.phase >= Phase.COMMITTED:
                break
            assert raw(url) == before, f"{kinds_of(repair_scene, unit)} stopped {report.names[-1]}"
        row.lost += witness.lost(url)
        again = fork_server.run(repairs.apply, **given).printed[0]["endings"]
        assert again == {unit.credential_id: "not needed"}
    witness.assert_ended(url)
    assert row.faults >= (3 * len(repair_scene.plan.units) if STEP == 2 else 1)


# --- lost connections ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["before", "after", "in_flight"])
@pytest.mark.parametrize("repair_scene", ["g4-vault"], indirect=True)
def test_a_commit_whose_answer_is_lost_is_done_once_and_told_as_done(
    repair_scene: RepairScene, postgres: PostgresServer, proxy: Proxy, mode: Mode
) -> None:
    witness = RepairWitness(repair_scene)
    url = repair_scene.clone()
    through = proxy.url(repair_scene.names[-1])
    for unit in repair_scene.plan.units:
        with repair_session(through, repair_scene.root_key) as opened:
            applier = Applier(
                opened.vault_context, opened.store, opened.examination_context, only(repair_scene.plan, unit)
            )
            trap = proxy.arm(COMMIT, mode)
            [outcome] = list(applier.run())
            proxy.disarm()
        assert trap.fired
        assert (outcome.status, outcome.done) == (UnitStatus.DONE, tuple(unit.actions)), kinds_of(repair_scene, unit)
    witness.assert_ended(url)
    events = execute(url, "SELECT count(*) FROM strongroom_events WHERE event = 'repair'")
    assert events == [(len(repair_scene.plan.units),)]


@pytest.mark.parametrize("mode", ["before", "after"])
@pytest.mark.parametrize("repair_scene", ["g4-vault"], indirect=True)
def test_the_event_of_a_run_is_written_once_where_its_answer_is_lost(
    repair_scene: RepairScene, proxy: Proxy, mode: Mode
) -> None:
    url = repair_scene.clone()
    unit = repair_scene.plan.units[0]
    commits = iter(range(1, 10))
    with repair_session(proxy.url(repair_scene.names[-1]), repair_scene.root_key) as opened:
        proxy.arm(lambda message: COMMIT(message) and next(commits) == 2, mode)
        applier = Applier(opened.vault_context, opened.store, opened.examination_context, only(repair_scene.plan, unit))
        assert [outcome.status for outcome in applier.run()] == [UnitStatus.DONE]
    assert execute(url, "SELECT count(*) FROM strongroom_events WHERE event = 'repair'") == [(1,)]


def only(plan: Plan, *units: Unit) -> Plan:
    return replace(plan, units=units)


# --- two at once ---------------------------------------------------------------------------------------------


@pytest.mark.thorough(sample=1)
@SOME_BACKENDS
def test_two_processes_with_one_plan_do_each_unit_once(repair_scene: RepairScene, fork_server: ForkServer) -> None:
    fork_server.warm_up(repairs.warm_up)
    witness = RepairWitness(repair_scene)
    url, plan = repair_scene.clone(), repair_scene.file()
    given = {"url": url, "root_key": repair_scene.root_key, "plan": plan}
    reports = fork_server.race(repairs.apply_at_once, [given, given])
    told = [report.printed[0] for report in reports]
    assert [each["errors"] for each in told] == [[], []]
    for unit in repair_scene.plan.units:
        assert sorted(each["endings"][unit.credential_id] for each in told) == ["done", "not needed"]
    witness.assert_ended(url)


@SOME_BACKENDS
def test_what_another_process_does_between_two_looks_is_not_needed(
    repair_scene: RepairScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    witness = RepairWitness(repair_scene)
    url = repair_scene.clone()
    as_planned, others = Decider.is_as_planned, iter([repair_scene.plan])

    def late(decider: Decider, *seen: Any) -> bool:
        for plan in others:
            run_plan(url, repair_scene.root_key, plan)
        return as_planned(decider, *seen)

    monkeypatch.setattr(Decider, "is_as_planned", late)
    endings = {outcome.status for outcome in run_plan(url, repair_scene.root_key, repair_scene.plan)}
    assert endings == {UnitStatus.NOT_NEEDED}
    witness.assert_ended(url)
