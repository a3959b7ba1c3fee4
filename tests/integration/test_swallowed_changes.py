"""No row, no result: where a trigger or rule swallows an UPDATE or a DELETE of a verb, it is not done."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import pytest

import strongroom
from strongroom import Vault, Wallet
from strongroom.rootkeys.file import FileRootKey
from testbed.databases.deployments import Deployment, open_deployment
from testbed.databases.foreign import add_wallet, address_of
from testbed.databases.guards import put
from testbed.processes.signing import payload
from testbed.servers import citus

KEY, OTHER_KEY = "5d" * 32, "7d" * 32
WHO: dict[str, Any] = {"actor": uuid4(), "reason": "test"}
TABLES = (
    *("project_credentials", "credential_vault_storage", "credential_usage_logs", "strongroom_vault_history"),
    *("strongroom_wallet", "strongroom_slot", "strongroom_idempotency", "strongroom_nonce", "strongroom_events"),
    *("strongroom_keyring_head", "strongroom_keyring", "strongroom_keyring_wrap"),
)


class Scene(NamedTuple):
    """A vault with a wallet of a project of its own, and a root key that it has besides."""

    deployment: Deployment
    vault: Vault
    wallet: Wallet
    root_key: str


class Case(NamedTuple):
    """A verb, and what comes before it."""

    verb: Callable[[Scene], object]
    before: Callable[[Scene], object] = lambda scene: None
    in_one: bool = True
    """Whether it is one transaction, of which nothing stays."""
    backends: tuple[str, ...] = ("sqlite", "fresh", "g3")
    updated: tuple[str, ...] = ()
    """Tables in which it updates rows that it wrote itself."""


class NotDoneError(Exception):
    """A result says that something was not done."""


def _rotated(scene: Scene) -> None:
    scene.vault.sign_transaction(scene.wallet, payload(7, "22"))
    scene.vault.rotate_sealing_key()


def _rewrap(scene: Scene) -> None:
    if not all(result.ok for result in scene.vault.rewrap()) or scene.vault.count_pending_rewraps():
        raise NotDoneError


def _erase(scene: Scene) -> None:
    if not scene.vault.erase_project(scene.wallet.project_id, **WHO).complete:
        raise NotDoneError


def _overwritten(scene: Scene) -> None:
    """The history has the wallet's text, and its vault record another one."""
    scene.vault.rotate_sealing_key()
    assert all(result.ok for result in scene.vault.rewrap())
    put(scene.deployment, scene.wallet.id, f"0x{OTHER_KEY}")


def _revoke_one(scene: Scene) -> None:
    other = scene.vault.create_wallet(
        scene.wallet.project_id, "solana", label="bob", idempotency_key="bob", actor=uuid4()
    ).wallet
    scene.vault.revoke_wallet(other, actor=uuid4())
    scene.vault.rotate_sealing_key()
    assert all(result.ok for result in scene.vault.rewrap()), "the history has something"


def _foreign(scene: Scene) -> None:
    """The project has a wallet of the legacy application's."""
    project = scene.wallet.project_id
    address = address_of("bitcoin", OTHER_KEY)
    add_wallet(
        scene.deployment.url,
        address,
        OTHER_KEY,
        project_id=project,
        network="bitcoin",
        credential_type="bitcoin_wallet",
    )


def _adopt(scene: Scene) -> None:
    assert not scene.vault.create_wallet(scene.wallet.project_id, "bitcoin", idempotency_key="k").created


