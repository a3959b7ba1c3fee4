"""``python -m bench`` runs, compares what can be compared, and writes what it found. It asserts no times."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from bench.__main__ import main
from testbed.servers.memory import memory_folder
from testbed.servers.postgres import PostgresServer

pytestmark = pytest.mark.thorough
_ROOT = Path(__file__).parents[2]
_DATABASES = ("sqlite", "postgresql")
_PATIENCE_SECONDS = 800
"""It takes twenty seconds of CPU; a machine with much else to do gives it a tenth of that."""
_FEW = "--quick --count 1 --wallets 20 --rows 20 --starts 1 --repairs 20 --most 20"


@pytest.fixture(scope="module")
def run(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, Any]]:
    """One run of everything, with tiny counts, where nobody waits for a disk."""
    file = tmp_path_factory.mktemp("bench") / "results.json"
    memory = memory_folder()
    done = subprocess.run(
        [sys.executable, "-m", "bench", *_FEW.split(), "--json", str(file), "--postgresql", postgres.url()],
        cwd=_ROOT,
        env={**os.environ, **({} if memory is None else {"TMPDIR": str(memory)})},
        capture_output=True,
        text=True,
        timeout=_PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout, json.loads(file.read_text(encoding="utf-8"))


def test_every_group_is_measured_on_both_databases(run: tuple[str, dict[str, Any]]) -> None:
    measured = {(each["group"], each["database"]) for each in run[1]["measurements"]}
    groups = (
        *("create", "create, key given", "create again", "list 100 wallets", "derive", "derive, /s"),
        *("verify", "verify --phrases", "rewrap", "start", "sign", "sign, /s"),
    )
    wanted = {(group, database) for group in groups for database in _DATABASES}
    existing = {(f"{group} on g4", "postgresql") for group in ("create", "rewrap", "sign")}
    assert measured >= {*wanted, *existing, ("key work", ""), ("sign in memory", ""), ("start", "")}


def test_doctor_is_measured_by_kind_of_row(run: tuple[str, dict[str, Any]]) -> None:
    measured = {(each["group"], each["database"]) for each in run[1]["measurements"]}
    proved = {(f"doctor: {kind}, 20", name) for kind in ("healthy", "healthy, root key") for name in _DATABASES}
    kinds = (
        *("healthy, 20", "healthy, root key, 20", "plaintext key, 20", "base64, 20", "mix, root key, no password, 20"),
        *("mnemonic, 4", "envelope, 4", "keystore, light scrypt, 4"),
    )
    assert measured >= {*proved, *((f"doctor on g4: {kind}", "postgresql") for kind in kinds)}


def test_repair_and_the_guard_are_measured_alongside_the_legacy_application(run: tuple[str, dict[str, Any]]) -> None:
    measured = Counter(each["group"] for each in run[1]["measurements"])
    assert measured["repair on g4: plaintext key, 20"] == measured["repair on g4: mix, 20"] == 3
    assert measured["old application on g4, a statement"] == 12


def test_every_measurement_is_a_positive_number_of_a_unit(run: tuple[str, dict[str, Any]]) -> None:
    for each in run[1]["measurements"]:
        assert each["unit"] in ("ms", "us", "/s", "MiB")
        assert all(each[name] > 0 for name in ("median", "p99", "best", "cpu", "turns"))


def test_every_aim_is_a_multiple_of_a_floor_with_the_figure_alongside(run: tuple[str, dict[str, Any]]) -> None:
    aims = run[1]["aims"]
    assert len(aims) == 46
    assert all(aim["limit"] > 0 and aim["reached"] > 0 and isinstance(aim["met"], bool) for aim in aims)
    bare = [aim["text"] for aim in aims if aim["absolute"] is None]
    assert {text for text in bare if not text.startswith("sign in memory")} == set()
    assert all((aim["aim"] is None) is (aim["scaled"] is None) for aim in aims)
    assert sorted(aim["aim"] for aim in aims if aim["aim"]) == [60, 350, 350, 400, 4000, 4000, 5000, 6000, 6000]


def test_floor_and_strongroom_wrote_equal_rows_that_open(run: tuple[str, dict[str, Any]]) -> None:
    proofs = run[1]["proofs"]
    assert len(proofs) == 92
    assert [proof for proof in proofs if not proof["holds"]] == []


def test_the_table_shows_both_databases_and_the_aims(run: tuple[str, dict[str, Any]]) -> None:
    assert all(text in run[0] for text in ("SQLite", "PostgreSQL", "floor", "home-made", "Aims", "Written to"))


def test_only_picks_databases_and_groups(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    assert main([*_FEW.split(), "--json", str(file), "--only", "sqlite", "create"]) == 0
    document = json.loads(file.read_text(encoding="utf-8"))
    assert {(each["group"], each["database"]) for each in document["measurements"]} == {("create", "sqlite")}
