"""Tables and views that another role made under names of strongroom's: none of them is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count
from uuid import UUID, uuid4

import psycopg
import pytest

import strongroom
from strongroom import Vault
from strongroom.errors import ForeignSchemaError
from testbed.command_line import call
from testbed.databases.older_versions import begin_upgrade, take_back, upgrade
from testbed.legacy import schema_sql
from testbed.processes.signing import transaction
from testbed.servers.postgres import PostgresServer
from tests.integration.traps import ROLE, SPRUNG, sprung

_numbers = count(1)
_ROLES = """
DO $$ BEGIN CREATE ROLE mallory LOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
DO $$ BEGIN CREATE ROLE keeper LOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
GRANT USAGE, CREATE ON SCHEMA public TO mallory, keeper;
"""
_TRAP = f"""
CREATE TYPE public.evil AS (x text);
CREATE FUNCTION public.spring(name text) RETURNS text LANGUAGE plpgsql AS
    $$ BEGIN RAISE LOG '{SPRUNG}: % as %', name, current_user; RETURN '1'; END $$;
CREATE FUNCTION public.told(e evil) RETURNS text LANGUAGE sql AS $$ SELECT public.spring('a cast') $$;
CREATE CAST (evil AS text) WITH FUNCTION public.told(evil);
"""
_COLUMNS = "project_id uuid, credential_id uuid, chain_id {0}, nonce {1}, digest text, fee text"
TABLE = f"""
CREATE TABLE public.strongroom_nonce_untagged ({_COLUMNS.format("evil", "text")});
GRANT ALL ON public.strongroom_nonce_untagged TO PUBLIC;
"""
VIEW = """
CREATE VIEW public.strongroom_nonce_untagged AS SELECT NULL::uuid AS project_id, NULL::uuid AS credential_id,
    public.spring('a view') AS chain_id, NULL::text AS nonce, NULL::text AS digest, NULL::text AS fee;
GRANT ALL ON public.strongroom_nonce_untagged TO PUBLIC;
"""
EVENTS = """
CREATE TABLE public.strongroom_events (id uuid, event text, details evil, created_at timestamptz);
INSERT INTO public.strongroom_events VALUES (gen_random_uuid(), 'nonce-collision', row('{}'), now());
CREATE TABLE public.strongroom_vault_history (id uuid, project_id uuid, credential_id uuid, network evil, label evil,
    address evil, public_key evil, vault_id evil, text evil, form evil, reason evil, created_at timestamptz);
INSERT INTO public.strongroom_vault_history SELECT gen_random_uuid(), NULL, NULL, e, e, e, e, e, e, e, e, now()
    FROM (SELECT row('e')::evil) AS x (e);
