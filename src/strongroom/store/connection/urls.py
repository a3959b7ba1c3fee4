"""Database URLs: which databases there are, and how each is named."""

from __future__ import annotations

import os
import re
from functools import cache
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
OTHER_DRIVERS = {
    "pgbouncer": "take it out and set prepared_statements = false",
    "connection_limit": "take it out and set pool_size",
    "pool_timeout": "take it out: a call waits 30 seconds for a connection of the pool",
    "pool_size": "take it out and set pool_size",
    "max_connections": "take it out and set pool_size",
    "schema": "take it out and set schema (--schema NAME)",
    "search_path": "write options=-csearch_path%3DNAME, or set it for the role: ALTER ROLE ... SET search_path = ...",
    "currentSchema": "write options=-csearch_path%3DNAME, or set it for the role: ALTER ROLE ... SET search_path = ...",
    "sslaccept": "write sslmode=verify-full for strict, sslmode=require for accept_invalid_certs",
    "sslidentity": "write sslcert=FILE and sslkey=FILE",
    "ssl": "write sslmode=require, or better sslmode=verify-full",
    "tls": "write sslmode=require, or better sslmode=verify-full",
    "sslfactory": "write sslmode=verify-full",
    "ssl_ca": "write sslrootcert=FILE",
    "ssl_cert": "write sslcert=FILE",
    "ssl_key": "write sslkey=FILE",
    "socket_timeout": "set it for the role: ALTER ROLE ... SET statement_timeout = ...",
    "statement_timeout": "write options=-cstatement_timeout%3D30000, or set it for the role",
    "command_timeout": "set it for the role: ALTER ROLE ... SET statement_timeout = ...",
    "timeout": "set connect_timeout_seconds",
    "connectTimeout": "set connect_timeout_seconds",
    "statement_cache_size": "take it out and set prepared_statements = false where it is 0",
    "prepared_statement_cache_size": "take it out and set prepared_statements = false where it is 0",
    "prepareThreshold": "take it out and set prepared_statements = false where it is 0",
    "prepare_threshold": "take it out and set prepared_statements = false",
    "prepared_statements": "take it out and set prepared_statements",
    "default_query_exec_mode": "take it out and set prepared_statements = false",
    "binary_parameters": "take it out and set prepared_statements = false",
    "server_settings": "write options=-cNAME%3DVALUE",
    "ApplicationName": "write application_name=NAME",
    "encoding": "take it out: strongroom speaks UTF-8",
    "charset": "take it out: strongroom speaks UTF-8",
    "async_fallback": "take it out",
    "reconnect": "take it out: strongroom connects again by itself",
}
"""Parameters of other drivers (Prisma, asyncpg, JDBC, pgx, node, Rails), and what to write instead here."""
_OWN_DRIVERS = frozenset({"psycopg", "pysqlite"})
_DRIVERS = re.compile(r"(postgres(?:ql)?|postgis|cockroachdb|sqlite)\+([a-z0-9_]{1,20})")
"""What SQLAlchemy names a driver by, for the same databases."""
_BEFORE = {
    "jdbc:": "Leave out jdbc:, and write user and password before the host: postgresql://USER:PASSWORD@HOST/NAME.",
    "prisma+": "Write the URL of the PostgreSQL server itself, postgresql://USER:PASSWORD@HOST/NAME.",
}
_ENCODE = "Write # @ / ? % in a password percent-encoded: %23 %40 %2F %3F %25."
_VALUES = {
    "sslmode": ("disable", "allow", "prefer", "require", "verify-ca", "verify-full"),
    "gssencmode": ("disable", "prefer", "require"),
    "channel_binding": ("disable", "prefer", "require"),
    "sslnegotiation": ("postgres", "direct"),
    "sslcertmode": ("disable", "allow", "require"),
    "load_balance_hosts": ("disable", "random"),
    "target_session_attrs": ("any", "read-write", "read-only", "primary", "standby", "prefer-standby"),
}
"""What libpq takes for those of its parameters that are one of a few words, letter for letter."""
_NOT_OF_LIBPQ = frozenset(
    {"autocommit", "cls", "conninfo", "context", "cursor_factory", "prepare_threshold", "row_factory", "self"}
)
"""What the driver's functions take besides libpq's parameters: no text of a URL will do for them."""

_NOT_OF_A_URL = frozenset("\"'` \t")


