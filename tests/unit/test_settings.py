"""Settings: where they come from, what is refused, and what is never said."""

from __future__ import annotations

import os
import pickle
import re
import subprocess
import sys
import traceback
from dataclasses import fields
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

import strongroom
from strongroom.database_url import has_password, without_password
from strongroom.errors import InsecureFileError, InvalidSettingError
from strongroom.networks import TABLE
from strongroom.networks.evm.family import Evm
from strongroom.networks.solana.family import Solana
from strongroom.settings import ENVIRONMENT, RANGES, Settings

DOCS = Path(__file__).parents[2] / "docs" / "settings.md"
CANARY = "c4n4ry-p4ssw0rd"


@pytest.fixture(autouse=True)
def _empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def load(environ: dict[str, str] | None = None, **given: Any) -> Settings:
    return Settings.load(environ=environ or {}, **given)


def write(text: str, path: str = "strongroom.toml", mode: int = 0o600) -> Path:
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    file.chmod(mode)
    return file


def test_each_field_has_an_environment_variable_and_the_docs_list_both() -> None:
    names = [field.name for field in fields(Settings)]
    assert list(ENVIRONMENT) == names
    rows = re.findall(r"^\| `(\w+)` \| `(STRONGROOM_\w+)` \| `?([^|`]+)`? \|", DOCS.read_text(), re.MULTILINE)
    assert {name: variable for name, variable, _ in rows} == dict(ENVIRONMENT)
    written = {name: default.strip() for name, _, default in rows}
    for field in fields(Settings):
        if isinstance(field.default, int):
            assert written[field.name] == str(field.default).lower()


def test_the_docs_name_the_range_of_each_number() -> None:
    for name, (low, high) in RANGES.items():
        row = next(line for line in DOCS.read_text().splitlines() if line.startswith(f"| `{name}`"))
        assert f"{low} to {high}" in row


def test_an_argument_goes_before_the_environment_and_that_before_the_file() -> None:
    write('database = "sqlite:////file"\nroot_key = "env:FILE"\npool_size = 3\n')
    environ = {"STRONGROOM_DATABASE_URL": "sqlite:////environment", "STRONGROOM_ROOT_KEY": "env:ENVIRONMENT"}
    settings = load(environ, database="sqlite:////argument")
    assert settings.database == "sqlite:////argument"
    assert settings.root_key == "env:ENVIRONMENT"
    assert settings.pool_size == 3
    assert settings.connect_timeout_seconds == 10


def test_every_setting_can_come_from_the_environment() -> None:
    settings = load(
        {
            "STRONGROOM_DATABASE_URL": "postgresql://app@host/vault",
            "STRONGROOM_ROOT_KEY": "env:KEY",
            "STRONGROOM_PREPARED_STATEMENTS": "off",
            "STRONGROOM_POOL_SIZE": "7",
            "STRONGROOM_CONNECT_TIMEOUT_SECONDS": " 8\n",
            "STRONGROOM_BUSY_TIMEOUT_SECONDS": "9\x1f",
        }
    )
    assert settings == Settings(
        database="postgresql://app@host/vault",
        root_key="env:KEY",
        prepared_statements=False,
        pool_size=7,
        connect_timeout_seconds=8,
        busy_timeout_seconds=9,
    )


def test_empty_and_unknown_variables_are_passed_over() -> None:
    environ = {"STRONGROOM_DATABASE_URL": "", "STRONGROOM_SERVICE_HOST": "10.0.0.1"}
    assert load(environ, database="sqlite:///a.db").database == "sqlite:///a.db"


