"""The columns of a wallet's row: their names, their order, and what they become.

``WalletRow`` is what the vault's verbs read, ``InspectedRow`` what doctor and repair do. A statement fills one with
SQL expressions, a decoder with values: nothing else counts positions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple

from strongroom.records.stored_wallets import RowSaid, StoredWallet
from strongroom.records.vault_texts import SEALED_PREFIX
from strongroom.records.wallets import DEFAULT_LABEL, REVOKED, STATUS, Custody, Wallet, name_phrase, network_of_type
from strongroom.store.statements.register_rows import (
    NO_UUID,
    RECORD_ONLY,
    project_of,
    registered,
    registered_with_row,
    texts_of,
    uuid_of,
)
from strongroom.store.statements.rows import fact_of, facts, names_key, readable, time_of

_CREDENTIAL_TYPE = re.compile(r"(?:[a-z0-9-]+|[a-z]+\.[A-Za-z0-9._-]+)_wallet:([a-z0-9._-]{1,64})")
_USUAL = 256
"""Characters of metadata that say scheme and path, and no more."""


class WalletRow(NamedTuple):
    """A credential and its vault record. The register follows: ``RECORD_ONLY`` in tables of ours, else whole."""

    id: Any
    project_id: Any
    slot_network: Any
    slot_label: Any
    network: Any
    credential_type: Any
    address: Any
    public_key: Any
    key_vault_id: Any
    status: Any
    is_active: Any
    revoked_at: Any
    metadata: Any
    created_at: Any
    access_level: Any
    encryption_method: Any
    sealed_text: Any


COLUMNS = WalletRow._fields
_WIDTH = len(COLUMNS)
_WIDTH_OF_OURS = _WIDTH + len(RECORD_ONLY)


def _columns(*names: str) -> Callable[[Sequence[Any]], tuple[Any, ...]]:
    """What takes columns out of a row, by their names."""
    return itemgetter(*map(COLUMNS.index, names))


_FACTS = _columns("id", "project_id", "is_active", "revoked_at", "metadata", "created_at")
_PROJECT = COLUMNS.index("project_id")
_TEXTS = _columns(
    *("slot_network", "slot_label", "network", "credential_type", "address", "public_key", "key_vault_id", "status"),
    *("access_level", "encryption_method", "sealed_text"),
)


class InspectedRow(NamedTuple):
    """A credential and one of its vault records, as text, whatever stands in them; either may be missing."""

    id: Any
    project_id: Any
    slot_network: Any
    slot_label: Any
    network: Any
    credential_type: Any
    wallet_address: Any
    public_key: Any
    key_vault_id: Any
    status: Any
    is_active: Any
    is_revoked: Any
    vault_stored: Any
    private_key_encrypted: Any
    """Of the metadata, as the next five; where those come whole, as text, they stand here and the others are NULL."""
    nested_key: Any
    private_key_vault_id: Any
    scheme: Any
    path: Any
    other_metadata: Any
    """The metadata as text, those that are too long without their longest members (``UNREAD_MARK``); NULL where nothing
    but scheme and path is in them."""
    record_id: Any
    record_credential_id: Any
    record_text: Any
    record_encryption_method: Any
    record_access_level: Any
    record_project_id: Any


METADATA_MEMBERS = {
    "private_key_encrypted": "->> 'private_key_encrypted'",
    "nested_key": "#>> '{vault_storage,encrypted_private_key}'",
    "private_key_vault_id": "->> 'private_key_vault_id'",
    "scheme": "->> 'scheme'",
    "path": "->> 'path'",
}
"""Fields of ``InspectedRow`` that are members of the metadata, and where in those they are."""
OTHER_METADATA = "other_metadata"
"""The field in which metadata come that are read by members, all of them: a key may be in any."""
UNREAD_MARK = "!"
"""Around the number of members that do not come, before the others; no JSON begins so."""
WHOLE_METADATA = "private_key_encrypted"
"""The field in which metadata come that are read whole."""
RECORD_COLUMNS = {
    "record_id": "id",
    "record_credential_id": "credential_id",
    "record_text": "encrypted_private_key",
    "record_encryption_method": "encryption_method",
    "record_access_level": "access_level",
    "record_project_id": "project_id",
}
"""Fields of ``InspectedRow`` that are columns of the vault record."""


def stored_wallet(row: Sequence[Any], *, durable: bool = True) -> StoredWallet:
    """A wallet from a row of ``StatementBuilder.wallet_columns``; in a legacy row much may be missing."""
    values = readable(row)
    wallet_id, project_id, is_active, revoked_at, metadata, created_at = _FACTS(values)
    slot_network, slot_label, network, kind, address, public_key, vault_id, status, *texts = texts_of(_TEXTS(values))
    access_level, encryption_method, sealed_text = texts
    usual = isinstance(metadata, str) and len(metadata) < _USUAL
    scheme, path, key_in_metadata = _usual_facts(metadata) if usual else _facts_of(metadata)
    named = slot_network or network or network_of(kind)
    wallet = Wallet(
        id=uuid_of(wallet_id),
        project_id=project_of(project_id),
        network=named,
        label=slot_label or label_of(kind),
        address=address or "",
        public_key=public_key or "",
        vault_id=vault_id or "",
        status=state_of(status, is_active, revoked_at),
        access_level=access_level,
        encryption_method=encryption_method,
        custody=_custody_of(sealed_text),
        scheme=scheme,
        path=path,
        created_at=time_of(created_at),
        durable=durable,
        proved=False,
    )
    record = values[_WIDTH:]
    registered_wallet = registered_with_row(wallet, record) if is_row_of_ours(values) else registered(record)
    if registered_wallet is not None and registered_wallet.record.phrase_id is not None:
        name_phrase(wallet, registered_wallet.record.phrase_id, registered_wallet.record.phrase_index)
    return StoredWallet(
        wallet,
        sealed_text,
        named,
        key_in_metadata=key_in_metadata,
        registered=registered_wallet,
        said=RowSaid(kind, status, is_active, revoked_at is not None),
    )


def is_row_of_ours(row: Sequence[Any]) -> bool:
    """Whether a row is one of tables of ours, which repeat nothing of what the register says."""
    return len(row) == _WIDTH_OF_OURS


FIRST_WALLET = {"after": NO_UUID, "after_project_id": NO_UUID}
"""The parameters of a statement whose page begins with the first wallet."""


def behind(row: Sequence[Any]) -> dict[str, Any]:
    """Those whose page begins behind a row: its id and project as they stand, since SQLite takes any text for an id."""
    wallet_id, project_id, *_ = row
    return {"after": wallet_id, "after_project_id": project_id}


def names_project(row: Sequence[Any]) -> bool:
    """Whether a wallet's row has a project id that is one of ours: verbs name wallets of no other project."""
    return project_of(row[_PROJECT]) != NO_UUID


