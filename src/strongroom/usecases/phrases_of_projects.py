"""The phrases that projects have, wherever their rows say that they are: each sealed text says whose it is."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import NamedTuple
from uuid import UUID

from strongroom.crypto.phrase import Phrase
from strongroom.crypto.phrase_sealing import open_phrase, phrase_in
from strongroom.errors import StrongroomError
from strongroom.records.phrases import ACTIVE, PhraseRecord
from strongroom.secret import Secret
from strongroom.usecases.context import VaultContext


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
    named = phrase_in(text)
    if named is None:
        return None
    project_id, phrase_id, identifier = named
    record = PhraseRecord(project_id, phrase_id, "", 0, False, identifier, ACTIVE, 0)
    try:
        phrase = open_phrase(text, record, context.keyring)
    except StrongroomError:
        return None
    return PhraseOfProject(project_id, phrase_id, words_of(phrase.mnemonic), phrase)
