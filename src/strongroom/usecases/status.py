"""Facts about a vault, for people."""

from __future__ import annotations

from strongroom.model import SealingKeyStatus, VaultStatus
from strongroom.usecases.parts import Parts


def status(parts: Parts) -> VaultStatus:
    """See Vault.status."""
    rows = parts.store.read_keyring()
    keys = (
        []
        if rows is None
        else [
            SealingKeyStatus(
                kid, kid == rows.active_kid, tuple(wrap.root_key_uri for wrap in rows.wraps if wrap.kid == kid)
            )
            for kid in rows.kids
        ]
    )
    return VaultStatus(parts.store.status(), tuple(keys))
