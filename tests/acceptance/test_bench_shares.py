"""``python -m bench.shares`` says where the time of a verb goes: all of it, and where it is known to go."""

from __future__ import annotations

import hashlib
import os
import sys

import pytest

from bench import shares


def test_work_is_counted_where_it_is_done() -> None:
    taken, calls = shares.shares_of(lambda: hashlib.pbkdf2_hmac("sha512", b"password", b"salt", 2_000), 20)
    assert calls > 0
    assert taken[shares.OTHER] == pytest.approx(sum(taken[part] for part in (*shares.PARTS, shares.OTHER)))
    assert taken[shares.OTHER] > 0.01


def test_the_innermost_part_counts() -> None:
    def inner() -> str:
        return shares.part_of(sys._getframe())

    place = f"{os.sep}strongroom{os.sep}store{os.sep}some.py"
    found: dict[str, object] = {"inner": inner}
    exec(compile("said = inner()", place, "exec"), found)
    assert found["said"] == "rows to wallets and back"


def test_every_verb_has_a_row(capsys: pytest.CaptureFixture[str]) -> None:
    assert shares.main(["--samples", "30", "--only", "sqlite", "find", "sign a message"]) == 0
    output = capsys.readouterr().out
    assert [line.split("|")[1].strip() for line in output.splitlines() if line.startswith("| ")] == [
        "us a call",
        "find",
        "sign a message",
    ]
