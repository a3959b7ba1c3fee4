"""Transactions as mappings, with the names that web3.py and JSON-RPC give their fields, or the same in snake_case."""

from __future__ import annotations

from typing import Any, NamedTuple

from strongroom.errors import MalformedPayloadError
from strongroom.networks.evm import authorization, reading
from strongroom.networks.evm.transaction import (
    ACCESS_LIST,
    BLOB,
    DYNAMIC_FEE,
    LEGACY,
    NAMES,
    SET_CODE,
    AccessList,
    EvmTransaction,
)

_SNAKE = (
    *("type", "nonce", "gas", "to", "value", "data", "input", "from", "chain_id", "gas_price", "access_list"),
    *("max_fee_per_gas", "max_priority_fee_per_gas", "max_fee_per_blob_gas", "blob_versioned_hashes"),
    "authorization_list",
)


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(map(str.capitalize, rest))


_NAMES = {
    **{spelling: name for name in _SNAKE for spelling in (name, _camel(name))},
    "gas_limit": "gas",
    "gasLimit": "gas",  # as ethers names it
}
_COMMON = frozenset({"type", "nonce", "gas", "to", "value", "data", "input", "from", "chain_id"})
_DYNAMIC = frozenset({"max_fee_per_gas", "max_priority_fee_per_gas", "access_list"})
_ALLOWED = (
    _COMMON | {"gas_price"},
    _COMMON | {"gas_price", "access_list"},
    _COMMON | _DYNAMIC,
    _COMMON | _DYNAMIC | {"max_fee_per_blob_gas", "blob_versioned_hashes"},
    _COMMON | _DYNAMIC | {"authorization_list"},
)
_FEES = (
    ("gas_price",),
    ("gas_price",),
    ("max_fee_per_gas", "max_priority_fee_per_gas"),
    ("max_fee_per_gas", "max_priority_fee_per_gas", "max_fee_per_blob_gas"),
    ("max_fee_per_gas", "max_priority_fee_per_gas"),
)
_ACCESS_NAMES = {"address": "address", "storageKeys": "storage_keys", "storage_keys": "storage_keys"}


class ReadTransaction(NamedTuple):
    """A transaction, and the address that it says it is from."""

    transaction: EvmTransaction
    sender: bytes | None


def read(payload: object, checksum_id: int | None = None) -> ReadTransaction:
    """Read a mapping, or its JSON text, with addresses as the chain writes them. Raises MalformedPayloadError.

    Missing ``to`` (also None and empty text), ``value``, ``data`` and ``access_list`` are none, and nothing else may
    be missing; the chain id is left to the caller. The type, where it is not given, is the one that the fields have.
    """
    fields = reading.named(reading.document(payload, "The transaction"), "The transaction", _NAMES)
    number = _type(fields)
    for name in fields.keys() - _ALLOWED[number]:
        raise MalformedPayloadError(f"The transaction is of type {number} ({NAMES[number]}), which has no {name}.")
    chain_id, to, value = fields.get("chain_id"), fields.get("to"), fields.get("value", 0)
    quantity = reading.quantity
    transaction = EvmTransaction(
        number,
        None if chain_id is None else quantity(chain_id, "chain_id"),
        quantity(_required(fields, "nonce"), "nonce", reading.LAST_NONCE),
        tuple([quantity(_required(fields, name), name) for name in _FEES[number]]),
        quantity(_required(fields, "gas"), "gas"),
        b"" if to is None or _is_empty(to) else reading.address(to, "to", checksum_id),
        quantity(value, "value"),
        _data(fields),
        _access_list(fields["access_list"]) if "access_list" in fields else (),
        _blob_hashes(_required(fields, "blob_versioned_hashes")) if number == BLOB else (),
        authorization.read_signed(_required(fields, "authorization_list")) if number == SET_CODE else (),
    )
    sender = reading.address(fields["from"], "from", checksum_id) if "from" in fields else None
    return ReadTransaction(transaction, sender)


def _type(fields: dict[str, Any]) -> int:
    if "type" in fields:
        return reading.quantity(fields["type"], "type", SET_CODE)
    if "authorization_list" in fields:
        return SET_CODE
    if "blob_versioned_hashes" in fields or "max_fee_per_blob_gas" in fields:
        return BLOB
    if "max_fee_per_gas" in fields or "max_priority_fee_per_gas" in fields:
        return DYNAMIC_FEE
    return ACCESS_LIST if "access_list" in fields else LEGACY


def _required(fields: dict[str, Any], name: str) -> Any:
    if name not in fields:
        raise MalformedPayloadError(f"The transaction lacks the field {name}.")
    return fields[name]


def _is_empty(value: object) -> bool:
    return isinstance(value, (str, bytes)) and value in ("", b"", "0x")


def _data(fields: dict[str, Any]) -> bytes:
    read = [
        b"" if fields[name] == "" else reading.octets(fields[name], name)
        for name in ("data", "input")
        if name in fields
    ]
    if len(read) == 2 and read[0] != read[1]:
        raise MalformedPayloadError("data and input differ.")
    return read[0] if read else b""


def _access_list(value: object) -> AccessList:
    """A list of mappings, or of pairs; addresses and keys are counted together. EIP-2930."""
    found, left = [], reading.MAX_ITEMS
    for entry in reading.items(value, "access_list"):
        found.append(_access(entry, left))
        left -= 1 + len(found[-1][1])
    return tuple(found)


def _access(entry: object, most: int) -> tuple[bytes, tuple[bytes, ...]]:
    if isinstance(entry, (list, tuple)):
        pair = list(entry)
    else:
        fields = reading.named(entry, "An entry of access_list", _ACCESS_NAMES)
        pair = [fields[name] for name in ("address", "storage_keys") if name in fields]
    if len(pair) != 2:
        raise MalformedPayloadError("An entry of access_list is not an address and its storage keys.")
    address, keys = pair
    return reading.address(address, "address of access_list"), tuple(
        _storage_key(key) for key in reading.items(keys, "storage_keys of access_list", max(most, 0))
    )


def _storage_key(value: object) -> bytes:
    if isinstance(value, int):
        return reading.quantity(value, "A storage key").to_bytes(32)
    return reading.octets(value, "A storage key", 32)


def _blob_hashes(value: object) -> tuple[bytes, ...]:
    return tuple(
        reading.octets(each, "A hash of blob_versioned_hashes", 32)
        for each in reading.items(value, "blob_versioned_hashes")
    )