CREATE TABLE public.strongroom_slot (project_id uuid, network evil, label evil, credential_id evil, version int);
INSERT INTO public.strongroom_slot VALUES (gen_random_uuid(), row('e'), row('e'), row('e'), 1);
GRANT ALL ON public.strongroom_events, public.strongroom_vault_history, public.strongroom_slot TO PUBLIC;
"""
VERSION = """
CREATE TABLE public.strongroom_migrations (version_num varchar(32) NOT NULL);
INSERT INTO public.strongroom_migrations VALUES ('0003');
GRANT ALL ON public.strongroom_migrations TO PUBLIC;
"""
VAULT = """
CREATE TABLE public.credential_vault_storage (id uuid, credential_id uuid, vault_id text, encrypted_private_key evil);
INSERT INTO public.credential_vault_storage VALUES (gen_random_uuid(), gen_random_uuid(), 'v', row('e'));
GRANT ALL ON public.credential_vault_storage TO PUBLIC;
"""
PLANTED = ("strongroom_events", "strongroom_slot", "strongroom_vault_history")


@pytest.fixture
def make_shared(postgres: PostgresServer) -> Iterator[Callable[[str], str]]:
    """A database, empty or of the legacy application's, in whose schema two roles may CREATE: keeper, who uses it, and
    mallory."""
    names: list[str] = []

    def make(backend: str) -> str:
        names.append(f"planted_{next(_numbers)}")
        url = postgres.create_database(names[-1])
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(_ROLES)
            if backend != "fresh":
                connection.execute(schema_sql(backend).encode())
        plant(url, _TRAP)
        return url

    yield make
    for name in names:
        postgres.drop_database(name)


def plant(url: str, script: str) -> None:
    """Run a script as the role that may CREATE in public and nothing else."""
    with psycopg.connect(url.replace("postgres@", f"{ROLE}@"), autocommit=True) as connection:
        connection.execute(script.encode())


def keeper_of(url: str) -> str:
    return url.replace("postgres@", "keeper@")


def sign_all(vault: Vault, project: UUID, wallet: UUID) -> None:
    vault.sign_transaction(wallet, transaction(7, 10))
    vault.sign_transaction(wallet, transaction(7, 20), replace=True)
    vault.create_wallet(project, "solana")
    assert all(result.ok for result in vault.verify())


@pytest.mark.parametrize("script", [TABLE, VIEW], ids=["table", "view"])
def test_a_planted_optional_table_is_not_read(
    script: str, make_shared: Callable[[str], str], postgres: PostgresServer, root_key_uri: str
) -> None:
    url = make_shared("fresh")
    ours, project, start = keeper_of(url), uuid4(), len(postgres.read_log())
    with strongroom.init(ours, root_key=root_key_uri, schema="public") as vault:
        wallet = vault.create_wallet(project, "ethereum").wallet.id
    plant(url, script)
    if script is TABLE:
        plant(url, f"INSERT INTO strongroom_nonce_untagged VALUES ('{project}', '{wallet}', row('1'), '7', '00', '[]')")
    try:
        with strongroom.open(ours, root_key=root_key_uri) as vault:
            sign_all(vault, project, wallet)
    finally:
        assert sprung(postgres, start) == []
    answer = call("doctor", "--json", "--database", ours, "--root-key", root_key_uri)
    assert answer.code == 3, answer
    assert sprung(postgres, start) == []
    assert f"strongroom_nonce_untagged of {ROLE}" in answer.out


def test_no_view_can_take_the_place_of_the_optional_table(
    make_shared: Callable[[str], str], postgres: PostgresServer, root_key_uri: str
) -> None:
    """A process that was opened while an upgrade went on reads the table by its name long after."""
    url = make_shared("fresh")
    ours, project = keeper_of(url), uuid4()
    with strongroom.init(ours, root_key=root_key_uri, schema="public") as vault:
        wallet = vault.create_wallet(project, "ethereum").wallet.id
        vault.sign_transaction(wallet, transaction(6, 10))
    take_back(ours, "0002")
    begin_upgrade(ours, root_key_uri)
    start = len(postgres.read_log())
    with strongroom.open(ours, root_key=root_key_uri) as vault:
        upgrade(ours, root_key_uri)
        with suppress(psycopg.errors.DuplicateTable):
            plant(url, VIEW)
        sign_all(vault, project, wallet)
    assert sprung(postgres, start) == []
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        plant(url, "DROP TABLE public.strongroom_nonce_untagged")


@pytest.mark.parametrize("script", [EVENTS, EVENTS + VERSION], ids=["tables", "with a version"])
def test_doctor_reads_no_table_that_another_role_planted(
    script: str, make_shared: Callable[[str], str], postgres: PostgresServer, root_key_uri: str
) -> None:
    url = make_shared("g3")
    plant(url, script)
    with psycopg.connect(url) as connection:  # a wallet to look at
        project = connection.execute("INSERT INTO projects (id, name) VALUES (gen_random_uuid(), 'a') RETURNING id")
        connection.execute(
            "INSERT INTO project_credentials (id, project_id, public_key, key_vault_id, wallet_address, network,"
            " credential_type, status) VALUES (gen_random_uuid(), %s, '0x000000000000000000000000000000000000dEaD','v',"
            " '0x000000000000000000000000000000000000dEaD', 'ethereum', 'ethereum_wallet', 'active')",
            project.fetchone(),
        )
    start = len(postgres.read_log())
    answer = call("doctor", "--json", "--database", url)
    assert sprung(postgres, start) == []
    assert answer.code == 3, answer
    assert "shadows-built-in" in answer.out
    assert [name for name in PLANTED if f"table {name} of {ROLE}" not in answer.out] == []
    with pytest.raises(ForeignSchemaError, match=rf"strongroom_events of {ROLE}"):
        strongroom.init(url, root_key=root_key_uri)
    assert sprung(postgres, start) == []


def test_a_vault_whose_own_table_was_replaced_is_not_opened(
    make_shared: Callable[[str], str], postgres: PostgresServer, root_key_uri: str
) -> None:
    url = make_shared("fresh")
    strongroom.init(keeper_of(url), root_key=root_key_uri, schema="public").close()
    with psycopg.connect(url) as connection:
        connection.execute("DROP TABLE strongroom_events")
    plant(url, EVENTS.split("CREATE TABLE public.strongroom_vault_history")[0])
    start = len(postgres.read_log())
    with pytest.raises(ForeignSchemaError, match=rf"strongroom_events of {ROLE}"):
        strongroom.open(keeper_of(url), root_key=root_key_uri)
    assert sprung(postgres, start) == []


def test_doctor_reads_no_vault_table_that_another_role_planted(
    make_shared: Callable[[str], str], postgres: PostgresServer, root_key_uri: str
) -> None:
    """The legacy application's own tables may have types of its own; this one is of somebody who has no rights on the
    wallets."""
    url = make_shared("g1")
    plant(url, VAULT)
    start = len(postgres.read_log())
    answer = call("doctor", "--json", "--database", url)
    assert sprung(postgres, start) == []
    assert f"table credential_vault_storage of {ROLE}" in answer.out
    with pytest.raises(ForeignSchemaError, match=rf"credential_vault_storage of {ROLE}"):
        strongroom.init(url, root_key=root_key_uri)
    assert sprung(postgres, start) == []


_SPRINGS = f"""
CREATE FUNCTION public.spring() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE LOG '{SPRUNG}: a trigger as %', current_user; RETURN NEW; END $$;
"""
_LOGS = """
CREATE TABLE public.credential_usage_logs (id uuid PRIMARY KEY, credential_id uuid, action_type text, performed_by uuid,
    performed_at timestamptz, success boolean, action_details jsonb);
