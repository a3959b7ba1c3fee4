"""Accounts for web3.py and eth-account: what eth-account's own LocalAccount signs, they sign."""

from __future__ import annotations

import asyncio
import copy
import pickle
from typing import Any

import pytest
from eth_account import Account
from eth_account.datastructures import SignedMessage, SignedTransaction
from eth_account.messages import encode_defunct, encode_intended_validator, encode_typed_data
from eth_account.signers.base import BaseAccount
from eth_account.signers.local import LocalAccount
from eth_account.typed_transactions import base
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from hexbytes import HexBytes
from web3.middleware.signing import gen_normalized_accounts

from strongroom.accounts import evm, evm_payloads
from strongroom.errors import MalformedPayloadError, SignatureRefusedError, SigningError, UnsupportedSigningError
from tests.unit.accounts.stand_in import StandInVault

KEY = bytes.fromhex("4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318")
TO = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
ORACLE: Any = Account.from_key(KEY)
DYNAMIC: dict[str, Any] = {
    "chainId": 1,
    "nonce": 3,
    "gas": 21000,
    "maxFeePerGas": 2 * 10**9,
    "maxPriorityFeePerGas": 10**9,
    "to": TO,
    "value": 5,
}
AUTHORIZATION = {"chainId": 1, "address": HexBytes(TO), "nonce": 4}
DOMAIN = {"name": "Ether Mail", "version": "1", "chainId": 1, "verifyingContract": TO}
TYPES = {
    "Person": [{"name": "name", "type": "string"}, {"name": "wallet", "type": "address"}],
    "Mail": [{"name": "from", "type": "Person"}, {"name": "to", "type": "Person[]"}, {"name": "n", "type": "uint256"}],
}
MESSAGE = {"from": {"name": "A", "wallet": TO}, "to": [{"name": "B", "wallet": TO}], "n": 7}


@pytest.fixture
def vault() -> StandInVault:
    return StandInVault("ethereum", KEY)


@pytest.fixture
def account(vault: StandInVault) -> evm.EvmAccount:
    made = vault.account(actor="treasury", reason="payout")
    assert isinstance(made, evm.EvmAccount)
    return made


def test_it_is_what_web3_and_eth_account_ask_for(account: evm.EvmAccount) -> None:
    assert isinstance(account, BaseAccount)
    assert isinstance(account, LocalAccount)
    assert account.address == ORACLE.address
    assert gen_normalized_accounts([account]) == {ORACLE.address: account}


def test_a_message_is_signed_as_eth_account_signs_it(account: evm.EvmAccount) -> None:
    for message in (encode_defunct(text="hello, ñ"), encode_defunct(b"\0" * 300), encode_defunct(b"")):
        signed = account.sign_message(message)
        assert isinstance(signed, SignedMessage)
        assert signed == ORACLE.sign_message(message)


def test_the_vault_is_told_who_signs_and_why(vault: StandInVault, account: evm.EvmAccount) -> None:
    account.sign_message(encode_defunct(text="hello"))
    account.sign_transaction(DYNAMIC, replace=True)
    who = {"actor": "treasury", "reason": "payout"}
    assert vault.calls == [("message", who), ("transaction", {**who, "replace": True})]


@pytest.mark.parametrize(
    "extra",
    [
        {},
        {"from": ORACLE.address},
        {"data": HexBytes("0x1234"), "type": "0x2", "value": "0x5"},
        {"accessList": [{"address": TO, "storageKeys": ["0x" + "01" * 32]}]},
        {"maxFeePerBlobGas": 7, "blobVersionedHashes": [HexBytes("0x01" + "02" * 31)]},
        {"authorizationList": [ORACLE.sign_authorization(AUTHORIZATION)]},
    ],
)
def test_a_transaction_is_signed_as_eth_account_signs_it(account: evm.EvmAccount, extra: dict[str, Any]) -> None:
    fields = {**DYNAMIC, **extra}
    signed = account.sign_transaction(fields)
    assert isinstance(signed, SignedTransaction)
    assert signed == ORACLE.sign_transaction({key: fields[key] for key in fields if key != "from"})
    assert signed.raw_transaction.to_0x_hex().startswith("0x0")


