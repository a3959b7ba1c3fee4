"""What is inside of a document of JSON, by the names of its members: texts, lists, and those inside of these."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from strongroom.errors import InvalidPathError
from strongroom.networks.curves import paths
from strongroom.records import pieces
from strongroom.takeover.doctor import envelope
from strongroom.takeover.doctor.wrappings import MOST_MEMBERS, UNREAD, Inner, could_be_secret

_WORDS = re.compile("[A-Za-z _.-]{1,39}")
"""A name that is one, however long: no key is as short without a digit."""
_PUBLIC = re.compile("pub|addr|^iv$|salt|hash|chain|network|path|index|version|type|curve|^kty$|^crv$", re.IGNORECASE)
_SECRET = re.compile("priv|secret|mnemonic|phrase|seed|words|wif|^key$|^d$|^sk$|^data$|^value$", re.IGNORECASE)
_PASSPHRASE = re.compile("pass", re.IGNORECASE)
_MACHINE_BITS = 64
_MOST_BYTES = 96
_LONGEST_OBJECT = 1_024
_MOST_PATHS = 8


def paths_in(document: Any) -> tuple[str, ...]:
    """The derivation paths in a JSON document, each once and in its canonical form; few of them, if there are many."""
    left, seen = [document], dict[str, None]()
    while left and len(seen) < _MOST_PATHS:
        value = left.pop()
        if isinstance(value, dict | list):
            left += list(value.values() if isinstance(value, dict) else value)[::-1]
        elif isinstance(value, str) and value[:2] == "m/":
            with suppress(InvalidPathError):
                seen[paths.render(paths.parse(value))] = None
    return tuple(seen)


def in_an_object(text: str) -> str:
    """The text that is the one member of an object, under a name that is none itself; any other as it is."""
    try:
        found = json.loads(text) if text.startswith('{"') and len(text) < _LONGEST_OBJECT else None
    except (ValueError, RecursionError):
        return text
    if not isinstance(found, dict) or len(found) != 1:
        return text
    ((name, inside),) = found.items()
    return inside if isinstance(inside, str) and not any(_of_name(name)) else text


def members(document: Any) -> Iterator[Inner]:
    """What is inside of a JSON document: its texts, its lists of bytes and words, and those inside of these."""
    if isinstance(document, str):
        yield Inner("in quotes", document, encoding=False)
    elif isinstance(document, list):
        together = list(_pieces(document))
        yield from together
        if any(isinstance(each, dict | bytes) for each in document) or (not together and _holds_lists(document)):
            yield from _objects(document, trusted=True)
        elif any(isinstance(each, str) or _is_large(each) for each in document):  # numbers are a notation of their own
            yield from _list(document, "in a list", encoding=False, trusted=True)
    elif isinstance(document, dict):
        names = list(document)[:MOST_MEMBERS]
        if names and all(name.isascii() and name.isdigit() and len(name) < 4 for name in names):
            values = [document[name] for name in sorted(names, key=int)]
            yield from _pieces(values)
            yield from _list(values, "JSON", encoding=True, trusted=True)
            return
        yield from _pieces(document)
        for name in sorted(names, key=lambda name: _SECRET.search(name) is None):
            yield from named_member(name, document[name])
        if len(document) > len(names):
            yield UNREAD


def _pieces(document: list[Any] | dict[str, Any]) -> Iterator[Inner]:
    """What the members of a list or object are together: a key of them is one where it derives the address."""
    for whole in pieces.together(document):
        if not isinstance(document, list) or whole != _as_one(document):  # which is read as it is
            yield Inner("in pieces", whole, encoding=False, trusted=False, together=True)


def _as_one(texts: list[Any]) -> str:
    return " ".join(each for each in texts if isinstance(each, str))


def _objects(values: list[Any], *, trusted: bool) -> Iterator[Inner]:
    """What is inside of a list that has objects or lists in it."""
    for each in values[:MOST_MEMBERS]:
        if isinstance(each, dict | list | str | bytes):
            yield from _member(each, trusted=trusted and not isinstance(each, dict))
        else:
            yield from _unread_texts(each)
    if len(values) > MOST_MEMBERS:
        yield UNREAD


def named_member(name: str, value: Any, layer: str = "JSON") -> Iterator[Inner]:
    """What is inside of a member of an object: its name says whether it is a secret."""
    for each in _named_member(name, value):
        yield (each if layer == "JSON" else each._replace(layer=layer, encoding=False)).under(name)


def _named_member(name: str, value: Any) -> Iterator[Inner]:
    yield from _of_name(name)
    secret = _SECRET.search(name) is not None
    if _PUBLIC.search(name) is not None:
        if secret and isinstance(value, str | bytes):
            yield Inner("JSON", value, secret=could_be_secret(value), part=True)
        elif isinstance(value, dict):
            yield from _member(value, trusted=False)
        else:
            yield from _unread_texts(value)
        return
    if _PASSPHRASE.search(name) and value not in (None, "", False, True):
        yield UNREAD
    yield from _member(value, trusted=secret)


def _is_locked(value: dict[str, Any]) -> bool:
    """Whether an object is read as one: what something encrypted is in several members."""
    if any(name.lower() == "crypto" and isinstance(each, dict) and each for name, each in value.items()):
        return True
    return any(name.lower() == "ciphertext" for name in value) or envelope.is_envelope(value)


def as_json(document: dict[str, Any]) -> str:
    """An object, perhaps of Python, as what opens a keystore reads it."""
    return json.dumps(document, default=lambda value: value.hex() if isinstance(value, bytes) else None)


def _of_name(name: str) -> Iterator[Inner]:
    """A name that may itself be a key: what stands under it is then about that."""
    if could_be_secret(name) and not _WORDS.fullmatch(name):
        yield Inner("JSON", name, trusted=False, part=True)


def _member(value: Any, *, trusted: bool) -> Iterator[Inner]:
    if isinstance(value, str | bytes):
        yield Inner("JSON", value, trusted=trusted, secret=trusted and bool(value.strip()), part=True)
    elif isinstance(value, list) and any(isinstance(each, dict) for each in value):
        yield from _pieces(value)
        yield from _objects(value, trusted=trusted)
    elif isinstance(value, list):
        together = list(_pieces(value))
        yield from together
        if not together and _holds_lists(value):
            yield from _objects(value, trusted=trusted)
        else:
            yield from _list(value, "JSON", encoding=True, trusted=trusted)
    elif isinstance(value, dict):
        if _is_locked(value):
            yield Inner("JSON", as_json(value), trusted=trusted, secret=True, part=True)
            return
        if any(name.lower() == "crypto" for name in value):
            yield UNREAD
        yield from (each._replace(layer="JSON", encoding=True) for each in members(value))
    elif type(value) is int and 0 < value.bit_length() <= 256:
        yield Inner("JSON", str(value), trusted=trusted, part=True)
    elif type(value) is int:
        yield from _unread_texts(value)


def _unread_texts(value: Any) -> Iterator[Inner]:
    """The texts, numbers and lists of bytes in a value that are not read."""
    if isinstance(value, bytes):
        yield Inner("JSON", value, trusted=False, part=True, public=True)
    elif isinstance(value, str) or type(value) is int:
        yield Inner("JSON", str(value), trusted=False, part=True, public=True)
    elif isinstance(value, list) and value and all(type(each) is int and -128 <= each < 256 for each in value):
        yield Inner("JSON", bytes(each & 255 for each in value), trusted=False, part=True, public=True)
    elif isinstance(value, list | dict):
        for each in value if isinstance(value, list) else value.values():
            yield from _unread_texts(each)
        for name in value if isinstance(value, dict) else ():
            yield from _of_name(name)


def _list(values: list[Any], layer: str, *, encoding: bool, trusted: bool) -> Iterator[Inner]:
    few = values[: _MOST_BYTES + 1]
    if len(few) <= _MOST_BYTES and few and all(type(each) is int and -128 <= each < 256 for each in few):
        yield Inner(layer, bytes(each & 255 for each in few), encoding, trusted, part=True)
    elif few:
        texts = [each for each in few if isinstance(each, str)]
        alone = len(few) > 1 and any(map(could_be_secret, texts))  # each may be a key, or all of them a phrase
        if len(texts) == len(few):
            yield Inner(layer, " ".join(few), encoding, trusted, part=len(few) > 2 and not alone)
        for each in few:
            if isinstance(each, str):
                yield from [Inner(layer, each, encoding, trusted, part=True)] if alone else ()
            else:
                yield from _member(each, trusted=trusted) if _is_large(each) else _unread_texts(each)
        yield from _unread_texts(values[len(few) :])


def _holds_lists(values: list[Any]) -> bool:
    return any(isinstance(each, list) for each in values)


def _is_large(value: Any) -> bool:
    return type(value) is int and value.bit_length() > _MACHINE_BITS
