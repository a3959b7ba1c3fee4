"""What a writer of rows plants."""

from __future__ import annotations

from uuid import UUID

from testbed.databases.deployments import Deployment


def keep(deployment: Deployment, wallet: UUID, text: str, number: int = 1) -> None:
    """Plant texts in the history of a wallet, as the guard would have kept them."""
    deployment.execute(
        "INSERT INTO strongroom_vault_history (id, project_id, credential_id, network, label, address, public_key, "
        "vault_id, text, form, reason, created_at, schema_version) SELECT gen_random_uuid(), k.project_id, k.id, "
        "'ethereum', 'default', k.wallet_address, '', 'x', ?, 'foreign', 'guard-update', now(), 3 "
        "FROM project_credentials k CROSS JOIN generate_series(1, ?) WHERE k.id = ?",
        *(text, number, wallet),
    )
