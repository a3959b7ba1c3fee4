"""Messages of transactions, read strictly: what the runtime would refuse, and what it might read in two ways."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from strongroom.errors import MalformedPayloadError, UnsupportedSigningError
from strongroom.networks.codecs import base58

KEY_BYTES = 32
MAX_ACCOUNTS = 256
VERSIONED = 0x80
"""The top bit of a message's first byte; the other seven are the version. Without it, the message is legacy."""


@dataclass(frozen=True, slots=True)
class Instruction:
    """A call of a program."""

    program: int
    """The index of the program among the accounts."""
    accounts: tuple[int, ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class SolanaMessage:
    """What the signers of a transaction sign."""

    raw: bytes
    version: int | None
    """The number of a versioned message (0); None for a legacy one."""
    signatures: int
    """How many signatures it requires: those of the first accounts, the first of which pays."""
    accounts: tuple[bytes, ...]
    """The public keys that are in the message itself."""
    blockhash: bytes
    instructions: tuple[Instruction, ...]
    tables: tuple[bytes, ...] = ()
    """The address lookup tables that it takes more accounts from."""

    @property
    def signers(self) -> tuple[bytes, ...]:
        """The public keys whose signatures it requires, in the order of their slots."""
        return self.accounts[: self.signatures]

    def program(self, instruction: Instruction) -> str:
        """The address of the program that an instruction calls; it is never one of a lookup table."""
        return address(self.accounts[instruction.program])


@lru_cache(4096)
def address(key: bytes) -> str:
    """The address of a public key, in base58; remembered, since programs and recipients come again."""
    return base58.encode(key)


class Cursor:
    """Reads bytes from the left. Raises MalformedPayloadError where they end too early."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, count: int) -> bytes:
        """The next ``count`` bytes."""
        end = self._at + count
        if end > len(self._data):
            raise malformed("it ends too early.")
        taken, self._at = self._data[self._at : end], end
        return taken

    def byte(self) -> int:
        """The next byte as a number."""
        return self.take(1)[0]

    def compact(self) -> int:
        """A compact-u16: seven bits a byte, at most three bytes, and none more than it needs."""
        number = 0
        for position in range(3):
            byte = self.byte()
            number |= (byte & 0x7F) << 7 * position
            if byte < 0x80:
                if (byte == 0 and position > 0) or number > 0xFFFF:
                    break
                return number
        raise malformed("a length is not a compact-u16 in its shortest form.")

    def keys(self, count: int) -> tuple[bytes, ...]:
        """The next ``count`` public keys, of 32 bytes each."""
        data = self.take(KEY_BYTES * count)
        return tuple(data[at : at + KEY_BYTES] for at in range(0, len(data), KEY_BYTES))

    def rest(self) -> bytes:
        """All bytes that are left; the cursor is then at the end."""
        return self.take(len(self._data) - self._at)


def parse(raw: bytes) -> SolanaMessage:
    """Read a whole message, legacy or of version 0.

    Raises MalformedPayloadError for what the runtime refuses by its form alone (and for bytes behind the end),
    UnsupportedSigningError for another version.
    """
    cursor = Cursor(raw)
    version = _version(raw)
    if version is not None:
        cursor.byte()
    signatures, readonly_signed, readonly_unsigned = cursor.take(3)
    accounts = cursor.keys(cursor.compact())
    if not 0 < signatures <= len(accounts) - readonly_unsigned or readonly_signed >= signatures:
        raise malformed("the counts in its header do not fit its accounts.")
    if len(set(accounts)) != len(accounts):
        raise malformed("it names an account twice.")
    blockhash = cursor.take(KEY_BYTES)
    instructions = tuple(_instruction(cursor) for _ in range(cursor.compact()))
    tables, looked_up = _lookups(cursor) if version is not None else ((), 0)
    if cursor.rest():
        raise malformed("bytes follow its end.")
    if len(accounts) + looked_up > MAX_ACCOUNTS:
        raise malformed("it names more than 256 accounts.")
    for instruction in instructions:
        if not 0 < instruction.program < len(accounts):
            raise malformed("an instruction calls a program that is not among the accounts, or the payer.")
        if any(index >= len(accounts) + looked_up for index in instruction.accounts):
            raise malformed("an instruction names an account that is not there.")
    return SolanaMessage(raw, version, signatures, accounts, blockhash, instructions, tables)


def could_be(data: bytes) -> bool:
    """Whether bytes are a whole transaction message by their form: legacy, version 0 or version 1 (SIMD-0385).

    Every part is found, there is an account that pays, and nothing is left over; validators refuse a message with
    bytes behind its end. What the parts hold does not count: counts that do not fit and lengths in more bytes than
    they need are a message's, too, so that the answer rests on the form alone.
    """
    try:
        cursor = Cursor(data)
        version = None if data[:1] < bytes([VERSIONED]) else cursor.byte() & 0x7F
        read = _FORMS.get(version)
        return read is not None and read(cursor) > 0 and not cursor.rest()
    except MalformedPayloadError:
        return False


def malformed(message: str) -> MalformedPayloadError:
    """The error for what is being read, of a clause about it."""
    return MalformedPayloadError(f"The transaction cannot be read: {message}")


def _version(raw: bytes) -> int | None:
    if not raw or raw[0] < VERSIONED:
        return None
    if raw[0] != VERSIONED:
        raise UnsupportedSigningError(
            f"Transactions of version {raw[0] & 0x7F} are not known; legacy ones and those of version 0 are."
        )
    return 0


def _instruction(cursor: Cursor) -> Instruction:
    program = cursor.byte()
    accounts = tuple(cursor.take(cursor.compact()))
    return Instruction(program, accounts, cursor.take(cursor.compact()))


def _lookups(cursor: Cursor) -> tuple[tuple[bytes, ...], int]:
    tables: list[bytes] = []
    looked_up = 0
    for _ in range(cursor.compact()):
        tables += cursor.keys(1)
        count = len(cursor.take(cursor.compact())) + len(cursor.take(cursor.compact()))
        if not count:
            raise malformed("it takes no account from a lookup table that it names.")
        looked_up += count
    return tuple(tables), looked_up


def _loose_compact(cursor: Cursor) -> int:
    """A compact-u16 in any form."""
    number = 0
    for position in range(3):
        byte = cursor.byte()
        number |= (byte & 0x7F) << 7 * position
        if byte < 0x80:
            break
    return number


def _skip_legacy(cursor: Cursor) -> int:
    """Pass a legacy message, and what version 0 has in common with it. Returns how many accounts it has."""
    cursor.take(3)
    accounts = _loose_compact(cursor)
    cursor.take(KEY_BYTES * accounts + KEY_BYTES)
    for _ in range(_loose_compact(cursor)):
        cursor.byte()
        cursor.take(_loose_compact(cursor))
        cursor.take(_loose_compact(cursor))
    return accounts


def _skip_version_0(cursor: Cursor) -> int:
    accounts = _skip_legacy(cursor)
    for _ in range(_loose_compact(cursor)):
        cursor.take(KEY_BYTES)
        cursor.take(_loose_compact(cursor))
        cursor.take(_loose_compact(cursor))
    return accounts


def _skip_version_1(cursor: Cursor) -> int:
    """Pass a message of version 1, whose lengths have fixed sizes. SIMD-0385."""
    cursor.take(3)
    configured = int.from_bytes(cursor.take(4), "little").bit_count()
    cursor.take(KEY_BYTES)
    instructions, accounts = cursor.take(2)
    cursor.take(KEY_BYTES * accounts + 4 * configured)
    headers = [cursor.take(4) for _ in range(instructions)]
    cursor.take(sum(header[1] + int.from_bytes(header[2:], "little") for header in headers))
    return accounts


_FORMS = {None: _skip_legacy, 0: _skip_version_0, 1: _skip_version_1}