def test_no_database_names_the_ways_to_set_one() -> None:
    with pytest.raises(InvalidSettingError, match="No database is set") as caught:
        load()
    assert "strongroom init" in caught.value.hint


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("sqlite:///vault.db", "sqlite:///{directory}/vault.db"),
        ("sqlite:///data/vault.db?mode=rw", "sqlite:///{directory}/data/vault.db?mode=rw"),
        ("sqlite+pysqlite:///vault.db", "sqlite+pysqlite:///{directory}/vault.db"),
        ("sqlite:////var/vault.db", "sqlite:////var/vault.db"),
        ("sqlite:///:memory:", "sqlite:///:memory:"),
        ("sqlite://", "sqlite://"),
        ("postgresql://app@host/vault", "postgresql://app@host/vault"),
    ],
)
def test_relative_databases_of_the_file_lead_from_its_directory(tmp_path: Path, written: str, read: str) -> None:
    config = write(f'database = "{written}"\n', "etc/vault.toml")
    assert load(config=config).database == read.format(directory=tmp_path / "etc")


@pytest.mark.parametrize(
    ("written", "read"),
    [("file:root.key", "file:{directory}/root.key"), ("file:/k", "file:/k"), ("env:NAME", "env:NAME")],
)
def test_relative_root_keys_of_the_file_lead_from_its_directory(tmp_path: Path, written: str, read: str) -> None:
    config = write(f'database = "sqlite:////x"\nroot_key = "{written}"\n', "etc/vault.toml")
    assert load(config=config).root_key == read.format(directory=tmp_path / "etc")


def test_relative_paths_from_elsewhere_stay_as_they_are() -> None:
    settings = load({"STRONGROOM_ROOT_KEY": "file:root.key"}, database="sqlite:///vault.db")
    assert (settings.database, settings.root_key) == ("sqlite:///vault.db", "file:root.key")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('databse = "x"', "There is no such setting: databse (from strongroom.toml)"),
        ("[tables]\nx = 1", "There is no such setting: tables"),
        ("database = 5", "The setting database (from strongroom.toml) is not text"),
        ('root_key = ""', "The setting root_key (from strongroom.toml) is not text, or is empty"),
        ("prepared_statements = 1", "The setting prepared_statements (from strongroom.toml) is neither"),
        ("pool_size = 0", "The setting pool_size (from strongroom.toml) is not a whole number, 1 to 100"),
        ("pool_size = 101", "pool_size"),
        ("pool_size = true", "pool_size"),
        ("pool_size = 2.5", "pool_size"),
        ('busy_timeout_seconds = "9"', "busy_timeout_seconds"),
        ("database = ", "The settings file strongroom.toml is not TOML (end of document)"),
        ("database = x", "The settings file strongroom.toml is not TOML (line 1, column 12)"),
    ],
)
def test_the_file_is_read_strictly(text: str, told: str) -> None:
    write(text)
    with pytest.raises(InvalidSettingError, match=re.escape(told)):
        load(database="sqlite:///a.db")


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("STRONGROOM_PREPARED_STATEMENTS", "maybe"),
        ("STRONGROOM_POOL_SIZE", "many"),
        ("STRONGROOM_POOL_SIZE", "0"),
        ("STRONGROOM_CONNECT_TIMEOUT_SECONDS", "-1"),
        ("STRONGROOM_BUSY_TIMEOUT_SECONDS", "601"),
    ],
)
def test_the_environment_is_read_strictly(variable: str, value: str) -> None:
    with pytest.raises(InvalidSettingError, match=variable):
        load({variable: value}, database="sqlite:///a.db")


@pytest.mark.parametrize(
    "given", [{"pool_size": 0}, {"pool_size": "5"}, {"prepared_statements": "no"}, {"database": ""}]
)
def test_arguments_are_read_strictly(given: dict[str, Any]) -> None:
    with pytest.raises(InvalidSettingError, match="from argument"):
        load(**{"database": "sqlite:///a.db", **given})
    with pytest.raises(InvalidSettingError, match="from argument"):
        Settings(**{"database": "sqlite:///a.db", **given})


def test_an_unknown_argument_is_refused() -> None:
    with pytest.raises(InvalidSettingError, match="no such setting: pol_size"):
        load(database="sqlite:///a.db", pol_size=4)


