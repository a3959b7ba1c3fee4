"""Words that somebody has bring a phrase back whose sealed text, or whose whole row, was lost.

An imported phrase is the lost one where it has its identifier, or, where the row is gone, where it derives the key of a
wallet that the register says was derived from it. It goes on under its own id: under another one its indices would be
given a second time.
"""

from __future__ import annotations

from uuid import UUID

from strongroom.crypto import tags
from strongroom.crypto.phrase import Phrase
from strongroom.errors import InvalidRequestError, StoreError, StrongroomError
from strongroom.records.phrases import StoredPhrase
from strongroom.records.register import Registration
from strongroom.records.usage_log import Attribution
from strongroom.usecases.context import VaultContext
from strongroom.usecases.outcome import until_known
from strongroom.usecases.phrase_reading import checked, phrase_event, prove_phrase_row
from strongroom.usecases.phrase_rewrap import sealed_anew


def put_text_back(
    context: VaultContext, project_id: UUID, identifier: str, phrase: Phrase, actor: Attribution
) -> StoredPhrase | None:
    """Seal an imported phrase into its row, where that is there and its text does not open; else None.

    The text that was there is kept, if it is a sealed one. Raises IdentityMismatchError, StoreError.
    """
    stored = context.store.phrases.identified(project_id, identifier)
    if stored is None or _opens(context, checked(context, stored, project_id)):
        return None
    text = sealed_anew(context, phrase, stored)
    event = phrase_event("phrase-repair", stored.record, actor, did="text")

    def write() -> bool:
        return context.store.phrases.change_text(stored, text, "repair", event, context.clock())

    def is_there() -> bool:
        found = context.store.phrases.get(project_id, stored.record.phrase_id)
        return found is not None and found.sealed_text == text

    return stored if until_known(write, is_there) else None


def lost_id(context: VaultContext, project_id: UUID, phrase: Phrase) -> UUID | None:
    """The id of a phrase of the project whose row is gone, and whose wallets an imported phrase derives; or None.

    Raises StoreError.
    """
    for page in context.store.phrases.stream_lost(project_id):
        for _, phrase_id in page:
            if _derived(context, project_id, phrase_id, phrase):
                return phrase_id
    return None


def _derived(context: VaultContext, project_id: UUID, phrase_id: UUID, phrase: Phrase) -> bool:
    """Whether a phrase derives a wallet of another id; the first that has its record decides."""
    for page in context.store.phrases.stream_records(project_id, phrase_id):
        for each in page:
            if tags.fits_record("wallet", each.record, each.tag, context.keyring):
                return derives(context, phrase, each.record)
    return False


def derives(context: VaultContext, phrase: Phrase, record: Registration) -> bool:
    """Whether a phrase has the key of a wallet at the path that the register says."""
    try:
        network = context.networks.get(record.network)
        material = network.derive(phrase, record.scheme or network.scheme(None), record.path)
        return network.public_half(material.private_key, material.scheme).public_key == record.public_key
    except InvalidRequestError:
        return False


def _opens(context: VaultContext, stored: StoredPhrase) -> bool:
    try:
        prove_phrase_row(context, stored)
    except StoreError:
        raise
    except StrongroomError:
        return False
    return True
