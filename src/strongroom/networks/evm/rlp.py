"""Recursive Length Prefix, the serialization of Ethereum. Yellow Paper, appendix B.

Reading is strict: each value has one encoding, and nothing may follow it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NoReturn

from strongroom.errors import MalformedPayloadError

Item = bytes | list["Item"]

EMPTY_LIST = b"\xc0"
_SINGLE = tuple(b"\x80" if number == 0 else bytes((number,)) for number in range(0x80))
_SHORT = tuple(bytes((number,)) for number in range(256))
_BYTES, _LIST, _LONG = 0x80, 0xC0, 55
_DEEPEST = 8
"""Lists inside lists; an access list inside a transaction needs four."""
MAX_BYTES = 1 << 20
MAX_ITEMS = 32_768
"""What is decoded at most, lists and values counted together: an item of one byte takes up to a hundred of memory."""


def data(value: bytes) -> bytes:
    """Encode a byte string with its RLP header."""
    size = len(value)
    if size == 1 and value[0] < _BYTES:
        return value
    if size <= _LONG:
        return _SHORT[_BYTES + size] + value
    return _long_header(_BYTES, size) + value


def integer(number: int) -> bytes:
    """Encode a number below 2^256, big-endian without leading zeros."""
    if number < _BYTES:
        return _SINGLE[number]
    size = (number.bit_length() + 7) >> 3
    return _SHORT[_BYTES + size] + number.to_bytes(size)


def sequence(body: bytes) -> bytes:
    """Encode a list, given its items encoded and joined."""
    size = len(body)
    return (_SHORT[_LIST + size] if size <= _LONG else _long_header(_LIST, size)) + body


def sequence_of(items: Iterable[bytes]) -> bytes:
    """Encode a list of encoded items."""
    return sequence(b"".join(items))


def decode(encoded: bytes) -> Item:
    """Decode one value that takes up all the bytes: bytes, or a list of values.

    Raises MalformedPayloadError for what is truncated, followed by more, nested too deeply, not canonical, or larger
    than ``MAX_BYTES`` or ``MAX_ITEMS``.
    """
    if len(encoded) > MAX_BYTES:
        _refuse(f"it is longer than {MAX_BYTES} bytes")
    value, end = _Decoder(encoded).item(0, len(encoded), 0)
    if end != len(encoded):
        _refuse("bytes follow the value")
    return value


class _Decoder:
    """Reads one encoding, and counts its items."""

    def __init__(self, encoded: bytes) -> None:
        self._encoded = encoded
        self._left = MAX_ITEMS

    def item(self, start: int, limit: int, depth: int) -> tuple[Item, int]:
        encoded = self._encoded
        if start >= limit:
            _refuse("it is truncated")
        self._left -= 1
        if self._left < 0:
            _refuse(f"it has more than {MAX_ITEMS} items")
        first = encoded[start]
        if first < _BYTES:
            return encoded[start : start + 1], start + 1
        base = _LIST if first >= _LIST else _BYTES
        begin, size = start + 1, first - base
        if size > _LONG:
            begin, size = _long_size(encoded, begin, limit, size - _LONG)
        end = begin + size
        if end > limit:
            _refuse("it is truncated")
        if base == _LIST:
            return self._items(begin, end, depth + 1), end
        if size == 1 and encoded[begin] < _BYTES:
            _refuse("a value is not in its shortest form")
        return encoded[begin:end], end

    def _items(self, start: int, end: int, depth: int) -> list[Item]:
        if depth > _DEEPEST:
            _refuse("it is nested too deeply")
        found: list[Item] = []
        while start < end:
            value, start = self.item(start, end, depth)
            found.append(value)
        return found


def _long_size(encoded: bytes, begin: int, limit: int, width: int) -> tuple[int, int]:
    if begin + width > limit:
        _refuse("it is truncated")
    size = int.from_bytes(encoded[begin : begin + width])
    if encoded[begin] == 0 or size <= _LONG:
        _refuse("a length is not in its shortest form")
    return begin + width, size


def _long_header(base: int, size: int) -> bytes:
    width = (size.bit_length() + 7) >> 3
    return _SHORT[base + _LONG + width] + size.to_bytes(width)


def _refuse(why: str) -> NoReturn:
    raise MalformedPayloadError(f"The payload is not RLP: {why}.")
