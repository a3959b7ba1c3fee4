"""Whether a key is a retired wallet's is asked about the key: no edited column of register or row hides that."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

import strongroom
from strongroom import Wallet
from strongroom.takeover.repair import unit_rows
from strongroom.takeover.repair.standing import Standing, read_standing
from strongroom.usecases.context import VaultContext
from testbed.command_line import call
from testbed.databases.attacked import WHO, Attacked, address_of
from testbed.databases.deployments import open_deployment
from testbed.databases.guards import put
from testbed.defects.locked import envelope_text

KEY = "5d" * 32
ADDRESS = address_of(KEY)
PASSWORD = "an operator's password"
ENVELOPE = envelope_text(KEY, PASSWORD, bytes(16), bytes(16))
OPENED = ("--legacy-password-stdin",)
EDITS = {
    "status": "UPDATE strongroom_wallet SET status = 'active' WHERE credential_id = ?",
    "public key": "UPDATE strongroom_wallet SET public_key = 'x' WHERE credential_id = ?",
    "tag": "UPDATE strongroom_wallet SET tag = repeat('x', 43) WHERE credential_id = ?",
    "deleted": "DELETE FROM strongroom_wallet WHERE credential_id = ?",
}


@pytest.fixture(params=["g3"])
def attacked(request: pytest.FixtureRequest, private_path: Path) -> Iterator[Attacked]:
    with open_deployment(request.param, request) as deployment:
        yield Attacked(deployment, private_path)


def plant(attacked: Attacked, project: UUID, text: str = ENVELOPE, where: str = "record") -> UUID:
    """A live row of the key's address, and its text."""
    wallet = attacked.credential(project, ADDRESS, kind="ethereum_wallet:x")
    attacked.record(wallet, text if where == "record" else "MIGRATION_REQUIRED", project)
    if where == "history":
        attacked.entry(wallet, text, project, ADDRESS, "foreign")
    return wallet


def repair(attacked: Attacked) -> str:
    """Plan and carry out with the password of the legacy application; what was said."""
    plan = attacked.plan(*OPENED, stdin=PASSWORD.encode())
    return attacked.apply(plan, *OPENED, stdin=PASSWORD.encode()).err


def revoked(attacked: Attacked, project: UUID, label: str = "old") -> Wallet:
    with attacked.deployment.open() as vault:
        wallet = vault.import_wallet(project, "ethereum", private_key=KEY, label=label).wallet
        vault.revoke_wallet(wallet)
    return wallet


@pytest.mark.parametrize("where", ["record", "history"])
@pytest.mark.parametrize("edit", EDITS)
def test_no_edited_column_lets_an_envelope_revive_a_revoked_wallet(attacked: Attacked, edit: str, where: str) -> None:
    project = attacked.deployment.project()
    attacked.deployment.execute(EDITS[edit], revoked(attacked, project).id)
    planted = plant(attacked, project, where=where)
    repair(attacked)
    attacked.assert_keyless(planted)


def test_a_sealed_text_says_which_wallet_has_the_key_where_row_and_record_do_not(attacked: Attacked) -> None:
    project = attacked.deployment.project()
    retired = revoked(attacked, project)
    for table, column in (("strongroom_wallet", "address"), ("project_credentials", "wallet_address")):
        name = "credential_id" if table == "strongroom_wallet" else "id"
        attacked.deployment.execute(f"UPDATE {table} SET {column}='x', public_key='x' WHERE {name} = ?", retired.id)
    planted = plant(attacked, project)
    repair(attacked)
    attacked.assert_keyless(planted)


@pytest.mark.parametrize("edit", ["status", "tag"])
def test_nor_does_a_copied_text_that_was_kept_aside_without_a_password(attacked: Attacked, edit: str) -> None:
    deployment = attacked.deployment
    project = deployment.project()
    retired = revoked(attacked, project)
    with deployment.open() as vault:
        mine = vault.create_wallet(project, "ethereum", label="m").wallet
        put(deployment, mine.id, ENVELOPE)
        vault.move_key(mine, to="history", legacy_password=PASSWORD, **WHO)
    sql = "SELECT text FROM strongroom_vault_history WHERE credential_id = ? AND form = 'sealed' AND address = ?"
    ((text,),) = deployment.execute(sql, mine.id, ADDRESS)
    deployment.execute(EDITS[edit], retired.id)
    planted = plant(attacked, project, text="MIGRATION_REQUIRED")
    attacked.entry(planted, text, project, ADDRESS, "sealed")
    attacked.apply(attacked.plan())
    attacked.assert_keyless(planted)


