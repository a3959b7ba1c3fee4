"""Migrations of legacy tables: printed or applied, whole or not at all, and what is left works."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from contextlib import closing
from uuid import UUID, uuid4

import psycopg
import pytest

import strongroom
from strongroom.errors import (
    ContentionError,
    ForeignSchemaError,
    MigrationBlockedError,
    NotInitializedError,
    StoreUnavailableError,
)
from strongroom.records.usage_log import Attribution
from strongroom.settings import Settings
from strongroom.store.connection.database import ATTEMPTS
from strongroom.store.statements import migration_sql
from strongroom.takeover.migrate.migration import Step
from strongroom.takeover.migrate.session import Migrator
from strongroom.wiring import open_guard
from testbed.command_line import call
from testbed.databases import foreign
from testbed.databases.foreign import add_credential, add_project, catalogue, put_text, run_script
from testbed.databases.rows import execute
from testbed.servers.postgres import PostgresServer
from testbed.servers.releases import MAJOR
from testbed.waiting import join
from tests.integration.migrations import C, L, V, apply, everything, look, migrator, script, security

NOTHING = "-- nothing to do\n"

_NO_UNIQUE = f"ALTER TABLE {V} DROP CONSTRAINT credential_vault_storage_credential_id_key;"
_COLUMN = " (credential_id)" if MAJOR >= 15 else ""
_NO_FKEY = f"ALTER TABLE {V} DROP CONSTRAINT credential_vault_storage_credential_id_fkey;"
_NO_LIVE = "DROP INDEX unique_active_project_credentials;"
VARIANTS: dict[str, tuple[str, str]] = {
    **{generation: (generation, "") for generation in ("g1", "g2", "g3", "g4")},
    "no foreign key": ("g3", _NO_FKEY),
    "no foreign key, and the name is taken": (
        "g3",
        f"{_NO_FKEY} ALTER TABLE {V} ADD CONSTRAINT credential_vault_storage_credential_id_fkey CHECK (true)",
    ),
    "two foreign keys": (
        "g3",
        f"ALTER TABLE {V} ADD CONSTRAINT again FOREIGN KEY (credential_id) REFERENCES {C} "
        "ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED NOT VALID",
    ),
    "foreign key that sets null": (
        "g3",
        f"""{_NO_FKEY} ALTER TABLE {V} ALTER credential_id DROP NOT NULL,
            ADD FOREIGN KEY (credential_id) REFERENCES {C} ON DELETE SET NULL{_COLUMN}""",
    ),
    "partial unique index, which has the name": (
        "g3",
        f"""{_NO_UNIQUE} CREATE UNIQUE INDEX credential_vault_storage_credential_id_key
            ON {V} (credential_id) WHERE revoked_at IS NULL""",
    ),
    "live index without UNIQUE, which has the name": (
        "g3",
        f"{_NO_LIVE} CREATE INDEX unique_active_project_credentials ON {C} (project_id)",
    ),
    "unique over the address": ("g4", f"CREATE UNIQUE INDEX u ON {C} (project_id, wallet_address)"),
    "network of a fixed length": ("g4", f"ALTER TABLE {C} ALTER network TYPE char(20)"),
    "network of an enum": (
        "g4",
        f"""CREATE TYPE chain AS ENUM ('ethereum', 'solana'); ALTER TABLE {C} ALTER network DROP DEFAULT;
            ALTER TABLE {C} ALTER network TYPE chain USING network::chain""",
    ),
    "no column is_active": ("g1", f"ALTER TABLE {C} DROP is_active, ADD credential_type text"),
    "no usage log": ("g1", f"DROP TABLE {L}"),
    "unlogged": (
        "g3",
        f"ALTER TABLE {L} SET UNLOGGED; ALTER TABLE {V} SET UNLOGGED; ALTER TABLE {C} SET UNLOGGED",
    ),
    "unlogged partition": (
        "g1",
        f"""CREATE TABLE {V} (id uuid NOT NULL, credential_id uuid PRIMARY KEY REFERENCES {C}, vault_id text,
                              encrypted_private_key text) PARTITION BY HASH (credential_id);
            CREATE UNLOGGED TABLE part PARTITION OF {V} FOR VALUES WITH (MODULUS 1, REMAINDER 0)""",
    ),
    "everybody may": ("g3", f"GRANT ALL ON {C}, {V}, {L} TO PUBLIC; GRANT UPDATE (vault_id) ON {V} TO PUBLIC"),
    "everybody may read a column": ("g2", f"GRANT SELECT (encrypted_private_key) ON {V} TO PUBLIC"),
    "check of networks": ("g3", f"ALTER TABLE {C} ADD CHECK (network = 'ethereum')"),
    "check of networks and states": (
        "g2",
        f"""ALTER TABLE {C} ADD CONSTRAINT "Some ""name" CHECK (network IN ('ethereum', 'it''s')
            AND status <> 'replaced') NOT VALID""",
    ),
    "check of types": ("g4", f"ALTER TABLE {C} ADD CHECK (credential_type IN ('ethereum_wallet', 'solana_wallet'))"),
    "check of liveness": ("g3", f"ALTER TABLE {C} ADD CHECK (is_active AND revoked_at IS NULL)"),
    "check of states": ("g4", f"ALTER TABLE {C} ADD CHECK (status IN ('active', 'revoked'))"),
    "check of texts": ("g3", f"ALTER TABLE {V} ADD CHECK (encrypted_private_key LIKE '{{%')"),
    "check of levels": (
        "g4",
        f"""ALTER TABLE {V} DROP CONSTRAINT valid_access_level,
            ADD CONSTRAINT valid_access_level CHECK (access_level IN ('standard', 'project_member'))""",
    ),
    "check of actions": ("g2", f"ALTER TABLE {L} ADD CHECK (action_type IN ('create', 'sign'))"),
    "check of details": ("g2", f"ALTER TABLE {L} ADD CHECK (action_details IS NULL OR performed_by IS NOT NULL)"),
    "check that raises": (
        "g4",
        f"""CREATE FUNCTION no(text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'never'; END $$;
            ALTER TABLE {V} ADD CHECK (no(vault_id)) NOT VALID""",
    ),
    "check of a generated column": (
        "g3",
        f"""ALTER TABLE {C} ADD size integer GENERATED ALWAYS AS (length(network)) STORED;
            ALTER TABLE {C} ADD CHECK (size < 9)""",
    ),
    "trigger with an odd name": (
        "g3",
        f"""CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                INSERT INTO {V} (id, credential_id) VALUES (NEW.id, NEW.id); RETURN NEW; END $$;
            CREATE TRIGGER "a ""name
; DROP TABLE projects CASCADE; --" AFTER INSERT ON {C} FOR EACH ROW EXECUTE FUNCTION f()""",
    ),
    "another schema": (
        "g4",
        f"""CREATE SCHEMA wallets;
            ALTER TABLE {C} SET SCHEMA wallets; ALTER TABLE {V} SET SCHEMA wallets;
            DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = wallets, public', current_database());
            END $$""",
    ),
}
FRESH_VARIANTS = {
    "unique": _NO_UNIQUE,
    "foreign key": _NO_FKEY,
    "live": _NO_LIVE,
    "row-level security": f"ALTER TABLE {C} DISABLE ROW LEVEL SECURITY",
    "row-level security of our own": "ALTER TABLE strongroom_slot DISABLE ROW LEVEL SECURITY",
    "unlogged": "ALTER TABLE strongroom_keyring_wrap SET UNLOGGED; ALTER TABLE strongroom_keyring SET UNLOGGED",
    "rights": f"GRANT SELECT ON strongroom_vault_history, strongroom_migrations, {V} TO PUBLIC",
    "credential_id": f"ALTER TABLE {V} ALTER credential_id DROP NOT NULL",
}


