"""Transactions as unsigned serialized bytes, the form that ``serializeTransaction`` of JavaScript libraries makes."""

from __future__ import annotations

from typing import NoReturn

from strongroom.errors import MalformedPayloadError
from strongroom.networks.evm import rlp
from strongroom.networks.evm.signed import EvmSignedAuthorization
from strongroom.networks.evm.transaction import ACCESS_LIST, BLOB, LEGACY, SET_CODE, AccessList, EvmTransaction

_FIELDS = (9, 8, 9, 11, 10)
"""How many a list has without the signature, by type."""
_SIGNATURE_FIELDS = 3
_FIRST_LIST = 0xC0


def read(raw: bytes) -> EvmTransaction:
    """Read an unsigned transaction of any type. Raises MalformedPayloadError, also for one that is signed."""
    number = LEGACY
    if raw and raw[0] < _FIRST_LIST:
        number = raw[0]
        if not ACCESS_LIST <= number <= SET_CODE:
            _refuse("its type is unknown")
    parts = _list(rlp.decode(raw if number == LEGACY else raw[1:]))
    if number == LEGACY:
        return _legacy(parts)
    if len(parts) == _FIELDS[number] + _SIGNATURE_FIELDS:
        _refuse("it is signed already")
    if len(parts) != _FIELDS[number]:
        _refuse("its fields are too few or too many")
    return _typed(number, parts)


def _legacy(parts: list[rlp.Item]) -> EvmTransaction:
    """Six fields; with a chain id three more, of which two are empty. EIP-155."""
    chain_id = None
    if len(parts) == _FIELDS[LEGACY]:
        chain_id = _integer(parts[6])
        if parts[7:] != [b"", b""]:
            _refuse("it is signed already")
    elif len(parts) != 6:
        _refuse("its fields are too few or too many")
    nonce, price, gas, to, value, data = parts[:6]
    return EvmTransaction(
        LEGACY, chain_id, _integer(nonce), (_integer(price),), _integer(gas), _to(to), _integer(value), _data(data)
    )


def _typed(number: int, parts: list[rlp.Item]) -> EvmTransaction:
    chain_id, nonce = _integer(parts[0]), _integer(parts[1])
    fees = 1 if number == ACCESS_LIST else 2
    fee = tuple(_integer(part) for part in reversed(parts[2 : 2 + fees]))
    gas, to, value, data, access_list, *rest = parts[2 + fees :]
    hashes: tuple[bytes, ...] = ()
    authorizations: tuple[EvmSignedAuthorization, ...] = ()
    if number == BLOB:
        fee = (*fee, _integer(rest[0]))
        hashes = tuple(_data(each, 32) for each in _list(rest[1]))
    elif number == SET_CODE:
        authorizations = tuple(_authorization(each) for each in _list(rest[0]))
    return EvmTransaction(
        number,
        chain_id,
        nonce,
        fee,
        _integer(gas),
        _to(to),
        _integer(value),
        _data(data),
        _access_list(access_list),
        hashes,
        authorizations,
    )


def _access_list(item: rlp.Item) -> AccessList:
    found = []
    for entry in _list(item):
        pair = _list(entry)
        if len(pair) != 2:
            _refuse("an entry of its access list is not a pair")
        found.append((_data(pair[0], 20), tuple(_data(key, 32) for key in _list(pair[1]))))
    return tuple(found)


def _authorization(item: rlp.Item) -> EvmSignedAuthorization:
    parts = _list(item)
    if len(parts) != 6:
        _refuse("an authorization has not six fields")
    chain_id, address, *rest = parts
    return EvmSignedAuthorization(_integer(chain_id), _data(address, 20), *[_integer(part) for part in rest])


def _to(item: rlp.Item) -> bytes:
    return _data(item, 20) if item else _data(item)


def _list(item: rlp.Item) -> list[rlp.Item]:
    if not isinstance(item, list):
        _refuse("bytes stand where a list must be")
    return item


def _data(item: rlp.Item, size: int | None = None) -> bytes:
    if not isinstance(item, bytes):
        _refuse("a list stands where bytes must be")
    if size is not None and len(item) != size:
        _refuse("a field has not the length of its kind")
    return item


def _integer(item: rlp.Item) -> int:
    value = _data(item)
    if len(value) > 32 or value[:1] == b"\0":
        _refuse("a number has leading zeros or more than 256 bits")
    return int.from_bytes(value)


def _refuse(why: str) -> NoReturn:
    raise MalformedPayloadError(f"The payload is not an unsigned transaction: {why}.")
