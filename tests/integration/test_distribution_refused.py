"""Distributing tables: what stands in the way is refused first, and an error says which steps are done.

On plain PostgreSQL, whose catalogue is the same; `tests/citus` asks Citus whether it refuses these.
"""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import CheckConstraint

import strongroom
from strongroom.errors import DistributionRefusedError
from strongroom.store import schema
from strongroom.store.catalog.sharding import SAME_EVERYWHERE, TENANTS
from strongroom.store.write_conditions import LATER_CHECKS
from testbed.command_line import call
from testbed.databases.citus_functions import AS_CITUS, CHECKS, STATEMENT
from testbed.databases.granted_roles import create_roles, url_of
from testbed.databases.older_versions import begin_upgrade, take_back, upgrade

pytestmark = pytest.mark.one_node
_TRIGGER = (
    "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; "
    "CREATE TRIGGER t BEFORE INSERT ON {0} FOR EACH ROW EXECUTE FUNCTION f()"
)
_BY_ID = "AS SELECT id, network FROM project_credentials GROUP BY id"
OBSTACLES = {
    "trigger": (_TRIGGER.format("project_credentials"), "t on project_credentials", "guard --remove"),
    "trigger of the events": (_TRIGGER.format("strongroom_events"), "t on strongroom_events", "drop the others"),
    "foreign key to ours": (
        "CREATE TABLE theirs (id uuid CONSTRAINT f REFERENCES project_credentials)",
        "f of theirs",
        "with project_id between tables",
    ),
    "foreign key to the events": (
        "CREATE TABLE theirs (id uuid CONSTRAINT f REFERENCES strongroom_events)",
        "f of theirs",
        "Drop these foreign keys",
    ),
    "foreign key from ours": (
        "CREATE TABLE theirs (id uuid PRIMARY KEY); "
        "ALTER TABLE strongroom_slot ADD CONSTRAINT f FOREIGN KEY (project_id) REFERENCES theirs NOT VALID",
        "f of strongroom_slot",
        "create_reference_table",
    ),
    "another foreign key between ours": (
        "ALTER TABLE strongroom_slot ADD CONSTRAINT f FOREIGN KEY (credential_id) REFERENCES project_credentials",
        "f of strongroom_slot",
        "Drop these foreign keys",
    ),
    "unique index": (
        "CREATE UNIQUE INDEX u ON project_credentials (wallet_address, id)",
        "u on project_credentials",
        "with project_id among their columns",
    ),
    "unique index of an expression": (
        "CREATE UNIQUE INDEX u ON project_credentials ((project_id::text), id)",
        "u on project_credentials",
        "with project_id among their columns",
    ),
    "unique constraint": (
        "ALTER TABLE credential_usage_logs ADD CONSTRAINT u UNIQUE (id) INCLUDE (project_id)",
        "u on credential_usage_logs",
        "with project_id among their columns",
    ),
    "exclusion": (
        "ALTER TABLE strongroom_nonce ADD CONSTRAINT x EXCLUDE USING btree (address WITH =, nonce WITH =)",
        "x on strongroom_nonce",
        "with the operator =",
    ),
    "view": (f"CREATE VIEW v {_BY_ID}", "view strongroom.v", "GROUP BY"),
    "materialized view": (f"CREATE MATERIALIZED VIEW v {_BY_ID}", "materialized view strongroom.v", "GROUP BY"),
    "function": (
        "CREATE FUNCTION f() RETURNS SETOF text BEGIN ATOMIC SELECT network FROM project_credentials GROUP BY id; END",
        "function strongroom.f()",
        "make them anew afterwards",
    ),
    "replica identity": (
        "ALTER TABLE project_credentials REPLICA IDENTITY USING INDEX project_credentials_pkey",
        "project_credentials",
        "REPLICA IDENTITY DEFAULT",
    ),
    "child": ("CREATE TABLE theirs () INHERITS (credential_usage_logs)", "credential_usage_logs", "NO INHERIT"),
    "parent": (
        "CREATE TABLE theirs (); ALTER TABLE strongroom_events INHERIT theirs",
        "strongroom_events",
        "NO INHERIT",
    ),
    "policy": (
        "CREATE POLICY p ON project_credentials USING (project_id IN (SELECT project_id FROM strongroom_slot))",
        "p on project_credentials",
        "without a subquery",
    ),
    "constraint that is not valid": (
        "ALTER TABLE project_credentials ADD CONSTRAINT k CHECK (network <> 'x') NOT VALID",
        "k on project_credentials",
        "VALIDATE CONSTRAINT",
    ),
    "type": (
        "CREATE TYPE r AS RANGE (subtype = float8); CREATE DOMAIN d AS r[]; "
        "ALTER TABLE project_credentials ADD COLUMN n d",
        "type strongroom.r",
        "Drop what uses them",
    ),
    "operator": (
        "CREATE OPERATOR === (leftarg = text, rightarg = text, function = texteq); "
        "ALTER TABLE project_credentials ADD CHECK (network === network)",
        "operator strongroom.===(pg_catalog.text,pg_catalog.text)",
        "an extension has",
    ),
    "sequence": (
        "CREATE SEQUENCE q; ALTER TABLE credential_usage_logs ADD COLUMN n int DEFAULT nextval('q'); "
        "ALTER TABLE strongroom_events ADD COLUMN n bigint DEFAULT nextval('q')",
        "strongroom.q",
        "sequence of its own",
    ),
    "rows of another project": (
        "UPDATE credential_usage_logs SET project_id = gen_random_uuid()",
        "1 of credential_usage_logs",
        "strongroom verify",
    ),
    "distributed in another way": (
        "SELECT pg_catalog.create_distributed_table('strongroom_slot', 'network')",
        "strongroom_slot",
        "undistribute_table",
    ),
    "a worker": ("UPDATE pg_catalog.pg_dist_local_group SET groupid = 1", "not the coordinator", "coordinator's URL"),
    "no nodes": ("UPDATE pg_catalog.pg_dist_node SET isactive = false", "No node of the cluster", "citus_add_node"),
}
ALLOWED = (
    "CREATE UNIQUE INDEX u ON project_credentials (lower(wallet_address), project_id)",
    "CREATE UNIQUE INDEX u ON strongroom_events (id, event)",
    "ALTER TABLE strongroom_nonce ADD CONSTRAINT x EXCLUDE USING btree (project_id WITH =, nonce WITH =)",
    "CREATE VIEW v AS SELECT id, network FROM project_credentials",
    "CREATE POLICY p ON project_credentials USING (network = current_setting('x.y', true))",
    "ALTER TABLE credential_usage_logs ADD COLUMN n bigint GENERATED ALWAYS AS IDENTITY",
    "ALTER TABLE credential_usage_logs ADD COLUMN q serial",
    "CREATE TYPE e AS ENUM ('a'); ALTER TABLE project_credentials ADD COLUMN n e[]",
    "CREATE DOMAIN d AS text CHECK (VALUE <> ''); ALTER TABLE project_credentials ADD COLUMN m d",
)


