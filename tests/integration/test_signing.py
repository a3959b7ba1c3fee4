"""Signing on every backend: no signature without its durable row, none by a wallet that may not, one payload a
nonce."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from eth_account import Account
from eth_account.messages import encode_defunct

import strongroom
from strongroom import Vault, Wallet
from strongroom.errors import (
    IdentityMismatchError,
    MalformedPayloadError,
    NonceConflictError,
    SignatureRefusedError,
    SigningError,
    StoreError,
    StrongroomError,
    UnsupportedSigningError,
    WalletNotFoundError,
    WalletRevokedError,
)
from strongroom.store.signing_store import SqlSigningStore
from testbed.databases.deployments import Deployment, open_deployment
from testbed.databases.rows import execute
from testbed.networks import bitcoin_payloads as made_psbt
from testbed.networks.bitcoin_lies import COIN, LIE_SAT, Held, Told, told
from testbed.processes.signing import transaction
from testbed.servers.proxy import Mode, Proxy, runs

_keys = count(1000)
WITHOUT_A_DOMAIN = {
    "types": {"Note": [{"name": "text", "type": "string"}]},
    "primaryType": "Note",
    "domain": {},
    "message": {"text": "hello"},
}
WITHOUT_A_CHAIN = {name: value for name, value in transaction(1, 10).items() if name != "chainId"}


def make(deployment: Deployment, vault: Vault, network: str = "ethereum") -> Wallet:
    """A wallet with a key of its own; no phrase has to be stretched."""
    wallet, _ = vault.import_wallet(deployment.project(), network, private_key=f"{next(_keys):064x}")
    return wallet


def log(deployment: Deployment, wallet: Wallet | UUID) -> list[tuple[str, str]]:
    """The usage log of a wallet since it was made: action and details."""
    wallet_id = wallet if isinstance(wallet, UUID) else wallet.id
    details = "action_details" if deployment.backend == "sqlite" else "action_details::text"
    found = deployment.execute(
        f"SELECT action_type, {details} FROM credential_usage_logs WHERE credential_id = ? "
        "AND action_type IN ('sign', 'sign-refused') ORDER BY performed_at, id",
        wallet_id,
    )
    return [(str(action), str(text)) for action, text in found]


def signs(deployment: Deployment, wallet: Wallet) -> int:
    return sum(action == "sign" for action, _ in log(deployment, wallet))


# --- the log row and the signature ---------------------------------------------------------------------------------


def test_a_signature_has_its_row_in_the_log_and_is_the_wallets(deployment: Deployment, vault_a: Vault) -> None:
    wallet = make(deployment, vault_a)
    signed: Any = vault_a.sign_message(wallet.id, "hello", actor="ann", reason="a test")
    assert Account.recover_message(encode_defunct(text="hello"), signature=signed.signature) == wallet.address
    ((action, details),) = log(deployment, wallet)
    assert action == "sign"
    assert signed.digest.hex() in details
    assert "ann" in details
    assert "a test" in details


def test_the_same_message_gives_the_same_signature_and_another_row(core_deployments: Deployment) -> None:
    with core_deployments.open() as vault:
        wallet = make(core_deployments, vault)
        assert vault.sign_message(wallet, b"x").as_dict() == vault.sign_message(str(wallet.id), b"x").as_dict()
        assert signs(core_deployments, wallet) == 2


@pytest.mark.parametrize("backend", ["fresh", "g2", "g4"])
@pytest.mark.parametrize(
    "plan",
    [
        pytest.param("force_generic_plan", marks=pytest.mark.one_server),  # refused there: tests/citus/test_on_citus.py
        "force_custom_plan",
    ],
)
def test_twenty_signatures_on_one_prepared_connection(backend: str, plan: str, request: pytest.FixtureRequest) -> None:
    with open_deployment(backend, request) as deployment:
        with psycopg.connect(deployment.url, autocommit=True) as connection:
            connection.execute(f'ALTER DATABASE "{connection.info.dbname}" SET plan_cache_mode = {plan}'.encode())
        with deployment.open(pool_size=1) as vault:
            wallet = make(deployment, vault)
            for number in range(20):
                vault.sign_transaction(wallet, transaction(number // 2, 100))
                vault.sign_message(wallet, b"%d" % number)
            assert signs(deployment, wallet) == 40


def test_no_row_no_signature(core_deployments: Deployment) -> None:
    with core_deployments.open() as vault:
        wallet = make(core_deployments, vault)
        vault.sign_message(wallet, "before")
        core_deployments.execute("ALTER TABLE credential_usage_logs RENAME TO put_aside")
        with pytest.raises(StoreError):
            vault.sign_message(wallet, "hello")
        core_deployments.execute("ALTER TABLE put_aside RENAME TO credential_usage_logs")
        assert signs(core_deployments, wallet) == 1


@pytest.mark.parametrize(
    ("verb", "payload", "options", "error"),
    [
        ("sign_typed_data", {"types": {}}, {}, MalformedPayloadError),
        ("sign_typed_data", "{", {}, MalformedPayloadError),
        ("sign_transaction", {**transaction(1, 10), "chainId": 137}, {}, SignatureRefusedError),
        (
            "sign_transaction",
            {key: value for key, value in transaction(1, 10).items() if key != "chainId"},
            {},
            SigningError,
        ),
        ("sign_transaction", b"\x02\xc0", {}, MalformedPayloadError),
        ("sign_psbt", b"psbt\xff", {}, UnsupportedSigningError),
        ("sign_message", "hello", {"unknown": True}, MalformedPayloadError),
        ("dangerously_sign_digest", b"short", {}, MalformedPayloadError),
    ],
)
def test_what_cannot_be_signed_is_refused_and_the_refusal_is_logged(
    core_deployments: Deployment, verb: str, payload: Any, options: dict[str, Any], error: type[StrongroomError]
) -> None:
    with core_deployments.open() as vault:
        wallet = make(core_deployments, vault)
        with pytest.raises(error) as caught:
            getattr(vault, verb)(wallet.id, payload, actor="ann", **options)
        ((action, details),) = log(core_deployments, wallet)
        assert action == "sign-refused"
        assert caught.value.code in details
        assert "ann" in details


@pytest.mark.parametrize(
    ("verb", "payload", "options"),
    [
        ("sign_transaction", transaction(1, 2 * 10**18), {"max_fee": 42_000 * 10**18}),
        ("sign_typed_data", WITHOUT_A_DOMAIN, {"allow_any_chain": True}),
    ],
)
def test_what_is_refused_by_default_is_signed_where_its_hint_is_followed(
    core_deployments: Deployment, verb: str, payload: Any, options: dict[str, Any]
) -> None:
    """A fee of 42,000 ether; typed data that is good on every chain."""
    with core_deployments.open() as vault:
        wallet = make(core_deployments, vault)
        with pytest.raises(SignatureRefusedError) as caught:
            getattr(vault, verb)(wallet.id, payload)
        (name,) = options
        assert f"{name}=" in caught.value.hint
        assert getattr(vault, verb)(wallet.id, payload, **options).as_dict()
        assert [action for action, _ in log(core_deployments, wallet)] == ["sign-refused", "sign"]


@pytest.mark.parametrize("wallets", [1, 2])
def test_requests_that_lie_about_different_inputs_sign_no_transaction(
    core_deployments: Deployment, wallets: int
) -> None:
    """Two inputs of 10 BTC, of one wallet or of two; together the signatures would pay 10 BTC as a fee."""
    own = [made_psbt.KEY, made_psbt.OTHER][:wallets]
    held = [Held("p2wpkh", own[0], 1), Held("p2wpkh", own[-1], 2)]
    with core_deployments.open() as vault:
        signers = [vault.import_wallet(core_deployments.project(), "bitcoin", private_key=key.hex())[0] for key in own]
        first = told([Told(held[0]), Told(held[1], LIE_SAT)], 10 * COIN)
        second = told([Told(held[0], LIE_SAT), Told(held[1])], 10 * COIN)
        for wallet, payload in ((signers[0], first), (signers[-1], second)):
            with pytest.raises(SignatureRefusedError, match="could be lies"):
                vault.sign_psbt(wallet.id, payload)
            assert signs(core_deployments, wallet) == 0


def test_a_wallet_that_is_not_there_signs_nothing(core_deployments: Deployment) -> None:
    with core_deployments.open() as vault, pytest.raises(WalletNotFoundError):
        vault.sign_message(uuid4(), "hello")


# --- who may sign --------------------------------------------------------------------------------------------------


def test_a_revocation_is_seen_by_the_next_signature_in_every_process(
    deployment: Deployment, vault_a: Vault, vault_b: Vault
) -> None:
    wallet = make(deployment, vault_a)
    vault_a.sign_message(wallet.id, "one")
    vault_b.sign_message(wallet.id, "two")
    vault_b.revoke_wallet(wallet)
    for vault in (vault_a, vault_b):
        with pytest.raises(WalletRevokedError):
            vault.sign_message(wallet.id, "three")
        with pytest.raises(WalletRevokedError):
            vault.sign_message(wallet, "four")  # the object says that it is active
    assert [action for action, _ in log(deployment, wallet)] == ["sign"] * 2 + ["sign-refused"] * 4


def test_a_replaced_wallet_signs_only_where_that_is_said(core_deployments: Deployment) -> None:
    with core_deployments.open() as vault:
        wallet = make(core_deployments, vault)
        successor, _ = vault.replace_wallet(wallet)
        with pytest.raises(WalletRevokedError):
            vault.sign_message(wallet, "hello")
        signed: Any = vault.sign_message(wallet, "hello", allow_retired=True)
        assert Account.recover_message(encode_defunct(text="hello"), signature=signed.signature) == wallet.address
        vault.sign_message(successor, "hello")
        vault.revoke_wallet(wallet)
        with pytest.raises(WalletRevokedError):
            vault.sign_message(wallet, "hello", allow_retired=True)


@pytest.mark.parametrize("backend", ["g3", "g4"])
def test_an_access_level_that_may_not_sign_is_refused(backend: str, request: pytest.FixtureRequest) -> None:
    """Where the legacy application may write it, the stricter level of row and register holds."""
    with open_deployment(backend, request) as deployment, deployment.open() as vault:
        wallet = make(deployment, vault)
        deployment.execute(
            "UPDATE credential_vault_storage SET access_level = 'revoked' WHERE credential_id = ?", wallet.id
        )
        with pytest.raises(SignatureRefusedError):
            vault.sign_message(wallet, "hello")
        deployment.execute("UPDATE credential_vault_storage SET access_level = 'project_member'")
        vault.sign_message(wallet, "hello")
        assert [action for action, _ in log(deployment, wallet)] == ["sign-refused", "sign"]


@pytest.mark.parametrize("backend", ["sqlite", "fresh"])
def test_an_access_level_that_is_not_the_registers_signs_nothing(backend: str, request: pytest.FixtureRequest) -> None:
    with open_deployment(backend, request) as deployment, deployment.open() as vault:
        wallet = make(deployment, vault)
        for level in ("revoked", "project_member"):
            deployment.execute(
                "UPDATE credential_vault_storage SET access_level = ? WHERE credential_id = ?", level, wallet.id
            )
            with pytest.raises(IdentityMismatchError) as caught:
                vault.sign_message(wallet, "hello")
            assert caught.value.columns == ("access_level",)
        deployment.execute("UPDATE credential_vault_storage SET access_level = 'project_admin'")
        vault.sign_message(wallet, "hello")


def test_a_row_whose_identity_was_changed_signs_nothing(core_deployments: Deployment) -> None:
    with core_deployments.open() as vault:
        wallet, other = make(core_deployments, vault), make(core_deployments, vault)
        vault.sign_message(wallet.id, "hello")
        core_deployments.execute(
            "UPDATE project_credentials SET wallet_address = ? WHERE id = ?", other.address, wallet.id
        )
        with pytest.raises(StrongroomError) as caught:
            vault.sign_message(wallet.id, "hello")
        assert caught.value.code in ("identity-mismatch", "signature-refused")


# --- nonces --------------------------------------------------------------------------------------------------------


def test_one_payload_has_a_nonce_and_gives_the_same_signature_again(
    deployment: Deployment, vault_a: Vault, vault_b: Vault
) -> None:
    wallet = make(deployment, vault_a)
    first: Any = vault_a.sign_transaction(wallet, transaction(7, 100))
    again: Any = vault_b.sign_transaction(wallet, transaction(7, 100))
    assert first.raw_transaction == again.raw_transaction
    with pytest.raises(NonceConflictError):
        vault_b.sign_transaction(wallet, transaction(7, 101))
    vault_a.sign_transaction(wallet, transaction(8, 101))
    assert [action for action, _ in log(deployment, wallet)] == ["sign", "sign", "sign-refused", "sign"]


def test_a_replacement_pays_more_in_every_part(core_deployments: Deployment) -> None:
    with core_deployments.open() as vault:
        wallet = make(core_deployments, vault)
        vault.sign_transaction(wallet, transaction(7, 100))
        for fee in (99, 100):
            with pytest.raises(NonceConflictError):
                vault.sign_transaction(wallet, {**transaction(7, fee), "value": 2}, replace=True)
        with pytest.raises(NonceConflictError):
            vault.sign_transaction(wallet, {**transaction(7, 200), "maxPriorityFeePerGas": 50}, replace=True)
        vault.sign_transaction(wallet, transaction(7, 200), replace=True)
        with pytest.raises(NonceConflictError):
            vault.sign_transaction(wallet, transaction(7, 100))  # the first one is replaced
        vault.sign_transaction(wallet, transaction(7, 200))
        vault.sign_transaction(wallet, transaction(7, 50), nonce_guard=False)


def test_a_transaction_and_an_authorization_are_not_both_signed_under_one_nonce(core_deployments: Deployment) -> None:
    """Both use up the account's nonce; a transaction that the account sends itself carries one of the next nonce."""
    with core_deployments.open() as vault:
        wallet = make(core_deployments, vault)
        delegation = {"chainId": 1, "address": "0x" + "00" * 19 + "aa", "nonce": 8}
        vault.sign_transaction(wallet, transaction(7, 100))
        first: Any = vault.sign_authorization(wallet, delegation)
        assert vault.sign_authorization(wallet, delegation) == first
        for other in ({**delegation, "nonce": 7}, {**delegation, "address": "0x" + "00" * 19 + "bb"}):
            with pytest.raises(NonceConflictError):
                vault.sign_authorization(wallet, other)
            vault.sign_authorization(wallet, other, nonce_guard=False)
        with pytest.raises(NonceConflictError):
            vault.sign_transaction(wallet, transaction(8, 100))
        vault.sign_transaction(wallet, transaction(8, 100), replace=True)
        with pytest.raises(NonceConflictError):
            vault.sign_authorization(wallet, delegation)


