"""Children for the tests of the harness: what a wallet's creation looks like, with bare drivers."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy

from testbed.harness.child import arm, emit, gate


def connect(url: str) -> Any:
    """A connection in autocommit, as the product has."""
    if url.startswith("sqlite:///"):
        return sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None, timeout=30)
    return psycopg.connect(url, autocommit=True)


def make_tables(url: str) -> None:
    """Two tables that must always agree."""
    connection = connect(url)
    connection.execute("CREATE TABLE public_half (id text PRIMARY KEY)")
    connection.execute("CREATE TABLE sealed_half (id text PRIMARY KEY)")
    connection.close()


def read_tables(url: str) -> tuple[set[str], set[str]]:
    """The ids in both."""
    connection = connect(url)
    halves = [connection.execute(f"SELECT id FROM {table}").fetchall() for table in ("public_half", "sealed_half")]
    connection.close()
    return {row[0] for row in halves[0]}, {row[0] for row in halves[1]}


def create(url: str, wallet: str) -> None:
    """Write both halves in a transaction of text statements, then print."""
    connection = connect(url)
    connection.execute("SELECT 1")
    arm()
    connection.execute("BEGIN")
    connection.execute(f"INSERT INTO public_half VALUES ('{wallet}')")
    connection.execute(f"INSERT INTO sealed_half VALUES ('{wallet}')")
    connection.execute("COMMIT")
    time.sleep(0.001)
    emit({"id": wallet})
    connection.close()


def create_by_methods(url: str, wallet: str) -> None:
    """The same, with the drivers' own transactions, parameters and executemany."""
    if url.startswith("sqlite:///"):
        connection: Any = sqlite3.connect(url.removeprefix("sqlite:///"))
        mark = "?"
    else:
        connection, mark = psycopg.connect(url), "%s"
    arm()
    connection.commit()  # has nothing to end
    connection.cursor().execute(f"INSERT INTO public_half VALUES ({mark})", (wallet,))
    connection.execute(f"INSERT INTO sealed_half VALUES ({mark})", (wallet,))
    connection.commit()
    emit({"id": wallet})
    connection.close()


def create_by_sqlalchemy(url: str, wallet: str) -> None:
    """The same through an SQLAlchemy engine in autocommit, connecting after it armed itself."""
    engine = sqlalchemy.create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sqlalchemy.text("SELECT 1"))
        arm()
        for table in ("public_half", "sealed_half"):
            connection.execute(sqlalchemy.text(f"INSERT INTO {table} VALUES (:id)"), {"id": wallet})
    emit({"id": wallet})
    engine.dispose()


def race(url: str, wallet: str) -> None:
    """Insert the same id as others do, at the same time."""
    connection = connect(url)
    gate()
    try:
        connection.execute(f"INSERT INTO public_half VALUES ('{wallet}')")
        emit({"created": True})
    except (sqlite3.IntegrityError, psycopg.errors.UniqueViolation):
        emit({"created": False})
    connection.close()


def fail() -> None:
    """Raise."""
    raise ValueError("the child is not well")


def touch(path: str) -> None:
    """For warm_up."""
    Path(path).touch()