def run(url: str, script: str) -> None:
    """Run SQL whose names are looked for in the vault's schema."""
    with psycopg.connect(url) as connection:
        connection.execute("SET search_path = strongroom")
        connection.execute(script)


@pytest.fixture
def citus_like(postgresql_vault_url: str, root_key_uri: str) -> str:
    """A vault with a wallet, on a server that says it had Citus."""
    with strongroom.open(postgresql_vault_url, root_key=root_key_uri) as vault:
        vault.create_wallet(uuid4(), "ethereum")
    run(postgresql_vault_url, AS_CITUS)
    return postgresql_vault_url


def not_done(url: str) -> list[str]:
    """The steps that are left; here nothing ever stays behind, and each run says so again."""
    steps = strongroom.open_takeover(url).distribution_steps()
    return [step.about for step in steps if not step.about.endswith("stay behind on the coordinator")]


def state(url: str) -> list[Any]:
    """What a step would change: constraints, indexes, and what is distributed."""
    with psycopg.connect(url) as connection:
        return [
            connection.execute(sql).fetchall()
            for sql in (
                "SELECT conrelid, conname, pg_get_constraintdef(oid) FROM pg_constraint ORDER BY 1, 2",
                "SELECT indexrelid, pg_get_indexdef(indexrelid) FROM pg_index ORDER BY 1",
                "SELECT logicalrelid, partmethod FROM pg_dist_partition ORDER BY 1",
            )
        ]


