"""Ids that doctor has seen, in bounded memory, however many of them somebody wrote."""

from __future__ import annotations

_MOST = 20_000


class FirstIds:
    """The first 20,000 ids that were put in; of those that come later it does not know whether they were there."""

    def __init__(self) -> None:
        self._ids: set[str] = set()

    def add(self, text: str) -> bool:
        """Put an id in; whether it was not there, or is not remembered."""
        if text in self._ids:
            return False
        if len(self._ids) < _MOST:
            self._ids.add(text)
        return True

    def __contains__(self, text: str) -> bool:
        return text in self._ids

    def may_have(self, text: str) -> bool:
        """Whether an id was put in, or may have been among those that are not remembered."""
        return text in self._ids or len(self._ids) == _MOST
