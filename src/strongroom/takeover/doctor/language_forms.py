"""What programming languages and file formats wrap a key in: read by Python's own parsers, of texts of bounded length.

Python's literals and calls, CSV, XML, data URIs, base32, percent escapes, full-width characters.
"""

from __future__ import annotations

import ast
import base64
import binascii
import csv
import re
import unicodedata
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote_to_bytes
from xml.etree import ElementTree

from strongroom import bounded_json
from strongroom.takeover.doctor import json_members, notations, wrappings
from strongroom.takeover.doctor.wrappings import Inner

_LONGEST_CHARACTERS = 4_096
_DEEPEST = 20
_MOST_CELLS = 32
_LITERAL = re.compile(r"[\[{(]|[bBuUrR]{1,2}['\"]")
_TEXTS = re.compile(r"'(?:[^'\\]|\\.)*+('?)|\"(?:[^\"\\]|\\.)*+(\"?)", re.DOTALL)
"""Each to its end: one that has none takes the rest, since others that begin in it would be read to the end, too."""
_NUMBERS = re.compile(r"[0-9][A-Za-z_]*[A-Za-z]")
"""A number with letters behind it, which Python's parser warns of."""
_ESCAPES = re.compile(r"(?<!\\)(?:\\\\)*\\(?![\\'\"abfnrtv0-7xuUN\n])")
"""A backslash that escapes nothing, which Python's parser warns of; two are one that is meant."""
_CALL = re.compile(r"[A-Za-z_][A-Za-z0-9_.]{0,40}\((.*)\)", re.DOTALL)
_CALL_OF_TEXT = re.compile(r"[A-Za-z_][A-Za-z0-9_.]{0,40}\((b?(?:'[^'\\]*'|\"[^\"\\]*\"))\)")
_DELIMITERS = "\t,;|: "
"""What stands between the cells of a line: the first of these that makes two."""
_BETWEEN = re.compile("[^A-Za-z0-9+/_-]+")
_AROUND = "+/_-"
"""What stands between and around keys as wallets write them, whatever language it is of."""
_BARE_NAME = re.compile(r"([{,]\s{0,80})([A-Za-z_$][A-Za-z0-9_$]{0,80})\s{0,8}:")
_OF_VALUE = re.compile(r"(:\s{0,8})(?:null|undefined|true|false)(?=\s{0,80}[,}])")
_DATA_URI = re.compile(r"data:([A-Za-z0-9!#$&^_.+/=;-]{0,100}),(.+)", re.DOTALL)
_BASE32 = re.compile("([A-Z2-7]{26,}|[a-z2-7]{26,})={0,6}")
_ESCAPED = re.compile("%[0-9A-Fa-f]{2}")


def document(text: str) -> Any:
    """A list or object as JSON, Python or JavaScript writes it; None for what is none. Bytes of Python stay bytes."""
    try:
        return bounded_json.loads(text, object_pairs_hook=bounded_json.keep_all, long_numbers=True)
    except (ValueError, RecursionError):
        if "'" not in text and '"' not in text and text[:1] != "(":
            return None
        found = _literal(text)
        return _plain(_literal(_of_javascript(text)) if found is None and text[:1] == "{" else found)


def whole(text: str) -> list[Inner]:
    """What is inside of a text or bytes of Python, a data URI, or each element of XML; empty for other texts."""
    value = _literal(text) if text[:1] in "bBuUrR" else None
    if isinstance(value, str | bytes):
        return [Inner("as Python writes it", value, encoding=False)]
    if text.startswith("data:") and (found := _DATA_URI.fullmatch(text)) is not None:
        if found[1].endswith(";base64"):
            return [Inner("in a data URI", found[2], encoding=False)]
        return [Inner("in a data URI", unquote_to_bytes(found[2]))]
    return list(_elements(text)) if text[:1] == "<" and text[-1:] == ">" else []


