"""What child processes sign, to be stopped and killed."""

from __future__ import annotations

from typing import Any

import strongroom
from testbed.harness.child import arm, emit


def sign_message(url: str, root_key: str, wallet: str) -> None:
    """Sign a message, stopped from the first statement on."""
    with strongroom.open(url, root_key=root_key) as vault:
        arm()
        emit(vault.sign_message(wallet, "hello").as_dict())


def sign_transaction(url: str, root_key: str, wallet: str, nonce: int, fee: int, replace: bool) -> None:
    """Sign a transaction."""
    with strongroom.open(url, root_key=root_key) as vault:
        arm()
        emit(vault.sign_transaction(wallet, transaction(nonce, fee), replace=replace).as_dict())


def transaction(nonce: int, fee: int) -> dict[str, object]:
    """A transfer on Ethereum's mainnet, as web3.py writes one."""
    return {
        "type": 2,
        "chainId": 1,
        "nonce": nonce,
        "maxFeePerGas": fee,
        "maxPriorityFeePerGas": fee // 2,
        "gas": 21_000,
        "to": "0x00000000000000000000000000000000000000aa",
        "value": 1,
        "data": "0x",
    }


def payload(nonce: int, to: str, fee: int = 20) -> dict[str, Any]:
    return {
        "chainId": 1,
        "nonce": nonce,
        "to": "0x" + to * 20,
        "value": 1,
        "gas": 21000,
        "type": 2,
        "maxFeePerGas": fee,
        "maxPriorityFeePerGas": fee // 10,
    }
