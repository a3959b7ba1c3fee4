"""Move sealed phrases to the active sealing key, alongside traffic."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID

from strongroom.crypto.phrase import Phrase
from strongroom.crypto.phrase_sealing import seal_phrase
from strongroom.errors import StoreError, StrongroomError
from strongroom.records.phrases import StoredPhrase
from strongroom.records.results import RewrapResult
from strongroom.usecases.context import VaultContext
from strongroom.usecases.outcome import retry_until_known
from strongroom.usecases.phrase_reading import checked, prove_phrase_row


def rewrap_phrases(context: VaultContext, project_id: UUID | None) -> Iterator[RewrapResult]:
    """Move sealed phrases to the active sealing key, those of a project or all; a result for each.

    Each is opened and proved, sealed anew, and opened again: only then compare-and-set on exactly the old text.
    """
    for page in context.store.phrases.stream_sealed_otherwise(context.keyring.active_kid, project_id):
        for stored in page:
            yield _rewrapped(context, stored)


def _rewrapped(context: VaultContext, stored: StoredPhrase) -> RewrapResult:
    phrase_id = stored.record.phrase_id
    try:
        found = checked(context, stored, stored.record.project_id)
        text = sealed_anew(context, prove_phrase_row(context, found), found)
    except StoreError:
        raise
    except StrongroomError as error:
        return RewrapResult(phrase_id, rewrapped=False, error=error)

    def write(lost: bool) -> bool:
        if context.store.phrases.change_text(stored, text, "rewrap", None, context.clock()):
            return True
        there = context.store.phrases.get(stored.record.project_id, phrase_id) if lost else None
        return there is not None and there.sealed_text == text

    return RewrapResult(phrase_id, rewrapped=retry_until_known(write))


def sealed_anew(context: VaultContext, phrase: Phrase, stored: StoredPhrase) -> str:
    """A phrase sealed for its row under the active key, opened again and proved. Raises ProofError."""
    text = seal_phrase(phrase, stored.record, context.keyring.active_kid, context.keyring)
    prove_phrase_row(context, replace(stored, sealed_text=text))
    return text