def test_older_transactions_are_signed_as_eth_account_signs_them(account: evm.EvmAccount) -> None:
    fields = {key: DYNAMIC[key] for key in ("chainId", "nonce", "gas", "to", "value")} | {"gasPrice": 10**9}
    assert account.sign_transaction(fields) == ORACLE.sign_transaction(fields)
    fields["accessList"] = []
    assert account.sign_transaction(fields) == ORACLE.sign_transaction(fields)


def test_blobs_go_with_the_transaction_as_eth_account_puts_them(
    account: evm.EvmAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "load_trusted_setup", lambda *_: evm_payloads._trusted_setup())  # it loads it each time
    blob = b"\0" * 31 + b"\x01" + bytes(4096 * 32 - 32)
    fields = {**DYNAMIC, "type": 3, "maxFeePerBlobGas": 10**9}
    signed = account.sign_transaction(fields, blobs=[blob])
    expected = ORACLE.sign_transaction(fields, blobs=[blob])
    assert signed._replace(hash=expected.hash) == expected
    read = TypedTransaction.from_bytes(signed.raw_transaction).as_dict()
    without_blobs = account.sign_transaction({**fields, "blobVersionedHashes": read["blobVersionedHashes"]})
    assert signed.hash == without_blobs.hash  # as nodes know it; eth-account hashes the blobs, too
    other = {**fields, "blobVersionedHashes": [b"\x01" * 32]}
    with pytest.raises(MalformedPayloadError, match="names"):
        account.sign_transaction(other, blobs=[blob])


@pytest.mark.parametrize("blobs", [[], [b"short"], "blobs", [None], 5, [b"\xff" * 4096 * 32], [bytes(4096 * 32)] * 7])
def test_what_is_no_blob_is_malformed(account: evm.EvmAccount, blobs: Any) -> None:
    with pytest.raises(MalformedPayloadError):
        account.sign_transaction({**DYNAMIC, "type": 3, "maxFeePerBlobGas": 10**9}, blobs=blobs)


def test_a_transaction_from_another_address_is_refused(account: evm.EvmAccount) -> None:
    with pytest.raises(SigningError):
        account.sign_transaction({**DYNAMIC, "from": TO})


def test_typed_data_is_signed_as_eth_account_signs_it(account: evm.EvmAccount) -> None:
    expected = ORACLE.sign_typed_data(DOMAIN, TYPES, MESSAGE)
    assert account.sign_typed_data(DOMAIN, TYPES, MESSAGE) == expected
    domain_type = [
        {"name": "name", "type": "string"},
        {"name": "version", "type": "string"},
        {"name": "chainId", "type": "uint256"},
        {"name": "verifyingContract", "type": "address"},
    ]
    full = {
        "types": {**TYPES, "EIP712Domain": domain_type},
        "primaryType": "Mail",
        "domain": DOMAIN,
        "message": MESSAGE,
    }
    assert account.sign_typed_data(full_message=full) == expected
    assert ORACLE.sign_typed_data(full_message=full) == expected


@pytest.mark.parametrize(
    "parts",
    [
        (),
        (DOMAIN, TYPES),
        (DOMAIN, TYPES, MESSAGE, {}),
        (DOMAIN, {}, MESSAGE),
        (DOMAIN, {"A": [], "B": []}, MESSAGE),
        (DOMAIN, {"A": [{"name": "a", "type": "A[]"}]}, MESSAGE),
        (DOMAIN, {"A": 5}, MESSAGE),
        (DOMAIN, 5, MESSAGE),
        (DOMAIN, [5], MESSAGE),
        (DOMAIN, ["A"], MESSAGE),
    ],
)
def test_typed_data_without_a_type_of_its_own_is_malformed(account: evm.EvmAccount, parts: tuple[Any, ...]) -> None:
    with pytest.raises(MalformedPayloadError):
        account.sign_typed_data(*parts)


