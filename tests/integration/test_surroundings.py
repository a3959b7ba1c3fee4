"""Other roles' code around the tables, as doctor says it: who may make more, what is in the way, what runs as us."""

from __future__ import annotations

import json
from collections.abc import Callable

import psycopg
import pytest

from strongroom.store.catalog.profile import read_profile
from strongroom.store.catalog.surroundings import Surroundings, read_surroundings
from strongroom.store.connection.engine import ConnectionSettings
from strongroom.store.connection.read_only import ReadOnlyDatabase
from strongroom.takeover.doctor.findings import Finding
from strongroom.takeover.doctor.surrounding_probes import notes, shadow_findings
from testbed.command_line import call
from testbed.databases.foreign import run_script
from testbed.databases.rows import grant_on_all_tables

C, V = "project_credentials", "credential_vault_storage"
ROLES = """
DO $$ BEGIN CREATE ROLE guest LOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
DO $$ BEGIN CREATE ROLE plain LOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
"""


def look(url: str) -> Surroundings:
    with ReadOnlyDatabase.open(url, ConnectionSettings(connect_timeout_seconds=5, busy_timeout_seconds=5)) as database:
        return read_surroundings(database, read_profile(database))


def told(url: str) -> list[Finding]:
    found = look(url)
    return [note for note in [*shadow_findings(found), *notes(found)] if note.code != "runs-as-superuser"]


def test_nothing_is_told_of_a_fresh_vault_with_a_guard(vault_url: str, root_key_uri: str) -> None:
    for mode in ("archive", "refuse"):
        assert call("guard", "--database", vault_url, "--install", "--mode", mode).code == 0
        assert told(vault_url) == []


def test_the_triggers_of_another_application_are_named(make_legacy: Callable[..., str]) -> None:
    evidence = {(note.table, note.evidence.split(",")[0]) for note in told(make_legacy("g4", initialised=True))}
    assert (
        C,
        "the trigger trigger_sync_credential_vault_storage runs public.sync_credential_vault_storage",
    ) in evidence
    assert {note.code for note in told(make_legacy("g4"))} == {"foreign-code"}


def test_who_may_create_is_named(postgresql_vault_url: str) -> None:
    run_script(postgresql_vault_url, f"{ROLES} GRANT CREATE ON SCHEMA public TO guest")
    (note,) = told(postgresql_vault_url)
    assert (note.code, note.severity) == ("others-may-create", "note")
    assert note.evidence.endswith("others may CREATE what names are looked up as: guest.")
    run_script(postgresql_vault_url, "GRANT CREATE ON SCHEMA public TO PUBLIC")
    (note,) = told(postgresql_vault_url)
    assert note.evidence.endswith(": PUBLIC.")
    run_script(postgresql_vault_url, "REVOKE CREATE ON SCHEMA public FROM PUBLIC, guest")
    assert told(postgresql_vault_url) == []


_FUNCTION = "CREATE FUNCTION same(a varchar, b varchar) RETURNS bool LANGUAGE sql AS 'SELECT true';"


@pytest.mark.parametrize(
    ("script", "named"),
    [
        (
            f"{_FUNCTION} CREATE OPERATOR = (LEFTARG = varchar, RIGHTARG = varchar, FUNCTION = same)",
            "operator = (character varying, character varying)",
        ),
        ("CREATE FUNCTION lower(a varchar) RETURNS text LANGUAGE sql AS 'SELECT NULL'", "function lower(a character"),
        ("CREATE DOMAIN jsonb AS pg_catalog.jsonb", "type jsonb"),
        ("CREATE TABLE public.pg_roles (n int)", "table pg_roles"),
        (
            "CREATE SCHEMA clone; CREATE TABLE clone.strongroom_slot (n int); DO $$ BEGIN "
            "EXECUTE format('ALTER DATABASE %I SET search_path = public, clone', current_database()); END $$",
            "In the schema clone stand table strongroom_slot",
        ),
    ],
)
def test_what_stands_in_another_things_place_is_a_finding(postgresql_vault_url: str, script: str, named: str) -> None:
    run_script(postgresql_vault_url, script)
    (finding,) = shadow_findings(look(postgresql_vault_url))
    assert (finding.code, finding.severity) == ("shadows-built-in", "error")
    assert named in finding.evidence
    answer = call("doctor", "--database", postgresql_vault_url, "--json")
    assert answer.code == 3
    assert json.loads(answer.out)["summary"] == {"shadows-built-in": 1}


@pytest.mark.parametrize(
    "script",
    [
        "CREATE FUNCTION shout(a text) RETURNS text LANGUAGE sql AS 'SELECT upper(a)'",
        "CREATE TYPE mood AS ENUM ('good'); CREATE FUNCTION lower(a mood) RETURNS mood LANGUAGE sql AS 'SELECT a'",
        "CREATE SCHEMA apart; CREATE TABLE apart.strongroom_slot (n int)",
        "CREATE TABLE upper (n int)",
    ],
)
def test_what_is_another_thing_is_none(postgresql_vault_url: str, script: str) -> None:
    run_script(postgresql_vault_url, script)
    assert told(postgresql_vault_url) == []


