"""JSON from texts that nobody vouches for.

Python's reader goes as deep as the interpreter's recursion limit, which other libraries raise until the stack ends and
with it the process. No document that is read here nests deeper than a few levels.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

MAX_DEPTH = 100
_MOST_DIGITS = 4300
"""Python reads no longer integer, and writes none."""
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)


def loads(
    text: str,
    *,
    object_pairs_hook: Callable[[list[tuple[str, Any]]], Any] | None = None,
    long_numbers: bool = False,
) -> Any:
    """Read a JSON text. Raises ValueError for what is none, and for what nests deeper than ``MAX_DEPTH``. RFC 8259.

    ``long_numbers``: an integer of more digits than Python reads comes as its text; else that raises ValueError, too.
    """
    if nests_deeper(text):
        raise ValueError("nested too deeply")
    return json.loads(text, object_pairs_hook=object_pairs_hook, parse_int=_integer if long_numbers else None)


def keep_all(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object in which a name that stands several times has all of its values, in a list: an ``object_pairs_hook``.

    RFC 8259 leaves open which of them counts; Python drops all but the last.
    """
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    values: dict[str, list[Any]] = {}
    for name, value in pairs:
        if value not in values.setdefault(name, []):
            values[name].append(value)
    return {name: several if len(several) > 1 else several[0] for name, several in values.items()}


def _integer(digits: str) -> int | str:
    return int(digits) if len(digits) <= _MOST_DIGITS else digits


def nests_deeper(text: str, most: int = MAX_DEPTH) -> bool:
    """Whether arrays and objects stand in each other deeper than that; strings are passed over."""
    if text.count("[") + text.count("{") <= most:
        return False
    depth = 0
    for token in _TOKEN.finditer(text):
        first = token[0][0]
        if first in "[{":
            depth += 1
            if depth > most:
                return True
        elif first in "]}":
            depth -= 1
    return False
