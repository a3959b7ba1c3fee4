"""What the command line does to its own process, and an application may: no dumps, no variables for child processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import strongroom
from strongroom import Vault
from strongroom.rootkeys import local
from strongroom.settings import Settings
from testbed.databases.rows import execute, grant_on_all_tables

PASSPHRASE = "correct horse battery staple"
STATE = """
import ctypes, json, os, resource, subprocess, sys
def state():
    child = subprocess.run(["env", "-0"], capture_output=True, check=True).stdout.decode()
    print(json.dumps({
        "cores": resource.getrlimit(resource.RLIMIT_CORE),
        "dumpable": ctypes.CDLL(None).prctl(3, 0, 0, 0, 0) if sys.platform.startswith("linux") else 0,
        "inherited": sorted(line.partition("=")[0] for line in child.split(chr(0)) if line),
        "kept": sorted(os.environ),
    }))
"""


def run(script: str, **environ: str) -> list[Any]:
    """Run a script in a process of its own, and return the documents that it printed, a line each."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", STATE + script],
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def test_a_hardened_process_leaves_no_dump() -> None:
    before, after, again = run(
        "from strongroom.hardening import harden_process\n"
        "state(); first = harden_process(); state(); assert harden_process() == first; state()\n"
        "assert 'core-limit' in first\n"
        "assert ('not-dumpable' in first) == sys.platform.startswith('linux')\n"
    )
    assert before["dumpable"] == (1 if sys.platform.startswith("linux") else 0)
    for found in (after, again):
        assert (found["cores"], found["dumpable"]) == ([0, 0], 0)


def test_what_a_platform_does_not_have_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    from strongroom import hardening

    monkeypatch.setitem(sys.modules, "resource", None)
    monkeypatch.setattr(sys, "platform", "darwin")
    assert hardening.harden_process() == ()


COMMAND = """
from strongroom.cli import main
sys.argv = ["strongroom", *sys.argv_given]
code = main()
assert code == 0, code
state()
code = main()  # again, without the variables
assert code == 0, code
"""


def command(*arguments: str) -> str:
    return f"sys.argv_given = {list(arguments)!r}" + COMMAND


