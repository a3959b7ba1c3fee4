"""The fields of a PSBT: their numbers, and how their keys and values must look. BIP-174, BIP-370, BIP-371.

Fields that are not in these tables are kept as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from strongroom.errors import MalformedPayloadError
from strongroom.networks.bitcoin.encoding import ByteReader, Items

Map = dict[bytes, bytes]
"""One map of a PSBT: whole keys (number and key data) to values, in the order in which they came."""

UNSIGNED_TX, TX_VERSION, FALLBACK_LOCKTIME = b"\x00", b"\x02", b"\x03"
INPUT_COUNT, OUTPUT_COUNT, TX_MODIFIABLE = b"\x04", b"\x05", b"\x06"
SIGNED_MESSAGE, VERSION = b"\x09", b"\xfb"

NON_WITNESS_UTXO, WITNESS_UTXO, PARTIAL_SIG, SIGHASH_TYPE = b"\x00", b"\x01", b"\x02", b"\x03"
REDEEM_SCRIPT, WITNESS_SCRIPT, FINAL_SCRIPT_SIG, FINAL_WITNESS = b"\x04", b"\x05", b"\x07", b"\x08"
PREVIOUS_TXID, OUTPUT_INDEX, SEQUENCE = b"\x0e", b"\x0f", b"\x10"
REQUIRED_TIME, REQUIRED_HEIGHT = b"\x11", b"\x12"
TAP_KEY_SIG, TAP_INTERNAL_KEY, TAP_MERKLE_ROOT = b"\x13", b"\x17", b"\x18"

AMOUNT, SCRIPT = b"\x03", b"\x04"  # of an output


def _any(_: bytes) -> bool:
    return True


def _long(*lengths: int) -> Callable[[bytes], bool]:
    return lambda value: len(value) in lengths


def _origin(value: bytes) -> bool:
    return len(value) >= 4 and len(value) % 4 == 0


def _der_signature(value: bytes) -> bool:
    return 9 <= len(value) <= 73 and value[0] == 0x30


def _tap_origin(value: bytes) -> bool:
    reader = ByteReader(value, "key origin of a taproot key")
    reader.take(32 * reader.count(32))
    return _origin(reader.take(reader.left))


def _is_witness(value: bytes, items: Items) -> bool:
    reader = ByteReader(value, "final witness of an input", items)
    for _ in range(reader.count(1)):
        reader.string()
    return not reader.left


class Rule(NamedTuple):
    """What the key data and the value of a field have to look like. BIP-174, BIP-370, BIP-371."""

    key: Callable[[bytes], bool]
    """Takes the key data: what follows the number."""
    value: Callable[[bytes], bool] = _any


_NO_KEY = _long(0)
_POINT = _long(33, 65)
_LEAF_KEY = _long(*range(33, 33 + 129 * 32, 32))
_FLAG, _NUMBER = _long(1), _long(4)

GLOBAL: Mapping[int, Rule] = {
    0x00: Rule(_NO_KEY),
    0x01: Rule(_long(78), _origin),
    0x02: Rule(_NO_KEY, _NUMBER),
    0x03: Rule(_NO_KEY, _NUMBER),
    0x04: Rule(_NO_KEY),
    0x05: Rule(_NO_KEY),
    0x06: Rule(_NO_KEY, _FLAG),
    0x09: Rule(_NO_KEY),
    0xFB: Rule(_NO_KEY, _NUMBER),
}
INPUT: Mapping[int, Rule] = {
    0x00: Rule(_NO_KEY),
    0x01: Rule(_NO_KEY),
    0x02: Rule(_POINT, _der_signature),
    0x03: Rule(_NO_KEY, _NUMBER),
    0x04: Rule(_NO_KEY),
    0x05: Rule(_NO_KEY),
    0x06: Rule(_POINT, _origin),
    0x07: Rule(_NO_KEY),
    0x08: Rule(_NO_KEY),  # and see check_input
    0x09: Rule(_NO_KEY),
    0x0A: Rule(_long(20)),
    0x0B: Rule(_long(32)),
    0x0C: Rule(_long(20)),
    0x0D: Rule(_long(32)),
    0x0E: Rule(_NO_KEY, _long(32)),
    0x0F: Rule(_NO_KEY, _NUMBER),
    0x10: Rule(_NO_KEY, _NUMBER),
    0x11: Rule(_NO_KEY, _NUMBER),
    0x12: Rule(_NO_KEY, _NUMBER),
    0x13: Rule(_NO_KEY, _long(64, 65)),
    0x14: Rule(_long(64), _long(64, 65)),
    0x15: Rule(_LEAF_KEY, bool),
    0x16: Rule(_long(32), _tap_origin),
    0x17: Rule(_NO_KEY, _long(32)),
    0x18: Rule(_NO_KEY, _long(32)),
}
OUTPUT: Mapping[int, Rule] = {
    0x00: Rule(_NO_KEY),
    0x01: Rule(_NO_KEY),
    0x02: Rule(_POINT, _origin),
    0x03: Rule(_NO_KEY, _long(8)),
    0x04: Rule(_NO_KEY),
    0x05: Rule(_NO_KEY, _long(32)),
    0x06: Rule(_NO_KEY),
    0x07: Rule(_long(32), _tap_origin),
}

_V2_GLOBAL = frozenset((TX_VERSION, FALLBACK_LOCKTIME, INPUT_COUNT, OUTPUT_COUNT, TX_MODIFIABLE))
_V2_INPUT = frozenset((PREVIOUS_TXID, OUTPUT_INDEX, SEQUENCE, REQUIRED_TIME, REQUIRED_HEIGHT))
_V2_OUTPUT = frozenset((AMOUNT, SCRIPT))


def check_globals(fields: Map, version: int) -> None:
    """Check the global map. Raises MalformedPayloadError."""
    required = (UNSIGNED_TX,) if version == 0 else (TX_VERSION, INPUT_COUNT, OUTPUT_COUNT)
    _check(fields, GLOBAL, required, _V2_GLOBAL if version == 0 else (UNSIGNED_TX,), "global")


def check_input(fields: Map, version: int, items: Items) -> None:
    """Check the map of an input; ``items`` counts those of its witness. Raises MalformedPayloadError."""
    required, forbidden = ((), _V2_INPUT) if version == 0 else ((PREVIOUS_TXID, OUTPUT_INDEX), ())
    _check(fields, INPUT, required, forbidden, "input")
    if FINAL_WITNESS in fields and not _is_witness(fields[FINAL_WITNESS], items):
        raise _misshapen("input", FINAL_WITNESS)


def check_output(fields: Map, version: int) -> None:
    """Check the map of an output. Raises MalformedPayloadError."""
    required, forbidden = ((), _V2_OUTPUT) if version == 0 else ((AMOUNT, SCRIPT), ())
    _check(fields, OUTPUT, required, forbidden, "output")


def with_field(fields: Map, key: bytes, value: bytes) -> Map:
    """Return the map with one field set, where it is or before the first greater key: what is sorted stays sorted."""
    if key in fields:
        return {**fields, key: value}
    keys = list(fields)
    at = next((place for place, each in enumerate(keys) if each > key), len(keys))
    return {each: value if each == key else fields[each] for each in (*keys[:at], key, *keys[at:])}


def _check(
    fields: Map,
    rules: Mapping[int, Rule],
    required: tuple[bytes, ...],
    forbidden: tuple[bytes, ...] | frozenset[bytes],
    where: str,
) -> None:
    for key, value in fields.items():
        rule = rules.get(key[0])
        if rule is not None and not (rule.key(key[1:]) and rule.value(value)):
            raise _misshapen(where, key)
    for key in required:
        if key not in fields:
            raise MalformedPayloadError(f"The {where} field 0x{key[0]:02x} is missing in the PSBT.")
    for key in forbidden:
        if key in fields:
            raise MalformedPayloadError(
                f"The {where} field 0x{key[0]:02x} does not belong into a PSBT of this version."
            )


def _misshapen(where: str, key: bytes) -> MalformedPayloadError:
    return MalformedPayloadError(
        f"The {where} field 0x{key[0]:02x} of the PSBT has a key or value that it cannot have."
    )
