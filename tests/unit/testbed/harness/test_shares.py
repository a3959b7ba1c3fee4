"""Each worker begins with long tests, modules stay whole, and no test is lost."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from testbed.harness.shares import shared

_TESTS = st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 99)), unique=True, max_size=60)


def test_each_part_begins_with_its_share_of_the_long_modules() -> None:
    tests = [*"aab", *"ccd", *"eef", *"xyz"]
    found = shared(tests, 3, lambda test: test, lambda test: test in "abcd")

    parts = [found[:4], found[4:8], found[8:]]
    assert [part[0] for part in parts] == ["a", "b", "c"]


def test_one_worker_runs_them_as_they_come() -> None:
    assert shared([3, 1, 2], 1, lambda test: test, lambda test: test == 2) == [3, 1, 2]


@given(_TESTS, st.integers(1, 5))
def test_no_test_is_lost_and_a_module_keeps_its_order(tests: list[tuple[str, int]], workers: int) -> None:
    found = shared(tests, workers, lambda test: test[0], lambda test: test[0] in "abc")
    assert sorted(found) == sorted(tests)
    for module in "abcdefgh":
        assert [test for test in found if test[0] == module] == [test for test in tests if test[0] == module]
