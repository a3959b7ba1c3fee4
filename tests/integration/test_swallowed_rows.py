"""No row, no result: where a trigger or rule swallows a row that a verb writes, the verb fails as a whole."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import strongroom
from strongroom import Vault
from testbed.databases.deployments import Deployment
from testbed.processes.signing import payload
from testbed.servers import citus

pytestmark = pytest.mark.parametrize("deployment", ["sqlite", "fresh", "g3"], indirect=True)
LOG, HISTORY = "credential_usage_logs", "strongroom_vault_history"
CREDENTIAL, VAULT, RECORD = "project_credentials", "credential_vault_storage", "strongroom_wallet"
SLOT, KEY, NONCE, EVENTS = "strongroom_slot", "strongroom_idempotency", "strongroom_nonce", "strongroom_events"
TABLES = (LOG, HISTORY, CREDENTIAL, VAULT, RECORD, SLOT, KEY, NONCE, EVENTS)
EXPORT: dict[str, Any] = {"actor": "auditor", "reason": "test"}

Verb = Callable[[Vault, strongroom.Wallet], Any]
VERBS: dict[str, tuple[Verb, tuple[str, ...]]] = {
    "create": (lambda vault, old: vault.create_wallet(old.project_id, "solana"), (CREDENTIAL, VAULT, RECORD, LOG)),
    "create with a key": (
        lambda vault, old: vault.create_wallet(old.project_id, "solana", idempotency_key="k"),
        (CREDENTIAL, VAULT, RECORD, LOG),
    ),
    "replace": (lambda vault, old: vault.replace_wallet(old), (CREDENTIAL, VAULT, RECORD, LOG)),
    "revoke": (lambda vault, old: vault.revoke_wallet(old), (LOG,)),
    "reveal": (lambda vault, old: vault.reveal(old, **EXPORT), (LOG,)),
    "export": (
        lambda vault, old: vault.export_keystore(old, password="correct horse battery", **EXPORT),
        (LOG,),
    ),
    "sign a message": (lambda vault, old: vault.sign_message(old, "hello"), (LOG,)),
    "sign under a nonce": (lambda vault, old: vault.sign_transaction(old, payload(7, "22")), (LOG, NONCE)),
    "rotate": (lambda vault, old: vault.rotate_sealing_key(), (EVENTS,)),
    "erase a project": (lambda vault, old: vault.erase_project(old.project_id, **EXPORT), (EVENTS,)),
}
CASES = [(verb, table) for verb, (_, tables) in VERBS.items() for table in tables]


def swallow(deployment: Deployment, table: str, how: str) -> None:
    """Let a table take no row more, without an error."""
    if deployment.backend == "sqlite":
        deployment.execute(f"CREATE TRIGGER swallows BEFORE INSERT ON {table} BEGIN SELECT RAISE(IGNORE); END")
    elif how == "rule" or citus.URL:  # which takes no triggers, and rules
        deployment.execute(f"CREATE RULE swallows AS ON INSERT TO {table} DO INSTEAD NOTHING")
    else:
        deployment.execute("CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'")
        deployment.execute(f"CREATE TRIGGER swallows BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION swallow()")


def everything(deployment: Deployment) -> dict[str, list[str]]:
    return {table: sorted(repr(row) for row in deployment.execute(f"SELECT * FROM {table}")) for table in TABLES}


@pytest.mark.parametrize(("verb", "table"), CASES, ids=[f"{verb}-{table}" for verb, table in CASES])
def test_a_verb_whose_row_is_swallowed_fails_and_leaves_nothing(deployment: Deployment, verb: str, table: str) -> None:
    how = "rule" if CASES.index((verb, table)) % 2 else "trigger"
    with deployment.open() as vault:
        wallet, _ = vault.create_wallet(deployment.project(), "ethereum")
        swallow(deployment, table, how)
        before = everything(deployment)
        with pytest.raises(strongroom.StrongroomError):
            VERBS[verb][0](vault, wallet)
        assert everything(deployment) == before


def test_the_verbs_succeed_where_nothing_is_swallowed(deployment: Deployment) -> None:
    for verb, _ in VERBS.values():
        with deployment.open() as vault:
            wallet, _ = vault.create_wallet(deployment.project(), "ethereum")
            assert verb(vault, wallet)
