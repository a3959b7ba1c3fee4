"""What stands in the way of distributing on Citus: refused first, with a way out that works."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import psycopg
import pytest

import strongroom
from strongroom.store.migrations.distribution import Distributor
from testbed.command_line import call

OBSTACLES = {
    "t on strongroom_events": (
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; "
        "CREATE TRIGGER t BEFORE INSERT ON strongroom_events FOR EACH ROW EXECUTE FUNCTION f()",
        "DROP TRIGGER t ON strongroom_events",
        None,
    ),
    "notes_key of notes": (
        "CREATE TABLE notes (project_id uuid, wallet uuid CONSTRAINT notes_key REFERENCES project_credentials)",
        "ALTER TABLE notes DROP CONSTRAINT notes_key",
        "SELECT create_distributed_table('notes', 'project_id', colocate_with => 'project_credentials'); "
        "ALTER TABLE notes ADD CONSTRAINT notes_key FOREIGN KEY (project_id, wallet) REFERENCES project_credentials",
    ),
    "event_key of events": (
        "CREATE TABLE events (event uuid CONSTRAINT event_key REFERENCES strongroom_events)",
        "ALTER TABLE events DROP CONSTRAINT event_key",
        "ALTER TABLE events ADD CONSTRAINT event_key FOREIGN KEY (event) REFERENCES strongroom_events",
    ),
    "projects_key of project_credentials": (
        "CREATE TABLE projects AS SELECT project_id AS id FROM project_credentials; "
        "ALTER TABLE projects ADD PRIMARY KEY (id); ALTER TABLE project_credentials "
        "ADD CONSTRAINT projects_key FOREIGN KEY (project_id) REFERENCES projects",
        "ALTER TABLE project_credentials DROP CONSTRAINT projects_key",
        "SELECT create_reference_table('projects'); ALTER TABLE project_credentials "
        "ADD CONSTRAINT projects_key FOREIGN KEY (project_id) REFERENCES projects",
    ),
    "u on project_credentials": (
        "CREATE UNIQUE INDEX u ON project_credentials (wallet_address, id)",
        "DROP INDEX u; CREATE UNIQUE INDEX u ON project_credentials (wallet_address, id, project_id)",
        None,
    ),
    "x on strongroom_nonce": (
        "ALTER TABLE strongroom_nonce ADD CONSTRAINT x EXCLUDE USING btree (address WITH =, nonce WITH =)",
        "ALTER TABLE strongroom_nonce DROP CONSTRAINT x, "
        "ADD CONSTRAINT x EXCLUDE USING btree (project_id WITH =, address WITH =, nonce WITH =)",
        None,
    ),
    "view strongroom.v": (
        "CREATE VIEW v AS SELECT id, network FROM project_credentials GROUP BY id",
        "DROP VIEW v",
        "CREATE VIEW v AS SELECT id, network FROM project_credentials GROUP BY project_id, id",
    ),
    "replica identity of these tables: strongroom_wallet": (
        "ALTER TABLE strongroom_wallet REPLICA IDENTITY USING INDEX strongroom_wallet_credential_id_key",
        "ALTER TABLE strongroom_wallet REPLICA IDENTITY DEFAULT",
        None,
    ),
    "partitions: credential_usage_logs": (
        "CREATE TABLE child () INHERITS (credential_usage_logs)",
        "ALTER TABLE child NO INHERIT credential_usage_logs",
        None,
    ),
    "p on strongroom_slot": (
        "CREATE POLICY p ON strongroom_slot USING (label IN (SELECT network FROM project_credentials))",
        "DROP POLICY p ON strongroom_slot",
        None,
    ),
    "k on project_credentials": (
        "ALTER TABLE project_credentials ADD CONSTRAINT k CHECK (network <> 'x') NOT VALID",
        "ALTER TABLE project_credentials VALIDATE CONSTRAINT k",
        None,
    ),
    "type strongroom.r": (
        "CREATE TYPE r AS RANGE (subtype = float8); ALTER TABLE project_credentials ADD COLUMN n r",
        "ALTER TABLE project_credentials DROP COLUMN n",
        None,
    ),
    "strongroom.q.": (
        "CREATE SEQUENCE q; ALTER TABLE credential_usage_logs ADD COLUMN n int DEFAULT nextval('q'); "
        "ALTER TABLE strongroom_events ADD COLUMN n bigint DEFAULT nextval('q')",
        "ALTER TABLE strongroom_events ALTER COLUMN n DROP DEFAULT",
        None,
    ),
    "2 of credential_usage_logs": (
        "UPDATE credential_usage_logs SET project_id = gen_random_uuid()",
        "UPDATE credential_usage_logs l SET project_id = c.project_id FROM project_credentials c "
        "WHERE c.id = l.credential_id",
        None,
    ),
    "in another way: strongroom_idempotency": (
        "SELECT create_distributed_table('strongroom_idempotency', 'project_id')",
        "SELECT undistribute_table('strongroom_idempotency', cascade_via_foreign_keys => true)",
        None,
    ),
}
"""By what is named: SQL that brings it, SQL that takes it away, and SQL that makes it anew afterwards."""


def run(url: str, script: str) -> None:
    """Run SQL whose names are looked for in the vault's schema, a statement at a time."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET search_path = strongroom")
        for statement in [script] if "BEGIN" in script else script.split("; "):
            connection.execute(statement.encode())


