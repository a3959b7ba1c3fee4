"""Facts about a vault, for people."""

from __future__ import annotations

from strongroom.model import KeyringRows, SealingKeyStatus, VaultStatus
from strongroom.usecases.parts import Parts


def status(parts: Parts) -> VaultStatus:
    """See Vault.status."""
    rows = parts.store.keyring.read_keyring()
    keys = () if rows is None else tuple(_sealing_key(parts, rows, kid) for kid in rows.kids)
    return VaultStatus(parts.store.status(), keys)


def _sealing_key(parts: Parts, rows: KeyringRows, kid: str) -> SealingKeyStatus:
    uris = tuple(wrap.root_key_uri for wrap in rows.wraps if wrap.kid == kid)
    return SealingKeyStatus(kid, rows.states[kid], parts.store.keyring.count_sealed(kid), uris)