def run_printed(url: str, sql: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.encode())
        assert connection.info.transaction_status == 0


# --- from each schema to what a fresh one guarantees --------------------------------------------------------


@pytest.mark.crossed(10)
@pytest.mark.parametrize("variant", VARIANTS)
def test_what_is_printed_ends_every_finding_and_may_run_twice(make_legacy: Callable[..., str], variant: str) -> None:
    generation, change = VARIANTS[variant]
    url = make_legacy(generation)
    run_script(url, change)
    assert look(url)
    before = everything(url)
    sql = script(url)
    assert everything(url) == before
    run_printed(url, sql)
    assert look(url) == set()
    after = everything(url)
    assert after[2].get("projects") == before[2].get("projects")
    run_printed(url, sql)
    assert everything(url) == after
    assert script(url) == NOTHING


@pytest.mark.parametrize(
    "variant",
    ["g1", "g2", "g3", "g4", "two foreign keys", "unlogged", "everybody may", "check of texts", "another schema"],
)
def test_what_is_applied_is_what_is_printed(make_legacy: Callable[..., str], variant: str) -> None:
    generation, change = VARIANTS[variant]
    applied, printed = make_legacy(generation), make_legacy(generation)
    for url in (applied, printed):
        run_script(url, change)
    told: list[Step] = []
    assert apply(applied, told.append) == told != []
    run_printed(printed, script(printed))
    texts = [re.sub(r"(RI_ConstraintTrigger_[ac])_\d+", r"\1", str(everything(url))) for url in (applied, printed)]
    assert texts[0] == texts[1]
    assert look(applied) == set()
    after = everything(applied)
    assert apply(applied) == []
    assert everything(applied) == after