@pytest.mark.parametrize("kind", OBSTACLES)
def test_what_stands_in_the_way_is_refused_before_the_first_step(kind: str, citus_like: str) -> None:
    script, named, hint = OBSTACLES[kind]
    run(citus_like, script)
    before = state(citus_like)
    for option in ("--apply", "--print"):
        refused = call("distribute", option, "--database", citus_like, "--json").document["error"]
        assert refused["code"] == "distribution-refused"
        assert named in refused["message"]
        assert refused["message"].endswith("Nothing was changed.")
        assert hint in refused["hint"]
    assert state(citus_like) == before


def test_all_that_stands_in_the_way_is_told_at_once(citus_like: str) -> None:
    for kind in ("unique index", "view", "no nodes"):
        run(citus_like, OBSTACLES[kind][0])
    with pytest.raises(DistributionRefusedError) as caught:
        strongroom.open_takeover(citus_like).distribute()
    for named in ("u on project_credentials", "view strongroom.v", "No node"):
        assert named in caught.value.message
    for hint in ("with project_id among", "GROUP BY", "citus_add_node"):
        assert hint in caught.value.hint


def test_what_citus_takes_is_not_refused(citus_like: str) -> None:
    for number, script in enumerate(ALLOWED):
        run(citus_like, script.replace("INDEX u", f"INDEX u{number}"))
    assert strongroom.open_takeover(citus_like).distribute() > 0
    run(citus_like, OBSTACLES["unique constraint"][0])  # what comes afterwards is not asked for
    assert not_done(citus_like) == []


def test_an_upgrade_that_is_not_finished_is_refused(postgresql_vault_url: str, root_key_uri: str) -> None:
    with strongroom.open(postgresql_vault_url, root_key=root_key_uri) as vault:
        vault.create_wallet(uuid4(), "ethereum")
    take_back(postgresql_vault_url, "0002")
    run(postgresql_vault_url, AS_CITUS)
    begin_upgrade(postgresql_vault_url, root_key_uri)
    refused = call("distribute", "--apply", "--database", postgresql_vault_url, "--json").document["error"]
    assert refused["code"] == "distribution-refused"
    assert "strongroom upgrade" in refused["hint"]
    upgrade(postgresql_vault_url, root_key_uri)
    assert call("distribute", "--apply", "--database", postgresql_vault_url).code == 0


@pytest.fixture(params=["0001", "0002"])
def upgraded(request: pytest.FixtureRequest, postgresql_vault_url: str, root_key_uri: str) -> str:
    """A vault that an older version made, brought up to date, on a server that says it had Citus."""
    with strongroom.open(postgresql_vault_url, root_key=root_key_uri) as vault:
        vault.create_wallet(uuid4(), "ethereum")
    take_back(postgresql_vault_url, request.param)
    upgrade(postgresql_vault_url, root_key_uri)
    run(postgresql_vault_url, AS_CITUS)
    return postgresql_vault_url


