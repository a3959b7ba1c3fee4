"""Bitcoin's serialisation: little-endian integers, compact sizes, byte strings."""

from __future__ import annotations

from strongroom.errors import MalformedPayloadError

_WIDTHS = {0xFD: (2, 0xFD), 0xFE: (4, 0x1_0000), 0xFF: (8, 0x1_0000_0000)}
"""First byte of a compact size: how many bytes follow it, and the smallest number that needs them."""


MAX_ITEMS = 200_000
"""Of fields, inputs, outputs and items of witnesses in a PSBT together, and again in the previous transactions that
come along; 4 MiB of the shortest outputs that nodes relay are fewer."""


class Items:
    """Counts down what a payload may still hold: an item of one byte costs a hundred times as much memory."""

    __slots__ = ("_left",)

    def __init__(self, most: int = MAX_ITEMS) -> None:
        self._left = most

    def take(self, count: int) -> None:
        """Count some. Raises MalformedPayloadError where they are too many."""
        self._left -= count
        if self._left < 0:
            raise MalformedPayloadError(f"The PSBT holds more than {MAX_ITEMS} fields, inputs, outputs and items.")


class ByteReader:
    """Takes bytes from the front. Every verb raises MalformedPayloadError where there are not enough."""

    __slots__ = ("_at", "_data", "_items", "_what")

    def __init__(self, data: bytes, what: str, items: Items | None = None) -> None:
        self._data = data
        self._what = what
        self._items = Items() if items is None else items
        self._at = 0

    @property
    def left(self) -> int:
        """How many bytes are left."""
        return len(self._data) - self._at

    def take(self, count: int) -> bytes:
        """Return the next ``count`` bytes."""
        if count > self.left:
            raise MalformedPayloadError(f"The {self._what} is truncated.")
        start, self._at = self._at, self._at + count
        return self._data[start : self._at]

    def peek(self, count: int) -> bytes:
        """Return up to ``count`` bytes and leave them there."""
        return self._data[self._at : self._at + count]

    def integer(self, width: int) -> int:
        """Return an unsigned little-endian integer of ``width`` bytes."""
        return int.from_bytes(self.take(width), "little")

    def compact_size(self) -> int:
        """Return a compact size; one that is written longer than it must be is malformed."""
        first = self.integer(1)
        if first not in _WIDTHS:
            return first
        width, least = _WIDTHS[first]
        number = self.integer(width)
        if number < least:
            raise MalformedPayloadError(f"The {self._what} holds a length that is not written in its shortest form.")
        return number

    def count(self, least_bytes: int) -> int:
        """Return a compact size that counts things of at least ``least_bytes`` each, all of which are here.

        Raises MalformedPayloadError also where they are more than may still be read.
        """
        number = self.compact_size()
        if number * least_bytes > self.left:
            raise MalformedPayloadError(f"The {self._what} is truncated.")
        self._items.take(number)
        return number

    def count_one(self) -> None:
        """Count one thing more that is read, where no number before it says how many there are."""
        self._items.take(1)

    def string(self) -> bytes:
        """Return a byte string: its length as a compact size, then its bytes."""
        return self.take(self.compact_size())

    def finish(self) -> None:
        """Raise MalformedPayloadError where something is left."""
        if self.left:
            raise MalformedPayloadError(f"Bytes follow the end of the {self._what}.")


def compact_size(number: int) -> bytes:
    """Write a compact size in its shortest form."""
    if number < 0xFD:
        return bytes((number,))
    first, width = next((first, width) for first, (width, _) in _WIDTHS.items() if number < 1 << (8 * width))
    return bytes((first,)) + number.to_bytes(width, "little")


def string(data: bytes) -> bytes:
    """Write a byte string: its length as a compact size, then its bytes."""
    return compact_size(len(data)) + data


def strings(items: tuple[bytes, ...]) -> bytes:
    """Write a vector of byte strings, such as a witness."""
    return compact_size(len(items)) + b"".join(map(string, items))
