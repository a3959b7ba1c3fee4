"""Phrases of a project as they are read: found, checked, proved, shown, revealed."""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from uuid import UUID

from strongroom.crypto import tags
from strongroom.crypto.phrase import Phrase
from strongroom.crypto.phrase_sealing import open_phrase
from strongroom.errors import (
    DerivationMismatchError,
    IdentityMismatchError,
    PhraseMismatchError,
    PhraseNotFoundError,
    StoreError,
    StoreRefusedError,
    StrongroomError,
)
from strongroom.records import identifiers
from strongroom.records.key_material import KeyMaterial
from strongroom.records.phrases import (
    FINGERPRINT_DIGITS,
    LARGEST_INDEX,
    AccountRecord,
    PhrasePage,
    PhraseRecord,
    PhraseReference,
    ProjectPhrase,
    RevealedPhrase,
    StoredPhrase,
    VerifiedPhrase,
)
from strongroom.records.register import Registration
from strongroom.records.usage_log import Attribution, Event, LogQuery
from strongroom.records.wallets import Wallet
from strongroom.usecases.context import VaultContext
from strongroom.usecases.read import check_limit, id_cursor
from strongroom.usecases.read_log import cursor_of

CHANGED_ROW = "Put its row back from a backup, or let a plan of `strongroom repair --plan plan.json` retire the phrase."
_MOST_OPENED = 64
_PAGE = 100
_MOST_PAGES = 100
"""Of the events that name a phrase, in which is looked how far its accounts were let go on."""
_INDEX = re.compile("[0-9]{1,10}")


def find_phrase(context: VaultContext, project_id: UUID | str, label: str) -> ProjectPhrase | None:
    """The usable phrase of a label, or None; see Vault.find_phrase."""
    project, name = identifiers.check_project_id(project_id), identifiers.check_label(label)
    stored = context.store.phrases.find(project, name)
    return None if stored is None else shown(context, checked(context, stored, project, label=name))


def get_phrase(context: VaultContext, project_id: UUID | str, phrase: PhraseReference) -> ProjectPhrase:
    """A phrase by its label or id; see Vault.get_phrase."""
    return shown(context, stored_phrase(context, project_id, phrase))


def stored_phrase(context: VaultContext, project_id: UUID | str, phrase: PhraseReference) -> StoredPhrase:
    """The phrase that a caller names by its label, its id or itself, checked. Raises PhraseNotFoundError."""
    project = identifiers.check_project_id(project_id)
    if isinstance(phrase, ProjectPhrase):
        if phrase.project_id != project:
            raise PhraseNotFoundError(f"The phrase {phrase.id} is not one of this project.")
        phrase = phrase.id
    if isinstance(phrase, UUID):
        found = context.store.phrases.get(project, phrase)
        if found is None:
            raise PhraseNotFoundError(f"The project has no phrase {phrase}.")
        return checked(context, found, project, phrase_id=phrase)
    label = identifiers.check_label(phrase)
    found = context.store.phrases.find(project, label)
    if found is None:
        raise PhraseNotFoundError("The project has no phrase of this label.")
    return checked(context, found, project, label=label)


def list_phrases(context: VaultContext, project_id: UUID | str, limit: int, after: str | None) -> PhrasePage:
    """A page of a project's phrases; see Vault.list_phrases."""
    project = identifiers.check_project_id(project_id)
    check_limit(limit)
    found = context.store.phrases.page(project, id_cursor(after), limit + 1)
    page = tuple(shown(context, checked(context, each, project)) for each in found[:limit])
    return PhrasePage(page, str(page[-1].id) if len(found) > limit else None)


def reveal_phrase(
    context: VaultContext, project_id: UUID | str, phrase: PhraseReference, actor: Attribution
) -> RevealedPhrase:
    """Prove, commit the event, and only then return the words; see Vault.reveal_phrase."""
    stored = stored_phrase(context, project_id, phrase)
    opened = prove_phrase_row(context, stored)
    context.store.log.write_event(phrase_event("phrase-export", stored.record, actor), context.clock())
    return RevealedPhrase(opened.mnemonic, opened.passphrase)


def verify_phrases(context: VaultContext, project_id: UUID | str) -> Iterator[VerifiedPhrase]:
    """Prove every phrase of a project; see Vault.verify_phrases."""
    project = identifiers.check_project_id(project_id)
    after: UUID | None = None
    while True:
        page = context.store.phrases.page(project, after, _PAGE)
        for stored in page:
            yield _verified(context, stored, project)
        if len(page) < _PAGE:
            return
        after = next_page(after, page)


def next_page(after: UUID | None, page: Sequence[StoredPhrase]) -> UUID:
    """Where the next page of phrases begins. Raises StoreRefusedError where no page would ever be the last."""
    last = page[-1].record.phrase_id
    if after is not None and last <= after:
        raise StoreRefusedError("The rows of strongroom_phrase cannot be read in the order of their ids.")
    return last


def checked(
    context: VaultContext,
    stored: StoredPhrase,
    project_id: UUID,
    *,
    label: str | None = None,
    phrase_id: UUID | None = None,
) -> StoredPhrase:
    """A phrase whose tag fits and that is the one that was asked for. Raises IdentityMismatchError."""
    record = stored.record
    if not tags.fits_record("phrase", record, stored.tag, context.keyring):
        raise IdentityMismatchError(
            f"The row of the phrase {record.phrase_id} was changed.",
            hint=CHANGED_ROW,
            columns=("tag",),
        )
    asked: dict[str, object] = {"project_id": project_id, "label": label, "phrase_id": phrase_id}
    columns = tuple(name for name, want in asked.items() if want not in (None, getattr(record, name)))
    if columns:
        raise IdentityMismatchError(
            f"The phrase {record.phrase_id} is not the one that was asked for: {', '.join(columns)}.", columns=columns
        )
    return stored


