"""One key under several wallets: one nonce guard covers those of a project, and of the others people are told."""

from __future__ import annotations

import json
import warnings
from uuid import UUID, uuid4

import pytest

import strongroom
from strongroom import Vault
from testbed.command_line import call
from testbed.processes.signing import payload

KEY = "0x" + "11" * 32


def imported(vault: Vault, project: UUID, label: str = "default", network: str = "ethereum") -> strongroom.Wallet:
    return vault.import_wallet(project, network, private_key=KEY, label=label).wallet


def test_one_key_under_two_labels_signs_one_payload_under_a_nonce(vault: Vault) -> None:
    project = uuid4()
    one, other = imported(vault, project), imported(vault, project, "twin")
    assert one.address == other.address
    first = vault.sign_transaction(one, payload(7, "22"))
    assert vault.sign_transaction(other, payload(7, "22")).as_dict() == first.as_dict(), "the same payload again"
    with pytest.raises(strongroom.NonceConflictError):
        vault.sign_transaction(other, payload(7, "33"))
    assert vault.sign_transaction(other, payload(7, "33", fee=40), replace=True)
    with pytest.raises(strongroom.NonceConflictError):
        vault.sign_transaction(one, payload(7, "22"))


def test_the_same_nonce_on_another_chain_is_another_one(vault: Vault) -> None:
    project = uuid4()
    one = imported(vault, project)
    other = imported(vault, project, network="polygon")
    assert vault.sign_transaction(one, payload(7, "22"))
    assert vault.sign_transaction(other, {**payload(7, "33"), "chainId": 137})


def test_verify_warns_of_a_key_under_several_wallets(vault: Vault) -> None:
    project = uuid4()
    alone, _ = vault.create_wallet(project, "ethereum", label="alone")
    twins = {imported(vault, project).id, imported(vault, project, "twin").id}
    assert {result.id: result.warnings for result in vault.verify()} == {
        alone.id: (),
        **dict.fromkeys(twins, ("shared-key",)),
    }
    elsewhere = imported(vault, uuid4())
    told = {result.id: result.warnings for result in vault.verify()}
    assert told == {alone.id: (), **dict.fromkeys({*twins, elsewhere.id}, ("shared-key-across-projects",))}
    assert all(result.ok for result in vault.verify()), "a warning is no fault"
    (single,) = vault.verify(elsewhere)
    assert single.warnings == ("shared-key-across-projects",)


def test_importing_a_key_of_another_project_warns_and_is_done(vault: Vault) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", strongroom.SharedKeyWarning)
        project = uuid4()
        imported(vault, project)
        imported(vault, project, "twin")
    with pytest.warns(strongroom.SharedKeyWarning, match="Another project"):
        wallet = imported(vault, uuid4())
    assert vault.get_wallet(wallet) == wallet


def test_the_command_line_tells_of_shared_keys(
    vault: Vault, vault_url: str, root_key_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STRONGROOM_DATABASE_URL", vault_url)
    monkeypatch.setenv("STRONGROOM_ROOT_KEY", root_key_uri)
    imported(vault, uuid4())
    command = ("wallet", "import", "ethereum", "--project", str(uuid4()), "--private-key-stdin")
    answer = call(*command, stdin=KEY.encode())
    assert answer.code == 0
    assert "Warning: Another project has a wallet" in answer.err
    answer = call(*command[:-2], str(uuid4()), command[-1], "--json", stdin=KEY.encode())
    assert len(answer.document["warnings"]) == 1
    answer = call("verify")
    assert (answer.code, "3 wallets share their key with another one, 3 of them" in answer.err) == (0, True)
    document = json.loads(call("verify", "--json").out)
    assert [each["warnings"] for each in document["warnings"]] == [["shared-key-across-projects"]] * 3