@pytest.mark.thorough(sample=1)
def test_the_command_line_is_hardened_and_hands_no_secret_to_child_processes(
    vault: Vault, vault_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    variables = {"HARD_ROOT_KEY": local.new_text().reveal_text(), "HARD_PASSPHRASE": PASSPHRASE}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    vault.add_root_key("env:HARD_ROOT_KEY")
    vault.add_root_key("passphrase:env:HARD_PASSPHRASE")
    for uri, name in (("env:HARD_ROOT_KEY", "HARD_ROOT_KEY"), ("passphrase:env:HARD_PASSPHRASE", "HARD_PASSPHRASE")):
        found = run(command("status", "--json"), STRONGROOM_DATABASE_URL=vault_url, STRONGROOM_ROOT_KEY=uri)
        assert [each for each in found if each.get("dumpable")] == []
        (state,) = [each for each in found if "kept" in each]
        assert state["cores"] == [0, 0]
        assert name not in state["inherited"]
        assert name not in state["kept"]
        assert "STRONGROOM_DATABASE_URL" in state["kept"]  # it holds no password
        assert sum("root_keys" in each for each in found) == 2


def test_passwords_of_the_database_leave_the_environment_too(postgresql_vault_url: str, root_key_uri: str) -> None:
    url = postgresql_vault_url.replace("postgres@", "postgres:hidden-1@")
    for environ in (
        {"STRONGROOM_DATABASE_URL": url},
        {"STRONGROOM_DATABASE_URL": postgresql_vault_url, "PGPASSWORD": "hidden-2"},
    ):
        found = run(command("status", "--json"), STRONGROOM_ROOT_KEY=root_key_uri, **environ)
        (state,) = [each for each in found if "kept" in each]
        gone = "PGPASSWORD" if "PGPASSWORD" in environ else "STRONGROOM_DATABASE_URL"
        assert gone not in state["inherited"]
        assert gone not in state["kept"]
        assert sum("root_keys" in each for each in found) == 2


PASSWORD = """
import sqlalchemy as sa
import strongroom
from strongroom.host import secret_variables
secret_variables.withdraw_once_read()
given = {{}}
for turn in range(2):
    engine = strongroom.create_engine({url!r})
    sa.event.listen(engine, "do_connect", lambda dialect, record, positional, named: given.update(named))
    engine.connect().close()
    engine.dispose()
    assert given.pop("password", None) == {expected!r}, turn
    assert ("PGPASSWORD" in os.environ) is {stays}
"""


@pytest.mark.parametrize(
    ("more", "expected"), [("", "hidden-3"), ("&password=hidden-4", "hidden-4"), ("&service=hard", None)]
)
def test_a_password_that_left_the_environment_still_reaches_the_driver(
    postgresql_vault_url: str, more: str, expected: str | None, tmp_path: Path
) -> None:
    services = tmp_path / "services"
    services.write_text("[hard]\nsslmode=disable\n")
    script = PASSWORD.format(url=postgresql_vault_url + more, expected=expected, stays=bool(more))
    run(script, PGPASSWORD="hidden-3", PGSERVICEFILE=str(services))


LIBRARY = """
import strongroom
url, root_key = os.environ["HARD_URL"], "env:HARD_ROOT_KEY"
with strongroom.open(url, root_key=root_key{setting}) as vault:
    state()
with strongroom.open(url, root_key=root_key) as vault:
    vault.status()
state()
"""


@pytest.mark.parametrize(("setting", "stays"), [("", True), (", withdraw_variables=True", False)])
def test_in_the_library_variables_leave_on_request_and_later_openings_have_them(
    vault: Vault, vault_url: str, monkeypatch: pytest.MonkeyPatch, setting: str, stays: bool
) -> None:
    monkeypatch.setenv("HARD_ROOT_KEY", local.new_text().reveal_text())
    vault.add_root_key("env:HARD_ROOT_KEY")
    for found in run(LIBRARY.format(setting=setting), HARD_URL=vault_url):
        assert ("HARD_ROOT_KEY" in found["inherited"]) is stays
        assert ("HARD_ROOT_KEY" in found["kept"]) is stays
        assert found["dumpable"] == (1 if sys.platform.startswith("linux") else 0)  # that is the application's to say


SETTINGS = """
from strongroom.settings import Settings
first = Settings.load()
state()
assert Settings.load() == first
assert "hidden" in first.database and "hidden" not in repr(first)
"""


@pytest.mark.parametrize("stays", [True, False])
def test_settings_that_withdraw_take_the_url_with_a_password(stays: bool, tmp_path: Path) -> None:
    (found,) = run(
        f"os.chdir({str(tmp_path)!r})" + SETTINGS,
        STRONGROOM_DATABASE_URL="postgresql://app:hidden@localhost/vault",
        STRONGROOM_WITHDRAW_VARIABLES="false" if stays else "true",
    )
    assert ("STRONGROOM_DATABASE_URL" in found["inherited"]) is stays
    assert "STRONGROOM_WITHDRAW_VARIABLES" in found["inherited"]


def test_a_variable_that_is_set_anew_goes_before_the_one_that_was_kept() -> None:
    run(
        "from strongroom.host import secret_variables\n"
        "secret_variables.withdraw_once_read()\n"
        "assert secret_variables.read('HARD').reveal() == b'one'\n"
        "assert secret_variables.read('HARD').reveal() == b'one'\n"
        "os.environ['HARD'] = 'two'\n"
        "assert secret_variables.read('HARD').reveal() == b'two'\n"
        "assert 'HARD' not in os.environ\n"
        "assert secret_variables.read('HARD').reveal() == b'two'\n"
        "assert secret_variables.read('HARD_NONE') is None\n",
        HARD="one",
    )


def test_status_warns_of_a_superuser(postgresql_vault_url: str, root_key_uri: str) -> None:
    with strongroom.open(postgresql_vault_url, root_key=root_key_uri) as vault:
        assert [text for text in vault.status().store.warnings if "superuser" in text]
    execute(postgresql_vault_url, "DROP ROLE IF EXISTS hard_plain")
    execute(postgresql_vault_url, "CREATE ROLE hard_plain LOGIN BYPASSRLS")
    try:
        execute(postgresql_vault_url, grant_on_all_tables("ALL", "hard_plain"))
        url = postgresql_vault_url.replace("postgres@", "hard_plain@")
        with strongroom.open(url, root_key=root_key_uri) as vault:
            assert vault.status().store.warnings == ()
            assert "is_superuser" not in vault.status().store.durability
    finally:
        execute(postgresql_vault_url, "DROP OWNED BY hard_plain")
        execute(postgresql_vault_url, "DROP ROLE hard_plain")


def test_settings_do_not_withdraw_by_themselves() -> None:
    assert Settings(database="sqlite:///x.db").withdraw_variables is False
    assert Settings(database="sqlite:///x.db").allow_plaintext_postgresql is False
