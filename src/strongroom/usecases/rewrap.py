"""Move every row to the active sealing key, alongside traffic."""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Sequence
from uuid import UUID

from strongroom.crypto import sealing, tags
from strongroom.errors import IdentityMismatchError, SealedTextCorruptError, StoreError, StrongroomError
from strongroom.records.identifiers import check_project_id
from strongroom.records.key_material import KeyMaterial
from strongroom.records.register import TaggedHead, TaggedRow
from strongroom.records.results import RewrapResult
from strongroom.records.stored_wallets import StoredWallet
from strongroom.records.tag import Tag
from strongroom.records.usage_log import Attribution, Event
from strongroom.secret import Secret
from strongroom.usecases.context import VaultContext
from strongroom.usecases.outcome import retry_until_known
from strongroom.usecases.phrase_rewrap import rewrap_phrases
from strongroom.usecases.proof import identity_of, prove
from strongroom.usecases.register import checked
from strongroom.usecases.tagging import next_head


def rewrap(context: VaultContext, project_id: UUID | str | None) -> Iterator[RewrapResult]:
    """Check the arguments now, work as results are taken; see Vault.rewrap."""
    return _rewrap(context, None if project_id is None else check_project_id(project_id))


def count(context: VaultContext, project_id: UUID | str | None) -> int:
    """How many rows there are to look at; see Vault.count_pending_rewraps."""
    if project_id is not None:
        return context.store.wallets.count(check_project_id(project_id))
    kids = context.keyring.kids - {context.keyring.active_kid}
    return sum(context.store.keyring.count_sealed(kid) + context.store.phrases.count_sealed(kid) for kid in kids)


def _rewrap(context: VaultContext, project_id: UUID | None) -> Iterator[RewrapResult]:
    context.keyring.refresh()
    # Tags first: a record that was written late, under a key that was retired by then, counts again.
    for rows in context.store.tags.stream_tagged_otherwise(context.keyring.active_kid, project_id):
        yield from _retag(context, rows)
    yield from rewrap_phrases(context, project_id)
    for page in context.store.keyring.iter_not_sealed_by(context.keyring.active_kid, project_id):
        yield from _page(context, page)
    if project_id is None:  # whether any project's text or tag names a sealing key is asked of all of them
        _retire(context)


def _page(context: VaultContext, page: Sequence[StoredWallet]) -> Iterator[RewrapResult]:
    pairs: list[tuple[StoredWallet, str]] = []
    for row in page:
        try:
            stored = checked(context, row, unproved=True)
            pairs.append((stored, _sealed_anew(context, stored)))
        except StoreError:  # of looking for a newer keyring: it says nothing about the wallet
            raise
        except StrongroomError as error:
            yield RewrapResult(row.wallet.id, rewrapped=False, error=error)
    written = _write(context, pairs) if pairs else frozenset()
    for stored, _ in pairs:
        yield RewrapResult(stored.wallet.id, rewrapped=stored.wallet.id in written)


def _retag(context: VaultContext, page: Sequence[TaggedRow]) -> Iterator[RewrapResult]:
    """Tags that fit, made anew under the active key; what carries none, or another's, stays and is told."""
    changes: list[tuple[TaggedRow, Tag]] = []
    for row in page:
        wallet_id = row.record.credential_id
        if row.tag is None and context.keyring.accepts_untagged:
            continue
        if row.tag is not None and _fits(context, row, row.tag):
            if row.tag.kid != context.keyring.active_kid:
                changes.append((row, tags.make(row.kind, row.record.fields(), context.keyring)))
            continue
        error = IdentityMismatchError(f"A {row.kind} record of {wallet_id} was changed.", columns=("tag",))
        yield RewrapResult(wallet_id, rewrapped=False, error=error)
    if changes:
        # The same twice: it is compared with what was read.
        retry_until_known(lambda _lost: context.store.tags.retag(changes))


def _fits(context: VaultContext, row: TaggedRow, tag: Tag) -> bool:
    """Whether a tag fits: one of a key that another process made meanwhile, or one of a key that is retired, too."""
    fields = row.record.fields()
    if tags.fits(row.kind, fields, tag, context.keyring):  # which looks for a key that it does not know
        return True
    return tags.fits(row.kind, fields, tag, context.keyring.counting_retired())


def _retire(context: VaultContext) -> None:
    """Retire every sealing key that only opens and that no sealed text and no tag names any more."""
    context.keyring.refresh()
    head = context.keyring.head
    for kid in () if head is None else [kid for kid, state in head.states.items() if state == "opening"]:
        assert head is not None  # noqa: S101 - there are states
        retired = next_head(head, context.keyring, states={**head.states, kid: "retired"})
        event = Event("retire", Attribution(), {"kid": kid})
        if _retire_key(context, kid, retired, event):
            head = retired.record
    context.keyring.refresh()


def _retire_key(context: VaultContext, kid: str, head: TaggedHead, event: Event) -> bool:
    return retry_until_known(lambda _lost: context.store.keyring.retire_sealing_key(kid, head, event, context.clock()))


def _sealed_anew(context: VaultContext, stored: StoredWallet) -> str:
    """Open and prove the old text, seal under the active key, open the new one: it holds what was proved."""
    material, identity = prove(context, stored), identity_of(stored.wallet)
    text = sealing.seal(material, identity, context.keyring.active_kid, context.keyring)
    if not _equal(sealing.open_sealed(text, identity, context.keyring), material):
        raise SealedTextCorruptError(f"What was sealed anew for {stored.wallet.id} is not what was opened.")
    return text


def _equal(one: KeyMaterial, other: KeyMaterial) -> bool:
    """Whether two payloads are the same. A key that was proved need not be derived from again."""
    said = [(each.scheme, each.path, each.phrase_id, each.phrase_index, each.phrase_place) for each in (one, other)]
    if said[0] != said[1]:
        return False
    pairs = (
        (one.private_key, other.private_key),
        (one.mnemonic, other.mnemonic),
        (one.passphrase, other.passphrase),
    )
    return all(_same(ours, theirs) for ours, theirs in pairs)


def _same(one: Secret | None, other: Secret | None) -> bool:
    if one is None or other is None:
        return one is other
    return hmac.compare_digest(one.reveal(), other.reveal())


def _write(context: VaultContext, pairs: Sequence[tuple[StoredWallet, str]]) -> frozenset[UUID]:
    """Compare-and-set; where the outcome was lost, again, and then look at what the second one did not find."""

    def write(lost: bool) -> frozenset[UUID]:
        written = context.store.keyring.rewrap(pairs, context.clock())
        return written | _there(context, pairs, written) if lost else written

    return retry_until_known(write)


def _there(
    context: VaultContext, pairs: Sequence[tuple[StoredWallet, str]], written: frozenset[UUID]
) -> frozenset[UUID]:
    """Which of the others hold their new text: the write whose outcome was lost put it there."""
    left = [(stored.wallet, text) for stored, text in pairs if stored.wallet.id not in written]
    found = ((wallet.id, text, context.store.wallets.get(wallet.id, wallet.project_id)) for wallet, text in left)
    return frozenset(
        wallet_id for wallet_id, text, stored in found if stored is not None and stored.sealed_text == text
    )