def test_names_that_must_be_quoted(make_legacy: Callable[..., str]) -> None:
    url = make_legacy("g1")
    name = execute(url, "SELECT current_database()")[0][0]
    run_script(
        url,
        f"""CREATE SCHEMA "The 'wallets'"; ALTER TABLE {C} SET SCHEMA "The 'wallets'";
            CREATE TABLE "The 'wallets'".{V} (id uuid, credential_id uuid, vault_id text, encrypted_private_key text)
                PARTITION BY HASH (credential_id);
            CREATE UNLOGGED TABLE "The 'wallets'"."a "" part" PARTITION OF "The 'wallets'".{V}
                FOR VALUES WITH (MODULUS 1, REMAINDER 0);
            ALTER TABLE "The 'wallets'".{V} ADD CONSTRAINT "$strongroom$ '" FOREIGN KEY (credential_id)
                REFERENCES "The 'wallets'".{C} ON DELETE CASCADE;
            ALTER DATABASE {name} SET search_path = "The 'wallets'", public""",
    )
    assert ("not-durable", V) in look(url)
    sql = script(url)
    assert "DO $strongroom_2$" in sql
    with psycopg.connect(url, autocommit=True, options="-c search_path=public") as connection:
        connection.execute(sql.encode())
    assert look(url) == set()
    assert script(url) == NOTHING


@pytest.mark.one_node
@pytest.mark.thorough(but=("unique", "security of our own"))
@pytest.mark.parametrize("variant", FRESH_VARIANTS)
def test_what_somebody_took_from_a_fresh_schema_comes_back(postgresql_vault_url: str, variant: str) -> None:
    assert script(postgresql_vault_url) == NOTHING
    before = security(postgresql_vault_url), catalogue(postgresql_vault_url)["constraints"]
    run_script(postgresql_vault_url, FRESH_VARIANTS[variant])
    assert script(postgresql_vault_url) != NOTHING
    apply(postgresql_vault_url)
    assert look(postgresql_vault_url) == set()
    assert script(postgresql_vault_url) == NOTHING
    assert (security(postgresql_vault_url), catalogue(postgresql_vault_url)["constraints"]) == before


def test_a_fresh_vault_needs_nothing(vault_url: str) -> None:
    assert script(vault_url) == NOTHING
    assert apply(vault_url) == []


