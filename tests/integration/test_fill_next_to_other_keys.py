"""A missing key that doctor calls automatic is filled in, whatever other keys are kept of the wallet, or next to it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from strongroom import Vault, Wallet
from testbed.command_line import call
from testbed.databases.deployments import Deployment
from testbed.databases.guards import install, key_of, put
from tests.integration.test_keys_in_metadata import ask, run
from tests.integration.test_keys_in_pieces import repair
from tests.integration.test_wrapped_sealed_texts import put_into_metadata

BOTH = pytest.mark.parametrize("core_deployments", ["sqlite", "g4"], indirect=True)
STRANGER = "7b" * 31 + "c9"


def kept(deployment: Deployment, vault: Vault, *, others_project: bool = False) -> tuple[Wallet, str, str]:
    """A wallet whose key its history alone keeps, and the key of another one."""
    install(deployment)
    project = deployment.project()
    wallet = vault.create_wallet(project, "ethereum").wallet
    other = vault.create_wallet(deployment.project() if others_project else project, "ethereum", label="b").wallet
    keys = key_of(vault, wallet), key_of(vault, other)
    put(deployment, wallet.id, "")
    return wallet, *keys


def left(deployment: Deployment, folder: Path) -> list[dict[str, Any]]:
    path = folder / "left.json"
    base = ("--database", deployment.url, "--root-key", deployment.root_key)
    assert call("repair", *base, "--plan", str(path)).code == 0
    found: list[dict[str, Any]] = json.loads(path.read_text())["left_to_people"]
    return [each for each in found if each["code"] == "placeholder"]


@BOTH
@pytest.mark.parametrize("moved", ["a stranger's", "another wallet's"])
def test_a_key_that_was_moved_aside_is_not_taken_for_it(
    core_deployments: Deployment, core_vault: Vault, moved: str, tmp_path: Path
) -> None:
    wallet, key, other = kept(core_deployments, core_vault)
    put_into_metadata(core_deployments, wallet.id, "privateKey", STRANGER if "stranger" in moved else other)
    run(core_deployments, f"strongroom wallet move-key {wallet.id} --to history")
    assert left(core_deployments, tmp_path) == []
    repair(core_deployments, tmp_path)
    assert key_of(core_vault, wallet) == key
    assert [each for each in ask(core_deployments)["findings"] if each["code"] == "placeholder"] == []


@BOTH
def test_another_projects_key_in_the_metadata_does_not_hold_it_up(
    core_deployments: Deployment, core_vault: Vault, tmp_path: Path
) -> None:
    wallet, key, other = kept(core_deployments, core_vault, others_project=True)
    put_into_metadata(core_deployments, wallet.id, "privateKey", other)
    told = [each for each in ask(core_deployments)["findings"] if each["code"] == "shared-key"]
    assert {each["credential_id"]: "not the one" in each["evidence"] for each in told}[str(wallet.id)]
    assert left(core_deployments, tmp_path) == []
    repair(core_deployments, tmp_path)
    assert key_of(core_vault, wallet) == key


@BOTH
def test_what_is_left_names_what_gets_it_out(core_deployments: Deployment, core_vault: Vault, tmp_path: Path) -> None:
    """Its own key is that of another project's wallet, too."""
    install(core_deployments)
    wallet = core_vault.import_wallet(core_deployments.project(), "ethereum", private_key=STRANGER).wallet
    core_vault.import_wallet(core_deployments.project(), "ethereum", private_key=STRANGER)
    put(core_deployments, wallet.id, STRANGER)
    put(core_deployments, wallet.id, "")
    [told] = left(core_deployments, tmp_path)
    assert told["command"] == f"strongroom history restore {wallet.id}"
    run(core_deployments, told["command"])
    assert STRANGER in key_of(core_vault, wallet)


@BOTH
def test_a_wrapped_text_in_a_record_of_another_project_is_filled_in(
    core_deployments: Deployment, core_vault: Vault, tmp_path: Path
) -> None:
    wallet = core_vault.create_wallet(core_deployments.project(), "ethereum").wallet
    holder = core_vault.create_wallet(core_deployments.project(), "ethereum").wallet
    key, text = key_of(core_vault, wallet), core_deployments.texts()[wallet.id]
    put(core_deployments, holder.id, json.dumps({"encrypted": text}))
    put(core_deployments, wallet.id, "MIGRATION_REQUIRED")
    core_deployments.execute("DELETE FROM strongroom_vault_history")
    [told] = [each for each in ask(core_deployments)["findings"] if each["code"] == "placeholder"]
    assert (told["repair"], told["automatic"]) == ("fill", True)
    repair(core_deployments, tmp_path)
    assert key_of(core_vault, wallet) == key