@pytest.mark.parametrize("source", ["its sealed text", "an envelope"])
def test_a_wallet_that_its_row_retired_is_no_live_source(attacked: Attacked, source: str) -> None:
    """The stricter of row and register holds: its legacy application retires wallets by their rows."""
    deployment = attacked.deployment
    project = deployment.project()
    with deployment.open() as vault:
        retired = vault.import_wallet(project, "ethereum", private_key=KEY).wallet
    deployment.execute("UPDATE project_credentials SET status='revoked', is_active=false WHERE id = ?", retired.id)
    planted = plant(attacked, project, text="MIGRATION_REQUIRED" if source == "its sealed text" else ENVELOPE)
    repair(attacked)
    attacked.assert_keyless(planted)


def test_move_key_makes_no_wallet_of_a_revoked_ones_key(attacked: Attacked) -> None:
    """Nothing of the revoked wallet is edited. Who holds the key takes it in, as the hint says."""
    deployment = attacked.deployment
    project = deployment.project()
    revoked(attacked, project)
    with deployment.open() as vault:
        mine = vault.create_wallet(project, "ethereum", label="m").wallet
        put(deployment, mine.id, ENVELOPE)
        with pytest.raises(strongroom.ConflictError) as refused:
            vault.move_key(mine, to="wallet", label="z", legacy_password=PASSWORD, **WHO)
        assert "strongroom wallet import" in (refused.value.hint or "")
        vault.move_key(mine, to="history", legacy_password=PASSWORD, **WHO)
        taken = vault.import_wallet(project, "ethereum", private_key=KEY, label="z").wallet
        vault.sign_message(taken, b"hello")


@pytest.mark.parametrize("edit", [None, "deleted"])
def test_history_restore_revives_no_revoked_wallet(attacked: Attacked, edit: str | None) -> None:
    deployment = attacked.deployment
    project = deployment.project()
    retired = revoked(attacked, project)
    planted = plant(attacked, project, text=KEY, where="history")
    put(deployment, planted, "zzz-not-a-key")
    if edit is not None:
        deployment.execute(EDITS[edit], retired.id)
    named = [each["command"] for each in attacked.doctor() if each["credential_id"] == str(planted)]
    assert not [each for each in named if "restore" in each]
    assert [each for each in named if each.startswith("strongroom history reveal") and "--text" in each]
    with deployment.open() as vault:
        with pytest.raises(strongroom.ConflictError):
            vault.restore(planted, archive_current=True)
    attacked.assert_keyless(planted)


def test_a_replaced_wallet_gets_its_own_key_back(attacked: Attacked) -> None:
    """Its record proves this very key; that another label's wallet with it was revoked takes nothing from it."""
    deployment = attacked.deployment
    project = deployment.project()
    with deployment.open() as vault:
        one = vault.import_wallet(project, "ethereum", private_key=KEY, label="a").wallet
        vault.replace_wallet(one)
    revoked(attacked, project, "b")
    deployment.execute("DELETE FROM strongroom_vault_history WHERE credential_id = ?", one.id)
    put(deployment, one.id, ENVELOPE)
    repair(attacked)
    with deployment.open() as vault:
        assert KEY in vault.reveal(one.id, **WHO).private_key.reveal_text()


def test_a_live_wallets_key_goes_to_another_row_of_its_project(attacked: Attacked) -> None:
    """A wallet that fits its record and is live keeps no other row from the key."""
    deployment = attacked.deployment
    project = deployment.project()
    with deployment.open() as vault:
        vault.import_wallet(project, "ethereum", private_key=KEY, label="live")
    planted = plant(attacked, project)
    repair(attacked)
    with deployment.open() as vault:
        vault.sign_message(planted, b"hello")


def test_nor_does_a_second_repair_after_the_first_has_sealed_what_was_kept(attacked: Attacked) -> None:
    """The first one seals the text of the history, which was in plaintext, for the wallet that it is kept of."""
    project = attacked.deployment.project()
    revoked(attacked, project)
    planted = plant(attacked, project, text=KEY, where="history")
    for _ in range(2):
        repair(attacked)
        attacked.assert_keyless(planted)
    with attacked.deployment.open() as vault, pytest.raises(strongroom.StrongroomError):
        vault.restore(planted)
    attacked.assert_keyless(planted)