@pytest.mark.parametrize("generation", ["g1", "g2", "g3", "g4"])
def test_a_vault_works_in_what_was_migrated(
    make_legacy: Callable[..., str], root_key_uri: str, generation: str
) -> None:
    url = make_legacy(generation)
    apply(url)
    project = add_project(url)
    with strongroom.init(url, root_key=root_key_uri) as vault:
        assert vault.status().store.generation == "g3"
        wallet, created = vault.create_wallet(project, "ethereum")
        assert created
        assert vault.create_wallet(project, "ethereum") == (wallet, False)
        assert len(vault.create_wallets(project, ["bitcoin", "solana", "ethereum"])) == 3
        other = vault.create_wallet(project, "ethereum", label="other").wallet
        vault.rotate_sealing_key(actor="somebody", reason="a test")
        assert all(result.rewrapped for result in vault.rewrap())
        new = vault.replace_wallet(other, actor="somebody", reason="a test").wallet
        vault.revoke_wallet(new, actor="somebody", reason="a test")
        assert all(result.ok for result in vault.verify())
    assert look(url) == set()
    assert script(url) == NOTHING


@pytest.mark.parametrize("generation", ["g2", "g3", "g4"])
def test_the_legacy_application_goes_on(make_legacy: Callable[..., str], generation: str) -> None:
    url = make_legacy(generation)
    apply(url)
    project = add_project(url)
    credential = add_credential(url, project, "0x01")
    put_text(url, credential, "a text", access_level="project_admin")
    put_text(url, credential, "another text")
    assert foreign.texts_of(url, credential) == ["another text"]
    if generation == "g4":
        row = {"access_level": "standard", "encryption_method": "AES256"}
        put_text(url, add_credential(url, add_project(url), "0x02"), "a text", **row)
    with pytest.raises(psycopg.errors.UniqueViolation):
        add_credential(url, project, "0x03")
    with pytest.raises((psycopg.errors.ForeignKeyViolation, psycopg.errors.RestrictViolation)):
        execute(url, "DELETE FROM projects WHERE id = ?", (project,))


def test_the_event_is_kept_where_there_is_a_vault(make_legacy: Callable[..., str]) -> None:
    adopted_url = make_legacy("g3", initialised=True)
    apply(adopted_url)
    ((details,),) = execute(adopted_url, "SELECT details FROM strongroom_events WHERE event = 'migrate'")
    assert (details["actor"], details["reason"]) == ("somebody", "a test")
    assert "row-level security" in details["steps"]
    apply(adopted_url)
    assert execute(adopted_url, "SELECT count(*) FROM strongroom_events WHERE event = 'migrate'") == [(1,)]


@pytest.mark.parametrize("guarded_first", [True, False])
def test_the_guard_stays(make_legacy: Callable[..., str], guarded_first: bool) -> None:
    url = make_legacy("g4", initialised=True)
    if guarded_first:
        install_guard(url)
        apply(url)
    else:
        apply(url)
        install_guard(url)
    guards = f"SELECT count(*) FROM pg_trigger WHERE tgname ~ 'strongroom_guard' AND tgrelid = '{C}'::regclass"
    assert execute(url, guards)[0][0] > 2
    assert look(url) == set()
    assert script(url) == NOTHING


def install_guard(url: str) -> None:
    with closing(open_guard(Settings(database=url))) as guard:
        guard.install("archive")


# --- what SQL cannot end ------------------------------------------------------------------------------------


def test_policies_of_others_are_left_and_said(make_legacy: Callable[..., str]) -> None:
    url = make_legacy("g3")
    run_script(
        url,
        f"""CREATE POLICY nobody ON {C} USING (false); CREATE POLICY dormant ON {V} AS RESTRICTIVE USING (false);
            ALTER TABLE {L} ENABLE ROW LEVEL SECURITY; CREATE POLICY own ON {L} USING (true)""",
    )
    sql = script(url)
    assert "-- rls-off: Row-level security stays off on credential_vault_storage" in sql
    assert "-- rls-not-forced: Policies of credential_usage_logs" in sql
    apply(url)
    assert look(url) == {("rls-not-forced", C), ("rls-off", V), ("rls-not-forced", L)}
    assert script(url).startswith(NOTHING)


