"""Why a connection to a PostgreSQL server could not be made: one error for each reason.

Neither libpq nor the driver hands on the SQLSTATE of a refused connection, so its words are read. No row of any table
can be in them: the server speaks before it lets anybody in. What may be in them is the password, which is removed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import quote, quote_plus

from sqlalchemy.engine import Engine

from strongroom.errors import (
    ConnectTimeoutError,
    DatabaseNotFoundError,
    HostNotFoundError,
    LoginRefusedError,
    PasswordRefusedError,
    ServerBusyError,
    ServerNotListeningError,
    StartupParameterError,
    StoreError,
    StoreUnavailableError,
    TlsFileError,
    TlsRefusedError,
)
from strongroom.host import secret_variables
from strongroom.store.connection.driver_errors import DriverFault, driver_error, translate

_LONGEST_REASON = 300
_DRIVERS = ("psycopg", "sqlalchemy", "sqlite3")
_PREFIX = re.compile(r"^connection (?:failed|is bad): ")
_NO_TEXT = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]+")


class _Reason(NamedTuple):
    words: re.Pattern[str]
    kind: type[StoreUnavailableError]
    message: str
    retryable: bool | None = None
    """Where it differs from the class's."""
    hint: str | None = None


def _reason(
    words: str,
    kind: type[StoreUnavailableError],
    message: str,
    *,
    retryable: bool | None = None,
    hint: str | None = None,
) -> _Reason:
    return _Reason(re.compile(words, re.IGNORECASE), kind, message, retryable, hint)


# The first one that fits; of several servers, one that may be there later goes before one that will not.
_REASONS = (
    _reason(
        r"(?:peer|ident|certificate|GSSAPI|SSPI|PAM) authentication failed|role .* does not exist|no such user"
        r"|not permitted to log in|no pg_hba\.conf entry|pg_hba\.conf rejects|permission denied for database"
        r"|login rejected|user .* does not exist",
        LoginRefusedError,
        "The server does not let this role connect",
    ),
    _reason(
        r"root certificate file .*does not exist|(?:could not (?:read|load|open|get)|no) .*certificate file"
        r"|certificate present, but not private key|private key file|crlfile"
        r"|could not load (?:root certificate|private)|weak sslmode",
        TlsFileError,
        "A certificate or key file for TLS is missing or cannot be used",
    ),
    _reason(
        r"server does not support SSL|SSL was required|certificate verify failed|server certificate for"
        r"|SSL error|tlsv1 alert|SSL required|GSSAPI encryption",
        TlsRefusedError,
        "Server and client do not agree on TLS",
    ),
    _reason(
        r"password authentication failed|no password supplied|password (?:is )?required|SASL authentication failed"
        r"|authentication failed|auth(?:entication)? query|wrong password",
        PasswordRefusedError,
        "The server did not accept the password of this role",
    ),
    _reason(
        r"database .* does not exist|no such database|invalid database name",
        DatabaseNotFoundError,
        "The server has no database of this name",
    ),
    _reason(
        r"startup parameter|unrecognized configuration parameter|invalid command-line argument"
        r"|invalid value for parameter|parameter .* cannot be (?:set|changed)|permission denied to set parameter",
        StartupParameterError,
        "The server, or a pooler before it, does not take a parameter of the connection",
    ),
    _reason(
        r"invalid \w+ value:",  # of libpq itself, such as that of PGSSLMODE
        StartupParameterError,
        "The client library does not take the value of a parameter, of the URL or of a PG... variable",
        hint="Correct it in the URL, or in the variable: PGSSLMODE for sslmode. Values of sslmode: disable, allow, "
        "prefer, require, verify-ca, verify-full.",
    ),
    _reason(
        r"too many (?:clients|connections)|remaining connection slots|connection limit|max_client_conn"
        r"|no more connections allowed|database system is (?:starting|shutting)|not yet accepting|in recovery mode"
        r"|query_wait_timeout|pool_size|MaxClientsInSessionMode",
        ServerBusyError,
        "The server takes no more connections at the moment",
    ),
    _reason(
        r"temporary failure in name resolution|Errno -3\b|try again",
        HostNotFoundError,
        "The name of the database's host could not be looked up just now",
        retryable=True,
    ),
    _reason(
        r"failed to resolve host|could not translate host name|name or service not known|nodename nor servname"
        r"|no address associated",
        HostNotFoundError,
        "The database's host is not known by this name",
    ),
    _reason(
        r"timeout expired|connection timed? ?out|connection timeout",
        ConnectTimeoutError,
        "The database's host did not answer in time",
    ),
    _reason(
        r"connection refused|no such file or directory",
        ServerNotListeningError,
        "Nothing listens at the host and port of the database",
    ),
)


