"""Phrases of a project: made or imported once, proved, revealed, replaced. Nothing of them is ever overwritten.

A phrase is sealed and proved like a key: what is opened again derives the identifier that is stored. Two callers that
make one label meet at its unique index: one writes, the other returns what the first one made.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from uuid import UUID

from strongroom.crypto import tags
from strongroom.crypto.phrase import Phrase
from strongroom.crypto.phrase_sealing import seal_phrase
from strongroom.errors import (
    ConnectionNotSupportedError,
    PhraseConflictError,
    PhraseNotFoundError,
)
from strongroom.records import identifiers
from strongroom.records.phrases import (
    ACTIVE,
    REPLACED,
    CreatedPhrase,
    PhraseRecord,
    PhraseReference,
    ProjectPhrase,
    StoredPhrase,
)
from strongroom.records.register import IdempotencyRecord
from strongroom.records.requests import Request
from strongroom.records.tag import Tag
from strongroom.records.usage_log import Attribution
from strongroom.secret import Secret
from strongroom.usecases.answers import find_key
from strongroom.usecases.context import VaultContext
from strongroom.usecases.outcome import resolve
from strongroom.usecases.phrase_healing import lost_id, put_text_back
from strongroom.usecases.phrase_reading import checked, phrase_event, prove_phrase_row, shown, stored_phrase
from strongroom.usecases.requests import check_words
from strongroom.usecases.tagging import tagged_key

_NETWORK = "phrase"
"""In the place of a network in what an idempotency key remembers."""


@dataclass(frozen=True, slots=True)
class PhraseRequest:
    """What a caller asks for, as passed."""

    project_id: UUID | str
    label: str
    words: int
    idempotency_key: str | None
    mnemonic: Secret | None = None
    passphrase: Secret | None = None

    @property
    def is_import(self) -> bool:
        """Whether the phrase comes from elsewhere."""
        return self.mnemonic is not None


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A request, checked; and the phrase that is imported."""

    project_id: UUID
    label: str
    words: int
    idempotency_key: str | None
    request: Request
    imported: Phrase | None
    identifier: str | None
    """Of the imported phrase."""

    @property
    def operation(self) -> str:
        """The event that is written."""
        return self.request.operation


def create_phrase(context: VaultContext, request: PhraseRequest, actor: Attribution) -> CreatedPhrase:
    """Make or import the phrase of a label, or return the one that is there; see Vault.create_phrase."""
    wanted = _checked_request(context, request)
    if wanted.imported is not None and wanted.identifier is not None:
        healed = put_text_back(context, wanted.project_id, wanted.identifier, wanted.imported, actor)
        if healed is not None:
            return CreatedPhrase(shown(context, healed), created=False)
    new: StoredPhrase | None = None
    key_is_there = False

    def look(_lost: bool) -> CreatedPhrase | None:
        found = _answer(context, wanted)
        if found is None:
            return None
        return CreatedPhrase(found, created=new is not None and found.id == new.record.phrase_id)

    def write(_lost: bool) -> CreatedPhrase | None:
        nonlocal new, key_is_there
        if new is None or new.tag.kid != context.keyring.active_kid:
            lost, key_is_there = _lost_phrase(context, wanted)
            new = context.store.run_key_work(partial(_new_phrase, context, wanted, lost))
        event = phrase_event(wanted.operation, new.record, actor)
        key = None if key_is_there else _key_of(context, wanted, new.record.phrase_id)
        if context.store.phrases.insert(new, key, event, new.tag.kid, context.clock()):
            return CreatedPhrase(shown(context, new), created=True)
        if not context.store.keyring.seals_with(new.tag.kid):
            context.store.run_key_work(context.keyring.refresh)
            if not context.store.keyring.seals_with(context.keyring.active_kid):
                raise ConnectionNotSupportedError("This database has another keyring; nothing was written.")
        return None

    return resolve(write, look, contended="The label was taken and given back several times in a row.")


def replace_phrase(
    context: VaultContext,
    project_id: UUID | str,
    phrase: PhraseReference,
    words: int,
    actor: Attribution,
    idempotency_key: str | None = None,
) -> CreatedPhrase:
    """Let a new phrase take the label of another, which stays openable; see Vault.replace_phrase."""
    check_words(words)
    project, key = identifiers.check_project_id(project_id), identifiers.check_idempotency_key(idempotency_key)
    replaced = str(phrase.id if isinstance(phrase, ProjectPhrase) else phrase)
    request = Request("phrase-replace", _NETWORK, "", {"words": str(words), "replaces": replaced})
    wanted = _Wanted(project, "", words, key, request, None, None)
    old: StoredPhrase | None = None
    new: StoredPhrase | None = None

    def look(lost: bool) -> CreatedPhrase | None:
        found = _remembered(context, wanted)
        if found is None and lost and new is not None:
            there = context.store.phrases.get(project, new.record.phrase_id)
            found = None if there is None else shown(context, checked(context, there, project))
        if found is None:
            return None
        return CreatedPhrase(found, created=new is not None and found.id == new.record.phrase_id)

    def write(_lost: bool) -> CreatedPhrase | None:
        nonlocal old, new
        old = stored_phrase(context, project, phrase if old is None else old.record.phrase_id)
        if old.record.status != ACTIVE:
            raise PhraseConflictError(f"The phrase {old.record.phrase_id} was replaced already; nothing was changed.")
        new = context.store.run_key_work(partial(_new_phrase, context, replace(wanted, label=old.record.label)))
        record = old.record._replace(status=REPLACED, version=old.record.version + 1)
        retired = record, _tag(context, record)
        event = phrase_event("phrase-replace", new.record, actor, replaces=str(old.record.phrase_id))
        named = _key_of(context, wanted, new.record.phrase_id)
        if context.store.phrases.replace(old, retired, new, named, event, context.clock()):
            return CreatedPhrase(shown(context, new), created=True)
        context.store.run_key_work(context.keyring.refresh)
        return None

    return resolve(write, look, contended="The phrase changed several times in a row; nothing was written.")