def test_settings_of_the_server_are_said(make_legacy: Callable[..., str]) -> None:
    url = make_legacy("g3")
    apply(url)
    run_script(
        url,
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET synchronous_commit = off', current_database()); END $$",
    )
    assert "-- commit-not-synchronous: synchronous_commit is off" in script(url)
    assert apply(url) == []


def test_a_column_that_only_people_can_fill_is_said(make_legacy: Callable[..., str]) -> None:
    url = make_legacy("g3")
    run_script(url, f"ALTER TABLE {V} DROP vault_id")
    assert "-- foreign-schema: credential_vault_storage has no column vault_id" in script(url)


# --- rows in the way ----------------------------------------------------------------------------------------


def add_record(url: str, credential: UUID | None) -> None:
    execute(
        url,
        f"INSERT INTO {V} (credential_id, vault_id, encrypted_private_key) VALUES (?, ?, '')",
        (credential, str(uuid4())),
    )


def duplicate_records(url: str) -> None:
    credential = add_credential(url, add_project(url), "0x01")
    for _ in range(3):
        add_record(url, credential)
    add_record(url, add_credential(url, add_project(url), "0x02"))


def duplicate_live(url: str) -> None:
    project = add_project(url)
    add_credential(url, project, "0x01")
    add_credential(url, project, "0x02")
    add_credential(url, project, "0x03", is_active=False)
    add_credential(url, project, "0x04", network="solana")
    for _ in range(2):
        add_credential(url, project, "0x05", credential_type=None)


def without_ids(url: str) -> None:
    duplicate_live(url)
    execute(url, f"DELETE FROM {V}")
    run_script(url, f"SET session_replication_role = replica; UPDATE {C} SET id = NULL")


def without_network(url: str) -> None:
    project = add_project(url)
    add_credential(url, project, "0x01", network=None)
    add_credential(url, project, "0x02", network=None)


def orphan(url: str) -> None:
    add_record(url, uuid4())
    add_record(url, add_credential(url, add_project(url), "0x01"))


def nameless(url: str) -> None:
    add_record(url, None)


def all_of_them(url: str) -> None:
    for plant in (duplicate_records, duplicate_live, orphan, nameless):
        plant(url)


_NULLABLE = f"ALTER TABLE {V} ALTER credential_id DROP NOT NULL;"
VIOLATIONS: dict[str, tuple[str, str, Callable[[str], None], dict[str, int]]] = {
    "duplicate records": ("g2", "", duplicate_records, {"duplicate-vault-records": 3}),
    "live duplicates": ("g4", "", duplicate_live, {"duplicate-live": 2}),
    "live duplicates without a network": ("g4", "", without_network, {"duplicate-live": 2}),
    "orphans": ("g3", _NO_FKEY, orphan, {"orphan-vault-record": 1}),
    "orphans under a key that is not valid": (
        "g3",
        f"{_NO_FKEY} ALTER TABLE {V} ADD FOREIGN KEY (credential_id) REFERENCES {C} ON DELETE CASCADE NOT VALID",
        lambda url: run_script(
            url,
            f"SET session_replication_role = replica; INSERT INTO {V} (credential_id, vault_id, encrypted_private_key) "
            "VALUES (gen_random_uuid(), 'v', '')",
        ),
        {"orphan-vault-record": 1},
    ),
    "live duplicates without an id": (
        "g4",
        f"ALTER TABLE {L} DROP CONSTRAINT credential_usage_logs_credential_id_fkey; {_NO_FKEY} "
        f"ALTER TABLE {C} DROP CONSTRAINT project_credentials_pkey CASCADE; ALTER TABLE {C} ALTER id DROP NOT NULL;",
        without_ids,
        {"duplicate-live": 2},
    ),
    "records of nothing": ("g3", _NULLABLE, nameless, {"orphan-vault-record": 1}),
    "all of them": (
        "g2",
        f"{_NO_FKEY} {_NULLABLE} {_NO_LIVE}",
        all_of_them,
        {"duplicate-live": 2, "duplicate-vault-records": 3, "orphan-vault-record": 2},
    ),
}


