"""Wallets that a repair leaves to people: planted, forgotten by the register, or contradicted by it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest

import strongroom
from strongroom import Wallet
from strongroom.store.write_conditions import SCHEMA_VERSION
from testbed.databases.foreign import address_of
from tests.integration.damaged_databases import left_of
from tests.integration.repaired_database import KEY, OTHER, RepairedDatabase, repaired_database

WHY = "the register"


@pytest.fixture(params=["g3", "fresh", "sqlite"])
def repaired(request: pytest.FixtureRequest, private_path: Path) -> Iterator[RepairedDatabase]:
    with repaired_database(request.param, request, private_path) as opened:
        yield opened


def made(repaired: RepairedDatabase, label: str = "default") -> Wallet:
    with repaired.deployment.open() as vault:
        return vault.import_wallet(repaired.deployment.project(), "ethereum", private_key=KEY, label=label).wallet


def in_plaintext(repaired: RepairedDatabase, wallet: UUID, key: str = KEY) -> None:
    repaired.deployment.execute(
        "UPDATE credential_vault_storage SET encrypted_private_key = ? WHERE credential_id = ?", key, wallet
    )


def left_and_untouched(repaired: RepairedDatabase, wallet: UUID) -> list[str]:
    """Plan and apply; why the wallet's findings were left."""
    before = (
        repaired.register(),
        repaired.deployment.execute(
            "SELECT encrypted_private_key FROM credential_vault_storage WHERE credential_id = ?", wallet
        ),
    )
    path = repaired.plan()
    assert [unit for unit in json.loads(path.read_text())["units"] if unit["credential_id"] == str(wallet)] == []
    assert repaired.apply(path).code == 0
    after = (
        repaired.register(),
        repaired.deployment.execute(
            "SELECT encrypted_private_key FROM credential_vault_storage WHERE credential_id = ?", wallet
        ),
    )
    assert after == before
    return [
        each["evidence"] for each in left_of(path) if each["credential_id"] == str(wallet) and WHY in each["evidence"]
    ]


@pytest.mark.parametrize("repaired", ["fresh", "sqlite"], indirect=True)
def test_a_row_that_was_planted_in_tables_of_ours_becomes_no_proved_wallet(repaired: RepairedDatabase) -> None:
    project = made(repaired).project_id
    planted = repaired.add(project, OTHER, OTHER, planted=True)
    repaired.deployment.execute(
        "UPDATE project_credentials SET credential_type = 'ethereum_wallet:hot' WHERE id = ?", planted
    )
    assert left_and_untouched(repaired, planted)
    with repaired.deployment.open() as vault:
        with pytest.raises(strongroom.IdentityMismatchError):
            vault.get_wallet(planted)
        with pytest.raises(strongroom.StrongroomError):
            vault.list_wallets(project)


@pytest.mark.thorough(sample=1)
def test_a_wallet_that_the_register_forgot_is_left(repaired: RepairedDatabase) -> None:
    wallet = made(repaired)
    repaired.deployment.execute("DELETE FROM strongroom_wallet WHERE credential_id = ?", wallet.id)
    in_plaintext(repaired, wallet.id)
    assert left_and_untouched(repaired, wallet.id)


@pytest.mark.parametrize("repaired", ["g3"], indirect=True)
def test_on_legacy_tables_the_history_tells_that_strongroom_had_a_wallet(repaired: RepairedDatabase) -> None:
    wallet = repaired.add(repaired.deployment.project(), OTHER, OTHER)
    ((project,),) = repaired.deployment.execute("SELECT project_id FROM project_credentials WHERE id = ?", wallet)
    (text,) = repaired.deployment.execute(
        "SELECT encrypted_private_key FROM credential_vault_storage WHERE credential_id = ?", made(repaired).id
    )[0]
    repaired.deployment.execute(
        "INSERT INTO strongroom_vault_history (id, project_id, credential_id, network, label, address, public_key,"
        " vault_id, text, form, reason, created_at, schema_version)"
        f" VALUES (?, ?, ?, 'ethereum', 'default', 'a', '', 'v', ?, 'sealed', 'replace', now(), {SCHEMA_VERSION})",
        *(uuid4(), project, wallet, text),
    )
    assert left_and_untouched(repaired, wallet)