def _facts_of(metadata: Any) -> tuple[str | None, str | None, bool]:
    """Scheme and path as the metadata say them, and whether a key may be in them."""
    said = facts(metadata)
    return fact_of(said.get("scheme")), fact_of(said.get("path")), names_key(said)


@lru_cache(1024)
def _usual_facts(metadata: str) -> tuple[str | None, str | None, bool]:
    """The same, remembered: most wallets of a network have one path."""
    return _facts_of(metadata)


def _custody_of(sealed_text: str | None) -> Custody | None:
    if sealed_text is None:
        return None
    return "ours" if sealed_text.startswith(SEALED_PREFIX) else "foreign"


def state_of(status: str | None, is_active: Any, revoked_at: Any) -> str:
    """The state that a row's own columns say; a status that is none of ours stays as it is, and signs nothing."""
    if status in (None, STATUS):
        return STATUS if is_active not in (False, 0) and revoked_at is None else REVOKED
    return status if revoked_at is None else REVOKED


def label_of(kind: str | None) -> str:
    """The label in a credential type of our own form; what the legacy application put behind a colon is none."""
    if kind is not None and kind.endswith("_wallet") and ":" not in kind:
        return DEFAULT_LABEL
    found = _CREDENTIAL_TYPE.fullmatch(kind or "")
    return DEFAULT_LABEL if found is None else found[1]


def network_of(kind: str | None) -> str:
    """The network in a credential type."""
    return network_of_type(kind or "")
