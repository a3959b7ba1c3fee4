"""How much work is done in vain in one run: a writer of rows may have planted any number of texts that cost
much."""

from __future__ import annotations

from threading import Lock

MOST_IN_VAIN = 300.0
"""In stretchings as geth writes them, of about a second each: passwords that do not open a text."""


class WorkBudget:
    """Counts what was tried in vain. What opens costs nothing here: only who has the password can plant it."""

    def __init__(self, most_in_vain: float = MOST_IN_VAIN, most_phrases: int | None = None) -> None:
        self._left = most_in_vain
        self._phrases = most_phrases
        self._lock = Lock()

    def affords(self, cost: float) -> bool:
        """Take the cost of a try out of what is left; False where there is not as much."""
        with self._lock:
            if cost > self._left:
                return False
            self._left -= cost
            return True

    def give_back(self, cost: float) -> None:
        """A try was not in vain."""
        with self._lock:
            self._left += cost

    def takes_phrase(self) -> bool:
        """Whether one more phrase is tried; without a limit always."""
        with self._lock:
            if self._phrases is None:
                return True
            self._phrases -= 1
            return self._phrases >= 0
