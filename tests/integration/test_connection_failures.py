"""What a connection that cannot be made says: its own message and code, the server's reason, whether to try again."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

import psycopg
import pytest
import sqlalchemy as sa

import strongroom
from strongroom.settings import Settings
from strongroom.takeover.doctor.passwords import Passwords
from strongroom.wiring.takeovers import open_doctor
from testbed.servers.postgres import PostgresServer
from testbed.servers.proxy import Proxy
from testbed.servers.refusing import fatal, server_that_says

PASSWORD = "se@cret/pass word"


@pytest.fixture(scope="module")
def guarded(postgres: PostgresServer) -> Iterator[PostgresServer]:
    """The server, which asks the role ``with_password`` for one, and lets ``locked`` not connect."""
    hba = postgres.directory / "data" / "pg_hba.conf"
    before = hba.read_text()
    hba.write_text(
        f"local all with_password scram-sha-256\nlocal all peer_alone peer\nlocal all rejected reject\n{before}"
    )
    with psycopg.connect(postgres.url(), autocommit=True) as connection:
        connection.execute(f"CREATE ROLE with_password LOGIN PASSWORD '{PASSWORD}'")
        connection.execute("CREATE ROLE no_login NOLOGIN")
        connection.execute("CREATE ROLE crowded LOGIN CONNECTION LIMIT 0")
        connection.execute("SELECT pg_reload_conf()")
    yield postgres
    hba.write_text(before)
    with psycopg.connect(postgres.url(), autocommit=True) as connection:
        connection.execute("SELECT pg_reload_conf()")
        connection.execute("DROP ROLE with_password, no_login, crowded")


def refused(url: str, root_key_uri: str) -> strongroom.StrongroomError:
    """The error of a vault, which is also doctor's."""
    with pytest.raises(strongroom.StrongroomError) as caught:
        strongroom.open(url, root_key=root_key_uri, connect_timeout_seconds=2)
    with (
        pytest.raises(type(caught.value)) as doctors,
        open_doctor(Settings(database=url, connect_timeout_seconds=2), Passwords(None, None)),
    ):
        pass
    assert doctors.value.retryable == caught.value.retryable
    return caught.value


def url_of(server: PostgresServer, user: str, password: str = "", database: str = "postgres", more: str = "") -> str:
    secret = f":{quote(password, safe='')}" if password else ""
    return f"postgresql://{user}{secret}@/{database}?host={quote(str(server.directory), safe='')}{more}"


def test_each_refusal_of_a_server_has_its_own_code_and_its_reason(
    guarded: PostgresServer, root_key_uri: str, tmp_path: Path
) -> None:
    cases = {
        "password-refused": (url_of(guarded, "with_password", "wr@ng/word"), False, "password authentication failed"),
        "database-not-found": (url_of(guarded, "postgres", "", "no_such"), False, '"no_such" does not exist'),
        "login-refused": (url_of(guarded, "nobody_here"), False, 'role "nobody_here" does not exist'),
        "server-busy": (url_of(guarded, "crowded"), True, "too many connections for role"),
        "startup-parameter": (
            url_of(guarded, "postgres", more="&options=-cno_such_setting=1"),
            False,
            "no_such_setting",
        ),
        "connection-refused": ("postgresql://postgres:x@127.0.0.1:1/x", True, "Connection refused"),
        "host-not-found": (
            "postgresql://u:secret@no-such-host.invalid/x?sslmode=require",
            False,
            "no-such-host.invalid",
        ),
    }
    messages = set()
    for code, (url, retryable, reason) in cases.items():
        error = refused(url, root_key_uri)
        assert (error.code, error.retryable) == (code, retryable), error
        assert isinstance(error, strongroom.StoreUnavailableError)
        assert reason in error.message
        assert "wr@ng" not in error.message + error.hint
        messages.add(error.message.partition(" (")[0])
    assert len(messages) == len(cases)
    assert "%40" in refused(cases["password-refused"][0], root_key_uri).hint
    for user, code in (("no_login", "login-refused"), ("rejected", "login-refused"), ("peer_alone", "login-refused")):
        assert refused(url_of(guarded, user), root_key_uri).code == code
    assert refused(url_of(guarded, "with_password"), root_key_uri).code == "password-refused"
    nowhere = refused(f"postgresql://postgres@/x?host={quote(str(tmp_path), safe='')}", root_key_uri)
    assert (nowhere.code, nowhere.retryable) == ("connection-refused", True)