def test_a_named_file_must_exist_and_be_readable() -> None:
    with pytest.raises(InvalidSettingError, match=r"other\.toml does not exist"):
        load(config="other.toml", database="sqlite:///a.db")
    with pytest.raises(InvalidSettingError, match="cannot be read: Is a directory"):
        load(config=".", database="sqlite:///a.db")


def test_a_file_that_is_not_text_is_refused() -> None:
    Path("strongroom.toml").write_bytes(b"\xff" + CANARY.encode())
    with pytest.raises(InvalidSettingError, match="is not TOML") as caught:
        load()
    assert_no_canary(caught.value)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_is_dropped_from_the_file(encoding: str) -> None:
    Path("strongroom.toml").write_bytes('database = "sqlite:////a.db"\r\n'.encode(encoding))
    assert load().database == "sqlite:////a.db"


def test_a_byte_order_mark_is_dropped_from_variables_and_arguments() -> None:
    found = load({"STRONGROOM_DATABASE_URL": "\ufeffsqlite:////a.db", "STRONGROOM_POOL_SIZE": "\ufeff4"})
    assert (found.database, found.pool_size) == ("sqlite:////a.db", 4)
    assert load(database="\ufeffsqlite:////a.db").database == "sqlite:////a.db"


PASSWORDS = [
    f"postgresql://app:{CANARY}@host/vault",
    f"postgres://app:{CANARY}@host:5432/vault",
    f"postgresql+psycopg://app:{CANARY}@/vault?host=/run",
    f"postgresql://app:{CANARY}/with@signs@host/vault",
    f"postgresql://app@host/vault?password={CANARY}",
    f"postgresql://app@host/vault?sslmode=require&sslpassword={CANARY}",
    f"app:{CANARY}@host/vault",
    f"host=localhost password={CANARY}",
    f'"postgresql://app:{CANARY}@host/vault"',
    f"'postgresql://app:{CANARY}@host/vault'",
    f" postgresql://app:{CANARY}@host/vault",
]


@pytest.mark.parametrize("url", PASSWORDS)
def test_a_password_is_seen_and_never_shown(url: str) -> None:
    assert has_password(url)
    assert CANARY not in without_password(url)
    assert CANARY not in repr(Settings(database=url))
    assert CANARY not in str(Settings(database=url))


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:///vault.db",
        "sqlite:////srv/user:name@host/vault.db",
        "postgresql://app@host/vault",
        "postgresql://postgres:@host/vault",
        "postgresql://host:5432/vault",
        "postgresql://postgres:@/postgres?host=/tmp/cluster",
        '"postgresql://app@host/vault"',
        "'postgresql://app@host/vault'",
        " postgresql://app@host:5432/vault",
    ],
)
def test_a_url_without_a_password_may_be_an_argument(url: str) -> None:
    assert not has_password(url)
    assert load(database=url, from_arguments=True).database == url


@pytest.mark.parametrize("url", PASSWORDS)
def test_a_password_in_an_argument_is_refused(url: str) -> None:
    with pytest.raises(InvalidSettingError, match="--database holds a password") as caught:
        load(database=url, from_arguments=True)
    assert "STRONGROOM_DATABASE_URL" in caught.value.hint
    assert "PGPASSWORD" in caught.value.hint
    assert_no_canary(caught.value)
    assert load(database=url).database == url  # the Python API may
    assert load({"STRONGROOM_DATABASE_URL": url}, from_arguments=True).database == url


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_file_with_a_password_must_not_be_readable_by_others(mode: int) -> None:
    file = write(f'database = "{PASSWORDS[0]}"\n', mode=mode)
    with pytest.raises(InsecureFileError) as caught:
        load()
    assert caught.value.hint == "Run: chmod 600 strongroom.toml"
    assert_no_canary(caught.value)
    file.chmod(0o600)
    assert load().database == PASSWORDS[0]


