"""The schema of a vault's tables: made, found again, refused where it is another role's, and never a second one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any
from uuid import uuid4

import psycopg
import pytest

import strongroom
from strongroom import Vault
from strongroom.errors import SchemaNotNamedError, SchemaRefusedError
from strongroom.records.usage_log import Attribution
from strongroom.settings import Settings
from strongroom.store import schema
from strongroom.store.catalog.profile import read_profile
from strongroom.store.connection.database import Database
from strongroom.store.connection.engine import create_engine
from strongroom.wiring import open_upgrade
from testbed.command_line import call
from testbed.databases.rows import execute, grant_on_all_tables
from testbed.legacy import schema_sql
from testbed.processes.signing import transaction
from testbed.servers.postgres import PostgresServer
from tests.integration.traps import SPRUNG, sprung

PATH = "&options=-csearch_path%3Dpublic"
"""The path that servers come with, apart from "$user": the vault's schema is not on it."""
_numbers = count(1)
_HOMES = "SELECT schemaname::text, count(*) FROM pg_tables WHERE tablename ~ '^strongroom_' GROUP BY 1"
_WALLETS = (
    "SELECT schemaname::text FROM pg_tables WHERE tablename IN ('project_credentials', 'credential_vault_storage')"
)
_CLONE = """
DO $$ DECLARE each name; BEGIN
    FOR each IN SELECT tablename FROM pg_tables WHERE schemaname = '{0}' LOOP
        EXECUTE format('CREATE TABLE {1}.%I (LIKE {0}.%I INCLUDING ALL)', each, each);
        EXECUTE format('INSERT INTO {1}.%I SELECT * FROM {0}.%I', each, each);
    END LOOP;
END $$
"""
_ROLES = """
DO $$ DECLARE each text; BEGIN
    FOREACH each IN ARRAY ARRAY['mallory', 'keeper', 'anon', 'authenticated'] LOOP
        BEGIN
            EXECUTE format('CREATE ROLE %I LOGIN', each);
        EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END;
    END LOOP;
END $$
"""


@pytest.fixture
def make(postgres: PostgresServer) -> Iterator[Callable[..., str]]:
    """A new database whose roles look at public alone; with wallet tables where a backend is named."""
    names: list[str] = []

    def database(backend: str = "fresh") -> str:
        names.append(f"schema_{next(_numbers)}")
        url = postgres.create_database(names[-1])
        script(url, _ROLES)
        if backend != "fresh":
            script(url, schema_sql(backend))
        return url + PATH

    yield database
    for name in names:
        postgres.drop_database(name)
    with psycopg.connect(postgres.url(), autocommit=True) as owner:  # other tests make roles of these names
        for role in ("anon", "authenticated"):
            owner.execute(f"DROP OWNED BY {role}".encode())
            owner.execute(f"DROP ROLE IF EXISTS {role}".encode())


def script(url: str, sql: str, role: str = "postgres") -> None:
    with psycopg.connect(url.replace("postgres@", f"{role}@"), autocommit=True) as connection:
        connection.execute(sql.encode())


def homes(url: str) -> dict[str, int]:
    return dict(execute(url, _HOMES))


def project_of(url: str, backend: str) -> object:
    project = uuid4()
    if backend != "fresh":
        home = "app" if backend == "other_schema" else "public"
        execute(url, f"INSERT INTO {home}.projects (id, name) VALUES (?, 'a project')", (project,))
    return project


def use(vault: Vault, project: object) -> None:
    wallet, created = vault.create_wallet(project, "ethereum")  # type: ignore[arg-type]
    assert created
    vault.sign_transaction(wallet, transaction(7, 10))
    vault.replace_wallet(wallet)
    assert all(result.ok for result in vault.verify())


