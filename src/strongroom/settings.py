"""Settings: arguments, environment and strongroom.toml, to one frozen record.

An argument goes before the environment, the environment before the file. Messages name the setting and where
it came from, never its value: a URL may hold a password, and what was meant for one setting may land in
another.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from strongroom.database_url import has_password, without_password
from strongroom.errors import InsecureFileError, InvalidSettingError
from strongroom.host import marked_text, secret_variables
from strongroom.host.files import NotTrustedError, open_trusted

CONFIG_FILE = "strongroom.toml"
"""The file that is read from the working directory where no other one is named."""

ENVIRONMENT: Mapping[str, str] = {
    "database": "STRONGROOM_DATABASE_URL",
    "root_key": "STRONGROOM_ROOT_KEY",
    "prepared_statements": "STRONGROOM_PREPARED_STATEMENTS",
    "pool_size": "STRONGROOM_POOL_SIZE",
    "connect_timeout_seconds": "STRONGROOM_CONNECT_TIMEOUT_SECONDS",
    "busy_timeout_seconds": "STRONGROOM_BUSY_TIMEOUT_SECONDS",
    "accept_foreign": "STRONGROOM_ACCEPT_FOREIGN",
    "allow_plaintext_postgresql": "STRONGROOM_ALLOW_PLAINTEXT_POSTGRESQL",
    "withdraw_variables": "STRONGROOM_WITHDRAW_VARIABLES",
    "schema": "STRONGROOM_SCHEMA",
    "keyring_kid": "STRONGROOM_KEYRING_KID",
    "evm_fee_limit_gwei": "STRONGROOM_EVM_FEE_LIMIT_GWEI",
    "solana_fee_limit_lamports": "STRONGROOM_SOLANA_FEE_LIMIT_LAMPORTS",
}
"""The environment variable of each setting. Empty variables count as not set."""

RANGES: Mapping[str, tuple[int, int]] = {
    "pool_size": (1, 100),
    "connect_timeout_seconds": (1, 300),
    "busy_timeout_seconds": (1, 600),
    **dict.fromkeys(("evm_fee_limit_gwei", "solana_fee_limit_lamports"), (0, 10**12)),
}
"""The smallest and the largest value of each number."""

LONGEST_TEXT = 8192  # characters of a database URL or a root key URI
_LONGEST_FILE_BYTES = 1 << 20
_SWITCHES = ("prepared_statements", "accept_foreign", "allow_plaintext_postgresql", "withdraw_variables")
_SWITCH = dict.fromkeys(("true", "on", "yes", "1"), True) | dict.fromkeys(("false", "off", "no", "0"), False)
_OPTIONAL = ("root_key", "schema", "keyring_kid", "evm_fee_limit_gwei", "solana_fee_limit_lamports")
_SCHEMA = re.compile(r"(?!pg_|information_schema$)[A-Za-z_][A-Za-z0-9_$-]{0,62}")
_KID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_SQLITE_FILE = re.compile(r"^(sqlite(?:\+\w+)?:///)(?!/|:memory:|file:)([^?]+)(.*)$", re.DOTALL)


@dataclass(frozen=True, kw_only=True, repr=False)
class Settings:
    """Everything that a vault can be told. ``repr`` leaves passwords out."""

    database: str
    """The URL of the database: ``sqlite:///FILE`` or ``postgresql://USER@HOST/NAME``."""
    root_key: str | None = None
    """The URI of the root key: ``file:``, ``env:`` or ``passphrase:``; says where the key is, and is never the key."""
    prepared_statements: bool = True
    """Whether PostgreSQL prepares statements; off behind a transaction pooler (Supavisor, pgbouncer)."""
    pool_size: int = 10
    """Connections that a process keeps at most, 1 to 100."""
    connect_timeout_seconds: int = 10
    """How long to wait for a PostgreSQL server to answer, 1 to 300."""
    busy_timeout_seconds: int = 30
    """How long to wait for another writer of a SQLite file, 1 to 600."""
    accept_foreign: bool = True
    """False: never return wallets of legacy tables that nothing proves, even where the vault accepts them."""
    allow_plaintext_postgresql: bool = False
    """Whether a PostgreSQL server on another machine may be talked to without TLS."""
    withdraw_variables: bool = False
    """Whether variables with secrets leave ``os.environ`` once they are read, so that child processes do not get them.

    For the whole process and for good: root keys of ``env:``, passphrases of ``passphrase:env:``, PGPASSWORD, and
    STRONGROOM_DATABASE_URL where it holds a password. The command line always does so.
    """
    schema: str | None = None
    """The PostgreSQL schema of the vault's tables; None looks in search_path, ``strongroom`` and ``public``, and makes
    ``strongroom`` where none is found. SQLite has none, and passes it over."""
    keyring_kid: str | None = None
    """The kid of any sealing key of this vault, as ``init`` and ``status`` print it: a keyring without it is refused.

    Kids are no secrets. None believes any keyring that the root key opens, which may be that of another vault.
    """
    evm_fee_limit_gwei: int | None = None
    """What a transaction of any EVM network may cost at most, where a call says no ``max_fee``; None: the network's."""
    solana_fee_limit_lamports: int | None = None
    """The same on Solana."""

    def __post_init__(self) -> None:
        for field in fields(self):
            _check(field.name, getattr(self, field.name), "argument")

    @classmethod
    def load(
        cls,
        database: str | None = None,
        root_key: str | None = None,
        config: str | Path | None = None,
        environ: Mapping[str, str] | None = None,
        *,
        from_arguments: bool = False,
        **overrides: Any,
    ) -> Settings:
        """Gather the settings: what is given here, else the environment, else the file.

        Args:
            database: goes before STRONGROOM_DATABASE_URL.
            root_key: goes before STRONGROOM_ROOT_KEY.
            config: a TOML file; None reads ./strongroom.toml where there is one.
            environ: the environment, ``os.environ`` by default.
            from_arguments: the values come from a command line, which other users of the machine can read: a
                database URL with a password is refused.
            overrides: any other setting by its name; None counts as not given.

        Relative ``file:`` and ``sqlite:///`` paths of the file lead from the file's directory, all others
        from the working directory.

        Raises:
            InvalidSettingError: a setting is missing, unknown, of another type, or out of range.
            InsecureFileError: the file holds a password and others can read it.
        """
        values = gather(
            {"database": database, "root_key": root_key, **overrides},
            config,
            environ,
            from_arguments=from_arguments,
        )
        if "database" not in values:
            raise InvalidSettingError(
                "No database is set: no argument, no environment variable and no strongroom.toml names one.",
                hint="Run `strongroom init`, or set STRONGROOM_DATABASE_URL.",
            )
        return cls(**values)

    def __repr__(self) -> str:
        shown = {field.name: getattr(self, field.name) for field in fields(self)}
        shown["database"] = without_password(self.database)
        return f"Settings({', '.join(f'{name}={value!r}' for name, value in shown.items())})"