def _tag(context: VaultContext, record: PhraseRecord) -> Tag:
    return tags.make("phrase", record.fields(), context.keyring)


def _checked_request(context: VaultContext, request: PhraseRequest) -> _Wanted:
    project_id = identifiers.check_project_id(request.project_id)
    label = identifiers.check_label(request.label)
    key = identifiers.check_idempotency_key(request.idempotency_key)
    if not request.is_import:
        check_words(request.words)
        facts = {"words": str(request.words)}
        return _Wanted(
            project_id, label, request.words, key, Request("phrase-create", _NETWORK, label, facts), None, None
        )
    assert request.mnemonic is not None  # noqa: S101 - it is an import
    imported = Phrase.parse(request.mnemonic, request.passphrase)
    identifier = context.networks.identifier(imported)
    facts = {"identifier": identifier}
    words = len(imported.mnemonic.reveal_text().split())
    return _Wanted(
        project_id, label, words, key, Request("phrase-import", _NETWORK, label, facts), imported, identifier
    )


def _answer(context: VaultContext, wanted: _Wanted) -> ProjectPhrase | None:
    """The phrase that answers a request, or None where there is none yet."""
    remembered = _remembered(context, wanted)
    if remembered is not None:
        return remembered
    stored = context.store.phrases.find(wanted.project_id, wanted.label)
    if stored is None:
        _require_no_other_label(context, wanted)
        return None
    found = checked(context, stored, wanted.project_id, label=wanted.label)
    if wanted.identifier not in (None, found.record.identifier):
        raise PhraseConflictError(f"Another phrase lives under this label: {found.record.phrase_id}.")
    taken = _key_of(context, wanted, found.record.phrase_id)
    if taken is None:
        return shown(context, found)
    context.store.wallets.bind_idempotency(*taken, context.clock())
    return _remembered(context, wanted)  # another request may have taken the key


def _remembered(context: VaultContext, wanted: _Wanted) -> ProjectPhrase | None:
    """The phrase that the request's idempotency key was used for, or None. Raises IdempotencyConflictError."""
    remembered = find_key(context, wanted.project_id, wanted.idempotency_key, wanted.request)
    if remembered is None:
        return None
    try:
        return shown(context, stored_phrase(context, wanted.project_id, remembered.credential_id))
    except PhraseNotFoundError:
        if wanted.imported is None:
            raise
        return None  # its row was lost: the words bring it back


def _lost_phrase(context: VaultContext, wanted: _Wanted) -> tuple[UUID | None, bool]:
    """The id of an imported phrase whose row is gone; and whether its idempotency key is there, which names it."""
    if wanted.imported is None or wanted.identifier is None:
        return None, False
    remembered = find_key(context, wanted.project_id, wanted.idempotency_key, wanted.request)
    if remembered is not None:
        return remembered.credential_id, True
    return lost_id(context, wanted.project_id, wanted.identifier, wanted.imported), False


def _require_no_other_label(context: VaultContext, wanted: _Wanted) -> None:
    """One phrase under two labels would give one index twice: what is imported must not be there."""
    there = (
        None if wanted.identifier is None else context.store.phrases.identified(wanted.project_id, wanted.identifier)
    )
    if there is not None:
        record = checked(context, there, wanted.project_id).record
        state = f"the label {record.label}" if record.status == ACTIVE else "a label that another phrase took since"
        raise PhraseConflictError(
            f"The project has this phrase under {state}: {record.phrase_id}.",
            hint="Two labels of one phrase would give the same keys twice: use the one that is there.",
        )


def _new_phrase(context: VaultContext, wanted: _Wanted, lost: UUID | None = None) -> StoredPhrase:
    """Make or take the phrase, seal it, and prove it: what is opened again has the identifier.

    ``lost``: the id of the phrase that it is, whose row is gone; else it gets a new one.
    """
    phrase = wanted.imported or Phrase.generate(wanted.words)
    now = context.clock()
    identifier = wanted.identifier or context.networks.identifier(phrase)
    record = PhraseRecord(
        wanted.project_id,
        lost or identifiers.new_id(now),
        wanted.label,
        wanted.words,
        phrase.passphrase is not None,
        identifier,
        ACTIVE,
        1,
    )
    sealed_text = seal_phrase(phrase, record, context.keyring.active_kid, context.keyring)
    new = StoredPhrase(record, _tag(context, record), sealed_text, now)
    prove_phrase_row(context, new)
    return new


def _key_of(context: VaultContext, wanted: _Wanted, phrase_id: UUID) -> tuple[IdempotencyRecord, Tag] | None:
    if wanted.idempotency_key is None:
        return None
    record = IdempotencyRecord(wanted.project_id, wanted.idempotency_key, wanted.request.as_json(), phrase_id)
    return tagged_key(context, record)
