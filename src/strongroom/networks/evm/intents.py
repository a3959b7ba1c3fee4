"""What a transaction, or a document of typed data, would bring about, as far as it can be read. ERC-20, EIP-2612.

A call is read as one of ERC-20 where its data is exactly such a call; whether the contract is a token is not known
here. Everything else that runs code is opaque.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from strongroom.errors import MalformedPayloadError
from strongroom.networks.evm import eip55, reading, typed_values
from strongroom.networks.evm.transaction import EvmTransaction
from strongroom.networks.evm.typed_data import TypedData
from strongroom.records.intent import ALWAYS, ANY_CHAIN, NATIVE, Effect, Fee, Intent, Validity

_TRANSFER, _TRANSFER_FROM, _APPROVE = (bytes.fromhex(each) for each in ("a9059cbb", "23b872dd", "095ea7b3"))
_TRANSFER_FROM_BYTES = 4 + 3 * 32
_CALL_BYTES = {_TRANSFER: 4 + 2 * 32, _TRANSFER_FROM: _TRANSFER_FROM_BYTES, _APPROVE: 4 + 2 * 32}
"""Selector, and one word for each argument."""
_PADDING = bytes(12)
"""What stands before the 20 bytes of an address in its word."""
_UNLIMITED = 1 << 255
_UNLIMITED_96 = (1 << 96) - 1
"""What tokens with balances of 96 bits take for no limit."""
_PERMIT = (
    ("owner", "address"),
    ("spender", "address"),
    ("value", "uint256"),
    ("nonce", "uint256"),
    ("deadline", "uint256"),
)
"""The members of a permit of EIP-2612, in their order."""
_DAI_PERMIT = (
    ("holder", "address"),
    ("spender", "address"),
    ("nonce", "uint256"),
    ("expiry", "uint256"),
    ("allowed", "bool"),
)
"""What Dai had before EIP-2612: everything or nothing; expiry 0 is none."""


def chain_of(chain_id: int | None) -> str:
    """CAIP-2 of a chain id; ``any`` without one."""
    return ANY_CHAIN if chain_id is None else f"eip155:{chain_id}"


def is_unlimited(amount: int) -> bool:
    """Whether nobody means an amount as a limit."""
    return amount >= _UNLIMITED or amount == _UNLIMITED_96


def of_transaction(tx: EvmTransaction, own: bytes, facts: Mapping[str, str]) -> Intent:
    """The intent of a transaction of the wallet whose address is ``own``."""
    effects: tuple[Effect, ...] = ()
    if tx.value or not tx.data:
        effects = (Effect(NATIVE, tx.value, _address(tx.to) if tx.to else None),)
    opaque = unlimited = False
    if tx.data or not tx.to:
        call = _token_call(tx, own)
        opaque = call is None
        effects += () if call is None else (call,)
        unlimited = call is not None and call.action == "approve" and is_unlimited(call.amount or 0)
    delegates: tuple[str, ...] = ()
    if tx.authorization_list:
        delegates = tuple(dict.fromkeys(_address(each.address) for each in tx.authorization_list if any(each.address)))
    return Intent(
        chain_of(tx.chain_id),
        effects,
        Fee(tx.most_wei()),
        ALWAYS,
        opaque,
        unlimited,
        delegates,
        facts,
    )


def _token_call(tx: EvmTransaction, own: bytes) -> Effect | None:
    """A call of ERC-20 that moves or approves; None for anything else, value that goes along included."""
    data = tx.data
    size = _CALL_BYTES.get(data[:4])
    if size != len(data) or tx.value or not tx.to or tx.chain_id is None or data[4:16] != _PADDING:
        return None
    first, amount = data[16:36], int.from_bytes(data[-32:])
    asset = _asset(tx.chain_id, tx.to)
    if size == _TRANSFER_FROM_BYTES:
        if data[36:48] != _PADDING:
            return None
        return Effect(asset, amount, _address(data[48:68]), "transfer", None if first == own else _address(first))
    return Effect(asset, amount, _address(first), "approve" if data[:4] == _APPROVE else "transfer")


def of_typed_data(read: TypedData, own: bytes, facts: Mapping[str, str]) -> Intent:
    """The intent of a document: an approval where it is a permit of EIP-2612 or Dai's, else opaque."""
    chain = chain_of(read.chain_id)
    if read.primary_type != "Permit":
        return Intent(chain, opaque=True, facts=facts)
    members = tuple((each.name, each.type) for each in read.members)
    contract = _read_address(read.domain.get("verifyingContract"))
    if members not in (_PERMIT, _DAI_PERMIT) or contract is None or read.chain_id is None:
        return Intent(chain, opaque=True, facts=facts)
    message = read.message
    amount, validity = _permitted(message, members)
    holder = reading.address(message[members[0][0]], "owner")
    effect = Effect(
        _asset(read.chain_id, contract),
        amount,
        _address(reading.address(message["spender"], "spender")),
        "approve",
        None if holder == own else _address(holder),
    )
    return Intent(chain, (effect,), validity=validity, unlimited=is_unlimited(amount), facts=facts)


def _permitted(message: Mapping[str, Any], members: tuple[tuple[str, str], ...]) -> tuple[int, Validity]:
    if members == _PERMIT:
        amount = typed_values.integer(message["value"]) or 0
        return amount, Validity(not_after=typed_values.integer(message["deadline"]))
    expiry = typed_values.integer(message["expiry"])
    return (reading.WORD - 1 if message["allowed"] else 0), Validity(not_after=expiry or None)


def _read_address(value: object) -> bytes | None:
    """The address of a domain, whose type may be another one; None for what is no address."""
    try:
        return None if value is None else reading.address(value, "verifyingContract")
    except MalformedPayloadError:
        return None


def _asset(chain_id: int, contract: bytes) -> str:
    """CAIP-19, with the contract's address in EIP-55."""
    return f"eip155:{chain_id}/erc20:{_address(contract)}"


def _address(data: bytes) -> str:
    return eip55.checksummed(data.hex())
