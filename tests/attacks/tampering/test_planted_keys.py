"""Keys that a writer of rows planted, and commands that a person runs because an error or a finding says so.

Several rows are changed so that each fits the others; no command may make the planted key a wallet's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from uuid import UUID

import pytest

from strongroom import IdentityMismatchError, StrongroomError, Vault, Wallet
from strongroom.model import Actor
from strongroom.settings import Settings
from strongroom.usecases.accept import UpgradeResult
from strongroom.wiring import open_upgrade
from tests.integration.children_lifecycle import Place, open_place
from tests.integration.foreign import address_of
from tests.integration.test_guard import put

PLANTED_KEY = "7a" * 32
PLANTED = address_of("ethereum", PLANTED_KEY)


@pytest.fixture(params=["sqlite", "g3"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    """Tables of ours and of other code."""
    with open_place(request.param, request) as opened:
        yield opened


@pytest.fixture
def vault(place: Place) -> Iterator[Vault]:
    with place.open() as opened:
        yield opened


def accept(place: Place, wallet: UUID) -> list[UpgradeResult]:
    """What `strongroom upgrade --accept` does with one wallet."""
    opened = open_upgrade(Settings(database=place.url, root_key=place.root_key), Actor())
    try:
        return opened.accept(wallet, Actor())
    finally:
        opened.parts.close()


def archived(place: Place, vault: Vault, wallet: Wallet) -> None:
    place.execute(
        "INSERT INTO strongroom_vault_history (id, project_id, credential_id, network, label, address, public_key, "
        "vault_id, text, form, reason, created_at, schema_version) SELECT ?, k.project_id, k.id, k.network, 'default', "
        "k.wallet_address, k.public_key, v.vault_id, v.encrypted_private_key, 'sealed', 'x', k.created_at, 1 "
        "FROM credential_vault_storage v, project_credentials k WHERE v.credential_id = k.id AND k.id = ?",
        UUID(int=wallet.id.int ^ 1),
        wallet.id,
    )
    put(place, wallet.id, PLANTED_KEY)
    vault.restore(wallet.id, actor="operator", reason="as doctor says", archive_current=True)


def moved(place: Place, vault: Vault, wallet: Wallet) -> None:
    put(place, wallet.id, PLANTED_KEY)
    vault.move_key(wallet.id, to="history")


SET_ASIDE: dict[str, Callable[[Place, Vault, Wallet], None]] = {"restore": archived, "move-key": moved}


@pytest.mark.thorough(sample=2)
@pytest.mark.parametrize("record", ["kept", "deleted"])
@pytest.mark.parametrize("by", SET_ASIDE)
def test_a_planted_key_that_was_set_aside_becomes_no_wallets_own(
    place: Place, vault: Vault, by: str, record: str
) -> None:
    wallet = vault.create_wallet(place.project(), "ethereum")[0]
    if by == "restore" and place.foreign:
        put(place, wallet.id, PLANTED_KEY)  # the history has the text already
        vault.restore(wallet.id, actor="operator", reason="as doctor says", archive_current=True)
    else:
        SET_ASIDE[by](place, vault, wallet)
    ((entry, text, public_key),) = place.execute(
        "SELECT id, text, public_key FROM strongroom_vault_history WHERE address = ?", PLANTED
    )
    before = place.execute("SELECT wallet_address, public_key, metadata FROM project_credentials")[0]
    put(place, wallet.id, text)
    place.execute("UPDATE project_credentials SET wallet_address = ?, public_key = ?", PLANTED, public_key)
    if not place.foreign:
        place.execute("UPDATE project_credentials SET metadata = ?", '{"scheme": "bip44", "path": null}')
    if record == "deleted":
        place.execute("DELETE FROM strongroom_wallet")
    with pytest.raises(StrongroomError) as refused:
        accept(place, wallet.id)
    assert isinstance(refused.value, IdentityMismatchError)
    assert "wallet_address" in refused.value.columns
    with place.open() as opened:
        for ask in (opened.get_wallet, opened.restore, lambda each: opened.sign_message(each, "x")):
            with pytest.raises(StrongroomError):
                ask(wallet.id)
        kept = opened.reveal_kept(str(entry), actor="operator", reason="to look")
        assert kept.address == PLANTED, "it is still given out to a person"

    # what the hint says
    place.execute("UPDATE project_credentials SET wallet_address = ?, public_key = ?", *before[:2])
    if not place.foreign:
        place.execute("UPDATE project_credentials SET metadata = ?", before[2])
    if record == "deleted":
        own = place.execute("SELECT text FROM strongroom_vault_history WHERE address = ?", wallet.address)
        if not own:
            return  # its own key was overwritten before the history had it
        put(place, wallet.id, own[0][0])
        told = accept(place, wallet.id)[0].as_found
        assert {f"wallet_address={wallet.address}", f"project_id={wallet.project_id}"} <= set(told)
        assert {"network=ethereum", f"known_address={wallet.address}"} <= set(told)
    elif by == "restore":
        vault.restore(wallet.id, actor="operator", reason="as the hint says", archive_current=True)
    else:
        return  # its own key was overwritten before the history had it
    assert vault.get_wallet(wallet.id).address == wallet.address
    assert vault.sign_message(wallet.id, "x")
