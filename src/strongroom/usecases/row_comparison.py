"""The rows of a wallet, compared with what the register says of it, and the wallet that both make."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from strongroom.crypto import sealing
from strongroom.records.register import UNPROVED, Registration
from strongroom.records.stored_wallets import StoredWallet
from strongroom.records.vault_texts import PLACEHOLDERS
from strongroom.records.wallets import (
    ACCESS_LEVEL,
    ENCRYPTION_METHOD,
    REPLACED,
    REVOKED,
    STATUS,
    Wallet,
    credential_type_of,
)
from strongroom.usecases.addresses import canonical
from strongroom.usecases.context import VaultContext

_COLUMNS = (
    *("project_id", "id", "network", "credential_type", "key_vault_id", "wallet_address", "public_key", "metadata"),
    *("status", "is_active", "revoked_at", "access_level", "encrypted_private_key"),
)
_LEVELS = ("project_admin", "project_member", "revoked")


def told(columns: Iterable[str]) -> str:
    """Columns that contradict, for people: ``address differs``, ``network, address differ``."""
    named = tuple(columns)
    return f"{', '.join(named)} {'differs' if len(named) == 1 else 'differ'}"


def says_the_same(stored: StoredWallet, record: Registration) -> bool:
    """Whether what the tag does not cover, of a record that was put together from its rows, agrees with it."""
    said, text, status = stored.said, stored.sealed_text, record.status
    assert said is not None  # noqa: S101 - it was read from a row
    return (
        said.credential_type == credential_type_of(record.network, record.label)
        and said.status == status
        and said.is_active == (status == STATUS)
        and said.revoked == (status == REVOKED)
        and is_ours(text)
    )


def differences(stored: StoredWallet, record: Registration) -> tuple[str, ...]:
    """The columns of tables of ours that are not as the register says."""
    wallet, said, text = stored.wallet, stored.said, stored.sealed_text
    assert said is not None  # noqa: S101 - it was read from a row
    there = (
        *(wallet.project_id, wallet.id, wallet.network, said.credential_type, wallet.vault_id, wallet.address),
        *(wallet.public_key, (wallet.scheme, wallet.path), said.status, said.is_active, said.revoked),
        *(record.access_level if text is None else wallet.access_level, is_ours(text)),
    )
    recorded = (
        *(record.project_id, record.credential_id, record.network),
        *(credential_type_of(record.network, record.label), record.vault_id, record.address, record.public_key),
        *((record.scheme, record.path), record.status, record.status == STATUS, record.status == REVOKED),
        *(record.access_level, True),
    )
    if there == recorded:
        return ()
    return tuple(name for name, one, other in zip(_COLUMNS, there, recorded, strict=True) if one != other)


def is_ours(text: str | None) -> bool:
    """Whether nothing but strongroom can have written a vault record's text, as far as one sees without opening it."""
    return text is None or text in PLACEHOLDERS or sealing.is_sealed(text)


def legacy_differences(context: VaultContext, stored: StoredWallet, record: Registration) -> tuple[str, ...]:
    """The columns of legacy tables that contradict the register. Their application may leave some empty, or retire."""
    wallet = stored.wallet
    columns = []
    if wallet.project_id != record.project_id:
        columns.append("project_id")
    if wallet.id != record.credential_id:
        columns.append("id")
    if wallet.address and not _is_address(context, wallet.address, record):
        columns.append("wallet_address")
    facts = ((wallet.scheme, record.scheme), (wallet.path, record.path))
    if any(said is not None and said != recorded for said, recorded in facts):
        columns.append("metadata")
    return tuple(columns)


def _is_address(context: VaultContext, text: str, record: Registration) -> bool:
    """Whether a legacy row's address is the recorded one, in whatever form."""
    if text == record.address:
        return True
    network = context.networks.get(record.network)
    read = canonical(network, text)
    return read is not None and read == canonical(network, record.address)


def as_recorded(stored: StoredWallet, record: Registration) -> StoredWallet:
    """A wallet of legacy tables as the register says it; creation time and encryption method are told by the row."""
    row, text = stored.wallet, stored.sealed_text
    wallet = replace(
        row,
        network=record.network,
        label=record.label,
        address=record.address,
        public_key=record.public_key,
        vault_id=record.vault_id,
        status=stricter_status(record.status, row.status),
        access_level=row.access_level if text is None else _stricter_level(record.access_level, row.access_level),
        scheme=record.scheme,
        path=record.path,
        proved=is_ours(text) and record.variant != UNPROVED,
        phrase_id=record.phrase_id,
        phrase_index=record.phrase_index,
    )
    return replace(stored, wallet=wallet, row=row)


def stricter_status(recorded: str, said: str) -> str:
    """Of two states the one that allows less: nothing but strongroom revives a wallet that it retired."""
    for status in (REVOKED, REPLACED):
        if status in (recorded, said):
            return status
    return said


def _stricter_level(recorded: str, said: str | None) -> str | None:
    """Of two access levels the one that allows less; one that is none of ours allows nothing."""
    if said is None:  # the schema has no such column
        return recorded if recorded != ACCESS_LEVEL else said
    if said not in _LEVELS:
        return said
    return max(recorded, said, key=_LEVELS.index)


def wallet_of(record: Registration) -> Wallet:
    """The wallet that a record says."""
    return Wallet(
        id=record.credential_id,
        project_id=record.project_id,
        network=record.network,
        label=record.label,
        address=record.address,
        public_key=record.public_key,
        vault_id=record.vault_id,
        status=record.status,
        access_level=record.access_level,
        encryption_method=ENCRYPTION_METHOD,
        custody="ours",
        scheme=record.scheme,
        path=record.path,
        created_at=None,
        durable=True,
        phrase_id=record.phrase_id,
        phrase_index=record.phrase_index,
    )
