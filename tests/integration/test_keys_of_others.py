"""Which keys are those of other projects' wallets, for a run that asks about many: the same as each asked alone."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import pytest

from strongroom.networks import TABLE
from strongroom.records.key_material import KeyMaterial
from strongroom.secret import Secret
from strongroom.settings import Settings
from strongroom.store import register_store
from strongroom.usecases.context import VaultContext
from strongroom.usecases.elsewhere import is_elsewhere
from strongroom.usecases.keys_of_others import KeysOfOthers
from strongroom.wiring.vaults import open_context
from testbed.databases.deployments import Deployment, open_deployment
from testbed.databases.moved_rows import move

KEYS = [f"{number + 1:064x}" for number in range(5)]


@pytest.fixture(params=["sqlite", "fresh", "g2", "g4"])
def deployment(request: pytest.FixtureRequest) -> Iterator[Deployment]:
    with open_deployment(request.param, request) as opened:
        yield opened


@pytest.fixture
def context(deployment: Deployment) -> Iterator[VaultContext]:
    opened = open_context(Settings(database=deployment.url, root_key=deployment.root_key))
    yield opened
    opened.close()


def material(key: str) -> KeyMaterial:
    return KeyMaterial(Secret(bytes.fromhex(key)), TABLE.get("ethereum").scheme(None))


def made(deployment: Deployment, key: str, project: UUID) -> UUID:
    with deployment.open() as vault:
        return vault.import_wallet(project, "ethereum", private_key=key).wallet.id


@pytest.mark.parametrize("size", [1, 2, 500])
def test_whatever_pages_are_read_each_key_is_found(
    deployment: Deployment, context: VaultContext, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(register_store, "_PAGE", size)
    projects = [deployment.project() for _ in KEYS]
    for key, project in zip(KEYS, projects, strict=True):
        made(deployment, key, project)
    others = KeysOfOthers(context)
    for key, owner in zip(KEYS, projects, strict=True):
        found = [others.is_elsewhere(material(key), project) for project in projects]
        assert found == [project != owner for project in projects]
    assert not others.is_elsewhere(material("77" * 32), projects[0])


@pytest.mark.parametrize("left", ["row", "record"])
@pytest.mark.parametrize("spelled", ["as it is", "in capitals, with spaces", "without 0x"])
def test_a_row_or_a_record_is_enough_however_it_spells_the_address(
    deployment: Deployment, context: VaultContext, left: str, spelled: str
) -> None:
    project, asking = deployment.project(), deployment.project()
    wallet = made(deployment, KEYS[0], project)
    form = {"as it is": "{0}", "in capitals, with spaces": "' ' || upper({0})", "without 0x": "substr({0}, 3)"}[spelled]
    if left == "row":
        deployment.execute("DELETE FROM strongroom_wallet WHERE credential_id = ?", wallet)
        said = f"wallet_address = {form.format('wallet_address')}, public_key = ''"
        deployment.execute(f"UPDATE project_credentials SET {said} WHERE id = ?", wallet)
    else:
        deployment.execute("UPDATE project_credentials SET wallet_address = 'x', public_key = 'x' WHERE id = ?", wallet)
        said = f"address = {form.format('address')}, public_key = ''"
        deployment.execute(f"UPDATE strongroom_wallet SET {said} WHERE credential_id = ?", wallet)
    assert is_elsewhere(context, material(KEYS[0]), asking)
    assert KeysOfOthers(context).is_elsewhere(material(KEYS[0]), asking)
    assert not is_elsewhere(context, material(KEYS[0]), project)


def test_a_row_that_was_moved_is_told_by_its_sealed_text_or_its_slot(
    deployment: Deployment, context: VaultContext
) -> None:
    project, asking = deployment.project(), deployment.project()
    wallet = made(deployment, KEYS[0], project)
    deployment.execute("DELETE FROM strongroom_wallet WHERE credential_id = ?", wallet)
    if deployment.backend == "fresh":
        move(deployment, wallet, asking)
    else:
        if not deployment.foreign:
            text = "UPDATE credential_vault_storage SET project_id = ? WHERE credential_id = ?"
            deployment.execute(text, asking, wallet)
        deployment.execute("UPDATE project_credentials SET project_id = ? WHERE id = ?", asking, wallet)
    assert KeysOfOthers(context).is_elsewhere(material(KEYS[0]), asking), "by its sealed text"
    text = "UPDATE credential_vault_storage SET encrypted_private_key = 'MIGRATION_REQUIRED' WHERE credential_id = ?"
    deployment.execute(text, wallet)
    assert KeysOfOthers(context).is_elsewhere(material(KEYS[0]), asking), "by its slot"
    deployment.execute("DELETE FROM strongroom_slot WHERE credential_id = ?", wallet)
    if deployment.foreign:
        assert KeysOfOthers(context).is_elsewhere(material(KEYS[0]), asking), "by the text that the history keeps"
        deployment.execute("DELETE FROM strongroom_vault_history WHERE credential_id = ?", wallet)
    assert not KeysOfOthers(context).is_elsewhere(material(KEYS[0]), asking), "nothing says any more whose it was"


def test_what_was_read_is_read_again_when_it_is_old(deployment: Deployment, context: VaultContext) -> None:
    now = [0.0]
    others = KeysOfOthers(context, clock=lambda: now[0])
    project, asking = deployment.project(), deployment.project()
    assert not others.is_elsewhere(material(KEYS[0]), asking)
    made(deployment, KEYS[0], project)
    assert not others.is_elsewhere(material(KEYS[0]), asking), "it took no time, and is not old yet"
    now[0] = 0.1
    assert others.is_elsewhere(material(KEYS[0]), asking)
    others.forget()
    assert others.is_elsewhere(material(KEYS[0]), asking)
