"""Records and their tags, made where wallets are written; what is made here, ``register`` checks."""

from __future__ import annotations

from typing import Any

from strongroom.crypto import tags
from strongroom.crypto.keyring import Keyring
from strongroom.records.key_material import KeyMaterial, PublicHalf
from strongroom.records.register import (
    IdempotencyRecord,
    KeyringHead,
    NonceRecord,
    Registered,
    Registration,
    SlotRecord,
    TaggedHead,
)
from strongroom.records.stored_wallets import StoredWallet, registration_of
from strongroom.records.tag import Tag
from strongroom.records.wallets import Wallet
from strongroom.usecases.context import VaultContext


def register(context: VaultContext, record: Registration) -> Registered:
    """A record with its tag, under the active sealing key."""
    return Registered(record, tags.make("wallet", record.fields(), context.keyring))


def record_of(context: VaultContext, wallet: Wallet, version: int = 1) -> Registration:
    """The record of a wallet as it stands."""
    return registration_of(wallet, variant_of(context, wallet.network, wallet.scheme), version)


def proved_record(context: VaultContext, stored: StoredWallet, material: KeyMaterial, half: PublicHalf) -> Registered:
    """The record of a wallet whose sealed text was opened: what it proves, and label and state as the rows say.

    The address stays as its row writes it: that is what the sealed text is bound to.
    """
    found = record_of(context, stored.wallet)
    scheme, path = material.scheme, material.path
    variant = variant_of(context, stored.wallet.network, scheme)
    return register(
        context,
        found._replace(
            public_key=half.public_key,
            scheme=scheme,
            path=path,
            variant=variant,
            phrase_id=material.phrase_id,
            phrase_index=material.phrase_index,
        ),
    )


def variant_of(context: VaultContext, network: str, scheme: str | None) -> str | None:
    """The variant of a network that has a scheme, or None."""
    if scheme is None:
        return None
    known = context.networks.get(network)
    names = (*known.variants, *known.imported_variants)
    return next((variant for variant in names if known.scheme(variant) == scheme), None)


def tag_slot(context: VaultContext, slot: SlotRecord) -> Tag:
    """The tag of a slot."""
    return tags.make("slot", slot.fields(), context.keyring)


def tag_key(context: VaultContext, record: IdempotencyRecord) -> Tag:
    """The tag of an idempotency key's row."""
    return tags.make("idempotency", record.fields(), context.keyring)


def tagged_key(context: VaultContext, record: IdempotencyRecord | None) -> tuple[IdempotencyRecord, Tag] | None:
    """The row of an idempotency key with its tag, where there is one."""
    return None if record is None else (record, tag_key(context, record))


def tag_nonce(context: VaultContext, record: NonceRecord) -> Tag:
    """The tag of what was signed under a nonce."""
    return tags.make("nonce", record.fields(), context.keyring)


def next_head(head: KeyringHead, keys: Keyring, **changes: Any) -> TaggedHead:
    """The head after a change, under the key that seals then."""
    changed = head._replace(version=head.version + 1, **changes)
    return tagged_head(changed, keys)


def tagged_head(head: KeyringHead, keys: Keyring) -> TaggedHead:
    """A head with its tag, under the key that it names as active."""
    return TaggedHead(head, tags.make("keyring", head.fields(), keys.believing(head)))
