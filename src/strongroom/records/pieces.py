"""Texts and numbers that are a key or a phrase only together: a word each, parts of one text, parts of one number.

Nothing raises, and no more than so many pieces are looked at.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any

_MOST = 96
_DEEPEST = 8
_FEW_WORDS = 12
_WORDS = range(_FEW_WORDS, 28)
"""A phrase, perhaps with a word too many."""
_EXACT_WORDS = (12, 15, 18, 21, 24)
_LONGEST_WORD = 10
_NUMBERED = re.compile("([^0-9]{0,39})([0-9]{1,4})([^0-9]{0,39})")
_ORDINAL = "0123456789.):-# \t"
_WORDY = re.compile(r"[^\W\d_]+(?:[\s,]+[^\W\d_]+){0,10}")
_PART = re.compile("[A-Za-z0-9+/_-]{2,140}={0,2}")
_HEX = re.compile("[0-9a-fA-F]+")
_UUID = re.compile("[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[1-8][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}|[0-]{36}")
"""Of RFC 9562: digits of a key that are written so have its version and variant by chance."""
_DECIMAL = re.compile("-?[0-9]{1,39}")
_HEX_NUMBER = re.compile("0[xX][0-9a-fA-F]{1,32}")
_PARTS = range(32, 261)
"""Characters of a key of 128 bits in hexadecimal, and of a keypair with a mark before each part."""
_LEAST_OF_NAMES = 48
"""Of parts under names of their own, which may as well be several short things."""
_KEY_DIGITS = (64, 128)
_SAME_BEGINNING = 3
_NUMBER_BYTES = range(16, 65)
_WIDTHS = (2, 4, 8, 16)
_BN_BITS, _BN_WORDS = 26, range(5, 12)


def are_together(value: Any) -> bool:
    """Whether what is in a list or object could be one key or phrase."""
    return next(together(value), None) is not None


def together(value: Any) -> Iterator[str | bytes]:
    """What the pieces in a list or object are together, in each way that fits.

    Words become a phrase, parts of equal length a text, integers bytes in each order. Members whose names differ in a
    number alone are put in its order.
    """
    seen: set[str | bytes] = set()
    for leaves, listed in _sequences(value):
        for whole in _joined(leaves, listed=listed):
            if whole not in seen:
                seen.add(whole)
                yield whole


def _sequences(value: Any) -> Iterator[tuple[list[Any], bool]]:
    """Leaves that may belong together, and whether their order is sure: it is in a list, and by numbered names."""
    if isinstance(value, list):
        yield _leaves(value), True
        return
    if not isinstance(value, dict):
        return
    groups = _numbered(value)
    for group in groups:
        yield _leaves([value[name] for name in group]), True
    if sum(map(len, groups)) != len(value) or len(groups) > 1:
        yield _leaves(value), False


def _numbered(document: dict[str, Any]) -> list[list[str]]:
    """The names that differ in one number alone, in its order."""
    groups: dict[tuple[str, str], list[tuple[int, str]]] = {}
    for name in document:
        found = _NUMBERED.fullmatch(name)
        if found is not None:
            groups.setdefault((found[1], found[3]), []).append((int(found[2]), name))
    return [[name for _, name in sorted(group)] for group in groups.values() if len(group) > 1]


def _leaves(value: Any) -> list[Any]:
    """Texts and numbers in a value, in order; none where there are too many, or one is no piece for its length."""
    found: list[Any] = []
    return found if _collect(value, found, 0) else []


def _collect(value: Any, found: list[Any], depth: int) -> bool:
    if isinstance(value, dict):
        ordered = _numbered(value) if depth < _DEEPEST else []
        if len(ordered) == 1 and len(ordered[0]) == len(value):
            return _collect([value[name] for name in ordered[0]], found, depth)
        value = list(value.values())
    if isinstance(value, list):
        return depth < _DEEPEST and len(value) <= _MOST and all(_collect(each, found, depth + 1) for each in value)
    if isinstance(value, str) or type(value) is int:
        found.append(value)
        if isinstance(value, str) and len(value) > _PARTS[-1]:
            return False
    return len(found) <= _MOST


def _joined(leaves: Sequence[Any], *, listed: bool) -> Iterator[str | bytes]:
    texts = [leaf for leaf in leaves if isinstance(leaf, str) and leaf]
    if len(texts) > 1:
        yield from _phrase(texts, listed=listed)
        yield from _text(texts, listed=listed)
    yield from _numbers(_as_numbers(leaves, texts))


def _phrase(texts: list[str], *, listed: bool) -> Iterator[str]:
    """The words of texts of a few words each; under names of their own all of them, and as many as a phrase has."""
    bare = [unicodedata.normalize("NFC", text).strip(_ORDINAL) for text in texts]
    wordy = [text for text in bare if _WORDY.fullmatch(text) is not None]
    words = [word.strip(",") for text in wordy for word in text.replace(",", " ").split()]
    if not listed:
        exact = len(words) in _EXACT_WORDS and all(len(word) <= _LONGEST_WORD for word in words)
        if not exact or len(wordy) != len(texts):
            return
    if len(words) in _WORDS:
        yield " ".join(words)


def _text(texts: list[str], *, listed: bool) -> Iterator[str]:
    """One text that was cut into parts of equal length, of which the last may be shorter; or into any, of a key."""
    parts = [text.strip().removeprefix("0x").removeprefix("0X") for text in texts]
    if any(_PART.fullmatch(part) is None or _UUID.fullmatch(part) is not None for part in parts):
        return
    if any(len(part) in _KEY_DIGITS and _HEX.fullmatch(part) for part in parts):
        return  # each is a key by itself
    whole, first = "".join(parts), len(parts[0])
    if len(whole) not in _PARTS or not any(map(str.isdigit, whole)) or (not listed and len(whole) < _LEAST_OF_NAMES):
        return
    equal = all(len(part) == first for part in parts[:-1]) and len(parts[-1]) <= first
    if not equal and not (len(whole) in _KEY_DIGITS and _HEX.fullmatch(whole)):
        return
    if first > _SAME_BEGINNING and len({part[:_SAME_BEGINNING] for part in parts}) == 1:
        return  # they are of one kind: times, or ids
    yield whole


def _as_numbers(leaves: Sequence[Any], texts: list[str]) -> list[int]:
    """The integers among leaves; or their texts, where all of them write one."""
    numbers = [leaf for leaf in leaves if type(leaf) is int]
    if numbers or not texts:
        return numbers
    if all(_DECIMAL.fullmatch(text) for text in texts):
        return [int(text) for text in texts]
    return [int(text, 16) for text in texts] if all(_HEX_NUMBER.fullmatch(text) for text in texts) else []


def _numbers(values: list[int]) -> Iterator[bytes]:
    """Integers as machine words of one key, with the greatest first or last, in either order of bytes."""
    if len(values) < 2:
        return
    bits = max(value.bit_length() + (value < 0) for value in values)
    width = next((width for width in _WIDTHS if bits <= 8 * width), None)
    if width is None or bits <= 8 or len(values) * width not in _NUMBER_BYTES:
        return
    words = [value % (1 << 8 * width) for value in values]
    if bits <= 6 * width or len({word >> (8 * width - 8) for word in words}) == 1:
        yield from _bn(values)
        return  # otherwise they are small numbers, or times
    for ordered in (words, words[::-1]):
        yield b"".join(word.to_bytes(width, "big") for word in ordered)
        yield b"".join(word.to_bytes(width, "little") for word in ordered)
    yield from _bn(values)


def _bn(values: list[int]) -> Iterator[bytes]:
    """A big number of JavaScript's bn.js, whose words come least first."""
    if len(values) in _BN_WORDS and all(0 <= value < 1 << _BN_BITS for value in values):
        number = sum(value << _BN_BITS * place for place, value in enumerate(values))
        if 8 * _NUMBER_BYTES[0] <= number.bit_length() <= 256:
            yield number.to_bytes(32)
