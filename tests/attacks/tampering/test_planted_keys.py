"""Keys that a writer of rows planted, and commands that a person runs because an error or a finding says so.

Several rows are changed so that each fits the others; no command may make the planted key a wallet's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from uuid import UUID

import pytest

from strongroom import IdentityMismatchError, StrongroomError, Vault, Wallet
from strongroom.records.usage_log import Attribution
from strongroom.settings import Settings
from strongroom.usecases.accept import UpgradeResult
from strongroom.wiring import open_upgrade
from testbed.databases.deployments import Deployment
from testbed.databases.foreign import address_of
from testbed.databases.guards import put

pytestmark = pytest.mark.parametrize("deployment", ["sqlite", "g3"], indirect=True)

PLANTED_KEY = "7a" * 32
PLANTED = address_of("ethereum", PLANTED_KEY)


@pytest.fixture
def vault(deployment: Deployment) -> Iterator[Vault]:
    with deployment.open() as opened:
        yield opened


def accept(deployment: Deployment, wallet: UUID) -> list[UpgradeResult]:
    """What `strongroom upgrade --accept` does with one wallet."""
    opened = open_upgrade(Settings(database=deployment.url, root_key=deployment.root_key), Attribution())
    try:
        return opened.accept(wallet, Attribution())
    finally:
        opened.vault_context.close()


def archived(deployment: Deployment, vault: Vault, wallet: Wallet) -> None:
    deployment.execute(
        "INSERT INTO strongroom_vault_history (id, project_id, credential_id, network, label, address, public_key, "
        "vault_id, text, form, reason, created_at, schema_version) SELECT ?, k.project_id, k.id, k.network, 'default', "
        "k.wallet_address, k.public_key, v.vault_id, v.encrypted_private_key, 'sealed', 'x', k.created_at, 1 "
        "FROM credential_vault_storage v, project_credentials k WHERE v.credential_id = k.id AND k.id = ?",
        UUID(int=wallet.id.int ^ 1),
        wallet.id,
    )
    put(deployment, wallet.id, PLANTED_KEY)
    vault.restore(wallet.id, actor="operator", reason="as doctor says", archive_current=True)


def moved(deployment: Deployment, vault: Vault, wallet: Wallet) -> None:
    put(deployment, wallet.id, PLANTED_KEY)
    vault.move_key(wallet.id, to="history")


SET_ASIDE: dict[str, Callable[[Deployment, Vault, Wallet], None]] = {"restore": archived, "move-key": moved}


@pytest.mark.thorough(sample=2)
@pytest.mark.parametrize("record", ["kept", "deleted"])
@pytest.mark.parametrize("by", SET_ASIDE)
def test_a_planted_key_that_was_set_aside_becomes_no_wallets_own(
    deployment: Deployment, vault: Vault, by: str, record: str
) -> None:
    wallet = vault.create_wallet(deployment.project(), "ethereum")[0]
    if by == "restore" and deployment.foreign:
        put(deployment, wallet.id, PLANTED_KEY)  # the history has the text already
        vault.restore(wallet.id, actor="operator", reason="as doctor says", archive_current=True)
    else:
        SET_ASIDE[by](deployment, vault, wallet)
    ((entry, text, public_key),) = deployment.execute(
        "SELECT id, text, public_key FROM strongroom_vault_history WHERE address = ?", PLANTED
    )
    before = deployment.execute("SELECT wallet_address, public_key, metadata FROM project_credentials")[0]
    put(deployment, wallet.id, text)
    deployment.execute("UPDATE project_credentials SET wallet_address = ?, public_key = ?", PLANTED, public_key)
    if not deployment.foreign:
        deployment.execute("UPDATE project_credentials SET metadata = ?", '{"scheme": "bip44", "path": null}')
    if record == "deleted":
        deployment.execute("DELETE FROM strongroom_wallet")
    with pytest.raises(StrongroomError) as refused:
        accept(deployment, wallet.id)
    assert isinstance(refused.value, IdentityMismatchError)
    assert "wallet_address" in refused.value.columns
    with deployment.open() as opened:
        for ask in (opened.get_wallet, opened.restore, lambda each: opened.sign_message(each, "x")):
            with pytest.raises(StrongroomError):
                ask(wallet.id)
        kept = opened.reveal_kept(str(entry), actor="operator", reason="to look")
        assert kept.address == PLANTED, "it is still given out to a person"

    # what the hint says
    deployment.execute("UPDATE project_credentials SET wallet_address = ?, public_key = ?", *before[:2])
    if not deployment.foreign:
        deployment.execute("UPDATE project_credentials SET metadata = ?", before[2])
    if record == "deleted":
        own = deployment.execute("SELECT text FROM strongroom_vault_history WHERE address = ?", wallet.address)
        if not own:
            return  # its own key was overwritten before the history had it
        put(deployment, wallet.id, own[0][0])
        told = accept(deployment, wallet.id)[0].as_found
        assert {f"wallet_address={wallet.address}", f"project_id={wallet.project_id}"} <= set(told)
        assert {"network=ethereum", f"known_address={wallet.address}"} <= set(told)
    elif by == "restore":
        vault.restore(wallet.id, actor="operator", reason="as the hint says", archive_current=True)
    else:
        return  # its own key was overwritten before the history had it
    assert vault.get_wallet(wallet.id).address == wallet.address
    assert vault.sign_message(wallet.id, "x")
