"""A skip is a failure where STRONGROOM_FORBID_SKIPS says so, in one process and in several."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[4]
_TESTS = {
    "test_one.py": """
import pytest

def test_passes(): pass
def test_skips(): pytest.skip("no server")
@pytest.mark.skip(reason="marked")
def test_is_marked(): pass
@pytest.mark.xfail(strict=True)
def test_is_known_to_fail(): raise ValueError
@pytest.fixture
def missing(): pytest.skip("no vectors")
def test_skips_in_setup(missing): pass
""",
    "test_two.py": "import pytest\npytest.skip('whole module', allow_module_level=True)\n",
}


def _pytest(folder: Path, forbid: str, *options: str) -> subprocess.CompletedProcess[str]:
    for name, text in _TESTS.items():
        (folder / name).write_text(text)
    command = [sys.executable, "-m", "pytest", "-p", "testbed.harness.skips", "-p", "no:cacheprovider"]
    command += ["--continue-on-collection-errors", *options]
    environment = {
        **os.environ,
        "STRONGROOM_FORBID_SKIPS": forbid,
        "PYTHONPATH": os.pathsep.join((str(_ROOT), os.environ.get("PYTHONPATH", ""))),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }
    return subprocess.run(
        [*command, f"--rootdir={folder}", str(folder)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("options", [[], ["-p", "xdist", "-n", "1"]], ids=["alone", "xdist"])
def test_skips_fail_when_they_are_forbidden(tmp_path: Path, options: list[str]) -> None:
    done = _pytest(tmp_path, "1", *options)
    assert done.returncode != 0
    listed = done.stdout[done.stdout.index("which count as failures") :]
    for reason in ("no server", "marked", "no vectors", "whole module"):
        assert reason in listed
    assert "test_is_known_to_fail" not in listed


@pytest.mark.parametrize("options", [[], ["-p", "xdist", "-n", "1"]], ids=["alone", "xdist"])
def test_skips_pass_otherwise(tmp_path: Path, options: list[str]) -> None:
    done = _pytest(tmp_path, "", *options)
    assert done.returncode == 0
    assert "count as failures" not in done.stdout
