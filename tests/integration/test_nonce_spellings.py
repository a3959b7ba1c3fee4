"""Wallets with one key whose rows spell its address otherwise: one payload is signed under a nonce."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest

import strongroom
from strongroom import Vault
from tests.integration.children_lifecycle import Place
from tests.integration.foreign import add_credential, address_of
from tests.integration.test_accept import accept_decided
from tests.integration.test_shared_keys import payload

KEY = "5c" * 32
SPELLINGS: dict[str, Callable[[str], str]] = {
    "small": str.lower,
    "capitals": lambda address: "0x" + address[2:].upper(),
}
pytestmark = pytest.mark.parametrize("few", ["g2"], indirect=True)


def two_wallets(place: Place, vault: Vault, spelling: str) -> tuple[UUID, UUID]:
    """Two wallets of one project and key: with the canonical address in its row, and with another spelling."""
    project, address = place.project(), address_of("ethereum", KEY)
    one = vault.import_wallet(project, "ethereum", private_key=KEY).wallet.id
    spelled = SPELLINGS[spelling](address)
    other = add_credential(place.url, project, spelled, network="ethereum", credential_type="ethereum_wallet:second")
    assert vault.store_key(other, private_key=KEY).wallet.address == spelled
    return one, UUID(str(other))


def nonces(place: Place) -> list[str]:
    return sorted(row[0] for row in place.execute("SELECT address FROM strongroom_nonce"))


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_one_account_signs_one_payload_under_a_nonce_however_rows_spell_it(few: Place, spelling: str) -> None:
    with few.open() as vault:
        one, other = two_wallets(few, vault, spelling)
        first = vault.sign_transaction(other, payload(7, "22"))
        assert vault.sign_transaction(one, payload(7, "22")).as_dict() == first.as_dict(), "the same payload again"
        for wallet in (one, other):
            with pytest.raises(strongroom.NonceConflictError):
                vault.sign_transaction(wallet, payload(7, "33"))
    assert nonces(few) == [address_of("ethereum", KEY)]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_what_was_signed_under_another_spelling_before_counts(
    few: Place, spelling: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with few.open() as vault, monkeypatch.context() as before:
        before.setattr("strongroom.usecases.accounts.account_of", lambda parts, network, address: address)
        one, other = two_wallets(few, vault, spelling)
        vault.sign_transaction(other, payload(7, "22"))
    assert nonces(few) == [SPELLINGS[spelling](address_of("ethereum", KEY))]
    with few.open() as vault:
        for wallet in (one, other):
            with pytest.raises(strongroom.NonceConflictError):
                vault.sign_transaction(wallet, payload(7, "33"))
        with pytest.raises(strongroom.NonceConflictError):
            vault.sign_transaction(one, payload(7, "33", fee=19), replace=True)
        assert vault.sign_transaction(one, payload(7, "33", fee=40), replace=True)
        assert vault.sign_transaction(other, payload(7, "33", fee=40)), "it has taken the older one's place"
        with pytest.raises(strongroom.NonceConflictError):
            vault.sign_transaction(other, payload(7, "22"))
        assert vault.sign_transaction(other, payload(8, "44"))


def test_of_two_callers_at_once_one_signs(few: Place) -> None:
    with few.open() as here, few.open() as there, ThreadPoolExecutor(2) as threads:
        one, other = two_wallets(few, here, "small")
        for nonce in range(4):
            calls = (
                threads.submit(here.sign_transaction, one, payload(nonce, "22")),
                threads.submit(there.sign_transaction, other, payload(nonce, "33")),
            )
            failed = [call.exception() for call in calls if call.exception() is not None]
            assert [type(error) for error in failed] == [strongroom.NonceConflictError]


def test_accepting_a_wallet_keeps_the_nonces_of_its_account(few: Place) -> None:
    with few.open() as vault:
        _, other = two_wallets(few, vault, "small")
        vault.sign_transaction(other, payload(7, "22"))
    few.execute("UPDATE strongroom_nonce SET tag = 'x'")
    assert accept_decided(few, other)
    with few.open() as vault, pytest.raises(strongroom.NonceConflictError):
        vault.sign_transaction(other, payload(7, "33"))
