"""``strongroom init``: what it makes, and that it replaces nothing."""

from __future__ import annotations

import sqlite3
import stat
import tomllib
from pathlib import Path

import pytest

from strongroom.cli import init as command
from testbed.command_line import call

pytestmark = pytest.mark.usefixtures("empty_directory")

FILES = ("strongroom.toml", "strongroom.db", "strongroom.key")


def contents() -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in Path().iterdir()}


def test_without_options_it_makes_three_files_that_nobody_else_can_read() -> None:
    answer = call("init", "--json")
    assert answer.code == 0
    document = answer.document
    assert list(document) == ["created", "migrated", "generation", "database", "root_key", "sealing_key", "files"]
    assert document["created"] is True
    assert sorted(document["files"]) == sorted(str(Path(name).absolute()) for name in FILES)
    assert sorted(path.name for path in Path().iterdir()) == sorted(FILES)
    assert {stat.S_IMODE(path.stat().st_mode) for path in Path().iterdir()} == {0o600}
    assert tomllib.loads(Path("strongroom.toml").read_text()) == command.DEFAULTS
    assert "for development" in answer.err


def test_again_it_changes_nothing() -> None:
    first = call("init", "--json").document
    before = contents()
    again = call("init", "--json")
    assert again.code == 0
    assert again.document == {**first, "created": False, "files": []}
    assert contents() == before
    human = call("init")
    assert human.code == 0
    assert "already initialised; nothing was changed" in human.err


def test_the_next_command_finds_what_it_made_from_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    call("init")
    assert call("verify", "--json").code == 0
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    assert call("--config", "../strongroom.toml", "verify", "--json").code == 0
    assert call("verify", "--config", "../strongroom.toml", "--json").code == 0
    assert call("verify", "--json").code == 2


def test_a_root_key_that_is_there_is_used_and_kept() -> None:
    call("root-key", "new", "strongroom.key")
    before = Path("strongroom.key").read_bytes()
    assert call("init").code == 0
    assert Path("strongroom.key").read_bytes() == before


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_another_kind_is_refused_and_kept(name: str) -> None:
    Path(name).write_text("something else = that matters\n")
    Path(name).chmod(0o600)
    answer = call("init", "--json")
    assert answer.code != 0
    assert "error" in answer.document
    assert Path(name).read_text() == "something else = that matters\n"


def test_a_lost_root_key_is_not_replaced_by_a_new_one() -> None:
    call("init")
    Path("strongroom.key").rename("saved.key")
    answer = call("init", "--json")
    assert answer.code == 4
    call("root-key", "new", "strongroom.key")
    mismatch = call("init", "--json")
    assert (mismatch.code, mismatch.document["error"]["code"]) == (4, "root-key-mismatch")
    Path("saved.key").replace("strongroom.key")
    assert call("init", "--json").document["created"] is False


def test_what_was_interrupted_before_the_settings_file_is_completed() -> None:
    call("init")
    Path("strongroom.toml").unlink()
    answer = call("init", "--json")
    assert (answer.code, answer.document["created"]) == (0, False)
    assert answer.document["files"] == [str(Path("strongroom.toml").absolute())]


def test_with_both_options_it_writes_no_settings_file() -> None:
    options = ("--database", "sqlite:///v.db", "--root-key", "file:r.key")
    answer = call("init", *options)
    assert answer.code == 0
    assert sorted(path.name for path in Path().iterdir()) == ["r.key", "v.db"]
    assert "No settings file names this vault" in answer.err
    assert call(*options, "verify", "--json").code == 0
    assert call("verify", *options, "--json").code == 0


def test_with_one_option_the_settings_file_keeps_it() -> None:
    assert call("init", "--database", "sqlite:///v.db").code == 0
    assert tomllib.loads(Path("strongroom.toml").read_text()) == {
        "database": "sqlite:///v.db",
        "root_key": "file:strongroom.key",
    }
    assert call("verify").code == 0


def test_what_the_environment_says_is_not_written_down(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRONGROOM_DATABASE_URL", "sqlite:///v.db")
    assert call("init").code == 0
    assert tomllib.loads(Path("strongroom.toml").read_text()) == {"root_key": "file:strongroom.key"}


def test_a_named_settings_file_is_made_with_its_vault_next_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("etc").mkdir()
    assert call("init", "--config", "etc/vault.toml").code == 0
    assert sorted(path.name for path in Path("etc").iterdir()) == [
        "strongroom.db",
        "strongroom.key",
        "vault.toml",
    ]
    assert [path.name for path in Path().iterdir()] == ["etc"]


def test_a_failure_leaves_no_settings_file() -> None:
    assert call("init", "--database", "mysql://host/vault").code == 2
    assert not Path("strongroom.toml").exists()


def test_the_settings_file_never_replaces_one_that_came_meanwhile() -> None:
    target = Path("strongroom.toml")
    target.write_text("pool_size = 3\n")
    assert command._write_new(target, command.DEFAULTS) is False
    assert contents() == {"strongroom.toml": b"pool_size = 3\n"}


def test_a_second_database_with_the_same_root_key(tmp_path: Path) -> None:
    call("init")
    assert call("init", "--database", "sqlite:///second.db", "--json").document["created"] is True
    with sqlite3.connect("second.db") as connection:
        assert connection.execute("SELECT count(*) FROM strongroom_keyring").fetchone() == (1,)
    connection.close()


def test_on_each_database(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRONGROOM_DATABASE_URL", database_url)
    first = call("init", "--root-key", "file:r.key", "--json")
    assert (first.code, first.document["created"]) == (0, True)
    again = call("init", "--root-key", "file:r.key", "--json")
    assert (again.code, again.document["created"]) == (0, False)
    assert again.document["sealing_key"] == first.document["sealing_key"]
    call("root-key", "new", "other.key")
    other = call("init", "--root-key", "file:other.key", "--json")
    assert (other.code, other.document["error"]["code"]) == (4, "root-key-mismatch")
