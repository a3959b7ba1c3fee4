"""`strongroom upgrade --accept`: what a person takes over, what is asked first, and what no person overrides."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import pytest

import strongroom
from strongroom import Vault
from strongroom.records.usage_log import Attribution
from strongroom.settings import Settings
from strongroom.wiring import open_context, open_upgrade
from testbed.command_line import CommandResult, call
from testbed.databases.accepting import accept_decided
from testbed.databases.deployments import Deployment, open_deployment
from testbed.processes.signing import payload

BACKENDS = ("sqlite", "fresh", "g3")
_IDENTITY = ("project_id=", "network=", "wallet_address=", "known_address=")


@pytest.fixture(params=BACKENDS)
def deployment(request: pytest.FixtureRequest) -> Iterator[Deployment]:
    with open_deployment(request.param, request) as opened:
        yield opened


def accept(deployment: Deployment, wallet: UUID, *options: str) -> CommandResult:
    return call(
        *("upgrade", "--database", deployment.url, "--root-key", deployment.root_key),
        *("--accept", str(wallet), "--json", *options),
    )


def set_status(deployment: Deployment, wallet: UUID, status: str) -> None:
    deployment.execute(
        f"UPDATE project_credentials SET status = ?, is_active = {str(status == 'active').lower()}, revoked_at = NULL "
        "WHERE id = ?",
        *(status, wallet),
    )
    deployment.execute(
        "UPDATE credential_vault_storage SET access_level = 'project_admin' WHERE credential_id = ?", wallet
    )


def found_of(answer: CommandResult, kind: str) -> list[list[str]]:
    """What was taken as found, without the identity, which is told of every wallet."""
    told = [each["found"] for each in answer.document["as_found"] if each["kind"] == kind]
    return [[each for each in found if not each.startswith(_IDENTITY)] for found in told]


@pytest.mark.parametrize("rotated", [False, True])
def test_a_replaced_wallet_whose_record_is_gone_is_not_revived_without_asking(
    deployment: Deployment, vault_a: Vault, rotated: bool
) -> None:
    project = deployment.project()
    old, _ = vault_a.create_wallet(project, "ethereum")
    new, _ = vault_a.replace_wallet(old.id)
    if rotated:
        vault_a.rotate_sealing_key()
    set_status(deployment, new.id, "replaced")
    set_status(deployment, old.id, "active")
    deployment.execute("DELETE FROM strongroom_wallet WHERE credential_id = ?", old.id)
    slots = deployment.execute("SELECT * FROM strongroom_slot")
    answer = accept(deployment, old.id)
    assert (answer.code, answer.document["finished"]) == (3, True)
    assert [(each["id"], each["why"]) for each in answer.document["undecided"]] == [(str(old.id), "slot")]
    assert deployment.execute("SELECT 1 FROM strongroom_wallet WHERE credential_id = ?", old.id) == []
    with deployment.open() as vault, pytest.raises(strongroom.IdentityMismatchError):
        vault.sign_message(old.id, "hello")
    (result,) = accept_decided(deployment, old.id)
    assert result.as_found[-3:] == ("label=default", "status=active", "access_level=project_admin")
    assert deployment.execute("SELECT * FROM strongroom_slot") == slots, "the slot whose tag fits stays"


@pytest.mark.parametrize("status", ["replaced", "revoked"])
def test_a_wallet_that_its_record_calls_retired_stays_so(deployment: Deployment, vault_a: Vault, status: str) -> None:
    wallet, _ = vault_a.create_wallet(deployment.project(), "ethereum")
    if status == "replaced":
        vault_a.replace_wallet(wallet.id)
        set_status(deployment, vault_a.find_wallet(wallet.project_id, "ethereum").id, "replaced")  # type: ignore[union-attr]
    else:
        vault_a.revoke_wallet(wallet.id)
    set_status(deployment, wallet.id, "active")
    deployment.execute("UPDATE strongroom_slot SET tag = ?", "A" * 43)
    deployment.execute("DELETE FROM strongroom_vault_history")
    answer = accept(deployment, wallet.id)
    accept_or_refuse = answer.code
    if deployment.foreign:
        assert f"status={status}" in accept_decided(deployment, wallet.id)[0].as_found
    else:
        assert accept_or_refuse != 0
        with pytest.raises(strongroom.IdentityMismatchError):
            accept_decided(deployment, wallet.id)
    (told,) = deployment.execute("SELECT status FROM strongroom_wallet WHERE credential_id = ?", wallet.id)
    assert told == (status,)
    with deployment.open() as vault, pytest.raises(strongroom.StrongroomError):
        vault.sign_message(wallet.id, "hello")


def test_what_is_taken_is_always_listed(deployment: Deployment, vault_a: Vault) -> None:
    wallet, _ = vault_a.create_wallet(deployment.project(), "ethereum")
    deployment.execute("DELETE FROM strongroom_wallet WHERE credential_id = ?", wallet.id)
    answer = accept(deployment, wallet.id)
    assert (answer.code, found_of(answer, "wallet")) == (
        0,
        [["label=default", "status=active", "access_level=project_admin"]],
    )
    with deployment.open() as vault:
        assert vault.get_wallet(wallet.id).proved


def test_a_label_that_contradicts_a_record_that_fits_is_asked_about(deployment: Deployment, vault_a: Vault) -> None:
    wallet, _ = vault_a.create_wallet(deployment.project(), "ethereum", label="hot")
    deployment.execute(
        "UPDATE project_credentials SET credential_type = 'ethereum_wallet:cold' WHERE id = ?", wallet.id
    )
    deployment.execute("DELETE FROM strongroom_slot")
    answer = accept(deployment, wallet.id)
    assert answer.code == 3
    assert "label" in answer.document["undecided"][0]["why"]
    record = deployment.execute("SELECT label FROM strongroom_wallet WHERE credential_id = ?", wallet.id)
    assert record == [("hot",)]


@pytest.mark.parametrize("deployment", ["sqlite", "fresh"], indirect=True)
def test_a_credential_type_of_another_network_is_asked_about(deployment: Deployment, vault_a: Vault) -> None:
    wallet, _ = vault_a.create_wallet(deployment.project(), "ethereum")
    deployment.execute("UPDATE project_credentials SET credential_type = 'bitcoin_wallet' WHERE id = ?", wallet.id)
    deployment.execute("DELETE FROM strongroom_wallet WHERE credential_id = ?", wallet.id)
    answer = accept(deployment, wallet.id)
    assert (answer.code, answer.document["undecided"][0]["why"]) == (3, "credential_type")


def test_an_idempotency_row_that_was_changed_has_a_way_out(deployment: Deployment, vault_a: Vault) -> None:
    project = deployment.project()
    wallet, _ = vault_a.create_wallet(project, "ethereum", idempotency_key="order-1")
    vault_a.create_wallet(project, "bitcoin", idempotency_key="order-2")
    deployment.execute("UPDATE strongroom_idempotency SET tag = ? WHERE key = 'order-1'", "A" * 43)
    deployment.execute("UPDATE strongroom_idempotency SET credential_id = ? WHERE key = 'order-2'", wallet.id)
    with pytest.raises(strongroom.IdentityMismatchError) as refused:
        vault_a.create_wallet(project, "ethereum", idempotency_key="order-1")
    assert f"upgrade --accept {wallet.id}" in (refused.value.hint or "")
    answer = accept(deployment, wallet.id)
    assert answer.code == 0, answer.err
    assert sorted(found_of(answer, "idempotency")) == [["removed"], ["tagged anew"]]
    assert deployment.execute("SELECT key FROM strongroom_idempotency") == [("order-1",)], (
        "the other was of another network"
    )
    with deployment.open() as vault:
        assert vault.create_wallet(project, "ethereum", idempotency_key="order-1") == (wallet, False)
        assert not vault.create_wallet(project, "bitcoin", idempotency_key="order-2").created
    assert found_of(accept(deployment, wallet.id), "idempotency") == []


@pytest.mark.thorough(sample=1)
def test_a_nonce_row_that_was_changed_has_a_way_out_and_stays_used(deployment: Deployment, vault_a: Vault) -> None:
    project = deployment.project()
    wallet, _ = vault_a.create_wallet(project, "ethereum")
    other, _ = vault_a.create_wallet(project, "ethereum", label="other")
    vault_a.sign_transaction(wallet.id, payload(7, "22"))
    vault_a.sign_transaction(wallet.id, payload(8, "22"))
    deployment.execute("UPDATE strongroom_nonce SET tag = ? WHERE nonce = '7'", "A" * 43)
    deployment.execute("UPDATE strongroom_nonce SET credential_id = ? WHERE nonce = '8'", other.id)
    for nonce in (7, 8):
        with deployment.open() as vault, pytest.raises(strongroom.IdentityMismatchError) as refused:
            vault.sign_transaction(wallet.id, payload(nonce, "22"))
        assert f"upgrade --accept {wallet.id}" in (refused.value.hint or "")
    assert accept(deployment, other.id).code == 3, "it is another wallet's account: accepting that one decides"
    assert deployment.execute("SELECT count(*) FROM strongroom_nonce") == [(2,)]
    answer = accept(deployment, wallet.id)
    assert sorted(found_of(answer, "nonce")) == [
        ["nonce=7", "chain=1", "tagged anew"],
        ["nonce=8", "chain=1", "tagged anew"],
    ]
    with deployment.open() as vault:
        assert vault.sign_transaction(wallet.id, payload(7, "22"))
        for nonce in (7, 8):
            with pytest.raises(strongroom.NonceConflictError):
                vault.sign_transaction(wallet.id, payload(nonce, "33"))


def test_no_hint_offers_to_accept_a_wallet_without_a_sealed_text(deployment: Deployment, vault_a: Vault) -> None:
    wallet, _ = vault_a.create_wallet(deployment.project(), "ethereum")
    deployment.execute("DELETE FROM strongroom_wallet WHERE credential_id = ?", wallet.id)
    deployment.execute(
        "UPDATE credential_vault_storage SET encrypted_private_key = 'MIGRATION_REQUIRED' WHERE credential_id = ?",
        wallet.id,
    )
    with deployment.open() as vault, pytest.raises(strongroom.IdentityMismatchError) as refused:
        vault.store_key(wallet.id, private_key="11" * 32)
    assert "sealed text back" in (refused.value.hint or "")


@pytest.mark.parametrize("deployment", ["fresh", "g3"], indirect=True)
@pytest.mark.parametrize("statement", ["UPDATE {} SET tag = NULL, kid = NULL, states = NULL", "DELETE FROM {}"])
@pytest.mark.one_server
def test_a_head_without_a_tag_next_to_records_with_tags_is_of_no_older_version(
    deployment: Deployment, vault_a: Vault, statement: str
) -> None:
    vault_a.create_wallet(deployment.project(), "ethereum")
    deployment.execute("ALTER TABLE strongroom_keyring_head DISABLE TRIGGER ALL")
    deployment.execute("ALTER TABLE strongroom_keyring_head DROP CONSTRAINT strongroom_keyring_head_tagged")
    deployment.execute(statement.format("strongroom_keyring_head"))
    settings = Settings(database=deployment.url, root_key=deployment.root_key)
    for opens in (open_context, lambda each: open_upgrade(each, Attribution()).vault_context):
        with pytest.raises(strongroom.KeyringCorruptError) as refused:
            opens(settings)
        assert "strongroom_keyring_head" in (refused.value.hint or "")


@pytest.mark.parametrize("deployment", ["g3"], indirect=True)
@pytest.mark.parametrize("text", ["placeholder", "another's"])
def test_a_wallet_whose_text_is_in_the_history_alone_is_accepted_and_then_restored(
    deployment: Deployment, vault_a: Vault, text: str
) -> None:
    wallet, _ = vault_a.create_wallet(deployment.project(), "ethereum")
    key = vault_a.reveal(wallet, actor="a", reason="r").private_key.reveal_text()
    deployment.execute("DELETE FROM strongroom_wallet WHERE credential_id = ?", wallet.id)
    deployment.execute("UPDATE credential_vault_storage SET encrypted_private_key = 'MIGRATION_REQUIRED'")
    if text == "another's":  # sealed for another wallet: it proves nothing
        deployment.execute("UPDATE strongroom_vault_history SET text = 'eyJraWQiOi-'")
    with deployment.open() as vault, pytest.raises(strongroom.IdentityMismatchError, match="no record") as caught:
        vault.restore(wallet.id)
    answer = accept(deployment, wallet.id)
    if text == "another's":
        assert answer.code != 0
        assert deployment.execute("SELECT 1 FROM strongroom_wallet") == []
        return
    assert f"--accept {wallet.id}" in str(caught.value.hint)
    assert f"history restore {wallet.id}" in str(caught.value.hint)
    assert answer.code == 0
    with deployment.open() as vault:
        assert vault.restore(wallet.id).stored
        assert vault.get_wallet(wallet.id) == wallet
        assert vault.reveal(wallet, actor="a", reason="r").private_key.reveal_text() == key
