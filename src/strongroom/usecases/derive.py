"""Wallets of a project's phrase: each takes the next index of its account.

Indices of committed wallets are without gaps and without repetition. The account's row lock lets one transaction take
indices at a time, and its next index is written with the wallets that took them; a transaction that does not commit
took none. The register's unique index lets no two wallets have one path of a phrase, whatever the account's row says.
The phrase is opened before the lock; keys are derived and sealed under it, since only then it is known which they are:
the one exception to "key work before the first statement", in batches of at most a thousand.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

from strongroom.errors import (
    ConnectionNotSupportedError,
    ContentionError,
    InvalidPathError,
    RetryTransactionError,
    StrongroomError,
)
from strongroom.ports.phrase_store import BatchSlot, DerivedWallets, PhraseBatch
from strongroom.records import identifiers
from strongroom.records.phrases import LARGEST_INDEX, AccountRecord, PhraseAccount, TaggedAccount
from strongroom.records.register import IdempotencyRecord, SlotRecord
from strongroom.records.stored_wallets import NewWallet
from strongroom.records.tag import Tag
from strongroom.records.usage_log import Attribution, Event, LogEntry
from strongroom.records.wallets import Created, Wallet
from strongroom.usecases.context import VaultContext
from strongroom.usecases.create import Chosen, is_wanted, seal_new
from strongroom.usecases.derived_answers import DerivedAnswers
from strongroom.usecases.outcome import ATTEMPTS, resolve
from strongroom.usecases.phrase_accounts import (
    check_account,
    check_held,
    check_taken,
    key_of,
    read_branches,
    shown_account,
    tagged,
)
from strongroom.usecases.phrase_labels import checked_labels
from strongroom.usecases.phrase_reading import phrase_event
from strongroom.usecases.phrase_source import (
    DeriveRequest,
    PhraseChangedError,
    PhraseSource,
    check_phrase,
    open_source,
    validate_derive,
)
from strongroom.usecases.requests import ValidatedRequest
from strongroom.usecases.tagging import tag_slot, tagged_key

LARGEST_BATCH = 1_000
"""Wallets of one transaction: the phrase's other callers wait for it."""
_CONTENDED = "The slots were taken and given back several times in a row."


def create_derived(context: VaultContext, request: DeriveRequest, actor: Attribution) -> list[Created]:
    """The wallet of each label, made where it is missing; in the order of the labels. See Vault.create_many.

    Every wallet that is there is looked at first, so that one that is another's is refused before anything is written.
    Batches that were committed stay where a later one fails; the same call again goes on. The phrase is opened for each
    batch: one that is replaced meanwhile derives no more. Where nothing was written by then, the call begins anew.
    """
    wanted = [validate_derive(context, request, label) for label in checked_labels(request.labels)]
    if not wanted:
        return []
    made: list[_Batch] = []
    with _told_what_stays(context, made):
        for _ in range(ATTEMPTS):
            try:
                return _create(context, request, wanted, actor, made)
            except PhraseChangedError:
                if any(batch.written for batch in made):
                    request = replace(request, phrase=made[-1].phrase_id)
    raise ContentionError("The phrase changed several times in a row; nothing was written.")


def _create(
    context: VaultContext,
    request: DeriveRequest,
    wanted: Sequence[ValidatedRequest],
    actor: Attribution,
    batches: list[_Batch],
) -> list[Created]:
    """``create_derived``, whose batches are added to ``batches``. Raises PhraseChangedError."""
    by_label = isinstance(request.phrase, str)
    source = _open(context, request, wanted[0])
    request = replace(request, phrase=source.account.phrase_id)  # where it is replaced meanwhile, no other one
    answers = DerivedAnswers(context, source, by_label=by_label)
    there = answers.all_there(wanted, LARGEST_BATCH) if len(wanted) > 1 else {}
    done = {label: Created(wallet, created=False) for label, wallet in there.items()}
    missing = [each for each in wanted if each.label not in there]
    for start in range(0, len(missing), LARGEST_BATCH):
        if len(wanted) > LARGEST_BATCH:
            source = _open(context, request, wanted[0])
        part = missing[start : start + LARGEST_BATCH]
        batches.append(_Batch(context, source, part, actor, by_label=by_label))
        done |= zip((each.label for each in part), batches[-1].create(), strict=True)
    return [done[each.label] for each in wanted]


