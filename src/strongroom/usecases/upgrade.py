"""Give tags to what versions wrote that made none; afterwards a missing tag is a mismatch.

Online: applications of this version go on meanwhile, and those of an older one fail as a whole. Resumable: what has a
tag is not looked at again. A sealed text proves project, credential, network and address. Label, state and access level
are taken as they are found, and told; where the rows contradict each other, a person decides.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from uuid import UUID

from strongroom import bounded_json
from strongroom.crypto import sealing, tags
from strongroom.errors import IdentityMismatchError, StoreError, StrongroomError
from strongroom.records.register import (
    IdempotencyRecord,
    KeyringHead,
    NonceRecord,
    Registered,
    SlotRecord,
    TaggedRow,
    UntaggedNonce,
)
from strongroom.records.stored_wallets import StoredWallet
from strongroom.records.tag import Tag
from strongroom.records.usage_log import Attribution, Event
from strongroom.records.wallets import STATUS
from strongroom.usecases.accept import UpgradeResult, as_found, contradictions, identity_found, misplaced_key
from strongroom.usecases.accepted_key import require_own_key
from strongroom.usecases.addresses import account_of, with_actual_network
from strongroom.usecases.context import VaultContext
from strongroom.usecases.outcome import until_unchanged
from strongroom.usecases.proof import prove
from strongroom.usecases.register import checked
from strongroom.usecases.rotate import keyring_changed
from strongroom.usecases.tagging import next_head, proved_record, register, tag_key, tag_nonce, tag_slot


class Upgrade:
    """An upgrade of one vault's records."""

    def __init__(self, context: VaultContext, actor: Attribution, accept: Collection[UUID] = ()) -> None:
        self._context = context
        self._actor = actor
        self._accept = frozenset(accept)

    @property
    def finished(self) -> bool:
        """Whether every record carries a tag already."""
        return not self._context.keyring.accepts_untagged

    def count(self) -> int:
        """How many wallets there are to look at."""
        return self._context.store.register.count_unregistered()

    def run(self) -> Iterator[UpgradeResult]:
        """Tag wallets, then slots, idempotency keys and nonces; a result for each. Raises StoreError."""
        for page in self._context.store.register.stream_unregistered():
            yield from self._wallets(page)
        for rows in self._context.store.tags.stream_tagged_otherwise(self._context.keyring.active_kid):
            yield from self._rows([row for row in rows if row.tag is None])
        yield from self._nonces()

    def finish(self) -> None:
        """Say in the tagged head that every record carries a tag. Raises ConflictError, StoreError."""
        until_unchanged(lambda: self._finish_once() or None, keyring_changed())

    def _finish_once(self) -> bool:
        """Whether the head says it now; not where it changed meanwhile."""
        self._context.keyring.refresh()
        head = self._head()
        if head.tags_complete:
            return True
        complete = next_head(head, self._context.keyring, tags_complete=True)
        if not self._context.store.tags.finish_upgrade(complete, Event("upgrade", self._actor), self._context.clock()):
            return False
        self._context.keyring.refresh()
        return True

    def _head(self) -> KeyringHead:
        head = self._context.keyring.head
        assert head is not None  # noqa: S101 - the vault is open
        return head

    # --- wallets ------------------------------------------------------------------------------------------------

    def _wallets(self, page: list[StoredWallet]) -> Iterator[UpgradeResult]:
        records: list[Registered] = []
        results: list[UpgradeResult] = []
        for row in page:
            if not sealing.is_sealed(row.sealed_text or ""):
                continue  # nothing of ours: it stays what it is
            accepted, known = row.wallet.id in self._accept, "none"
            try:
                if accepted:
                    known = require_own_key(self._context, with_actual_network(self._context, row))
                registered = self._proved(row)
            except StoreError:
                raise
            except StrongroomError as error:
                yield UpgradeResult("wallet", row.wallet.id, tagged=False, error=error)
                continue
            undecided = contradictions(self._context, row, proved_only=accepted)
            if undecided:
                yield UpgradeResult("wallet", row.wallet.id, tagged=False, undecided=undecided)
                continue
            records.append(registered)
            found = as_found(self._context, row, registered, whole=accepted)
            found = (*identity_found(registered, known), *found) if accepted else found
            results.append(UpgradeResult("wallet", row.wallet.id, as_found=found))
        if records:
            self._context.store.register.register(records)
        yield from results

    def _proved(self, row: StoredWallet) -> Registered:
        stored = with_actual_network(self._context, row)
        material = prove(self._context, stored)
        half = self._context.networks.get(stored.wallet.network).public_half(material.private_key, material.scheme)
        found = proved_record(self._context, stored, material, half)
        if found.record.status == STATUS:
            return found
        return register(self._context, found.record._replace(version=found.record.version + 1))  # retired, by whom ever

    # --- slots, idempotency keys, nonces ------------------------------------------------------------------------

    def _rows(self, rows: list[TaggedRow]) -> Iterator[UpgradeResult]:
        changes: list[tuple[TaggedRow, Tag]] = []
        results = []
        for row in rows:
            undecided = self._misplaced(row)
            wallet_id = row.record.credential_id
            if undecided and wallet_id not in self._accept:
                yield UpgradeResult(row.kind, wallet_id, tagged=False, undecided=undecided)
                continue
            changes.append((row, self._tag(row)))
            results.append(UpgradeResult(row.kind, wallet_id))
        if changes:
            self._context.store.tags.retag(changes)
        yield from results

    def _tag(self, row: TaggedRow) -> Tag:
        if isinstance(row.record, SlotRecord):
            return tag_slot(self._context, row.record)
        return tag_key(self._context, row.record)  # type: ignore[arg-type]

    def _misplaced(self, row: TaggedRow) -> tuple[str, ...]:
        """In what a slot or key contradicts the wallet that it names."""
        record = row.record
        stored = self._context.store.wallets.get(record.credential_id)
        if stored is None:
            return ("credential_id",) if isinstance(record, SlotRecord) else ()
        try:
            wallet = checked(self._context, stored, unproved=True).wallet
        except IdentityMismatchError as error:
            return error.columns
        label = None if stored.registered is None else wallet.label
        if isinstance(record, IdempotencyRecord):
            return misplaced_key(record, wallet.project_id, wallet.network, label)
        assert isinstance(record, SlotRecord)  # noqa: S101 - nonces without a tag are in a table of their own
        there = {
            "project_id": (wallet.project_id, record.project_id),
            "network": (wallet.network, record.network),
            "label": (label, None if label is None else record.label),
        }
        return tuple(name for name, (one, other) in there.items() if one != other)

    def _nonces(self) -> Iterator[UpgradeResult]:
        """Page by page; what cannot be moved stays, before those that were not looked at yet."""
        stuck = 0
        while nonces := self._context.store.tags.untagged_nonces(stuck):
            for nonce in nonces:
                result = self._nonce(nonce)
                stuck += not result.tagged
                yield result

    def _nonce(self, old: UntaggedNonce) -> UpgradeResult:
        """Of two wallets with one key, the payload that pays more keeps the nonce."""
        assert old.registered is not None  # noqa: S101 - it was found by its wallet's record
        named, tag = old.registered
        fits = tags.fits("wallet", named.fields(), tag, self._context.keyring)
        if not fits or (named.project_id, named.credential_id) != (old.project_id, old.credential_id):
            return UpgradeResult("nonce", old.credential_id, tagged=False, undecided=("tag",))
        record = NonceRecord(
            old.project_id,
            old.chain_id,
            account_of(self._context, old.registered.record.network, old.registered.record.address),
            old.nonce,
            old.credential_id,
            old.digest,
            old.fee,
        )
        there = self._context.store.tags.find_nonce(record.project_id, record.chain_id, record.address, record.nonce)
        collides = there is not None and there[0].digest != record.digest
        stays = there is not None and _fee(there[0]) >= _fee(record)
        new = None if stays else (record, tag_nonce(self._context, record))
        facts = {"wallet": str(old.credential_id), "chain_id": old.chain_id, "nonce": old.nonce}
        event = Event("nonce-collision", self._actor, facts) if collides else None
        if not self._context.store.tags.move_nonce(old, new, event, self._context.clock()):
            return UpgradeResult("nonce", old.credential_id, tagged=False, undecided=("digest",))
        found = (f"nonce={old.nonce}", f"chain={old.chain_id}", "collision") if collides else ()
        return UpgradeResult("nonce", old.credential_id, as_found=found)


