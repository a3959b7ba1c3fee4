"""Which of many shapes a text has: regular expressions that networks give, asked in one pass."""

from __future__ import annotations

import re
from collections.abc import Mapping


class Shapes:
    """Regular expressions by name, each for a whole text. Raises ValueError where one has a capturing group."""

    def __init__(self, shapes: Mapping[str, str]) -> None:
        if any(re.compile(shape).groups for shape in shapes.values()):
            raise ValueError("a shape has a capturing group")
        self._names = tuple(shapes)
        # Each group is tried at the beginning of the text, and none consumes anything.
        self._pattern = re.compile("".join(rf"(?=((?:{shape})\Z)?)" for shape in shapes.values()), re.ASCII)

    def fitting(self, text: str) -> list[str]:
        """The names of those that a text matches, in their order."""
        found = self._pattern.match(text)
        if found is None or found.lastindex is None:
            return []
        return [name for name, fits in zip(self._names, found.groups(), strict=True) if fits is not None]