def _open(context: VaultContext, request: DeriveRequest, first: ValidatedRequest) -> PhraseSource:
    return context.store.run_key_work(partial(open_source, context, request, first))


@contextmanager
def _told_what_stays(context: VaultContext, batches: Sequence[_Batch]) -> Iterator[None]:
    """Let an error say what the same call made before it, where that is committed."""
    try:
        yield
    except StrongroomError as error:
        made = sum(batch.written for batch in batches)
        if made and context.store.durable:
            error.hint = f"{error.hint} This call made {made:,} of the wallets before; they stay."
        raise


class IndexMovedError(Exception):
    """The account's next index is another than a caller expected: nothing was written."""


def create_at(
    context: VaultContext, request: DeriveRequest, source: PhraseSource, indices: Sequence[int], actor: Attribution
) -> list[Created]:
    """A wallet for each label, at the index that belongs to it: those that this call made.

    At most LARGEST_BATCH of them. Raises IndexMovedError where another caller was first, PhraseChangedError.
    """
    wanted = [validate_derive(context, request, label) for label in request.labels]
    return [each for each in _Batch(context, source, wanted, actor, indices).create() if each.created]


class _Batch:
    """Wallets of one phrase that are written together."""

    def __init__(
        self,
        context: VaultContext,
        source: PhraseSource,
        wanted: Sequence[ValidatedRequest],
        actor: Attribution,
        indices: Sequence[int] | None = None,
        *,
        by_label: bool = False,
    ) -> None:
        """``indices``: those that the wallets have to take, where it matters.

        ``by_label``: a wallet that is there may be of a phrase that had this one's label before it was replaced.
        """
        self._context = context
        self._source = source
        self._indices = indices
        self._answers = DerivedAnswers(context, source, by_label=by_label)
        self._wanted = {each.label: each for each in wanted}
        self._log = LogEntry("create", actor, {"phrase": str(source.account.phrase_id)})
        self._ids = {label: identifiers.new_id(context.clock()) for label in self._wanted}
        self._now = context.clock()
        self._made: dict[str, Wallet] = {}
        self.phrase_id = source.account.phrase_id
        self.written = 0
        """How many were committed so far."""

    def create(self) -> list[Created]:
        """The wallet of each label, in the order that was asked for."""
        try:
            return resolve(self._write, self._look, contended=_CONTENDED)
        except ContentionError as error:
            if self._context.store.durable:
                raise
            raise RetryTransactionError("The caller's transaction does not see the wallets that it meets.") from error

    def _look(self, _lost: bool) -> list[Created] | None:
        """Every wallet, where all of them are there."""
        if not self._keyed and len(self._answers.there(list(self._wanted))) < len(self._wanted):
            return None
        found = {label: self._answers.find(validated) for label, validated in self._wanted.items()}
        wallets = [each for each in found.values() if each is not None]
        if len(wallets) < len(found):
            return None
        return [Created(each, created=each.id == self._ids[each.label]) for each in wallets]

    @property
    def _keyed(self) -> bool:
        """Whether an idempotency key may answer, whatever label it was used for."""
        return any(validated.idempotency_key is not None for validated in self._wanted.values())

    def _write(self, _lost: bool) -> list[Created] | None:
        context, account = self._context, self._source.account
        self._made = {}
        there = self._answers.there(list(self._wanted))
        for label in there:
            self._answers.find(self._wanted[label])  # another's: before anything is written
        missing = [label for label in self._wanted if label not in there]
        batch = PhraseBatch(
            first=tagged(context, account),
            places=[BatchSlot(label, self._ids[label], tag_slot(context, self._slot(label))) for label in missing],
            key=self._key(),
            kid=context.keyring.active_kid,
            now=self._now,
            path=self._source.path,
            check_taken=partial(check_taken, context),
            check_phrase=partial(check_phrase, self._source.stored),
            check_held=partial(check_held, context),
            make=self._make,
            belongs=lambda label: partial(is_wanted, context, self._wanted[label]),
            adopt=lambda label: partial(self._answers.adopts, self._wanted[label]),
        )
        taken = context.store.phrases.derive(batch)
        self.written += len(taken)
        if len(taken) == len(self._wanted):
            made = [self._made[label] for label in self._wanted]
            shown = made if context.store.durable else [replace(wallet, durable=False) for wallet in made]
            return [Created(wallet, created=True) for wallet in shown]
        if not taken and not context.store.keyring.seals_with(batch.kid):
            self._follow_rotation()
        return None

    def _key(self) -> tuple[IdempotencyRecord, Tag] | None:
        """The idempotency key of a single wallet."""
        for validated in self._wanted.values():
            if validated.idempotency_key is not None:
                return tagged_key(self._context, validated.remembered_as(self._ids[validated.label]))
        return None

    def _follow_rotation(self) -> None:
        context = self._context
        context.store.run_key_work(context.keyring.refresh)
        if context.store.keyring.seals_with(context.keyring.active_kid):
            return
        if not context.store.durable:
            raise RetryTransactionError("The sealing key was rotated after the caller's transaction took its snapshot.")
        raise ConnectionNotSupportedError("This database has another keyring; nothing was written.")

    def _slot(self, label: str) -> SlotRecord:
        account = self._source.account
        return SlotRecord(account.project_id, account.network, label, self._ids[label], 1)

    def _make(self, account: TaggedAccount, indices: Sequence[int], places: Sequence[BatchSlot]) -> DerivedWallets:
        """Derive and seal a wallet for each place, at an index each; the account afterwards."""
        context, record = self._context, account.record
        check_account(context, account)
        if self._indices is not None and list(indices) != list(self._indices):
            raise IndexMovedError
        wallets = [self._wallet(place, index) for place, index in zip(places, indices, strict=True)]
        self._made = {new.wallet.label: new.wallet for new in wallets}
        after = record._replace(next_index=indices[-1] + 1, version=record.version + 1)
        return DerivedWallets(wallets, tagged(context, after))

    def _wallet(self, place: BatchSlot, index: int) -> NewWallet:
        source = self._source
        material = key_of(source.network, source.phrase, source.scheme, source.account, index)
        half = source.network.public_half(material.private_key, material.scheme)
        chosen = Chosen(place.wallet_id, place.slot_tag, self._now)
        return seal_new(self._context, self._wanted[place.label], material, half, self._log, chosen)