CASES = {
    "replace": Case(lambda scene: scene.vault.replace_wallet(scene.wallet)),
    "revoke": Case(lambda scene: scene.vault.revoke_wallet(scene.wallet, actor=uuid4())),
    "store a key": Case(
        lambda scene: scene.vault.store_key(scene.wallet, private_key=KEY),
        lambda scene: put(scene.deployment, scene.wallet.id, "MIGRATION_REQUIRED"),
    ),
    "restore": Case(
        lambda scene: scene.vault.restore(scene.wallet, archive_current=True),
        _overwritten,
    ),
    "move a key": Case(
        lambda scene: scene.vault.move_key(scene.wallet, to="history"),
        lambda scene: put(scene.deployment, scene.wallet.id, f"0x{OTHER_KEY}"),
    ),
    "sign a replacement": Case(
        lambda scene: scene.vault.sign_transaction(scene.wallet, payload(7, "33", 40), replace=True),
        lambda scene: scene.vault.sign_transaction(scene.wallet, payload(7, "22")),
    ),
    "rotate": Case(lambda scene: scene.vault.rotate_sealing_key()),
    "rewrap": Case(_rewrap, _rotated, in_one=False),
    "add a root key": Case(
        lambda scene: scene.vault.add_root_key(scene.root_key),
        lambda scene: _wrapped(scene, by_it=False),
    ),
    "remove a root key": Case(
        lambda scene: scene.vault.remove_root_key(scene.root_key),
        lambda scene: _wrapped(scene, by_it=True),
    ),
    "erase a project": Case(_erase, _revoke_one, in_one=False),
    "adopt": Case(_adopt, _foreign, backends=("g3",), updated=("strongroom_slot", "strongroom_idempotency")),
}


def _wrapped(scene: Scene, *, by_it: bool) -> None:
    """The second root key wraps the keyring, or does not."""
    found = {uri for (uri,) in scene.deployment.execute("SELECT root_key FROM strongroom_keyring_wrap")}
    if by_it and scene.root_key not in found:
        scene.vault.add_root_key(scene.root_key)
    elif not by_it and scene.root_key in found:
        scene.vault.remove_root_key(scene.root_key)


def everything(deployment: Deployment) -> dict[str, set[str]]:
    return {table: {repr(row) for row in deployment.execute(f"SELECT * FROM {table}")} for table in TABLES}


def swallow(deployment: Deployment, table: str, event: str) -> str:
    """Let a table stay as it is, without an error; what takes that back."""
    if deployment.backend == "sqlite":
        deployment.execute(f"CREATE TRIGGER swallows BEFORE {event} ON {table} BEGIN SELECT RAISE(IGNORE); END")
        return "DROP TRIGGER swallows"
    if citus.URL:  # which takes no triggers, and rules
        deployment.execute(f"CREATE RULE swallows AS ON {event} TO {table} DO INSTEAD NOTHING")
        return f"DROP RULE swallows ON {table}"
    deployment.execute(
        "CREATE OR REPLACE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'"
    )
    deployment.execute(f"CREATE TRIGGER swallows BEFORE {event} ON {table} FOR EACH ROW EXECUTE FUNCTION swallow()")
    return f"DROP TRIGGER swallows ON {table}"


def prepared(deployment: Deployment, vault: Vault, case: Case, root_key: str) -> Scene:
    wallet = vault.import_wallet(
        *(deployment.project(), "ethereum"), private_key=KEY, label="alice", idempotency_key="a", actor=uuid4()
    ).wallet
    scene = Scene(deployment, vault, wallet, root_key)
    case.before(scene)
    return scene


@pytest.mark.parametrize(
    ("backend", "name"), [(backend, name) for name, case in CASES.items() for backend in case.backends]
)
def test_a_verb_whose_change_is_swallowed_does_not_say_that_it_is_done(
    request: pytest.FixtureRequest, private_path: Path, backend: str, name: str
) -> None:
    case = CASES[name]
    uri = f"file:{private_path}/second.key"
    assert FileRootKey(uri).create()
    with open_deployment(backend, request) as deployment, deployment.open() as vault:
        scene = prepared(deployment, vault, case, uri)
        before = everything(deployment)
        case.verb(scene)
        after = everything(deployment)
        changed = case.updated or [table for table in TABLES if before[table] - after[table]]
        assert changed, "where nothing swallows it, something is changed"
        for table in changed:
            for event in ("UPDATE",) if case.updated else ("UPDATE", "DELETE"):
                scene = prepared(deployment, vault, case, uri)
                undo = swallow(deployment, table, event)
                before = everything(deployment)
                try:
                    case.verb(scene)
                except (strongroom.StrongroomError, NotDoneError):
                    assert not case.in_one or everything(deployment) == before, (table, event)
                else:
                    left = [each for each in TABLES if before[each] - everything(deployment)[each]]
                    assert table in left, f"{event} of {table} was swallowed, and {name} says that it is done"
                deployment.execute(undo)