def test_a_fresh_vault_is_in_a_schema_that_nobody_else_may_use(make: Callable[..., str], root_key_uri: str) -> None:
    url = make()
    script(url, "ALTER DEFAULT PRIVILEGES GRANT ALL ON SCHEMAS TO PUBLIC, anon")
    with strongroom.init(url, root_key=root_key_uri) as vault:
        use(vault, uuid4())
    assert set(homes(url)) == {"strongroom"}
    assert set(execute(url, _WALLETS)) == {("strongroom",)}
    usage = "SELECT has_schema_privilege(?, 'strongroom', 'USAGE, CREATE')"
    assert [execute(url, usage, (role,)) for role in ("anon", "authenticated", "keeper")] == [[(False,)]] * 3
    secured = "SELECT bool_and(rowsecurity) FROM pg_tables WHERE schemaname = 'strongroom'"
    assert execute(url, secured) == [(True,)]
    for verb in (strongroom.open, strongroom.init):
        with verb(url, root_key=root_key_uri) as vault:
            use(vault, uuid4())
    for arguments in (("status",), ("verify",), ("guard", "--install"), ("guard", "--status"), ("doctor",)):
        answer = call(*arguments, "--database", url, "--root-key", root_key_uri)
        assert answer.code == 0, (arguments, answer)
    script(url, "ALTER DEFAULT PRIVILEGES REVOKE ALL ON SCHEMAS FROM PUBLIC, anon")


def test_tables_next_to_legacy_ones_are_in_their_own_schema(make: Callable[..., str], root_key_uri: str) -> None:
    url = make("g4")
    with strongroom.init(url, root_key=root_key_uri) as vault:
        use(vault, project_of(url, "g4"))
    with strongroom.open(url, root_key=root_key_uri) as vault:
        use(vault, project_of(url, "g4"))
        assert vault.status().store.generation == "g4"
    assert set(homes(url)) == {"strongroom"}
    assert set(execute(url, _WALLETS)) == {("public",)}


def test_public_for_those_who_want_it_and_found_without_the_setting(
    make: Callable[..., str], root_key_uri: str
) -> None:
    url = make()
    answer = call("init", "--schema", "public", "--database", url, "--root-key", root_key_uri)
    assert answer.code == 0, answer
    assert set(homes(url)) == {"public"}
    assert execute(url, "SELECT to_regnamespace('strongroom')") == [(None,)]
    with strongroom.open(url, root_key=root_key_uri) as vault:
        use(vault, uuid4())
    elsewhere = url.replace("public", "pg_catalog")
    with strongroom.open(elsewhere, root_key=root_key_uri) as vault:
        use(vault, uuid4())


def test_two_vaults_are_an_error_until_one_is_named(make: Callable[..., str], root_key_uri: str) -> None:
    url = make()
    strongroom.init(url, root_key=root_key_uri).close()
    script(url, _CLONE.format("strongroom", "public"))
    for verb in (strongroom.open, strongroom.init):
        with pytest.raises(SchemaNotNamedError, match="public, strongroom") as caught:
            verb(url, root_key=root_key_uri)
        assert "--schema" in caught.value.hint
    for name in ("public", "strongroom"):
        with strongroom.open(url, root_key=root_key_uri, schema=name) as vault:
            use(vault, uuid4())


@pytest.mark.parametrize("backend", ["fresh", "g3"])
def test_a_mistyped_schema_makes_no_second_vault(backend: str, make: Callable[..., str], root_key_uri: str) -> None:
    url = make(backend)
    strongroom.init(url, root_key=root_key_uri).close()
    for verb in (strongroom.open, strongroom.init):
        with pytest.raises(strongroom.StoreError, match="strongroom") as caught:
            verb(url, root_key=root_key_uri, schema="strongrom")
        assert caught.value.code == "schema-not-named"
    assert set(homes(url)) == {"strongroom"}
    assert execute(url, "SELECT to_regnamespace('strongrom')") == [(None,)]


def test_no_second_vault_is_made_next_to_one_that_nothing_searches(make: Callable[..., str], root_key_uri: str) -> None:
    url = make()
    strongroom.init(url, root_key=root_key_uri, schema="app").close()
    options = ("--database", url, "--root-key", root_key_uri)
    for name in ("ap", "strongroom", "public"):
        for verb in ("init", "status", "doctor", "upgrade"):
            answer = call(verb, "--json", "--schema", name, *options)
            assert answer.document["error"]["code"] == "schema-not-named", answer
            assert "in the schema app" in answer.document["error"]["message"]
    assert set(homes(url)) == {"app"}
    with strongroom.open(url, root_key=root_key_uri, schema="app") as first:
        use(first, uuid4())
    answer = call("init", "--json", "--schema", "ap", "--another-vault", *options)
    assert (answer.code, answer.document["created"]) == (0, True)
    with strongroom.open(url, root_key=root_key_uri, schema="ap") as second:
        assert second.count_wallets() == 0
        use(second, uuid4())
    strongroom.init(url, root_key=root_key_uri, schema="tenant", another_vault=True).close()
    assert set(homes(url)) == {"app", "ap", "tenant"}