def connect_error(error: BaseException, engine: Engine) -> StoreUnavailableError:
    """The error for a connection that could not be made (raise it ``from`` the driver's); ``retryable`` is set.

    What fits none of the known reasons, such as a server that speaks another language, is a StoreUnavailableError with
    the server's words.
    """
    told = _shown(str(error), engine)
    found = [each for line in str(error).splitlines() if not line.startswith("\t") and (each := _match(line))]
    for each in (*filter(_is_retryable, found), *found):
        return _made(each, told)
    if any(kind.__name__ == "ProgrammingError" for kind in type(error).__mro__):
        return StartupParameterError(f"The client library does not take a parameter of the connection{_told(told)}.")
    return StoreUnavailableError(f"The database cannot be reached{_told(told)}.")


def connect_fault(error: BaseException, engine: Engine) -> tuple[DriverFault, StoreError]:
    """The same with what it means for the one who asked: to be tried again, or not. SQLite's errors, too."""
    inner = driver_error(error)
    if engine.dialect.name == "sqlite" or getattr(inner, "sqlstate", None) is not None:
        return translate(error)
    made = connect_error(inner, engine)
    return DriverFault.LOST if made.retryable else DriverFault.REFUSED, made


def forget_password(error: BaseException) -> None:
    """Take off a driver's error, and off its causes of the same kind, what shows the connection's parameters.

    The driver's connection has them in its ``repr``, the frames of the libraries have them in local variables.
    """
    each: BaseException | None = error
    seen: list[BaseException] = []
    while each is not None and each not in seen and type(each).__module__.partition(".")[0] in _DRIVERS:
        seen.append(each)
        each.__traceback__ = None
        if vars(each).get("_pgconn") is not None:
            vars(each)["_pgconn"] = None
        each = each.__cause__ or each.__context__


def _match(line: str) -> _Reason | None:
    return next((each for each in _REASONS if each.words.search(line)), None)


def _is_retryable(reason: _Reason) -> bool:
    return reason.kind.retryable if reason.retryable is None else reason.retryable


def _made(reason: _Reason, told: list[str]) -> StoreUnavailableError:
    made = reason.kind(f"{reason.message}{_told(told)}.", hint=reason.hint)
    made.retryable = _is_retryable(reason)
    return made


def _told(told: list[str]) -> str:
    return f" ({'; '.join(told)})" if told else ""


def _shown(text: str, engine: Engine) -> list[str]:
    """The driver's lines as they may be shown, each once: without passwords, in printable characters, not too long."""
    for secret in sorted(_secrets(engine), key=len, reverse=True):
        text = text.replace(secret, "***")
    lines = []
    room = _LONGEST_REASON
    for line in text.splitlines():
        if line.startswith("\t") or not line.strip():  # the client's advice
            continue
        words = _PREFIX.sub("", _NO_TEXT.sub(" ", line).strip()).strip().rstrip(".")[:room]
        if words and words not in lines and not words.startswith(("Multiple connection attempts", "- host:")):
            lines.append(words)
            room -= len(words)
    return lines


def _secrets(engine: Engine) -> Iterator[str]:
    """Whatever of a URL is a password, in each form in which it may come back."""
    url = engine.url
    found = [url.password, *(value for name, value in url.query.items() if "password" in name.lower())]
    variable = secret_variables.read("PGPASSWORD")
    found.append(None if variable is None else variable.reveal().decode(errors="replace"))
    for each in found:
        for text in (each,) if isinstance(each, str) else each or ():
            if text:
                yield from {text, quote(text, safe=""), quote(text), quote_plus(text), text.strip()} - {""}