CREATE TRIGGER spring BEFORE INSERT ON public.credential_usage_logs FOR EACH ROW EXECUTE FUNCTION public.spring();
GRANT ALL ON public.credential_usage_logs TO PUBLIC;
"""


def let_write(url: str) -> None:
    """Let the other role do with wallets whatever the application may."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {ROLE}".encode())


def test_tables_of_a_role_that_may_write_wallets_are_not_the_vaults(
    make_shared: Callable[[str], str], postgres: PostgresServer, root_key_uri: str
) -> None:
    """He makes strongroom's own tables before anybody runs init, with triggers on them."""
    url = make_shared("g3")
    let_write(url)
    theirs = url.replace("postgres@", f"{ROLE}@")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"GRANT REFERENCES ON ALL TABLES IN SCHEMA public TO {ROLE}".encode())
    strongroom.init(theirs, root_key=root_key_uri, schema="public").close()
    plant(url, _SPRINGS)
    for table in ("strongroom_slot", "strongroom_events", "strongroom_keyring_head"):
        trigger = f"CREATE TRIGGER spring BEFORE INSERT OR UPDATE ON public.{table} FOR EACH ROW"
        plant(url, f"{trigger} EXECUTE FUNCTION public.spring(); GRANT ALL ON public.{table} TO PUBLIC")
    start = len(postgres.read_log())
    for schema in (None, "public"):
        with pytest.raises(strongroom.StoreError) as refused:
            strongroom.init(url, root_key=root_key_uri, schema=schema)
        assert refused.value.code in ("schema-not-named", "foreign-schema")
    assert sprung(postgres, start) == []


def test_a_wallet_table_of_a_role_that_may_write_the_others_is_not_believed(
    make_shared: Callable[[str], str], postgres: PostgresServer, root_key_uri: str
) -> None:
    url = make_shared("g3")
    let_write(url)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP TABLE public.credential_usage_logs")
    plant(url, _SPRINGS + _LOGS)
    start = len(postgres.read_log())
    with pytest.raises(ForeignSchemaError, match=f"credential_usage_logs of {ROLE}"):
        strongroom.init(url, root_key=root_key_uri)
    assert sprung(postgres, start) == []
