"""The texts that the history keeps of one credential, as far as they are read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from strongroom.store.inspection.inspection_rows import KeptText
from strongroom.store.statements.history_reading import HistoryReading

_PAGE = 100
MOST_TEXTS = 1000
MOST_CHARACTERS = 8 * 1024 * 1024
"""Sealed texts of one credential that are read, and others, and how long they are together."""


class KeptTexts:
    """Sealed texts first, so that no number of others hides them; newest first."""

    def __init__(
        self, read: Callable[[str, Mapping[str, Any]], list[tuple[Any, ...]]], sql: HistoryReading, credential_id: str
    ) -> None:
        self._read, self._sql, self._id = read, sql, credential_id
        self.cut = False
        """Whether there are more than were read: then nothing is known to be missing."""

    def __iter__(self) -> Iterator[KeptText]:
        for sealed in (True, False):
            yield from self._of_form(sealed)

    def _of_form(self, sealed: bool) -> Iterator[KeptText]:
        number = characters = 0
        while True:
            parameters = {"id": self._id, "limit": _PAGE, "skipped": number}
            page = [KeptText(*row) for row in self._read(self._sql.kept(sealed), parameters)]
            for kept in page:
                if number == MOST_TEXTS or characters > MOST_CHARACTERS:
                    self.cut = True
                    return
                number, characters = number + 1, characters + len(kept.text)
                yield kept
            if len(page) < _PAGE:
                return
            del page, kept  # no frame holds texts while the next page is asked for
