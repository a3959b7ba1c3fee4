"""How values of a payload are read: quantities, bytes, addresses, mappings, JSON. Nothing is guessed.

Every function raises MalformedPayloadError, and nothing else, for what it does not read. Messages name fields, never
the values that the caller passed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from strongroom.bounded_json import nests_deeper
from strongroom.errors import MalformedPayloadError
from strongroom.networks.evm import eip55

WORD = 1 << 256
LAST_NONCE = (1 << 64) - 2
"""EIP-2681: a transaction with a higher one is invalid; so is an authorization of EIP-7702."""
MAX_DOCUMENT_CHARACTERS = 1 << 20
MAX_BYTES = 1 << 20
"""Of a message, of a serialized transaction, and of any value of a payload; nodes relay transactions of 128 KiB."""
MAX_ITEMS = 32_768
"""Of a list, and of all lists of a serialized transaction together; a megabyte of storage keys is not more."""
_QUANTITY = re.compile("0x[0-9a-fA-F]{1,64}")
_SHOWN = re.compile("[A-Za-z_]{1,32}[0-9]{0,3}(?::[A-Za-z_]{1,32}[0-9]{0,3})?")


def shown(name: object) -> str:
    """A name from a payload for a message; one that might be a value is not shown."""
    return name if isinstance(name, str) and _SHOWN.fullmatch(name) else "(not shown)"


def quantity(value: object, field: str, last: int = WORD - 1) -> int:
    """Read an integer from 0 to ``last``: an int, or 0x and 1 to 64 hexadecimal digits."""
    if isinstance(value, int) and not isinstance(value, bool):
        number = value
    elif isinstance(value, str) and _QUANTITY.fullmatch(value):
        number = int(value, 16)
    else:
        raise MalformedPayloadError(f"{field} is not an integer, nor 0x and hexadecimal digits.")
    if not 0 <= number <= last:
        raise MalformedPayloadError(f"{field} is out of range.")
    return number


def octets(value: object, field: str, size: int | None = None) -> bytes:
    """Read bytes, or 0x and an even number of hexadecimal digits; exactly ``size`` of them where it is given."""
    if size_of(value) > (2 * MAX_BYTES + 2 if isinstance(value, str) else MAX_BYTES):
        raise MalformedPayloadError(f"{field} is longer than {MAX_BYTES} bytes.")
    read = _octets(value)
    if read is None:
        raise MalformedPayloadError(f"{field} is not bytes, nor 0x and an even number of hexadecimal digits.")
    if size is not None and len(read) != size:
        raise MalformedPayloadError(f"{field} is not {size} bytes.")
    return read


def size_of(value: object) -> int:
    """Tell how many characters or bytes a value has; none for what is neither text nor bytes."""
    if isinstance(value, (str, bytes, bytearray)):
        return len(value)
    try:
        return value.nbytes if isinstance(value, memoryview) else 0
    except ValueError:  # a view that was released
        return 0


def _octets(value: object) -> bytes | None:
    try:
        if isinstance(value, str):
            read = bytes.fromhex(value[2:])  # which skips white space
            return read if value[:2] == "0x" and len(value) == 2 + 2 * len(read) else None
        return bytes(value) if isinstance(value, (bytes, bytearray, memoryview)) else None
    except ValueError:
        return None


def address(value: object, field: str, checksum_id: int | None = None) -> bytes:
    """Read an address: text with 0x, whose checksum is right where its letters are mixed; or 20 bytes.

    EIP-55; for a chain that goes into its checksums EIP-1191, too.
    """
    if not isinstance(value, str):
        return octets(value, field, eip55.ADDRESS_BYTES)
    if not eip55.is_address(value):
        raise MalformedPayloadError(f"{field} is not an address: 0x and 40 hexadecimal digits.")
    read = _checksummed(value, checksum_id)
    if read is None:
        raise MalformedPayloadError(f"The EIP-55 checksum of {field} is wrong: a letter's case differs.")
    return read


@lru_cache(4096)
def _checksummed(text: str, checksum_id: int | None) -> bytes | None:
    return None if eip55.canonical(text, checksum_id) is None else bytes.fromhex(text[2:])


def mapping(value: object, what: str) -> dict[Any, Any]:
    """Read a mapping: a dict, or what behaves like one."""
    if type(value) is dict:
        return value
    copy = None
    if isinstance(value, Mapping):
        try:
            copy = dict(value)
        except Exception:  # noqa: BLE001 - other people's mappings raise what they like
            copy = None
    if copy is None:
        raise MalformedPayloadError(f"{what} is not a mapping.")
    return copy


def items(value: object, what: str, most: int = MAX_ITEMS) -> list[Any] | tuple[Any, ...]:
    """Read a list or a tuple of ``most`` items at most."""
    if not isinstance(value, (list, tuple)):
        raise MalformedPayloadError(f"{what} is not a list.")
    if len(value) > most:
        raise MalformedPayloadError(f"{what} has more than {most} items.")
    return value


def named(value: object, what: str, names: Mapping[str, str]) -> dict[str, Any]:
    """Read a mapping whose keys are spelled as in ``names``, and return it under the names that those stand for.

    A key that is not there, and two keys of one name, are refused.
    """
    found: dict[str, Any] = {}
    for key, entry in mapping(value, what).items():
        name = names.get(key) if isinstance(key, str) else None
        if name is None:
            raise MalformedPayloadError(f"{what} has a field that is unknown here: {shown(key)}.")
        if name in found:
            raise MalformedPayloadError(f"{what} has the field {name} twice, under two spellings.")
        found[name] = entry
    return found


def document(value: object, what: str) -> dict[Any, Any]:
    """Read a mapping, or the JSON text of an object: no name twice in an object, no NaN or Infinity. RFC 8259."""
    if not isinstance(value, (str, bytes, bytearray)):
        return mapping(value, what)
    if len(value) > MAX_DOCUMENT_CHARACTERS:
        raise MalformedPayloadError(f"{what} is longer than {MAX_DOCUMENT_CHARACTERS} characters.")
    read = _json(value)
    if not isinstance(read, dict):
        raise MalformedPayloadError(f"{what} is not a mapping, nor the JSON text of an object without repeated names.")
    return read


def _json(text: str | bytes | bytearray) -> object:
    try:
        plain = text if isinstance(text, str) else text.decode()
        if nests_deeper(plain):
            return None
        return json.loads(plain, object_pairs_hook=_unique, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(pairs)
    if len(read) != len(pairs):
        raise ValueError
    return read


def _no_constant(_: str) -> float:
    raise ValueError