def parse_url(database: str, *, writing: bool = True) -> URL:
    """Read a database URL and name its driver. Raises UnsupportedDatabaseError; the message quotes no part of it.

    Of several hosts the one that takes writes is meant, unless ``writing`` is False or the URL says otherwise.
    """
    if not isinstance(database, str):
        raise UnsupportedDatabaseError("The database URL is not text.")
    database = database.removeprefix("\ufeff").rstrip()  # a line end of a file or a variable, with the CR of Windows
    if len(database) > _LONGEST_URL:
        raise UnsupportedDatabaseError("The database URL cannot be read: it is too long.")
    if _SURROGATE.search(database):  # its encoding would fail in the driver, with the password in the exception
        raise UnsupportedDatabaseError(
            "The database URL holds bytes that are not UTF-8.", hint="Write each byte of the UTF-8 form as %XX."
        )
    if found := _SQLITE.fullmatch(database):
        return _sqlite_url(found[1])
    _require_own_driver(database)
    try:
        url = _libpq_url(database) or sa.make_url(database)
    except (ArgumentError, ValueError):
        hint = _ENCODE if "@" in database else None
        if database[:1] in _NOT_OF_A_URL:
            hint = (
                "It begins with a quote or a space: leave out what is around the URL. Docker's --env-file keeps quotes."
            )
        raise UnsupportedDatabaseError("The database URL cannot be read.", hint=hint) from None
    if url.drivername in ("postgres", "postgresql", "postgresql+psycopg"):
        url = url.set(drivername="postgresql+psycopg")
        _require_readable(url, database)
        _require_known_values(url)
        if writing and _has_several_hosts(url) and "target_session_attrs" not in url.query:
            url = url.update_query_dict({"target_session_attrs": "read-write"})
        return url
    if url.drivername in ("sqlite", "sqlite+pysqlite"):
        raise UnsupportedDatabaseError(
            "A SQLite database in memory would lose its wallets.", hint="Use sqlite:///FILE."
        )
    raise UnsupportedDatabaseError("strongroom does not run on this kind of database.")


def _require_own_driver(database: str) -> None:
    """Refuse a URL of another library, and say how it is written here. Only the driver's name is shown."""
    scheme = database.partition("://")[0].lower()
    for beginning, hint in _BEFORE.items():
        if scheme.startswith(beginning):
            raise UnsupportedDatabaseError("The database URL is written for another library.", hint=hint)
    found = _DRIVERS.fullmatch(scheme)
    if scheme == "postgis" or (found is not None and found[2] not in _OWN_DRIVERS):
        own = "sqlite:///FILE" if found is not None and found[1] == "sqlite" else "postgresql://, and the rest as it is"
        named = "" if found is None else f", {found[2]}"
        raise UnsupportedDatabaseError(
            f"The database URL names another driver{named}; strongroom brings its own (psycopg, sqlite3).",
            hint=f"Write {own}. Connections and sessions of other drivers are passed to verbs with connection=: "
            "`strongroom docs transactions` lists them.",
        )


def shown_url(url: URL) -> str:
    """A database URL as it is printed everywhere: without passwords, wherever they stand, and without the driver."""
    if url.drivername == "sqlite":
        return f"sqlite:///{url.database}"
    secret = [name for name in url.query if "password" in name.lower()]
    added = [name for name in ("target_session_attrs",) if url.query.get(name) == "read-write"]
    bare = url.difference_update_query([*secret, *added])
    without = URL.create("postgresql", bare.username, None, bare.host, bare.port, bare.database, bare.query)
    return without.render_as_string(hide_password=False)  # there is none


def _require_readable(url: URL, database: str) -> None:
    """Refuse a URL whose password was taken for something else, or whose parameters libpq does not know."""
    if "@" in (url.host or "") or "@" in (url.database or "") or "@" in "".join(url.query):
        raise UnsupportedDatabaseError("The database URL has an @ after its host's.", hint=_ENCODE)
    for name in url.query:
        if name in OTHER_DRIVERS:
            raise UnsupportedDatabaseError(
                f"The database URL has the parameter {name}, which PostgreSQL's own clients do not take.",
                hint=f"Instead of {name}: {OTHER_DRIVERS[name]}.",
            )
    unknown = sorted(name for name in url.query if name in _NOT_OF_LIBPQ or name not in (_libpq_names() or {name}))
    if unknown:
        # A piece of a password may pass for a name: one is shown only where no @ comes after the question mark.
        plain = re.fullmatch(r"[A-Za-z_]{1,40}", unknown[0]) and "@" not in database.partition("?")[2]
        shown = f": {unknown[0]}" if plain else ""
        raise UnsupportedDatabaseError(
            f"The database URL has a parameter that PostgreSQL's clients do not take{shown}.",
            hint=f"Take it out of the URL. {_ENCODE}",
        )


def _require_known_values(url: URL) -> None:
    """Refuse a value that libpq has no such word for. The value is not shown: a piece of a password may be in it."""
    for name, words in _VALUES.items():
        given = url.query.get(name, ())
        for value in (given,) if isinstance(given, str) else given:
            if value and value not in words:
                close = value.replace("_", "-").strip().lower()
                meant = f" Meant is perhaps {name}={close}." if close in words else ""
                raise UnsupportedDatabaseError(
                    f"The database URL gives the parameter {name} a value that PostgreSQL's clients do not take.",
                    hint=f"Values of {name}: {', '.join(words)}.{meant}",
                )


@cache
def _libpq_names() -> frozenset[str]:
    """The parameters that libpq takes; none are known where the driver is missing."""
    try:
        from psycopg import pq
    except ImportError:
        return frozenset()
    return frozenset(option.keyword.decode() for option in pq.Conninfo.get_defaults())


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
