"""What a writer of the database tried against the register, and what late and stale processes leave in it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest

import strongroom
from strongroom import Vault, Wallet
from strongroom.records import register
from strongroom.usecases import rotate
from testbed.databases.deployments import Deployment, open_deployment
from testbed.databases.moved_rows import divided, move
from testbed.processes.signing import payload

BACKENDS = ("sqlite", "fresh", "g3")
PHRASE = " ".join(["abandon"] * 11 + ["about"])
DEAD = "0x000000000000000000000000000000000000dEaD"


@pytest.fixture(params=BACKENDS)
def deployment(request: pytest.FixtureRequest) -> Iterator[Deployment]:
    with open_deployment(request.param, request) as opened:
        yield opened


def forget(deployment: Deployment, wallet: Wallet) -> None:
    """Take a wallet's record and its sealed text away."""
    deployment.execute("DELETE FROM strongroom_wallet WHERE credential_id = ?", wallet.id)
    deployment.execute(
        "UPDATE credential_vault_storage SET encrypted_private_key = 'MIGRATION_REQUIRED' WHERE credential_id = ?",
        wallet.id,
    )


WRITES: dict[str, Callable[[Vault, Wallet], Any]] = {
    "replace": lambda vault, wallet: vault.replace_wallet(wallet.id),
    "revoke": lambda vault, wallet: vault.revoke_wallet(wallet.id),
    "restore": lambda vault, wallet: vault.restore(wallet.id, actor="a", reason="r"),
    "store-key": lambda vault, wallet: vault.store_key(wallet.id, mnemonic=PHRASE),
}


@pytest.mark.parametrize("verb", WRITES)
def test_no_verb_blesses_a_row_whose_record_and_text_were_taken_away(
    deployment: Deployment, vault_a: Vault, verb: str
) -> None:
    wallet, _ = vault_a.import_wallet(deployment.project(), "ethereum", mnemonic=PHRASE)
    other = deployment.project()
    forget(deployment, wallet)
    if divided(deployment):  # a foreign key holds the row in its project unless all of them go
        move(deployment, wallet.id, other)
    else:
        deployment.execute("UPDATE project_credentials SET project_id = ? WHERE id = ?", other, wallet.id)
    with pytest.raises(strongroom.StrongroomError):
        WRITES[verb](vault_a, wallet)
    assert deployment.execute("SELECT count(*) FROM strongroom_wallet WHERE credential_id = ?", wallet.id) == [(0,)]
    with deployment.open() as vault:
        with pytest.raises(strongroom.StrongroomError):
            vault.sign_message(wallet.id, "hello")
        assert [each for each in vault.list_wallets(other).wallets if each.proved] == [] if deployment.foreign else True


@pytest.mark.parametrize("verb", ["restore", "store-key"])
def test_a_revoked_wallet_does_not_come_back_by_its_key(deployment: Deployment, vault_a: Vault, verb: str) -> None:
    wallet, _ = vault_a.import_wallet(deployment.project(), "ethereum", mnemonic=PHRASE)
    vault_a.revoke_wallet(wallet)
    forget(deployment, wallet)
    deployment.execute(
        "UPDATE project_credentials SET status = 'active', is_active = true, revoked_at = NULL WHERE id = ?", wallet.id
    )
    deployment.execute(
        "UPDATE credential_vault_storage SET access_level = 'project_admin' WHERE credential_id = ?", wallet.id
    )
    with pytest.raises(strongroom.IdentityMismatchError):
        WRITES[verb](vault_a, wallet)
    with deployment.open() as vault, pytest.raises(strongroom.StrongroomError):
        vault.sign_message(wallet.id, "hello")


def test_a_head_of_before_the_end_of_the_upgrade_is_not_put_back(deployment: Deployment) -> None:
    with pytest.raises(Exception, match=r"complete|finished"):
        deployment.execute("UPDATE strongroom_keyring_head SET tags_complete = false")


def test_an_older_head_is_not_believed_by_a_vault_that_saw_a_newer_one(deployment: Deployment, vault_a: Vault) -> None:
    columns = "id, version, states, tags_complete, accept_foreign, tagged_version, kid, tag"
    (before,) = deployment.execute(f"SELECT {columns} FROM strongroom_keyring_head")
    wallet, _ = vault_a.create_wallet(deployment.project(), "ethereum")
    from strongroom.records.usage_log import Attribution
    from strongroom.usecases.upgrade import set_accept_foreign

    assert set_accept_foreign(vault_a._context, not vault_a._context.keyring.head.accept_foreign, Attribution())  # type: ignore[union-attr]
    assignments = ", ".join(f"{name} = ?" for name in columns.split(", "))
    booleans = [1 if value is True else 0 if value is False else value for value in before]
    values = booleans if deployment.backend == "sqlite" else list(before)
    deployment.execute(f"UPDATE strongroom_keyring_head SET {assignments}", *values)
    with pytest.raises(strongroom.KeyringCorruptError):
        vault_a._context.keyring.refresh()
    assert vault_a.get_wallet(wallet) == wallet