AS_FOREIGN = "UPDATE strongroom_vault_history SET form = 'foreign' WHERE credential_id = ?"
ELSEWHERE = "UPDATE strongroom_vault_history SET credential_id = gen_random_uuid() WHERE credential_id = ?"
HISTORY_GONE = "DELETE FROM strongroom_vault_history WHERE credential_id = ?"


def in_another_record(attacked: Attacked, project: UUID, text: str) -> None:
    """A sealed text that is stored with another row of the project."""
    other = attacked.credential(project, address_of("11" * 32), kind="ethereum_wallet:y")
    attacked.record(other, text, project)


def assert_unable(attacked: Attacked, wallet: UUID) -> None:
    with attacked.deployment.open() as vault, pytest.raises(strongroom.StrongroomError):
        vault.sign_message(wallet, b"hello", allow_retired=True)


@pytest.mark.parametrize("by", ["repair", "restore"])
@pytest.mark.parametrize("seen", [AS_FOREIGN, ELSEWHERE, "another record", "quotes"])
def test_its_own_sealed_text_brings_no_wallet_back_that_lost_its_record(attacked: Attacked, seen: str, by: str) -> None:
    """That a text opens as a wallet's own says that strongroom sealed it, and had a record of the wallet then."""
    deployment = attacked.deployment
    project = deployment.project()
    retired = revoked(attacked, project).id
    text = deployment.texts()[retired]
    put(deployment, retired, f'"{text}"' if seen == "quotes" else "MIGRATION_REQUIRED")
    deployment.execute(EDITS["deleted"], retired)
    live = "UPDATE project_credentials SET status = 'active', is_active = true, revoked_at = NULL WHERE id = ?"
    deployment.execute(live, retired)
    level = "UPDATE credential_vault_storage SET access_level = 'project_admin' WHERE credential_id = ?"
    deployment.execute(level, retired)
    if seen == "another record":
        in_another_record(attacked, project, text)
    deployment.execute(seen if seen in (AS_FOREIGN, ELSEWHERE) else HISTORY_GONE, retired)
    if by == "repair":
        repair(attacked)
    else:
        with deployment.open() as vault, pytest.raises(strongroom.StrongroomError):
            vault.restore(retired, archive_current=seen == "quotes")
    assert_unable(attacked, retired)


@pytest.mark.parametrize("by", ["repair", "restore"])
@pytest.mark.parametrize("seen", [AS_FOREIGN, ELSEWHERE, "another record"])
def test_nor_does_what_a_repair_sealed_in_the_history_of_a_planted_row(attacked: Attacked, seen: str, by: str) -> None:
    """It is kept aside: the row chose the key."""
    deployment = attacked.deployment
    project = deployment.project()
    revoked(attacked, project)
    planted = plant(attacked, project, text=KEY, where="history")
    repair(attacked)
    kept = "SELECT text FROM strongroom_vault_history WHERE credential_id = ? AND form = 'sealed'"
    ((text,),) = deployment.execute(kept, planted)
    if seen == "another record":
        in_another_record(attacked, project, text)
    deployment.execute(seen if seen in (AS_FOREIGN, ELSEWHERE) else HISTORY_GONE, planted)
    if by == "repair":
        repair(attacked)
    else:
        with deployment.open() as vault, pytest.raises(strongroom.StrongroomError):
            vault.restore(planted)
    assert_unable(attacked, planted)


def test_a_planted_record_keeps_a_key_from_its_wallet_only_as_long_as_it_is_there(attacked: Attacked) -> None:
    """The text of the history was sealed as the wallet's own meanwhile, so that it seemed to have lost its record."""
    deployment = attacked.deployment
    project = deployment.project()
    with deployment.open() as vault:
        other = vault.import_wallet(project, "ethereum", private_key=KEY).wallet.id
    for table in ("credential_vault_storage", "credential_usage_logs", "strongroom_vault_history", "strongroom_slot"):
        deployment.execute(f"DELETE FROM {table} WHERE credential_id = ?", other)
    deployment.execute("DELETE FROM project_credentials WHERE id = ?", other)
    deployment.execute(EDITS["tag"], other)
    mine = plant(attacked, project, text=KEY, where="history")
    repair(attacked)
    attacked.assert_keyless(mine)
    deployment.execute(EDITS["deleted"], other)
    repair(attacked)
    with deployment.open() as vault:
        vault.sign_message(mine, b"hello")


