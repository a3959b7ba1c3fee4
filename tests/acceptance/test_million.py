"""``python -m bench.million`` with a few wallets: it makes and proves them, goes on, and bounds its memory."""

from __future__ import annotations

import re
from pathlib import Path

import psycopg
import pytest

from bench import million
from testbed.servers.postgres import PostgresServer

_ROW = re.compile(r"^\| ([^|]+) \| ([0-9,]+) \| [0-9.]+ \| [0-9,]+ \| [0-9,]+ \| [0-9,]+ \|$", re.MULTILINE)
_SMALL = ("--call", "40")


def _proved(output: str) -> dict[str, int]:
    return {name: int(wallets.replace(",", "")) for name, wallets in _ROW.findall(output)}


def test_a_run_that_was_stopped_goes_on_where_it_was(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = ("--database", "sqlite", "--folder", str(tmp_path / "vault"), *_SMALL)
    assert million.main(["--wallets", "60", *place]) == 0
    assert "60 wallets were new, 0 were there." in capsys.readouterr().out
    assert million.main(["--wallets", "100", *place]) == 0
    output = capsys.readouterr().out
    assert "40 wallets were new, 60 were there." in output
    assert _proved(output) == {
        "create_many, 40 a call": 100,
        "the last call again": 20,
        "verify()": 100,
        "verify(phrases=True)": 100,
    }
    assert "| the database, " in output


def test_the_same_on_postgresql_leaves_nothing_behind(
    postgres: PostgresServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert million.main(["--wallets", "60", "--postgresql", postgres.url(), *_SMALL]) == 0
    assert _proved(capsys.readouterr().out)["verify(phrases=True)"] == 60
    with psycopg.connect(postgres.url()) as connection:
        left = connection.execute("SELECT datname FROM pg_database WHERE datname LIKE '%million%'").fetchall()
    assert left == []


def test_memory_that_grows_is_told() -> None:
    flat, growing, small = (million.Phase("verify()", total) for total in (1_000_000, 1_000_000, 10_000))
    flat.peaks = [(50_000 * step, 50.0 + min(step, 2) * 20) for step in range(1, 21)]
    growing.peaks = [(50_000 * step, 50.0 + step) for step in range(1, 21)]
    small.peaks = [(500 * step, 50.0 + step) for step in range(1, 21)]
    assert (flat.grows, growing.grows, small.grows) == (False, True, False)


def test_a_folder_needs_a_server_that_stays(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        million.main(["--folder", str(tmp_path)])
    assert "--folder needs --postgresql" in capsys.readouterr().err
