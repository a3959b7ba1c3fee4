"""Repair and rewrap alongside the legacy application and alongside sessions that lock in another order: no key is lost.

A trigger of the test's own writes down every text that was ever committed, and what it was overwritten with.
``STRONGROOM_TEST_SEED`` repeats the legacy application's dice, though not the threads' order.
"""

from __future__ import annotations

import random
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

import strongroom
from strongroom.networks import TABLE
from strongroom.settings import Settings
from strongroom.takeover.repair.apply import Applier
from strongroom.takeover.repair.outcomes import UnitOutcome, UnitStatus
from strongroom.wiring import open_guard
from testbed.concurrency import run_at_once
from testbed.databases.deployments import Deployment, open_deployment
from testbed.databases.foreign import old_application
from testbed.databases.rows import sqlite_path
from testbed.defects.texts import PLACEHOLDERS, Text, spelled
from testbed.processes.repair_witness import RepairWitness
from testbed.processes.repairs import (
    RepairScene,
    Thing,
    all_texts,
    keyring_of,
    make_plan,
    meaning,
    repair_session,
    run_plan,
)

THREADS = {"g4": 32, "sqlite": 4}
SECONDS = 3
_PROJECTS = {"g4": 12, "sqlite": 4}
_WALLETS = 4
_FORMS = ("hex", "0x", "HEX", "wif")
_AUDIT_POSTGRESQL = """
CREATE TABLE audit (credential uuid, before text, after text, ours boolean);
CREATE FUNCTION audit_record() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO audit SELECT COALESCE(NEW.credential_id, OLD.credential_id), OLD.encrypted_private_key,
        NEW.encrypted_private_key, COALESCE(NEW.encrypted_private_key LIKE 'eyJraWQiOi%', false);
    RETURN NULL;
END $$;
CREATE FUNCTION audit_metadata() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO audit SELECT OLD.id, OLD.metadata ->> 'private_key_encrypted', NEW.metadata ->> 'private_key_encrypted',
        true WHERE NOT NEW.metadata ? 'private_key_encrypted';
    RETURN NULL;
END $$;
CREATE TRIGGER zz_audit AFTER INSERT OR UPDATE OR DELETE ON credential_vault_storage
    FOR EACH ROW EXECUTE FUNCTION audit_record();
CREATE TRIGGER zz_audit AFTER UPDATE OF metadata ON project_credentials
    FOR EACH ROW EXECUTE FUNCTION audit_metadata();
"""
_AUDIT_SQLITE = (
    "CREATE TABLE audit (credential TEXT, before TEXT, after TEXT, ours BOOLEAN)",
    "CREATE TRIGGER audit_insert AFTER INSERT ON credential_vault_storage BEGIN "
    "INSERT INTO audit VALUES (NEW.credential_id, NULL, NEW.encrypted_private_key, false); END",
    "CREATE TRIGGER audit_update AFTER UPDATE ON credential_vault_storage BEGIN "
    "INSERT INTO audit VALUES (NEW.credential_id, OLD.encrypted_private_key, NEW.encrypted_private_key, "
    "NEW.encrypted_private_key LIKE 'eyJraWQiOi%'); END",
    "CREATE TRIGGER audit_delete AFTER DELETE ON credential_vault_storage BEGIN "
    "INSERT INTO audit VALUES (OLD.credential_id, OLD.encrypted_private_key, NULL, false); END",
    "CREATE TRIGGER audit_metadata AFTER UPDATE OF metadata ON project_credentials "
    "WHEN json_extract(NEW.metadata, '$.private_key_encrypted') IS NULL BEGIN "
    "INSERT INTO audit VALUES (OLD.id, json_extract(OLD.metadata, '$.private_key_encrypted'), NULL, true); END",
)


