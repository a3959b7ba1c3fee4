"""No PostgreSQL server on another machine is talked to in plaintext, unless a setting says so."""

from __future__ import annotations

from pathlib import Path

import pytest

import strongroom
from strongroom.errors import InsecureConnectionError
from strongroom.settings import Settings
from strongroom.store.connection import engine as engines
from strongroom.store.connection import transport
from strongroom.store.connection.transport import transport_remark
from strongroom.wiring import open_vault
from testbed.servers.proxy import Proxy

LOCAL = [
    "postgresql:///vault",
    "postgresql://app@localhost/vault",
    "postgresql://app@LOCALHOST/vault",
    "postgresql://app@127.0.0.1/vault",
    "postgresql://app@127.9.9.9/vault",
    "postgresql://app@[::1]/vault",
    "postgresql://app@/vault?host=/var/run/postgresql",
    "postgresql://app@/vault?host=/one,/two",
    "postgresql://app@/vault?host=@abstract",
    "postgresql://app@localhost,127.0.0.1/vault",
    "postgresql://app@db.example/vault?hostaddr=127.0.0.1",
    "postgresql://app@/vault?hostaddr=::ffff:127.0.0.1",
    "postgresql://app@localhost/vault?sslmode=disable",
]
REMOTE = [
    "postgresql://app@db.example/vault",
    "postgres://app@10.0.0.7/vault",
    "postgresql+psycopg://app@192.168.1.2:5433/vault",
    "postgresql://app@[2001:db8::1]/vault",
    "postgresql://app@localhost.example/vault",
    "postgresql://app@0.0.0.0/vault",
    "postgresql://app@localhost,db.example/vault",
    "postgresql://app@db.example,localhost/vault",
    "postgresql://app@/vault?host=/var/run/postgresql,db.example",
    "postgresql://app@/vault?host=db.example",
    "postgresql://app@/vault?host=localhost:5432&host=db.example:5432",
    "postgresql://app@/vault?hostaddr=10.0.0.7",
    "postgresql://app@localhost/vault?hostaddr=10.0.0.7",
    "postgresql://app@localhost,localhost/vault?hostaddr=127.0.0.1,10.0.0.7",
    "postgresql://app@/vault?host=/var/run/postgresql&hostaddr=10.0.0.7",
]
PLAINTEXT = ["", "disable", "allow", "prefer"]


def with_mode(url: str, sslmode: str) -> str:
    return f"{url}{'&' if '?' in url else '?'}sslmode={sslmode}" if sslmode else url


@pytest.fixture(autouse=True)
def _no_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("HOST", "HOSTADDR", "SSLMODE", "SERVICE", "SERVICEFILE", "SYSCONFDIR", "GSSENCMODE"):
        monkeypatch.delenv(f"PG{name}", raising=False)


@pytest.mark.parametrize("url", LOCAL)
def test_what_stays_on_this_machine_needs_no_tls(url: str) -> None:
    assert transport_remark(strongroom.create_engine(url)) is None


@pytest.mark.parametrize("sslmode", PLAINTEXT)
@pytest.mark.parametrize("url", REMOTE)
def test_a_server_elsewhere_is_refused_without_tls(url: str, sslmode: str) -> None:
    url = with_mode(url, sslmode)
    makers = (
        strongroom.create_engine,
        engines.store_engine,
        lambda given: engines.read_only_engine(given, engines.DEFAULTS),
    )
    for make in makers:
        with pytest.raises(InsecureConnectionError) as caught:
            make(url)
        assert "sslmode=verify-full" in caught.value.hint
        assert "allow_plaintext_postgresql" in caught.value.hint
        assert "example" not in str(caught.value)
    allowed = strongroom.create_engine(url, allow_plaintext_postgresql=True)
    assert "plaintext" in (transport_remark(allowed) or "")


