"""The primary is killed under load and its standby takes over: clients go on over the vault that they have open."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import TypeVar
from uuid import UUID, uuid4

import pytest

import strongroom
from testbed.databases.deployments import Deployment
from testbed.databases.rows import execute
from testbed.harness.sizes import SIZE, seeded
from testbed.servers.cluster import Cluster, make_vault
from testbed.servers.postgres import wait_until
from tests.attacks.audit import audit
from tests.attacks.servers.failover_load import THREADS, Client, FailoverLoad
from tests.attacks.summary import StartTally

pytestmark = pytest.mark.sized("failovers")

T = TypeVar("T")

BACKENDS = ("fresh", "g4")
_ROUNDS = 24
_PROJECTS = 5_000
_LOST = 12
"""How many wallets are made while an asynchronous standby hears nothing."""
_PATIENCE_SECONDS = 180.0


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """A primary without a standby yet."""
    with Cluster.start() as started:
        yield started


def test_nothing_acknowledged_is_lost_with_a_synchronous_standby(
    cluster: Cluster, root_key_uri: str, tally: StartTally
) -> None:
    """Both backends are databases of the one primary: a kill is one fault."""
    row = tally("failover, synchronous standby", ", ".join(BACKENDS))
    told: dict[str, dict[str, str]] = {backend: {} for backend in BACKENDS}
    for backend in BACKENDS:
        make_vault(cluster, backend, root_key_uri)
    rng = seeded("failover")
    for number in range(SIZE.failovers):
        cluster.add_standby(synchronous=True)
        with clients_of(cluster, root_key_uri, standby_first=bool(number % 2)) as clients:
            with FailoverLoad(clients) as load:
                load.wait_for(rng.randint(_ROUNDS // 2, _ROUNDS))
                kill(cluster, load, while_commits_wait=number % 2 == 0)
                row.fault("primary killed")
                cluster.promote()
                load.promoted()
            for client in clients:
                row.landed.update({f"told {code}": times for code, times in client.errors.items()})
                row.acknowledged += len(client.signatures)
                row.duplicates += client.forgotten() + client.made_again() + client.extra()
                told[client.deployment.backend] |= client.told
    for backend in BACKENDS:
        audit(row, cluster.primary.url(backend), root_key_uri, told[backend], foreign=backend != "fresh")
        assert len(told[backend]) >= SIZE.failovers * _ROUNDS // 4


def kill(cluster: Cluster, load: FailoverLoad, *, while_commits_wait: bool) -> None:
    """Kill the primary: in the middle of it all, or when it has committed what its standby has not heard of."""
    if not while_commits_wait:
        cluster.primary.kill9()
        return
    with cluster.held_back():
        wait_until(lambda: len(cluster.waiting_commits()) >= THREADS // 2, "no commit waits")
        cluster.primary.kill9()
    load.wait_for_an_error()


def projects(url: str) -> list[UUID]:
    """More new projects than clients make wallets for; legacy tables want a row for each."""
    made = [uuid4() for _ in range(_PROJECTS)]
    if execute(url, "SELECT to_regclass('projects') IS NOT NULL") == [(True,)]:
        execute(url, "INSERT INTO projects (id, name) SELECT unnest(?::uuid[]), 'test'", (made,))
    return made


@contextmanager
def clients_of(cluster: Cluster, root_key: str, *, standby_first: bool) -> Iterator[list[Client]]:
    """A client of each backend; one names the hosts in the one order, one in the other."""
    with ExitStack() as stack:
        yield [
            Client(
                Deployment(
                    backend, url := cluster.url(backend, standby_first=(backend == "g4") != standby_first), root_key
                ),
                stack.enter_context(strongroom.open(url, root_key=root_key)),
                iter(projects(cluster.primary.url(backend))),
            )
            for backend in BACKENDS
        ]


def test_a_commit_that_was_ended_while_it_waited_for_the_standby_is_not_acknowledged(
    cluster: Cluster, root_key_uri: str, tally: StartTally
) -> None:
    """It is visible on the primary by then: who asks there would be told of a wallet that the standby never had."""
    row = tally("failover, waiting commit ended", "fresh")
    make_vault(cluster, "fresh", root_key_uri)
    cluster.add_standby(synchronous=True)
    with strongroom.open(cluster.url("fresh"), root_key=root_key_uri) as vault, ThreadPoolExecutor() as threads:
        vault.create_wallet(project := uuid4(), "ethereum", label="before")
        with cluster.held_back():
            call = threads.submit(insist, lambda: vault.create_wallet(project, "ethereum"))
            for _ in range(2):
                cluster.end_waiting_commits()
                row.fault("backend ended")
            wait_until(lambda: bool(cluster.waiting_commits()), "no commit waits")
            there = "SELECT count(*) FROM project_credentials WHERE project_id = ?"
            assert execute(cluster.primary.url("fresh"), there, (str(project),)) == [(2,)], "it is visible"
            assert not call.done()
            cluster.primary.kill9()
            row.fault("primary killed")
        cluster.promote()
        wallet, _ = call.result(60)
        assert vault.create_wallet(project, "ethereum") == (wallet, False)
    audit(row, cluster.primary.url("fresh"), root_key_uri, {str(wallet.id): wallet.address})


def insist(call: Callable[[], T]) -> T:
    """Call again until there is an answer."""
    give_up = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            return call()
        except strongroom.StrongroomError as error:
            assert error.retryable, error.code
            assert time.monotonic() < give_up, error.code


def test_what_an_asynchronous_standby_has_not_heard_of_is_lost_and_counted(
    cluster: Cluster, root_key_uri: str, tally: StartTally
) -> None:
    row = tally("failover, asynchronous standby", "fresh")
    make_vault(cluster, "fresh", root_key_uri)
    for _ in range(SIZE.failovers):
        cluster.add_standby(synchronous=False)
        with strongroom.open(cluster.url("fresh"), root_key=root_key_uri) as vault:
            kept = dict(create(vault) for _ in range(_LOST))
            cluster.wait_for_replay()
            with cluster.held_back():
                gone = dict(create(vault) for _ in range(_LOST))
                cluster.primary.kill9()
            cluster.promote()
            row.fault("primary killed")
            row.acknowledged += len(gone)
            found = {wallet for wallet in [*kept, *gone] if is_there(vault, wallet)}
            row.landed["acknowledged, and not on the standby"] += len(gone.keys() - found)
            assert found == set(kept), "what was replayed before is there, and nothing else"
            for wallet in gone.values():
                again, created = vault.create_wallet(wallet.project_id, "ethereum")
                assert created, "nobody is left who could know of the first one"
                assert again.address != wallet.address
        audit(row, cluster.primary.url("fresh"), root_key_uri, {key: kept[key].address for key in kept})
    print(f"\nasynchronous standby: {row.landed['acknowledged, and not on the standby']} acknowledged wallets lost")


def create(vault: strongroom.Vault) -> tuple[str, strongroom.Wallet]:
    """A new wallet of a new project, and its id."""
    wallet, _ = vault.create_wallet(uuid4(), "ethereum")
    return str(wallet.id), wallet


def is_there(vault: strongroom.Vault, wallet: str) -> bool:
    try:
        return str(vault.get_wallet(wallet).id) == wallet
    except strongroom.WalletNotFoundError:
        return False