@dataclass
class SharedDatabase:
    """Wallets whose keys the legacy application knows too, and everything that it wrote."""

    deployment: Deployment
    projects: list[UUID]
    keys: dict[UUID, bytes] = field(repr=False)
    owners: dict[UUID, UUID]
    addresses: dict[UUID, str]
    truths: dict[str, Text] = field(repr=False, default_factory=dict)

    @classmethod
    def build(cls, deployment: Deployment) -> SharedDatabase:
        """Wallets of ours, and the audit."""
        shared = cls(deployment, [deployment.project() for _ in range(_PROJECTS[deployment.backend])], {}, {}, {})
        with deployment.open() as vault:
            for project in shared.projects:
                for number in range(_WALLETS):
                    wallet, _ = vault.create_wallet(project, "ethereum", label=f"label-{number}")
                    shown = vault.reveal(wallet, actor="test", reason="the legacy application has it too")
                    shared.keys[wallet.id] = TABLE.get("ethereum").parse_private_key(shown.private_key).reveal()
                    shared.owners[wallet.id], shared.addresses[wallet.id] = project, wallet.address
        if deployment.backend == "sqlite":
            for statement in _AUDIT_SQLITE:
                deployment.execute(statement)
        else:
            with psycopg.connect(deployment.url) as connection:
                connection.execute(_AUDIT_POSTGRESQL.encode())
        return shared

    def text(self, wallet: UUID, own: random.Random) -> str:
        """What the legacy application writes: the wallet's key, another one, a placeholder, or noise."""
        draw = own.random()
        if draw < 0.15:
            return own.choice(PLACEHOLDERS)
        if draw < 0.3:
            return uuid4().hex + "!"
        secret = self.keys[wallet] if draw < 0.9 else b"\1" + own.randbytes(31)
        text = spelled(secret, own.choice(_FORMS))
        self.truths[text] = Text("key", text, secret=secret)
        return text

    def lost(self, *, by_us: bool) -> set[Thing]:
        """What was committed and is in no row and no history any more; of what we overwrote, or of everything."""
        keyring = keyring_of(self.deployment.url, self.deployment.root_key)

        def things(pairs: Any) -> set[Thing]:
            real = ((str(wallet), text) for wallet, text in pairs if text is not None and text not in PLACEHOLDERS)
            return {
                (wallet, *thing) for wallet, text in real for thing in meaning(text, self.truths.get(text), keyring)
            }

        audit = self.deployment.execute("SELECT credential, before, after, ours FROM audit")
        last = 2 if by_us else 3
        committed = {(row[0], text) for row in audit if row[3] or not by_us for text in row[1:last]}
        return things(committed) - things(all_texts(self.deployment.url))

    def overwritten_by_us(self) -> int:
        """How many texts of the legacy application were replaced by sealed ones."""
        found = self.deployment.execute("SELECT before FROM audit WHERE ours")
        return sum(bool(row[0]) and not str(row[0]).startswith("eyJraWQiOi") for row in found)


@pytest.fixture(params=["g4", "sqlite"])
def shared(request: pytest.FixtureRequest) -> Iterator[SharedDatabase]:
    """A deployment on PostgreSQL with legacy tables, and one on SQLite."""
    with open_deployment(request.param, request) as deployment:
        yield SharedDatabase.build(deployment)


# --- the legacy application -------------------------------------------------------------------------------------


def old_life(shared: SharedDatabase, seed: float, end: float, errors: list[str]) -> None:
    """Look, then write; seldom delete a project, or write a key into the metadata."""
    own = random.Random(seed)
    with psycopg.connect(shared.deployment.url) as connection:
        while time.monotonic() < end:
            wallet = own.choice(list(shared.keys))
            try:
                draw = own.random()
                if draw < 0.01:
                    delete_and_make_again(shared, connection, shared.owners[wallet])
                elif draw < 0.12:
                    connection.execute(
                        "UPDATE project_credentials SET metadata = COALESCE(metadata, '{}') || jsonb_build_object("
                        "'private_key_encrypted', %s::text) WHERE id = %s",
                        [shared.text(wallet, own), wallet],
                    )
                else:
                    old_application(connection, wallet, shared.text(wallet, own))
                connection.rollback() if own.random() < 0.1 else connection.commit()
            except psycopg.Error as error:
                errors.append(type(error).__name__)
                connection.rollback()
            time.sleep(own.random() * 0.6)


