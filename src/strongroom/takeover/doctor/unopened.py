"""What a run did not read, open or derive: while there is any of it, no wallet of the run is called lost.

A sealed text may hold a phrase, and so the keys of wallets that it does not name; a phrase of one project may derive a
key that was imported into another. That nothing has a key is known at the end of a run that saw everything, or not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from strongroom.records.vault_texts import SEALED_PREFIX
from strongroom.store.inspection.inspection import FoundWallet
from strongroom.store.inspection.oddities import Oddities
from strongroom.store.statements.oddities import MOST_VALUES
from strongroom.store.statements.rows import BEGINNING_CHARACTERS, beginning_of
from strongroom.takeover.doctor import commands
from strongroom.takeover.doctor.key_kinds import KeyText, KeyTextKind, is_too_long
from strongroom.takeover.doctor.key_texts import read

if TYPE_CHECKING:
    from strongroom.takeover.doctor.notes import Examination

_WITHOUT_ROOT_KEY = "sealed texts and phrases were not opened without the root key, and one may hold its key"
_UNKNOWN_KIDS = "texts are sealed by keys that are not in this database's keyring, and one may hold its key"
_PHRASES = "phrases of projects were not opened, and one may derive its key"
_HIDDEN = "row-level security hides rows from this role, and one may hold its key"
_LONG = "a text is too long to be read to its end, and may hold its key"
_NO_WALLET = "a text was not read that names no wallet, and may hold its key"
ODD = "a sealed text was met that names no wallet, and may be a phrase that has its key"
_AROUND = "something stands around a sealed text that was not read, and may be its key"
_ODD_ENTRIES = "entries of the history are none that strongroom writes, and one may hold its key"
MORE_TEXTS = "more phrases of wallets are there than were derived, and one may derive its key"
_UNREAD = "metadata or vault records were not read to their end, and may hold its key"
_OTHERS = "other wallets were not looked at in this run, and their rows may hold its key"
STOPPED = "the run was stopped, and a row behind that may hold its key"
MORE_PHRASES = "more is stored of phrases than was read, and one may derive its key"
MORE_INDICES = "phrases have more indices than were derived, and its key may be at one of them"


_NAME = re.compile("[A-Za-z_][A-Za-z0-9_]{0,62}")


def _holds_words(text: str) -> bool:
    """Whether a phrase is in a text, be it its own or of a wallet."""
    found = read(text)
    return any(each.phrase is not None or each.named_only for each in (found, *found.others))


class Unopened:
    """Notes what a run leaves open; the first that is noted is told."""

    def __init__(
        self, kids: Iterable[str] = (), *, has_keyring: bool, hidden: bool = False, partial: bool = False
    ) -> None:
        """``kids``: the sealing keys of the keyring, where ``has_keyring``; ``hidden``: whether rows may be hidden;
        ``partial``: whether the database has other wallets than the run looks at."""
        self._beginnings = frozenset(beginning_of(kid) for kid in kids) if has_keyring else frozenset[str]()
        self._sealed = (_UNKNOWN_KIDS, "") if has_keyring else (_WITHOUT_ROOT_KEY, commands.WITH_ROOT_KEY)
        self._notes = dict[str, str]()
        if hidden:
            self.note(_HIDDEN)
        if partial:
            self.note_others()

    def note(self, why: str, command: str = "") -> None:
        """Note a reason, and the command that may tell; empty where people have to look."""
        self._notes.setdefault(why, command)

    def note_others(self) -> None:
        """Note that the run does not look at every wallet."""
        self.note(_OTHERS, commands.DOCTOR)

    def note_sealed(self) -> None:
        """Note that something sealed is there which nothing opens."""
        self.note(*self._sealed)

    def note_phrases(self) -> None:
        """Note that phrases of projects are not looked for, though the keyring is there."""
        self.note(_PHRASES)

    def note_text(self, text: str | None) -> None:
        """Note a text, or its beginning, where a sealed one is in it that the run cannot open."""
        if text is None or SEALED_PREFIX not in text or self._sealed[0] in self._notes:
            return
        place = text.find(SEALED_PREFIX)
        while place >= 0:
            if text[place : place + BEGINNING_CHARACTERS] not in self._beginnings:
                self.note_sealed()
                return
            place = text.find(SEALED_PREFIX, place + BEGINNING_CHARACTERS)

    def note_entry(self, text: str) -> None:
        """The same of an entry of the history."""
        self.note_text(text)
        if is_too_long(text):
            self.note(_LONG)

    def note_wallet(self, found: FoundWallet) -> None:
        """The same of all texts of a wallet, and of those that are there and were not read."""
        if any(is_too_long(record.text) for record in found.records):
            self.note(_LONG)
        if found.crowded or (found.credential is not None and found.credential.unread):
            self.note(_UNREAD)
        for record in found.records:
            self.note_text(record.text)
        for _, text in () if found.credential is None else found.credential.key_texts:
            self.note_text(text)

    def note_around(self, read: KeyText) -> None:
        """Note what stands around a sealed text, or behind a damaged one, and was not read."""
        if read.holds_unread and any(each.kind is KeyTextKind.SEALED for each in (read, *read.others)):
            self.note(_AROUND)

    def note_examined(self, examined: Examination) -> None:
        """Note what was not read of a wallet's texts, and texts of vault records that name no wallet."""
        texts = (*(each.read for each in examined.records), *(each.read for each in examined.members))
        for text in texts:
            self.note_around(text)
        if examined.credential is None and any(
            held.holds_text and held.content is None and held.read.kind is not KeyTextKind.SEALED
            for held in examined.records
        ):
            self.note(_NO_WALLET)

    def note_oddities(self, oddities: Oddities) -> None:
        """Note what strongroom does not write, and so does not read. Raises StoreError."""
        if oddities.odd_entries():
            self.note(_ODD_ENTRIES)
        for table in oddities.odd_ids():
            self.note(f"rows of {table} have ids that are none, and are not all read: one may hold its key")
        for table in oddities.sealed_elsewhere():
            self.note(f"a sealed text stands in a column of {table} where none belongs, and may hold its key")

        for table in oddities.keys_elsewhere():
            self.note(f"what is written as a key stands in a column of {table} where none belongs, and may be its key")
        for table, texts in oddities.words_elsewhere():
            if len(texts) == MOST_VALUES or any(_holds_words(each) for each in texts):
                self.note(f"words stand in a column of {table} where none belong, and may be a phrase that has its key")
        for name in oddities.beside():
            shown = name if _NAME.fullmatch(name) else "whose name is not printed"
            self.note(f"the table {shown} is next to the vault's, has a column for keys, and was not read")

    def told(self) -> tuple[str, str] | None:
        """Why a key may be there all the same, and the command that tells; None where everything was seen."""
        return next(iter(self._notes.items()), None)
