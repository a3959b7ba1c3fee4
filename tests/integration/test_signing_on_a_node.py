"""Transactions of every type, signed by strongroom, sent by web3.py, and mined by a real node."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from eth_account.messages import encode_defunct
from hexbytes import HexBytes
from web3 import AsyncHTTPProvider, AsyncWeb3, HTTPProvider, Web3
from web3.middleware import SignAndSendRawMiddlewareBuilder
from web3.types import RPCEndpoint, Wei

import strongroom
from strongroom.accounts.evm import EvmAccount
from strongroom.errors import NonceConflictError
from testbed.servers.anvil import AnvilServer

NETWORK, CHAIN_ID = "ethereum-sepolia", 11155111
TO = Web3.to_checksum_address("0x000000000000000000000000000000000000bEEF")
ETHER = 10**18
GWEI = 10**9
PATIENCE_SECONDS = 120
"""The node checks the proofs of a blob for ten seconds where it has half a core."""
PROGRAM = "602a60005260206000f3"
"""Returns 42."""
CREATION = f"0x69{PROGRAM}600052600a6016f3"


@pytest.fixture(scope="module")
def anvil() -> Iterator[AnvilServer]:
    with AnvilServer.start(CHAIN_ID) as server:
        yield server


@pytest.fixture
def account(anvil: AnvilServer, sqlite_vault_url: str, root_key_uri: str) -> Iterator[EvmAccount]:
    """The account of a new wallet, which has ten ether."""
    with strongroom.open(sqlite_vault_url, root_key=root_key_uri) as vault:
        made = vault.account(vault.create_wallet(uuid4(), NETWORK).wallet, actor="treasury", reason="test")
        node = HTTPProvider(anvil.url)
        assert "error" not in node.make_request(RPCEndpoint("anvil_setBalance"), [made.address, hex(10 * ETHER)])
        yield made


@pytest.fixture
def w3(anvil: AnvilServer, account: EvmAccount) -> Web3:
    """A client of the node, that the account signs for."""
    client = Web3(HTTPProvider(anvil.url, {"timeout": PATIENCE_SECONDS}))
    client.middleware_onion.inject(SignAndSendRawMiddlewareBuilder.build(account), layer=0)
    client.eth.default_account = account.address
    return client


def mined(w3: Web3, account: EvmAccount, sent: HexBytes, kind: int) -> Any:
    """The receipt of a transaction of that type, which the account sent and the node executed."""
    receipt = w3.eth.wait_for_transaction_receipt(sent, timeout=PATIENCE_SECONDS, poll_latency=0.05)
    assert receipt["status"] == 1
    assert receipt["type"] == kind
    assert receipt["from"] == account.address
    return receipt


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        (0, {"gasPrice": 3 * GWEI}),
        (1, {"gasPrice": 3 * GWEI, "accessList": [{"address": TO, "storageKeys": ["0x" + "01" * 32]}]}),
        (2, {}),
        (2, {"maxFeePerGas": 3 * GWEI, "maxPriorityFeePerGas": GWEI, "data": "0x1234"}),
    ],
)
def test_the_middleware_sends_what_the_account_signs(
    w3: Web3, account: EvmAccount, kind: int, fields: dict[str, Any]
) -> None:
    before = w3.eth.get_balance(TO)
    sent = w3.eth.send_transaction({"from": account.address, "to": TO, "value": 5, **fields})  # type: ignore[typeddict-item]
    mined(w3, account, sent, kind)
    assert w3.eth.get_balance(TO) == before + 5
    assert w3.eth.get_transaction_count(account.address) == 1


def test_a_contract_is_created_and_called(w3: Web3, account: EvmAccount) -> None:
    sent = w3.eth.send_transaction({"from": account.address, "data": CREATION})  # type: ignore[typeddict-item]
    created = mined(w3, account, sent, 2)["contractAddress"]
    assert int.from_bytes(w3.eth.call({"to": created})) == 42


@pytest.mark.parametrize("through_middleware", [False, True])
def test_an_authorization_lets_the_account_run_code(w3: Web3, account: EvmAccount, through_middleware: bool) -> None:
    sent = w3.eth.send_transaction({"from": account.address, "data": CREATION})  # type: ignore[typeddict-item]
    code = mined(w3, account, sent, 2)["contractAddress"]
    signed = account.sign_authorization({"chainId": CHAIN_ID, "address": code, "nonce": 2})
    fields = {
        "chainId": CHAIN_ID,
        "nonce": 1,
        "gas": 100_000,
        "maxFeePerGas": 3 * GWEI,
        "maxPriorityFeePerGas": GWEI,
        "to": account.address,
        "authorizationList": [signed],
    }
    if through_middleware:
        sent = w3.eth.send_transaction({"from": account.address, **fields})  # type: ignore[typeddict-item]
    else:
        sent = w3.eth.send_raw_transaction(account.sign_transaction(fields).raw_transaction)
    mined(w3, account, sent, 4)
    assert w3.eth.get_code(account.address) == bytes.fromhex("ef0100") + bytes.fromhex(code[2:])
    assert int.from_bytes(w3.eth.call({"to": account.address})) == 42


def test_a_blob_is_taken_with_its_proofs(w3: Web3, account: EvmAccount) -> None:
    blob = bytes(31) + b"\x01" + bytes(4096 * 32 - 32)
    fields = {
        "chainId": CHAIN_ID,
        "nonce": 0,
        "gas": 21_000,
        "maxFeePerGas": 3 * GWEI,
        "maxPriorityFeePerGas": GWEI,
        "maxFeePerBlobGas": GWEI,
        "to": TO,
    }
    transaction = account.sign_transaction(fields, blobs=[blob])
    assert w3.eth.send_raw_transaction(transaction.raw_transaction) == transaction.hash
    assert mined(w3, account, transaction.hash, 3)["blobGasUsed"] == 131072


def test_the_middleware_of_async_web3_takes_the_account(anvil: AnvilServer, account: EvmAccount) -> None:
    async def send() -> list[Any]:
        client = AsyncWeb3(AsyncHTTPProvider(anvil.url))
        client.middleware_onion.inject(SignAndSendRawMiddlewareBuilder.build(account), layer=0)
        try:
            sent = [await client.eth.send_transaction({"from": account.address, "to": TO, "value": Wei(1)})]
            fields = {"chainId": CHAIN_ID, "nonce": 1, "gas": 21000, "gasPrice": 3 * GWEI, "to": TO}
            signed = await account.asynchronous().sign_transaction(fields)
            sent.append(await client.eth.send_raw_transaction(signed.raw_transaction))
            return [await client.eth.wait_for_transaction_receipt(each, PATIENCE_SECONDS, 0.05) for each in sent]
        finally:
            await client.provider.disconnect()

    for receipt in asyncio.run(send()):
        assert receipt["status"] == 1
        assert receipt["from"] == account.address


def test_another_transaction_under_a_nonce_is_not_signed_unless_it_is_a_replacement(account: EvmAccount) -> None:
    fields = {"chainId": CHAIN_ID, "nonce": 0, "gas": 21_000, "gasPrice": GWEI, "to": TO}
    assert account.sign_transaction(fields) == account.sign_transaction(fields)
    with pytest.raises(NonceConflictError):
        account.sign_transaction({**fields, "gasPrice": 2 * GWEI})
    account.sign_transaction({**fields, "gasPrice": 2 * GWEI}, replace=True)


def test_the_node_recovers_the_address_from_a_message(w3: Web3, account: EvmAccount) -> None:
    message = encode_defunct(text="hello")
    signature = account.sign_message(message)
    digest, v = bytes(signature.message_hash), signature.v.to_bytes(32)
    recovered = w3.eth.call(
        {"to": "0x0000000000000000000000000000000000000001", "data": HexBytes(digest + v + signature.signature[:64])}
    )
    assert recovered[12:] == bytes.fromhex(account.address[2:])