def gather(
    given: Mapping[str, Any],
    config: str | Path | None = None,
    environ: Mapping[str, str] | None = None,
    *,
    from_arguments: bool = False,
    config_may_be_new: bool = False,
) -> dict[str, Any]:
    """What is set anywhere, checked, without defaults. Arguments and errors as ``Settings.load``.

    ``config_may_be_new`` lets a named file be missing.
    """
    database = given.get("database")
    if isinstance(database, str):
        given = {**given, "database": database.removeprefix(marked_text.MARK)}
    if from_arguments and isinstance(database, str) and has_password(database):
        raise InvalidSettingError(
            "The database URL in the argument --database holds a password, which others can read there.",
            hint="Put the URL into STRONGROOM_DATABASE_URL or strongroom.toml, "
            "or the password into PGPASSWORD or ~/.pgpass.",
        )
    values = {} if config_may_be_new and config and not os.path.exists(config) else read_config(config)
    values.update(_read_environment(_process_variables() if environ is None else environ))
    values.update({name: _check(name, value, "argument") for name, value in given.items() if value is not None})
    if environ is None and values.get("withdraw_variables"):
        secret_variables.withdraw_once_read()
        _process_variables()
    return values


def read_config(config: str | Path | None = None) -> dict[str, Any]:
    """The settings of a TOML file, checked, with its relative paths led from its directory.

    None reads ./strongroom.toml, which need not exist; a file that is named must. Raises as ``load``.
    """
    if not isinstance(config, str | os.PathLike | None):
        raise InvalidSettingError("The settings file is not named by a text or a path.")
    path = Path(CONFIG_FILE if config is None else config)
    try:
        with open_trusted(path, private=False) as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            content = file.read(_LONGEST_FILE_BYTES + 1)
            text = marked_text.decode(content) if len(content) <= _LONGEST_FILE_BYTES else "\0"
    except NotTrustedError as error:
        raise InsecureFileError(f"The settings file {path} {error.reason}.", hint=error.cure) from None
    except FileNotFoundError:
        if config is None:
            return {}
        raise InvalidSettingError(f"The settings file {path} does not exist.") from None
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        raise InvalidSettingError(f"The settings file {path} cannot be read: {reason}.") from None
    except UnicodeDecodeError:
        text = "\0"  # no TOML either; raised below, where no exception holds the file's text
    except ValueError:
        raise InvalidSettingError("The settings file has a name that no file can have.") from None
    values = _parse(text, path)
    if mode & 0o077 and isinstance(url := values.get("database"), str) and has_password(url):
        raise InsecureFileError(
            f"The settings file {path} holds a password and can be read by others.",
            hint=f"Run: chmod 600 {path}",
        )
    checked = {name: _check(name, value, str(path)) for name, value in values.items()}
    return from_directory(checked, path.absolute().parent)


