"""Operators, functions, types and tables of a role that may CREATE in a schema of the search path: none is used."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

import strongroom
from strongroom import Vault
from strongroom.store.catalog.profile import read_profile
from strongroom.store.connection.engine import ConnectionSettings
from strongroom.store.connection.qualified import qualified
from strongroom.store.connection.read_only import ReadOnlyDatabase
from strongroom.store.connection.session import Session
from strongroom.store.statements import Statements
from testbed.command_line import CommandResult, call
from testbed.legacy import schema_sql
from testbed.processes.signing import transaction
from testbed.servers.postgres import PostgresServer
from tests.integration.traps import LAST, PATHS, make_traps, sprung, traps_used

_numbers = count(1)
_keys = count(77_000)
BACKENDS = ("fresh", "g3", "g4")
_PINNED = """
DO $$ DECLARE each regprocedure; BEGIN
    FOR each IN SELECT oid::regprocedure FROM pg_proc WHERE pronamespace = 'public'::regnamespace LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = pg_catalog, public', each);
    END LOOP;
END $$
"""
"""The application's own functions are the application's affair: they find what they mean."""
_VERBS = ("SELECT", "WITH", "INSERT", "UPDATE", "DELETE")
UPGRADING = """
CREATE TABLE IF NOT EXISTS strongroom.strongroom_nonce_untagged (project_id uuid, credential_id uuid,
    chain_id varchar(78), nonce varchar(20), digest varchar(64), fee text,
    created_at timestamptz, updated_at timestamptz)
"""
"""What is there while an upgrade goes on, and some statements read."""
SAFE = "&options=-csearch_path%3Dpg_catalog"
"""For what the tests themselves do to a database."""


@pytest.fixture(scope="session")
def trapped(postgres: PostgresServer) -> Iterator[Callable[[str], str]]:
    """The name of a database of the legacy application's, or an empty one, in which the traps are set."""
    made: dict[str, str] = {}

    def template(backend: str) -> str:
        if backend not in made:
            name = f"trapped_{backend}"
            url = postgres.create_database(name)
            if backend != "fresh":
                with psycopg.connect(url) as connection:
                    connection.execute(schema_sql(backend).encode())
                    connection.execute(_PINNED)
            make_traps(postgres, url)
            made[backend] = name
        return made[backend]

    yield template
    for name in made.values():
        postgres.drop_database(name)