def test_no_second_vault_is_made_over_the_wallets_of_one(make: Callable[..., str], root_key_uri: str) -> None:
    url = make("g3")
    strongroom.init(url, root_key=root_key_uri).close()
    with pytest.raises(SchemaNotNamedError) as refused:
        strongroom.init(url, root_key=root_key_uri, schema="strongrom", another_vault=True)
    assert "--another-vault" not in refused.value.hint
    assert "search_path" in refused.value.hint
    answer = call("doctor", "--json", "--database", url, "--root-key", root_key_uri, "--schema", "strongrom")
    assert answer.document["error"]["code"] == "schema-not-named", "not another vault's tables without its keyring"
    assert set(homes(url)) == {"strongroom"}


def test_wallet_tables_off_the_path_are_named_and_no_second_set_is_made(
    make: Callable[..., str], root_key_uri: str
) -> None:
    url = make("other_schema")
    options = ("--database", url, "--root-key", root_key_uri)
    for verb in ("init", "status", "doctor"):
        answer = call(verb, "--json", *options)
        assert answer.document["error"]["code"] == "schema-not-named", answer
        assert "app" in answer.document["error"]["message"]
        assert "--schema" in answer.document["error"]["hint"]
    assert (homes(url), set(execute(url, _WALLETS))) == ({}, {("app",)})
    assert call("doctor", "--json", "--schema", "app", *options).document["generation"] == "g3"
    with strongroom.init(url, root_key=root_key_uri, schema="app") as vault:
        use(vault, project_of(url, "other_schema"))
    assert (set(homes(url)), set(execute(url, _WALLETS))) == ({"app"}, {("app",)})
    for verb in ("status", "verify", "doctor"):
        assert call(verb, "--schema", "app", *options).code in (0, 3)
    assert call("guard", "--install", "--schema", "app", *options).code == 0
    with pytest.raises(SchemaNotNamedError, match="app"):
        strongroom.open(url, root_key=root_key_uri)


def test_wallet_tables_on_the_path_of_their_own_schema(make: Callable[..., str], root_key_uri: str) -> None:
    url = make("other_schema").replace(PATH, PATH.replace("public", "app"))
    with strongroom.init(url, root_key=root_key_uri) as vault:
        use(vault, project_of(url, "other_schema"))
    assert (set(homes(url)), set(execute(url, _WALLETS))) == ({"strongroom"}, {("app",)})
    with pytest.raises(strongroom.TablesMissingError, match="app, which is not on the role's search_path"):
        strongroom.open(url.replace("Dapp", "Dpublic"), root_key=root_key_uri)


def test_a_schema_of_another_role_is_not_believed(
    make: Callable[..., str], postgres: PostgresServer, root_key_uri: str
) -> None:
    """A role that may CREATE in the database makes a whole vault under the name that is searched."""
    url = make()
    (database,) = execute(url, "SELECT current_database()::text")[0]
    script(url, f"GRANT CREATE ON DATABASE {database} TO mallory; GRANT CREATE ON SCHEMA public TO keeper")
    with strongroom.init(url, root_key=root_key_uri, schema="public") as vault:
        wallet = vault.create_wallet(uuid4(), "ethereum").wallet
        script(url, "GRANT SELECT ON ALL TABLES IN SCHEMA public TO mallory; ALTER ROLE mallory BYPASSRLS")
        script(url, f"CREATE SCHEMA strongroom; {_CLONE.format('public', 'strongroom')}", "mallory")
        trap = f"""CREATE FUNCTION strongroom.trap() RETURNS bool LANGUAGE plpgsql AS
            $$ BEGIN RAISE WARNING '{SPRUNG}: a policy'; RETURN true; END $$;
            CREATE POLICY trap ON strongroom.project_credentials USING (strongroom.trap());
            GRANT USAGE ON SCHEMA strongroom TO PUBLIC; GRANT ALL ON ALL TABLES IN SCHEMA strongroom TO PUBLIC"""
        script(url, trap, "mallory")
        script(url, "ALTER ROLE mallory NOBYPASSRLS")
        start = len(postgres.read_log())
        for verb in (strongroom.open, strongroom.init):
            with verb(url, root_key=root_key_uri) as again:
                assert again.get_wallet(wallet.id) == wallet
                use(again, uuid4())
        assert execute(url, "SELECT count(*) FROM strongroom.project_credentials") == [(1,)]
        assert sprung(postgres, start) == []


