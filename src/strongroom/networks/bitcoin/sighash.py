"""What a signature is made over: the legacy algorithm, BIP-143 (version 0) and BIP-341 (taproot)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cached_property

from strongroom.errors import MalformedPayloadError
from strongroom.networks.bitcoin.encoding import compact_size, string
from strongroom.networks.bitcoin.transaction import BitcoinTransaction, TransactionOutput, sha256d

DEFAULT, ALL, NONE, SINGLE, ANYONE_CAN_PAY = 0x00, 0x01, 0x02, 0x03, 0x80
NAMES = {
    "DEFAULT": DEFAULT,
    "ALL": ALL,
    "NONE": NONE,
    "SINGLE": SINGLE,
    "ALL|ANYONECANPAY": ALL | ANYONE_CAN_PAY,
    "NONE|ANYONECANPAY": NONE | ANYONE_CAN_PAY,
    "SINGLE|ANYONECANPAY": SINGLE | ANYONE_CAN_PAY,
}
"""Every type that nodes accept, as PSBT tools write them."""
_KIND_BITS = 0x03
_ZERO = bytes(32)
_INPUT_BYTES = 41  # of an input with an empty script: outpoint, length, sequence


def tagged_hash(tag: str, data: bytes) -> bytes:
    """SHA-256 with a tag before the data, twice. BIP-340."""
    prefix = hashlib.sha256(tag.encode()).digest()
    return hashlib.sha256(prefix + prefix + data).digest()


def name(sighash: int) -> str:
    """The name of a type, or its number in hex."""
    return next((text for text, value in NAMES.items() if value == sighash), f"0x{sighash:02x}")


def lacks_its_output(tx: BitcoinTransaction, index: int, sighash: int) -> bool:
    """Whether the type is SINGLE and no output has the input's index: such a signature would bind no output."""
    return sighash & _KIND_BITS == SINGLE and index >= len(tx.outputs)


MAX_LEGACY_BYTES = 1 << 25
"""What the legacy algorithm hashes for the inputs of one transaction; the largest that nodes relay needs half of it."""


class Sighashes:
    """The hashes of one unsigned transaction; what several inputs need is hashed once."""

    def __init__(self, tx: BitcoinTransaction, spent: Sequence[TransactionOutput | None]) -> None:
        self._tx = tx
        self._spent = spent
        self._legacy_left = MAX_LEGACY_BYTES

    def legacy(self, index: int, script: bytes, sighash: int) -> bytes:
        """The hash for an input that is spent without a witness. ``script`` is the spent output's.

        Raises MalformedPayloadError where so many of so large a transaction are hashed that no node would relay it.
        """
        tx, kind = self._tx, sighash & _KIND_BITS
        own = tx.inputs[index]
        signed = own.outpoint_bytes() + string(script) + own.sequence.to_bytes(4, "little")
        if sighash & ANYONE_CAN_PAY:
            inputs, count = signed, 1
        else:
            others = self._inputs if kind == ALL else self._inputs_without_sequences
            before, after = others[: index * _INPUT_BYTES], others[(index + 1) * _INPUT_BYTES :]
            inputs, count = before + signed + after, len(tx.inputs)
        outputs = {
            ALL: lambda: compact_size(len(tx.outputs)) + self._outputs,
            NONE: lambda: compact_size(0),
            SINGLE: lambda: compact_size(index + 1) + (b"\xff" * 8 + b"\x00") * index + tx.outputs[index].serialise(),
        }[kind]()
        self._legacy_left -= len(inputs) + len(outputs)
        if self._legacy_left < 0:
            raise MalformedPayloadError(
                "The transaction is too large for so many inputs without a witness: each hashes all of it."
            )
        parts = (tx.version.to_bytes(4, "little"), compact_size(count), inputs, outputs)
        return sha256d(b"".join((*parts, tx.locktime.to_bytes(4, "little"), sighash.to_bytes(4, "little"))))

    def version_0(self, index: int, script_code: bytes, amount_sat: int, sighash: int) -> bytes:
        """The hash for an input that is spent with a witness of version 0. BIP-143."""
        tx, kind = self._tx, sighash & _KIND_BITS
        own, alone = tx.inputs[index], bool(sighash & ANYONE_CAN_PAY)
        outputs = {
            ALL: lambda: hashlib.sha256(self._sha_outputs).digest(),
            NONE: lambda: _ZERO,
            SINGLE: lambda: sha256d(tx.outputs[index].serialise()),
        }[kind]()
        parts = (
            tx.version.to_bytes(4, "little"),
            _ZERO if alone else hashlib.sha256(self._sha_prevouts).digest(),
            _ZERO if alone or kind != ALL else hashlib.sha256(self._sha_sequences).digest(),
            own.outpoint_bytes(),
            string(script_code),
            amount_sat.to_bytes(8, "little"),
            own.sequence.to_bytes(4, "little"),
            outputs,
            tx.locktime.to_bytes(4, "little"),
            sighash.to_bytes(4, "little"),
        )
        return sha256d(b"".join(parts))

    def taproot(self, index: int, sighash: int) -> bytes:
        """The hash for an input that is spent by its taproot output key. BIP-341.

        Every spent output must be known, except with ANYONECANPAY.
        """
        tx, kind, alone = self._tx, sighash & _KIND_BITS, bool(sighash & ANYONE_CAN_PAY)
        parts = [bytes((0, sighash)), tx.version.to_bytes(4, "little"), tx.locktime.to_bytes(4, "little")]
        if not alone:
            parts += [self._sha_prevouts, self._sha_amounts, self._sha_scripts, self._sha_sequences]
        if kind in (DEFAULT, ALL):
            parts.append(self._sha_outputs)
        parts.append(b"\x00")  # by the key, no annex
        if alone:
            own, spent = tx.inputs[index], self._known[index]
            parts += [own.outpoint_bytes(), spent.serialise(), own.sequence.to_bytes(4, "little")]
        else:
            parts.append(index.to_bytes(4, "little"))
        if kind == SINGLE:
            parts.append(hashlib.sha256(tx.outputs[index].serialise()).digest())
        return tagged_hash("TapSighash", b"".join(parts))

    @cached_property
    def _known(self) -> dict[int, TransactionOutput]:
        return {index: output for index, output in enumerate(self._spent) if output is not None}

    @cached_property
    def _inputs(self) -> bytes:
        unsigned = (each.outpoint_bytes() + b"\x00" + each.sequence.to_bytes(4, "little") for each in self._tx.inputs)
        return b"".join(unsigned)

    @cached_property
    def _inputs_without_sequences(self) -> bytes:
        return b"".join(each.outpoint_bytes() + bytes(5) for each in self._tx.inputs)

    @cached_property
    def _outputs(self) -> bytes:
        return b"".join(each.serialise() for each in self._tx.outputs)

    @cached_property
    def _sha_outputs(self) -> bytes:
        return hashlib.sha256(self._outputs).digest()

    @cached_property
    def _sha_prevouts(self) -> bytes:
        return hashlib.sha256(b"".join(each.outpoint_bytes() for each in self._tx.inputs)).digest()

    @cached_property
    def _sha_sequences(self) -> bytes:
        return hashlib.sha256(b"".join(each.sequence.to_bytes(4, "little") for each in self._tx.inputs)).digest()

    @cached_property
    def _sha_amounts(self) -> bytes:
        return hashlib.sha256(b"".join(each.amount_sat.to_bytes(8, "little") for each in self._known.values())).digest()

    @cached_property
    def _sha_scripts(self) -> bytes:
        return hashlib.sha256(b"".join(string(each.script) for each in self._known.values())).digest()