@pytest.mark.parametrize("url", REMOTE)
def test_a_mode_of_a_variable_that_is_none_is_no_encryption(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGSSLMODE", "nonsense")
    with pytest.raises(InsecureConnectionError) as caught:
        strongroom.create_engine(url)
    assert "nonsense" not in str(caught.value)


@pytest.mark.parametrize("url", REMOTE)
def test_a_server_elsewhere_is_taken_with_tls_and_one_that_is_not_authenticated_is_told(url: str) -> None:
    assert "not authenticated" in (transport_remark(strongroom.create_engine(with_mode(url, "require"))) or "")
    for sslmode in ("verify-ca", "verify-full"):
        assert transport_remark(strongroom.create_engine(with_mode(url, sslmode))) is None
    assert transport_remark(strongroom.create_engine(with_mode(url, "disable&gssencmode=require"))) is None


@pytest.mark.parametrize(
    ("variables", "refused"),
    [
        ({"PGHOST": "db.example"}, True),
        ({"PGHOST": "localhost,db.example"}, True),
        ({"PGHOSTADDR": "10.0.0.7"}, True),
        ({"PGHOST": "db.example", "PGSSLMODE": "allow"}, True),
        ({"PGHOST": "db.example", "PGSSLMODE": "require"}, False),
        ({"PGHOST": "/var/run/postgresql"}, False),
        ({"PGHOST": "db.example", "PGGSSENCMODE": "require"}, False),
    ],
)
def test_the_variables_that_libpq_reads_count(
    variables: dict[str, str], refused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    if refused:
        with pytest.raises(InsecureConnectionError):
            strongroom.create_engine("postgresql:///vault")
    else:
        strongroom.create_engine("postgresql:///vault")
    with pytest.raises(InsecureConnectionError):  # what the URL says goes before them
        strongroom.create_engine("postgresql://db.example/vault?sslmode=prefer&gssencmode=disable&hostaddr=10.0.0.7")


@pytest.mark.parametrize("by", ["PGSERVICE", "URL"])
@pytest.mark.parametrize(
    ("lines", "refused"),
    [
        ("host=db.example", True),
        ("host=db.example\nsslmode=prefer", True),
        ("host=db.example\nsslmode=verify-full", False),
        ("host=localhost", False),
        ("hostaddr=10.0.0.7\nhost=localhost", True),
    ],
)
def test_the_service_file_counts(
    by: str, lines: str, refused: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "services"
    file.write_text(f"# services\n[other]\nhost=/tmp\n\n[vault]\n{lines}\n")
    monkeypatch.setenv("PGSERVICEFILE", str(file))
    url = "postgresql:///vault"
    if by == "PGSERVICE":
        monkeypatch.setenv("PGSERVICE", "vault")
    else:
        url += "?service=vault"
    if refused:
        with pytest.raises(InsecureConnectionError):
            strongroom.create_engine(url)
    else:
        strongroom.create_engine(url)


def test_a_service_that_only_libpq_can_find_is_taken_for_a_server_elsewhere() -> None:
    with pytest.raises(InsecureConnectionError):
        strongroom.create_engine("postgresql:///vault?service=nowhere")
    strongroom.create_engine("postgresql:///vault?service=nowhere&sslmode=verify-full")


def test_the_arguments_of_the_driver_count() -> None:
    with pytest.raises(InsecureConnectionError):
        strongroom.create_engine("postgresql:///vault", connect_args={"host": "db.example"})
    strongroom.create_engine("postgresql://db.example/vault", connect_args={"sslmode": "verify-full"})


def test_the_setting_reaches_an_open_vault(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(database="postgresql://127.0.0.1:1/vault?hostaddr=10.0.0.7", root_key="file:root.key")
    with pytest.raises(InsecureConnectionError):
        open_vault(settings)
    environ = {
        "STRONGROOM_DATABASE_URL": "postgresql://127.0.0.1:1/vault",
        "STRONGROOM_ROOT_KEY": "file:root.key",
        "STRONGROOM_ALLOW_PLAINTEXT_POSTGRESQL": "true",
    }
    allowed = Settings.load(environ=environ)
    assert allowed.allow_plaintext_postgresql
    monkeypatch.setattr(transport, "_is_local", lambda *_: False)
    with pytest.raises(strongroom.StoreUnavailableError):  # it was tried
        open_vault(allowed)


def test_a_connection_that_is_in_plaintext_all_the_same_is_closed(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the URL was taken for: the connection itself is looked at, too."""
    engine = strongroom.create_engine(proxy.url("postgres"))
    monkeypatch.setattr(transport, "_is_local", lambda *_: False)
    with pytest.raises(InsecureConnectionError, match="is in plaintext"):
        engine.connect()
    monkeypatch.undo()
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT 1").scalar() == 1
    engine.dispose()