def set_accept_foreign(context: VaultContext, accepted: bool, actor: Attribution) -> bool:
    """Let the vault return wallets of legacy tables that nothing proves, or no more; whether that changed anything.

    Raises ConflictError, StoreError.
    """
    changed = try_set_accept_foreign(context, accepted, actor)
    if changed is None:
        raise keyring_changed()
    return changed


def try_set_accept_foreign(context: VaultContext, accepted: bool, actor: Attribution) -> bool | None:
    """The same; None where another process changed the keyring meanwhile."""
    context.keyring.refresh()
    head = context.keyring.head
    assert head is not None  # noqa: S101 - the vault is open
    if head.accept_foreign == accepted:
        return False
    event = Event("accept-foreign", actor, {"accept_foreign": str(accepted).lower()})
    changed = next_head(head, context.keyring, accept_foreign=accepted)
    if not context.store.keyring.change_head(changed, event, context.clock()):
        return None
    context.keyring.refresh()
    return True


def _fee(record: NonceRecord) -> tuple[int, ...]:
    """What a payload of an EVM chain pays, whose rows alone may be untagged; nothing where the row is damaged."""
    try:
        amounts = bounded_json.loads(record.fee)
    except ValueError:
        return ()
    return tuple(amounts) if isinstance(amounts, list) and all(type(each) is int for each in amounts) else ()
