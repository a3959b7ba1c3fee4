"""Partially signed transactions, versions 0 and 2: read and written. BIP-174, BIP-370, BIP-371.

What is read and not changed is written byte for byte as it came, in its order, fields that are unknown here included.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, replace

from strongroom.errors import MalformedPayloadError
from strongroom.networks.bitcoin import psbt_fields as fields
from strongroom.networks.bitcoin.encoding import ByteReader, Items, string
from strongroom.networks.bitcoin.psbt_fields import Map
from strongroom.networks.bitcoin.transaction import (
    LEAST_INPUT_BYTES,
    LEAST_OUTPUT_BYTES,
    BitcoinTransaction,
    TransactionInput,
    TransactionOutput,
)

MAX_BYTES = 4 * 1024 * 1024
"""Of a whole PSBT; those that carry previous transactions are large."""
MAX_TRANSACTION_BYTES = 100_000
"""Of the transaction that is to be signed, without signatures: nodes relay no larger one."""
MAGIC = b"psbt\xff"
_THRESHOLD = 500_000_000
"""Lock times below are heights, from here on times. BIP-65."""
_TOO_LARGE = f"The transaction is larger than {MAX_TRANSACTION_BYTES} bytes."
_INPUTS_MODIFIABLE, _OUTPUTS_MODIFIABLE, _HAS_SINGLE = 1, 2, 4


def read_payload(payload: object) -> bytes:
    """Return the bytes of a PSBT that is given as bytes, or as base64 text. Raises MalformedPayloadError."""
    if isinstance(payload, str):
        return _from_base64(payload)
    if not isinstance(payload, (bytes, bytearray)):
        raise MalformedPayloadError("A PSBT is passed as bytes, or as text in base64.")
    if len(payload) > MAX_BYTES:
        raise MalformedPayloadError(f"The PSBT is larger than {MAX_BYTES} bytes.")
    return bytes(payload)


@dataclass(frozen=True, slots=True)
class Psbt:
    """A partially signed transaction, version 0 (BIP-174) or 2 (BIP-370), every field well-formed."""

    version: int
    """The version of the PSBT, 0 or 2."""
    tx: BitcoinTransaction
    """The unsigned transaction; of version 2 it is put together from its fields."""
    globals: Map
    inputs: tuple[Map, ...]
    outputs: tuple[Map, ...]

    @classmethod
    def parse(cls, data: bytes) -> Psbt:
        """Read the binary form. Raises MalformedPayloadError."""
        if not data.startswith(MAGIC):
            raise MalformedPayloadError("The payload is not a PSBT: it does not begin with its magic bytes.")
        items = Items()
        reader = ByteReader(data, "PSBT", items)
        reader.take(len(MAGIC))
        shared = _read_map(reader)
        version = _version(shared)
        fields.check_globals(shared, version)
        if version == 0:
            tx = _unsigned(shared, items)
            counts = len(tx.inputs), len(tx.outputs)
        else:
            counts = _count(shared, fields.INPUT_COUNT), _count(shared, fields.OUTPUT_COUNT)
        if counts[0] * LEAST_INPUT_BYTES + counts[1] * LEAST_OUTPUT_BYTES > MAX_TRANSACTION_BYTES:
            raise MalformedPayloadError(_TOO_LARGE)
        inputs = tuple(_read_map(reader) for _ in range(counts[0]))
        outputs = tuple(_read_map(reader) for _ in range(counts[1]))
        reader.finish()
        for each in inputs:
            fields.check_input(each, version, items)
        for each in outputs:
            fields.check_output(each, version)
        if version != 0:
            tx = _assembled(shared, inputs, outputs)
        _check_transaction(tx)
        return cls(version, tx, shared, inputs, outputs)

    def serialise(self) -> bytes:
        """Write the binary form; fields keep their order."""
        return MAGIC + b"".join(map(_write_map, (self.globals, *self.inputs, *self.outputs)))

    def non_witness_utxo(self, index: int, items: Items | None = None) -> BitcoinTransaction | None:
        """The whole transaction that an input spends from, if it is there; ``items`` counts the parts of several.

        Raises MalformedPayloadError.
        """
        data = self.inputs[index].get(fields.NON_WITNESS_UTXO)
        return (
            None
            if data is None
            else BitcoinTransaction.parse(data, f"previous transaction of input {index}", items=items)
        )

    def witness_utxo(self, index: int) -> TransactionOutput | None:
        """The output that an input spends, as the PSBT says, if it does. Raises MalformedPayloadError."""
        data = self.inputs[index].get(fields.WITNESS_UTXO)
        if data is None:
            return None
        reader = ByteReader(data, f"spent output of input {index}")
        output = TransactionOutput.parse(reader)
        reader.finish()
        return output

    def with_inputs(self, inputs: tuple[Map, ...], sighashes: tuple[int, ...]) -> Psbt:
        """Return it with other maps of inputs, after signatures of some types were made: what they bind is marked
        as not modifiable. BIP-370."""
        changed = replace(self, inputs=inputs)
        if fields.TX_MODIFIABLE not in self.globals:
            return changed
        flags = self.globals[fields.TX_MODIFIABLE][0]
        for sighash in sighashes:
            flags &= 0xFF if sighash & 0x80 else ~_INPUTS_MODIFIABLE
            flags &= 0xFF if sighash & 3 == 2 else ~_OUTPUTS_MODIFIABLE
            flags |= _HAS_SINGLE if sighash & 3 == 3 else 0
        return replace(changed, globals={**self.globals, fields.TX_MODIFIABLE: bytes((flags,))})


def _from_base64(text: str) -> bytes:
    if len(text) > MAX_BYTES // 3 * 4 + 1024:
        raise MalformedPayloadError(f"The PSBT is larger than {MAX_BYTES} bytes.")
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        pass
    raise MalformedPayloadError("The PSBT is not base64.")


def _read_map(reader: ByteReader) -> Map:
    found: Map = {}
    while key := reader.string():
        reader.count_one()
        if key in found:
            raise MalformedPayloadError("A key stands twice in a map of the PSBT.")
        found[key] = reader.string()
    return found


def _write_map(each: Map) -> bytes:
    return b"".join(string(key) + string(value) for key, value in each.items()) + b"\x00"


def _version(shared: Map) -> int:
    data = shared.get(fields.VERSION, bytes(4))
    number = int.from_bytes(data, "little")
    if len(data) != 4 or number not in (0, 2):
        raise MalformedPayloadError("The PSBT is neither of version 0 nor of version 2.")
    return number


def _unsigned(shared: Map, items: Items) -> BitcoinTransaction:
    if len(shared[fields.UNSIGNED_TX]) > MAX_TRANSACTION_BYTES:
        raise MalformedPayloadError(_TOO_LARGE)
    tx = BitcoinTransaction.parse(shared[fields.UNSIGNED_TX], "unsigned transaction", witnesses=False, items=items)
    if any(each.script_sig for each in tx.inputs):
        raise MalformedPayloadError("The unsigned transaction of the PSBT is signed.")
    return tx


def _count(shared: Map, key: bytes) -> int:
    reader = ByteReader(shared[key], "count in the PSBT")
    number = reader.compact_size()
    reader.finish()
    return number


def _assembled(shared: Map, inputs: tuple[Map, ...], outputs: tuple[Map, ...]) -> BitcoinTransaction:
    """The unsigned transaction of version 2, whose parts are in the maps. BIP-370."""
    spent = tuple(
        TransactionInput(
            each[fields.PREVIOUS_TXID],
            int.from_bytes(each[fields.OUTPUT_INDEX], "little"),
            int.from_bytes(each.get(fields.SEQUENCE, b"\xff" * 4), "little"),
        )
        for each in inputs
    )
    paid = tuple(
        TransactionOutput.parse(ByteReader(each[fields.AMOUNT] + string(each[fields.SCRIPT]), "output"))
        for each in outputs
    )
    version = int.from_bytes(shared[fields.TX_VERSION], "little")
    return BitcoinTransaction(version, spent, paid, _locktime(shared, inputs))


def _locktime(shared: Map, inputs: tuple[Map, ...]) -> int:
    """The lock time that every input agrees to; a height where both would do. BIP-370."""
    for each in inputs:
        time, height = _number(each, fields.REQUIRED_TIME), _number(each, fields.REQUIRED_HEIGHT)
        if (time is not None and time < _THRESHOLD) or (height is not None and not 0 < height < _THRESHOLD):
            raise MalformedPayloadError("A required lock time in the PSBT is out of its range.")
    bound = [each for each in inputs if fields.REQUIRED_TIME in each or fields.REQUIRED_HEIGHT in each]
    if not bound:
        return _number(shared, fields.FALLBACK_LOCKTIME) or 0
    for key in (fields.REQUIRED_HEIGHT, fields.REQUIRED_TIME):
        if all(key in each for each in bound):
            return max(_number(each, key) or 0 for each in bound)
    raise MalformedPayloadError("The inputs of the PSBT require lock times that exclude each other.")


def _number(each: Map, key: bytes) -> int | None:
    return int.from_bytes(each[key], "little") if key in each else None


def _check_transaction(tx: BitcoinTransaction) -> None:
    if len(tx.stripped()) > MAX_TRANSACTION_BYTES:
        raise MalformedPayloadError(_TOO_LARGE)
    if len({each.outpoint for each in tx.inputs}) != len(tx.inputs):
        raise MalformedPayloadError("The transaction spends an output twice.")
