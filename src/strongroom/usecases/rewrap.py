"""Move every row to the active sealing key, beside traffic."""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Sequence
from uuid import UUID

from strongroom import sealing, tags
from strongroom.errors import IdentityMismatchError, SealedTextCorruptError, StoreError, StrongroomError
from strongroom.identifiers import check_project_id
from strongroom.model import Actor, Event, KeyMaterial, RewrapResult, StoredWallet
from strongroom.register import TaggedHead, TaggedRow
from strongroom.secret import Secret
from strongroom.tags import Tag
from strongroom.usecases.outcome import retry_until_known
from strongroom.usecases.parts import Parts
from strongroom.usecases.proof import identity_of, prove
from strongroom.usecases.register import checked
from strongroom.usecases.tagging import next_head


def rewrap(parts: Parts, project_id: UUID | str | None) -> Iterator[RewrapResult]:
    """Check the arguments now, work as results are taken; see Vault.rewrap."""
    return _rewrap(parts, None if project_id is None else check_project_id(project_id))


def count(parts: Parts, project_id: UUID | str | None) -> int:
    """How many rows there are to look at; see Vault.count_pending_rewraps."""
    if project_id is not None:
        return parts.store.wallets.count(check_project_id(project_id))
    kids = parts.keyring.kids - {parts.keyring.active_kid}
    return sum(parts.store.keyring.count_sealed(kid) for kid in kids)


def _rewrap(parts: Parts, project_id: UUID | None) -> Iterator[RewrapResult]:
    parts.keyring.refresh()
    # Tags first: a record that was written late, under a key that was retired by then, counts again.
    for rows in parts.store.tags.stream_tagged_otherwise(parts.keyring.active_kid):
        yield from _retag(parts, rows, project_id)
    for page in parts.store.keyring.iter_not_sealed_by(parts.keyring.active_kid, project_id):
        yield from _page(parts, page)
    if project_id is None:
        _retire(parts)


def _page(parts: Parts, page: Sequence[StoredWallet]) -> Iterator[RewrapResult]:
    pairs: list[tuple[StoredWallet, str]] = []
    for row in page:
        try:
            stored = checked(parts, row, unproved=True)
            pairs.append((stored, _sealed_anew(parts, stored)))
        except StoreError:  # of looking for a newer keyring: it says nothing about the wallet
            raise
        except StrongroomError as error:
            yield RewrapResult(row.wallet.id, rewrapped=False, error=error)
    written = _write(parts, pairs) if pairs else frozenset()
    for stored, _ in pairs:
        yield RewrapResult(stored.wallet.id, rewrapped=stored.wallet.id in written)


def _retag(parts: Parts, page: Sequence[TaggedRow], project_id: UUID | None) -> Iterator[RewrapResult]:
    """Tags that fit, made anew under the active key; what carries none, or another's, stays and is told."""
    changes: list[tuple[TaggedRow, Tag]] = []
    for row in page:
        wallet_id = row.record.credential_id
        if project_id not in (None, row.record.project_id) or (row.tag is None and parts.keyring.accepts_untagged):
            continue
        if row.tag is not None and _fits(parts, row, row.tag):
            if row.tag.kid != parts.keyring.active_kid:
                changes.append((row, tags.make(row.kind, row.record.fields(), parts.keyring)))
            continue
        error = IdentityMismatchError(f"A {row.kind} record of {wallet_id} was changed.", columns=("tag",))
        yield RewrapResult(wallet_id, rewrapped=False, error=error)
    if changes:
        # The same twice: it is compared with what was read.
        retry_until_known(lambda _lost: parts.store.tags.retag(changes))


def _fits(parts: Parts, row: TaggedRow, tag: Tag) -> bool:
    """Whether a tag fits: one of a key that another process made meanwhile, or one of a key that is retired, too."""
    fields = row.record.fields()
    if tags.fits(row.kind, fields, tag, parts.keyring):  # which looks for a key that it does not know
        return True
    return tags.fits(row.kind, fields, tag, parts.keyring.counting_retired())


def _retire(parts: Parts) -> None:
    """Retire every sealing key that only opens and that no sealed text and no tag names any more."""
    parts.keyring.refresh()
    head = parts.keyring.head
    for kid in () if head is None else [kid for kid, state in head.states.items() if state == "opening"]:
        assert head is not None  # noqa: S101 - there are states
        retired = next_head(head, parts.keyring, states={**head.states, kid: "retired"})
        event = Event("retire", Actor(), {"kid": kid})
        if _retire_key(parts, kid, retired, event):
            head = retired.record
    parts.keyring.refresh()


def _retire_key(parts: Parts, kid: str, head: TaggedHead, event: Event) -> bool:
    return retry_until_known(lambda _lost: parts.store.keyring.retire_sealing_key(kid, head, event, parts.clock()))


def _sealed_anew(parts: Parts, stored: StoredWallet) -> str:
    """Open and prove the old text, seal under the active key, open the new one: it holds what was proved."""
    material, identity = prove(parts, stored), identity_of(stored.wallet)
    text = sealing.seal(material, identity, parts.keyring.active_kid, parts.keyring)
    if not _equal(sealing.open_sealed(text, identity, parts.keyring), material):
        raise SealedTextCorruptError(f"What was sealed anew for {stored.wallet.id} is not what was opened.")
    return text


def _equal(one: KeyMaterial, other: KeyMaterial) -> bool:
    """Whether two payloads are the same. A key that was proved need not be derived from again."""
    if (one.scheme, one.path) != (other.scheme, other.path):
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


def _write(parts: Parts, pairs: Sequence[tuple[StoredWallet, str]]) -> frozenset[UUID]:
    """Compare-and-set; where the outcome was lost, again, and then look at what the second one did not find."""

    def write(lost: bool) -> frozenset[UUID]:
        written = parts.store.keyring.rewrap(pairs, parts.clock())
        return written | _there(parts, pairs, written) if lost else written

    return retry_until_known(write)


def _there(parts: Parts, pairs: Sequence[tuple[StoredWallet, str]], written: frozenset[UUID]) -> frozenset[UUID]:
    """Which of the others hold their new text: the write whose outcome was lost put it there."""
    left = {stored.wallet.id: text for stored, text in pairs if stored.wallet.id not in written}
    found = {wallet_id: parts.store.wallets.get(wallet_id) for wallet_id in left}
    return frozenset(
        wallet_id for wallet_id, stored in found.items() if stored is not None and stored.sealed_text == left[wallet_id]
    )