def checks(url: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(CHECKS).fetchall()


def test_constraints_that_are_added_again_are_those_of_the_schema() -> None:
    declared = {
        each.name: str(each.sqltext)
        for table in schema.metadata.sorted_tables
        for each in table.constraints
        if isinstance(each, CheckConstraint)
    }
    assert {name: declared[name] for name in LATER_CHECKS} == LATER_CHECKS


def test_rows_of_older_versions_are_let_in_and_their_constraints_stay(upgraded: str) -> None:
    before = checks(upgraded)
    loose = [name for _, name, _, validated, _ in before if not validated]
    assert "credential_usage_logs_schema_version" in loose
    steps = strongroom.open_takeover(upgraded).distribution_steps()
    assert {name for step in steps for name in loose if name in step.about} == set(loose)
    assert call("distribute", "--apply", "--database", upgraded).code == 0
    assert checks(upgraded) == before


def test_where_a_table_is_refused_its_constraints_are_back_and_the_error_says_what_is_done(upgraded: str) -> None:
    before = checks(upgraded)
    run(
        upgraded,
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$; "
        "CREATE TRIGGER t BEFORE INSERT ON pg_catalog.pg_dist_partition FOR EACH ROW "
        "WHEN (NEW.logicalrelid = 'credential_usage_logs'::regclass) EXECUTE FUNCTION f()",
    )
    steps = strongroom.open_takeover(upgraded).distribution_steps()
    (place,) = [at for at, step in enumerate(steps) if step.about.startswith("credential_usage_logs: on the node")]
    answer = call("distribute", "--apply", "--database", upgraded)
    assert answer.code == 1
    assert f"Step {place + 1} of {len(steps)} failed (credential_usage_logs: on the node of its project" in answer.err
    assert f"The {place} before it are done, and stay." in answer.err
    assert "Of the step that failed nothing was changed." in answer.err
    assert "Nothing was" not in answer.err
    assert "goes on with this step" in answer.err
    assert checks(upgraded) == before
    document = call("distribute", "--apply", "--database", upgraded, "--json").document
    assert document["error"]["message"].startswith("Step 1 of ")
    run(upgraded, "DROP TRIGGER t ON pg_catalog.pg_dist_partition")
    assert len(strongroom.open_takeover(upgraded).distribution_steps()) == len(steps) - place
    assert call("distribute", "--apply", "--database", upgraded).code == 0
    assert checks(upgraded) == before


@pytest.mark.parametrize("state", ["42P01", "42501", "57P01"])
def test_the_error_of_a_step_sends_nobody_to_init_or_a_backup(state: str, citus_like: str) -> None:
    run(
        citus_like,
        "CREATE OR REPLACE FUNCTION pg_catalog.create_reference_table(table_name regclass) RETURNS void "
        f"LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{state}'; END $$",
    )
    answer = call("distribute", "--apply", "--database", citus_like)
    assert answer.code != 0
    assert "before it are done, and stay." in answer.err
    assert "strongroom init" not in answer.err
    assert "backup" not in answer.err
    assert "goes on with this step" in answer.err


def test_each_step_can_be_the_last_one_of_a_run(upgraded: str) -> None:
    before = checks(upgraded)
    runs = 0

    def stop(_: Any) -> None:
        raise KeyboardInterrupt

    while not_done(upgraded) and runs < 100:
        with pytest.raises(KeyboardInterrupt):
            strongroom.open_takeover(upgraded).distribute(stop)
        assert checks(upgraded) == before
        runs += 1
    assert 20 < runs < 100


def test_what_is_printed_is_what_is_run(upgraded: str) -> None:
    before = checks(upgraded)
    printed = call("distribute", "--print", "--database", upgraded).out
    assert "\nBEGIN;\nALTER TABLE" in printed
    with psycopg.connect(upgraded, autocommit=True) as connection:
        for statement in STATEMENT.findall(printed):
            connection.execute(statement)
    assert checks(upgraded) == before
    assert not_done(upgraded) == []


def test_a_role_that_does_not_own_every_table_is_refused(citus_like: str) -> None:
    role = create_roles(citus_like, ("owner",))["owner"]
    try:
        run(citus_like, f"GRANT USAGE ON SCHEMA strongroom TO {role}")
        for table in (*TENANTS, *SAME_EVERYWHERE):
            run(citus_like, f"ALTER TABLE {table} OWNER TO {role}")
        run(citus_like, f"ALTER TABLE strongroom_nonce OWNER TO CURRENT_USER; GRANT ALL ON strongroom_nonce TO {role}")
        run(citus_like, "ALTER TABLE strongroom_nonce DISABLE ROW LEVEL SECURITY")
        run(citus_like, "GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA pg_catalog TO PUBLIC")
        as_role = ("--database", url_of(citus_like, role), "--schema", "strongroom")
        refused = call("distribute", "--apply", *as_role, "--json").document["error"]
        assert refused["code"] == "distribution-refused"
        for named in ("strongroom_nonce", "the schema strongroom"):
            assert named in refused["message"]
        run(citus_like, f"ALTER TABLE strongroom_nonce OWNER TO {role}; GRANT CREATE ON SCHEMA strongroom TO {role}")
        assert call("distribute", "--apply", *as_role).code == 0
    finally:
        run(citus_like, f"REASSIGN OWNED BY {role} TO CURRENT_USER; DROP OWNED BY {role}; DROP ROLE {role}")
