"""What a key text can be wrapped in: quotes, marks, labels, JSON, base64, hex. One layer at a time."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, NamedTuple

from strongroom.errors import InvalidPathError
from strongroom.networks.curves import paths

_MARKS = "\ufeff\u200b\u200c\u200d\u2060\0"
_MISREAD_MARKS = ("\u00ef\u00bb\u00bf", "\u00fe\u00ff", "\u00ff\u00fe")
"""Byte order marks of UTF-8 and UTF-16 that were read as Latin-1."""
_QUOTES = {'"': '"', "'": "'", "`": "`", "\u201c": "\u201d", "\u2018": "\u2019", "\u00ab": "\u00bb", "\u201e": "\u201c"}
_ESCAPED_QUOTES = ('\\"', "\\'")
_BASE64 = re.compile(r"[A-Za-z0-9+/_\s-]{20,}+={0,2}\s*+")
_HEX_OF_TEXT = re.compile("(?:0[xX])?((?:[0-9a-fA-F]{2}){8,})")
_BYTEA = re.compile(r"(?:b['\"])?\\{1,2}x")
_LABEL = re.compile(r"(?:export\s+)?[A-Za-z][A-Za-z0-9 _.-]{0,40}\s*[:=]\s*(?=\S)")
_LINE = re.compile(r"\s*(?:export\s+)?[A-Za-z][A-Za-z0-9 _.-]{0,40}\s*[:=]\s*(?=[^\s=])")
_LINE_ENDS = re.compile(r"[\r\n;]+")
_WORDS = re.compile("[A-Za-z _.-]{1,39}")
"""A name that is one, however long: no key is as short without a digit."""
_PEM = re.compile(r"-----BEGIN [A-Z ]{0,40}-----([A-Za-z0-9+/=\s]{1,8192})-----END")
_PEM_END = re.compile("^-----END [A-Z ]{0,40}-----")
_PUBLIC = re.compile("pub|addr|^iv$|salt|hash|chain|network|path|index|version|type|curve|^kty$|^crv$", re.IGNORECASE)
_SECRET = re.compile("priv|secret|mnemonic|phrase|seed|words|wif|^key$|^d$|^sk$|^data$|^value$", re.IGNORECASE)
_PASSPHRASE = re.compile("pass", re.IGNORECASE)
_NAMES_SECRET = ("priv", "secret", "mnemonic", "phrase", "seed", "pass")
_LEAST_KEY_CHARACTERS = 32
_UUID = re.compile("[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_LEAST_SECRET_CHARACTERS = 24
"""Of base64: 22 and more hold 128 bits, the least of any phrase; names of vaults have a few more."""
_LEAST_SECRET_BYTES = 16
_PLAIN = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.]+(?:Z|[+-][0-9:]{4,6})?|m(?:/[0-9]{1,10}['hH]?)+")
"""A time, or a path."""
_MOST_MEMBERS = 64
_LONGEST_OBJECT = 1_024
_MOST_BYTES = 96
_MOST_PATHS = 8


class Inner(NamedTuple):
    """What is inside of one layer."""

    layer: str
    """The layer, as people call it."""
    content: str | bytes
    encoding: bool = True
    """Whether it has to be decoded to be read by eye."""
    trusted: bool = True
    """Whether a key in it is a key, and not perhaps a key with something else."""
    secret: bool = False
    """Whether its name says that it is a secret: where nothing is read of it, the text holds more than was read."""
    part: bool = False
    """Whether it is one of several texts of a document, so that what is read of another one does not explain it."""
    public: bool = False
    """Whether its name says that it is public, so that it is no key, and still may not be dropped unexplained."""


_UNREAD = Inner("JSON", "", secret=True)


def is_name(text: str) -> bool:
    """Whether a text names something: it has too few characters for a key of 128 bits."""
    return len(_UUID.sub("", text)) < _LEAST_SECRET_CHARACTERS


def in_an_object(text: str) -> str:
    """The text that is the one member of an object; any other as it is."""
    try:
        found = json.loads(text) if text.startswith('{"') and len(text) < _LONGEST_OBJECT else None
    except (ValueError, RecursionError):
        return text
    inside = list(found.values()) if isinstance(found, dict) else []
    return inside[0] if len(inside) == 1 and isinstance(inside[0], str) else text


def could_be_secret(content: str | bytes) -> bool:
    """Whether a text or bytes are long enough for a key, and neither a time nor a path."""
    if isinstance(content, bytes):
        return len(content) >= _LEAST_SECRET_BYTES
    text = content.strip()
    return not is_name(text) and not _PLAIN.fullmatch(text)


def bare(text: str) -> str:
    """A text without white space and marks around it."""
    while True:
        stripped = text.strip().strip(_MARKS)
        for mark in _MISREAD_MARKS:
            stripped = stripped.removeprefix(mark)
        if stripped == text:
            return text
        text = stripped


def inner(text: str) -> Iterator[Inner]:
    """What is inside of a text that is no JSON, in each way in which it may be wrapped."""
    if len(text) >= 2 and _QUOTES.get(text[0]) == text[-1] and not _ends_within(text):
        yield Inner("in quotes", text[1:-1], encoding=False)
    for quote in _ESCAPED_QUOTES:
        if text.startswith(quote) and text.endswith(quote) and len(text) >= 4:
            yield Inner("in quotes", text[2:-2], encoding=False)
    if (found := _BYTEA.match(text)) is not None:
        yield Inner("behind \\x", text[found.end() :].strip("'\"").replace("\\x", ""), encoding=False)
    lines = _lines(text)
    if any(_LINE.match(line) for line in lines):
        yield from (_line(line) for line in lines)
    elif (found := _LABEL.match(text)) is not None:
        yield Inner("behind a name", text[found.end() :], encoding=False)
    if (found := _PEM.search(text)) is not None:
        around = text[: found.start()] + _PEM_END.sub("", text[found.end() - len("-----END") :])
        if text.count("-----BEGIN") > 1 or could_be_secret(around):
            yield _UNREAD
        text = "".join(found[1].split())
    if (data := decoded(text)) is not None:
        yield Inner("base64", data)
    if (found := _HEX_OF_TEXT.fullmatch(text)) is not None:
        yield Inner("hex", bytes.fromhex(found[1]))


def _ends_within(text: str) -> bool:
    """Whether the quotes around a text are those of several texts in it; quotes in quotes are not."""
    inside = text[1:-1]
    nested = min(len(inside) - len(inside.lstrip(text[0])), len(inside) - len(inside.rstrip(text[-1])))
    inside = inside[nested : len(inside) - nested]
    return text[-1] in inside.replace(f"\\{text[-1]}", "")


def is_labelled(text: str) -> bool:
    """Whether a name, or several lines with one each, stand before what is inside: ``inner`` takes these apart."""
    return _LABEL.match(text) is not None or any(_LINE.match(line) for line in _lines(text))


def _lines(text: str) -> list[str]:
    """The lines of a text that has several, such as those of a file of settings."""
    if "-----BEGIN" in text or _LINE_ENDS.search(text) is None:
        return []
    lines = [line for line in _LINE_ENDS.split(text, _MOST_MEMBERS) if line.strip()]
    return lines if len(lines) > 1 else []


def _line(line: str) -> Inner:
    found = _LINE.match(line)
    return Inner("in a line", line if found is None else line[found.end() :], encoding=False, part=True)


def decoded(text: str) -> bytes | None:
    """Base64 in either alphabet, padded or not, in one line or several."""
    if not _BASE64.fullmatch(text):
        return None
    one = "".join(text.split()).rstrip("=").translate(str.maketrans("-_", "+/"))
    try:
        return base64.b64decode(one + "=" * (-len(one) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None


def as_text(data: bytes) -> str | None:
    """Bytes as the text that they are, in UTF-8 or behind a mark of UTF-16; None where they are none."""
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        return None
    text = bare(text)
    if text.isprintable() or all(each.isprintable() or each.isspace() for each in text):
        return text or None
    return None


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


def members(document: Any) -> Iterator[Inner]:
    """What is inside of a JSON document: its texts, its lists of bytes and words, and those inside of these."""
    if isinstance(document, str):
        yield Inner("in quotes", document, encoding=False)
    elif isinstance(document, list):
        if any(isinstance(each, dict | bytes) for each in document):
            yield from _objects(document, trusted=True)
        elif any(isinstance(each, str) for each in document[:1]):  # numbers are a notation of their own
            yield from _list(document, "in a list", encoding=False, trusted=True)
    elif isinstance(document, dict):
        names = list(document)[:_MOST_MEMBERS]
        if names and all(name.isascii() and name.isdigit() and len(name) < 4 for name in names):
            yield from _list([document[name] for name in sorted(names, key=int)], "JSON", encoding=True, trusted=True)
            return
        for name in sorted(names, key=lambda name: _SECRET.search(name) is None):
            yield from named_member(name, document[name])
        if len(document) > len(names):
            yield _UNREAD


def _objects(values: list[Any], *, trusted: bool) -> Iterator[Inner]:
    """What is inside of a list that has objects in it."""
    for each in values[:_MOST_MEMBERS]:
        if isinstance(each, list):  # which is not looked into
            yield _UNREAD
        elif isinstance(each, dict | str | bytes):
            yield from _member(each, trusted=trusted and not isinstance(each, dict))
        else:
            yield from _unread_texts(each)
    if len(values) > _MOST_MEMBERS:
        yield _UNREAD


def named_member(name: str, value: Any, layer: str = "JSON") -> Iterator[Inner]:
    """What is inside of a member of an object: its name says whether it is a secret."""
    for each in _named_member(name, value):
        yield each if layer == "JSON" else each._replace(layer=layer, encoding=False)


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
        yield _UNREAD
    yield from _member(value, trusted=secret)


def _of_name(name: str) -> Iterator[Inner]:
    """A name that may itself be a key: what stands under it is then about that."""
    if could_be_secret(name) and not _WORDS.fullmatch(name):
        yield Inner("JSON", name, trusted=False, part=True)


def _member(value: Any, *, trusted: bool) -> Iterator[Inner]:
    if isinstance(value, str | bytes):
        yield Inner("JSON", value, trusted=trusted, secret=trusted and bool(value.strip()), part=True)
    elif isinstance(value, list) and any(isinstance(each, dict) for each in value):
        yield from _objects(value, trusted=trusted)
    elif isinstance(value, list):
        yield from _list(value, "JSON", encoding=True, trusted=trusted)
        if any(isinstance(each, list) for each in value):  # which is not looked into
            written = json.dumps(value, default=str).lower()
            if trusted or any(name in written for name in _NAMES_SECRET):
                yield _UNREAD
            else:
                yield from _unread_texts(value)
    elif isinstance(value, dict):
        if any(name.lower() in ("crypto", "ciphertext") for name in value):
            yield _UNREAD
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
    elif few and all(isinstance(each, str) for each in few):
        long = len(few) > 2 and any(len(each) >= _LEAST_KEY_CHARACTERS for each in few)
        yield Inner(layer, " ".join(few), encoding, trusted, secret=long, part=len(few) > 2)
        if len(few) <= 2:
            yield from (Inner(layer, each, encoding, trusted, part=True) for each in few)
    elif few:
        yield from _unread_texts([each for each in values if not isinstance(each, dict | list)])
