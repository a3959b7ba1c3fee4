"""Wallets of known keys, and what is asked of them."""

from __future__ import annotations

import warnings
from typing import Any
from uuid import UUID

from strongroom.networks import TABLE
from strongroom.networks.evm.family import Evm
from strongroom.networks.evm.prepared import PreparedAuthorization, PreparedDigest, PreparedTransaction
from strongroom.networks.evm.signed import EvmSignature, EvmSignedAuthorization, EvmSignedTransaction
from strongroom.records.key_material import KeyMaterial
from strongroom.records.signing import SigningRequest
from strongroom.records.wallets import Wallet
from strongroom.secret import Secret
from testbed.networks import preparing

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # of the libraries that eth-account draws in
    from eth_account import Account as Account
    from eth_account import messages as messages

KEY = bytes.fromhex("46" * 32)
"""The key of the example of EIP-155."""
CHAINS = {"ethereum": 1, "polygon": 137, "ethereum-sepolia": 11155111}
ANY_CHAIN: dict[str, Any] = {"allow_any_chain": True}
ANY_FEE: dict[str, Any] = {"max_fee": 1 << 600}
TO = "0x3535353535353535353535353535353535353535"


def network(name: str = "ethereum") -> Evm:
    found = TABLE.get(name)
    assert isinstance(found, Evm)
    return found


def material(key: bytes = KEY) -> KeyMaterial:
    return KeyMaterial(Secret(key), "bip44")


def wallet(key: bytes = KEY, name: str = "ethereum", **changes: Any) -> Wallet:
    half = network(name).public_half(Secret(key), "bip44")
    facts: dict[str, Any] = {
        "id": UUID(int=1),
        "project_id": UUID(int=2),
        "network": name,
        "label": "default",
        "address": half.address,
        "public_key": half.public_key,
        "vault_id": "vault",
        "status": "active",
        "access_level": "project_admin",
        "encryption_method": "AES-256-GCM",
        "custody": "ours",
        "scheme": "bip44",
        "path": None,
        "created_at": None,
        "durable": True,
    }
    return Wallet(**{**facts, **changes})


def prepare(kind: Any, payload: Any, key: bytes = KEY, on: str = "ethereum", **options: Any) -> Any:
    return preparing.prepare(network(on), wallet(key, on), SigningRequest(kind, payload, options))


def prepare_with(kind: Any, payload: Any, options: Any) -> Any:
    return preparing.prepare(network(), wallet(), SigningRequest(kind, payload, options))


def signed(kind: Any, payload: Any, key: bytes = KEY, on: str = "ethereum", **options: Any) -> Any:
    return prepare(kind, payload, key, on, **options).sign(material(key))


def transaction(payload: Any, key: bytes = KEY, on: str = "ethereum", **options: Any) -> EvmSignedTransaction:
    made = prepare("transaction", payload, key, on, **options)
    assert isinstance(made, PreparedTransaction)
    return made.sign(material(key))


def signature(kind: Any, payload: Any, key: bytes = KEY, on: str = "ethereum", **options: Any) -> EvmSignature:
    made = prepare(kind, payload, key, on, **options)
    assert isinstance(made, PreparedDigest)
    return made.sign(material(key))


def authorization(payload: Any, key: bytes = KEY, on: str = "ethereum", **options: Any) -> EvmSignedAuthorization:
    made = prepare("authorization", payload, key, on, **options)
    assert isinstance(made, PreparedAuthorization)
    return made.sign(material(key))


def without(payload: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in payload.items() if name not in names}


LEGACY: dict[str, Any] = {
    "nonce": 9,
    "gasPrice": 20 * 10**9,
    "gas": 21000,
    "to": TO,
    "value": 10**18,
    "data": b"",
    "chainId": 1,
}
"""The example of EIP-155."""
ACCESS_LIST: dict[str, Any] = {
    **LEGACY,
    "type": 1,
    "accessList": [{"address": TO, "storageKeys": ["0x" + "00" * 31 + "07"]}],
}
DYNAMIC_FEE: dict[str, Any] = {
    "type": 2,
    "chainId": 1,
    "nonce": 0,
    "maxFeePerGas": 30 * 10**9,
    "maxPriorityFeePerGas": 10**9,
    "gas": 21000,
    "to": TO,
    "value": 1,
}
BLOB: dict[str, Any] = {
    **DYNAMIC_FEE,
    "type": 3,
    "maxFeePerBlobGas": 10,
    "blobVersionedHashes": [b"\x01" + bytes(31)],
}


def set_code() -> dict[str, Any]:
    made = authorization({"chainId": 1, "address": TO, "nonce": 1}, b"\7" * 32)
    return {**DYNAMIC_FEE, "type": 4, "authorizationList": [made.as_dict()]}


MAIL: dict[str, Any] = {
    "types": {
        "EIP712Domain": [
            {"name": "name", "type": "string"},
            {"name": "version", "type": "string"},
            {"name": "chainId", "type": "uint256"},
            {"name": "verifyingContract", "type": "address"},
        ],
        "Person": [{"name": "name", "type": "string"}, {"name": "wallet", "type": "address"}],
        "Mail": [
            {"name": "from", "type": "Person"},
            {"name": "to", "type": "Person"},
            {"name": "contents", "type": "string"},
        ],
    },
    "primaryType": "Mail",
    "domain": {
        "name": "Ether Mail",
        "version": "1",
        "chainId": 1,
        "verifyingContract": "0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC",
    },
    "message": {
        "from": {"name": "Cow", "wallet": "0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826"},
        "to": {"name": "Bob", "wallet": "0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB"},
        "contents": "Hello, Bob!",
    },
}
"""The example of EIP-712."""