def test_typed_data_that_is_hashes_already_needs_a_permission(vault: StandInVault, account: evm.EvmAccount) -> None:
    encoded = encode_typed_data(DOMAIN, TYPES, MESSAGE)
    with pytest.raises(SignatureRefusedError, match="nobody can tell") as caught:
        account.sign_message(encoded)
    assert "blind_typed_data=True" in caught.value.hint
    assert vault.account(blind_typed_data=True).sign_message(encoded) == ORACLE.sign_message(encoded)


def test_a_raw_digest_needs_a_permission(vault: StandInVault, account: evm.EvmAccount) -> None:
    digest = HexBytes("0x" + "ab" * 32)
    with pytest.raises(SignatureRefusedError):
        account.unsafe_sign_hash(digest)
    allowed = vault.account(raw_digests=True)
    assert allowed.unsafe_sign_hash(digest) == ORACLE.unsafe_sign_hash(digest)
    with pytest.raises(MalformedPayloadError):
        allowed.unsafe_sign_hash(b"short")


def test_messages_of_other_versions_are_unsupported(account: evm.EvmAccount) -> None:
    with pytest.raises(UnsupportedSigningError):
        account.sign_message(encode_intended_validator(TO, text="hello"))
    crafted = encode_defunct(text="hello")._replace(header=b"thereum Signed Message:\n6")
    with pytest.raises(UnsupportedSigningError):
        account.sign_message(crafted)
    with pytest.raises(MalformedPayloadError):
        account.sign_message("hello")  # type: ignore[arg-type]


def test_an_authorization_is_signed_as_eth_account_signs_it(account: evm.EvmAccount) -> None:
    assert account.sign_authorization(AUTHORIZATION) == ORACLE.sign_authorization(AUTHORIZATION)


def test_there_is_no_key(account: evm.EvmAccount) -> None:
    assert not hasattr(account, "key")
    assert not hasattr(account, "_private_key")
    assert not hasattr(account, "_key_obj")
    with pytest.raises(TypeError):
        bytes(account)
    with pytest.raises(UnsupportedSigningError):
        account.encrypt("password")
    assert repr(account) == f"<EvmAccount {ORACLE.address}>"


def test_accounts_of_one_wallet_are_equal_and_never_equal_one_with_a_key(vault: StandInVault) -> None:
    one, two = vault.account(), vault.account()
    assert one == two
    assert hash(one) == hash(two)
    assert one != ORACLE
    assert copy.copy(one) == one
    with pytest.raises(TypeError):
        pickle.dumps(one)


def test_the_async_account_signs_the_same(vault: StandInVault, account: evm.EvmAccount) -> None:
    from_vault = vault.account(raw_digests=True).asynchronous()

    async def sign() -> list[Any]:
        return [
            await from_vault.sign_message(encode_defunct(text="hello")),
            await from_vault.sign_typed_data(DOMAIN, TYPES, MESSAGE),
            await from_vault.sign_transaction(DYNAMIC),
            await from_vault.sign_authorization(AUTHORIZATION),
            await from_vault.unsafe_sign_hash(b"\x01" * 32),
        ]

    assert asyncio.run(sign()) == [
        ORACLE.sign_message(encode_defunct(text="hello")),
        ORACLE.sign_typed_data(DOMAIN, TYPES, MESSAGE),
        ORACLE.sign_transaction(DYNAMIC),
        ORACLE.sign_authorization(AUTHORIZATION),
        ORACLE.unsafe_sign_hash(b"\x01" * 32),
    ]
    assert from_vault.address == account.address
    assert from_vault.sync == account
