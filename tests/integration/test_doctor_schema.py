"""Findings about the schema, on real servers: each code is given for one change, and taken back by another."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from uuid import uuid4

import psycopg
import pytest

from testbed.databases.foreign import catalogue, run_script
from testbed.databases.rows import execute, grant_on_all_tables, sqlite_path
from testbed.legacy import schema_sql
from testbed.servers.postgres import PostgresServer
from tests.integration.doctors import found, look, read

C, V, L = "project_credentials", "credential_vault_storage", "credential_usage_logs"
OFF = {("rls-off", C), ("rls-off", V)}
CASCADE = ("cascade-deletes-keys", V)
BASELINE: dict[str, set[tuple[str, str | None]]] = {
    "fresh": set(),
    "g1": {("no-unique-live", C), ("rls-off", C)},
    "g2": {("no-unique-credential-id", V), CASCADE, *OFF},
    "g3": {CASCADE, *OFF},
    "g4": {("no-unique-live", C), ("placeholder-trigger", C), CASCADE, *OFF},
}


def evidence(url: str, code: str) -> str:
    return " ".join(finding.evidence for finding in look(url) if finding.code == code)


@pytest.fixture
def make(make_legacy: Callable[..., str], make_postgresql_vault: Callable[..., str]) -> Callable[[str], str]:
    """Make a database of a generation, or a fresh vault."""
    return lambda kind: make_postgresql_vault() if kind == "fresh" else make_legacy(kind)


# --- as they are found ------------------------------------------------------------------------------------------


def test_nothing_is_found_in_a_fresh_vault(vault_url: str) -> None:
    assert look(vault_url) == []


@pytest.mark.parametrize("generation", ["g1", "g2", "g3", "g4"])
def test_what_is_found_in_each_generation(make: Callable[[str], str], generation: str) -> None:
    url = make(generation)
    before = catalogue(url)
    assert found(url) == BASELINE[generation]
    assert catalogue(url) == before


def test_our_own_tables_next_to_them_change_nothing(make_legacy: Callable[..., str]) -> None:
    assert found(make_legacy("g3", initialised=True)) == BASELINE["g3"]


def test_an_empty_database_has_no_findings(postgresql_url: str) -> None:
    assert look(postgresql_url) == []


# --- PostgreSQL, one change at a time ---------------------------------------------------------------------------

_DROP_UNIQUE = f"ALTER TABLE {V} DROP CONSTRAINT credential_vault_storage_credential_id_key;"
_DROP_FKEY = f"ALTER TABLE {V} DROP CONSTRAINT credential_vault_storage_credential_id_fkey;"
_DROP_LIVE = "DROP INDEX unique_active_project_credentials;"
_FUNCTION = "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} RETURN NEW; END $$;"
_TRIGGER = f"CREATE TRIGGER t AFTER INSERT ON {C} FOR EACH ROW EXECUTE FUNCTION f();"
_INSERT = f"INSERT INTO {V} (id, credential_id) VALUES (NEW.id, NEW.id);"
PLUS, MINUS, SAME = True, False, None

CHANGES = {
    "unique index gone": ("fresh", _DROP_UNIQUE, PLUS, "no-unique-credential-id", V),
    "partial unique index": (
        "g3",
        f"{_DROP_UNIQUE} CREATE UNIQUE INDEX p ON {V} (credential_id) WHERE revoked_at IS NULL",
        PLUS,
        "partial-unique-only",
        V,
    ),
    "unique index, not a constraint": (
        "g2",
        f"CREATE UNIQUE INDEX u ON {V} (credential_id) INCLUDE (vault_id)",
        MINUS,
        "no-unique-credential-id",
        V,
    ),
    "unique over two columns": (
        "g2",
        f"CREATE UNIQUE INDEX u ON {V} (credential_id, vault_id)",
        SAME,
        "no-unique-credential-id",
        V,
    ),
    "primary key on credential_id": (
        "g2",
        f"ALTER TABLE {V} DROP CONSTRAINT {V}_pkey, ADD PRIMARY KEY (credential_id)",
        MINUS,
        "no-unique-credential-id",
        V,
    ),
    "live index gone": ("fresh", _DROP_LIVE, PLUS, "no-unique-live", C),
    "live index over an expression": (
        "g4",
        f"CREATE UNIQUE INDEX u ON {C} ((COALESCE(project_id, id)), network)",
        MINUS,
        "no-unique-live",
        C,
    ),
    "unique with project_id in its condition only": (
        "g4",
        f"CREATE UNIQUE INDEX u ON {C} (wallet_address) INCLUDE (project_id) WHERE project_id IS NOT NULL",
        SAME,
        "no-unique-live",
        C,
    ),
    "trigger that inserts": (
        "fresh",
        _FUNCTION.format(body=_INSERT) + _TRIGGER,
        PLUS,
        "placeholder-trigger",
        C,
    ),
    "trigger that puts its statement together": (
        "g3",
        _FUNCTION.format(body=f"EXECUTE format('INSERT INTO %I (id) VALUES ($1)', '{V}') USING NEW.id;") + _TRIGGER,
        PLUS,
        "placeholder-trigger",
        C,
    ),
    "trigger that updates, with a schema and quotes": (
        "g3",
        _FUNCTION.format(body=f"UPDATE ONLY\n public.\"{V}\" SET vault_id = 'x';") + _TRIGGER,
        PLUS,
        "placeholder-trigger",
        C,
    ),
    "trigger that only reads": (
        "g3",
        _FUNCTION.format(body=f"/* {_INSERT} */ PERFORM 1 FROM {V}; -- {_INSERT}\n") + _TRIGGER,
        SAME,
        "placeholder-trigger",
        C,
    ),
    "trigger that is disabled": (
        "g4",
        f"ALTER TABLE {C} DISABLE TRIGGER trigger_sync_credential_vault_storage",
        MINUS,
        "placeholder-trigger",
        C,
    ),
    "check of networks": ("fresh", f"ALTER TABLE {C} ADD CHECK (network = 'ethereum')", PLUS, "check-too-narrow", C),
    "check of texts": (
        "g3",
        f"ALTER TABLE {V} ADD CHECK (encrypted_private_key LIKE '{{%')",
        PLUS,
        "check-too-narrow",
        V,
    ),
    "check of actions": (
        "g2",
        f"ALTER TABLE {L} ADD CHECK (action_type IN ('create', 'sign'))",
        PLUS,
        "check-too-narrow",
        L,
    ),
    "check of states": (
        "g4",
        f"ALTER TABLE {C} ADD CHECK (status IN ('active', 'revoked'))",
        PLUS,
        "check-too-narrow",
        C,
    ),
    "check that raises": (
        "g4",
        f"""CREATE FUNCTION no(text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'never'; END $$;
            ALTER TABLE {V} ADD CHECK (no(vault_id)) NOT VALID""",
        PLUS,
        "check-too-narrow",
        V,
    ),
    "check of a generated column": (
        "g3",
        f"""ALTER TABLE {C} ADD size integer GENERATED ALWAYS AS (length(network)) STORED;
            ALTER TABLE {C} ADD CHECK (size < 4)""",
        PLUS,
        "check-too-narrow",
        C,
    ),
    "check that all rows pass": ("fresh", f"ALTER TABLE {C} ADD CHECK (network <> '')", SAME, "check-too-narrow", C),
    "check alongside a sequence": (
        "g3",
        f"ALTER TABLE {C} ADD number serial, ADD CHECK (network <> '' AND network <> 'x')",
        SAME,
        "check-too-narrow",
        C,
    ),
    "check of a sequence, which cannot be asked": (
        "g3",
        f"ALTER TABLE {C} ADD number serial, ADD CHECK (number < 0 OR network <> '')",
        SAME,
        "check-too-narrow",
        C,
    ),
    "check that is not enforced": (
        "g3",
        f"ALTER TABLE {C} ADD CHECK (network = 'ethereum') NOT ENFORCED",
        SAME,
        "check-too-narrow",
        C,
    ),
    "foreign key that restricts": (
        "g3",
        f"{_DROP_FKEY} ALTER TABLE {V} ADD FOREIGN KEY (credential_id) REFERENCES {C} ON DELETE RESTRICT",
        MINUS,
        "cascade-deletes-keys",
        V,
    ),
    "foreign key that cascades": (
        "fresh",
        f"ALTER TABLE {V} ADD FOREIGN KEY (credential_id) REFERENCES {C} ON DELETE CASCADE NOT VALID",
        PLUS,
        "cascade-deletes-keys",
        V,
    ),
    "foreign key gone": ("fresh", _DROP_FKEY, PLUS, "no-foreign-key", V),
    "foreign key to another table": (
        "fresh",
        f"""{_DROP_FKEY} CREATE TABLE other (id uuid PRIMARY KEY);
            ALTER TABLE {V} ADD FOREIGN KEY (credential_id) REFERENCES other""",
        PLUS,
        "no-foreign-key",
        V,
    ),
    "foreign key that is not enforced": (
        "fresh",
        f"{_DROP_FKEY} ALTER TABLE {V} ADD FOREIGN KEY (credential_id) REFERENCES {C} NOT ENFORCED",
        PLUS,
        "no-foreign-key",
        V,
    ),
    "row-level security off": ("fresh", f"ALTER TABLE {V} DISABLE ROW LEVEL SECURITY", PLUS, "rls-off", V),
    "row-level security off on the log": (
        "fresh",
        f"ALTER TABLE {L} DISABLE ROW LEVEL SECURITY",
        SAME,
        "rls-off",
        L,
    ),
    "row-level security on": ("g3", f"ALTER TABLE {C} ENABLE ROW LEVEL SECURITY", MINUS, "rls-off", C),
    "policy without FORCE": ("fresh", f"CREATE POLICY p ON {C} USING (true)", PLUS, "rls-not-forced", C),
    "policy with FORCE": (
        "fresh",
        f"CREATE POLICY p ON {C} USING (true); ALTER TABLE {C} FORCE ROW LEVEL SECURITY",
        SAME,
        "rls-not-forced",
        C,
    ),
    "policy while row-level security is off": ("g3", f"CREATE POLICY p ON {C}", SAME, "rls-not-forced", C),
    "everybody may read": ("fresh", f"GRANT SELECT ON {V} TO PUBLIC", PLUS, "readable-by-anon", V),
    "everybody may update a column": (
        "g3",
        f"GRANT UPDATE (wallet_address) ON {C} TO PUBLIC",
        PLUS,
        "readable-by-anon",
        C,
    ),
    "everybody may read a table of ours": (
        "fresh",
        "GRANT SELECT ON strongroom_keyring_wrap TO PUBLIC",
        PLUS,
        "readable-by-anon",
        "strongroom_keyring_wrap",
    ),
    "everybody may read another table": (
        "g3",
        "GRANT SELECT ON projects TO PUBLIC",
        SAME,
        "readable-by-anon",
        "projects",
    ),
    "unlogged": ("fresh", "ALTER TABLE strongroom_slot SET UNLOGGED", PLUS, "not-durable", "strongroom_slot"),
    "unlogged vault": ("g3", f"ALTER TABLE {V} SET UNLOGGED", PLUS, "not-durable", V),
}


@pytest.mark.postgresql(18, only=("not enforced",))
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.one_server
def test_one_change_makes_or_repairs_one_finding(make: Callable[[str], str], change: str) -> None:
    generation, script, outcome, code, table = CHANGES[change]
    url = make(generation)
    run_script(url, script)
    expected = set(BASELINE[generation])
    if outcome is PLUS:
        expected.add((code, table))
    elif outcome is MINUS:
        expected.remove((code, table))
    assert found(url) == expected


def test_evidence_of_a_check_says_what_is_refused_and_what_is_allowed(make: Callable[[str], str]) -> None:
    url = make("g3")
    run_script(url, f"ALTER TABLE {C} ADD CONSTRAINT evm_only CHECK (network <> 'solana' AND status <> 'replaced')")
    assert evidence(url, "check-too-narrow").startswith(
        "The constraint evm_only refuses replaced wallets, wallets of solana; it allows: "
    )
    run_script(url, f"ALTER TABLE {C} ADD CONSTRAINT kinds CHECK (credential_type NOT LIKE '%:%')")
    assert "The constraint kinds refuses wallets of ethereum with a label, wallets of " in evidence(
        url, "check-too-narrow"
    )


def test_an_index_that_was_not_finished_is_none(make: Callable[[str], str]) -> None:
    url = make("g2")
    project, credential = uuid4(), uuid4()
    execute(url, "INSERT INTO projects VALUES (?, 'p')", (project,))
    execute(
        url,
        f"INSERT INTO {C} (id, project_id, public_key, key_vault_id) VALUES (?, ?, '', '')",
        (credential, project),
    )
    for text in ("a", "b"):
        execute(
            url,
            f"INSERT INTO {V} (credential_id, vault_id, encrypted_private_key) VALUES (?, ?, '')",
            (credential, text),
        )
    with psycopg.connect(url, autocommit=True) as connection, pytest.raises(psycopg.errors.UniqueViolation):
        connection.execute(f"CREATE UNIQUE INDEX CONCURRENTLY broken ON {V} (credential_id)")
    assert found(url) == BASELINE["g2"]


def test_a_partitioned_vault_table_is_read(make: Callable[[str], str]) -> None:
    url = make("g1")
    run_script(
        url,
        f"""CREATE TABLE {V} (id uuid, credential_id uuid PRIMARY KEY REFERENCES {C}, vault_id text,
                              encrypted_private_key text) PARTITION BY HASH (credential_id);
            CREATE UNLOGGED TABLE part PARTITION OF {V} FOR VALUES WITH (MODULUS 1, REMAINDER 0)""",
    )
    assert found(url) == {*BASELINE["g1"], ("rls-off", V), ("not-durable", V)}


# --- roles ------------------------------------------------------------------------------------------------------


def as_role(url: str, role: str) -> str:
    return url.replace("postgres@", f"{role}@")


@pytest.mark.parametrize("role", ["anon", "authenticated"])
def test_what_an_api_serves_to_everybody(
    make: Callable[[str], str], make_role: Callable[[str], str], role: str
) -> None:
    urls = [make("fresh"), make("g3")]
    make_role(role)
    assert [found(url) for url in urls] == [BASELINE["fresh"], BASELINE["g3"]], "a role without privileges"
    for url in urls:
        before = found(url)
        execute(url, f"GRANT SELECT (wallet_address) ON {C} TO {role}")
        assert found(url) == {*before, ("readable-by-anon", C)}
        execute(url, f"GRANT DELETE ON {L} TO {role}")
        assert found(url) == {*before, ("readable-by-anon", C), ("readable-by-anon", L)}
    assert f"({role}: SELECT)" in evidence(urls[0], "readable-by-anon")
    assert f"({role}: DELETE)" in evidence(urls[0], "readable-by-anon")


def test_a_privilege_by_membership_counts(make: Callable[[str], str], make_role: Callable[[str], str]) -> None:
    url = make("fresh")
    readers = make_role(f"readers_{uuid4().hex[:8]}")
    make_role("anon")
    execute(url, f"GRANT SELECT ON {V} TO {readers}")
    assert found(url) == set()
    execute(url, f"GRANT {readers} TO anon")
    assert found(url) == {("readable-by-anon", V)}


@pytest.mark.parametrize("kind", ["fresh", "g1", "g2", "g3", "g4"])
@pytest.mark.one_server
def test_a_role_that_may_only_read_finds_the_same(
    make: Callable[[str], str], make_role: Callable[[str], str], kind: str
) -> None:
    url = make(kind)
    role = make_role(f"reader_{uuid4().hex[:8]}")
    run_script(url, grant_on_all_tables("SELECT", role))
    hidden = read(as_role(url, role)).hidden
    if kind == "fresh":
        assert {C, V, L, "strongroom_keyring"} <= hidden
        assert found(as_role(url, role)) == {("rls-hides-rows", table) for table in hidden}
        assert f"the role {role} " in evidence(as_role(url, role), "rls-hides-rows")
        execute(url, f"ALTER ROLE {role} BYPASSRLS")
    assert found(as_role(url, role)) == BASELINE[kind]
    assert read(as_role(url, role)).hidden == frozenset()
    if kind == "g4":
        execute(url, f"ALTER TABLE {C} ENABLE ROW LEVEL SECURITY")
        assert read(as_role(url, role)).hidden == {C}
        assert found(as_role(url, role)) == {*BASELINE[kind], ("rls-hides-rows", C)} - {("rls-off", C)}


def test_a_role_without_any_privilege_reads_the_catalogue(
    make: Callable[[str], str], make_role: Callable[[str], str]
) -> None:
    url = make("g4")
    assert found(as_role(url, make_role(f"nobody_{uuid4().hex[:8]}"))) == BASELINE["g4"]


def test_an_owner_to_whom_policies_apply_has_hidden_rows(
    make: Callable[[str], str], make_role: Callable[[str], str]
) -> None:
    url = make("g3")
    owner = make_role(f"owner_{uuid4().hex[:8]}")
    execute(url, f"ALTER TABLE {V} OWNER TO {owner}")
    execute(url, f"ALTER TABLE {V} ENABLE ROW LEVEL SECURITY")
    execute(url, f"CREATE POLICY mine ON {V} USING (true)")
    expected = {CASCADE, ("rls-off", C)}
    assert found(as_role(url, owner)) == {*expected, ("rls-not-forced", V)}
    assert f"The policies (mine) do not apply to the owner, {owner}." == evidence(url, "rls-not-forced")
    execute(url, f"ALTER TABLE {V} FORCE ROW LEVEL SECURITY")
    assert found(as_role(url, owner)) == expected, "it lets every row pass"
    execute(url, f"ALTER POLICY mine ON {V} USING (vault_id IS NOT NULL)")
    assert found(as_role(url, owner)) == {*expected, ("rls-hides-rows", V)}
    assert found(url) == expected, "a superuser sees everything"


# --- servers ----------------------------------------------------------------------------------------------------


def test_commits_that_do_not_wait(make_postgresql_vault: Callable[..., str]) -> None:
    url = make_postgresql_vault(synchronous_commit=False)
    assert found(url) == {("commit-not-synchronous", None)}


def test_a_server_that_a_crash_destroys(postgres: PostgresServer) -> None:
    with PostgresServer.start(fsync=False, full_page_writes=False) as server:
        url = server.create_database("careless")
        run_script(url, schema_sql("g3"))
        assert found(url) == {*BASELINE["g3"], ("not-durable", None)}
        assert "fsync, full_page_writes = off" in evidence(url, "not-durable")
        server.restart(fsync=True, full_page_writes=True)
        assert found(url) == BASELINE["g3"]


def test_other_schemas_are_not_ours(make: Callable[[str], str]) -> None:
    url = make("fresh")
    with psycopg.connect(url) as connection:
        connection.execute("CREATE SCHEMA other; SET search_path = other")
        connection.execute(schema_sql("g4").encode())
    assert found(url) == set()


# --- SQLite -----------------------------------------------------------------------------------------------------


def rewrite(url: str, table: str, old: str, new: str) -> None:
    """Change a table's definition: SQLite's own documented way."""
    with closing(sqlite3.connect(sqlite_path(url), isolation_level=None)) as connection:
        (definition,) = connection.execute("SELECT sql FROM sqlite_master WHERE name = ?", (table,)).fetchone()
        assert old in definition
        indexes = connection.execute("SELECT sql FROM sqlite_master WHERE tbl_name = ? AND type = 'index'", (table,))
        kept = [text for (text,) in indexes.fetchall() if text]
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute(f"DROP TABLE {table}")
        for text in (definition.replace(old, new), *kept):
            connection.execute(text)


def test_sqlite_without_a_unique_credential_id(sqlite_vault_url: str) -> None:
    rewrite(sqlite_vault_url, V, "UNIQUE (credential_id)", "UNIQUE (credential_id, id)")
    assert found(sqlite_vault_url) == {("no-unique-credential-id", V)}
    execute(sqlite_vault_url, f"CREATE UNIQUE INDEX p ON {V} (credential_id) WHERE revoked_at IS NULL")
    assert found(sqlite_vault_url) == {("partial-unique-only", V)}
    execute(sqlite_vault_url, f"CREATE UNIQUE INDEX u ON {V} (credential_id)")
    assert found(sqlite_vault_url) == set()


def test_sqlite_without_a_unique_live_wallet(sqlite_vault_url: str) -> None:
    execute(sqlite_vault_url, "DROP INDEX unique_active_project_credentials")
    assert found(sqlite_vault_url) == {("no-unique-live", C)}
    execute(sqlite_vault_url, f"CREATE UNIQUE INDEX u ON {C} (lower(project_id), network)")
    assert found(sqlite_vault_url) == set()


@pytest.mark.parametrize("action", ["CASCADE", "cascade"])
def test_sqlite_with_a_foreign_key_that_cascades(sqlite_vault_url: str, action: str) -> None:
    rewrite(sqlite_vault_url, V, "ON DELETE RESTRICT", f"ON DELETE {action}")
    assert found(sqlite_vault_url) == {CASCADE}
    assert evidence(sqlite_vault_url, "cascade-deletes-keys").startswith("the foreign key of credential_id is ON ")


def test_sqlite_without_a_foreign_key(sqlite_vault_url: str) -> None:
    rewrite(sqlite_vault_url, V, "FOREIGN KEY(credential_id)", "FOREIGN KEY(id)")
    assert found(sqlite_vault_url) == {("no-foreign-key", V)}
