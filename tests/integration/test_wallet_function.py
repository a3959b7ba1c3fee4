"""A wallet written by one function, on PostgreSQL that has Citus's catalogue and distributes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest

import strongroom
from strongroom import Vault
from strongroom.store.catalog.profile import read_profile
from strongroom.store.catalog.surroundings import read_surroundings
from strongroom.store.connection.engine import ConnectionSettings
from strongroom.store.connection.own_functions import LOST_SLOT, WRITES_WALLET
from strongroom.store.connection.read_only import ReadOnlyDatabase
from strongroom.store.connection.session import Session
from testbed.concurrency import at_once
from testbed.databases.citus_functions import AS_CITUS
from testbed.databases.granted_roles import create_roles, grant, url_of
from testbed.databases.rows import execute
from testbed.servers.postgres import PostgresServer

pytestmark = pytest.mark.one_server
TABLES = (
    *("project_credentials", "credential_vault_storage", "credential_usage_logs", "strongroom_wallet"),
    *("strongroom_slot", "strongroom_idempotency"),
)
SIGNATURES = """
SELECT n.nspname::text || '.' || p.proname || '(' || oidvectortypes(p.proargtypes) || ')', p.proname::text
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE p.proname ~ '^strongroom_write_wallet_'
"""


@pytest.fixture
def url(postgres: PostgresServer, root_key_uri: str) -> Iterator[str]:
    """A vault on which every step of ``distribute`` was done."""
    made = postgres.create_database("wallet_function")
    strongroom.init(made, root_key=root_key_uri).close()
    with psycopg.connect(made) as connection:
        connection.execute(AS_CITUS.encode())
    strongroom.open_takeover(made).distribute()
    yield made
    postgres.drop_database("wallet_function")


@pytest.fixture
def vault(url: str, root_key_uri: str) -> Iterator[Vault]:
    with strongroom.open(url, root_key=root_key_uri) as opened:
        yield opened


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements that call the function, and those that write a slot by themselves."""
    found: list[str] = []
    run = Session._execute

    def noted(session: Session, sql: str, parameters: Any) -> None:
        if WRITES_WALLET in sql:
            found.append("call")
        elif sql.startswith("INSERT INTO strongroom_slot"):
            found.append("insert")
        run(session, sql, parameters)

    monkeypatch.setattr(Session, "_execute", noted)
    return found


def function_of(url: str) -> tuple[str, str]:
    """Its signature, and its name."""
    ((signature, name),) = execute(url, SIGNATURES)
    return str(signature), str(name)


def steps_of(url: str) -> list[str]:
    """What ``distribute`` would still do about the function; of Citus's other functions here none does anything."""
    steps = strongroom.open_takeover(url).distribution_steps()
    return [step.about for step in steps if WRITES_WALLET in step.about]


def everything(url: str) -> dict[str, list[str]]:
    return {table: sorted(map(repr, execute(url, f"SELECT * FROM strongroom.{table}"))) for table in TABLES}


def test_one_call_writes_a_whole_wallet(vault: Vault, url: str, calls: list[str]) -> None:
    project = uuid4()
    wallet, created = vault.create_wallet(project, "ethereum", idempotency_key="k")
    assert created
    assert vault.import_wallet(project, "polygon", private_key="43" * 32).created
    assert calls == ["call"] * 2
    assert not vault.create_wallet(project, "ethereum", idempotency_key="k").created
    assert not vault.create_wallet(project, "ethereum").created
    assert [result.ok for result in vault.verify()] == [True] * 2
    assert len(vault.list_log(wallet).records) == 1
    assert steps_of(url) == []