def test_init_refuses_a_schema_of_another_role_and_prints_the_sql(make: Callable[..., str], root_key_uri: str) -> None:
    url = make()
    (database,) = execute(url, "SELECT current_database()::text")[0]
    keeper = url.replace("postgres@", "keeper@")
    with pytest.raises(SchemaRefusedError, match="keeper may not make schemas") as caught:
        strongroom.init(keeper, root_key=root_key_uri)
    script(url, f"GRANT CREATE ON DATABASE {database} TO mallory; CREATE SCHEMA other AUTHORIZATION mallory")
    script(url, "GRANT ALL ON SCHEMA other TO keeper", "mallory")
    with pytest.raises(SchemaRefusedError, match="belongs to the role mallory"):
        strongroom.init(keeper, root_key=root_key_uri, schema="other")
    assert homes(url) == {}
    script(url, caught.value.hint.partition("\n")[2])
    with strongroom.init(keeper, root_key=root_key_uri) as vault:
        use(vault, uuid4())
    owners = "SELECT DISTINCT tableowner::text, schemaname::text FROM pg_tables WHERE tablename ~ '^strongroom'"
    assert execute(url, owners) == [("keeper", "strongroom")]
    # Who looks is neither its owner, nor does it belong to the owner of the database: somebody has to name it.
    app = url.replace("postgres@", "anon@")
    script(url, f"{grant_on_all_tables('ALL', 'anon')} ALTER ROLE anon BYPASSRLS")
    with pytest.raises(SchemaNotNamedError, match="belongs to another role") as unnamed:
        strongroom.open(app, root_key=root_key_uri)
    assert "--schema" in unnamed.value.hint
    with strongroom.open(app, root_key=root_key_uri, schema="strongroom") as vault:
        use(vault, uuid4())


# --- moved ------------------------------------------------------------------------------------------------------


@pytest.mark.thorough(sample=1)
@pytest.mark.parametrize("backend", ["fresh", "g4"])
def test_upgrade_moves_a_vault_and_processes_follow(backend: str, make: Callable[..., str], root_key_uri: str) -> None:
    url = make(backend)
    options = ("--database", url, "--root-key", root_key_uri)
    script(url, "GRANT CREATE ON SCHEMA public TO PUBLIC")
    engine = strongroom.create_engine(url)
    with strongroom.init(url, root_key=root_key_uri, schema="public") as vault:
        project = project_of(url, backend)
        wallet = vault.create_wallet(project, "ethereum").wallet  # type: ignore[arg-type]
    script(url, "GRANT SELECT ON strongroom_wallet TO keeper; GRANT SELECT ON strongroom_wallet TO anon")
    assert call("guard", "--install", "--mode", "refuse", *options).code == 0
    with strongroom.open(url, root_key=root_key_uri) as running, strongroom.open(url, root_key=root_key_uri) as other:
        answer = call("upgrade", "--move-to", "strongroom", *options)
        assert answer.code == 0, answer
        assert set(homes(url)) == {"strongroom"}
        assert set(execute(url, _WALLETS)) == {("strongroom" if backend == "fresh" else "public",)}
        use(running, project_of(url, backend))  # its next statement is a write
        assert running.get_wallet(wallet.id) == wallet
        with engine.begin() as connection, pytest.raises(strongroom.RetryTransactionError):
            other.create_wallet(project, "solana", connection=connection)  # type: ignore[arg-type]
        with engine.begin() as connection:
            other.create_wallet(project, "solana", connection=connection)  # type: ignore[arg-type]
    engine.dispose()
    usage = "SELECT has_schema_privilege(?, 'strongroom', 'USAGE')"
    assert [execute(url, usage, (role,)) for role in ("keeper", "anon")] == [[(True,)], [(False,)]]
    assert call("guard", "--status", *options).code == 0
    stray = "SELECT count(*) FROM pg_proc WHERE proname ~ '^strongroom' AND pronamespace = 'public'::regnamespace"
    assert execute(url, stray) == [(0,)]
    with pytest.raises(psycopg.errors.RestrictViolation):
        script(url, f"DELETE FROM {'strongroom' if backend == 'fresh' else 'public'}.credential_vault_storage")
    answer = call("upgrade", "--move-to", "strongroom", *options)
    assert (answer.code, "are in the schema" in answer.err) == (0, False)
    assert execute(url, "SELECT count(*) FROM strongroom.strongroom_events WHERE event = 'schema-move'") == [(1,)]


