"""Installing, printing, removing and examining the guard."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from threading import Timer

import psycopg
import pytest

import strongroom
from strongroom import Vault
from strongroom.settings import Settings
from strongroom.store.connection.session import Session
from strongroom.store.guard import installer
from strongroom.wiring import open_guard
from testbed.command_line import call
from testbed.databases import foreign
from testbed.databases.deployments import Deployment
from testbed.databases.foreign import run_script
from testbed.databases.guards import EACH_MODE, FOREIGN, POSTGRESQL, SQLITE, install, opened, put
from testbed.databases.rows import execute, sqlite_path
from tests.integration.event_triggers import OFF

_PARTS = """
SELECT 'function', p.proname::text, pg_get_functiondef(p.oid), obj_description(p.oid, 'pg_proc'), p.proacl::text
  FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace
 UNION ALL
SELECT c.relname::text, t.tgname::text, pg_get_triggerdef(t.oid), obj_description(t.oid, 'pg_trigger'),
       t.tgenabled::text
  FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE NOT t.tgisinternal ORDER BY 1, 2
"""


def definitions(deployment: Deployment) -> list[tuple[object, ...]]:
    """Every trigger and function of the database."""
    if deployment.backend == "sqlite":
        return deployment.execute("SELECT type, name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY 2")
    return deployment.execute(_PARTS)


def run_printed(deployment: Deployment, script: str) -> None:
    if deployment.backend == "sqlite":
        connection = sqlite3.connect(sqlite_path(deployment.url))
        connection.executescript(script)
        connection.close()
    else:
        run_script(deployment.url, script)


def guard(deployment: Deployment, *arguments: str) -> tuple[int, dict[str, object]]:
    answer = call("guard", *arguments, "--database", deployment.url, "--json")
    return answer.code, json.loads(answer.out)


def states(deployment: Deployment) -> dict[str, str]:
    with opened(deployment) as found:
        return {f"{part.table}.{part.name}": part.state for part in found.status().parts if part.state != "intact"}


@EACH_MODE
def test_what_is_printed_is_what_is_installed(deployment: Deployment, mode: str) -> None:
    nothing = definitions(deployment)
    code, printed = guard(deployment, "--print", "--mode", mode)
    assert (code, printed["mode"]) == (0, mode)
    assert definitions(deployment) == nothing
    for _ in range(2):
        run_printed(deployment, str(printed["sql"]))
    by_hand = definitions(deployment)
    assert guard(deployment, "--status")[1]["state"] == "installed"
    assert guard(deployment, "--remove")[1]["removed"] is True
    assert definitions(deployment) == nothing
    assert guard(deployment, "--install", "--mode", mode)[0] == 0
    assert definitions(deployment) == by_hand


def test_install_may_be_repeated_and_changes_the_mode(deployment: Deployment) -> None:
    code, absent = guard(deployment, "--status")
    assert (code, absent["state"], absent["mode"]) == (3, "absent", None)
    for mode in ("archive", "archive", "refuse", "archive"):
        code, found = guard(deployment, "--install", "--mode", mode)
        assert (code, found["state"], found["mode"]) == (0, "installed", mode)
        assert guard(deployment, "--status") == (code, found)
    assert guard(deployment, "--remove") == (0, {**absent, "removed": True})
    assert guard(deployment, "--remove") == (0, {**absent, "removed": False})
    rows = deployment.execute("SELECT event, details FROM strongroom_events WHERE event <> 'init' ORDER BY created_at")
    facts = [json.loads(details) if isinstance(details, str) else details for _, details in rows]
    assert [event for event, _ in rows] == ["guard-install"] * 4 + ["guard-remove"]
    assert [fact.get("mode") for fact in facts] == ["archive", "archive", "refuse", "archive", None]


ALTERED = {
    "DROP TRIGGER strongroom_guard_delete ON credential_vault_storage": "missing",
    "ALTER TABLE credential_vault_storage DISABLE TRIGGER strongroom_guard_delete": "disabled",
    "ALTER TABLE credential_vault_storage DISABLE TRIGGER ALL": "disabled",
    "ALTER TABLE credential_vault_storage ENABLE REPLICA TRIGGER strongroom_guard_delete": "disabled",
    "CREATE OR REPLACE TRIGGER strongroom_guard_delete AFTER DELETE ON credential_vault_storage "
    "FOR EACH ROW WHEN (false) EXECUTE FUNCTION strongroom_guard_record()": "altered",
    "CREATE OR REPLACE TRIGGER strongroom_guard_delete AFTER INSERT ON credential_vault_storage "
    "FOR EACH ROW EXECUTE FUNCTION strongroom_guard_record()": "altered",
}
FUNCTION = {
    "CREATE OR REPLACE FUNCTION strongroom.strongroom_guard_record() RETURNS trigger LANGUAGE plpgsql AS "
    "'BEGIN RETURN NULL; END'": "altered",
    "GRANT EXECUTE ON FUNCTION strongroom_guard_record() TO PUBLIC": "altered",
    "ALTER FUNCTION strongroom_guard_record() SECURITY INVOKER": "altered",
    "ALTER FUNCTION strongroom_guard_record() RESET ALL": "altered",
    "COMMENT ON FUNCTION strongroom_guard_record() IS 'strongroom guard 99, mode archive'": "altered",
}


@pytest.mark.parametrize("deployment", ["fresh", "g4"], indirect=True)
@pytest.mark.parametrize(("change", "state"), [*ALTERED.items(), *FUNCTION.items()])
def test_status_sees_what_was_changed_and_install_repairs_it(deployment: Deployment, change: str, state: str) -> None:
    install(deployment, "refuse")
    deployment.execute(f"{OFF} {change}")
    name = ".strongroom_guard_record" if change in FUNCTION else "credential_vault_storage.strongroom_guard_delete"
    assert states(deployment)[name] == state
    code, found = guard(deployment, "--status")
    assert (code, found["state"]) == (3, "partly")
    install(deployment, "refuse")
    assert states(deployment) == {}


@SQLITE
def test_status_sees_what_was_changed_in_sqlite(deployment: Deployment) -> None:
    install(deployment)
    deployment.execute("DROP TRIGGER strongroom_guard_delete")
    assert states(deployment) == {"credential_vault_storage.strongroom_guard_delete": "missing"}
    deployment.execute(
        "CREATE TRIGGER strongroom_guard_delete BEFORE DELETE ON credential_vault_storage BEGIN SELECT 1; END"
    )
    assert states(deployment) == {"credential_vault_storage.strongroom_guard_delete": "altered"}
    assert guard(deployment, "--status")[0] == 3
    install(deployment)
    assert states(deployment) == {}


@pytest.mark.parametrize("deployment", ["g3"], indirect=True)
def test_status_sees_columns_that_came_or_went(deployment: Deployment) -> None:
    install(deployment)
    deployment.execute("ALTER TABLE project_credentials DROP COLUMN network CASCADE")
    assert set(states(deployment).values()) == {"altered"}
    install(deployment)
    assert states(deployment) == {}


@POSTGRESQL
def test_a_role_for_which_no_trigger_fires_is_named(deployment: Deployment) -> None:
    install(deployment)
    database = deployment.url.partition("@/")[2].partition("?")[0]
    execute(deployment.url, f"ALTER DATABASE {database} SET session_replication_role = 'replica'")
    code, found = guard(deployment, "--status")
    assert found["warnings"] == [
        f"session_replication_role is replica for every role in {database}: no trigger fires there."
    ]
    assert code == 3


@FOREIGN
def test_the_guard_touches_nothing_that_is_not_its_own(deployment: Deployment) -> None:
    before = foreign.catalogue(deployment.url)
    install(deployment)
    with opened(deployment) as found:
        assert found.remove()
    assert foreign.catalogue(deployment.url) == before


@POSTGRESQL
def test_installing_waits_for_a_long_transaction_and_holds_nobody_up(
    deployment: Deployment, vault_a: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    wallet, _ = vault_a.create_wallet(deployment.project(), "solana")
    with psycopg.connect(deployment.url) as connection:
        connection.execute("UPDATE credential_vault_storage SET access_level = 'project_member'")
        monkeypatch.setattr(installer, "_ROUNDS", 1)
        monkeypatch.setattr("strongroom.store.connection.database.ATTEMPTS", 2)
        with pytest.raises(strongroom.ContentionError, match="locks of the wallet tables"), opened(deployment) as found:
            found.install("archive")
        assert guard(deployment, "--status")[1]["state"] == "absent"
        monkeypatch.setattr(installer, "_ROUNDS", 6)
        monkeypatch.setattr("strongroom.store.connection.database.ATTEMPTS", 5)
        Timer(1, connection.commit).start()
        install(deployment)
        assert states(deployment) == {}
    put(deployment, wallet.id, "x")


def test_an_install_that_dies_halfway_leaves_nothing(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    before = definitions(deployment)
    done = Session.control

    def control(session: Session, sql: str) -> None:
        if "strongroom_events" in sql:
            raise RuntimeError("the process died")
        done(session, sql)

    monkeypatch.setattr(Session, "control", control)
    with pytest.raises(RuntimeError), opened(deployment) as found:
        found.install("archive")
    assert definitions(deployment) == before


def test_a_database_without_strongroom_is_refused(make_legacy: Callable[..., str], sqlite_url: str) -> None:
    for url in (make_legacy("g1"), make_legacy("g3"), sqlite_url):
        before = None if url == sqlite_url else foreign.contents(url)
        with pytest.raises((strongroom.NotInitializedError, strongroom.ForeignSchemaError)):
            open_guard(Settings(database=url))
        assert before is None or foreign.contents(url) == before


@pytest.mark.parametrize(
    "arguments", [(), ("--print", "--install"), ("--status", "--mode", "refuse"), ("--install", "--mode", "other")]
)
def test_one_thing_at_a_time(arguments: tuple[str, ...], sqlite_vault_url: str) -> None:
    answer = call("guard", *arguments, "--database", sqlite_vault_url)
    assert (answer.code, answer.out) == (2, "")
    assert "Error (usage)" in answer.err


@FOREIGN
def test_status_and_doctor_say_that_keys_in_metadata_are_not_guarded(deployment: Deployment) -> None:
    with deployment.open() as vault:
        wallet = vault.create_wallet(deployment.project(), "ethereum").wallet
    install(deployment)
    assert "metadata  keys in it are not guarded" in call("guard", "--status", "--database", deployment.url).out
    warned = "Warning: 1 wallet with keys in metadata, which the guard does not keep"
    assert warned not in call("doctor", "--database", deployment.url).err
    deployment.execute(
        "UPDATE project_credentials SET metadata = ? WHERE id = ?",
        json.dumps({"private_key_encrypted": "5c" * 32}),
        wallet.id,
    )
    assert warned in call("doctor", "--database", deployment.url).err
