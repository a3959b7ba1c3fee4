"""What a database URL may say, and what is refused without quoting a password."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import strongroom
from strongroom.store.connection import engine as engines
from strongroom.store.connection.urls import OTHER_DRIVERS, parse_url

# --- the URL -------------------------------------------------------------------------------------------------


def test_a_parameter_of_another_driver_is_named_with_what_to_write_instead() -> None:
    for name, instead in OTHER_DRIVERS.items():
        with pytest.raises(strongroom.UnsupportedDatabaseError, match=f"the parameter {name},") as caught:
            parse_url(f"postgresql://u:secret@h/db?{name}=true")
        assert caught.value.hint == f"Instead of {name}: {instead}."


def test_an_unknown_parameter_is_named_unless_it_may_be_a_piece_of_a_password() -> None:
    with pytest.raises(strongroom.UnsupportedDatabaseError, match="do not take: foo"):
        parse_url("postgresql://u:secret@h/db?foo=1")
    for url in (
        "postgresql://u:sec?ret=1&x@y@h/db",
        "postgresql://u@h/db?sec=1&ret=x@y",
        "postgresql://u@h/db?row_factory=1",
    ):
        with pytest.raises(strongroom.UnsupportedDatabaseError) as caught:
            parse_url(url)
        assert "sec" not in caught.value.message
    assert parse_url("postgresql://u@h/db?application_name=x&sslmode=require&options=-c%20a%3Db").host == "h"


@pytest.mark.parametrize("password", ["p@ss", "p@ss:word", "a@b@c"])
def test_an_at_sign_in_a_password_is_told_from_a_host(password: str) -> None:
    for hosts in ("h", "h:5432", "one,two"):
        with pytest.raises(strongroom.UnsupportedDatabaseError) as caught:
            parse_url(f"postgresql://u:{password}@{hosts}/db")
        assert "%40" in caught.value.hint
        assert "ss" not in caught.value.message.replace("password", "")


@pytest.mark.parametrize("password", ["a#b", "a/b", "a?b", "a%b"])
def test_other_characters_of_a_password_are_read_as_they_stand(password: str) -> None:
    assert parse_url(f"postgresql://u:{password}@h/db").password == password


@pytest.mark.parametrize("end", ["\n", "\r\n", " ", "\t \r\n"])
def test_whitespace_at_the_end_of_a_url_is_dropped(end: str, tmp_path: Path) -> None:
    assert parse_url(f"postgresql://u@h/db{end}").database == "db"
    assert parse_url(f"postgresql://u@h/db?sslmode=require{end}").query["sslmode"] == "require"
    assert parse_url(f"sqlite:///{tmp_path}/vault.db{end}").database == f"{tmp_path}/vault.db"


@pytest.mark.parametrize(
    ("url", "hosts", "ports"),
    [
        ("postgresql://user@one,two/vault", "one,two", ","),
        ("postgresql://user@one:5433,two:5434/vault", "one,two", "5433,5434"),
        ("postgres://user:pass@one:5433,two/vault?sslmode=disable", "one,two", "5433,"),
        ("postgresql+psycopg://[::1]:5433,[::2]:5433/vault", "::1,::2", "5433,5433"),
        ("postgresql://user@/vault?host=/one,/two", "/one,/two", ","),
        ("postgresql://user@/vault?host=/one,/two&port=5433,5434", "/one,/two", "5433,5434"),
        ("postgresql://user@/vault?host=one:5433&host=two:5434", "one,two", "5433,5434"),
        ("postgresql://user@/vault?hostaddr=127.0.0.1,127.0.0.2", None, None),
    ],
)
def test_several_hosts_mean_the_primary(url: str, hosts: str | None, ports: str | None) -> None:
    engine = engines.store_engine(url, engines.ConnectionSettings(allow_plaintext_postgresql=True))
    _, options = engine.dialect.create_connect_args(engine.url)
    assert options["target_session_attrs"] == "read-write"
    assert (options.get("host"), options.get("port")) == (hosts, ports)
    assert (options["dbname"], engine.url.password) == ("vault", "pass" if "pass@" in url else None)


def test_several_hosts_of_the_environment_mean_the_primary(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGHOST", "one,two")
    assert parse_url("postgresql:///vault").query["target_session_attrs"] == "read-write"
    assert "target_session_attrs" not in parse_url("postgresql://one/vault").query


@pytest.mark.parametrize("url", ["postgresql://user@one:x,two/vault", "postgresql://user@one:1,two/vault?host=three"])
def test_hosts_that_cannot_be_read_are_refused_and_not_quoted(url: str) -> None:
    with pytest.raises(strongroom.UnsupportedDatabaseError) as caught:
        parse_url(url)
    assert "one" not in str(caught.value)


def test_the_url_may_mean_another_host_than_the_primary() -> None:
    chosen = parse_url("postgresql://user@one,two/vault?target_session_attrs=any")
    assert chosen.query["target_session_attrs"] == "any"
    assert "target_session_attrs" not in parse_url("postgresql://user@one/vault").query


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:///a?x.db",
        "sqlite:///a\0.db",
        "sqlite:///a\udce4.db",
        "localhost:x",
        "postgresql://[::1/db",
        "postgresql://me:secret\udce4@one/db",
        *(f"postgresql://me:secret@one/db?{name}=1" for name in ("cls", "self", "context", "conninfo", "autocommit")),
        *(f"postgresql://me:secret@one/db?{name}=1" for name in ("row_factory", "cursor_factory", "prepare_threshold")),
        5,
    ],
)
def test_a_url_that_cannot_be_is_refused(url: Any) -> None:
    with pytest.raises(strongroom.UnsupportedDatabaseError) as caught:
        strongroom.create_engine(url)
    assert "secret" not in f"{caught.value!r} {caught.value} {caught.value.hint}"
    assert caught.value.__context__ is None or not isinstance(caught.value.__context__, UnicodeError)
    with pytest.raises(strongroom.StrongroomError):
        strongroom.init(url, root_key="file:none.key")


@pytest.mark.parametrize("around", ['"{}"', "'{}'", " {}", "\t{}"])
@pytest.mark.parametrize("url", ["postgresql://u:p@127.0.0.1/db", "sqlite:///vault.db"])
def test_what_is_around_a_url_is_named_and_not_its_password(around: str, url: str) -> None:
    with pytest.raises(strongroom.UnsupportedDatabaseError) as caught:
        parse_url(around.format(url))
    assert "quote" in str(caught.value.hint)
    assert "%23" not in str(caught.value.hint)
