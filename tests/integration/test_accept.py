"""`strongroom upgrade --accept`: what a person takes over, what is asked first, and what no person overrides."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

import strongroom
from strongroom import Vault
from strongroom.model import Actor
from strongroom.settings import Settings
from strongroom.wiring import open_parts, open_upgrade
from tests.acceptance.test_cli import Answer, call
from tests.integration.children_lifecycle import Place, open_place
from tests.integration.test_shared_keys import payload

GROUNDS = ("sqlite", "fresh", "g3")
_IDENTITY = ("project_id=", "network=", "wallet_address=", "known_address=")


@pytest.fixture(params=GROUNDS)
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    with open_place(request.param, request) as opened:
        yield opened


def accept(place: Place, wallet: UUID, *options: str) -> Answer:
    return call(
        *("upgrade", "--database", place.url, "--root-key", place.root_key),
        *("--accept", str(wallet), "--json", *options),
    )


def accept_decided(place: Place, wallet: UUID) -> list[Any]:
    """As a person who said yes at a terminal."""
    opened = open_upgrade(Settings(database=place.url, root_key=place.root_key), Actor())
    try:
        return list(opened.accept(wallet, Actor(), decided=True))
    finally:
        opened.parts.close()


def set_status(place: Place, wallet: UUID, status: str) -> None:
    place.execute(
        f"UPDATE project_credentials SET status = ?, is_active = {str(status == 'active').lower()}, revoked_at = NULL "
        "WHERE id = ?",
        *(status, wallet),
    )
    place.execute("UPDATE credential_vault_storage SET access_level = 'project_admin' WHERE credential_id = ?", wallet)


def found_of(answer: Answer, kind: str) -> list[list[str]]:
    """What was taken as found, without the identity, which is told of every wallet."""
    told = [each["found"] for each in answer.document["as_found"] if each["kind"] == kind]
    return [[each for each in found if not each.startswith(_IDENTITY)] for found in told]


@pytest.mark.parametrize("rotated", [False, True])
def test_a_replaced_wallet_whose_record_is_gone_is_not_revived_without_asking(
    place: Place, here: Vault, rotated: bool
) -> None:
    project = place.project()
    old, _ = here.create_wallet(project, "ethereum")
    new, _ = here.replace_wallet(old.id)
    if rotated:
        here.rotate_sealing_key()
    set_status(place, new.id, "replaced")
    set_status(place, old.id, "active")
    place.execute("DELETE FROM strongroom_wallet WHERE credential_id = ?", old.id)
    slots = place.execute("SELECT * FROM strongroom_slot")
    answer = accept(place, old.id)
    assert (answer.code, answer.document["finished"]) == (3, True)
    assert [(each["id"], each["why"]) for each in answer.document["undecided"]] == [(str(old.id), "slot")]
    assert place.execute("SELECT 1 FROM strongroom_wallet WHERE credential_id = ?", old.id) == []
    with place.open() as vault, pytest.raises(strongroom.IdentityMismatchError):
        vault.sign_message(old.id, "hello")
    (result,) = accept_decided(place, old.id)
    assert result.as_found[-3:] == ("label=default", "status=active", "access_level=project_admin")
    assert place.execute("SELECT * FROM strongroom_slot") == slots, "the slot whose tag fits stays"


@pytest.mark.parametrize("status", ["replaced", "revoked"])
def test_a_wallet_that_its_record_calls_retired_stays_so(place: Place, here: Vault, status: str) -> None:
    wallet, _ = here.create_wallet(place.project(), "ethereum")
    if status == "replaced":
        here.replace_wallet(wallet.id)
        set_status(place, here.find_wallet(wallet.project_id, "ethereum").id, "replaced")  # type: ignore[union-attr]
    else:
        here.revoke_wallet(wallet.id)
    set_status(place, wallet.id, "active")
    place.execute("UPDATE strongroom_slot SET tag = ?", "A" * 43)
    place.execute("DELETE FROM strongroom_vault_history")
    answer = accept(place, wallet.id)
    accept_or_refuse = answer.code
    if place.foreign:
        assert f"status={status}" in accept_decided(place, wallet.id)[0].as_found
    else:
        assert accept_or_refuse != 0
        with pytest.raises(strongroom.IdentityMismatchError):
            accept_decided(place, wallet.id)
    (told,) = place.execute("SELECT status FROM strongroom_wallet WHERE credential_id = ?", wallet.id)
    assert told == (status,)
    with place.open() as vault, pytest.raises(strongroom.StrongroomError):
        vault.sign_message(wallet.id, "hello")


def test_what_is_taken_is_always_listed(place: Place, here: Vault) -> None:
    wallet, _ = here.create_wallet(place.project(), "ethereum")
    place.execute("DELETE FROM strongroom_wallet WHERE credential_id = ?", wallet.id)
    answer = accept(place, wallet.id)
    assert (answer.code, found_of(answer, "wallet")) == (
        0,
        [["label=default", "status=active", "access_level=project_admin"]],
    )
    with place.open() as vault:
        assert vault.get_wallet(wallet.id).proved


def test_a_label_that_contradicts_a_record_that_fits_is_asked_about(place: Place, here: Vault) -> None:
    wallet, _ = here.create_wallet(place.project(), "ethereum", label="hot")
    place.execute("UPDATE project_credentials SET credential_type = 'ethereum_wallet:cold' WHERE id = ?", wallet.id)
    place.execute("DELETE FROM strongroom_slot")
    answer = accept(place, wallet.id)
    assert answer.code == 3
    assert "label" in answer.document["undecided"][0]["why"]
    record = place.execute("SELECT label FROM strongroom_wallet WHERE credential_id = ?", wallet.id)
    assert record == [("hot",)]


@pytest.mark.parametrize("place", ["sqlite", "fresh"], indirect=True)
def test_a_credential_type_of_another_network_is_asked_about(place: Place, here: Vault) -> None:
    wallet, _ = here.create_wallet(place.project(), "ethereum")
    place.execute("UPDATE project_credentials SET credential_type = 'bitcoin_wallet' WHERE id = ?", wallet.id)
    place.execute("DELETE FROM strongroom_wallet WHERE credential_id = ?", wallet.id)
    answer = accept(place, wallet.id)
    assert (answer.code, answer.document["undecided"][0]["why"]) == (3, "credential_type")


def test_an_idempotency_row_that_was_changed_has_a_way_out(place: Place, here: Vault) -> None:
    project = place.project()
    wallet, _ = here.create_wallet(project, "ethereum", idempotency_key="order-1")
    here.create_wallet(project, "bitcoin", idempotency_key="order-2")
    place.execute("UPDATE strongroom_idempotency SET tag = ? WHERE key = 'order-1'", "A" * 43)
    place.execute("UPDATE strongroom_idempotency SET credential_id = ? WHERE key = 'order-2'", wallet.id)
    with pytest.raises(strongroom.IdentityMismatchError) as refused:
        here.create_wallet(project, "ethereum", idempotency_key="order-1")
    assert f"upgrade --accept {wallet.id}" in (refused.value.hint or "")
    answer = accept(place, wallet.id)
    assert answer.code == 0, answer.err
    assert sorted(found_of(answer, "idempotency")) == [["removed"], ["tagged anew"]]
    assert place.execute("SELECT key FROM strongroom_idempotency") == [("order-1",)], "the other was of another network"
    with place.open() as vault:
        assert vault.create_wallet(project, "ethereum", idempotency_key="order-1") == (wallet, False)
        assert not vault.create_wallet(project, "bitcoin", idempotency_key="order-2").created
    assert found_of(accept(place, wallet.id), "idempotency") == []


@pytest.mark.thorough(sample=1)
def test_a_nonce_row_that_was_changed_has_a_way_out_and_stays_used(place: Place, here: Vault) -> None:
    project = place.project()
    wallet, _ = here.create_wallet(project, "ethereum")
    other, _ = here.create_wallet(project, "ethereum", label="other")
    here.sign_transaction(wallet.id, payload(7, "22"))
    here.sign_transaction(wallet.id, payload(8, "22"))
    place.execute("UPDATE strongroom_nonce SET tag = ? WHERE nonce = '7'", "A" * 43)
    place.execute("UPDATE strongroom_nonce SET credential_id = ? WHERE nonce = '8'", other.id)
    for nonce in (7, 8):
        with place.open() as vault, pytest.raises(strongroom.IdentityMismatchError) as refused:
            vault.sign_transaction(wallet.id, payload(nonce, "22"))
        assert f"upgrade --accept {wallet.id}" in (refused.value.hint or "")
    assert accept(place, other.id).code == 3, "it is another wallet's account: accepting that one decides"
    assert place.execute("SELECT count(*) FROM strongroom_nonce") == [(2,)]
    answer = accept(place, wallet.id)
    assert sorted(found_of(answer, "nonce")) == [
        ["nonce=7", "chain=1", "tagged anew"],
        ["nonce=8", "chain=1", "tagged anew"],
    ]
    with place.open() as vault:
        assert vault.sign_transaction(wallet.id, payload(7, "22"))
        for nonce in (7, 8):
            with pytest.raises(strongroom.NonceConflictError):
                vault.sign_transaction(wallet.id, payload(nonce, "33"))


def test_no_hint_offers_to_accept_a_wallet_without_a_sealed_text(place: Place, here: Vault) -> None:
    wallet, _ = here.create_wallet(place.project(), "ethereum")
    place.execute("DELETE FROM strongroom_wallet WHERE credential_id = ?", wallet.id)
    place.execute(
        "UPDATE credential_vault_storage SET encrypted_private_key = 'MIGRATION_REQUIRED' WHERE credential_id = ?",
        wallet.id,
    )
    with place.open() as vault, pytest.raises(strongroom.IdentityMismatchError) as refused:
        vault.store_key(wallet.id, private_key="11" * 32)
    assert "sealed text back" in (refused.value.hint or "")


@pytest.mark.parametrize("place", ["fresh", "g3"], indirect=True)
@pytest.mark.parametrize("statement", ["UPDATE {} SET tag = NULL, kid = NULL, states = NULL", "DELETE FROM {}"])
def test_a_head_without_a_tag_beside_records_with_tags_is_of_no_older_version(
    place: Place, here: Vault, statement: str
) -> None:
    here.create_wallet(place.project(), "ethereum")
    place.execute("ALTER TABLE strongroom_keyring_head DISABLE TRIGGER ALL")
    place.execute("ALTER TABLE strongroom_keyring_head DROP CONSTRAINT strongroom_keyring_head_tagged")
    place.execute(statement.format("strongroom_keyring_head"))
    settings = Settings(database=place.url, root_key=place.root_key)
    for opens in (open_parts, lambda each: open_upgrade(each, Actor()).parts):
        with pytest.raises(strongroom.KeyringCorruptError) as refused:
            opens(settings)
        assert "strongroom_keyring_head" in (refused.value.hint or "")


@pytest.mark.parametrize("place", ["g3"], indirect=True)
@pytest.mark.parametrize("text", ["placeholder", "another's"])
def test_a_wallet_whose_text_is_in_the_history_alone_is_accepted_and_then_restored(
    place: Place, here: Vault, text: str
) -> None:
    wallet, _ = here.create_wallet(place.project(), "ethereum")
    key = here.reveal(wallet, actor="a", reason="r").private_key.reveal_text()
    place.execute("DELETE FROM strongroom_wallet WHERE credential_id = ?", wallet.id)
    place.execute("UPDATE credential_vault_storage SET encrypted_private_key = 'MIGRATION_REQUIRED'")
    if text == "another's":  # sealed for another wallet: it proves nothing
        place.execute("UPDATE strongroom_vault_history SET text = 'eyJraWQiOi-'")
    with place.open() as vault, pytest.raises(strongroom.IdentityMismatchError, match="no record") as caught:
        vault.restore(wallet.id)
    answer = accept(place, wallet.id)
    if text == "another's":
        assert answer.code != 0
        assert place.execute("SELECT 1 FROM strongroom_wallet") == []
        return
    assert f"--accept {wallet.id}" in str(caught.value.hint)
    assert f"history restore {wallet.id}" in str(caught.value.hint)
    assert answer.code == 0
    with place.open() as vault:
        assert vault.restore(wallet.id).stored
        assert vault.get_wallet(wallet.id) == wallet
        assert vault.reveal(wallet, actor="a", reason="r").private_key.reveal_text() == key
