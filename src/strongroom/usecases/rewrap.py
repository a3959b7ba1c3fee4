"""Move every row to the active sealing key, beside traffic."""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Sequence
from functools import partial
from uuid import UUID

from strongroom import sealing
from strongroom.errors import SealedTextCorruptError, StoreError, StrongroomError
from strongroom.identifiers import check_project_id
from strongroom.model import KeyMaterial, RewrapResult, StoredWallet
from strongroom.secret import Secret
from strongroom.usecases.foreign import resolved
from strongroom.usecases.parts import Parts
from strongroom.usecases.proof import identity_of, prove
from strongroom.usecases.unknown import asking, repeated


def rewrap(parts: Parts, project_id: UUID | str | None) -> Iterator[RewrapResult]:
    """Check the arguments now, work as results are taken; see Vault.rewrap."""
    return _rewrap(parts, None if project_id is None else check_project_id(project_id))


def count(parts: Parts, project_id: UUID | str | None) -> int:
    """How many rows there are to look at; see Vault.count_rewrap."""
    if project_id is not None:
        return parts.store.count(check_project_id(project_id))
    kids = parts.keyring.kids - {parts.keyring.active_kid}
    return sum(parts.store.count_sealed(kid) for kid in kids)


def _rewrap(parts: Parts, project_id: UUID | None) -> Iterator[RewrapResult]:
    parts.keyring.refresh()
    for page in parts.store.stream_sealed_otherwise(parts.keyring.active_kid, project_id):
        yield from _page(parts, [resolved(parts, stored) for stored in page])
    stored_keyring = parts.store.read_keyring()
    for kid, state in stored_keyring.states.items() if stored_keyring is not None else ():
        if state == "opening":
            repeated(partial(parts.store.retire_sealing_key, kid))  # the same twice


def _page(parts: Parts, page: Sequence[StoredWallet]) -> Iterator[RewrapResult]:
    pairs: list[tuple[StoredWallet, str]] = []
    for stored in page:
        try:
            pairs.append((stored, _sealed_anew(parts, stored)))
        except StoreError:  # of looking for a newer keyring: it says nothing about the wallet
            raise
        except StrongroomError as error:
            yield RewrapResult(stored.wallet.id, rewrapped=False, error=error)
    written = _write(parts, pairs) if pairs else frozenset()
    for stored, _ in pairs:
        yield RewrapResult(stored.wallet.id, rewrapped=stored.wallet.id in written)


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
    """Compare-and-set; where the outcome got lost, again, and then look at what the second one did not find."""
    written, unknown = repeated(lambda: parts.store.rewrap(pairs, parts.clock()))
    if unknown is None:
        return written
    with asking(unknown):
        return written | _there(parts, pairs, written)


def _there(parts: Parts, pairs: Sequence[tuple[StoredWallet, str]], written: frozenset[UUID]) -> frozenset[UUID]:
    """Which of the others hold their new text: the write whose outcome got lost put it there."""
    left = {stored.wallet.id: text for stored, text in pairs if stored.wallet.id not in written}
    found = {wallet_id: parts.store.get(wallet_id) for wallet_id in left}
    return frozenset(
        wallet_id for wallet_id, stored in found.items() if stored is not None and stored.sealed_text == left[wallet_id]
    )
