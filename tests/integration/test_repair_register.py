"""What a repair writes into the register: records of what it proved, and what is returned afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

import strongroom
from testbed.databases.foreign import address_of
from tests.integration.repaired_database import KEY, OTHER, RepairedDatabase, repaired_database

WHO: dict[str, Any] = {"actor": "test", "reason": "drill"}


@pytest.fixture(params=["g2", "g3", "g4", "fresh", "sqlite"])
def repaired(request: pytest.FixtureRequest, private_path: Path) -> Iterator[RepairedDatabase]:
    with repaired_database(request.param, request, private_path) as opened:
        yield opened


@pytest.fixture
def legacy(request: pytest.FixtureRequest, private_path: Path) -> Iterator[RepairedDatabase]:
    """Generation 3: legacy tables, without a trigger."""
    with repaired_database("g3", request, private_path) as opened:
        yield opened


def test_a_sealed_wallet_is_recorded_and_returned_as_proved(repaired: RepairedDatabase) -> None:
    project = repaired.deployment.project()
    wallet = repaired.add(project, KEY, KEY)
    assert (repaired.record(wallet) is None) == repaired.deployment.foreign
    repaired.repair()
    found = repaired.record(wallet)
    assert found is not None
    record = found.record
    assert (record.project_id, record.network, record.status) == (project, "ethereum", "active")
    assert record.address.lower() == address_of("ethereum", KEY).lower()
    with repaired.deployment.open() as vault:
        assert vault.get_wallet(wallet).proved
        assert [(each.id, each.proved) for each in vault.list_wallets(project).wallets] == [(wallet, True)]
        assert vault.sign_message(wallet, "hello")
        assert [result.ok for result in vault.verify(wallet)] == [True]
    assert "register-mismatch" not in repaired.doctor(wallet)


def test_a_second_run_of_a_plan_changes_no_record(repaired: RepairedDatabase) -> None:
    project = repaired.deployment.project()
    repaired.add(project, KEY, KEY)
    path = repaired.plan()
    assert repaired.apply(path).code == 0
    before = repaired.register()
    assert repaired.apply(path).code == 0
    assert repaired.register() == before


@pytest.mark.thorough(sample=1)
@pytest.mark.parametrize("repaired", ["g2", "g3"], indirect=True)
def test_a_retired_duplicate_is_replaced_in_the_register_too(repaired: RepairedDatabase) -> None:
    project = repaired.deployment.project()
    keeper, retired = repaired.add(project, KEY, KEY), repaired.add(project, OTHER, OTHER)
    repaired.repair("--keep", f"{keeper}:{retired}")
    one, other = repaired.record(keeper), repaired.record(retired)
    assert one is not None
    assert other is not None
    assert (one.record.status, other.record.status) == ("active", "replaced")
    with repaired.deployment.open() as vault:
        assert vault.get_wallet(retired).status == "replaced"
        found = vault.find_wallet(project, "ethereum")
        assert found is not None
        assert (found.id, found.proved) == (keeper, True)


@pytest.mark.thorough(sample=1)
def test_a_record_whose_tag_does_not_fit_is_left_alone(repaired: RepairedDatabase) -> None:
    project = repaired.deployment.project()
    with repaired.deployment.open() as vault:
        wallet = vault.import_wallet(project, "ethereum", private_key=KEY).wallet
    repaired.deployment.execute("UPDATE strongroom_wallet SET version = version + 1 WHERE credential_id = ?", wallet.id)
    repaired.deployment.execute(
        "UPDATE credential_vault_storage SET encrypted_private_key = ? WHERE credential_id = ?", KEY, wallet.id
    )
    before = repaired.deployment.execute("SELECT * FROM strongroom_wallet")
    assert repaired.apply(repaired.plan()).code == 0
    assert repaired.deployment.execute("SELECT * FROM strongroom_wallet") == before
    assert "register-mismatch" in repaired.doctor(wallet.id)
    with repaired.deployment.open() as vault, pytest.raises(strongroom.IdentityMismatchError):
        vault.get_wallet(wallet.id)


@pytest.mark.thorough(sample=1)
@pytest.mark.one_node  # where tables are divided, no row is moved like that: see test_repair_in_projects.py
def test_rows_that_are_restored_are_those_of_the_record(repaired: RepairedDatabase) -> None:
    project, thief = repaired.deployment.project(), repaired.deployment.project()
    with repaired.deployment.open() as vault:
        wallet = vault.import_wallet(project, "ethereum", private_key=KEY).wallet
    repaired.deployment.execute(
        "UPDATE project_credentials SET project_id = ?, wallet_address = ? WHERE id = ?",
        *(thief, address_of("ethereum", OTHER), wallet.id),
    )
    assert {"identity-changed", "register-mismatch"} <= repaired.doctor(wallet.id)
    before = repaired.register()
    repaired.repair()
    assert repaired.register() == before
    assert repaired.doctor(wallet.id) == set()
    with repaired.deployment.open() as vault:
        found = vault.get_wallet(wallet.id)
        assert (found.project_id, found.address, found.proved) == (project, wallet.address, True)


def test_a_planted_row_whose_key_is_another_projects_gets_no_record(repaired: RepairedDatabase) -> None:
    mine, theirs = repaired.deployment.project(), repaired.deployment.project()
    owner, planted = repaired.add(theirs, KEY, KEY), repaired.add(mine, KEY, None, planted=True)
    assert repaired.apply(repaired.plan()).code == 0
    assert repaired.record(owner) is not None
    assert repaired.deployment.execute("SELECT 1 FROM strongroom_wallet WHERE credential_id = ?", planted) == []


@pytest.mark.thorough(sample=1)
def test_two_repairs_at_once_leave_one_record_that_fits(repaired: RepairedDatabase) -> None:
    project = repaired.deployment.project()
    wallets = [
        repaired.add(repaired.deployment.project(), f"{number:02x}" * 32, f"{number:02x}" * 32) for number in (81, 82)
    ]
    wallets.append(repaired.add(project, KEY, KEY))
    path = repaired.plan()
    copies = [repaired.folder / f"copy-{number}.json" for number in range(2)]
    for copy in copies:
        copy.write_bytes(path.read_bytes())
    with ThreadPoolExecutor(2) as pool:
        codes = list(pool.map(lambda each: _apply_in_thread(repaired, each), copies))
    assert set(codes) <= {"done", "not needed"}
    for wallet in wallets:
        found = repaired.record(wallet)
        assert found is not None
        assert found.record.version == 1
    with repaired.deployment.open() as vault:
        assert [result.ok for result in vault.verify()] == [True] * 3


def _apply_in_thread(repaired: RepairedDatabase, path: Path) -> str:
    from testbed.processes.repairs import run_plan

    outcomes = run_plan(repaired.deployment.url, repaired.deployment.root_key, _loaded(path))
    assert [outcome.error for outcome in outcomes if outcome.error is not None] == []
    return "done" if any(outcome.done for outcome in outcomes) else "not needed"


def _loaded(path: Path) -> Any:
    from strongroom.takeover.repair import plan as plans

    return plans.load(path)


@pytest.mark.parametrize("repaired", ["g2", "g3", "g4"], indirect=True)
def test_after_a_rotation_records_are_tagged_under_the_active_key(repaired: RepairedDatabase) -> None:
    wallet = repaired.add(repaired.deployment.project(), KEY, KEY)
    path = repaired.plan()
    with repaired.deployment.open() as vault:
        active = vault.rotate_sealing_key()
    assert repaired.apply(path).code == 0
    found = repaired.record(wallet)
    assert found is not None
    assert found.tag.kid == str(active)


# --- wallets of legacy tables that nothing proves -------------------------------------------------------------


def test_a_repair_that_leaves_no_unproved_wallet_ends_their_acceptance(
    legacy: RepairedDatabase, make_later: Callable[[RepairedDatabase, UUID], UUID]
) -> None:
    project = legacy.deployment.project()
    wallet = legacy.add(project, KEY, KEY)
    with legacy.deployment.open() as vault:
        assert not vault.get_wallet(wallet).proved
    assert legacy.repair().document["acceptance_ended"]
    another = legacy.deployment.project()
    later = make_later(legacy, another)
    with legacy.deployment.open() as vault:
        with pytest.raises(strongroom.UnprovedWalletError):
            vault.get_wallet(later)
        assert vault.list_wallets(another).wallets == ()
        with pytest.raises(strongroom.StrongroomError):
            vault.create_wallet(another, "ethereum")
    assert legacy.deployment.live(another) == 1, "no second wallet alongside it"
    legacy.repair()
    with legacy.deployment.open() as vault, pytest.raises(strongroom.UnprovedWalletError):
        vault.get_wallet(later)
    assert legacy.run("upgrade", "--accept-foreign").code == 0
    legacy.repair()
    with legacy.deployment.open() as vault:
        assert vault.get_wallet(later).proved
        assert [each.id for each in vault.list_wallets(another).wallets] == [later]


def test_a_key_is_stored_for_a_later_wallet_where_such_are_accepted_again(legacy: RepairedDatabase) -> None:
    legacy.add(legacy.deployment.project(), KEY, KEY)
    assert legacy.repair().document["acceptance_ended"]
    later = legacy.add(legacy.deployment.project(), OTHER, None)
    with legacy.deployment.open() as vault:
        with pytest.raises(strongroom.UnprovedWalletError):
            vault.get_wallet(later)
        with pytest.raises(strongroom.UnprovedWalletError) as caught:
            vault.store_key(later, private_key=OTHER)
        assert "upgrade --accept-foreign" in str(caught.value.hint)
    assert legacy.run("upgrade", "--accept-foreign").code == 0
    with legacy.deployment.open() as vault:
        vault.store_key(later, private_key=OTHER)
        assert vault.get_wallet(later).proved


def test_acceptance_can_be_turned_on_again_and_the_same_plan_leaves_it(
    legacy: RepairedDatabase, make_later: Callable[[RepairedDatabase, UUID], UUID]
) -> None:
    legacy.add(legacy.deployment.project(), KEY, KEY)
    path = legacy.plan()
    assert legacy.apply(path).document["acceptance_ended"]
    assert legacy.run("upgrade", "--accept-foreign").code == 0
    assert not legacy.apply(path).document["acceptance_ended"]
    later = make_later(legacy, legacy.deployment.project())
    with legacy.deployment.open() as vault:
        assert not vault.get_wallet(later).proved


@pytest.mark.parametrize("left", ["a text", "a live wallet"])
def test_while_something_is_unproved_acceptance_stays(legacy: RepairedDatabase, left: str) -> None:
    legacy.add(legacy.deployment.project(), KEY, KEY)
    lost = legacy.add(legacy.deployment.project(), OTHER, "noise" if left == "a text" else None)
    assert not legacy.repair().document["acceptance_ended"]
    with legacy.deployment.open() as vault:
        assert not vault.get_wallet(lost).proved


@pytest.fixture
def make_later() -> Callable[[RepairedDatabase, UUID], UUID]:
    """A wallet that the legacy application writes after the repair."""
    return lambda repaired, project: repaired.add(project, OTHER, OTHER)