@pytest.mark.parametrize("violation", VIOLATIONS)
def test_rows_in_the_way_are_counted_and_nothing_is_changed(make_legacy: Callable[..., str], violation: str) -> None:
    generation, change, plant, expected = VIOLATIONS[violation]
    url = make_legacy(generation)
    run_script(url, change)
    plant(url)
    before = everything(url)
    with pytest.raises(MigrationBlockedError) as caught:
        apply(url)
    assert caught.value.findings == expected
    assert all(f"{code}: " in caught.value.message for code in expected)
    assert "strongroom doctor" in caught.value.hint
    with psycopg.connect(url, autocommit=True) as connection, pytest.raises(psycopg.errors.IntegrityError):
        connection.execute(script(url).encode())
    assert everything(url) == before


def test_when_the_rows_are_settled_it_goes_on(make_legacy: Callable[..., str]) -> None:
    url = make_legacy("g4")
    duplicate_live(url)
    with pytest.raises(MigrationBlockedError, match=r"such as [0-9a-f-]{36}, [0-9a-f-]{36}"):
        apply(url)
    execute(url, f"UPDATE {C} SET is_active = false WHERE wallet_address = '0x02'")
    apply(url)
    assert look(url) == set()


# --- cut off, locked out, twice at once ---------------------------------------------------------------------


@pytest.mark.parametrize("step", [1, 4, 6])
def test_a_connection_that_dies_leaves_nothing(make_legacy: Callable[..., str], step: int) -> None:
    url = make_legacy("g4", initialised=True)
    before = everything(url)
    done: list[Step] = []

    def kill(finished: Step) -> None:
        done.append(finished)
        if len(done) >= step and finished.title == done[step - 1].title:
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
                )

    with pytest.raises(StoreUnavailableError):
        apply(url, kill)
    assert len(done) == ATTEMPTS * step, "COMMIT was never sent: it was run again"
    assert everything(url) == before
    apply(url)
    assert look(url) == set()


def test_tables_in_use_are_waited_for_and_left_alone(
    make_legacy: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migration_sql, "LOCK_TIMEOUT", "50ms")
    url = make_legacy("g4")
    before = everything(url)
    with psycopg.connect(url) as user:
        user.execute(f"SELECT count(*) FROM {V}".encode())
        with pytest.raises(ContentionError, match=r"Somebody is using the tables.*nothing was changed") as caught:
            apply(url)
        assert caught.value.retryable
        assert everything(url) == before
        timer = threading.Timer(0.15, user.rollback)
        timer.start()
        apply(url)
        join([timer])
    assert look(url) == set()


def test_two_migrations_at_once_are_one(make_legacy: Callable[..., str]) -> None:
    url = make_legacy("g4")
    both = [migrator(url) for _ in range(2)]
    failures: list[Exception] = []

    def run(one: Migrator) -> None:
        try:
            one.apply(lambda step: None, Attribution())
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(one,)) for one in both]
    for thread in threads:
        thread.start()
    join(threads)
    assert failures == []
    assert look(url) == set()


