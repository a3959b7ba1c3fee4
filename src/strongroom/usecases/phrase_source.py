"""An opened phrase, and the account of it that a caller names by network, variant and path."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from strongroom.crypto.phrase import Phrase
from strongroom.errors import PhraseConflictError
from strongroom.ports.network import Network
from strongroom.records.phrases import ACTIVE, AccountRecord, PhraseReference, StoredPhrase
from strongroom.usecases.context import VaultContext
from strongroom.usecases.phrase_accounts import path_at, template_of
from strongroom.usecases.phrase_reading import prove_phrase_row, stored_phrase
from strongroom.usecases.requests import CreateRequest, ValidatedRequest, validate_request


@dataclass(frozen=True, slots=True)
class DeriveRequest:
    """What a caller asks for, as passed."""

    project_id: UUID | str
    network: str
    labels: Sequence[str]
    variant: str | None
    phrase: PhraseReference
    account: int | None = None
    path: str | None = None
    """A template with ``{index}`` in it, in the place of the network's own."""
    idempotency_key: str | None = None
    """Of a single wallet."""


@dataclass(frozen=True, slots=True)
class PhraseSource:
    """An opened phrase, and the account of it in which indices are taken."""

    stored: StoredPhrase
    phrase: Phrase
    account: AccountRecord
    """As it begins: no wallet has taken an index there yet."""
    network: Network
    scheme: str
    is_named: bool
    """Whether the caller named variant, account or path: who names none takes a label's wallet from any of them."""

    def path(self, index: int) -> str:
        """The path of an index in this account."""
        return path_at(self.account, index)


class PhraseChangedError(Exception):
    """The phrase is not what it was when it was opened, perhaps replaced: nothing was written."""


def check_phrase(opened: StoredPhrase, found: StoredPhrase | None) -> None:
    """Raise PhraseChangedError where a phrase was replaced, or changed, after it was opened."""
    if found is None or (found.record.version, found.record.status) != (opened.record.version, opened.record.status):
        raise PhraseChangedError


def validate_derive(context: VaultContext, request: DeriveRequest, label: str) -> ValidatedRequest:
    """The request for the wallet of one label, checked. Raises InvalidRequestError."""
    key = request.idempotency_key
    create = CreateRequest(request.project_id, request.network, label, request.variant, 0, key)
    facts = {"account": str(request.account), "path": str(request.path)}
    return validate_request(context, create, "create-derived", facts)


def open_source(
    context: VaultContext, request: DeriveRequest, checked: ValidatedRequest, *, allow_replaced: bool = False
) -> PhraseSource:
    """Open and prove the phrase, and find its account.

    Raises PhraseNotFoundError, PhraseConflictError where it was replaced, InvalidPathError, ProofError.
    """
    stored = stored_phrase(context, checked.project_id, request.phrase)
    if stored.record.status != ACTIVE and not allow_replaced:
        raise PhraseConflictError(
            f"The phrase {stored.record.phrase_id} was replaced: no wallet is derived from it any more.",
            hint="Use the phrase that took its label.",
        )
    network, scheme = checked.network, checked.scheme
    template = template_of(network, scheme, request.account, request.path)
    variant = checked.variant or network.variants[0]
    account = AccountRecord(stored.record.project_id, stored.record.phrase_id, network.name, variant, template, 0, 1)
    phrase = prove_phrase_row(context, stored)
    network.derive(phrase, scheme, path_at(account, 0))  # refuses a path that nothing is derived at
    is_named = any(each is not None for each in (request.variant, request.account, request.path))
    return PhraseSource(stored, phrase, account, network, scheme, is_named)