@pytest.fixture
def with_wallets(citus_url: str, root_key_uri: str) -> str:
    with strongroom.open(citus_url, root_key=root_key_uri) as vault:
        for _ in range(2):
            vault.create_wallet(uuid4(), "ethereum")
    return citus_url


@pytest.fixture
def worker_table(with_wallets: str) -> Iterator[str]:
    """The URL of a node that has a table of the vault's name, with a row, which the cluster does not know."""
    with psycopg.connect(with_wallets) as connection:
        host, port = connection.execute(
            "SELECT nodename, nodeport FROM pg_dist_node WHERE groupid > 0 ORDER BY nodeid LIMIT 1"
        ).fetchone() or ("", 0)
        url = psycopg.conninfo.make_conninfo(with_wallets, host=host, port=port)
    with psycopg.connect(url) as connection:
        connection.execute("SET citus.enable_ddl_propagation = off")
        connection.execute("CREATE TABLE strongroom.strongroom_slot AS SELECT 'precious'::text")
    yield url
    with psycopg.connect(url) as connection:
        connection.execute("SET citus.enable_ddl_propagation = off")
        connection.execute("DROP TABLE IF EXISTS strongroom.precious")


def test_each_obstacle_is_named_and_what_the_hint_says_helps(with_wallets: str, root_key_uri: str) -> None:
    for script, _, _ in OBSTACLES.values():
        run(with_wallets, script)
    for option in ("--print", "--apply"):
        error = call("distribute", option, "--database", with_wallets, "--json").document["error"]
        assert error["code"] == "distribution-refused"
        assert [named for named in OBSTACLES if named not in error["message"]] == []
        assert error["message"].endswith("Nothing was changed.")
    for _, way_out, _ in reversed(OBSTACLES.values()):
        run(with_wallets, way_out)
    answer = call("distribute", "--apply", "--database", with_wallets)
    assert answer.code == 0, answer.err
    for _, _, again in OBSTACLES.values():
        if again is not None:
            run(with_wallets, again)
    assert strongroom.open_takeover(with_wallets).distribution_steps() == []
    with strongroom.open(with_wallets, root_key=root_key_uri) as vault:
        project = vault.list_projects().projects[0].id
        assert vault.create_wallet(project, "solana").created
        assert all(result.ok for result in vault.verify())


def test_tables_on_a_node_that_are_not_the_clusters_are_left_alone(with_wallets: str, worker_table: str) -> None:
    refused = call("distribute", "--apply", "--database", with_wallets, "--json").document["error"]
    assert refused["code"] == "distribution-refused"
    assert "strongroom.strongroom_slot" in refused["message"]
    with psycopg.connect(worker_table) as connection:
        connection.execute("SET citus.enable_ddl_propagation = off")
        assert connection.execute("SELECT * FROM strongroom.strongroom_slot").fetchall() == [("precious",)]
        connection.execute("ALTER TABLE strongroom.strongroom_slot RENAME TO precious")
    assert call("distribute", "--apply", "--database", with_wallets).code == 0


def test_settings_that_citus_would_not_keep_are_refused(with_wallets: str) -> None:
    for setting in ("shard_replication_factor=2", "enable_ddl_propagation=off", "enable_metadata_sync=off"):
        url = f"{with_wallets}?options=-c%20citus.{setting.replace('=', '%3D')}"
        refused = call("distribute", "--print", "--database", url, "--json").document["error"]
        assert refused["code"] == "distribution-refused"
        assert f"citus.{setting.replace('=', ' = ')}" in refused["message"]


def test_a_step_that_fails_says_which_one_and_that_those_before_stay(
    with_wallets: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    script, way_out, _ = OBSTACLES["t on strongroom_events"]
    run(with_wallets, script)
    with monkeypatch.context() as patch:
        patch.setattr(Distributor, "_require_free", lambda *_: None)  # as if nobody had thought of it
        steps = strongroom.open_takeover(with_wallets).distribution_steps()
        answer = call("distribute", "--apply", "--database", with_wallets)
    (place,) = [at for at, step in enumerate(steps) if step.about.startswith("strongroom_events: the same")]
    assert answer.code == 1
    assert f"Step {place + 1} of {len(steps)} failed (strongroom_events: the same on every node)" in answer.err
    assert f"The {place} before it are done, and stay." in answer.err
    assert "Nothing was changed" not in answer.err
    run(with_wallets, way_out)
    assert len(strongroom.open_takeover(with_wallets).distribution_steps()) == len(steps) - place
    assert call("distribute", "--apply", "--database", with_wallets).code == 0