def prove_phrase_row(context: VaultContext, stored: StoredPhrase) -> Phrase:
    """Open a phrase, and prove that it is the one of its row; about a millisecond.

    Raises UnknownSealingKeyError, SealedTextCorruptError, IdentityMismatchError, DerivationMismatchError.
    """
    record = stored.record
    opened = open_phrase(stored.sealed_text, record, context.keyring)
    if context.networks.identifier(opened) != record.identifier:
        raise DerivationMismatchError(
            f"The phrase {record.phrase_id} does not derive its identifier.",
            hint="Its row or its text is damaged: put both back from one backup.",
        )
    return opened


def advanced_to(context: VaultContext, phrase_id: UUID) -> dict[tuple[str, str], int] | None:
    """The indices that somebody let accounts of a phrase go on from, by network and template, as the events say.

    None where more events name the phrase than are read: an index of those that were not may be higher. Raises
    StoreError.
    """
    query = LogQuery(limit=_PAGE, action="phrase-advance", phrase_id=phrase_id)
    furthest: dict[tuple[str, str], int] = {}
    for _ in range(_MOST_PAGES):
        page = context.store.log.list_log(query)
        for details in (record.details for record in page.records):
            index, place = str(details.get("to")), (str(details.get("network")), str(details.get("template")))
            said = details.get("phrase_id") == str(phrase_id) and _INDEX.fullmatch(index) is not None
            if said and int(index) <= LARGEST_INDEX:  # no verb lets an account go on further
                furthest[place] = max(int(index), furthest.get(place, 0))
        if page.next is None:
            return furthest
        query = replace(query, before=cursor_of(page.next))
    return None


def derived(context: VaultContext, phrase: Phrase, record: Registration) -> KeyMaterial | None:
    """The key of a wallet's record, as it is sealed, made again from a phrase; None where the phrase has another."""
    try:
        network = context.networks.get(record.network)
        found = network.derive(phrase, record.scheme or network.scheme(None), record.path)
        half = network.public_half(found.private_key, found.scheme)
    except StrongroomError:
        return None
    if (half.public_key, half.address) != (record.public_key, record.address):
        return None
    found = replace(found, mnemonic=None, passphrase=None)
    return replace(found, phrase_id=record.phrase_id, phrase_index=record.phrase_index)


class OpenedPhrases:
    """Phrases of projects that are opened while many of their wallets are proved: each one's seed is computed once."""

    def __init__(self, context: VaultContext) -> None:
        self._context = context
        self._opened: dict[tuple[UUID, UUID], Phrase] = {}

    def prove(self, wallet: Wallet, material: KeyMaterial) -> None:
        """Derive a wallet's key from the project's phrase and compare; does nothing where it was not derived from one.

        Raises PhraseNotFoundError, PhraseMismatchError, ProofError.
        """
        phrase_id = wallet.phrase_id or material.phrase_id
        if phrase_id is None:
            return
        phrase = self._phrase(wallet.project_id, phrase_id)
        derived = self._context.networks.get(wallet.network).derive(phrase, material.scheme, material.path)
        if not hmac.compare_digest(derived.private_key.reveal(), material.private_key.reveal()):
            raise PhraseMismatchError(
                f"The phrase {phrase_id} does not derive the key of {wallet.id}.",
                hint="The key opens and matches the address: keep it, and do not rely on the phrase to restore it.",
            )

    def derive(self, record: Registration) -> KeyMaterial | None:
        """The key of a wallet's record, made again from the project's phrase that it names; None where none has it.

        Raises StoreError.
        """
        if record.phrase_id is None or record.scheme is None:
            return None
        try:
            phrase = self._phrase(record.project_id, record.phrase_id)
        except StoreError:
            raise
        except StrongroomError:
            return None
        return derived(self._context, phrase, record)

    def _phrase(self, project_id: UUID, phrase_id: UUID) -> Phrase:
        key = project_id, phrase_id
        if key not in self._opened:
            if len(self._opened) >= _MOST_OPENED:
                self._opened.clear()
            self._opened[key] = prove_phrase_row(self._context, stored_phrase(self._context, project_id, phrase_id))
        return self._opened[key]


def shown(context: VaultContext, stored: StoredPhrase) -> ProjectPhrase:
    """The public facts of a phrase that was checked."""
    record = stored.record
    return ProjectPhrase(
        id=record.phrase_id,
        project_id=record.project_id,
        label=record.label,
        words=record.words,
        has_passphrase=record.has_passphrase,
        fingerprint=record.identifier[:FINGERPRINT_DIGITS],
        status=record.status,
        created_at=stored.created_at,
        durable=context.store.durable,
    )


def _verified(context: VaultContext, stored: StoredPhrase, project_id: UUID) -> VerifiedPhrase:
    try:
        prove_phrase_row(context, checked(context, stored, project_id))
    except StrongroomError as error:
        return VerifiedPhrase(stored.record.phrase_id, error)
    return VerifiedPhrase(stored.record.phrase_id)


def phrase_event(event: str, record: PhraseRecord | AccountRecord, actor: Attribution, **details: str) -> Event:
    """What is written down of a phrase, or of an account of it, which have no usage log."""
    said = {"project_id": str(record.project_id), "phrase_id": str(record.phrase_id)}
    said |= {"label": record.label} if isinstance(record, PhraseRecord) else {"network": record.network}
    return Event(event, actor, {**said, **details})
