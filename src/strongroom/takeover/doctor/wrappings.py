"""What a key text can be wrapped in: quotes, marks, labels, base64, hex. One layer at a time."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import NamedTuple

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
_LINE_ENDS = re.compile(r"[\r\n;&]+")
_PEM = re.compile(r"-----BEGIN [A-Z ]{0,40}-----([A-Za-z0-9+/=\s]{1,8192})-----END")
_PEM_END = re.compile("^-----END [A-Z ]{0,40}-----")
_UUID = re.compile("[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_LEAST_SECRET_CHARACTERS = 24
"""Of base64: 22 and more hold 128 bits, the least of any phrase; names of vaults have a few more."""
_LEAST_SECRET_BYTES = 16
_PLAIN = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.]+(?:Z|[+-][0-9:]{4,6})?|m(?:/[0-9]{1,10}['hH]?)+")
"""A time, or a path."""
_PRIVATE = re.compile("priv|secret|mnemonic|phrase|seed|wif|_?pk$|^sk$", re.IGNORECASE)
_NOT_PRIVATE = re.compile("pub|addr|hash|id$|path|version|type", re.IGNORECASE)
MOST_MEMBERS = 64


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
    together: bool = False
    """Whether it was put together from pieces, as what holds them may do once more."""
    says_secret: bool | None = None
    """What the names before it say, the nearest first: that a private key is there, or that none is; None where they
    say neither."""

    def under(self, name: str) -> Inner:
        """The same under a name."""
        return self if self.says_secret is not None else self._replace(says_secret=says_secret(name))


UNREAD = Inner("JSON", "", secret=True)
"""Something that nobody reads, and that may be a secret."""


def says_secret(name: str) -> bool | None:
    """Whether a name says that a private key or phrase is under it; None where it says nothing of that."""
    if _NOT_PRIVATE.search(name) is not None:
        return False
    return True if _PRIVATE.search(name) is not None else None


def is_name(text: str) -> bool:
    """Whether a text names something: it has too few characters for a key of 128 bits."""
    return len(_UUID.sub("", text)) < _LEAST_SECRET_CHARACTERS


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
    if "\\n" in text:
        yield Inner("with line ends that are written out", text.replace("\\r", "").replace("\\n", "\n"), encoding=False)
    lines = _lines(text)
    if any(_LINE.match(line) for line in lines):
        yield from (_line(line) for line in lines)
    elif (found := _LABEL.match(text)) is not None:
        yield Inner("behind a name", text[found.end() :], encoding=False).under(_name_in(found[0]))
    if (found := _PEM.search(text)) is not None:
        around = text[: found.start()] + _PEM_END.sub("", text[found.end() - len("-----END") :])
        if text.count("-----BEGIN") > 1 or could_be_secret(around):
            yield UNREAD
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
    lines = [line for line in _LINE_ENDS.split(text, MOST_MEMBERS) if line.strip()]
    return lines if len(lines) > 1 else []


def _line(line: str) -> Inner:
    found = _LINE.match(line)
    if found is None:
        return Inner("in a line", line, encoding=False, part=True)
    return Inner("in a line", line[found.end() :], encoding=False, part=True).under(_name_in(found[0]))


def _name_in(label: str) -> str:
    """The name in what stands before a value."""
    return label.strip(" \t=:").removeprefix("export").strip()


def decoded(text: str) -> bytes | None:
    """Base64 in either alphabet, padded or not, in one line or several."""
    if not _BASE64.fullmatch(text):
        return None
    one = "".join(text.split()).rstrip("=").translate(str.maketrans("-_", "+/"))
    try:
        return base64.b64decode(one + "=" * (-len(one) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None


def _encoding_of(data: bytes) -> str:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    if len(data) % 2 == 0 and data and not (any(data[1::2]) and any(data[::2])):
        return "utf-16-be" if any(data[1::2]) else "utf-16-le"
    return "utf-8-sig"


def as_text(data: bytes) -> str | None:
    """Bytes as the text that they are, in UTF-8 or UTF-16, with its mark or without; None where they are none."""
    try:
        text = data.decode(_encoding_of(data))
    except UnicodeDecodeError:
        return None
    text = bare(text)
    if text.isprintable() or all(each.isprintable() or each.isspace() for each in text):
        return text or None
    return None
