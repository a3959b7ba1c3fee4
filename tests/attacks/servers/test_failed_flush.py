"""The server panics after a row is durable: it was told that the flush of its log had failed, which it had not.

Where the machine forbids tracing, and in addition everywhere, a plainer way: the server's answer to the commit is
dropped, and then all its processes are killed. Either way nobody has heard of what is in the database.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from psycopg.conninfo import conninfo_to_dict

import strongroom
from strongroom import Vault
from testbed.databases.deployments import Deployment
from testbed.harness.sizes import SIZE
from testbed.processes.signing import transaction
from testbed.servers.postgres import PostgresServer
from testbed.servers.proxy import Predicate, Proxy, runs
from testbed.servers.syscalls import FailedFlush, TracingForbiddenError
from tests.attacks.audit import audit
from tests.attacks.servers.backends import new_deployment
from tests.attacks.summary import StartTally
from tests.attacks.tally import Tally

pytestmark = pytest.mark.sized("rounds")

PANIC = "PANIC:  could not fdatasync file"
COMMIT = runs(r"^\s*COMMIT")
BACKEND_PIDS = """
SELECT pid FROM pg_stat_activity
 WHERE backend_type = 'client backend' AND datname = current_database() AND pid <> pg_backend_pid()
"""
FAILED, KILLED = "fdatasync failed", "killed instead"
Verb = Callable[[Vault, UUID], Any]


WRITTEN = """
SELECT (SELECT count(*) FROM project_credentials WHERE project_id = ?)
     + (SELECT count(*) FROM strongroom_nonce WHERE project_id = ?)
"""
ATTEMPTS = 20
"""The log may have been flushed by another process before the backend that commits comes to it."""


def create(vault: Vault, project: UUID) -> Any:
    return vault.create_wallet(project, "ethereum")[0]


def create_with_key(vault: Vault, project: UUID) -> Any:
    return vault.create_wallet(project, "ethereum", idempotency_key="order-1")[0]


def replace_first(vault: Vault, project: UUID) -> Any:
    return vault.replace_wallet(vault.list_wallets(project).wallets[0])[0]


def sign(vault: Vault, project: UUID) -> Any:
    return vault.sign_transaction(vault.list_wallets(project).wallets[0], transaction(0, 10)).as_dict()


def commit_of(verb: Verb, backend: str) -> Predicate:
    """The message with which a verb commits: one statement, or the COMMIT after several."""
    if verb is sign:
        return runs(r"INSERT INTO strongroom_nonce")
    return runs(r"INSERT INTO strongroom_slot") if verb is create and backend == "fresh" else COMMIT


def flush_fails(server: PostgresServer, deployment: Deployment, verb: Verb, project: UUID) -> tuple[bool, Any]:
    """Let a verb's commit be flushed, and the server be told that it was not; return whether it was, and the answer.

    Raises TracingForbiddenError.
    """
    panics = server.read_log().count(PANIC)
    with deployment.open(pool_size=1) as vault:
        vault.find_wallet(project, "solana")  # the connection is there
        ((backend_pid,),) = deployment.execute(BACKEND_PIDS)
        with FailedFlush(backend_pid) as failed:
            answer = attempt(vault, verb, project)
    if failed.name is None:
        return False, answer
    assert failed.name == "fdatasync"
    server.wait_until_it_answers()
    assert server.read_log().count(PANIC) == panics + 1
    return True, answer


def killed_instead(server: PostgresServer, deployment: Deployment, verb: Verb, project: UUID) -> Any:
    """Drop the answer to a verb's commit, and kill the server; return the verb's answer."""
    with Proxy(server.socket_path) as proxy:
        with strongroom.open(
            proxy.url(str(conninfo_to_dict(deployment.url)["dbname"])), root_key=deployment.root_key, pool_size=1
        ) as vault:
            trap = proxy.arm(commit_of(verb, deployment.backend), "after", stay_down=True)
            answer = attempt(vault, verb, project)
        assert trap.fired
        assert isinstance(answer, strongroom.StrongroomError), "nobody could be asked"
    server.kill9()
    server.restart()
    return answer


def attempt(vault: Vault, verb: Verb, project: UUID) -> Any:
    """A verb's answer, or the error that says that nobody knows it, and that the verb may be repeated."""
    try:
        return verb(vault, project)
    except strongroom.OutcomeUnknownError as error:
        assert error.retryable
        return error


@pytest.mark.thorough(sample=4)
@pytest.mark.parametrize("backend", ["fresh", "g4"])
@pytest.mark.parametrize("way", [FAILED, KILLED])
@pytest.mark.parametrize("verb", [create, create_with_key, replace_first, sign])
def test_what_was_durable_when_the_server_panicked_is_found_and_not_done_twice(
    server: PostgresServer, root_key_uri: str, tally: StartTally, verb: Verb, way: str, backend: str
) -> None:
    row = tally("panic after the commit", backend)
    with new_deployment(server, backend, root_key_uri) as deployment:
        told: dict[str, str] = {}
        for _ in range(SIZE.rounds):
            project, answer = durable_and_unheard(server, deployment, verb, way, row)
            assert deployment.execute(WRITTEN, project, project) == [(2 if verb in (replace_first, sign) else 1,)]
            with deployment.open() as vault:
                if isinstance(answer, strongroom.StrongroomError):
                    row.landed[f"answered {answer.code}"] += 1
                    answer = verb(vault, project)
                else:
                    row.landed["answered as if nothing had happened"] += 1
                wallets = vault.list_wallets(project).wallets
                assert verb(vault, project) == answer
            told |= {str(wallet.id): wallet.address for wallet in wallets}
            made = 2 if verb is replace_first else 1
            row.duplicates += max(0, len(wallets) - made)
            row.lost += max(0, made - len(wallets))
        audit(row, deployment.url, root_key_uri, told, foreign=deployment.foreign)


def durable_and_unheard(
    server: PostgresServer, deployment: Deployment, verb: Verb, way: str, row: Tally
) -> tuple[UUID, Any]:
    """Strike at the commit of a verb in a new project; return the project and what the caller heard."""
    for _ in range(ATTEMPTS):
        project = deployment.project()
        if verb in (replace_first, sign):
            with deployment.open() as vault:
                create(vault, project)
        try:
            struck, answer = (True, None) if way == KILLED else flush_fails(server, deployment, verb, project)
        except TracingForbiddenError:
            struck, way = True, KILLED
        if way == KILLED:
            answer = killed_instead(server, deployment, verb, project)
        if struck:
            row.fault(way)
            return project, answer
    raise AssertionError("no commit flushed the log itself")