def advance_phrase(context: VaultContext, request: DeriveRequest, to: int, actor: Attribution) -> PhraseAccount:
    """Skip the indices below ``to``, which an older backup may not know of; see Vault.advance_phrase."""
    if type(to) is not int or not 0 <= to <= LARGEST_INDEX:
        raise InvalidPathError("An index is a whole number from 0 to 2,147,483,647.", hint="Nothing was skipped.")
    checked = validate_derive(context, request, "default")
    source = context.store.run_key_work(partial(open_source, context, request, checked))
    source.network.derive(source.phrase, source.scheme, source.path(to))  # refuses an index that no path has
    first = source.account

    def look(_lost: bool) -> AccountRecord | None:
        found = context.store.phrases.account(first)
        if found is not None:
            check_account(context, found)
        before = first if found is None else found.record
        return before if before.next_index >= to else None

    def step(account: TaggedAccount) -> tuple[TaggedAccount, Event] | None:
        check_account(context, account)
        before = account.record
        if before.next_index >= to:
            return None
        after = before._replace(next_index=to, version=before.version + 1)
        skipped = {"template": after.template, "from": str(before.next_index), "to": str(to)}
        return tagged(context, after), phrase_event("phrase-advance", after, actor, **skipped)

    def write(lost: bool) -> AccountRecord | None:
        kid = context.keyring.active_kid
        if context.store.phrases.advance(tagged(context, first), kid, step, context.clock()):
            return look(lost)
        context.store.run_key_work(context.keyring.refresh)  # another process rotated the sealing key
        return None

    branches = read_branches(context, first.project_id, first.phrase_id)
    after = resolve(write, look, contended="The account changed several times in a row.")
    return shown_account(after, branches)
