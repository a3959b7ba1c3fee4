"""What small runs leave out, longer runs have; a marker that keeps nothing is refused; vectors are wanted or not."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from testbed.harness.tiers import most_different

_ROOT = Path(__file__).parents[4]
_TESTS = """
import pytest
from hypothesis import given, strategies as st

@pytest.fixture
def vectors(): pytest.skip("no vectors")
def test_stays(): pass
@pytest.mark.thorough
def test_is_long(): pass
@pytest.mark.thorough(but=("sqlite",))
@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_is_kept_in_part(engine): pass
@pytest.mark.thorough(sample=2)
@pytest.mark.parametrize("backend", ["sqlite", "fresh", "g4"])
@pytest.mark.parametrize("verb", ["get", "sign", "erase"])
def test_is_sampled(backend, verb): pass
@pytest.mark.postgresql(99)
def test_is_for_later_servers(): pass
@pytest.mark.postgresql(99, only=("merge",))
@pytest.mark.parametrize("statement", ["insert", "merge"])
def test_is_in_part_for_later_servers(statement): pass
@given(st.integers())
def test_of_hypothesis(number): pass
def test_reads_vectors(vectors): pass
"""
_SAMPLED = {"test_is_sampled[get-sqlite]", "test_is_sampled[erase-fresh]"}
_SHORT = {
    "test_stays",
    "test_is_kept_in_part[sqlite]",
    "test_is_in_part_for_later_servers[insert]",
    "test_of_hypothesis",
}
_ALL = {
    f"test_is_sampled[{verb}-{backend}]" for verb in ("get", "sign", "erase") for backend in ("sqlite", "fresh", "g4")
}
_LOST = (
    _TESTS
    + """
@pytest.mark.thorough(but=("oracle",))
@pytest.mark.parametrize("engine", ["sqlite"])
def test_keeps_nothing(engine): pass
"""
)


def collected(folder: Path, text: str = _TESTS, *options: str, **variables: str) -> tuple[int, set[str]]:
    """The exit code, and the tests that a run would make."""
    (folder / "test_some.py").write_text(text)
    named = (
        "STRONGROOM_ATTACK",
        "STRONGROOM_CITUS",
        "STRONGROOM_DISTRIBUTED",
        "STRONGROOM_PARTITIONED",
        "STRONGROOM_VECTORS",
        "STRONGROOM_FORBID_SKIPS",
        "STRONGROOM_TEST",
        "STRONGROOM_SAMPLED",
    )
    kept = {name: value for name, value in os.environ.items() if not name.startswith(named)}
    path = os.pathsep.join((str(_ROOT), os.environ.get("PYTHONPATH", "")))
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "testbed.harness.tiers",
            "--collect-only",
            "-q",
            f"--rootdir={folder}",
            *options,
        ],
        cwd=folder,
        env={**kept, **variables, "PYTHONPATH": path, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    names = {line.partition("::")[2] for line in done.stdout.splitlines() if "test_some.py::" in line}
    return done.returncode, names


def test_a_small_run_leaves_out_what_is_marked(tmp_path: Path) -> None:
    assert collected(tmp_path) == (0, {*_SHORT, *_SAMPLED})


def test_a_module_that_is_named_runs_with_all_parameters(tmp_path: Path) -> None:
    assert collected(tmp_path, _TESTS, "test_some.py") == (0, {*_SHORT, *_ALL})
    assert collected(tmp_path, _TESTS, "test_some.py", STRONGROOM_SAMPLED="1") == (0, {*_SHORT, *_SAMPLED})


@pytest.mark.parametrize("size", ["attack", "matrix", "soak"])
def test_a_longer_run_leaves_out_nothing(tmp_path: Path, size: str) -> None:
    kept = {*_SHORT, *_ALL, "test_is_long", "test_is_kept_in_part[postgresql]"}
    assert collected(tmp_path, STRONGROOM_ATTACK=size) == (0, kept)


def test_what_is_longer_is_what_a_small_run_left_out_and_what_hypothesis_tries(tmp_path: Path) -> None:
    longer = {*_ALL - _SAMPLED, "test_is_long", "test_is_kept_in_part[postgresql]", "test_of_hypothesis"}
    assert collected(tmp_path, _TESTS, "-m", "longer", STRONGROOM_ATTACK="attack") == (0, longer)


_CROSSED_TESTS = """
import pytest

@pytest.mark.crossed(4)
@pytest.mark.thorough(sample=2)
@pytest.mark.parametrize("backend", ["sqlite", "fresh", "g4"])
@pytest.mark.parametrize("verb", ["get", "sign", "erase"])
def test_is_sampled(backend, verb): pass
"""


def test_of_a_crossed_test_an_attack_runs_some_that_a_small_run_does_not_and_a_soak_all(tmp_path: Path) -> None:
    assert collected(tmp_path, _CROSSED_TESTS) == (0, _SAMPLED)
    _, attacked = collected(tmp_path, _CROSSED_TESTS, STRONGROOM_ATTACK="attack")
    assert _SAMPLED < attacked < _ALL
    assert len(attacked) == 4
    longer = collected(tmp_path, _CROSSED_TESTS, "-m", "longer", STRONGROOM_ATTACK="attack")
    assert longer == (0, attacked - _SAMPLED)
    assert collected(tmp_path, _CROSSED_TESTS, STRONGROOM_ATTACK="soak") == (0, _ALL)
    assert collected(tmp_path, _CROSSED_TESTS, "test_some.py", STRONGROOM_ATTACK="attack") == (0, _ALL)


_ATTACK_TESTS = """
import pytest

