"""The command that a finding names works: for every defect of the generator, alone and in one row with others."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from testbed.command_line import CommandResult, call
from testbed.defects.finding import EVERYTHING
from tests.integration import damaged_databases
from tests.integration.damaged_databases import REPAIRABLE, DamagedDatabase

WALLETS = 120
OF_EACH = 2
"""Findings of one code, command and set of other findings in the same row that are tried."""
_PASSWORDS = ("--legacy-password-stdin", "--keystore-password-stdin")


@pytest.fixture(params=REPAIRABLE)
def planted(request: pytest.FixtureRequest, private_path: Path) -> DamagedDatabase:
    server = None if request.param == "sqlite" else request.getfixturevalue("postgres")
    return damaged_databases.damaged(request.param, server, f"file:{private_path / 'root.key'}", private_path, WALLETS)


def run(damaged: DamagedDatabase, words: list[str]) -> CommandResult:
    lines = (damaged.planted.legacy_password, damaged.planted.keystore_password)
    stdin = "".join(f"{line}\n" for option, line in zip(_PASSWORDS, lines, strict=True) if option in words)
    return call(*words, "--database", damaged.url, "--root-key", damaged.root_key, stdin=stdin.encode())


def shape(finding: dict[str, Any], words: list[str], others: frozenset[str]) -> tuple[object, ...]:
    """What a finding has in common with those that one trial stands for."""
    ids = (finding["row"], finding["credential_id"])
    return finding["code"], *(re.sub("[0-9a-f-]{36}", "ID", word) for word in words if word not in ids), others


def test_the_command_of_each_finding_works(planted: DamagedDatabase) -> None:
    found = planted.doctor(EVERYTHING)
    codes: dict[str, frozenset[str]] = {}
    for each in found:
        wallet = str(each["credential_id"])
        codes[wallet] = codes.get(wallet, frozenset()) | {each["code"]}
    tried, changed, dead = Counter[tuple[object, ...]](), set[str](), list[object]()
    for each in found:
        words = shlex.split(each["command"])[1:]
        if not words or words[0] == "repair" or "store-key" in words:  # a plan; a key that nobody has
            continue
        if "the password does not open it" in each["evidence"]:  # nobody here has another one
            continue
        wallet = str(each["credential_id"])
        kind = shape(each, words, codes[wallet] - {each["code"]})
        if tried[kind] == OF_EACH or wallet in changed:
            continue
        tried[kind] += 1
        if "reveal" not in words:
            changed.add(wallet)
        answer = run(planted, words)
        if answer.code:
            dead.append((each["code"], each["evidence"], words, answer.err))
    assert len(tried) > 20, "there was something to try"
    assert dead == [], dead


def test_of_each_text_that_holds_something_a_finding_names_a_command(planted: DamagedDatabase) -> None:
    """But for what says nothing of a text: who looks at the same row finds the text's own finding there."""
    silent = {
        each["code"]
        for each in planted.doctor(EVERYTHING)
        if not each["command"] and not any(why in each["evidence"] for why in ("holds no key", "no command prints it"))
    }
    assert silent <= {
        *("wrong-label", "unknown-sealing-key", "register-mismatch", "status-differs", "shared-key"),
        *("duplicate-vault-records", "placeholder", "live-after-revoke", "stored-flag-wrong"),
        *("shared-key-vault-id", "duplicate-live", "identity-changed", "missing-vault-record"),
    }
