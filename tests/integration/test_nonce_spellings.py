"""Wallets with one key whose rows spell its address otherwise: one payload is signed under a nonce."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest

import strongroom
from strongroom import Vault
from testbed.databases.accepting import accept_decided
from testbed.databases.deployments import Deployment
from testbed.databases.foreign import add_credential, address_of
from testbed.processes.signing import payload

KEY = "5c" * 32
SPELLINGS: dict[str, Callable[[str], str]] = {
    "small": str.lower,
    "capitals": lambda address: "0x" + address[2:].upper(),
}
pytestmark = pytest.mark.parametrize("core_deployments", ["g2"], indirect=True)


def two_wallets(deployment: Deployment, vault: Vault, spelling: str) -> tuple[UUID, UUID]:
    """Two wallets of one project and key: with the canonical address in its row, and with another spelling."""
    project, address = deployment.project(), address_of("ethereum", KEY)
    one = vault.import_wallet(project, "ethereum", private_key=KEY).wallet.id
    spelled = SPELLINGS[spelling](address)
    other = add_credential(
        deployment.url, project, spelled, network="ethereum", credential_type="ethereum_wallet:second"
    )
    assert vault.store_key(other, private_key=KEY).wallet.address == spelled
    return one, UUID(str(other))


def nonces(deployment: Deployment) -> list[str]:
    return sorted(row[0] for row in deployment.execute("SELECT address FROM strongroom_nonce"))


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_one_account_signs_one_payload_under_a_nonce_however_rows_spell_it(
    core_deployments: Deployment, spelling: str
) -> None:
    with core_deployments.open() as vault:
        one, other = two_wallets(core_deployments, vault, spelling)
        first = vault.sign_transaction(other, payload(7, "22"))
        assert vault.sign_transaction(one, payload(7, "22")).as_dict() == first.as_dict(), "the same payload again"
        for wallet in (one, other):
            with pytest.raises(strongroom.NonceConflictError):
                vault.sign_transaction(wallet, payload(7, "33"))
    assert nonces(core_deployments) == [address_of("ethereum", KEY)]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_what_was_signed_under_another_spelling_before_counts(
    core_deployments: Deployment, spelling: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with core_deployments.open() as vault, monkeypatch.context() as before:
        before.setattr("strongroom.usecases.accounts.account_of", lambda parts, network, address: address)
        one, other = two_wallets(core_deployments, vault, spelling)
        vault.sign_transaction(other, payload(7, "22"))
    assert nonces(core_deployments) == [SPELLINGS[spelling](address_of("ethereum", KEY))]
    with core_deployments.open() as vault:
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


def test_of_two_callers_at_once_one_signs(core_deployments: Deployment) -> None:
    with core_deployments.open() as vault_a, core_deployments.open() as vault_b, ThreadPoolExecutor(2) as threads:
        one, other = two_wallets(core_deployments, vault_a, "small")
        for nonce in range(4):
            calls = (
                threads.submit(vault_a.sign_transaction, one, payload(nonce, "22")),
                threads.submit(vault_b.sign_transaction, other, payload(nonce, "33")),
            )
            failed = [call.exception() for call in calls if call.exception() is not None]
            assert [type(error) for error in failed] == [strongroom.NonceConflictError]


def test_accepting_a_wallet_keeps_the_nonces_of_its_account(core_deployments: Deployment) -> None:
    with core_deployments.open() as vault:
        _, other = two_wallets(core_deployments, vault, "small")
        vault.sign_transaction(other, payload(7, "22"))
    core_deployments.execute("UPDATE strongroom_nonce SET tag = 'x'")
    assert accept_decided(core_deployments, other)
    with core_deployments.open() as vault, pytest.raises(strongroom.NonceConflictError):
        vault.sign_transaction(other, payload(7, "33"))