@pytest.mark.parametrize("repaired", ["g3"], indirect=True)
@pytest.mark.parametrize("adopted", [False, True], ids=["as it is", "adopted"])
def test_on_legacy_tables_a_wallet_without_a_trace_is_sealed_and_proved(
    repaired: RepairedDatabase, adopted: bool
) -> None:
    """Adopted: `create_wallet` found it there, and its slot and idempotency key name it."""
    project = repaired.deployment.project()
    wallet = repaired.add(project, OTHER, OTHER)
    if adopted:
        with repaired.deployment.open() as vault:
            found = vault.create_wallet(project, "ethereum", idempotency_key="k")
        assert (str(found.wallet.id), found.created) == (str(wallet), False)
    repaired.repair()
    assert repaired.record(wallet) is not None


def test_a_wallet_whose_record_was_changed_is_left(repaired: RepairedDatabase) -> None:
    wallet = made(repaired)
    in_plaintext(repaired, wallet.id)
    repaired.deployment.execute("UPDATE strongroom_wallet SET version = version + 1 WHERE credential_id = ?", wallet.id)
    assert left_and_untouched(repaired, wallet.id)


@pytest.mark.parametrize("repaired", ["fresh", "sqlite"], indirect=True)
@pytest.mark.parametrize(
    "change",
    ["credential_type = 'ethereum_wallet:hot'", "status = 'replaced', is_active = false"],
)
def test_a_wallet_whose_rows_contradict_its_record_is_left(repaired: RepairedDatabase, change: str) -> None:
    wallet = made(repaired)
    in_plaintext(repaired, wallet.id)
    repaired.deployment.execute(f"UPDATE project_credentials SET {change} WHERE id = ?", wallet.id)
    assert left_and_untouched(repaired, wallet.id)


def test_an_address_that_was_changed_with_its_key_is_left(repaired: RepairedDatabase) -> None:
    wallet = made(repaired)
    in_plaintext(repaired, wallet.id, OTHER)
    repaired.deployment.execute(
        "UPDATE project_credentials SET wallet_address = ? WHERE id = ?", address_of("ethereum", OTHER), wallet.id
    )
    assert left_and_untouched(repaired, wallet.id)


@pytest.mark.thorough(sample=1)
def test_a_recorded_wallet_whose_key_stands_in_plaintext_is_sealed(repaired: RepairedDatabase) -> None:
    wallet = made(repaired)
    in_plaintext(repaired, wallet.id)
    repaired.repair()
    with repaired.deployment.open() as vault:
        assert vault.get_wallet(wallet.id).proved
        assert [result.ok for result in vault.verify(wallet.id)] == [True]


def test_what_became_doubtful_since_the_plan_is_not_done(repaired: RepairedDatabase) -> None:
    wallet = made(repaired)
    in_plaintext(repaired, wallet.id)
    path = repaired.plan()
    repaired.deployment.execute("DELETE FROM strongroom_wallet WHERE credential_id = ?", wallet.id)
    assert repaired.apply(path).document["wallets"]["changed since"] == 1
    assert repaired.record(wallet.id) is None


@pytest.mark.parametrize("repaired", ["g3"], indirect=True)
def test_a_wallet_that_all_was_taken_from_is_not_sealed_where_unproved_ones_are_refused(
    repaired: RepairedDatabase,
) -> None:
    """Its record and history deleted, the attacker's address and key in its rows: a person decides."""
    wallet = made(repaired)
    assert repaired.run("upgrade", "--refuse-foreign").code == 0
    for table in ("strongroom_wallet", "strongroom_vault_history"):
        repaired.deployment.execute(f"DELETE FROM {table} WHERE credential_id = ?", wallet.id)
    address = address_of("ethereum", OTHER)
    repaired.deployment.execute(
        "UPDATE project_credentials SET wallet_address = ?, public_key = '', metadata = '{}' WHERE id = ?",
        *(address, wallet.id),
    )
    in_plaintext(repaired, wallet.id, OTHER)
    (why, *_) = left_and_untouched(repaired, wallet.id)
    assert "--accept-foreign" in why
    with repaired.deployment.open() as vault:
        for ask in (lambda: vault.get_wallet(wallet.id), lambda: vault.create_wallet(wallet.project_id, "ethereum")):
            with pytest.raises(strongroom.StrongroomError):
                ask()