@pytest.fixture
def make_trapped(postgres: PostgresServer, trapped: Callable[[str], str]) -> Iterator[Callable[[str], str]]:
    """A database of its own with the traps in it."""
    names: list[str] = []

    def make(backend: str) -> str:
        names.append(f"hijack_{next(_numbers)}")
        return postgres.create_database(names[-1], template=trapped(backend))

    yield make
    for name in names:
        postgres.drop_database(name)


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Every statement that is run from now on, as it is sent."""
    seen: set[str] = set()
    execute = Session._execute

    def remembered(self: Session, sql: str, parameters: Any) -> None:
        text = self.texts[sql]
        seen.add(text.decode() if isinstance(text, bytes) else text)
        execute(self, sql, parameters)

    monkeypatch.setattr(Session, "_execute", remembered)
    return seen


def project_of(url: str, backend: str) -> UUID:
    project = uuid4()
    if backend != "fresh":
        with psycopg.connect(url + SAFE) as connection:
            connection.execute("INSERT INTO public.projects (id, name) VALUES (%s, 'a project')", [project])
    return project


def tool(url: str, root_key: str, *arguments: str) -> CommandResult:
    answer = call(*arguments, "--database", url, "--root-key", root_key)
    assert answer.code in (0, 3), answer
    return answer


def live(url: str, backend: str, root_key: str, plain: str) -> None:
    """A vault's whole life, on a caller's connection too."""
    project = project_of(plain, backend)
    with strongroom.init(url, root_key=root_key) as vault:
        wallet, created = vault.import_wallet(project, "ethereum", private_key=f"{next(_keys):064x}")
        assert (created, vault.create_wallet(project, "ethereum").wallet.id) == (True, wallet.id)
        keyed, _ = vault.create_wallet(project, "ethereum", label="keyed", idempotency_key="a key")
        assert vault.create_wallet(project, "ethereum", label="keyed", idempotency_key="a key").wallet.id == keyed.id
        assert vault.find_wallet(project, "ethereum") == vault.get_wallet(wallet.id)
        assert vault.find_by_address(wallet.address, project_id=project).id == wallet.id
        assert {each.id for each in vault.list_wallets(project).wallets} == {wallet.id, keyed.id}
        assert vault.count_wallets(project) == 2
        sign(vault, wallet.id)
        new, _ = vault.replace_wallet(keyed, idempotency_key="another key")
        assert vault.find_wallet(project, "ethereum", "keyed") == new
        vault.revoke_wallet(new)
        assert vault.reveal(wallet, actor="somebody", reason="a test").private_key is not None
        vault.rotate_sealing_key()
        assert sum(1 for _ in vault.rewrap()) > 0
        assert vault.count_pending_rewraps() == 0
        assert all(result.ok for result in vault.verify())
        assert vault.history(wallet).entries
        vault.status()
        on_a_callers_connection(vault, url, project_of(plain, backend))


def sign(vault: Vault, wallet: UUID) -> None:
    vault.sign_message(wallet, b"a message")
    vault.sign_transaction(wallet, transaction(7, 10))
    vault.sign_transaction(wallet, transaction(7, 20), replace=True)


def on_a_callers_connection(vault: Vault, url: str, project: UUID) -> None:
    engine = strongroom.create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("SET LOCAL search_path = public, pg_catalog")
        made, _ = vault.create_wallet(project, "solana", connection=connection)
        assert vault.create_wallet(project, "solana", connection=connection).wallet.id == made.id
    found = vault.find_wallet(project, "solana")
    assert found is not None
    assert found.id == made.id
    engine.dispose()


def tools(url: str, backend: str, root_key: str, plain: str, folder: Path) -> None:
    """Doctor, guard, repair, migrate and status."""
    with psycopg.connect(plain + SAFE) as connection:  # something to mend
        credentials = f"{'strongroom' if backend == 'fresh' else 'public'}.project_credentials"
        connection.execute(f"UPDATE {credentials} SET vault_stored = NOT vault_stored WHERE is_active".encode())
    tool(url, root_key, "status")
    tool(url, root_key, "verify")
    assert tool(url, root_key, "doctor", "--json").code == 3
    for mode in ("archive", "refuse"):
        tool(url, root_key, "guard", "--install", "--mode", mode)
        tool(url, root_key, "guard", "--status")
    with strongroom.open(url, root_key=root_key) as vault:
        vault.rotate_sealing_key()
        assert sum(1 for _ in vault.rewrap()) > 0
    plan = folder / f"{uuid4()}.json"
    tool(url, root_key, "repair", "--plan", str(plan), "--reason", "a test")
    tool(url, root_key, "repair", "--apply", str(plan), "--reason", "a test")
    tool(url, root_key, "guard", "--remove")
    tool(url, root_key, "migrate", "--print")
    tool(url, root_key, "migrate", "--apply")


@pytest.mark.thorough(sample=1)
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("backend", BACKENDS)
def test_nothing_of_another_role_runs(
    backend: str,
    path: str,
    make_trapped: Callable[[str], str],
    postgres: PostgresServer,
    statements: set[str],
    root_key_uri: str,
    private_path: Path,
) -> None:
    plain = make_trapped(backend)
    url, start = plain + PATHS[path], len(postgres.read_log())
    live(url, backend, root_key_uri, plain)
    tools(url, backend, root_key_uri, plain, private_path)
    assert sprung(postgres, start) == []
    # What was run on rows that were not there, or not to its end, is looked at as the server understands it.
    hostile = plain + PATHS[LAST]
    texts = [
        text
        for text in sorted(statements)
        if text.split(None, 1)[0] in ("SELECT", "WITH", "INSERT", "UPDATE", "DELETE")
    ]
    assert len(texts) > 50
    assert traps_used(hostile, texts) == {}


@pytest.mark.parametrize(
    ("backend", "path"),
    [
        *((backend, path) for backend in BACKENDS for path in PATHS),
        ("enum_columns", LAST),
        ("text_times_and_ids", LAST),
    ],
)
def test_every_statement_means_what_it_says(
    backend: str, path: str, make_trapped: Callable[[str], str], root_key_uri: str
) -> None:
    """Those too that no test runs: PostgreSQL itself says what each would use."""
    url = make_trapped(backend) + PATHS[path]
    strongroom.init(url, root_key=root_key_uri).close()
    with ReadOnlyDatabase.open(url, ConnectionSettings(connect_timeout_seconds=5, busy_timeout_seconds=5)) as database:
        profile = read_profile(database)
        built = Statements(database.engine.dialect, profile.foreign)
    with psycopg.connect(url.replace(PATHS[path], "") + SAFE) as connection:
        connection.execute(UPGRADING)
    lacking = {"erase_creator", "named_creator"} if backend == "text_times_and_ids" else set()  # it has no such column
    if profile.foreign is not None:
        lacking.add("insert_batch")  # writes tables of ours alone
    texts = [built[name] for name in built.names() if name not in lacking]
    texts += [built.log.usage_log(frozenset()), built.log.events(frozenset())]
    texts += [
        built.signing.authorize(several=several, nonces=nonces) for several in (False, True) for nonces in (False, True)
    ]
    assert len(texts) > 40
    assert traps_used(url, [qualified(text, profile.schemas) for text in texts]) == {}


FALLING = [
    ("SELECT 1 FROM strongroom.strongroom_slot WHERE network = %(network)s::VARCHAR", "operator =("),
    ("SELECT 1 FROM strongroom.strongroom_slot WHERE network IN ('a'::VARCHAR)", "operator =("),
    ("SELECT nullif(network, 'a') FROM strongroom.strongroom_slot", "operator =("),
    ("SELECT 1 FROM strongroom.strongroom_slot WHERE (network IS DISTINCT FROM label)", "operator =("),
    ("SELECT 1 FROM strongroom.strongroom_slot WHERE network LIKE label", "operator ~~("),
    ("SELECT 1 FROM strongroom.strongroom_slot s JOIN strongroom.strongroom_slot b USING (label)", "operator =("),
    ("SELECT pg_catalog.now(), lower('a')", "function lower("),
    ("SELECT 'a'::text", "type text"),
    ("SELECT 1 FROM pg_class", "view pg_class"),
]


def test_what_is_not_qualified_falls_into_a_trap(make_trapped: Callable[[str], str], root_key_uri: str) -> None:
    url = make_trapped("fresh")
    strongroom.init(url, root_key=root_key_uri).close()
    hostile = url + PATHS[LAST]
    used = traps_used(hostile, [statement for statement, _ in FALLING])
    assert [
        statement for statement, trap in FALLING if trap not in str(used.get(statement)).replace("public.", "")
    ] == []
    written = [qualified(statement) for statement, _ in FALLING if "USING" not in statement]
    assert traps_used(hostile, written) == {}