def test_a_file_without_a_password_may_be_readable_by_others() -> None:
    write('database = "postgresql://app@host/vault"\n', mode=0o644)
    assert load().database == "postgresql://app@host/vault"


@pytest.mark.parametrize(
    "text",
    [
        f'pool_size = "{CANARY}"',
        f'database = ["{PASSWORDS[0]}"]',
        f'database = "{CANARY}',
        f'"{CANARY}" = 1',
    ],
)
def test_no_error_quotes_a_value(text: str) -> None:
    write(text)
    with pytest.raises(InvalidSettingError) as caught:
        load(database="sqlite:///a.db")
    assert_no_canary(caught.value)


def test_settings_are_frozen_and_survive_a_process_boundary() -> None:
    settings = Settings(database="sqlite:///a.db")
    with pytest.raises(AttributeError):
        settings.database = "other"  # type: ignore[misc]
    assert pickle.loads(pickle.dumps(settings)) == settings


def test_settings_load_without_sqlalchemy() -> None:
    code = "import strongroom.settings, sys; sys.exit('sqlalchemy' in sys.modules or 'tomllib' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ})


def assert_no_canary(error: BaseException) -> None:
    """Not in the message, the hint, the traceback, nor in an exception that hangs on it."""
    text = "".join(traceback.TracebackException.from_exception(error, compact=False).format())
    link: BaseException | None = error
    while link is not None:
        text += repr(link.args) + repr(vars(link))
        link = link.__context__
    assert CANARY not in text


@pytest.mark.parametrize("config", ["a\0b", "\ud800", "9" * 400])
def test_a_name_that_no_file_can_have_is_refused(config: str) -> None:
    with pytest.raises(InvalidSettingError):
        Settings.load(config=config, environ={})


def test_what_is_too_long_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidSettingError, match="longer than 8,192 characters"):
        Settings(database="sqlite:///" + "a" * 8192)
    path = tmp_path / "long.toml"
    path.write_text('database = "sqlite:///a.db"\n' + "#" * (1 << 20))
    with pytest.raises(InvalidSettingError, match="is not TOML"):
        Settings.load(config=path, environ={})


def test_limits_of_fees_are_those_of_the_settings_where_a_call_sets_none(tmp_path: Path) -> None:
    write("evm_fee_limit_gwei = 1\nsolana_fee_limit_lamports = 0\n")
    assert load({}, database="sqlite:///a.db").evm_fee_limit_gwei == 1
    settings = load({"STRONGROOM_EVM_FEE_LIMIT_GWEI": "2000000000"}, database="sqlite:///a.db")
    assert (settings.evm_fee_limit_gwei, settings.solana_fee_limit_lamports) == (2 * 10**9, 0)
    limited = TABLE.with_fee_limits(settings.evm_fee_limit_gwei, settings.solana_fee_limit_lamports)
    found = {entry.name: entry for entry in limited if isinstance(entry, (Evm, Solana))}
    assert {entry.fee_limit_wei for entry in found.values() if isinstance(entry, Evm)} == {2 * 10**18}
    assert {entry.fee_limit_lamports for entry in found.values() if isinstance(entry, Solana)} == {0}
    assert [*TABLE.with_fee_limits(None, None)] == [*TABLE]
    payload = {"type": 2, "chainId": 1, "nonce": 0, "to": "0x" + "22" * 20, "gas": 21_000, "maxFeePerGas": 10**6}
    payload |= {"maxPriorityFeePerGas": 1}
    with strongroom.init(
        f"sqlite:///{tmp_path}/v.db", root_key=f"file:{tmp_path}/root.key", evm_fee_limit_gwei=1
    ) as vault:
        wallet, _ = vault.create_wallet(uuid4(), "ethereum")
        with pytest.raises(strongroom.SignatureRefusedError, match="1000000000 wei"):
            vault.sign_transaction(wallet, payload)
        assert vault.sign_transaction(wallet, payload, max_fee=10**12)