def test_what_runs_is_what_is_printed(make_legacy: Callable[..., str], postgres: PostgresServer) -> None:
    url = make_legacy("g4", initialised=True)
    run_script(url, f"ALTER TABLE {C} ADD CHECK (network LIKE 'e%'); GRANT SELECT ON {V} TO PUBLIC")
    name = execute(url, "SELECT current_database()")[0][0]
    printed = re.sub(r"^--.*\n", "", script(url), flags=re.MULTILINE)
    execute(url, f"ALTER DATABASE {name} SET log_statement = 'all'")
    start = len(postgres.read_log())
    apply(url)
    pattern = rf"\] {name} LOG:  (?:statement|execute [^:]*): (.*?)(?=\n\d{{4}}-|\Z)"
    logged = [text.strip() for text in re.findall(pattern, postgres.read_log()[start:], re.DOTALL)]
    begin = logged.index(f"SET LOCAL lock_timeout = '{migration_sql.LOCK_TIMEOUT}'") - 1
    ran = logged[begin : logged.index("COMMIT", begin) + 1]
    guards = [text for text in ran if text.startswith("SELECT pg_catalog.count(*)")]
    events = [text for text in ran if text.startswith('INSERT INTO "strongroom".strongroom_events')]
    assert (len(guards), len(events)) == (2, 1), ran
    drivers = ["DEALLOCATE ALL"]
    ran[0], raised = ran[0].split("; ", 1)  # with the BEGIN: synchronous_commit, where it is off
    assert raised.startswith("SELECT pg_catalog.set_config('synchronous_commit'")
    kept = [" ".join(text.split()) for text in ran if text not in (*guards, *events, *drivers)]
    assert " ".join(f"{text};" for text in kept) == " ".join(printed.split())


# --- SQLite, and no wallets at all --------------------------------------------------------------------------


def test_a_file_of_sqlite_is_not_written_anew(sqlite_vault_url: str) -> None:
    execute(sqlite_vault_url, "DROP INDEX unique_active_project_credentials")
    with pytest.raises(ForeignSchemaError, match="no-unique-live \\(project_credentials\\)"):
        script(sqlite_vault_url)
    with pytest.raises(ForeignSchemaError):
        apply(sqlite_vault_url)


def test_without_wallet_tables_there_is_nothing_to_migrate(postgresql_url: str) -> None:
    with pytest.raises(NotInitializedError):
        script(postgresql_url)


# --- the command --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [(), ("--print", "--apply")])
def test_one_of_two_options_is_named(sqlite_vault_url: str, options: tuple[str, ...]) -> None:
    answer = call("migrate", *options, "--database", sqlite_vault_url)
    assert (answer.code, answer.out) == (2, "")


def test_the_documents_say_what_is_missing_and_what_was_done(make_legacy: Callable[..., str]) -> None:
    url = make_legacy("g2")
    run_script(url, f"CREATE POLICY p ON {L} USING (true)")
    printed = call("migrate", "--print", "--database", url, "--json")
    assert printed.code == 0
    document = printed.document
    assert document["generation"] == "g2"
    assert document["sql"] == script(url)
    assert document["steps"][0]["findings"] == ["no-unique-credential-id"]
    applied = call("migrate", "--apply", "--actor", "somebody", "--database", url, "--json")
    assert applied.code == 0
    assert applied.document == {
        "generation": "g2",
        "steps": document["steps"],
        "remarks": document["remarks"],
        "warnings": document["warnings"],
        "applied": True,
    }
    again = call("migrate", "--apply", "--database", url, "--json")
    assert again.document == {
        "generation": "g3",
        "steps": [],
        "remarks": [{"finding": "rls-not-forced", "text": again.document["remarks"][0]["text"]}],
        "warnings": document["warnings"],
        "applied": False,
    }
    assert (
        "Left (rls-not-forced): Policies of credential_usage_logs" in call("migrate", "--apply", "--database", url).err
    )


def test_rows_in_the_way_are_a_conflict(make_legacy: Callable[..., str]) -> None:
    url = make_legacy("g2")
    duplicate_records(url)
    answer = call("migrate", "--apply", "--database", url, "--json")
    assert answer.code == 5
    assert answer.document["error"]["code"] == "migration-blocked"
    assert "duplicate-vault-records: 3" in answer.document["error"]["message"]


def test_a_fresh_vault_has_nothing_to_do(vault_url: str) -> None:
    assert call("migrate", "--print", "--database", vault_url).out == NOTHING
    answer = call("migrate", "--apply", "--database", vault_url)
    assert (answer.code, answer.out) == (0, "Nothing to do: these tables guarantee what fresh ones do.\n")
    warned = "The role postgres is a superuser" in answer.err
    assert (warned, answer.err == "") == ((False, True) if vault_url.startswith("sqlite") else (True, False))
