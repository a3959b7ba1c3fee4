"""A key or phrase that stands in pieces, in metadata or in a vault record: read, counted, never called lost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from strongroom import Vault
from testbed.databases.deployments import Deployment
from testbed.databases.guards import put
from tests.integration.doctors import codes, finding
from tests.integration.test_keys_in_metadata import KEYS, PHRASE, ask, counted, run, write

KEY = f"{int(KEYS[5], 16) << 200 | int(KEYS[6], 16) << 120 | 0x1234567890ABCDEF0123456789:064x}"
WORDS = PHRASE.split()
PARTS = [KEY[start : start + 8] for start in range(0, 64, 8)]
IN_PIECES: dict[str, tuple[Any, str]] = {
    "numbered members": ({f"word_{number}": word for number, word in enumerate(WORDS, 1)}, "@rest"),
    "numbered members of an object": ({"seed": {f"w{number}": word for number, word in enumerate(WORDS)}}, "seed"),
    "lists in a list": ({"words": [WORDS[:6], WORDS[6:]]}, "words"),
    "words with their places": ({"backup": [{"i": number, "w": word} for number, word in enumerate(WORDS)]}, "backup"),
    "numbered digits": ({"p": {f"part{number}": KEY[16 * number : 16 * number + 16] for number in range(4)}}, "p"),
    "listed digits": ({"p": PARTS}, "p"),
    "words of 64 bits": ({"p": [int(KEY[start : start + 16], 16) for start in range(0, 64, 16)]}, "p"),
    "words of 32 bits": ({"p": [int(part, 16) for part in PARTS]}, "p"),
    "next to a long text": ({"p": {**{f"w{n}": w for n, w in enumerate(WORDS)}, "note": "x" * 40}}, "p.@rest"),
}


READABLE = ("encoded-key", "plaintext-key", "plaintext-mnemonic")
WHO: dict[str, Any] = {"actor": "test", "reason": "to compare"}


def emptied(deployment: Deployment, vault: Vault, value: Any) -> tuple[str, str]:
    """A wallet without its key, of the phrase where the value has words; and its key."""
    opening = {"mnemonic": PHRASE} if WORDS[0] in json.dumps(value) else {"private_key": KEY}
    wallet = vault.import_wallet(deployment.project(), "ethereum", **opening).wallet
    key = vault.reveal(wallet.id, **WHO).private_key.reveal_text()
    put(deployment, wallet.id, "MIGRATION_REQUIRED")
    deployment.execute("DELETE FROM strongroom_vault_history")
    return str(wallet.id), key


def repair(deployment: Deployment, folder: Path) -> None:
    run(deployment, f"strongroom repair --plan {folder / 'plan.json'}")
    run(deployment, f"strongroom repair --apply {folder / 'plan.json'}")


@pytest.mark.crossed(10)
@pytest.mark.parametrize("name", IN_PIECES)
def test_pieces_in_metadata_are_the_key(
    core_deployments: Deployment, core_vault: Vault, name: str, tmp_path: Path
) -> None:
    value, member = IN_PIECES[name]
    wallet, key = emptied(core_deployments, core_vault, value)
    write(core_deployments, value)
    found = ask(core_deployments)
    told = finding(found, "key-in-metadata", wallet)
    assert f"{member}: " in told["evidence"]
    assert "derives the stored address" in told["evidence"]
    assert (counted(core_deployments, "lost"), counted(core_deployments, "in plaintext")) == (0, 1)
    assert finding(found, "placeholder", wallet)["repair"] == "fill"
    assert key in run(core_deployments, f"strongroom history reveal metadata:{wallet}/{member} --reveal")
    repair(core_deployments, tmp_path)
    assert core_vault.reveal(wallet, **WHO).private_key.reveal_text() == key
    left = ask(core_deployments)
    if told["automatic"]:
        assert codes(left, wallet)["key-in-metadata"] == 0
        return
    command = finding(left, "key-in-metadata", wallet)["command"]
    printed = run(core_deployments, command)
    assert all(each in printed for each in (WORDS if "w" in printed else PARTS))


@pytest.mark.crossed(10)
@pytest.mark.parametrize("name", IN_PIECES)
def test_pieces_in_a_vault_record_are_the_key(
    core_deployments: Deployment, core_vault: Vault, name: str, tmp_path: Path
) -> None:
    value, _ = IN_PIECES[name]
    wallet, key = emptied(core_deployments, core_vault, value)
    put(core_deployments, wallet, json.dumps(value))  # type: ignore[arg-type]
    [told] = [each for each in ask(core_deployments)["findings"] if each["code"] in READABLE]
    assert "derives the stored address" in told["evidence"]
    assert counted(core_deployments, "in plaintext") == 1
    if told["automatic"]:
        repair(core_deployments, tmp_path)
        assert core_vault.reveal(wallet, **WHO).private_key.reveal_text() == key
        return
    assert name in ("next to a long text", "words with their places")
    assert WORDS[3] in run(core_deployments, told["command"])


def test_what_could_be_a_key_in_pieces_is_unexplained(core_deployments: Deployment, core_vault: Vault) -> None:
    """Words in no order that a phrase has, and digits of another key: they are not the key, and not nothing either."""
    wallet, _ = emptied(core_deployments, core_vault, {})
    for value in ({"w": {f"w{n}": word for n, word in enumerate(reversed(WORDS))}}, {"p": PARTS[::-1]}):
        write(core_deployments, {"w": None, "p": None, **value})
        found = ask(core_deployments)
        assert counted(core_deployments, "lost") == 0
        told = finding(found, "placeholder", wallet)
        assert (told["repair"], "unexplained" in told["evidence"]) == ("ask", True)
        printed = run(core_deployments, told["command"])
        assert WORDS[0] in printed or PARTS[0] in printed


def test_a_member_goes_with_nothing_but_its_own_key(
    core_deployments: Deployment, core_vault: Vault, tmp_path: Path
) -> None:
    """A key that is the name of a member, next to a member with another text."""
    wallet, key = emptied(core_deployments, core_vault, {})
    write(core_deployments, {"backup": {KEY: True, "other": "the only copy of something else, which stays"}})
    repair(core_deployments, tmp_path)
    assert core_vault.reveal(wallet, **WHO).private_key.reveal_text() == key
    assert "the only copy" in str(core_deployments.execute("SELECT metadata FROM project_credentials"))
    told = finding(ask(core_deployments), "key-in-metadata", wallet)
    assert "backup.@rest: " in told["evidence"]
    assert KEY in run(core_deployments, told["command"])
