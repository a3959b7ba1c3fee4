"""Fixtures for every test. A PostgreSQL server starts when the first test of a worker asks for one."""

from __future__ import annotations

import importlib.util
import os
import random
import sys
import types
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

from testbed.databases import partitioned
from testbed.databases.rows import sqlite_copy
from testbed.harness import random_kills
from testbed.harness.fork_server import ForkServer
from testbed.harness.sizes import examples
from testbed.servers import citus
from testbed.servers.memory import memory_folder
from testbed.servers.postgres import PostgresServer
from testbed.servers.proxy import Proxy

if TYPE_CHECKING:
    from strongroom import Vault
    from testbed.processes.repairs import RepairScene

pytest_plugins = [
    "tests.attacks.summary",
    "testbed.harness.deadlines",
    "testbed.harness.garbage",
    "testbed.harness.shares",
    "testbed.harness.skips",
    "testbed.harness.tiers",
]

if importlib.util.find_spec("coincurve") is None:
    # bip_utils, an oracle, falls back to ecdsa only when it is told so before its import (there is no wheel of
    # coincurve for Python 3.14).
    stub = types.ModuleType("bip_utils.ecc.conf")
    stub.__dict__["EccConf"] = type("EccConf", (), {"USE_COINCURVE": False})
    sys.modules[stub.__name__] = stub

hypothesis.settings.register_profile(
    "strongroom",
    deadline=None,
    print_blob=True,
    database=None,
    max_examples=examples(100),
    derandomize=bool(os.environ.get("CI") or os.environ.get("STRONGROOM_FORBID_SKIPS")),
)
hypothesis.settings.load_profile("strongroom")

_numbers = count(1)
_OF_TESTS = ("STRONGROOM_VECTORS", "STRONGROOM_CHAIN_LIST", "STRONGROOM_TEST_SEED", "STRONGROOM_FORBID_SKIPS")
"""Variables that are read while tests run, and not by strongroom."""


@pytest.fixture(scope="session")
def vectors() -> Path:
    """The folder of published test vectors; they are not part of the project."""
    folder = os.environ.get("STRONGROOM_VECTORS")
    if not folder:
        pytest.skip("STRONGROOM_VECTORS does not name the folder of published test vectors")
    return Path(folder)


@pytest.fixture(scope="session")
def chain_list() -> Path:
    """A published list of chains, a folder or a document; a test that asks is collected where there is one."""
    return Path(os.environ["STRONGROOM_CHAIN_LIST"])


@pytest.fixture
def rng() -> random.Random:
    """A random generator whose seed is printed."""
    return random_kills.seeded()


@pytest.fixture
def empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, and no variable that names a database or a root key, or says how to open them."""
    for name in [name for name in os.environ if name.startswith("STRONGROOM_") and name not in _OF_TESTS]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


# --- servers -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """This worker's PostgreSQL server. Tests that stop or kill a server start one of their own."""
    if citus.URL:
        yield citus.CitusServer(citus.URL)
        return
    with PostgresServer.start(memory_folder()) as server:
        yield server


@pytest.fixture
def proxy(postgres: PostgresServer) -> Iterator[Proxy]:
    """A proxy in front of the server, that can cut connections: ``proxy.url(database)``."""
    with Proxy(postgres.socket_path) as server:
        yield server


@pytest.fixture(scope="session")
def fork_server() -> Iterator[ForkServer]:
    """A process that forks children to be stopped and killed."""
    with ForkServer() as process:
        yield process


# --- empty databases -----------------------------------------------------------------------------------------


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest) -> str:
    """The name of the database engine: the test runs on each."""
    return str(request.param)


@pytest.fixture
def private_path(tmp_path: Path) -> Path:
    """A new directory that nobody else can read."""
    path = tmp_path / "private"
    path.mkdir(mode=0o700)
    return path


@pytest.fixture
def sqlite_url(private_path: Path) -> str:
    """The URL of an SQLite database that does not exist yet."""
    return f"sqlite:///{private_path / 'vault.db'}"


@pytest.fixture
def postgresql_url(postgres: PostgresServer) -> Iterator[str]:
    """The URL of a new, empty PostgreSQL database, dropped afterwards."""
    name = f"empty_{next(_numbers)}"
    yield postgres.create_database(name)
    postgres.drop_database(name)


@pytest.fixture
def database_url(engine: str, request: pytest.FixtureRequest) -> str:
    """The URL of a new, empty database of each engine."""
    return str(request.getfixturevalue(f"{engine}_url"))


