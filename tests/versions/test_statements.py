"""No verb of every day asks the database more often than it did in the last version."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

import strongroom
from testbed.servers.postgres import PostgresServer
from testbed.versions.earlier import unpacked

VERBS = ("create", "create again", "find", "sign")
ADDED = {"sqlite": {"create": 1}}
"""On SQLite, where each row takes a statement: the wallet's record in the register."""
_numbers = count(1)
_PROGRAM = """
import json, sys
from uuid import uuid4
import strongroom
try:
    from strongroom.store.connection.session import Session
except ImportError:
    from strongroom.store.session import Session
seen = []
def counted(name):
    run = getattr(Session, name)
    def counting(self, sql, *rest):
        seen.append(sql)
        return run(self, sql, *rest)
    setattr(Session, name, counting)
counted("_execute")
counted("control")
url, root_key = sys.argv[1:]
numbers = {}
with strongroom.init(url, root_key=root_key) as vault:
    for project in uuid4(), uuid4():  # what the first calls do besides is not counted
        verbs = {
            "create": lambda: vault.create_wallet(project, "ethereum"),
            "create again": lambda: vault.create_wallet(project, "ethereum"),
            "find": lambda: vault.find_wallet(project, "ethereum"),
            "sign": lambda: vault.sign_message(vault_wallet, "hello"),
        }
        for name, verb in verbs.items():
            seen.clear()
            found = verb()
            numbers[name] = len(seen)
            if name == "find":
                vault_wallet = found
                vault.sign_message(found, "hello")  # a process reads a wallet when it first signs with it
print(json.dumps([strongroom.__version__, strongroom.__file__, numbers]))
"""


@pytest.fixture(params=["sqlite", "fresh"])
def urls(request: pytest.FixtureRequest, private_path: Path, postgres: PostgresServer) -> Iterator[tuple[str, str]]:
    """Two databases without a vault."""
    if request.param == "sqlite":
        yield f"sqlite:///{private_path}/one.db", f"sqlite:///{private_path}/other.db"
        return
    names = [f"statements_{next(_numbers)}" for _ in range(2)]
    one, other = (postgres.create_database(name) for name in names)
    yield one, other
    for name in names:
        postgres.drop_database(name)


def statements(packages: Path, url: str, root_key: str) -> dict[str, int]:
    """How many statements each verb runs in the version that is in a folder, BEGIN and COMMIT included."""
    program = f"import sys; sys.path.insert(0, {str(packages)!r}); exec({_PROGRAM!r})"
    ran = subprocess.run([sys.executable, "-c", program, url, root_key], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    _, file, numbers = json.loads(ran.stdout)
    assert Path(file).is_relative_to(packages), "the version that was asked for was run"
    assert set(numbers) == set(VERBS)
    found: dict[str, int] = numbers
    return found


def test_no_verb_runs_more_statements_than_in_the_last_version(urls: tuple[str, str], private_path: Path) -> None:
    packages = private_path / "last-version"
    packages.mkdir()
    unpacked(packages)
    before = statements(packages, urls[0], f"file:{private_path}/one.key")
    now = statements(Path(strongroom.__file__).parents[1], urls[1], f"file:{private_path}/other.key")
    assert all(before.values())
    added = ADDED.get(urls[0].partition(":")[0], {})
    assert {name: now[name] for name in VERBS if now[name] > before[name] + added.get(name, 0)} == {}, before
