"""Lines for a terminal: they end between words, and a command stays in one line, by itself, to be copied whole."""

from __future__ import annotations

import os
import re
from typing import TextIO

_NARROWEST = 20
_COMMAND = re.compile(r"`(strongroom [^`]+)`")
_AFTER = " .,;:"
"""What stood behind a command that has a line of its own."""


def wrapped(text: str, stream: TextIO | None) -> str:
    """Lines that end between words, where a terminal would break them inside; SQL, which is indented, stays whole."""
    if stream is None or not stream.isatty() or text.startswith(" "):
        return text
    import shutil

    try:
        width = os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):
        width = shutil.get_terminal_size().columns
    if len(text) <= width or width < _NARROWEST:
        return text
    lines: list[str] = []
    for number, part in enumerate(_COMMAND.split(text)):
        if number % 2:
            lines.append(f"    {part}")
        elif (prose := part.lstrip(_AFTER) if number else part).strip():
            lines.append(_filled(prose.strip(), width))
    return "\n".join(lines)


def _filled(text: str, width: int) -> str:
    import textwrap

    return textwrap.fill(text, width, break_long_words=False, break_on_hyphens=False, replace_whitespace=False)
