"""A role that may CREATE in the guard's schema, and makes functions of the guard's names: none of them is called."""

from __future__ import annotations

from itertools import product

import psycopg
import pytest

import strongroom
from strongroom import Vault
from strongroom.settings import Settings
from strongroom.wiring import open_guard
from testbed.databases.deployments import Deployment
from testbed.databases.legacy_application import kept
from tests.integration.traps import ROLE

_ROLE = f"""
DO $$ BEGIN CREATE ROLE {ROLE} LOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
"""
_TEXTS = 7
"""Arguments of the guard's own function that are texts, after two that are UUIDs."""


def home(deployment: Deployment) -> str:
    [(schema,)] = deployment.execute(
        "SELECT n.nspname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE c.relname = 'strongroom_vault_history'"
    )
    return str(schema)


def overload(deployment: Deployment) -> int:
    """Make the guard's function for every other mixture of types, as a role that may CREATE and no more."""
    schema = home(deployment)
    with psycopg.connect(deployment.url, autocommit=True) as connection:
        connection.execute(f"{_ROLE} GRANT USAGE, CREATE ON SCHEMA {schema} TO {ROLE}".encode())
    made = 0
    with psycopg.connect(deployment.url.replace("postgres@", f"{ROLE}@"), autocommit=True) as connection:
        for texts in product(("text", "varchar"), repeat=_TEXTS):
            if set(texts) == {"text"}:
                continue
            connection.execute(
                f"CREATE FUNCTION {schema}.strongroom_guard_keep(uuid, uuid, {', '.join(texts)}) RETURNS void "
                "LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'a trap ran as %', current_user; END $$".encode()
            )
            made += 1
    return made


@pytest.mark.parametrize("deployment", ["fresh", "g3", "g4"], indirect=True)
@pytest.mark.parametrize("before", [True, False], ids=["before the guard", "after it"])
def test_functions_of_the_guards_name_are_not_called_and_told(
    deployment: Deployment, vault_a: Vault, before: bool
) -> None:
    project = deployment.project()
    first, second = (vault_a.create_wallet(project, network).wallet for network in ("ethereum", "bitcoin"))
    made = overload(deployment) if before else 0
    guard = open_guard(Settings(database=deployment.url))
    try:
        guard.install("archive")
        made = made or overload(deployment)
        assert guard.status().state == "installed"
        assert len([each for each in guard.status().warnings if ROLE in each]) == made
    finally:
        guard.close()
    deployment.execute(
        "UPDATE credential_vault_storage SET encrypted_private_key = 'x' WHERE credential_id = ?", first.id
    )
    deployment.execute("UPDATE project_credentials SET wallet_address = 'x' WHERE id = ?", second.id)
    deployment.execute("DELETE FROM credential_vault_storage WHERE credential_id = ?", second.id)
    assert all(kept(deployment, wallet) for wallet in (first, second))
    with pytest.raises(strongroom.StrongroomError):
        vault_a.reveal(first, actor="a test", reason="its text was overwritten")
    vault_a.rotate_sealing_key()
    list(vault_a.rewrap())
