"""An extended private key in a text: the wallet's own key below it is found, printed, and stored; the rest stays."""

from __future__ import annotations

import json
import shlex
from typing import Any

import pytest

from strongroom import Vault
from testbed.command_line import CommandResult, call
from testbed.databases.deployments import Deployment
from testbed.databases.guards import install, key_of, put
from tests.integration.doctors import document
from tests.integration.test_commands_that_work import put_member
from tests.unit.takeover.doctor.test_extended_keys import extended, key_at

BOTH = pytest.mark.parametrize("core_deployments", ["sqlite", "g4"], indirect=True)
GIVEN, PATH = "m/44'/60'/0'", "m/44'/60'/0'/0/3"
XPRV, KEY = extended(GIVEN), key_at(PATH).hex()
MISSING = ("placeholder", "missing-vault-record")


def run(deployment: Deployment, command: str, stdin: str = "") -> CommandResult:
    words = shlex.split(command)
    assert words.pop(0) == "strongroom", command
    answer = call(*words, "--database", deployment.url, "--root-key", deployment.root_key, stdin=stdin.encode())
    assert answer.code == 0, (command, answer)
    return answer


def ask(deployment: Deployment) -> dict[str, Any]:
    return document(deployment.url, "--root-key", deployment.root_key)


@pytest.mark.parametrize("text", [XPRV, json.dumps({"xprv": XPRV}), f'"{XPRV}"'])
@BOTH
def test_in_a_record_it_is_told_printed_and_stored(core_deployments: Deployment, core_vault: Vault, text: str) -> None:
    deployment = core_deployments
    wallet = core_vault.import_wallet(deployment.project(), "ethereum", private_key=KEY).wallet
    put(deployment, wallet.id, text)
    deployment.execute("DELETE FROM strongroom_vault_history")
    [found] = [each for each in ask(deployment)["findings"] if each["code"] in ("plaintext-key", "encoded-key")]
    assert "derives the stored address (ethereum, bip44, its child m/0/3)" in found["evidence"]
    assert found["repair"] == "ask", "the other keys below it would be lost"
    assert XPRV in run(deployment, found["command"]).out.replace("\\", "")
    assert KEY in run(deployment, f"strongroom history reveal {found['row']} --reveal").out
    run(deployment, f"strongroom wallet store-key {wallet.id} --private-key-stdin --archive-current", XPRV)
    assert key_of(core_vault, wallet) == f"0x{KEY}"
    [kept] = [each for each in ask(deployment)["notes"] if each["code"] == "kept-text"]
    assert XPRV in run(deployment, kept["command"]).out, "the whole text is kept, sealed"


@pytest.mark.parametrize("place", ["its metadata", "its history"])
@BOTH
def test_a_missing_key_is_filled_in_from_it(
    core_deployments: Deployment, core_vault: Vault, place: str, tmp_path: Any
) -> None:
    deployment = core_deployments
    wallet = core_vault.import_wallet(deployment.project(), "ethereum", private_key=KEY).wallet
    if place == "its history":
        deployment.execute("DELETE FROM strongroom_vault_history")
        install(deployment)
        put(deployment, wallet.id, XPRV)
        put(deployment, wallet.id, "MIGRATION_REQUIRED")
        deployment.execute("DELETE FROM strongroom_vault_history WHERE form = 'sealed'")
    else:
        put(deployment, wallet.id, "MIGRATION_REQUIRED")
        deployment.execute("DELETE FROM strongroom_vault_history")
        put_member(deployment, wallet, "backup", XPRV)
    [missing] = [each for each in ask(deployment)["findings"] if each["code"] in MISSING]
    assert (missing["repair"], missing["automatic"]) == ("fill", True), missing
    plan = tmp_path / "plan.json"
    run(deployment, f"strongroom repair --plan {plan}")
    run(deployment, f"strongroom repair --apply {plan}")
    assert key_of(core_vault, wallet) == f"0x{KEY}"
    code = "foreign-history" if place == "its history" else "key-in-metadata"
    [left] = [each for each in ask(deployment)["findings"] if each["code"] == code]
    assert (left["repair"], XPRV in run(deployment, left["command"]).out) == ("ask", True)


@pytest.mark.parametrize("path", [GIVEN, f"{GIVEN}/0/0"])
@BOTH
def test_under_another_wallet_it_is_not_lost(core_deployments: Deployment, core_vault: Vault, path: str) -> None:
    deployment, project = core_deployments, core_deployments.project()
    wallet = core_vault.import_wallet(project, "ethereum", private_key=key_at(path).hex()).wallet
    holder = core_vault.create_wallet(project, "ethereum", label="b").wallet
    put(deployment, wallet.id, "MIGRATION_REQUIRED")
    deployment.execute("DELETE FROM strongroom_vault_history")
    put_member(deployment, holder, "backup", XPRV)
    [missing] = [each for each in ask(deployment)["findings"] if each["code"] in MISSING]
    assert missing["repair"] == "ask", missing
    assert XPRV in run(deployment, missing["command"]).out


@BOTH
def test_it_is_imported_with_an_address_alone(core_deployments: Deployment, core_vault: Vault) -> None:
    project = core_deployments.project()
    given = f"strongroom wallet import ethereum --project {project} --private-key-stdin"
    words = [*shlex.split(given)[1:], "--database", core_deployments.url, "--root-key", core_deployments.root_key]
    answer = call(*words, stdin=XPRV.encode())
    assert (answer.code != 0, "--address" in answer.err) == (True, True), answer
    address = core_vault.import_wallet(core_deployments.project(), "ethereum", private_key=KEY).wallet.address
    run(core_deployments, f"{given} --address {address}", XPRV)
    [found] = core_vault.list_wallets(project).wallets
    assert (found.address, key_of(core_vault, found)) == (address, f"0x{KEY}")
