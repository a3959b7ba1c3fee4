"""Hostile input: texts and documents that nobody would write, and valid ones with a few mutations.

What is a secret in them is one key and one phrase, known here, so that a search finds them wherever they come out.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from hypothesis import strategies as st

from strongroom.crypto.phrase import Phrase
from strongroom.errors import InvalidPrivateKeyError
from strongroom.networks import TABLE
from strongroom.ports.network import Network
from strongroom.secret import Secret
from testbed.harness.canary import Canary
from testbed.networks.known import fitting

KEY = hashlib.sha256(b"the key of hostile input").digest()
PHRASE = Phrase.generate(24, lambda size: hashlib.sha512(b"the phrase of hostile input").digest()[:size])
WORDS = PHRASE.mnemonic.reveal_text()
PASSWORD = hashlib.sha256(b"the password of hostile input").hexdigest()[:24]


def _text(network: Network, scheme: str) -> str | None:
    """The key as a scheme's keys are written; None where they are longer than 32 bytes."""
    try:
        return network.format_private_key(Secret(fitting(scheme, KEY)), scheme).reveal_text()
    except InvalidPrivateKeyError:
        return None


def _texts_of_the_key() -> dict[str, str]:
    found = {}
    for network in TABLE:
        found[f"text of {network.name}"] = network.format_private_key(Secret(KEY)).reveal_text()
    for network in TABLE:
        for scheme in network.schemes:
            text = _text(network, scheme)
            if text is not None and text not in found.values():
                found[f"text of {network.name}, {scheme}"] = text
    found["JSON array"] = json.dumps(list(KEY))
    return found


KEY_TEXTS = _texts_of_the_key()
CANARY = Canary(KEY, WORDS.split(), {**KEY_TEXTS, "password": PASSWORD, "first words": " ".join(WORDS.split()[:6])})
SECRETS = st.sampled_from([KEY.hex(), "0x" + KEY.hex().upper(), WORDS, PASSWORD, *sorted(set(KEY_TEXTS.values()))])

_ODD = (
    "",
    " ",
    "\0",
    "\n",
    "\r\n",
    "\x1b[31m",
    "\x7f",
    "\x85",
    "\u2028",
    "\u202e",
    "\ufeff",
    "\ud800",
    "\udcff\udc80",
    "\U0001f511",
    "é",
    "e\u0301",
    "ﬁ",
    "１２",
    "٣",
    "%s%n",
    "{0}",
    "${HOME}",
    "'; DROP TABLE project_credentials; --",
    "NaN",
    "1e999",
    "-0",
    "0x",
    "null",
    "true",
    "[" * 300,
    '{"a":' * 300,
    "9" * 5000,
    "A" * 20_000,
    "=",
    "\\",
    '"',
)
ODD = st.sampled_from(_ODD)
ANY_TEXT = st.text(max_size=60) | ODD | SECRETS
"""Text of any kind, lone surrogates too."""
ANYTHING: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from((2**64, -(2**256), 10**4000))
    | st.floats()
    | ANY_TEXT
    | st.binary(max_size=60)
    | st.builds(object),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT | st.integers(), inner, max_size=3),
    max_leaves=5,
)
"""Values of any type."""


@st.composite
def mutated(draw: st.DrawFn, valid: st.SearchStrategy[str] | st.SearchStrategy[bytes], most: int = 3) -> Any:
    """A valid text, or bytes, after up to so many changes: set, insert, delete, double, cut, move, change case."""
    whole: Any = draw(valid)
    pieces = ODD if isinstance(whole, str) else st.binary(max_size=9)
    for _ in range(draw(st.integers(0, most))):
        start, end = sorted((draw(st.integers(0, len(whole))), draw(st.integers(0, len(whole)))))
        end = min(end, start + draw(st.sampled_from((0, 1, 1, 2, 8, 10_000))))
        what = draw(st.sampled_from(("set", "insert", "delete", "double", "cut", "move", "case", "flip")))
        part = whole[start:end]
        if what == "set":
            whole = whole[:start] + draw(pieces) + whole[end:]
        elif what == "insert":
            whole = whole[:start] + draw(pieces) + whole[start:]
        elif what == "delete":
            whole = whole[:start] + whole[end:]
        elif what == "double":
            whole = whole[:end] + part * draw(st.sampled_from((1, 2, 30))) + whole[end:]
        elif what == "cut":
            whole = whole[:start]
        elif what == "move":
            whole = part + whole[:start] + whole[end:]
        elif what == "case":
            whole = whole[:start] + part.swapcase() + whole[end:]
        elif part:
            whole = whole[:start] + _flipped(part[:1], draw(st.integers(0, 7))) + whole[start + 1 :]
    return whole


def _flipped(one: Any, bit: int) -> Any:
    return bytes([one[0] ^ 1 << bit]) if isinstance(one, bytes) else chr(ord(one) ^ 1 << bit)


@st.composite
def mutated_document(draw: st.DrawFn, valid: st.SearchStrategy[Any], most: int = 3) -> Any:
    """A valid document (objects, arrays, values) after a few changes at any depth of it."""
    document = deepcopy(draw(valid))
    for _ in range(draw(st.integers(0, most))):
        places = list(_places(document))
        if not places:
            return draw(ANYTHING)
        holder, name = draw(st.sampled_from(places))
        what = draw(st.sampled_from(("anything", "text", "delete", "rename", "nest", "deep")))
        if what == "anything":
            holder[name] = draw(ANYTHING)
        elif what == "text" and isinstance(holder[name], (str, bytes)):
            holder[name] = draw(mutated(st.just(holder[name])))
        elif what == "delete":
            del holder[name]
        elif what == "rename" and isinstance(holder, dict):
            holder[draw(ANY_TEXT)] = holder.pop(name)
        elif what == "nest":
            holder[name] = [holder[name], holder[name]]
        else:
            holder[name] = _deep(holder[name], draw(st.sampled_from((50, 101, 2_000))))
    return document


def _places(document: Any, levels: int = 12) -> Iterator[tuple[Any, Any]]:
    """Every place of a document that holds a value, but for the deepest: its container, and the key or index."""
    if not isinstance(document, (dict, list)) or not levels:
        return
    for name, value in document.items() if isinstance(document, dict) else enumerate(document):
        yield document, name
        yield from _places(value, levels - 1)


def _deep(value: Any, levels: int) -> Any:
    for level in range(levels):
        value = [value] if level % 2 else {"a": value}
    return value


def as_json(document: Any) -> str:
    """A document as JSON text; what JSON has no form for goes in as its ``repr``."""
    try:
        return json.dumps(document, default=repr)
    except (ValueError, TypeError, RecursionError):  # a key that is no text, a number too long, too deep
        return repr(type(document))