_OWN = "CREATE FUNCTION own(a text) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT a';"
_ROW = "CREATE FUNCTION row_changed() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"


@pytest.mark.one_server  # Citus takes no triggers, no rules, and no script of several statements
@pytest.mark.parametrize(
    ("script", "named"),
    [
        (f"{_OWN} ALTER TABLE {C} ALTER status SET DEFAULT own('active')", "the default of status runs public.own"),
        (f"{_OWN} ALTER TABLE {C} ADD x text GENERATED ALWAYS AS (own(status)) STORED", "the generated column x runs"),
        (f"{_OWN} ALTER TABLE {C} ADD CONSTRAINT k CHECK (own(status) <> '')", "the CHECK k runs public.own"),
        (f"{_OWN} CREATE INDEX i ON {C} (own(status))", "the index i runs public.own"),
        (f"{_OWN} CREATE POLICY p ON {C} USING (own(status) <> '')", "the policy p runs public.own"),
        (
            f"{_ROW} CREATE TRIGGER t BEFORE UPDATE ON {C} EXECUTE FUNCTION row_changed()",
            "the trigger t runs public.row",
        ),
        (f"CREATE RULE r AS ON UPDATE TO {C} DO ALSO NOTHING", "the rule r, as"),
        (
            f"{_ROW} CREATE TRIGGER strongroom_guard_update AFTER UPDATE ON {C} EXECUTE FUNCTION row_changed()",
            "the trigger",
        ),
    ],
)
def test_whatever_runs_a_function_of_others_is_named(postgresql_vault_url: str, script: str, named: str) -> None:
    run_script(postgresql_vault_url, script)
    (note,) = [note for note in told(postgresql_vault_url) if note.code == "foreign-code"]
    assert (note.table, note.severity) == (C, "note")
    assert note.evidence.startswith(named)


def test_a_guards_function_that_was_changed_is_named(postgresql_vault_url: str) -> None:
    assert call("guard", "--database", postgresql_vault_url, "--install").code == 0
    with psycopg.connect(postgresql_vault_url) as connection:
        found = connection.execute("SELECT pg_get_functiondef('strongroom_guard_truncate'::regproc)").fetchone()
        assert found is not None
        connection.execute(found[0].replace("RETURN NULL", "RETURN  NULL").encode())
    assert {note.evidence.split(",")[0] for note in told(postgresql_vault_url)} == {
        "the trigger strongroom_guard_truncate runs strongroom.strongroom_guard_truncate"
    }


def test_a_superuser_is_warned_and_nobody_else(postgresql_vault_url: str, root_key_uri: str) -> None:
    run_script(postgresql_vault_url, f"{ROLES} {grant_on_all_tables('SELECT', 'plain')}")
    plain = postgresql_vault_url.replace("postgres@", "plain@")
    warning = "is a superuser"
    for arguments in (("migrate", "--print"), ("migrate", "--apply")):
        answer = call(*arguments, "--database", postgresql_vault_url, "--json")
        assert (warning in answer.err, warning in str(json.loads(answer.out)["warnings"])) == (True, True)
    answer = call("migrate", "--print", "--database", plain, "--json")
    assert (answer.err, json.loads(answer.out)["warnings"]) == ("", [])
    document = json.loads(call("doctor", "--database", postgresql_vault_url, "--json").out)
    notes = [note["code"] for note in document["notes"]]
    assert [code for code in notes if code != "no-guard-on-nodes"] == ["runs-as-superuser"]
    assert look(plain).superuser is False


def test_a_repair_by_a_superuser_is_warned_of(postgresql_vault_url: str, root_key_uri: str, tmp_path: object) -> None:
    options = ("--database", postgresql_vault_url, "--root-key", root_key_uri)
    plan = f"{tmp_path}/plan.json"
    answer = call("repair", "--plan", plan, *options, "--json")
    assert ("is a superuser" in answer.err, len(json.loads(answer.out)["warnings"])) == (True, 1)
    assert "is a superuser" in call("repair", "--apply", plan, *options).err


def test_code_on_the_nonces_of_an_older_version_is_named(postgresql_vault_url: str) -> None:
    columns = "project_id uuid, credential_id uuid, chain_id varchar(78), nonce varchar(78), digest text, fee text"
    run_script(
        postgresql_vault_url,
        "DO $$ BEGIN EXECUTE format('CREATE TABLE %I.strongroom_nonce_untagged "
        f"({columns})', (SELECT schemaname FROM pg_tables WHERE tablename = 'strongroom_slot')); END $$",
    )
    assert [note for note in told(postgresql_vault_url) if note.code == "foreign-code"] == []
    run_script(
        postgresql_vault_url,
        f"{_ROW} DO $$ BEGIN EXECUTE format('CREATE TRIGGER t BEFORE INSERT ON %I.strongroom_nonce_untagged "
        "EXECUTE FUNCTION row_changed()', "
        "(SELECT schemaname FROM pg_tables WHERE tablename = 'strongroom_slot')); END $$",
    )
    (note,) = [note for note in told(postgresql_vault_url) if note.code == "foreign-code"]
    assert (note.table, note.severity) == ("strongroom_nonce_untagged", "note")
