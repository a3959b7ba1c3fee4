"""The sealed texts that are inside of a text, in every form that a key text is read in."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

from strongroom.crypto.sealed_headers import is_one, pieces_of
from strongroom.records.vault_texts import LEAST_SEALED_CHARACTERS, SEALED_PREFIX
from strongroom.store.inspection.inspection import MAX_TEXT_CHARACTERS
from strongroom.takeover.doctor import language_forms, wrappings
from strongroom.takeover.doctor.found import Found
from strongroom.takeover.doctor.key_kinds import KeyText
from strongroom.takeover.doctor.key_texts import TextReading, read
from strongroom.takeover.doctor.wrappings import Inner


def sealed_inside(text: str) -> tuple[str, ...]:
    """Every sealed text that reading a text finds in it; one that is the whole text is not inside.

    Where there is none this costs less than reading the text, as a rule a tenth.
    """
    if len(text) > MAX_TEXT_CHARACTERS or is_one(text):
        return ()
    search = _Search()
    search.look_at(text)
    if not search.may_hold_one:
        return pieces_of(text).sealed if SEALED_PREFIX in text else ()
    found = read(text)
    return tuple(each.sealed.reveal_text() for each in (found, *found.others) if each.sealed is not None)


class _Search(TextReading):
    """Enters all that reading enters, but for what is too short to be or hold a sealed text, and reads no keys.

    It stops at nothing that reading goes on from; where it would have to, the text is read.
    """

    @property
    def may_hold_one(self) -> bool:
        """Whether a sealed text was found, or one may be in what was not looked into."""
        return any(each.sealed is not None for each in self._locked) or min(self._texts, self._characters) < 0

    def look_at(self, text: str, trail: tuple[Inner, ...] = (), *, trusted: bool = True) -> None:
        if len(text) >= LEAST_SEALED_CHARACTERS:
            super().look_at(text, trail, trusted=trusted)

    def _inner(self, text: str) -> Iterable[Inner]:
        return chain(wrappings.inner(text), language_forms.inner(text))  # between other words are short ones alone

    def _write_out(self, text: str, trail: tuple[Inner, ...], *, trusted: bool) -> bool:  # noqa: ARG002
        return False

    def _keep(self, found: Found, trail: tuple[Inner, ...], *, trusted: bool) -> None:
        """Keep no key."""

    def _lock(self, found: KeyText) -> None:
        if found.sealed is not None:  # any number of others
            super()._lock(found)