def delete_and_make_again(shared: SharedDatabase, connection: psycopg.Connection[Any], project: UUID) -> None:
    wallets = [wallet for wallet, owner in shared.owners.items() if owner == project]
    connection.execute("DELETE FROM credential_usage_logs WHERE credential_id = ANY(%s)", [wallets])
    connection.execute("DELETE FROM projects WHERE id = %s", [project])
    connection.execute("INSERT INTO projects (id, name) VALUES (%s, 'again')", [project])
    for wallet in wallets:
        address = shared.addresses[wallet]
        connection.execute(
            "INSERT INTO project_credentials (id, project_id, credential_type, network, wallet_address, public_key, "
            "key_vault_id) VALUES (%s, %s, 'ethereum_wallet:made-again', 'ethereum', %s, %s, %s)",
            [wallet, project, address, address, f"vault_{wallet}"],
        )


def old_life_on_sqlite(shared: SharedDatabase, seed: float, end: float, errors: list[str]) -> None:
    """The same with fewer statements: SQLite has one writer at a time."""
    own = random.Random(seed)
    with closing(sqlite3.connect(sqlite_path(shared.deployment.url), timeout=10, isolation_level=None)) as connection:
        while time.monotonic() < end:
            wallet = str(own.choice(list(shared.keys)))
            text = shared.text(UUID(wallet), own)
            try:
                if own.random() < 0.05:
                    connection.execute(
                        "UPDATE project_credentials SET metadata = json_set(metadata, '$.private_key_encrypted', ?) "
                        "WHERE id = ?",
                        (text, wallet),
                    )
                else:
                    connection.execute(
                        "UPDATE credential_vault_storage SET encrypted_private_key = ? WHERE credential_id = ?",
                        (text, wallet),
                    )
            except sqlite3.Error as error:
                errors.append(type(error).__name__)
            time.sleep(own.random() * 0.1)


def repairing(shared: SharedDatabase, end: float, told: list[UnitOutcome]) -> None:
    """Plan after plan, each applied while the rows go on changing."""
    while time.monotonic() < end:
        try:
            plan = make_plan(shared.deployment.url, shared.deployment.root_key)
            told += run_plan(shared.deployment.url, shared.deployment.root_key, plan)
        except (strongroom.UnknownSealingKeyError, strongroom.ContentionError):
            continue  # opening reads the keyring, then the rows; rotations and rewraps came between


def rewrapping(shared: SharedDatabase, end: float, told: list[str]) -> None:
    """New sealing keys, and everything moved to them."""
    with shared.deployment.open() as vault:
        while time.monotonic() < end:
            try:
                vault.rotate_sealing_key()
                told += [result.code or "rewrapped" for result in vault.rewrap()]
            except strongroom.StrongroomError as error:
                told.append(error.code)
            time.sleep(0.2)


@pytest.mark.thorough(sample=1)
@pytest.mark.parametrize("guarded", [True, False], ids=["guard", "no guard"])
def test_alongside_the_legacy_application_no_key_is_lost(
    shared: SharedDatabase, guarded: bool, rng: random.Random
) -> None:
    deployment = shared.deployment
    if guarded:
        with closing(open_guard(Settings(database=deployment.url))) as guard:
            guard.install("archive")
    errors: list[str] = []
    outcomes: list[UnitOutcome] = []
    rewrapped: list[str] = []
    life = old_life_on_sqlite if deployment.backend == "sqlite" else old_life
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:  # a busy machine needs more than one round
        end = time.monotonic() + SECONDS
        calls: list[Callable[[], None]] = [partial(repairing, shared, end, outcomes)]
        calls.append(partial(rewrapping, shared, end, rewrapped))
        calls += [partial(life, shared, rng.random(), end, errors) for _ in range(THREADS[deployment.backend])]
        run_at_once(calls)
        endings = Counter(outcome.status for outcome in outcomes)
        if endings[UnitStatus.DONE] > 5 and shared.overwritten_by_us() > 5:
            break
    failed = Counter(str(outcome.error) for outcome in outcomes if outcome.error is not None)
    seen = (endings, failed, Counter(rewrapped), Counter(errors), shared.overwritten_by_us())
    print(f"\n{deployment.backend}, {'guarded' if guarded else 'not guarded'}: {seen}")
    assert shared.lost(by_us=not guarded) == set()
    assert endings[UnitStatus.DONE] > 5, seen
    assert shared.overwritten_by_us() > 5, seen


