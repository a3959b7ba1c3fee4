"""Sealed texts of phrases where no verb looks for them: under other ids, in rows of others, in changed entries.

Only what a sealing key of the keyring sealed is looked for, as it is or with something around it. Read once, when it is
first asked for: the tables are read whole.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from uuid import UUID

from strongroom.crypto.phrase_sealing import beginning_of_phrases, phrase_in
from strongroom.crypto.sealed_headers import headers_in
from strongroom.records.phrases import KeptElsewhere, StoredPhrase
from strongroom.records.vault_texts import PLACEHOLDERS
from strongroom.usecases.context import VaultContext

_MOST_PHRASES = 1_000
_MOST_TEXTS = 8
"""Of one phrase, each once."""
_MOST_FOUND = 100
"""As many texts of one table as a search for a beginning returns."""

Place = tuple[UUID, UUID]
"""Project and phrase, as the header of a text names them."""


class StrayPhrases:
    """Texts of phrases beside those in their own rows, and in entries of the history that name a phrase with a row."""

    def __init__(self, context: VaultContext) -> None:
        self._context = context
        self._is_read, self._complete = False, True
        self._texts = defaultdict[Place, dict[str, None]](dict)
        self._rows = dict[Place, StoredPhrase]()
        self._have_rows = dict[Place, bool]()

    def of(self, project_id: UUID, phrase_id: UUID) -> tuple[str, ...]:
        """The texts whose headers name a phrase; none is opened yet. Raises StoreError."""
        self._read()
        return tuple(self._texts.get((project_id, phrase_id), ()))

    def row_of(self, project_id: UUID, phrase_id: UUID) -> StoredPhrase | None:
        """The row under other ids in which a text stands whose header names a phrase. Raises StoreError."""
        self._read()
        return self._rows.get((project_id, phrase_id))

    def places(self) -> Iterator[Place]:
        """The phrases that such texts name. Raises StoreError."""
        self._read()
        yield from self._texts

    def more_is_kept(self) -> None:
        """Note that the history keeps more of a phrase than was read."""
        self._complete = False

    def is_complete(self) -> bool:
        """Whether all of them were read, and are remembered, and nothing else stands in rows of phrases.

        Raises StoreError.
        """
        self._read()
        return self._complete

    def _read(self) -> None:
        if self._is_read:
            return
        for page in self._context.store.phrases.stream():
            for stored in page:
                place, text = (stored.record.project_id, stored.record.phrase_id), stored.sealed_text
                for named in self._add(text, besides=place):
                    self._rows.setdefault(named, stored)
                if phrase_in(text) is None and text.strip() not in PLACEHOLDERS:
                    self._complete = False
        for kid in sorted(self._context.keyring.kids):
            beginning = beginning_of_phrases(kid)
            for entries in self._context.store.phrases.stream_kept(beginning):
                for entry in entries:
                    self._add_entry(entry)
            self._read_wallets(beginning)
        self._is_read = True

    def _read_wallets(self, beginning: str) -> None:
        """The vault records and metadata."""
        counts = Counter[str]()
        for place, text in self._context.store.rescue.texts_holding(beginning):
            table = place.partition(":")[0]
            if table != "entry":
                counts[table] += 1
                self._add(text)
        self._complete = self._complete and all(count < _MOST_FOUND for count in counts.values())

    def _add_entry(self, entry: KeptElsewhere) -> None:
        place = entry.project_id, entry.phrase_id
        if place not in self._have_rows and len(self._have_rows) < _MOST_PHRASES:
            self._have_rows[place] = self._context.store.phrases.get(*place) is not None
        self._add(entry.text, besides=place if self._have_rows.get(place, True) else None)

    def _add(self, text: str, besides: Place | None = None) -> list[Place]:
        """Remember what a text holds unless it names the place where it stands; returns what is named."""
        added = list[Place]()
        for header in headers_in(text):
            whole = header.whole(text) if header.is_phrase else ""
            named = phrase_in(whole)
            if named is None or named[:2] == besides:
                continue
            place, known = named[:2], self._texts.get(named[:2], {})
            if (not known and len(self._texts) == _MOST_PHRASES) or len(known) == _MOST_TEXTS:
                self._complete = False
                continue
            self._texts[place].setdefault(whole)
            added.append(place)
        return added
