"""Facts about a vault, for people."""

from __future__ import annotations

from strongroom.records.keyring import KeyringRows
from strongroom.records.status import SealingKeyStatus, VaultStatus
from strongroom.usecases.context import VaultContext


def status(context: VaultContext) -> VaultStatus:
    """See Vault.status."""
    rows = context.store.keyring.read_keyring()
    keys = () if rows is None else tuple(_sealing_key(context, rows, kid) for kid in rows.kids)
    return VaultStatus(context.store.status(), keys)


def _sealing_key(context: VaultContext, rows: KeyringRows, kid: str) -> SealingKeyStatus:
    uris = tuple(wrap.root_key_uri for wrap in rows.wraps if wrap.kid == kid)
    return SealingKeyStatus(kid, rows.states[kid], context.store.keyring.count_sealed(kid), uris)