# --- what changed since --------------------------------------------------------------------------------------


@pytest.mark.parametrize("moment", ["before the look", "between look and lock"])
def test_what_changed_since_the_plan_is_left_alone(
    shared: SharedDatabase, moment: str, rng: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment, wallet = shared.deployment, next(iter(shared.keys))
    texts = [spelled(shared.keys[wallet], "hex"), spelled(shared.keys[wallet], "0x")]
    write = "UPDATE credential_vault_storage SET encrypted_private_key = ? WHERE credential_id = ?"
    deployment.execute(write, texts[0], wallet)
    plan = make_plan(deployment.url, deployment.root_key)
    assert [unit.credential_id for unit in plan.units] == [str(wallet)]
    with repair_session(deployment.url, deployment.root_key) as opened:
        applier = Applier(opened.vault_context, opened.store, opened.examination_context, plan)
        if moment == "before the look":
            deployment.execute(write, texts[1], wallet)
        else:
            genuine = opened.store.apply_changes

            def apply_changes(*args: Any) -> bool:
                deployment.execute(write, texts[1], wallet)
                return genuine(*args)

            monkeypatch.setattr(opened.store, "apply_changes", apply_changes)
        assert [outcome.status for outcome in applier.run()] == [UnitStatus.CHANGED]
    assert deployment.texts()[wallet] == texts[1]
    assert [text for _, text in all_texts(deployment.url) if text in texts] == [texts[1]], "nothing was kept of it"


# --- locks ---------------------------------------------------------------------------------------------------


@pytest.mark.thorough(sample=1)
@pytest.mark.parametrize("isolation", ["read committed", "repeatable read", "serializable"])
@pytest.mark.parametrize("repair_scene", ["g4-vault"], indirect=True)
def test_deadlocks_and_serialization_failures_are_tried_again(
    repair_scene: RepairScene, isolation: str, rng: random.Random
) -> None:
    witness = RepairWitness(repair_scene)
    url = repair_scene.clone()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {repair_scene.names[-1]} SET deadlock_timeout = '20ms'".encode())
        connection.execute(
            f"ALTER DATABASE {repair_scene.names[-1]} SET default_transaction_isolation = '{isolation}'".encode()
        )
    ids = [unit.credential_id for unit in repair_scene.plan.units]
    met: Counter[str] = Counter()
    working = True

    def opposite(seed: float) -> None:
        own = random.Random(seed)
        with psycopg.connect(url) as connection:
            while working:
                wallet = own.choice(ids)
                try:
                    connection.execute(
                        "UPDATE credential_vault_storage SET updated_at = now() WHERE credential_id = %s", [wallet]
                    )
                    time.sleep(own.random() * 0.01)
                    connection.execute("SELECT 1 FROM project_credentials WHERE id = %s FOR UPDATE", [wallet])
                    connection.commit()
                except psycopg.Error as error:
                    met[type(error).__name__] += 1
                    connection.rollback()

    outcomes: list[UnitOutcome] = []

    def repair() -> None:
        nonlocal working
        try:
            outcomes.extend(run_plan(url, repair_scene.root_key, repair_scene.plan))
        finally:
            working = False

    run_at_once([repair, *(partial(opposite, rng.random()) for _ in range(6))])
    print(f"\n{isolation}: {met}")
    assert [(outcome.status, outcome.error) for outcome in outcomes] == [(UnitStatus.DONE, None)] * len(ids)
    witness.assert_ended(url)