@pytest.mark.sized("rounds")
def test_does_what_it_did(): pass
@pytest.mark.sized("rounds", "cuts")
def test_does_more(): pass
def test_has_no_size(): pass
@pytest.mark.thorough
def test_is_left_out(): pass
"""


@pytest.mark.parametrize(
    ("variables", "again"),
    [({}, False), ({"STRONGROOM_TEST_SEED": "7"}, True), ({"STRONGROOM_ATTACK_TIMES": "2"}, True)],
)
def test_an_attack_that_would_do_what_a_small_run_did_is_not_longer(
    tmp_path: Path, variables: dict[str, str], again: bool
) -> None:
    folder = tmp_path / "attacks"
    folder.mkdir()
    (tmp_path / "conftest.py").write_text(
        f"from pathlib import Path\nfrom testbed.harness import tiers\ntiers._ATTACKS = Path({str(folder)!r})\n"
    )
    (folder / "test_some.py").write_text(_ATTACK_TESTS)
    longer = {"test_does_more", "test_is_left_out"}
    found = collected(tmp_path, "", "attacks", "-m", "longer", STRONGROOM_ATTACK="attack", **variables)
    assert found == (0, longer | ({"test_does_what_it_did", "test_has_no_size"} if again else set()))


def test_every_attack_that_takes_a_number_of_a_size_says_so() -> None:
    said: dict[str, set[str]] = {}
    for path in (_ROOT / "tests" / "attacks").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        taken = set(re.findall(r"\bSIZE\.(\w+)", text)) - {"name"}
        said[path.name] = taken - {name for mark in re.findall(r"sized\((.*)\)", text) for name in mark.split('"')}
    assert len(said) > 50
    assert {name: fields for name, fields in said.items() if fields} == {"summary.py": {"cells"}}


_PLACES = """
import pytest

@pytest.fixture
def postgresql_template(): pass
@pytest.fixture
def postgresql_vault_url(postgresql_template): pass
def test_asks_for_a_vault(postgresql_vault_url): pass
@pytest.mark.one_server
def test_asks_for_triggers(postgresql_vault_url): pass
def test_asks_for_none(): pass
def test_of_a_fresh_vault_on_postgresql(): pass
@pytest.mark.parametrize("backend", ["sqlite", "fresh", "g4", "fresh-divided"])
def test_has_backends(backend): pass
@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_has_engines(engine): pass
@pytest.mark.parametrize("verb", ["sqlite-get", "sign"])
def test_asks_and_has_parameters(verb, postgresql_vault_url): pass
"""


def test_where_tables_are_divided_what_runs_has_a_vault_with_such_tables(tmp_path: Path) -> None:
    divided = {
        "test_asks_for_a_vault",
        "test_has_backends[fresh]",
        "test_has_backends[fresh-divided]",
        "test_has_engines[postgresql]",
        "test_asks_and_has_parameters[sign]",
    }
    on_nodes = {"STRONGROOM_CITUS_URL": "postgresql://127.0.0.1:1/x", "STRONGROOM_DISTRIBUTED": "1"}
    assert collected(tmp_path, _PLACES, **on_nodes) == (0, divided)
    partitioned = collected(tmp_path, _PLACES, STRONGROOM_PARTITIONED="8")
    assert partitioned == (0, divided | {"test_asks_for_triggers"})
    assert len(collected(tmp_path, _PLACES)[1]) == 12


def test_parameters_are_chosen_that_differ_most() -> None:
    ids = [f"{verb}-{backend}" for verb in "abcd" for backend in ("sqlite", "fresh", "g4")]
    for number in range(1, len(ids)):
        assert len(most_different(ids, number)) == number
    chosen = [ids[index].split("-") for index in most_different(ids, 4)]
    assert len({verb for verb, _ in chosen}) == 4
    assert len({backend for _, backend in chosen}) == 3
    assert most_different(["sqlite", "fresh", "g2", "g3", "g4"], 2) == {0, 4}
    for first in range(6):
        pairs = ["fresh-a", "g3-b", "g4-c", "sqlite-a", "sqlite_b-b", "g4-a"]
        engines = {"sqlite" in pairs[index] for index in most_different(pairs, 2, first)}
        assert engines == {True, False}
    assert most_different(["sqlite", "fresh", "g2", "g3", "g4"], 2, first=3) == {0, 3}


@pytest.mark.parametrize("variables", [{"STRONGROOM_VECTORS": "/vectors"}, {"STRONGROOM_FORBID_SKIPS": "1"}])
def test_vectors_are_wanted_where_they_are_and_where_skips_are_failures(
    tmp_path: Path, variables: dict[str, str]
) -> None:
    assert "test_reads_vectors" in collected(tmp_path, **variables)[1]


def test_a_marker_that_keeps_nothing_is_refused(tmp_path: Path) -> None:
    assert collected(tmp_path, _LOST)[0] == pytest.ExitCode.USAGE_ERROR
