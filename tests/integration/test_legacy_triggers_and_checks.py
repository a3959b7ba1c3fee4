"""Legacy tables whose triggers, CHECKs or row-level security meet the rows that strongroom writes."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest

import strongroom
from strongroom import Vault
from testbed.databases.foreign import (
    FOREIGN_TEXT,
    WALLET_TABLES,
    add_project,
    add_wallet,
    assert_one_live_wallet,
    catalogue,
    contents,
    run_script,
)
from testbed.databases.rows import execute, grant_on_all_tables
from testbed.processes.wallets import PHRASE
from testbed.servers.postgres import PostgresServer
from tests.integration.legacy_wallets import EVM_ADDRESS

# --- triggers -----------------------------------------------------------------------------------------------


def function(name: str, body: str) -> str:
    return f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$;"


def trigger(name: str, when: str, table: str, called: str) -> str:
    return f"CREATE TRIGGER {name} {when} ON {table} FOR EACH ROW EXECUTE FUNCTION {called}();"


EMPTY_ROW = """INSERT INTO credential_vault_storage (credential_id, vault_id, encrypted_private_key, access_level)
               VALUES (NEW.id, {vault_id}, '', {access_level}) {conflict}; RETURN NEW;"""
OVERWRITE = "ON CONFLICT (credential_id) DO UPDATE SET encrypted_private_key = EXCLUDED.encrypted_private_key"


def writes_empty_row(
    *, vault_id: str = "NEW.key_vault_id", access_level: str = "'project_admin'", conflict: str = ""
) -> str:
    return EMPTY_ROW.format(vault_id=vault_id, access_level=access_level, conflict=conflict)


AFTER_CREDENTIAL = ("AFTER INSERT", "project_credentials")
BEFORE_CREDENTIAL = ("BEFORE INSERT", "project_credentials")
BEFORE_RECORD = ("BEFORE INSERT", "credential_vault_storage")
AFTER_RECORD = ("AFTER INSERT", "credential_vault_storage")
BEFORE_LOG = ("BEFORE INSERT", "credential_usage_logs")
REFUSED_TRIGGERS = {
    "inserts after us without ON CONFLICT": (*AFTER_CREDENTIAL, writes_empty_row()),
    "adds a second record": (*AFTER_CREDENTIAL, writes_empty_row(vault_id="'other_' || NEW.id")),
    "inserts before us": (*BEFORE_CREDENTIAL, writes_empty_row()),
    "writes a value that a CHECK refuses": (
        *AFTER_CREDENTIAL,
        writes_empty_row(access_level="'nobody'", conflict="ON CONFLICT DO NOTHING"),
    ),
    "overwrites our text": (*AFTER_CREDENTIAL, writes_empty_row(conflict=OVERWRITE)),
    "keeps the credential out": (*BEFORE_CREDENTIAL, "RETURN NULL;"),
    "keeps the record out": (*BEFORE_RECORD, "RETURN NULL;"),
    "keeps the log row out": (*BEFORE_LOG, "RETURN NULL;"),
    "changes the text": (*BEFORE_RECORD, "NEW.encrypted_private_key := 'x'; RETURN NEW;"),
    "cuts the text": (*BEFORE_RECORD, "NEW.encrypted_private_key := left(NEW.encrypted_private_key, 80); RETURN NEW;"),
    "changes the text afterwards": (
        *AFTER_RECORD,
        "UPDATE credential_vault_storage SET encrypted_private_key = 'x' WHERE id = NEW.id; RETURN NULL;",
    ),
    "deletes the record": (*AFTER_RECORD, "DELETE FROM credential_vault_storage WHERE id = NEW.id; RETURN NULL;"),
    "deletes the credential": (*AFTER_CREDENTIAL, "DELETE FROM project_credentials WHERE id = NEW.id; RETURN NULL;"),
    "changes the address": (*BEFORE_CREDENTIAL, "NEW.wallet_address := lower(NEW.wallet_address); RETURN NEW;"),
    "changes the public key": (*BEFORE_CREDENTIAL, "NEW.public_key := 'x'; RETURN NEW;"),
    "retires the credential": (*BEFORE_CREDENTIAL, "NEW.is_active := false; RETURN NEW;"),
    "raises": (*AFTER_CREDENTIAL, "RAISE EXCEPTION 'no: %', NEW.wallet_address;"),
    "raises before": (*BEFORE_RECORD, "RAISE EXCEPTION 'no';"),
    "fails": (*BEFORE_LOG, "PERFORM 1 / 0; RETURN NEW;"),
}


@pytest.mark.parametrize("case", REFUSED_TRIGGERS)
def test_a_trigger_in_the_way_is_named_and_nothing_is_left_behind(
    make_legacy: Callable[..., str], root_key_uri: str, case: str
) -> None:
    url = make_legacy("g3", initialised=True)
    when, table, body = REFUSED_TRIGGERS[case]
    run_script(url, function("well_meant", body) + trigger("trigger_well_meant", when, table, "well_meant"))
    project = add_project(url)
    before = contents(url)
    with strongroom.open(url, root_key=root_key_uri) as vault:
        calls: list[Callable[[], object]] = [
            lambda: vault.create_wallet(project, "ethereum"),
            lambda: vault.create_wallet(project, "ethereum", idempotency_key="order-1"),
            lambda: vault.import_wallet(project, "ethereum", mnemonic=PHRASE),
        ]
        for call in calls:
            with pytest.raises(strongroom.TriggerConflictError, match="trigger_well_meant") as refused:
                call()
            assert contents(url) == before
            said = refused.value.message + refused.value.hint
            assert "0x" not in said
            assert "eyJ" not in said
        run_script(url, f"DROP TRIGGER trigger_well_meant ON {table}")
        wallet, created = vault.create_wallet(project, "ethereum")
        assert created
        assert [result.code for result in vault.verify()] == [None]
    assert_one_live_wallet(url, project, wallet.id)


def test_a_trigger_that_inserts_before_us_is_named_where_no_foreign_key_stops_it(
    make_legacy: Callable[..., str], root_key_uri: str
) -> None:
    url = make_legacy("g3", initialised=True)
    execute(url, "ALTER TABLE credential_vault_storage DROP CONSTRAINT credential_vault_storage_credential_id_fkey")
    run_script(
        url,
        function("well_meant", writes_empty_row()) + trigger("trigger_well_meant", *BEFORE_CREDENTIAL, "well_meant"),
    )
    project = add_project(url)
    before = contents(url)
    with strongroom.open(url, root_key=root_key_uri) as vault:
        with pytest.raises(strongroom.TriggerConflictError, match="trigger_well_meant"):
            vault.create_wallet(project, "ethereum")
    assert contents(url) == before


def test_a_trigger_that_changes_the_id_leaves_nothing(g3_url: str, root_key_uri: str) -> None:
    run_script(
        g3_url,
        function("renames", "NEW.id := gen_random_uuid(); RETURN NEW;")
        + trigger("trigger_renames", *BEFORE_CREDENTIAL, "renames"),
    )
    project = add_project(g3_url)
    before = contents(g3_url)
    with strongroom.open(g3_url, root_key=root_key_uri) as vault:
        with pytest.raises(strongroom.StoreRefusedError, match="credential_id names a row"):
            vault.create_wallet(project, "ethereum")
    assert contents(g3_url) == before


def test_a_trigger_that_came_after_the_vault_was_opened_is_named(legacy_vault: Vault, legacy_url: str) -> None:
    project = add_project(legacy_url)
    run_script(
        legacy_url,
        function("late", "RETURN NULL;") + trigger("trigger_that_came_late", *BEFORE_RECORD, "late"),
    )
    with pytest.raises(strongroom.TriggerConflictError, match="trigger_that_came_late"):
        legacy_vault.create_wallet(project, "ethereum")


WORKING_TRIGGERS = {
    "inserts if nothing is there": (*AFTER_CREDENTIAL, writes_empty_row(conflict="ON CONFLICT DO NOTHING")),
    "touches a time": (*BEFORE_RECORD, "NEW.updated_at := now() + interval '1 day'; RETURN NEW;"),
    "sets the method": (*BEFORE_RECORD, "NEW.backup_created := true; RETURN NEW;"),
    "updates where it is there": (
        *AFTER_CREDENTIAL,
        writes_empty_row(conflict="ON CONFLICT (credential_id) DO UPDATE SET updated_at = now()"),
    ),
    "adds metadata": (
        *BEFORE_CREDENTIAL,
        "NEW.metadata := NEW.metadata || '{\"seen\": true}'::jsonb; RETURN NEW;",
    ),
}


@pytest.mark.parametrize("case", WORKING_TRIGGERS)
def test_a_trigger_that_leaves_the_key_alone_is_not_in_the_way(
    make_legacy: Callable[..., str], root_key_uri: str, case: str
) -> None:
    url = make_legacy("g3", initialised=True)
    when, table, body = WORKING_TRIGGERS[case]
    run_script(url, function("well_meant", body) + trigger("trigger_well_meant", when, table, "well_meant"))
    project = add_project(url)
    with strongroom.open(url, root_key=root_key_uri) as vault:
        wallet, created = vault.create_wallet(project, "ethereum")
        assert created
        assert vault.create_wallet(project, "ethereum") == (wallet, False)
        assert [result.code for result in vault.verify()] == [None]
    assert_one_live_wallet(url, project, wallet.id)


def test_the_trigger_of_generation_4_finds_the_record_and_leaves_it(g4_url: str, root_key_uri: str) -> None:
    with strongroom.open(g4_url, root_key=root_key_uri) as vault:
        wallet, _ = vault.create_wallet(add_project(g4_url), "ethereum")
        execute(g4_url, "UPDATE project_credentials SET status = 'active'")
        assert vault.get_wallet(wallet) == wallet
        assert [result.code for result in vault.verify(phrases=True)] == [None]
    rows = execute(g4_url, "SELECT vault_id, encryption_method, access_level FROM credential_vault_storage")
    assert rows == [(f"vault_{wallet.id}", "AES-256-GCM", "project_admin")]


# --- what the schema refuses ---------------------------------------------------------------------------------

CHECKS = {
    "method": ("credential_vault_storage", "Valid Method", "encryption_method IN ('AES256', 'none')", "AES256, none"),
    "access": ("credential_vault_storage", "access", "access_level = 'standard'", "standard"),
    "network": ("project_credentials", "chain", "network IN ('eth', 'btc')", "eth, btc"),
    "type": ("project_credentials", "kind", "credential_type ~ '^(EVM|BTC)$'", "EVM"),
    "status": ("project_credentials", "state", "status IN ('ACTIVE', '100%')", "ACTIVE, 100%"),
    "action": ("credential_usage_logs", "actions", "action_type IN ('CREATE')", "CREATE"),
    "two columns": (
        "credential_vault_storage",
        "pair",
        "encryption_method <> 'AES-256-GCM' OR access_level = 'standard'",
        "AES-256-GCM, standard",
    ),
    "a constant": ("project_credentials", "unstored", "vault_stored = false", "vault_stored = false"),
    "a missing value": ("project_credentials", "creator", "created_by IS NOT NULL", "created_by IS NOT NULL"),
    "the text": (
        "credential_vault_storage",
        "short",
        "length(encrypted_private_key) < 100",
        "length(encrypted_private_key) < 100",
    ),
    "the address": ("project_credentials", "form", "wallet_address LIKE '1%'", "1%"),
    "two columns of the row": (
        "project_credentials",
        "both",
        "status <> 'active' OR public_key = wallet_address",
        "active",
    ),
}


@pytest.mark.parametrize("case", CHECKS)
def test_a_check_that_refuses_us_is_named_with_the_sql_that_widens_it(
    g4_url: str, root_key_uri: str, case: str
) -> None:
    table, name, expression, allowed = CHECKS[case]
    quoted = '"' + name + '"'
    run_script(g4_url, f"ALTER TABLE {table} ADD CONSTRAINT {quoted} CHECK ({expression}) NOT VALID")
    project = add_project(g4_url)
    before = contents(g4_url)
    with strongroom.open(g4_url, root_key=root_key_uri) as vault:
        for _ in range(2):
            with pytest.raises(strongroom.CheckRefusesError) as refused:
                vault.create_wallet(project, "ethereum", idempotency_key="order-1")
            assert name in refused.value.message
            assert allowed in refused.value.message
            assert table in refused.value.message
            assert contents(g4_url) == before
        sql = refused.value.hint.partition(": ")[2]
        assert "eyJhb" not in sql
        run_script(g4_url, sql)
        assert vault.create_wallet(project, "ethereum", idempotency_key="order-1").created
        assert vault.create_wallet(project, "ethereum", label="again").created, "not widened for one wallet alone"
        assert [result.code for result in vault.verify()] == [None, None]
    if case in ("method", "access", "network", "status"):  # what neither they nor we write stays out
        column = {"method": "encryption_method", "access": "access_level"}.get(case, case)
        with pytest.raises(psycopg.errors.CheckViolation):
            execute(g4_url, f"UPDATE {table} SET {column} = 'something else'")


def test_a_check_that_was_tightened_after_the_vault_was_opened_is_found(
    make_legacy: Callable[..., str], root_key_uri: str
) -> None:
    url = make_legacy("g2", initialised=True)
    project = add_project(url)
    with strongroom.open(url, root_key=root_key_uri) as vault:
        assert vault.create_wallet(project, "solana").created
        run_script(
            url,
            "ALTER TABLE credential_vault_storage ADD CONSTRAINT tight CHECK (access_level = 'standard') NOT VALID",
        )
        before = contents(url)
        with pytest.raises(strongroom.CheckRefusesError, match="tight"):
            vault.create_wallet(project, "ethereum")
        assert contents(url) == before
        run_script(url, "ALTER TABLE credential_vault_storage DROP CONSTRAINT tight")
        assert vault.create_wallet(project, "ethereum").created


def test_a_column_that_comes_or_goes_while_the_vault_is_open_is_noticed(legacy_vault: Vault, legacy_url: str) -> None:
    project = add_project(legacy_url)
    wallet, _ = legacy_vault.create_wallet(project, "ethereum")
    run_script(legacy_url, "ALTER TABLE project_credentials DROP COLUMN created_by, DROP COLUMN status CASCADE")
    assert legacy_vault.create_wallet(project, "ethereum").wallet.id == wallet.id
    assert legacy_vault.create_wallet(project, "solana").created
    assert [result.code for result in legacy_vault.verify()] == [None, None]


def test_a_generated_column_is_not_in_the_way_of_the_checks(g4_url: str, root_key_uri: str) -> None:
    run_script(
        g4_url,
        """ALTER TABLE project_credentials
               ADD COLUMN short text GENERATED ALWAYS AS (left(wallet_address, 6)) STORED,
               ADD COLUMN number bigint GENERATED ALWAYS AS IDENTITY,
               ADD CONSTRAINT short_is_short CHECK (length(short) < 7)""",
    )
    with strongroom.open(g4_url, root_key=root_key_uri) as vault:
        assert vault.create_wallet(add_project(g4_url), "ethereum").created


def test_a_domain_that_refuses_us_is_an_error_that_leaves_nothing(g4_url: str, root_key_uri: str) -> None:
    run_script(
        g4_url,
        """CREATE DOMAIN level AS text CHECK (VALUE IN ('standard', 'project_member'));
           ALTER TABLE credential_vault_storage DROP CONSTRAINT valid_access_level;
           ALTER TABLE credential_vault_storage ALTER COLUMN access_level DROP DEFAULT,
                 ALTER COLUMN access_level TYPE level""",
    )
    project = add_project(g4_url)
    before = contents(g4_url)
    with strongroom.open(g4_url, root_key=root_key_uri) as vault:
        with pytest.raises(strongroom.StoreRefusedError, match="level"):
            vault.create_wallet(project, "ethereum")
    assert contents(g4_url) == before


@pytest.mark.parametrize(
    ("table", "column", "length", "label"),
    [
        ("project_credentials", "credential_type", 20, "a-label-of-many-characters"),
        ("project_credentials", "network", 4, "default"),
        ("project_credentials", "wallet_address", 30, "default"),
        ("project_credentials", "key_vault_id", 36, "default"),
        ("credential_vault_storage", "vault_id", 36, "default"),
        ("credential_vault_storage", "encrypted_private_key", 255, "default"),
        ("credential_vault_storage", "encryption_method", 10, "default"),
        ("credential_usage_logs", "action_type", 3, "default"),
    ],
)
def test_a_column_that_is_too_short_is_named_before_any_write(
    g3_url: str, root_key_uri: str, table: str, column: str, length: int, label: str
) -> None:
    run_script(g3_url, f"ALTER TABLE {table} ALTER COLUMN {column} TYPE varchar({length})")
    project = add_project(g3_url)
    before = contents(g3_url)
    with strongroom.open(g3_url, root_key=root_key_uri) as vault:
        with pytest.raises(strongroom.ColumnTooShortError, match=f"{table}.{column} takes {length} ") as refused:
            vault.create_wallet(project, "ethereum", label=label)
        assert "eyJ" not in refused.value.message
        assert contents(g3_url) == before
        run_script(g3_url, f"ALTER TABLE {table} ALTER COLUMN {column} TYPE text")
        assert vault.create_wallet(project, "ethereum", label=label).created


# --- row-level security --------------------------------------------------------------------------------------


@pytest.fixture
def app_role(postgres: PostgresServer) -> str:
    """A role that is neither owner nor superuser."""
    execute(
        postgres.url(),
        """DO $$ BEGIN CREATE ROLE app_role LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$""",
    )
    return "app_role"


@pytest.mark.parametrize("table", WALLET_TABLES)
def test_a_role_that_row_level_security_hides_rows_from_is_refused(
    found_url: str, root_key_uri: str, app_role: str, table: str
) -> None:
    credential = add_wallet(found_url, EVM_ADDRESS, FOREIGN_TEXT)
    run_script(
        found_url,
        f"{grant_on_all_tables('ALL', app_role)} GRANT ALL ON SCHEMA public TO {app_role};"
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
    )
    as_role = found_url.replace("postgres@", f"{app_role}@")
    before = (catalogue(found_url), contents(found_url))
    with pytest.raises(strongroom.RowsHiddenError, match=table):
        strongroom.init(as_role, root_key=root_key_uri)
    assert (catalogue(found_url), contents(found_url)) == before
    with strongroom.init(found_url, root_key=root_key_uri) as vault:  # the owner sees everything
        assert vault.get_wallet(credential).custody == "foreign"
    run_script(found_url, grant_on_all_tables("ALL", app_role))
    with pytest.raises(strongroom.RowsHiddenError, match=table):
        strongroom.open(as_role, root_key=root_key_uri)