def _parse(text: str, path: Path) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # its own error is a ValueError, and so is a number too long
        place = re.search(r"line \d+, column \d+|end of document", str(error))
    # Raised here and not above: the parser's exception holds the text, and must not be the context of ours.
    raise InvalidSettingError(f"The settings file {path} is not TOML{f' ({place[0]})' if place else ''}.")


def from_directory(given: Mapping[str, Any], directory: Path) -> dict[str, Any]:
    """The same settings with relative ``file:`` and ``sqlite:///`` paths led from a directory."""
    values = dict(given)
    root_key = values.get("root_key") or ""
    for scheme in ("file:", "passphrase:file:"):
        if root_key.startswith(scheme):
            place = root_key.removeprefix(scheme)
            values["root_key"] = f"{scheme}{directory / place}"  # an absolute place stays as it is
    if (url := values.get("database")) and (found := _SQLITE_FILE.match(url)):
        if "?" in str(directory):
            raise InvalidSettingError("The setting database cannot be a relative path in a directory named with '?'.")
        values["database"] = f"{found[1]}{directory / found[2]}{found[3]}"
    return values


def _process_variables() -> Mapping[str, str]:
    """The variables of this process, those with it that were withdrawn from its environment."""
    found = dict(os.environ)
    variable = ENVIRONMENT["database"]
    if variable not in found or has_password(found[variable]):
        url = secret_variables.read(variable)
        if url is not None:
            found[variable] = url.reveal().decode(errors="surrogatepass")
    return found


def _read_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, variable in ENVIRONMENT.items():
        text = environ.get(variable, "").removeprefix(marked_text.MARK)
        if not text:
            continue
        value: Any = text
        word = text.strip()
        if name in _SWITCHES:
            value = _SWITCH.get(word.lower(), text)
        elif name in RANGES and re.fullmatch(r"[0-9]{1,18}", word):
            value = int(word)
        values[name] = _check(name, value, variable)
    return values


def _check(name: str, value: Any, source: str) -> Any:
    if name not in ENVIRONMENT:
        shown = f": {name}" if re.fullmatch(r"[A-Za-z_-]{1,40}", name) else ""
        raise InvalidSettingError(
            f"There is no such setting{shown} (from {source}).", hint=f"Settings: {', '.join(ENVIRONMENT)}."
        )
    if value is None and name in _OPTIONAL:
        return None
    if name in _SWITCHES:
        if not isinstance(value, bool):
            raise InvalidSettingError(f"The setting {name} (from {source}) is neither true nor false.")
    elif name in RANGES:
        low, high = RANGES[name]
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise InvalidSettingError(f"The setting {name} (from {source}) is not a whole number, {low} to {high}.")
    elif not (isinstance(value, str) and value.strip()):
        raise InvalidSettingError(f"The setting {name} (from {source}) is not text, or is empty.")
    elif len(value) > LONGEST_TEXT:
        raise InvalidSettingError(f"The setting {name} (from {source}) is longer than {LONGEST_TEXT:,} characters.")
    elif name == "schema" and not _SCHEMA.fullmatch(value):
        raise InvalidSettingError(
            f"The setting schema (from {source}) is not a name that strongroom takes for a schema.",
            hint="Up to 63 letters, digits, _, $ and -, not beginning with a digit, with pg_ or -.",
        )
    elif name == "keyring_kid" and not _KID.fullmatch(value):
        raise InvalidSettingError(
            f"The setting keyring_kid (from {source}) is not a kid.",
            hint="`strongroom status` prints the kids of a vault's sealing keys.",
        )
    return value