# --- initialised vaults: made once for each worker, then cloned ----------------------------------------------


@pytest.fixture(scope="session")
def root_key_uri(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URI of this worker's root key, which the first ``init`` makes."""
    folder = tmp_path_factory.mktemp("root-key")
    folder.chmod(0o700)
    return f"file:{folder / 'root.key'}"


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory, root_key_uri: str) -> Path:
    """The file of an initialised vault without wallets."""
    import strongroom

    folder = tmp_path_factory.mktemp("sqlite-template")
    folder.chmod(0o700)
    strongroom.init(f"sqlite:///{folder / 'vault.db'}", root_key=root_key_uri).close()
    return folder / "vault.db"


@pytest.fixture(scope="session")
def postgresql_template(postgres: PostgresServer, root_key_uri: str) -> Iterator[str]:
    """The name of the database of an initialised vault without wallets."""
    import strongroom

    name = "vault_template"
    url = postgres.create_database(name)
    strongroom.init(url, root_key=root_key_uri).close()
    if partitioned.PARTITIONS:
        partitioned.partition(url)
    if isinstance(postgres, citus.CitusServer):
        postgres.distribute(name)
    yield name
    if isinstance(postgres, citus.CitusServer):
        postgres.drop_database(name)


@pytest.fixture
def sqlite_vault_url(private_path: Path, sqlite_template: Path) -> str:
    """The URL of a new, initialised vault in SQLite."""
    return sqlite_copy(sqlite_template, private_path)


@pytest.fixture
def make_postgresql_vault(postgres: PostgresServer, postgresql_template: str) -> Iterator[Callable[..., str]]:
    """Make an initialised vault in PostgreSQL, with database settings such as ``log_statement="all"``."""
    names: list[str] = []

    def make(**database_settings: str | int | bool) -> str:
        names.append(f"vault_{next(_numbers)}")
        return postgres.create_database(names[-1], template=postgresql_template, **database_settings)

    yield make
    for name in names:
        postgres.drop_database(name)


@pytest.fixture
def postgresql_vault_url(make_postgresql_vault: Callable[..., str]) -> str:
    """The URL of a new, initialised vault in PostgreSQL."""
    return make_postgresql_vault()


@pytest.fixture
def vault_url(engine: str, request: pytest.FixtureRequest) -> str:
    """The URL of a new, initialised vault in each engine; ``root_key_uri`` opens it."""
    return str(request.getfixturevalue(f"{engine}_vault_url"))


@pytest.fixture
def vault(vault_url: str, root_key_uri: str) -> Iterator[Vault]:
    """A new vault without wallets in each engine, open, and closed afterwards."""
    import strongroom

    opened = strongroom.open(vault_url, root_key=root_key_uri)
    try:
        yield opened
    finally:
        opened.close()


# --- databases of legacy applications --------------------------------------------------------------------------


@pytest.fixture
def make_legacy(postgres: PostgresServer, root_key_uri: str) -> Iterator[Callable[..., str]]:
    """Make a database of a generation: ``make_legacy("g4")``, or with ``initialised=True`` a vault in it."""
    from testbed.databases.foreign import legacy_template

    names: list[str] = []

    def make(generation: str, *, initialised: bool = False) -> str:
        names.append(f"found_{next(_numbers)}")
        template = legacy_template(postgres, root_key_uri, generation, initialised=initialised)
        return postgres.create_database(names[-1], template=template)

    yield make
    for name in names:
        postgres.drop_database(name)


@pytest.fixture(scope="module")
def repair_scenes(
    request: pytest.FixtureRequest, root_key_uri: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], RepairScene]]:
    """A damaged database of each backend, with a plan of its repair; made when it is first asked for."""
    from testbed.processes.repair_plans import plan_of_each_kind

    made: dict[str, RepairScene] = {}

    def scene(backend: str) -> RepairScene:
        if backend not in made:
            folder = tmp_path_factory.mktemp("scene")
            folder.chmod(0o700)
            made[backend] = plan_of_each_kind(
                backend, root_key_uri, lambda: request.getfixturevalue("postgres"), folder
            )
        return made[backend]

    yield scene
    for each in made.values():
        each.close()


@pytest.fixture
def repair_scene(request: pytest.FixtureRequest, repair_scenes: Callable[[str], RepairScene]) -> Iterator[RepairScene]:
    """The damaged database of the backend that is the test's parameter, for clones of it."""
    opened = repair_scenes(request.param)
    yield opened
    opened.close()
