"""The guard's event triggers: DROP and ALTER that would lose keys are refused, and everything else passes."""

from __future__ import annotations

import psycopg
import pytest
from psycopg.errors import RestrictViolation

import strongroom
from testbed.command_line import call
from testbed.databases.deployments import Deployment
from testbed.databases.rows import execute

pytestmark = pytest.mark.one_node

REFUSED = (
    "DROP TABLE strongroom_slot",
    "DROP TABLE credential_vault_storage CASCADE",
    "DROP SCHEMA strongroom CASCADE",
    "DROP SCHEMA strongroom_guard CASCADE",
    "ALTER TABLE credential_vault_storage DROP COLUMN encrypted_private_key CASCADE",
    "ALTER TABLE strongroom_vault_history DROP COLUMN text",
    "ALTER TABLE credential_vault_storage RENAME COLUMN encrypted_private_key TO secret",
    "ALTER TABLE credential_vault_storage ALTER COLUMN vault_id TYPE text USING ''",
    "ALTER TABLE credential_vault_storage ALTER COLUMN vault_id TYPE bytea USING ''",
    "BEGIN; SAVEPOINT a; ALTER TABLE strongroom_keyring_wrap ALTER wrapped TYPE text USING upper(wrapped); COMMIT",
    "ALTER TABLE strongroom_keyring_wrap RENAME TO anything",
    "ALTER INDEX strongroom_keyring_wrap RENAME TO anything",
    "ALTER TABLE credential_vault_storage SET SCHEMA elsewhere",
    "ALTER SCHEMA strongroom RENAME TO old",
    "ALTER SCHEMA strongroom_guard RENAME TO old",
    "DROP TRIGGER strongroom_guard_delete ON credential_vault_storage",
    "ALTER TABLE credential_vault_storage DISABLE TRIGGER strongroom_guard_delete",
    "ALTER TABLE credential_vault_storage DISABLE TRIGGER ALL",
    "ALTER TABLE credential_vault_storage ENABLE REPLICA TRIGGER strongroom_guard_update",
    "ALTER TRIGGER strongroom_guard_delete ON credential_vault_storage RENAME TO gone",
    "DO $$ BEGIN EXECUTE 'DROP TABLE strong' || 'room_keyring CASCADE'; END $$",
)
PASSES = (
    "ALTER TABLE credential_vault_storage ADD COLUMN note text DEFAULT gen_random_uuid()::text",
    "ALTER TABLE credential_vault_storage ALTER COLUMN note TYPE varchar(99) USING upper(note)",
    "ALTER TABLE credential_vault_storage RENAME COLUMN note TO remark",
    "ALTER TABLE credential_vault_storage DROP COLUMN remark",
    "CREATE TABLE other (id int, encrypted_private_key text); ALTER TABLE other DROP COLUMN encrypted_private_key",
    "ALTER TABLE other RENAME COLUMN id TO n; ALTER TABLE other ALTER n TYPE bigint; DROP TABLE other",
    "CREATE TEMP TABLE strongroom_slot (n int); DROP TABLE pg_temp.strongroom_slot",
    "CREATE INDEX extra ON project_credentials (network); DROP INDEX extra; VACUUM project_credentials",
    "DELETE FROM strongroom_idempotency",
    "ALTER SCHEMA elsewhere RENAME TO farther; ALTER SCHEMA farther RENAME TO elsewhere",
    "CREATE TABLE more (id int); ALTER TABLE more RENAME TO less; ALTER TABLE less SET SCHEMA elsewhere",
    "ALTER TABLE elsewhere.less RENAME TO strongroom_slot; DROP TABLE elsewhere.strongroom_slot",
)

RESET = """
DO $$ DECLARE each text; BEGIN
    FOR each IN SELECT format('DROP ROUTINE %s CASCADE', oid::regprocedure) FROM pg_proc
                 WHERE pronamespace = 'public'::regnamespace
      UNION ALL SELECT format('DROP TABLE IF EXISTS %s CASCADE', oid::regclass) FROM pg_class
                 WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
      UNION ALL SELECT format('DROP SCHEMA %I CASCADE', nspname) FROM pg_namespace
                 WHERE nspname !~ '^pg_|^information_schema$|^public$'
    LOOP EXECUTE each; END LOOP;
END $$
"""
"""What ``supabase db reset --linked`` does: object by object in public, then every schema that is not the system's."""


