"""Database URLs: which databases there are, and how each is named."""

from __future__ import annotations

import os
import re
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError

from strongroom.errors import UnsupportedDatabaseError

_SQLITE = re.compile(r"sqlite(?:\+pysqlite)?:///(.+)", re.DOTALL)
_LIBPQ_HOSTS = re.compile(
    r"(postgres(?:ql)?(?:\+psycopg)?://(?:[^@]*@)?)([^@/?,]*(?:,[^@/?,]*)+)((?:[/?].*)?)", re.DOTALL
)
_HOST_AND_PORT = re.compile(r"(\[[^\[\]]*\]|[^:]*)(?::([0-9]*))?")
_LONGEST_URL = 8192
_SURROGATE = re.compile("[\ud800-\udfff]")
_NOT_OF_LIBPQ = frozenset(
    {"autocommit", "cls", "conninfo", "context", "cursor_factory", "prepare_threshold", "row_factory", "self"}
)
"""What the driver's functions take beside libpq's parameters: no text of a URL will do for them."""


def parse_url(database: str, *, writing: bool = True) -> URL:
    """Read a database URL and name its driver. Raises UnsupportedDatabaseError; the message quotes no part of it.

    Of several hosts the one that takes writes is meant, unless ``writing`` is False or the URL says otherwise.
    """
    if not isinstance(database, str):
        raise UnsupportedDatabaseError("The database URL is not text.")
    if len(database) > _LONGEST_URL:
        raise UnsupportedDatabaseError("The database URL cannot be read: it is too long.")
    if _SURROGATE.search(database):  # its encoding would fail in the driver, with the password in the exception
        raise UnsupportedDatabaseError(
            "The database URL holds bytes that are not UTF-8.", hint="Write each byte of the UTF-8 form as %XX."
        )
    if found := _SQLITE.fullmatch(database):
        return _sqlite_url(found[1])
    try:
        url = _libpq_url(database) or sa.make_url(database)
    except (ArgumentError, ValueError):
        raise UnsupportedDatabaseError("The database URL cannot be read.") from None
    if url.drivername in ("postgres", "postgresql", "postgresql+psycopg"):
        url = url.set(drivername="postgresql+psycopg")
        if not _NOT_OF_LIBPQ.isdisjoint(url.query):
            raise UnsupportedDatabaseError("The database URL has a parameter that PostgreSQL's clients do not take.")
        if writing and _has_several_hosts(url) and "target_session_attrs" not in url.query:
            url = url.update_query_dict({"target_session_attrs": "read-write"})
        return url
    if url.drivername in ("sqlite", "sqlite+pysqlite"):
        raise UnsupportedDatabaseError(
            "A SQLite database in memory would lose its wallets.", hint="Use sqlite:///FILE."
        )
    raise UnsupportedDatabaseError("strongroom does not run on this kind of database.")


def _libpq_url(database: str) -> URL | None:
    """A URL with several hosts as libpq writes it, ``postgresql://USER@ONE:5432,TWO:5432/NAME``; None for others."""
    found = _LIBPQ_HOSTS.fullmatch(database)
    if found is None:
        return None
    parts = [_HOST_AND_PORT.fullmatch(each) for each in found[2].split(",")]
    url = sa.make_url(found[1] + found[3])
    if None in parts or {"host", "port"} & set(url.query):
        raise ArgumentError
    hosts = ",".join(part[1].strip("[]") for part in parts if part)
    ports = ",".join(part[2] or "" for part in parts if part)
    return url.update_query_dict({"host": hosts, **({"port": ports} if ports.strip(",") else {})})


def _has_several_hosts(url: URL) -> bool:
    named = [url.host or "", *(url.query.get(name, "") for name in ("host", "hostaddr"))]
    if not any(named):
        named = [os.environ.get(name, "") for name in ("PGHOST", "PGHOSTADDR")]
    return any(isinstance(each, tuple) or "," in each for each in named)


def _sqlite_url(file: str) -> URL:
    """The URL of a file, whose name is taken as it stands and made absolute once: a later chdir changes nothing."""
    if file == ":memory:":
        raise UnsupportedDatabaseError(
            "A SQLite database in memory would lose its wallets.", hint="Use sqlite:///FILE."
        )
    if "?" in file or "\0" in file or not file.isprintable():
        raise UnsupportedDatabaseError("The SQLite file's name holds a character that strongroom does not take.")
    return URL.create("sqlite", database=str(Path(file).absolute()))
