"""Small runs leave out what is marked; a marker that keeps nothing is refused; vectors are wanted or not collected."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[3]
_TESTS = """
import pytest

@pytest.fixture
def vectors(): pytest.skip("no vectors")
def test_stays(): pass
@pytest.mark.thorough
def test_is_long(): pass
@pytest.mark.thorough(but=("sqlite",))
@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_is_kept_in_part(engine): pass
def test_reads_vectors(vectors): pass
"""
_LOST = (
    _TESTS
    + """
@pytest.mark.thorough(but=("oracle",))
@pytest.mark.parametrize("engine", ["sqlite"])
def test_keeps_nothing(engine): pass
"""
)


def collected(folder: Path, text: str = _TESTS, **variables: str) -> tuple[int, set[str]]:
    """The exit code, and the tests that a run would make."""
    (folder / "test_some.py").write_text(text)
    named = ("STRONGROOM_ATTACK", "STRONGROOM_VECTORS", "STRONGROOM_FORBID_SKIPS")
    kept = {name: value for name, value in os.environ.items() if name not in named}
    path = os.pathsep.join((str(_ROOT), os.environ.get("PYTHONPATH", "")))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.harness.tiers", "--collect-only", "-q", f"--rootdir={folder}"],
        cwd=folder,
        env={**kept, **variables, "PYTHONPATH": path, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    names = {line.partition("::")[2] for line in done.stdout.splitlines() if line.startswith("test_some.py::")}
    return done.returncode, names


def test_a_small_run_leaves_out_what_is_marked(tmp_path: Path) -> None:
    assert collected(tmp_path) == (0, {"test_stays", "test_is_kept_in_part[sqlite]"})


@pytest.mark.parametrize("size", ["attack", "matrix", "soak"])
def test_a_longer_run_leaves_out_nothing(tmp_path: Path, size: str) -> None:
    kept = {"test_stays", "test_is_long", "test_is_kept_in_part[sqlite]", "test_is_kept_in_part[postgresql]"}
    assert collected(tmp_path, STRONGROOM_ATTACK=size) == (0, kept)


@pytest.mark.parametrize("variables", [{"STRONGROOM_VECTORS": "/vectors"}, {"STRONGROOM_FORBID_SKIPS": "1"}])
def test_vectors_are_wanted_where_they_are_and_where_skips_are_failures(
    tmp_path: Path, variables: dict[str, str]
) -> None:
    assert "test_reads_vectors" in collected(tmp_path, **variables)[1]


def test_a_marker_that_keeps_nothing_is_refused(tmp_path: Path) -> None:
    assert collected(tmp_path, _LOST)[0] == pytest.ExitCode.USAGE_ERROR
