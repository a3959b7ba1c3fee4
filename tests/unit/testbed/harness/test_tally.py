"""The table of attacks: rows add up, whichever worker they come from, and damage fails the test that saw it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from testbed.harness.sizes import SIZE, seeded, share
from tests.attacks.tally import Tally, added_up, table

pytest_plugins = ["pytester"]


def row(attack: str, backend: str, **numbers: int) -> Tally:
    made = Tally(attack, backend)
    for name, number in numbers.items():
        setattr(made, name, number)
    made.fault("before the commit", 2)
    made.fault("after it")
    return made


def test_rows_of_one_attack_and_ground_are_added_up() -> None:
    total = added_up([row("kill", "g4", lost=1), row("kill", "fresh"), row("kill", "g4", acknowledged=5, lost=2)])
    assert [(each.attack, each.backend) for each in total] == [("kill", "fresh"), ("kill", "g4")]
    assert (total[1].faults, total[1].acknowledged, total[1].lost) == (6, 5, 3)
    assert total[1].landed == {"before the commit": 4, "after it": 2}


def test_a_row_survives_its_way_from_a_worker() -> None:
    made = row("kill", "g4", leaked=1)
    assert Tally.from_dict(json.loads(json.dumps(made.as_dict()))) == made
    assert made.damage == {"leaked": 1}


def test_the_table_adds_up_and_says_where_faults_fell() -> None:
    lines = list(table([row("kill", "g4", half_made=1), row("cut", "fresh", duplicates=2)]))
    assert [line.count("|") for line in lines[:5]] == [10] * 5
    assert [cell.strip() for cell in lines[4].strip("|").split("|")] == ["all", "", "6", "0", "0", "2", "1", "0", "0"]
    assert "- kill, g4: after it 1, before the commit 2" in lines


def test_parts_make_up_the_whole() -> None:
    for total in (0, 1, 7, 500):
        assert sum(share(total, part, 3) for part in range(3)) == total
    assert SIZE.times(3).client_kills == 3 * SIZE.client_kills
    assert seeded("one").random() == seeded("one").random() != seeded("two").random()


@pytest.mark.parametrize("workers", ["0", "1"])
def test_damage_fails_its_test_and_stands_in_the_table(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, workers: str
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[4]))
    monkeypatch.setenv("STRONGROOM_ATTACK_REPORT", "report.md")
    pytester.makeconftest('pytest_plugins = ["tests.attacks.summary"]')
    pytester.makepyfile(
        """
        def test_clean(tally):
            tally("kill", "g4").fault("inside")

        def test_damaged(tally):
            tally("kill", "g4").lost += 1

        def test_that_sees_what_is_written_so_far():
            if STARTS:  # a worker's controller may be a moment behind
                return
            report = open("report.md").read()
            assert "Tests that have ended: 2; failures: 1." in report and "test_damaged" in report
        """.replace("STARTS", str(workers != "0"))
    )
    result = pytester.runpytest_subprocess("-n", workers, "-p", "no:cacheprovider")
    result.assert_outcomes(passed=3, errors=1)
    report = (pytester.path / "report.md").read_text()
    assert "Tests that have ended: 3; failures: 1." in report
    assert "{'kill, g4': {'lost': 1}}" in report
    result.stdout.fnmatch_lines(
        ["*STRONGROOM_TEST_SEED=*", "*| kill * | g4 *| * 1 | * 0 | * 1 |*", "*- kill, g4: inside 1*"]
    )


def test_times_without_service_are_told_by_fault() -> None:
    outages = [("killed", 20.0), ("switchover", 1.0), ("killed", 19.0), ("killed", 30.26)]
    lines = list(table([Tally.from_dict(Tally("failover", "fresh", outages=outages).as_dict())]))
    assert "- failover, fresh, killed: 3 times without service for 20.0 s (median), 30.3 s (worst)" in lines
    assert "- failover, fresh, switchover: 1 time without service for 1.0 s (median), 1.0 s (worst)" in lines