def inner(text: str) -> Iterator[Inner]:
    """What is inside of a text, in each way in which a language may have written it."""
    if len(text) > _LONGEST_CHARACTERS:
        return
    if not text.isascii() and (narrow := unicodedata.normalize("NFKC", text)) != text:
        yield Inner("in full-width characters", narrow, encoding=False)
    if text[-1:] == ")" and (found := _CALL.fullmatch(text)) is not None and (called_with := found[1].strip()):
        yield Inner("in a call", called_with, encoding=False)
        return
    if _ESCAPED.search(text) is not None:
        yield Inner("percent-escaped", unquote_to_bytes(text))
    one = "".join(text.split())
    if _BASE32.fullmatch(one) is not None and (data := _base32(one)) is not None:
        yield Inner("base32", data)
    if not wrappings.is_labelled(text):
        yield from _cells(text)


def _cells(text: str) -> Iterator[Inner]:
    """The cells of lines with commas, tabs and the like between them: one may be a key where it derives the address."""
    words = [bare for word in _BETWEEN.split(text) if (bare := word.strip(_AROUND))]
    if words != [text] and len(words) <= _MOST_CELLS and any(map(_is_written_as_key, words)):
        yield from _each(words)
        return
    for delimiter in _DELIMITERS:
        if delimiter not in text:
            continue
        try:
            lines = csv.reader(text.splitlines(), delimiter=delimiter, skipinitialspace=True, strict=True)
            cells = [cell for line in lines for cell in line if cell.strip()]
        except csv.Error:
            continue
        most = 2 if delimiter == " " else _MOST_CELLS  # more words are a sentence
        if 2 <= len(cells) <= most and any(wrappings.could_be_secret(cell) for cell in cells):
            yield from _each(cells)
            return


def _each(cells: list[str]) -> Iterator[Inner]:
    return (Inner("in a cell", cell, encoding=False, trusted=False, part=True) for cell in cells)


def _is_written_as_key(word: str) -> bool:
    found = notations.plain(word) if wrappings.could_be_secret(word) else None
    return found is not None and found.certain


def _elements(text: str) -> Iterator[Inner]:
    """The texts and attributes in XML. What declares anything is not read: it may stand for any amount of text."""
    if len(text) > _LONGEST_CHARACTERS or "<!" in text or text.count("<") > 2 * _MOST_CELLS:
        return
    try:
        root = ElementTree.fromstring(text)  # noqa: S314 - short, and without declarations
    except (ElementTree.ParseError, ValueError):
        return
    for element in root.iter():
        name = element.tag.rpartition("}")[2]
        for each, value in ((name, element.text), (name, element.tail), *element.attrib.items()):
            if value is not None and value.strip():
                yield from json_members.named_member(each, value, layer="in XML")


def _base32(text: str) -> bytes | None:
    bare = text.rstrip("=").upper()
    try:
        return base64.b32decode(bare + "=" * (-len(bare) % 8))
    except binascii.Error:
        return None


# --- Python's literals -------------------------------------------------------------------------------------------


def _literal(text: str) -> Any:
    """The value of a literal; None for what is none, or would make the parser warn."""
    if len(text) > _LONGEST_CHARACTERS or _LITERAL.match(text) is None:
        return None
    text = _CALL_OF_TEXT.sub(r"\1", text)
    outside = _TEXTS.sub(lambda found: "''" if found[1] or found[2] else found[0], text)
    deep = sum(map(outside.count, "[{(")) > _MOST_CELLS * 2
    if deep or "\0" in text or _ESCAPES.search(text) is not None or _NUMBERS.search(_without_prefixes(outside)):
        return None
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None


def _of_javascript(text: str) -> str:
    """An object of JavaScript as Python writes it, if its texts have nothing in them that looks like a member."""
    if len(text) > _LONGEST_CHARACTERS:
        return text
    return _OF_VALUE.sub(r"\1None", _BARE_NAME.sub(r'\1"\2":', text))


def _without_prefixes(outside: str) -> str:
    """Numbers of other bases are fine."""
    return re.sub("0[xX][0-9a-fA-F_]+", "0", outside)


def _plain(value: Any, depth: int = 0) -> Any:
    """A literal as JSON has it: lists, and objects whose names are texts."""
    if depth > _DEEPEST:
        return None
    if isinstance(value, dict):
        return {name if isinstance(name, str) else _name(name): _plain(each, depth + 1) for name, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(each, depth + 1) for each in value]
    return value if isinstance(value, str | bytes | int | float | type(None)) else None


def _name(value: object) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)[:_LONGEST_CHARACTERS]
