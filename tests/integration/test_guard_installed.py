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
from tests.acceptance.test_cli import call
from tests.integration import foreign
from tests.integration.children_lifecycle import Place
from tests.integration.event_triggers import OFF
from tests.integration.foreign import run_script
from tests.integration.rows import execute, sqlite_path
from tests.integration.test_guard import EACH_MODE, FOREIGN, POSTGRESQL, SQLITE, install, opened, put

legacy_templates, make_legacy = foreign.legacy_templates, foreign.make_legacy

_PARTS = """
SELECT 'function', p.proname::text, pg_get_functiondef(p.oid), obj_description(p.oid, 'pg_proc'), p.proacl::text
  FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace
 UNION ALL
SELECT c.relname::text, t.tgname::text, pg_get_triggerdef(t.oid), obj_description(t.oid, 'pg_trigger'),
       t.tgenabled::text
  FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE NOT t.tgisinternal ORDER BY 1, 2
"""


def definitions(place: Place) -> list[tuple[object, ...]]:
    """Every trigger and function of the database."""
    if place.ground == "sqlite":
        return place.execute("SELECT type, name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY 2")
    return place.execute(_PARTS)


def run_printed(place: Place, script: str) -> None:
    if place.ground == "sqlite":
        connection = sqlite3.connect(sqlite_path(place.url))
        connection.executescript(script)
        connection.close()
    else:
        run_script(place.url, script)


def guard(place: Place, *arguments: str) -> tuple[int, dict[str, object]]:
    answer = call("guard", *arguments, "--database", place.url, "--json")
    return answer.code, json.loads(answer.out)


def states(place: Place) -> dict[str, str]:
    with opened(place) as found:
        return {f"{part.table}.{part.name}": part.state for part in found.status().parts if part.state != "intact"}


@EACH_MODE
def test_what_is_printed_is_what_is_installed(place: Place, mode: str) -> None:
    nothing = definitions(place)
    code, printed = guard(place, "--print", "--mode", mode)
    assert (code, printed["mode"]) == (0, mode)
    assert definitions(place) == nothing
    for _ in range(2):
        run_printed(place, str(printed["sql"]))
    by_hand = definitions(place)
    assert guard(place, "--status")[1]["state"] == "installed"
    assert guard(place, "--remove")[1]["removed"] is True
    assert definitions(place) == nothing
    assert guard(place, "--install", "--mode", mode)[0] == 0
    assert definitions(place) == by_hand


def test_install_may_be_repeated_and_changes_the_mode(place: Place) -> None:
    code, absent = guard(place, "--status")
    assert (code, absent["state"], absent["mode"]) == (3, "absent", None)
    for mode in ("archive", "archive", "refuse", "archive"):
        code, found = guard(place, "--install", "--mode", mode)
        assert (code, found["state"], found["mode"]) == (0, "installed", mode)
        assert guard(place, "--status") == (code, found)
    assert guard(place, "--remove") == (0, {**absent, "removed": True})
    assert guard(place, "--remove") == (0, {**absent, "removed": False})
    rows = place.execute("SELECT event, details FROM strongroom_events WHERE event <> 'init' ORDER BY created_at")
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


@pytest.mark.parametrize("place", ["fresh", "g4"], indirect=True)
@pytest.mark.parametrize(("change", "state"), [*ALTERED.items(), *FUNCTION.items()])
def test_status_sees_what_was_changed_and_install_mends_it(place: Place, change: str, state: str) -> None:
    install(place, "refuse")
    place.execute(f"{OFF} {change}")
    name = ".strongroom_guard_record" if change in FUNCTION else "credential_vault_storage.strongroom_guard_delete"
    assert states(place)[name] == state
    code, found = guard(place, "--status")
    assert (code, found["state"]) == (3, "partly")
    install(place, "refuse")
    assert states(place) == {}


@SQLITE
def test_status_sees_what_was_changed_in_sqlite(place: Place) -> None:
    install(place)
    place.execute("DROP TRIGGER strongroom_guard_delete")
    assert states(place) == {"credential_vault_storage.strongroom_guard_delete": "missing"}
    place.execute(
        "CREATE TRIGGER strongroom_guard_delete BEFORE DELETE ON credential_vault_storage BEGIN SELECT 1; END"
    )
    assert states(place) == {"credential_vault_storage.strongroom_guard_delete": "altered"}
    assert guard(place, "--status")[0] == 3
    install(place)
    assert states(place) == {}


@pytest.mark.parametrize("place", ["g3"], indirect=True)
def test_status_sees_columns_that_came_or_went(place: Place) -> None:
    install(place)
    place.execute("ALTER TABLE project_credentials DROP COLUMN network CASCADE")
    assert set(states(place).values()) == {"altered"}
    install(place)
    assert states(place) == {}


@POSTGRESQL
def test_a_role_for_which_no_trigger_fires_is_named(place: Place) -> None:
    install(place)
    database = place.url.partition("@/")[2].partition("?")[0]
    execute(place.url, f"ALTER DATABASE {database} SET session_replication_role = 'replica'")
    code, found = guard(place, "--status")
    assert found["warnings"] == [
        f"session_replication_role is replica for every role in {database}: no trigger fires there."
    ]
    assert code == 3


@FOREIGN
def test_the_guard_touches_nothing_that_is_not_its_own(place: Place) -> None:
    before = foreign.catalogue(place.url)
    install(place)
    with opened(place) as found:
        assert found.remove()
    assert foreign.catalogue(place.url) == before


@POSTGRESQL
def test_installing_waits_for_a_long_transaction_and_holds_nobody_up(
    place: Place, here: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    wallet, _ = here.create_wallet(place.project(), "solana")
    with psycopg.connect(place.url) as connection:
        connection.execute("UPDATE credential_vault_storage SET access_level = 'project_member'")
        monkeypatch.setattr(installer, "_ROUNDS", 1)
        monkeypatch.setattr("strongroom.store.connection.database.ATTEMPTS", 2)
        with pytest.raises(strongroom.ContentionError, match="locks of the wallet tables"), opened(place) as found:
            found.install("archive")
        assert guard(place, "--status")[1]["state"] == "absent"
        monkeypatch.setattr(installer, "_ROUNDS", 6)
        monkeypatch.setattr("strongroom.store.connection.database.ATTEMPTS", 5)
        Timer(1, connection.commit).start()
        install(place)
        assert states(place) == {}
    put(place, wallet.id, "x")


def test_an_install_that_dies_halfway_leaves_nothing(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    before = definitions(place)
    done = Session.control

    def control(session: Session, sql: str) -> None:
        if "strongroom_events" in sql:
            raise RuntimeError("the process died")
        done(session, sql)

    monkeypatch.setattr(Session, "control", control)
    with pytest.raises(RuntimeError), opened(place) as found:
        found.install("archive")
    assert definitions(place) == before


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