def test_a_rotation_that_the_head_cannot_hold_is_refused_before_it_is_written(
    deployment: Deployment, vault_a: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    wallet, _ = vault_a.create_wallet(deployment.project(), "ethereum")
    for _ in range(3):
        vault_a.rotate_sealing_key()
    monkeypatch.setattr(rotate, "MOST_STATES_CHARACTERS", 150)
    with pytest.raises(strongroom.ConflictError):
        vault_a.rotate_sealing_key()
    with deployment.open() as vault:
        assert vault.get_wallet(wallet) == wallet
    assert register.MOST_STATES_CHARACTERS // 40 > 5_000, "sealing keys that a vault can have"


@pytest.mark.parametrize("deployment", ["fresh", "g3"], indirect=True)
def test_what_commits_after_its_key_was_retired_counts_again_after_the_next_rewrap(
    deployment: Deployment, vault_a: Vault
) -> None:
    project = deployment.project()
    engine = strongroom.create_engine(deployment.url)
    with engine.connect() as connection:
        late, _ = vault_a.create_wallet(project, "ethereum", connection=connection)
        with deployment.open() as another:
            another.rotate_sealing_key()
            assert all(result.ok for result in another.rewrap())
        connection.commit()
    engine.dispose()
    with deployment.open() as vault:
        if vault.status().sealing_keys[0].state == "retired":
            with pytest.raises(strongroom.IdentityMismatchError) as refused:
                vault.get_wallet(late.id)
            assert "rewrap" in (refused.value.hint or "")
        assert all(result.ok for result in vault.rewrap())
        assert vault.get_wallet(late.id).address == late.address
        assert vault.find_wallet(project, "ethereum") == vault.get_wallet(late.id)
        assert vault.sign_message(late.id, "hello")


def test_a_wallet_object_of_another_project_takes_no_nonce(deployment: Deployment, vault_a: Vault) -> None:
    wallet, _ = vault_a.create_wallet(deployment.project(), "ethereum")
    other, _ = vault_a.create_wallet(deployment.project(), "ethereum")
    for wrong in (
        dataclasses.replace(wallet, project_id=uuid4()),
        dataclasses.replace(wallet, project_id=other.project_id),
    ):
        with pytest.raises(strongroom.WalletNotFoundError):
            vault_a.sign_transaction(wrong, payload(7, "22"))
    dressed = dataclasses.replace(wallet, address=other.address, public_key=other.public_key)
    vault_a.sign_transaction(dressed, payload(7, "22"))
    assert deployment.execute("SELECT DISTINCT address FROM strongroom_nonce") == [(wallet.address,)]
    assert vault_a.sign_transaction(other, payload(7, "33")), "its own nonce is free"
    assert vault_a.sign_transaction(wallet, payload(7, "22"))


def test_an_idempotency_key_answers_for_its_own_network_and_label_only(deployment: Deployment, vault_a: Vault) -> None:
    """Even where its row was blessed with another wallet in it."""
    from strongroom.records.register import IdempotencyRecord
    from strongroom.usecases.tagging import tag_key

    project = deployment.project()
    vault_a.create_wallet(project, "ethereum", idempotency_key="k")
    bitcoin, _ = vault_a.create_wallet(project, "bitcoin")
    ((request,),) = deployment.execute("SELECT request FROM strongroom_idempotency WHERE key = 'k'")
    tag = tag_key(vault_a._context, IdempotencyRecord(project, "k", request, bitcoin.id))
    deployment.execute(
        "UPDATE strongroom_idempotency SET credential_id = ?, tag = ? WHERE key = 'k'", bitcoin.id, tag.value
    )
    with pytest.raises(strongroom.IdentityMismatchError) as refused:
        vault_a.create_wallet(project, "ethereum", idempotency_key="k")
    assert "network" in refused.value.columns


def test_a_revoked_wallet_whose_record_of_the_vault_is_gone_can_be_completed(
    deployment: Deployment, vault_a: Vault
) -> None:
    wallet, _ = vault_a.import_wallet(deployment.project(), "ethereum", mnemonic=PHRASE)
    vault_a.revoke_wallet(wallet)
    deployment.execute("DELETE FROM credential_vault_storage WHERE credential_id = ?", wallet.id)
    stored, done = vault_a.store_key(wallet.id, mnemonic=PHRASE)
    assert (done, stored.status, stored.access_level) == (True, "revoked", "revoked")
    assert vault_a.get_wallet(wallet.id) == stored
    assert all(result.ok for result in vault_a.verify(wallet.id))


@pytest.mark.parametrize("deployment", ["g3"], indirect=True)
def test_a_foreign_wallet_that_was_revoked_stays_unproved(deployment: Deployment, vault_a: Vault) -> None:
    project, wallet_id = deployment.project(), uuid4()
    deployment.execute(
        "INSERT INTO project_credentials (id, project_id, credential_type, network, wallet_address, public_key,"
        " key_vault_id, status, is_active) VALUES (?, ?, 'ethereum_wallet', 'ethereum', ?, '', ?, 'active', true)",
        *(wallet_id, project, DEAD, f"vault_{wallet_id}"),
    )
    deployment.execute(
        "INSERT INTO credential_vault_storage (id, credential_id, vault_id, encrypted_private_key, encryption_method,"
        " access_level) VALUES (?, ?, ?, 'U2FsdGVkX1', 'AES-256-GCM', 'project_admin')",
        *(uuid4(), wallet_id, f"vault_{wallet_id}"),
    )
    assert not vault_a.revoke_wallet(wallet_id).proved
    deployment.execute("DELETE FROM credential_vault_storage WHERE credential_id = ?", wallet_id)
    found = vault_a.get_wallet(wallet_id)
    assert (found.proved, found.status) == (False, "revoked")