def test_callers_who_race_for_a_slot_get_one_wallet(url: str, root_key_uri: str) -> None:
    vaults = [strongroom.open(url, root_key=root_key_uri) for _ in range(6)]
    try:
        for number in range(4):
            project = uuid4()
            key = [None, "same"][number % 2]

            def make(vault: Vault, project: Any = project, key: str | None = key) -> Any:
                return vault.create_wallet(project, "ethereum", idempotency_key=key)

            made = at_once([lambda vault=vault: make(vault) for vault in vaults])  # type: ignore[misc]
            assert len({each.wallet.id for each in made}) == 1
            assert sum(each.created for each in made) == 1
    finally:
        for vault in vaults:
            vault.close()


def test_a_key_whose_slot_is_taken_leaves_nothing(vault: Vault, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two callers met: the key is free, and the slot is not."""
    project = uuid4()
    first = vault.create_wallet(project, "ethereum").wallet
    before = everything(url)
    store = vault._context.store.wallets
    insert = type(store).insert_wallet
    lost: list[bool] = []

    def late(own: Any, new: Any, *rest: Any) -> bool:
        lost.append(insert(own, new, *rest))
        return lost[-1]

    with monkeypatch.context() as patch:
        patch.setattr(type(store), "insert_wallet", late)
        patch.setattr("strongroom.usecases.create.find_answer", lambda *_: None)
        with pytest.raises(strongroom.StrongroomError):
            vault.create_wallet(project, "ethereum", idempotency_key="k")
    assert lost
    assert not any(lost)
    assert everything(url) == before
    assert vault.create_wallet(project, "ethereum", idempotency_key="k") == (first, False)


def test_a_key_that_seals_no_more_writes_nothing_and_is_replaced(
    url: str, root_key_uri: str, vault: Vault, calls: list[str]
) -> None:
    with strongroom.open(url, root_key=root_key_uri) as other:
        newest = other.rotate_sealing_key()
    wallet = vault.create_wallet(uuid4(), "ethereum").wallet
    assert calls == ["call"] * 2
    ((text,),) = execute(url, "SELECT kid FROM strongroom.strongroom_wallet WHERE credential_id = ?", (wallet.id,))
    assert text == newest


@pytest.mark.parametrize("key", [None, "k"])
@pytest.mark.parametrize("table", TABLES[:4])
def test_where_a_row_is_swallowed_nothing_is_written(vault: Vault, url: str, table: str, key: str | None) -> None:
    execute(url, "CREATE FUNCTION public.swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'")
    execute(url, f"CREATE TRIGGER s BEFORE INSERT ON strongroom.{table} FOR EACH ROW EXECUTE FUNCTION public.swallow()")
    before = everything(url)
    with pytest.raises(strongroom.TriggerConflictError, match="kept a row out"):
        vault.create_wallet(uuid4(), "ethereum", idempotency_key=key)
    assert everything(url) == before


def test_what_refuses_is_named_as_by_a_statement(vault: Vault, url: str, calls: list[str]) -> None:
    execute(url, "CREATE UNIQUE INDEX one_network ON strongroom.strongroom_wallet (project_id, scheme)")
    execute(url, "CREATE UNIQUE INDEX one_method ON strongroom.credential_vault_storage (project_id, access_level)")
    project = uuid4()
    vault.create_wallet(project, "ethereum")
    before = everything(url)
    with pytest.raises(strongroom.StoreRefusedError, match=r"a unique constraint \(one_method\)"):
        vault.create_wallet(project, "polygon")
    assert everything(url) == before
    assert calls == ["call"] * 2


def test_a_trigger_that_raises_is_named(vault: Vault, url: str) -> None:
    execute(
        url,
        "CREATE FUNCTION public.theirs() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{LOST_SLOT}'; END $$",
    )
    execute(
        url,
        "CREATE TRIGGER t BEFORE INSERT ON strongroom.strongroom_slot FOR EACH ROW EXECUTE FUNCTION public.theirs()",
    )
    with pytest.raises(strongroom.TriggerConflictError, match="theirs"):
        vault.create_wallet(uuid4(), "ethereum")


def drop(url: str, signature: str) -> None:
    execute(url, f"DROP FUNCTION {signature}")


def change(url: str, signature: str) -> None:
    body = "BEGIN RETURN true; END"
    execute(url, f"CREATE OR REPLACE FUNCTION {signature} RETURNS bool LANGUAGE plpgsql AS $$ {body} $$")


def with_rights(url: str, signature: str) -> None:
    execute(url, f"ALTER FUNCTION {signature} SECURITY DEFINER")


def with_settings(url: str, signature: str) -> None:
    execute(url, f"ALTER FUNCTION {signature} SET search_path = public")


def of_another(url: str, signature: str) -> None:
    execute(url, f"ALTER FUNCTION {signature} OWNER TO somebody")


@pytest.fixture
def somebody(url: str) -> Iterator[None]:
    execute(url, "CREATE ROLE somebody")
    execute(url, "GRANT USAGE, CREATE ON SCHEMA strongroom TO somebody")
    yield
    execute(url, "DROP OWNED BY somebody CASCADE")
    execute(url, "DROP ROLE somebody")


@pytest.mark.usefixtures("somebody")
@pytest.mark.parametrize("do", [drop, change, with_rights, with_settings, of_another])
def test_one_that_is_not_ours_is_not_called_and_made_anew(
    url: str, root_key_uri: str, calls: list[str], do: Callable[[str, str], None]
) -> None:
    signature, name = function_of(url)
    do(url, signature)
    with strongroom.open(url, root_key=root_key_uri) as vault:
        assert vault.create_wallet(uuid4(), "ethereum", idempotency_key="k").created
        assert calls == ["insert"]
        assert [result.ok for result in vault.verify()] == [True]
    assert foreign_code(url) == ([] if do is drop else [name])
    assert steps_of(url) == [f"{name}: writes a wallet on its node"]
    strongroom.open_takeover(url).distribute()
    assert function_of(url) == (signature, name)
    assert foreign_code(url) == []
    with strongroom.open(url, root_key=root_key_uri) as vault:
        assert vault.create_wallet(uuid4(), "ethereum").created
    assert calls == ["insert", "call"]


def foreign_code(url: str) -> list[str]:
    """The names of functions that doctor says are not strongroom's."""
    settings = ConnectionSettings(connect_timeout_seconds=5, busy_timeout_seconds=5)
    with ReadOnlyDatabase.open(url, settings) as database:
        code = read_surroundings(database, read_profile(database)).code
    return [each.what.split(".")[1].split("(")[0] for each in code if WRITES_WALLET in each.what]


def test_one_that_is_dropped_while_a_vault_is_open_is_done_without(vault: Vault, url: str, calls: list[str]) -> None:
    vault.create_wallet(uuid4(), "ethereum")
    drop(url, function_of(url)[0])
    assert vault.create_wallet(uuid4(), "ethereum").created
    assert calls == ["call", "call", "insert"]


@pytest.mark.usefixtures("somebody")
def test_another_function_of_its_name_is_not_run(vault: Vault, url: str, calls: list[str]) -> None:
    """Somebody who may CREATE makes one that fits other types, and one for a version that is to come."""
    signature, name = function_of(url)
    body = "BEGIN RAISE EXCEPTION 'ran'; END"
    other = signature.replace("text", "character varying")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET ROLE somebody")
        for each in (other, f"strongroom.{WRITES_WALLET}0(uuid)"):
            connection.execute(f"CREATE FUNCTION {each} RETURNS bool LANGUAGE plpgsql AS $$ {body} $$".encode())
    assert vault.create_wallet(uuid4(), "ethereum").created
    assert calls == ["call"]
    assert sorted(foreign_code(url)) == sorted([name, f"{WRITES_WALLET}0"])
    assert steps_of(url) == []


def test_what_an_earlier_version_made_is_dropped(url: str) -> None:
    execute(
        url,
        f"CREATE FUNCTION strongroom.{WRITES_WALLET}0(uuid) RETURNS bool LANGUAGE plpgsql AS 'BEGIN RETURN true; END'",
    )
    strongroom.open_takeover(url).distribute()
    assert function_of(url)[1] != f"{WRITES_WALLET}0"


def test_roles_call_it_where_they_were_granted_to(url: str, root_key_uri: str, calls: list[str]) -> None:
    signature, name = function_of(url)
    roles = create_roles(url, ("creator", "operator", "reader"))
    try:
        for kind in ("creator", "operator"):
            grant(url, kind, roles[kind])
            with strongroom.open(url_of(url, roles[kind]), root_key=root_key_uri) as vault:
                assert vault.create_wallet(uuid4(), "ethereum").created
                assert calls == ["call"]
                execute(url, f"REVOKE EXECUTE ON FUNCTION {signature} FROM {roles[kind]}")
                assert vault.create_wallet(uuid4(), "ethereum").created, "of one who had it when the vault was opened"
            with strongroom.open(url_of(url, roles[kind]), root_key=root_key_uri) as vault:
                assert vault.create_wallet(uuid4(), "ethereum").created
            assert calls == ["call", "call", "insert", "insert"]
            calls.clear()
        grant(url, "reader", roles["reader"])
        with strongroom.open(url_of(url, roles["reader"]), root_key=root_key_uri) as vault:
            with pytest.raises(strongroom.PrivilegeMissingError, match="INSERT"):
                vault.create_wallet(uuid4(), "ethereum")
        (rights,) = execute(url, "SELECT proacl::text FROM pg_proc WHERE proname = ?", (name,))
        assert roles["reader"] not in rights[0]
        assert "{=" not in rights[0]
        assert ",=" not in rights[0]
    finally:
        for role in roles.values():
            execute(url, f"DROP OWNED BY {role}")
            execute(url, f"DROP ROLE {role}")


def test_its_commit_waits_for_the_disk_whatever_the_setting(vault: Vault, url: str) -> None:
    execute(url, "ALTER DATABASE wallet_function SET synchronous_commit = off")
    execute(url, "CREATE TABLE public.seen (setting text)")
    execute(
        url,
        "CREATE FUNCTION public.look() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN INSERT INTO public.seen VALUES (current_setting('synchronous_commit')); RETURN NEW; END $$",
    )
    execute(
        url,
        "CREATE TRIGGER l BEFORE INSERT ON strongroom.credential_usage_logs FOR EACH ROW "
        "EXECUTE FUNCTION public.look()",
    )
    vault._context.store.context.database.engine.dispose()  # type: ignore[attr-defined]
    assert vault.create_wallet(uuid4(), "ethereum").created
    assert execute(url, "SELECT setting FROM public.seen") == [("on",)]


def test_a_callers_transaction_is_written_by_single_statements(vault: Vault, url: str, calls: list[str]) -> None:
    project = uuid4()
    with psycopg.connect(url) as connection:
        vault.create_wallet(project, "ethereum", connection=connection)
        assert calls == ["insert"]
        connection.rollback()
    assert vault.list_wallets(project).wallets == ()


def test_a_call_that_was_cancelled_is_looked_for(vault: Vault, url: str, calls: list[str]) -> None:
    """Nobody knows whether the node had committed: the wallet is looked for, and then written."""
    project = uuid4()
    cancel = (
        "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE query LIKE ? AND wait_event_type = 'Lock'"
    )
    with psycopg.connect(url) as connection:
        connection.execute("LOCK TABLE strongroom.strongroom_slot IN EXCLUSIVE MODE")

        def end() -> None:
            while execute(url, cancel, (f"SELECT %{WRITES_WALLET}%",)) == [(0,)]:
                pass
            connection.rollback()

        made: Any = at_once([lambda: vault.create_wallet(project, "ethereum"), end])[0]
    assert made.created
    assert calls == ["call"] * 2
    assert len(vault.list_wallets(project).wallets) == 1
