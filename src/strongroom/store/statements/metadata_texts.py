"""The texts of a credential's metadata that could hold a key, wherever in them they are. Nothing raises.

Legacy applications kept keys in three members by habit, and in any other by accident or by hand. A text is named by
the members that lead to it, ``backup.key``; where one of these has a name that is not printed, since it may be a key
itself, by those before it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from strongroom.records import pieces
from strongroom.records.vault_texts import KEY_MEMBERS, UNNAMED

LEAST_CHARACTERS = 24
"""Of a text that could hold a key of 128 bits."""
_LEAST_ITEMS = 10
_LEAST_KEY_BITS = 100
_DEEPEST = 8
_MOST_TEXTS = 64
_OWN = frozenset({"scheme", "path"})
_NAME = re.compile("[A-Za-z_][A-Za-z0-9_]{0,22}|[A-Za-z_]{1,39}")
"""A name that is printed, and written into statements: too short for a key, or without a digit."""
_SECRET = re.compile("priv|secret|mnemonic|phrase|seed|wif|_?pk$|^sk$", re.IGNORECASE)
_ENCRYPTED = re.compile("crypto|cipher_?text|iv|nonce|salt|encrypted(?:_?data)?|auth_?tag", re.IGNORECASE)
_PATH = re.compile("m(?:/[0-9]{1,10}['hH]?)*")


def other_texts(metadata: Any) -> list[tuple[str, str]]:
    """Name and text of whatever could be a key and is in none of the known members; at most 64.

    A text whose name says that it is a secret comes as it is; any other in an object that has the name.
    """
    if metadata is None or isinstance(metadata, bool | float):
        return []
    if not isinstance(metadata, dict):
        text = metadata if isinstance(metadata, str) else json.dumps(metadata)
        return [(UNNAMED, text)] if len(text) >= LEAST_CHARACTERS else []
    found: dict[str, str] = {}
    for name, text in _of_object(metadata, "", 0):
        found.setdefault(name, text)
        if len(found) == _MOST_TEXTS:  # the rest is not looked into, and may hold one
            found[UNNAMED] = json.dumps(metadata)
            break
    return list(found.items())


def can_be_taken_out(name: str) -> bool:
    """Whether a name leads to one member of the metadata, and nothing else may be in it."""
    return all(_NAME.fullmatch(part) for part in name.split("."))


def holds_text(metadata: Mapping[str, Any]) -> bool:
    """Whether metadata have one of the known members, or a text that could hold a key."""
    if _OWN.issuperset(metadata) and all(map(_is_own, metadata.values())):  # what strongroom writes, and no more
        return False
    first = {name.partition(".")[0] for name in KEY_MEMBERS}
    return not first.isdisjoint(metadata) or bool(other_texts(metadata))


def _of_object(document: Mapping[str, Any], above: str, depth: int) -> Iterator[tuple[str, str]]:
    """The texts of the members; then those without a name to print, and what could be a key only together."""
    unnamed, short, several = {}, {}, False
    for name, value in document.items():
        if not above and name in _OWN and _is_own(value):
            continue
        if _NAME.fullmatch(name) is None:
            unnamed[name] = value
            continue
        path = f"{above}.{name}" if above else name
        alone = any(f"{known}.".startswith(f"{path}.") for known in KEY_MEMBERS)
        for each in _of_member(name, value, path, depth):
            alone = True
            yield each
        several = several or alone
        if not alone:
            short[name] = value
    together = {**unnamed, **short}
    if len(together) > 1 and pieces.are_together(together):
        unnamed = together
    elif not (_could_be(unnamed) or any(len(name) >= LEAST_CHARACTERS for name in unnamed)):
        return
    yield _rest_of(above, several=several), json.dumps(unnamed)


def _rest_of(above: str, *, several: bool) -> str:
    """The name of what is left of an object: its own, unless other texts in it have theirs."""
    if not above:
        return UNNAMED
    return f"{above}.{UNNAMED}" if several else above


def _is_own(value: Any) -> bool:
    """Whether a scheme or a path is short, or a path: strongroom writes both."""
    return isinstance(value, str) and (len(value) < LEAST_CHARACTERS or _PATH.fullmatch(value) is not None)


def _of_member(name: str, value: Any, path: str, depth: int) -> Iterator[tuple[str, str]]:
    if path in KEY_MEMBERS:
        return
    if isinstance(value, dict) and depth < _DEEPEST and not _belongs_together(value):
        yield from _of_object(value, path, depth + 1)
    elif _could_be(value):
        plain = isinstance(value, str) and _SECRET.search(name) is not None
        yield path, value if plain else json.dumps({name: value})


def _belongs_together(value: Mapping[str, Any]) -> bool:
    """Whether an object is one text: of numbers, of something encrypted, or of a phrase and its path."""
    if value and all(name.isascii() and name.isdigit() for name in value):
        return True
    return "path" in value or any(_ENCRYPTED.fullmatch(name) is not None for name in value)


def _could_be(value: Any) -> bool:
    """Whether a value is long enough for a key, in whatever way it is written."""
    if isinstance(value, str):
        return len(value.strip()) >= LEAST_CHARACTERS
    if isinstance(value, bool | float) or value is None:
        return False
    if isinstance(value, int):
        return value.bit_length() >= _LEAST_KEY_BITS
    if isinstance(value, list):
        return len(value) >= _LEAST_ITEMS or any(map(_could_be, value)) or pieces.are_together(value)
    if not isinstance(value, dict):
        return False
    return (
        len(value) >= _LEAST_ITEMS
        or any(len(name) >= LEAST_CHARACTERS or _could_be(each) for name, each in value.items())
        or pieces.are_together(value)
    )