@pytest.mark.parametrize("status", ["suspended", "x"])
def test_a_state_that_is_none_of_ours_lets_no_restore_revive_a_key(attacked: Attacked, status: str) -> None:
    """It allows nothing while the row says it; the record keeps it, and whoever writes the row changes it."""
    deployment = attacked.deployment
    project = deployment.project()
    revoked(attacked, project)
    planted = plant(attacked, project, text=KEY, where="history")
    state = "UPDATE project_credentials SET status = ? WHERE id = ?"
    deployment.execute(state, status, planted)
    with deployment.open() as vault, pytest.raises(strongroom.ConflictError):
        vault.restore(planted)
    deployment.execute(state, "active", planted)
    attacked.assert_keyless(planted)


@pytest.mark.parametrize("how", ["revoked", "replaced", "erased"])
def test_what_strongroom_retired_before_it_sealed_it_is_retired(attacked: Attacked, how: str) -> None:
    """The record is made when it retires the wallet: then it was not its legacy application that had done so."""
    deployment = attacked.deployment
    project = deployment.project()
    legacy = attacked.credential(project, ADDRESS, kind="ethereum_wallet:old")
    attacked.record(legacy, ENVELOPE, project)
    with deployment.open() as vault:
        if how == "revoked":
            vault.revoke_wallet(legacy)
        elif how == "replaced":
            vault.replace_wallet(legacy)
        else:
            vault.erase_project(project, **WHO)
    put(deployment, legacy, "MIGRATION_REQUIRED")  # a repair that seals it counts its record on
    planted = plant(attacked, project)
    repair(attacked)
    attacked.assert_keyless(planted)


@pytest.mark.parametrize("edit", ["deleted", "version"])
def test_what_is_accepted_anew_was_not_retired_before_strongroom_knew_it(attacked: Attacked, edit: str) -> None:
    deployment = attacked.deployment
    project = deployment.project()
    retired = revoked(attacked, project)
    version = "UPDATE strongroom_wallet SET version = 0 WHERE credential_id = ?"
    deployment.execute(EDITS.get(edit, version), retired.id)
    base = ("--database", deployment.url, "--root-key", deployment.root_key)
    assert call("upgrade", *base, "--accept", str(retired.id)).code == 0
    planted = plant(attacked, project)
    repair(attacked)
    attacked.assert_keyless(planted)


def test_of_a_row_that_changes_between_two_looks_the_stricter_state_is_recorded(
    attacked: Attacked, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is asked about a key is what its wallet may do: a retired one gets its key, and stays retired."""
    deployment = attacked.deployment
    project = deployment.project()
    revoked(attacked, project)
    planted = plant(attacked, project)
    active = "UPDATE project_credentials SET is_active = ? WHERE id = ?"
    deployment.execute(active, "false", planted)
    plan = attacked.plan(*OPENED, stdin=PASSWORD.encode())

    def meanwhile(context: VaultContext, wallet_id: UUID) -> Standing:
        deployment.execute(active, "true", planted)
        found = read_standing(context, wallet_id)
        deployment.execute(active, "false", planted)
        return found

    monkeypatch.setattr(unit_rows, "read_standing", meanwhile)
    attacked.apply(plan, *OPENED, stdin=PASSWORD.encode())
    recorded = deployment.execute("SELECT status FROM strongroom_wallet WHERE credential_id = ?", planted)
    assert recorded == [("revoked",)]


def test_what_a_person_retired_for_another_key_in_a_plan_is_retired(attacked: Attacked) -> None:
    deployment = attacked.deployment
    project = deployment.project()
    other, another = "6e" * 32, "7f" * 32
    retired = attacked.credential(project, ADDRESS, kind="ethereum_wallet")
    attacked.record(retired, ENVELOPE, project)
    stays = attacked.credential(project, address_of(other), kind="ethereum")
    attacked.record(stays, envelope_text(other, PASSWORD, bytes(16), bytes(16)), project)
    left = attacked.credential(project, address_of(another), kind="ethereum_wallet:left")  # the takeover is not done
    attacked.record(left, envelope_text(another, "another password", bytes(16), bytes(16)), project)
    chosen = (*OPENED, "--keep", f"{stays}:{retired}")
    plan = attacked.plan(*chosen, stdin=PASSWORD.encode())
    attacked.apply(plan, *OPENED, stdin=PASSWORD.encode())
    with deployment.open() as vault:
        assert vault.get_wallet(retired).status == "replaced"
    planted = plant(attacked, project)
    repair(attacked)
    attacked.assert_keyless(planted)