def test_a_process_whose_vault_was_moved_where_nothing_searches_is_told_so(
    make: Callable[..., str], root_key_uri: str
) -> None:
    url = make("fresh")
    options = ("--database", url, "--root-key", root_key_uri)
    strongroom.init(url, root_key=root_key_uri).close()
    with strongroom.open(url, root_key=root_key_uri) as running:
        wallet = running.create_wallet(uuid4(), "ethereum").wallet
        answer = call("upgrade", "--move-to", "elsewhere", *options)
        assert (answer.code, "--schema elsewhere" in " ".join(answer.err.split())) == (0, True)
        with pytest.raises(SchemaNotNamedError, match="elsewhere"):
            running.get_wallet(wallet.id)
        with pytest.raises(SchemaNotNamedError, match="elsewhere"):
            running.sign_message(wallet, "x")
        back = call("upgrade", "--move-to", "public", "--schema", "elsewhere", *options)
        assert (back.code, "--schema" in back.err) == (0, False)
        assert running.sign_message(wallet, "x")


class _MovedMeanwhile:
    """A database whose vault another process moves just before one of the statements that look for it."""

    def __init__(self, database: Database, statement: int, move: Callable[[], object]) -> None:
        self._database = database
        self._left = statement
        self._move = move

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)

    def read(self, sql: str, parameters: dict[str, Any]) -> list[Any]:
        if self._left == 0:
            self._move()
        self._left -= 1
        return self._database.read(sql, parameters)


def test_a_vault_that_is_moved_while_it_is_looked_for_is_found(make: Callable[..., str], root_key_uri: str) -> None:
    url = make()
    settings = Settings(database=url, root_key=root_key_uri)
    strongroom.init(url, root_key=root_key_uri, schema="public").close()

    def move(to: str) -> None:
        open_upgrade(settings, Attribution(), move_to=to).vault_context.close()

    asked = 0
    homes_found = []
    while True:
        to = "strongroom" if asked % 2 == 0 else "public"
        database = Database(create_engine(url))
        meanwhile = _MovedMeanwhile(database, asked, lambda to=to: move(to))  # type: ignore[misc]
        profile = read_profile(meanwhile)  # type: ignore[arg-type]
        database.close()
        if meanwhile._left >= 0:
            break
        assert profile.version == schema.HEAD, f"moved before statement {asked}"
        assert profile.location is not None
        homes_found.append(profile.location.home == to)
        asked += 1
    assert asked >= 4
    assert homes_found[:2] == [True, True]  # later statements read what does not tell where the tables are


def test_two_movers_and_a_schema_that_is_taken(make: Callable[..., str], root_key_uri: str) -> None:
    url = make()
    settings = Settings(database=url, root_key=root_key_uri)
    strongroom.init(url, root_key=root_key_uri, schema="public").close()

    def move(_: int) -> bool:
        opened = open_upgrade(settings, Attribution(), move_to="strongroom")
        opened.vault_context.close()
        return opened.moved

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(move, range(4))) == [False, False, False, True]
    script(url, "CREATE SCHEMA taken AUTHORIZATION mallory")
    with pytest.raises(SchemaRefusedError, match="mallory"):
        open_upgrade(settings, Attribution(), move_to="taken")
    script(url, "CREATE SCHEMA full_; CREATE TABLE full_.strongroom_slot (n int)")
    with pytest.raises(strongroom.StoreError):
        open_upgrade(settings, Attribution(), move_to="full_")
    assert set(homes(url)) == {"strongroom", "full_"}
    with strongroom.open(url, root_key=root_key_uri) as vault:
        use(vault, uuid4())


def test_a_vault_that_is_made_while_it_is_looked_for_is_no_second_one(
    make: Callable[..., str], root_key_uri: str
) -> None:
    """Another process commits its init between any two of the statements."""
    asked, versions = 0, list[str | None]()
    while True:
        url = make()
        database = Database(create_engine(url))
        meanwhile = _MovedMeanwhile(
            database,
            asked,
            lambda url=url: strongroom.init(url, root_key=root_key_uri).close(),  # type: ignore[misc]
        )
        profile = read_profile(meanwhile)  # type: ignore[arg-type]
        database.close()
        if meanwhile._left >= 0:
            break
        profile.require_adoptable()
        versions.append(profile.version)
        asked += 1
    assert asked >= 4
    assert versions[0] == schema.HEAD
