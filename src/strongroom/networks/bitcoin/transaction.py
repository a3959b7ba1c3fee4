"""Transactions: read, written, hashed. BIP-144 for witnesses, BIP-141 for weight."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from strongroom.errors import MalformedPayloadError
from strongroom.networks.bitcoin.encoding import ByteReader, Items, compact_size, string, strings

MAX_MONEY_SAT = 21_000_000 * 100_000_000
LEAST_INPUT_BYTES = 41
LEAST_OUTPUT_BYTES = 9
"""How short they can be in a transaction."""
_WITNESS_MARK = b"\x00\x01"


def sha256d(data: bytes) -> bytes:
    """SHA-256 twice: 32 bytes, in the order in which they are serialised."""
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()


@dataclass(frozen=True, slots=True)
class TransactionInput:
    """What is spent, and what shows the right to it."""

    txid: bytes
    """32 bytes as they are hashed; people read them reversed."""
    index: int
    sequence: int = 0xFFFF_FFFF
    script_sig: bytes = b""
    witness: tuple[bytes, ...] = ()

    @property
    def outpoint(self) -> str:
        """``txid:index``, as people write it."""
        return f"{self.txid[::-1].hex()}:{self.index}"

    def outpoint_bytes(self) -> bytes:
        """The 36 bytes that name what is spent."""
        return self.txid + self.index.to_bytes(4, "little")

    def serialise(self) -> bytes:
        """The input without its witness."""
        return self.outpoint_bytes() + string(self.script_sig) + self.sequence.to_bytes(4, "little")


@dataclass(frozen=True, slots=True)
class TransactionOutput:
    """An amount, and who may spend it."""

    amount_sat: int
    script: bytes

    def serialise(self) -> bytes:
        """The amount in 8 bytes, little-endian, then the script with its length."""
        return self.amount_sat.to_bytes(8, "little") + string(self.script)

    @classmethod
    def parse(cls, reader: ByteReader) -> TransactionOutput:
        """Read one. Raises MalformedPayloadError, also for more than there will ever be."""
        amount = reader.integer(8)
        if amount > MAX_MONEY_SAT:
            raise MalformedPayloadError("An amount is larger than 21 million bitcoin.")
        return cls(amount, reader.string())


@dataclass(frozen=True, slots=True)
class BitcoinTransaction:
    """A transaction, signed or not."""

    version: int
    """32 bits, as they are written: unsigned."""
    inputs: tuple[TransactionInput, ...]
    outputs: tuple[TransactionOutput, ...]
    locktime: int

    @classmethod
    def parse(cls, data: bytes, what: str, *, witnesses: bool = True, items: Items | None = None) -> BitcoinTransaction:
        """Read a whole transaction; without ``witnesses`` only the form that has none.

        ``items`` counts its parts, with those of others. Raises MalformedPayloadError.
        """
        reader = ByteReader(data, what, items)
        version = reader.integer(4)
        extended = witnesses and reader.peek(2) == _WITNESS_MARK
        if extended:
            reader.take(2)
        inputs = [_parse_input(reader) for _ in range(reader.count(LEAST_INPUT_BYTES))]
        outputs = [TransactionOutput.parse(reader) for _ in range(reader.count(LEAST_OUTPUT_BYTES))]
        if extended:
            stacks = [tuple(reader.string() for _ in range(reader.count(1))) for _ in inputs]
            if not any(stacks):
                raise MalformedPayloadError(f"The {what} announces witnesses and has none.")
            inputs = [
                TransactionInput(each.txid, each.index, each.sequence, each.script_sig, stack)
                for each, stack in zip(inputs, stacks, strict=True)
            ]
        locktime = reader.integer(4)
        reader.finish()
        return cls(version, tuple(inputs), tuple(outputs), locktime)

    def stripped(self) -> bytes:
        """The transaction without witnesses: what its id is the hash of."""
        return b"".join((self.version.to_bytes(4, "little"), self._body(), self.locktime.to_bytes(4, "little")))

    def serialise(self) -> bytes:
        """The transaction as nodes take it."""
        if not any(each.witness for each in self.inputs):
            return self.stripped()
        witnesses = b"".join(strings(each.witness) for each in self.inputs)
        parts = (self.version.to_bytes(4, "little"), _WITNESS_MARK, self._body(), witnesses)
        return b"".join((*parts, self.locktime.to_bytes(4, "little")))

    def txid_bytes(self) -> bytes:
        """The id as it is hashed."""
        return sha256d(self.stripped())

    def txid(self) -> str:
        """The id as people write it."""
        return self.txid_bytes()[::-1].hex()

    def vsize(self) -> int:
        """Virtual bytes: a quarter of the weight, rounded up. BIP-141."""
        return (3 * len(self.stripped()) + len(self.serialise()) + 3) // 4

    def _body(self) -> bytes:
        inputs = (compact_size(len(self.inputs)), *(each.serialise() for each in self.inputs))
        return b"".join((*inputs, compact_size(len(self.outputs)), *(each.serialise() for each in self.outputs)))


def _parse_input(reader: ByteReader) -> TransactionInput:
    txid, index, script_sig = reader.take(32), reader.integer(4), reader.string()
    return TransactionInput(txid, index, reader.integer(4), script_sig)