def test_a_value_of_a_variable_that_libpq_does_not_take_is_named(
    guarded: PostgresServer, root_key_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGSSLMODE", "verify_full")
    error = refused(url_of(guarded, "postgres"), root_key_uri)
    assert (error.code, error.retryable) == ("startup-parameter", False)
    assert "sslmode" in error.message
    assert "verify-full" in error.hint


def test_a_wrong_password_is_tried_once(guarded: PostgresServer, root_key_uri: str) -> None:
    """A server, or what watches its log, may lock a role out after a few."""
    before = guarded.read_log().count("password authentication failed")
    with pytest.raises(strongroom.PasswordRefusedError):
        strongroom.open(url_of(guarded, "with_password", "wrong"), root_key=root_key_uri)
    assert guarded.read_log().count("password authentication failed") == before + 1


def test_tls_and_parameters_that_are_refused(proxy: Proxy, root_key_uri: str, tmp_path: Path) -> None:
    plain = f"postgresql://postgres@127.0.0.1:{proxy.port}/postgres"
    no_tls = refused(f"{plain}?sslmode=require", root_key_uri)
    assert (no_tls.code, no_tls.retryable) == ("tls-refused", False)
    assert "does not support SSL" in no_tls.message
    with server_that_says(b"", to_ssl=b"S") as port:
        file = refused(
            f"postgresql://u@127.0.0.1:{port}/x?sslmode=verify-full&sslrootcert={tmp_path}/ca.pem", root_key_uri
        )
        assert (file.code, file.retryable) == ("tls-file", False)
        assert "ca.pem" in file.message
    pooler = fatal("08P01", "unsupported startup parameter in options: search_path")
    with server_that_says(pooler) as port:
        options = refused(f"postgresql://u@127.0.0.1:{port}/x?options=-csearch_path%3Da", root_key_uri)
        assert (options.code, options.retryable) == ("startup-parameter", False)
        assert "unsupported startup parameter in options: search_path" in options.message


@pytest.mark.parametrize(
    ("code", "message", "expected", "retryable"),
    [
        ("57P03", "the database system is starting up", "server-busy", True),
        ("57P03", "the database system is shutting down", "server-busy", True),
        ("53300", "sorry, too many clients already", "server-busy", True),
        ("08P01", "no such database: x", "database-not-found", False),
        (
            "28000",
            'no pg_hba.conf entry for host "1.2.3.4", user "u", database "x", no encryption',
            "login-refused",
            False,
        ),
        ("28000", "SSL required", "tls-refused", False),
        ("42501", 'permission denied for database "x"', "login-refused", False),
        ("28P01", "Passwort-Authentifizierung fehlgeschlagen", "store-unavailable", True),
    ],
)
def test_what_servers_and_poolers_say(
    code: str, message: str, expected: str, retryable: bool, root_key_uri: str
) -> None:
    with server_that_says(fatal(code, message)) as port:
        error = refused(f"postgresql://u@127.0.0.1:{port}/x?sslmode=disable", root_key_uri)
    assert (error.code, error.retryable) == (expected, retryable)
    assert message in error.message


def test_the_password_and_what_moves_a_terminal_are_taken_out_of_a_reason(root_key_uri: str) -> None:
    said = f"your password is {PASSWORD} or {quote(PASSWORD, safe='')}\x1b[2J" + "x" * 1000
    with server_that_says(fatal("28P01", said)) as port:
        url = f"postgresql://u:{quote(PASSWORD, safe='')}@127.0.0.1:{port}/x?sslmode=disable"
        error = refused(url, root_key_uri)
    assert "your password is *** or ***" in error.message
    assert "secret" not in error.message
    assert "\x1b" not in error.message
    assert len(error.message) < 500


# --- a pooler ------------------------------------------------------------------------------------------------


def taken_names(driver: psycopg.Connection[object], _record: object) -> None:
    """What a session has that another client of a transaction pooler prepared statements in."""
    for number in range(40):
        driver.execute(f'PREPARE "_pg3_{number}" AS SELECT 1', prepare=False)


def test_prepared_statements_of_another_client_switch_ours_off_once(
    postgresql_vault_url: str, root_key_uri: str
) -> None:
    project = uuid4()
    with strongroom.open(postgresql_vault_url, root_key=root_key_uri) as vault:
        database = vault._context.store.context.database  # type: ignore[attr-defined]
        sa.event.listen(database.engine, "connect", taken_names)
        database.engine.dispose()
        with pytest.warns(strongroom.PreparedStatementsWarning, match="prepared_statements = false") as caught:
            wallet, created = vault.create_wallet(project, "ethereum")
        assert created
        assert len(caught) == 1
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            database.engine.dispose()
            assert vault.create_wallet(project, "ethereum") == (wallet, False)
            assert vault.create_wallet(project, "solana", idempotency_key="k").created
            assert vault.sign_message(wallet, "hello")
        assert any("prepared_statements = false" in each for each in vault.status().store.warnings)


def test_on_a_callers_connection_they_ask_for_the_transaction_once_more(
    postgresql_vault_url: str, root_key_uri: str
) -> None:
    project = uuid4()
    engine = strongroom.create_engine(postgresql_vault_url)
    sa.event.listen(engine, "connect", taken_names)
    with strongroom.open(postgresql_vault_url, root_key=root_key_uri) as vault:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            with pytest.raises(strongroom.RetryTransactionError), engine.begin() as connection:
                vault.create_wallet(project, "ethereum", connection=connection)
        assert [each.category for each in caught] == [strongroom.PreparedStatementsWarning]
        with engine.begin() as connection:
            assert vault.create_wallet(project, "ethereum", connection=connection).created
    engine.dispose()
