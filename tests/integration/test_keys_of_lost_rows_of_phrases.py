"""A wallet of a phrase of the vault is not lost while that phrase is there: its key is derived again."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

import pytest

from strongroom import KeyMissingError, Vault, Wallet
from testbed.command_line import call
from testbed.databases.deployments import Deployment, open_deployment
from testbed.databases.guards import key_of, put, rows_gone
from tests.integration.doctors import finding
from tests.integration.test_keys_in_metadata import ask


@pytest.fixture(params=["sqlite", "postgresql", "g3", "g4"])
def deployment(request: pytest.FixtureRequest) -> Iterator[Deployment]:
    with open_deployment(request.param, request) as opened:
        yield opened


def derived(deployment: Deployment, vault: Vault) -> Wallet:
    """The second wallet of a phrase."""
    project = deployment.project()
    vault.create_phrase(project)
    vault.create_wallet(project, "ethereum", phrase="default", label="first")
    return vault.create_wallet(project, "ethereum", phrase="default", label="second").wallet


def without_history(deployment: Deployment, wallet: Wallet) -> None:
    deployment.execute("DELETE FROM strongroom_vault_history WHERE credential_id = ?", wallet.id)


def lose(deployment: Deployment, wallet: Wallet, way: str) -> None:
    if way == "rows":
        rows_gone(deployment, wallet.id)
    elif way == "record":
        deployment.execute("DELETE FROM credential_vault_storage WHERE credential_id = ?", wallet.id)
    else:
        put(deployment, wallet.id, "MIGRATION_REQUIRED")
    without_history(deployment, wallet)


CODES = {"rows": "wallet-rows-gone", "record": "missing-vault-record", "text": "placeholder"}


@pytest.mark.parametrize("way", CODES)
def test_its_key_is_derived_again_by_the_command_of_the_finding(
    deployment: Deployment, vault_a: Vault, way: str
) -> None:
    wallet = derived(deployment, vault_a)
    key = key_of(vault_a, wallet)
    lose(deployment, wallet, way)
    told = finding(ask(deployment), CODES[way], wallet.id)
    assert (told["repair"], told["command"]) == ("ask", f"strongroom history restore {wallet.id}")
    assert f"the phrase {wallet.phrase_id} of its project derives its key" in told["evidence"]
    options = ("--database", deployment.url, "--root-key", deployment.root_key)
    said = call("doctor", *options).out
    assert "Lost: nothing" not in said
    assert "lost           1" not in said
    answer = call(*shlex.split(told["command"])[1:], *options)
    assert answer.code == 0, answer
    assert key_of(vault_a, wallet) == key
    assert [each.code for each in vault_a.verify(wallet.id, phrases=True)] == [None]
    assert vault_a.get_wallet(wallet.id).phrase_index == 1
    [row] = deployment.execute("SELECT count(*) FROM credential_vault_storage WHERE credential_id = ?", wallet.id)
    assert row == (1,)
    assert not [each for each in ask(deployment)["findings"] if each["credential_id"] == str(wallet.id)]


def test_a_phrase_that_is_gone_or_does_not_open_gives_no_key(deployment: Deployment, vault_a: Vault) -> None:
    wallet = derived(deployment, vault_a)
    lose(deployment, wallet, "record")
    deployment.execute("UPDATE strongroom_phrase SET sealed_text = ''")
    told = finding(ask(deployment), "missing-vault-record", wallet.id)
    assert (told["repair"], told["command"]) == ("none", f"strongroom wallet store-key {wallet.id}")
    with pytest.raises(KeyMissingError):
        vault_a.restore(wallet.id)
