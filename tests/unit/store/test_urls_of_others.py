"""Database URLs as other libraries write them: each is told what to write here, and shows nothing of a password."""

from __future__ import annotations

import pytest

from strongroom.errors import UnsupportedDatabaseError
from strongroom.store.connection.urls import parse_url

REST = "app:s3cr3t-pass@localhost/wallets"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (f"postgresql+asyncpg://{REST}", "asyncpg"),
        (f"postgresql+psycopg2://{REST}", "psycopg2"),
        (f"postgresql+psycopg_async://{REST}", "psycopg_async"),
        (f"postgresql+pg8000://{REST}", "pg8000"),
        (f"postgres+asyncpg://{REST}?ssl=require", "asyncpg"),
        (f"POSTGRESQL+ASYNCPG://{REST}", "asyncpg"),
        (f"postgis://{REST}", "another driver"),
        (f"jdbc:postgresql://{REST}", "another library"),
        ("jdbc:postgresql://localhost/wallets?user=app&password=s3cr3t-pass", "another library"),
        (f"prisma+postgres://{REST}", "another library"),
        ("postgresql+asyncpg://app:s3cr3t-pass@one:5432,two:5432/wallets", "asyncpg"),
    ],
)
def test_a_url_of_another_driver_is_told_what_to_write(url: str, said: str) -> None:
    with pytest.raises(UnsupportedDatabaseError) as refused:
        parse_url(url)
    assert said in refused.value.message
    assert "postgresql://" in refused.value.hint
    assert "s3cr3t" not in f"{refused.value.message} {refused.value.hint}"


def test_the_url_of_an_async_driver_of_sqlite_is_told_what_to_write() -> None:
    with pytest.raises(UnsupportedDatabaseError) as refused:
        parse_url("sqlite+aiosqlite:///vault.db")
    assert "sqlite:///FILE" in refused.value.hint


@pytest.mark.parametrize("url", ["mysql://localhost/x", "mysql+pymysql://localhost/x", "oracle+cx_oracle://h/x"])
def test_another_kind_of_database_is_called_so(url: str) -> None:
    with pytest.raises(UnsupportedDatabaseError, match="does not run on this kind of database"):
        parse_url(url)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_its_own_schemes_are_read(scheme: str) -> None:
    assert parse_url(f"{scheme}://{REST}").database == "wallets"


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("sslmode=verify_full", "Meant is perhaps sslmode=verify-full"),
        ("sslmode=Require", "verify-ca, verify-full"),
        ("sslmode=true", "Values of sslmode: disable"),
        ("target_session_attrs=read_write", "target_session_attrs=read-write"),
        ("channel_binding=on", "Values of channel_binding"),
    ],
)
def test_a_value_that_is_none_of_a_parameter_is_answered_with_its_values(written: str, told: str) -> None:
    with pytest.raises(UnsupportedDatabaseError, match=written.partition("=")[0]) as refused:
        parse_url(f"postgresql://{REST}?{written}")
    assert told in refused.value.hint
    assert written.partition("=")[2] not in refused.value.message


def test_a_byte_order_mark_before_a_url_is_dropped() -> None:
    assert parse_url(f"\ufeffpostgresql://{REST}").database == "wallets"
    assert (parse_url("\ufeffsqlite:///vault.db").database or "").endswith("/vault.db")
