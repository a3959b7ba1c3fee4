"""The phrases that projects have, wherever their rows say that they are: each sealed text says whose it is."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import NamedTuple
from uuid import UUID

from strongroom.crypto.phrase import Phrase
from strongroom.crypto.phrase_sealing import open_phrase, phrase_in
from strongroom.errors import StrongroomError
from strongroom.records.phrases import REPLACED, PhraseRecord
from strongroom.secret import Secret
from strongroom.usecases.context import VaultContext


class NamedPhrase(NamedTuple):
    """A phrase that opened under what the header of its text names: that proves whose it is."""

    project_id: UUID
    phrase_id: UUID
    identifier: str
    phrase: Phrase


class PhraseOfProject(NamedTuple):
    """A phrase that opens: that proves whose it is."""

    project_id: UUID
    phrase_id: UUID
    words: bytes
    phrase: Phrase

    def __repr__(self) -> str:
        return f"<PhraseOfProject {self.phrase_id}>"


def phrases_of_projects(context: VaultContext) -> Iterator[PhraseOfProject]:
    """Every phrase of every project, replaced ones included; those that do not open are left out. Raises StoreError."""
    for page in context.store.phrases.stream():
        for stored in page:
            found = opened_phrase(context, stored.sealed_text)
            if found is not None:
                yield found


def words_of(mnemonic: Secret) -> bytes:
    """The words of a phrase, however they were written."""
    return " ".join(unicodedata.normalize("NFKD", mnemonic.reveal_text()).lower().split()).encode()


def opened_phrase(context: VaultContext, text: str) -> PhraseOfProject | None:
    """A phrase as the header of its text says it, which its opening authenticates."""
    found = _named_phrase(context, text)
    if found is None:
        return None
    return PhraseOfProject(found.project_id, found.phrase_id, words_of(found.phrase.mnemonic), found.phrase)


def _named_phrase(context: VaultContext, text: str) -> NamedPhrase | None:
    """A sealed text that is a phrase's by its header, opened; None of any other."""
    named = phrase_in(text)
    if named is None:
        return None
    try:
        return NamedPhrase(
            *named, open_phrase(text, PhraseRecord(*named[:2], "", 0, False, named[2], REPLACED, 1), context.keyring)
        )
    except StrongroomError:
        return None


def open_by_header(context: VaultContext, text: str) -> NamedPhrase | None:
    """The same, and proved: the phrase has the identifier that the header names; about a millisecond."""
    found = _named_phrase(context, text)
    try:
        return found if found is not None and context.networks.identifier(found.phrase) == found.identifier else None
    except StrongroomError:
        return None