def test_a_refused_replacement_leaves_the_nonce_to_what_was_signed(deployment: Deployment, vault_a: Vault) -> None:
    wallet = make(deployment, vault_a)
    first: Any = vault_a.sign_transaction(wallet, transaction(7, 100))
    vault_a.replace_wallet(wallet)
    with pytest.raises(WalletRevokedError):
        vault_a.sign_transaction(wallet, transaction(7, 200), replace=True)
    again: Any = vault_a.sign_transaction(wallet, transaction(7, 100), allow_retired=True)
    assert first.raw_transaction == again.raw_transaction


def test_a_replacement_that_meets_a_revocation_leaves_the_nonce_alone(
    deployment: Deployment, vault_a: Vault, vault_b: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    wallet = make(deployment, vault_a)
    vault_a.sign_transaction(wallet, transaction(7, 100))
    nonce = deployment.execute("SELECT digest, fee FROM strongroom_nonce")
    genuine = SqlSigningStore.authorize_replacement

    def revoked_meanwhile(self: SqlSigningStore, *args: Any) -> Any:
        vault_b.revoke_wallet(wallet)
        return genuine(self, *args)

    monkeypatch.setattr(SqlSigningStore, "authorize_replacement", revoked_meanwhile)
    with pytest.raises(WalletRevokedError):
        vault_a.sign_transaction(wallet, transaction(7, 200), replace=True)
    assert deployment.execute("SELECT digest, fee FROM strongroom_nonce") == nonce


@pytest.mark.parametrize("fee", [150, 300])
def test_a_replacement_that_meets_another_one_must_pay_more_than_that(
    deployment: Deployment, vault_a: Vault, vault_b: Vault, monkeypatch: pytest.MonkeyPatch, fee: int
) -> None:
    wallet = make(deployment, vault_a)
    vault_a.sign_transaction(wallet, transaction(7, 100))
    genuine = SqlSigningStore.authorize_replacement

    def outbid_meanwhile(self: SqlSigningStore, *args: Any) -> Any:
        monkeypatch.setattr(SqlSigningStore, "authorize_replacement", genuine)
        vault_b.sign_transaction(wallet, transaction(7, 200), replace=True)
        return genuine(self, *args)

    monkeypatch.setattr(SqlSigningStore, "authorize_replacement", outbid_meanwhile)
    if fee > 200:
        vault_a.sign_transaction(wallet, transaction(7, fee), replace=True)
    else:
        with pytest.raises(NonceConflictError):
            vault_a.sign_transaction(wallet, transaction(7, fee), replace=True)
    vault_a.sign_transaction(wallet, transaction(7, max(fee, 200)))
    assert len(deployment.execute("SELECT 1 FROM strongroom_nonce")) == 1


def test_of_many_payloads_under_one_nonce_one_is_signed(deployment: Deployment, vault_a: Vault, vault_b: Vault) -> None:
    wallet = make(deployment, vault_a)

    def sign(number: int) -> str | None:
        try:
            signed: Any = (vault_a, vault_b)[number % 2].sign_transaction(wallet.id, transaction(3, 100 + number % 8))
        except NonceConflictError:
            return None
        return str(signed.raw_transaction.hex())

    with ThreadPoolExecutor(16) as pool:
        signed = [text for text in pool.map(sign, range(48)) if text is not None]
    assert len(set(signed)) == 1
    assert signs(deployment, wallet) == len(signed)


# --- many callers --------------------------------------------------------------------------------------------------


def test_many_callers_each_get_their_own_signature_and_row(deployment: Deployment, vault_a: Vault) -> None:
    wallets = [make(deployment, vault_a) for _ in range(4)]

    def sign(number: int) -> bool:
        wallet, text = wallets[number % 4], f"message {number}"
        signed: Any = vault_a.sign_message(wallet.id, text)
        return bool(Account.recover_message(encode_defunct(text=text), signature=signed.signature) == wallet.address)

    with ThreadPoolExecutor(32) as pool:
        assert all(pool.map(sign, range(96)))
    assert [signs(deployment, wallet) for wallet in wallets] == [24] * 4


def test_a_bad_request_does_not_fail_its_neighbours(deployment: Deployment, vault_a: Vault) -> None:
    good, revoked, gone = make(deployment, vault_a), make(deployment, vault_a), uuid4()
    vault_a.revoke_wallet(revoked)

    def sign(number: int) -> str:
        try:
            vault_a.sign_message((good, revoked, gone)[number % 3] if number % 3 < 2 else gone, "hello")
        except StrongroomError as error:
            return error.code
        return "signed"

    with ThreadPoolExecutor(24) as pool:
        answers = list(pool.map(sign, range(60)))
    assert answers == ["signed", "wallet-revoked", "wallet-not-found"] * 20
    assert signs(deployment, good) == 20
    assert signs(deployment, revoked) == 0


def test_no_signature_begins_after_a_revocation_was_answered(
    deployment: Deployment, vault_a: Vault, vault_b: Vault
) -> None:
    wallet = make(deployment, vault_a)
    revoked, late, begun = threading.Event(), [], threading.Barrier(9, timeout=60)

    def sign() -> None:
        begun.wait()
        while True:
            answered = revoked.is_set()
            try:
                vault_a.sign_message(wallet.id, "hello")
            except WalletRevokedError:
                return
            late.extend([1] if answered else [])

    threads = [threading.Thread(target=sign) for _ in range(8)]
    for thread in threads:
        thread.start()
    begun.wait()
    vault_b.revoke_wallet(wallet)
    revoked.set()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    assert late == []


# --- where it is cut off -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["before", "after", "in_flight"])
@pytest.mark.parametrize("backend", ["fresh", "g4"])
def test_a_connection_cut_while_signing_is_asked_again(
    backend: str, mode: Mode, request: pytest.FixtureRequest, proxy: Proxy
) -> None:
    with open_deployment(backend, request) as deployment:
        with psycopg.connect(deployment.url) as connection:
            name = str(connection.info.dbname)
        with strongroom.open(proxy.url(name), root_key=deployment.root_key) as vault:
            wallet = make(deployment, vault)
            trap = proxy.arm(runs("INSERT INTO credential_usage_logs"), mode)
            signed: Any = vault.sign_transaction(wallet, transaction(1, 100))
            assert trap.fired
            again: Any = vault.sign_transaction(wallet, transaction(1, 100))
            assert signed.raw_transaction == again.raw_transaction
            assert signs(deployment, wallet) in (2, 3)  # that of a signature that nobody got, too


@pytest.mark.parametrize("given", ["id", "wallet"])
def test_a_wallet_whose_row_says_that_it_is_not_active_signs_nothing_on_sqlite(
    sqlite_vault_url: str, root_key_uri: str, given: str
) -> None:
    with strongroom.open(sqlite_vault_url, root_key=root_key_uri) as vault:
        wallet = vault.create_wallet(uuid4(), "ethereum").wallet
        assert vault.sign_message(wallet, "hello"), "the process knows the wallet"
        before = execute(sqlite_vault_url, "SELECT count(*) FROM credential_usage_logs WHERE action_type = 'sign'")
        execute(sqlite_vault_url, "UPDATE project_credentials SET is_active = 0")
        with pytest.raises(strongroom.IdentityMismatchError) as refused:
            vault.sign_message(wallet if given == "wallet" else wallet.id, "hello")
        assert refused.value.columns == ("is_active",)
        after = execute(sqlite_vault_url, "SELECT count(*) FROM credential_usage_logs WHERE action_type = 'sign'")
        assert after == before
    with strongroom.open(sqlite_vault_url, root_key=root_key_uri) as vault:
        with pytest.raises(strongroom.IdentityMismatchError):
            vault.sign_message(wallet.id if given == "id" else wallet, "hello")
