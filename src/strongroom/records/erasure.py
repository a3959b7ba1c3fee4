"""What an erasure of a project's personal data leaves in the place of what it takes, and what it returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from strongroom.errors import StrongroomError
from strongroom.records.identifiers import RESERVED
from strongroom.records.register import IdempotencyRecord, Registered, SlotRecord, TaggedSlot
from strongroom.records.tag import Tag

ERASED_KEY = f"{RESERVED}erased:"
"""The reserved prefix of erased idempotency keys: a caller's own cannot begin with it."""
KEPT_DETAILS = ("kind", "digest", "code", "replaces", "history", "chain_id", "nonce", "erased", "phrase")
"""What a row of the usage log goes on saying: what was done, not by whom, why, or to whom."""
KEPT: Mapping[str, str] = {
    "keys": "The sealed keys and what was kept of them: they hold what the project owns; `reveal` opens them by id.",
    "addresses": "Project ids, wallet ids, addresses, public keys, networks: the seal binds each key to them.",
    "log": "That something was done, when, with which digest: without who, why, from where, and to whom.",
    "nonces": "What was signed under which nonce of an account: it keeps the same nonce from being signed twice.",
    "events": "Who repaired, upgraded or migrated the vault, accepted foreign wallets, changed its keys, acknowledged "
    "a finding, or erased, and why: these events are about no single project, or tell of the erasure itself.",
    "legacy": "Columns and metadata that only a legacy application wrote: they are its own to erase.",
}
"""What an erasure leaves, and why."""


def erased_label(wallet_id: UUID) -> str:
    """The label of a wallet whose own one was erased: the last twelve digits of its id, and nothing of its owner."""
    return f"erased-{wallet_id.hex[-12:]}"


@dataclass(frozen=True, slots=True)
class Erased:
    """What ``erase_project`` changed of a project, in numbers of rows."""

    project_id: UUID
    wallets: int
    """Wallets that were retired and lost their labels; 0 where an earlier run did it all."""
    log_records: int
    """Rows of the usage log and events that lost what may name a person."""
    idempotency_keys: int
    """Keys that became their HMAC."""
    failed: tuple[tuple[UUID, StrongroomError], ...] = ()
    """Wallets that were left as they are, and why: what the register contradicts is not written anew."""

    @property
    def complete(self) -> bool:
        """Whether every wallet was erased: ``failed`` is empty."""
        return not self.failed

    def as_dict(self) -> dict[str, Any]:
        """The result as JSON-ready values."""
        return {
            "project_id": str(self.project_id),
            "complete": self.complete,
            "wallets": self.wallets,
            "log_records": self.log_records,
            "idempotency_keys": self.idempotency_keys,
            "failed": [{"id": str(wallet_id), **error.as_dict()} for wallet_id, error in self.failed],
            "kept": dict(KEPT),
        }


class SlotChange(NamedTuple):
    """A slot under another label."""

    old: TaggedSlot
    new: SlotRecord
    tag: Tag | None
    """None: one that does not fit stays, so that no erasure vouches for what somebody planted."""


class KeyChange(NamedTuple):
    """An idempotency key that was erased."""

    old: IdempotencyRecord
    old_tag: Tag | None
    new: IdempotencyRecord
    tag: Tag | None


class WalletErasure(NamedTuple):
    """What one wallet's rows become, compared and set on what was read."""

    old: Registered | None
    """The record that is there; None: there is none yet, and ``new`` is inserted."""
    new: Registered
    slots: tuple[SlotChange, ...]
    credential_type: str | None
    """The credential type afterwards; None leaves the one that is there."""