def run(url: str, sql: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in [sql] if "$" in sql else sql.split("; "):
            connection.execute(statement.encode())


def refusal(url: str, sql: str) -> str:
    """The hint with which a statement is refused; empty where it is not."""
    try:
        run(url, sql)
    except RestrictViolation as error:
        assert "keys could be lost" in str(error)
        return str(error.diag.message_hint)
    return ""


def guard(deployment: Deployment, *arguments: str) -> tuple[int, dict[str, object]]:
    answer = call("guard", *arguments, "--json", "--database", deployment.url)
    return answer.code, answer.document


@pytest.mark.parametrize("deployment", ["fresh", "g4"], indirect=True)
def test_what_loses_keys_is_refused_and_everything_else_passes(deployment: Deployment) -> None:
    with deployment.open() as vault:
        wallet = vault.create_wallet(deployment.project(), "ethereum").wallet
        code, found = guard(deployment, "--install")
        assert (code, found["state"]) == (0, "installed")
        assert found["event_triggers"]["sql"] is None  # type: ignore[index]
        run(deployment.url, "CREATE SCHEMA elsewhere")
        for statement in REFUSED:
            assert "guard --remove" in refusal(deployment.url, statement), statement
        if deployment.backend == "g4":
            assert refusal(deployment.url, "DROP SCHEMA public CASCADE")
        for statement in PASSES:
            run(deployment.url, statement)
        assert guard(deployment, "--status")[0] == 0
        run(deployment.url, f"DROP EVENT TRIGGER {next(iter(found['event_triggers']['states']))}")  # type: ignore[index]
        told = call("guard", "--status", "--database", deployment.url)
        assert "may not make" not in told.err
        assert "Next: strongroom guard --install" in told.err
        assert "CREATE EVENT TRIGGER" not in told.out
        assert guard(deployment, "--install")[1]["event_triggers"]["sql"] is None  # type: ignore[index]
        assert vault.get_wallet(wallet.id) == wallet
        assert all(result.ok for result in vault.verify())
    assert guard(deployment, "--install", "--mode", "refuse")[0] == 0
    assert guard(deployment, "--remove")[0] == 0
    assert execute(deployment.url, "SELECT count(*) FROM pg_event_trigger") == [(0,)]
    assert execute(deployment.url, "SELECT to_regnamespace('strongroom_guard')") == [(None,)]
    run(deployment.url, "DROP TABLE strongroom_slot")


@pytest.mark.parametrize("deployment", ["fresh", "g4"], indirect=True)
def test_a_reset_as_of_supabase_is_refused_and_takes_nothing(deployment: Deployment) -> None:
    with deployment.open() as vault:
        wallet = vault.create_wallet(deployment.project(), "ethereum").wallet
    for home in ("strongroom", "public"):
        assert (
            call("upgrade", "--move-to", home, "--database", deployment.url, "--root-key", deployment.root_key).code
            == 0
        )
        assert guard(deployment, "--install")[0] == 0
        assert "guard --remove" in refusal(deployment.url, RESET), home
        assert guard(deployment, "--status")[0] == 0
        with deployment.open() as vault:
            assert vault.get_wallet(wallet.id) == wallet
            assert all(result.ok for result in vault.verify())
    assert guard(deployment, "--remove")[0] == 0
    run(deployment.url, RESET)
    options = ("--json", "--database", deployment.url, "--root-key", deployment.root_key)
    for verb in ("status", "doctor"):
        error = call(verb, *options).document["error"]
        assert (error["code"], "backup" in error["hint"]) == ("not-initialized", True)


@pytest.mark.parametrize("deployment", ["fresh"], indirect=True)
def test_a_role_that_may_not_make_them_is_told_with_the_sql(deployment: Deployment) -> None:
    run(deployment.url, "DO $$ BEGIN CREATE ROLE ddl_owner LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
    tables = execute(deployment.url, "SELECT tablename::text FROM pg_tables WHERE schemaname = 'strongroom'")
    for (table,) in tables:
        run(deployment.url, f"ALTER TABLE strongroom.{table} OWNER TO ddl_owner")
    run(deployment.url, "ALTER SCHEMA strongroom OWNER TO ddl_owner")
    owner = Deployment(deployment.backend, deployment.url.replace("postgres@", "ddl_owner@"), deployment.root_key)
    code, found = guard(owner, "--install")
    assert (code, found["state"]) == (0, "installed")
    told = found["event_triggers"]
    assert isinstance(told, dict)
    assert set(told["states"].values()) == {"missing"}
    answer = call("guard", "--status", "--database", owner.url)
    assert answer.code == 0
    assert "a superuser does so with" in answer.err
    assert "CREATE EVENT TRIGGER" in answer.out
    run(owner.url, f"ALTER TABLE {TABLE} ADD COLUMN a int; ALTER TABLE {TABLE} DROP COLUMN a")
    run(deployment.url, told["sql"])
    assert guard(owner, "--status")[1]["event_triggers"]["sql"] is None  # type: ignore[index]
    assert refusal(owner.url, f"DROP TABLE {TABLE} CASCADE")
    # Their owner may change the functions: a superuser's DDL must not run them as the superuser.
    definer = "SELECT bool_and(prosecdef) FROM pg_proc WHERE proname ~ '^strongroom_guard_(drop|alter|rewrite)$'"
    assert execute(deployment.url, definer) == [(True,)]
    answer = call("guard", "--remove", "--json", "--database", owner.url)
    assert (answer.code, answer.document["error"]["code"]) == (1, "store-refused")
    assert guard(deployment, "--remove")[0] == 0
    with strongroom.open(owner.url, root_key=deployment.root_key) as vault:
        assert vault.create_wallet(deployment.project(), "ethereum").created


TABLE = "strongroom.credential_vault_storage"


@pytest.mark.parametrize("deployment", ["fresh"], indirect=True)
def test_what_another_role_made_there_first_is_the_installers_afterwards(deployment: Deployment) -> None:
    """Its owner could exchange the function, and what a superuser drops would run it."""
    run(deployment.url, "DO $$ BEGIN CREATE ROLE ddl_stranger; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
    run(deployment.url, "CREATE SCHEMA strongroom_guard AUTHORIZATION ddl_stranger")
    run(
        deployment.url,
        "SET ROLE ddl_stranger; CREATE FUNCTION strongroom_guard.strongroom_guard_drop() RETURNS event_trigger "
        "LANGUAGE plpgsql AS 'BEGIN END'",
    )
    assert guard(deployment, "--install")[0] == 0
    owners = (
        "SELECT p.proowner::regrole::text, n.nspowner::regrole::text, p.prosecdef FROM pg_proc p "
        "JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = 'strongroom_guard'"
    )
    assert execute(deployment.url, owners) == [("postgres", "postgres", True)]
    assert refusal(deployment.url, "DROP TABLE strongroom_slot")
    assert guard(deployment, "--remove")[0] == 0
