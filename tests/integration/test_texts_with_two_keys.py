"""A text that holds a second key or secret: no repair puts the first one alone in its place."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from testbed.command_line import CommandResult, call
from testbed.databases.attacked import Attacked, address_of
from testbed.databases.deployments import Deployment
from testbed.databases.guards import install, put, rows_gone
from testbed.defects.locked import LEGACY_PASSWORD, envelope_text
from testbed.processes.wallets import PHRASE

K1, K2 = "3a" * 32, "5c" * 32
OPTION = "--legacy-password-stdin"
STDIN = LEGACY_PASSWORD.encode() + b"\n"
TEXTS = {
    "json": (json.dumps({"privateKey": K1, "oldPrivateKey": K2}), K2),
    "one name": (f'{{"privateKey": "{K2}", "privateKey": "{K1}"}}', K2),
    "prose": (f"key 0x{K1}, before rotation 0x{K2}", K2),
    "phrase": (json.dumps({"privateKey": K1, "mnemonic": PHRASE}), PHRASE),
}


def envelope(text: str) -> str:
    return envelope_text(text, LEGACY_PASSWORD, bytes(32), bytes(16))


def run(deployment: Deployment, *words: str) -> CommandResult:
    stdin = STDIN if OPTION in words else b""
    return call(*words, "--database", deployment.url, "--root-key", deployment.root_key, stdin=stdin)


def repaired(attacked: Attacked, *options: str) -> None:
    stdin = STDIN if OPTION in options else b""
    answer = attacked.apply(attacked.plan(*options, stdin=stdin), *options, stdin=stdin)
    assert answer.code == 0, answer


def of_history(attacked: Attacked, *options: str) -> list[dict[str, Any]]:
    found = attacked.doctor(*options, stdin=STDIN if OPTION in options else b"")
    return [each for each in found if each["code"] == "foreign-history"]


def wallet_of(attacked: Attacked, key: str, text: str) -> UUID:
    """A wallet of the legacy application, or one of ours, over whose text another one was put."""
    deployment = attacked.deployment
    if deployment.foreign:
        wallet = attacked.credential(project := deployment.project(), address_of(key))
        attacked.record(wallet, text, project)
        return wallet
    with deployment.open() as vault:
        made = vault.import_wallet(deployment.project(), "ethereum", private_key=key).wallet.id
    put(deployment, made, text)
    return made


@pytest.mark.crossed(10)
@pytest.mark.parametrize("gone", [False, True], ids=["rows", "rows gone"])
@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.one_server
def test_the_second_key_of_an_entry_survives_a_repair(
    core_deployments: Deployment, private_path: Path, text: str, gone: bool
) -> None:
    deployment, attacked = core_deployments, Attacked(core_deployments, private_path)
    both, second = TEXTS[text]
    wallet = wallet_of(attacked, K1, both)
    install(deployment)
    put(deployment, wallet, "0x" + K1)  # the application tidies its text: the guard archives the old one
    if gone:
        rows_gone(deployment, wallet)
    [found] = [each for each in of_history(attacked) if each["repair"] == "ask"]
    assert "another key or secret" in found["evidence"]
    repaired(attacked)
    answer = run(deployment, *shlex.split(found["command"])[1:])
    assert (answer.code, second in answer.out, K1 in answer.out) == (0, True, True)
    [left] = [each for each in of_history(attacked) if each["row"] == found["row"]]
    assert left["command"] == found["command"]


def test_where_the_first_key_is_another_wallets_the_whole_text_is_named(
    core_deployments: Deployment, private_path: Path
) -> None:
    attacked = Attacked(core_deployments, private_path)
    with core_deployments.open() as vault:
        wallet = vault.create_wallet(core_deployments.project(), "ethereum").wallet
        attacked.entry(wallet.id, TEXTS["json"][0], wallet.project_id, wallet.address, "foreign")
        [found] = of_history(attacked)
        answer = run(core_deployments, *shlex.split(found["command"])[1:])
        assert (answer.code, K1 in answer.out, K2 in answer.out) == (0, True, True)
        assert vault.reveal_kept(found["row"], actor="ann", reason="to look").holds_more


@pytest.mark.parametrize("place", ["record", "history", "rows gone"])
def test_an_envelope_with_two_keys_is_kept_and_named(
    core_deployments: Deployment, private_path: Path, place: str
) -> None:
    deployment, attacked = core_deployments, Attacked(core_deployments, private_path)
    text = envelope(TEXTS["json"][0])
    with deployment.open() as vault:
        wallet = vault.import_wallet(deployment.project(), "ethereum", private_key=K1).wallet
    if place == "record":
        put(deployment, wallet.id, text)
        deployment.execute("DELETE FROM strongroom_vault_history")
    else:
        attacked.entry(wallet.id, text, wallet.project_id, wallet.address, "foreign")
    if place == "rows gone":
        rows_gone(deployment, wallet.id)
    repaired(attacked, OPTION)
    [found] = of_history(attacked, OPTION)
    assert found["repair"] == "ask"
    answer = run(deployment, *shlex.split(found["command"])[1:])
    assert (answer.code, K1 in answer.out, K2 in answer.out) == (0, True, True)
    assert [each["row"] for each in of_history(attacked)] == [found["row"]], "without a password it is named, too"


def test_an_envelope_that_an_older_repair_kept_is_named_with_its_password(
    core_deployments: Deployment, private_path: Path
) -> None:
    deployment, attacked = core_deployments, Attacked(core_deployments, private_path)
    with deployment.open() as vault:
        wallet = vault.import_wallet(deployment.project(), "ethereum", private_key=K1).wallet
    for text in (TEXTS["json"][0], K1):
        attacked.entry(wallet.id, envelope(text), wallet.project_id, wallet.address, "foreign")
    deployment.execute(
        "UPDATE strongroom_vault_history SET reason = 'repair', schema_version = 3 WHERE form = 'foreign'"
    )
    [found] = of_history(attacked, OPTION)
    assert K2 in run(deployment, *shlex.split(found["command"])[1:]).out
    assert of_history(attacked) == []


@pytest.mark.parametrize("gone", [False, True], ids=["rows", "rows gone"])
def test_an_entry_that_is_an_envelope_is_kept_when_its_key_is_sealed(
    core_deployments: Deployment, private_path: Path, gone: bool
) -> None:
    deployment, attacked = core_deployments, Attacked(core_deployments, private_path)
    text = envelope("0x" + K1)
    with deployment.open() as vault:
        wallet = vault.import_wallet(deployment.project(), "ethereum", private_key=K1).wallet
    attacked.entry(wallet.id, text, wallet.project_id, wallet.address, "foreign")
    if gone:
        rows_gone(deployment, wallet.id)
    repaired(attacked, OPTION)
    assert of_history(attacked, OPTION) == []
    kept = deployment.execute("SELECT form, reason FROM strongroom_vault_history WHERE text = ?", text)
    assert [tuple(each) for each in kept] == [("foreign", "repair")]


def test_a_plan_made_before_does_not_seal_such_an_entry(core_deployments: Deployment, private_path: Path) -> None:
    """The text of an entry changes after the plan was made, and the digests with it: nothing is lost either way."""
    deployment, attacked = core_deployments, Attacked(core_deployments, private_path)
    with deployment.open() as vault:
        wallet = vault.import_wallet(deployment.project(), "ethereum", private_key=K1).wallet
    attacked.entry(wallet.id, K1, wallet.project_id, wallet.address, "foreign")
    plan = attacked.plan()
    deployment.execute("UPDATE strongroom_vault_history SET text = ? WHERE form = 'foreign'", TEXTS["json"][0])
    attacked.apply(plan)
    assert K2 in str(deployment.execute("SELECT text FROM strongroom_vault_history"))
