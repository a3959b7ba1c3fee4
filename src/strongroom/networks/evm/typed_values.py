"""Atomic and dynamic values of typed data, each as the 32 bytes that stand for it. EIP-712, encodeData."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

from strongroom.errors import MalformedPayloadError
from strongroom.networks.evm import reading
from strongroom.networks.keccak import keccak_256

_INTEGER = re.compile("-?[0-9]{1,78}|0x[0-9a-fA-F]{1,64}")


def integer(value: object) -> int | None:
    """Read an int, or its decimal or 0x-hexadecimal text; None for what is neither."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        return int(value, 16 if value[:2] == "0x" else 10)
    return None


def _integer(bits: int, signed: bool, name: str, value: object) -> bytes:
    number = integer(value)
    if number is None:
        raise MalformedPayloadError(f"A value of type {name} is not an integer.")
    low, high = (-(1 << bits - 1), 1 << bits - 1) if signed else (0, 1 << bits)
    if not low <= number < high:
        raise MalformedPayloadError(f"A value of type {name} is out of range.")
    return number.to_bytes(32, signed=signed)


def _bool(value: object) -> bytes:
    """Nothing but true and false: libraries differ about what the text "false" is."""
    if not isinstance(value, bool):
        raise MalformedPayloadError("A value of type bool is neither true nor false.")
    return value.to_bytes(32)


def _address(value: object) -> bytes:
    return reading.address(value, "A value of type address").rjust(32, b"\0")


def _fixed_bytes(size: int, name: str, value: object) -> bytes:
    return reading.octets(value, f"A value of type {name}", size).ljust(32, b"\0")


def _bytes(value: object) -> bytes:
    return keccak_256(reading.octets(value, "A value of type bytes"))


def utf8(value: object) -> bytes | None:
    """Text as UTF-8; None for what is no text, or has surrogates alone."""
    try:
        return value.encode() if isinstance(value, str) else None
    except UnicodeEncodeError:
        return None


def _string(value: object) -> bytes:
    encoded = utf8(value)
    if encoded is None:
        raise MalformedPayloadError("A value of type string is not text, or has half a surrogate pair.")
    return keccak_256(encoded)


ENCODERS: dict[str, Callable[[object], bytes]] = {
    "bool": _bool,
    "address": _address,
    "bytes": _bytes,
    "string": _string,
    **{f"uint{bits}": partial(_integer, bits, False, f"uint{bits}") for bits in range(8, 257, 8)},
    **{f"int{bits}": partial(_integer, bits, True, f"int{bits}") for bits in range(8, 257, 8)},
    **{f"bytes{size}": partial(_fixed_bytes, size, f"bytes{size}") for size in range(1, 33)},
}
"""By type. Each raises MalformedPayloadError for a value that is not of the type; ``uint`` and ``int`` are none."""
