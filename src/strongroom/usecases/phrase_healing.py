"""Words that somebody has bring a phrase back whose sealed text, or whose whole row, was lost.

An imported phrase is the lost one where it has its identifier, or, where the row is gone, where it derives the key of a
wallet that the register says was derived from it, or a sealed text that the history keeps says so. It goes on under its
own id: under another one its indices would be given a second time. So where a row was changed, or every record of a
lost phrase, and it may be this one, nothing is imported.
"""

from __future__ import annotations

from uuid import UUID

from strongroom.crypto import tags
from strongroom.crypto.phrase import Phrase
from strongroom.errors import (
    IdentityMismatchError,
    InvalidRequestError,
    KeyConflictError,
    StoreError,
    StrongroomError,
)
from strongroom.records.phrases import StoredPhrase
from strongroom.records.register import Registration
from strongroom.records.usage_log import Attribution
from strongroom.records.vault_texts import PLACEHOLDERS, SEALED_PREFIX
from strongroom.usecases.context import VaultContext
from strongroom.usecases.outcome import until_known
from strongroom.usecases.phrase_reading import CHANGED_ROW, checked, phrase_event, prove_phrase_row
from strongroom.usecases.phrase_rewrap import sealed_anew
from strongroom.usecases.phrases_of_projects import NamedPhrase, open_by_header


def put_text_back(
    context: VaultContext, project_id: UUID, identifier: str, phrase: Phrase, actor: Attribution
) -> StoredPhrase | None:
    """Seal an imported phrase into its row, where that is there and its text does not open; else None.

    The text that was there is kept, if it is a sealed one. Raises IdentityMismatchError, StoreError, and
    KeyConflictError where another text stands there, which may be the only one of its kind.
    """
    stored = context.store.phrases.identified(project_id, identifier)
    if stored is None or _opens(context, checked(context, stored, project_id)):
        return None
    if not gives_way(stored.sealed_text):
        raise KeyConflictError(
            f"The row of the phrase {stored.record.phrase_id} holds a text that is no sealed one; nothing was changed.",
            hint="It may be words, or the text of something else: look at sealed_text in strongroom_phrase, keep what "
            "is of use, and empty the column (UPDATE ... SET sealed_text = ''). Then import the words again.",
        )
    text = sealed_anew(context, phrase, stored)
    event = phrase_event("phrase-repair", stored.record, actor, did="text")

    def write() -> bool:
        return context.store.phrases.change_text(stored, text, "repair", event, context.clock())

    def is_there() -> bool:
        found = context.store.phrases.get(project_id, stored.record.phrase_id)
        return found is not None and found.sealed_text == text

    return stored if until_known(write, is_there) else None


def lost_id(context: VaultContext, project_id: UUID, identifier: str, phrase: Phrase) -> UUID | None:
    """The id of a phrase of the project whose row is gone, and which an imported phrase is; or None.

    Raises IdentityMismatchError where a row that was changed is, or may be, this phrase's, and where the register has
    wallets of a phrase without a row, and nothing tells which phrase that was: under a new id their indices would be
    given a second time. StoreError.
    """
    told = _Told(context, project_id, identifier, phrase)
    for rows in context.store.phrases.stream(project_id):
        for stored in rows:
            if not tags.fits_record("phrase", stored.record, stored.tag, context.keyring):
                told.require_another(stored)
    unknown: UUID | None = None
    for page in context.store.phrases.stream_lost(project_id):
        for _, phrase_id in page:
            is_it = told.by_wallets(phrase_id)
            if is_it:
                return phrase_id
            unknown = phrase_id if is_it is None else unknown
    if unknown is not None:
        raise IdentityMismatchError(
            f"The row of the phrase {unknown} is gone, and the records of all of its wallets were changed: whether "
            "it is this phrase is not known; nothing was written.",
            hint="`strongroom doctor` names the records: `strongroom upgrade --accept ID` writes one anew whose wallet "
            "opens, or put it back from a backup; delete those that strongroom did not write.",
            columns=("tag",),
        )
    return None


class _Told:
    """What is told of phrases of a project: whether one is the phrase that is imported."""

    def __init__(self, context: VaultContext, project_id: UUID, identifier: str, phrase: Phrase) -> None:
        self._context, self._project = context, project_id
        self._identifier, self._phrase = identifier, phrase

    def require_another(self, stored: StoredPhrase) -> None:
        """Raise IdentityMismatchError where a row that was changed is this phrase's, or may be."""
        phrase_id = stored.record.phrase_id
        named = open_by_header(self._context, stored.sealed_text)
        is_it: bool | None = named is not None and self._is_named(named)
        if not is_it:
            is_it = self.by_wallets(phrase_id)
        if is_it is None and named is not None and named[:2] == (self._project, phrase_id):
            is_it = False  # the text is its own, and of another phrase
        if is_it is False:
            return
        verb = "is" if is_it else "may be"
        raise IdentityMismatchError(
            f"The row of the phrase {phrase_id} was changed, and {verb} this phrase's; nothing was written.",
            hint=CHANGED_ROW,
            columns=("tag",),
        )

    def by_wallets(self, phrase_id: UUID) -> bool | None:
        """What the first wallet's record that fits tells, or a text that the history keeps; None where nothing does.

        A phrase without wallets is another one: no index of it was given.
        """
        has_wallets = False
        for page in self._context.store.phrases.stream_records(self._project, phrase_id):
            has_wallets = True
            for each in page:
                if tags.fits_record("wallet", each.record, each.tag, self._context.keyring):
                    return derives(self._context, self._phrase, each.record)
        for kept in self._context.store.phrases.kept(self._project, phrase_id):
            named = open_by_header(self._context, kept.text)
            if named is not None and named[:2] == (self._project, phrase_id):
                return self._is_named(named)
        return None if has_wallets else False

    def _is_named(self, named: NamedPhrase) -> bool:
        return (named.project_id, named.identifier) == (self._project, self._identifier)


def derives(context: VaultContext, phrase: Phrase, record: Registration) -> bool:
    """Whether a phrase has the key of a wallet at the path that the register says."""
    try:
        network = context.networks.get(record.network)
        material = network.derive(phrase, record.scheme or network.scheme(None), record.path)
        return network.public_half(material.private_key, material.scheme).public_key == record.public_key
    except InvalidRequestError:
        return False


def gives_way(text: str) -> bool:
    """Whether a text that does not open may be written over: it holds nothing, or begins as a sealed one does.

    Such a one the history keeps whole, damaged or with something behind it, which may be the words, or the key of
    something else: doctor reads entries whole.
    """
    return text.strip() in PLACEHOLDERS or text.startswith(SEALED_PREFIX)


def _opens(context: VaultContext, stored: StoredPhrase) -> bool:
    try:
        prove_phrase_row(context, stored)
    except StoreError:
        raise
    except StrongroomError:
        return False
    return True
