"""What members of a Patroni cluster do that lead no longer, or not yet again, and what poolers make of it."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import TypeVar
from urllib.parse import quote
from uuid import UUID, uuid4

import psycopg
import pytest

import strongroom
from testbed.databases.rows import execute
from testbed.processes.signing import transaction
from testbed.servers.patroni import PatroniCluster
from testbed.servers.patroni_member import Member
from testbed.servers.pgbouncer import Pgbouncer
from testbed.servers.postgres import make_home, server_user, wait_until
from tests.attacks.audit import audit
from tests.attacks.servers.patroni_load import DATABASE
from tests.attacks.summary import StartTally

T = TypeVar("T")

pytestmark = pytest.mark.thorough

_PATIENCE_SECONDS = 120.0
_LONGER_THAN_PATRONI_TAKES_SECONDS = 6.0
"""Patroni looks at its members each second."""


@pytest.fixture
def url(cluster: PatroniCluster) -> str:
    """The URL that names all members."""
    return cluster.url(DATABASE)


@contextmanager
def pooler_of(member: Member) -> Iterator[Pgbouncer]:
    """A pooler that talks to one member, and is told of nothing."""
    with ExitStack() as stack:
        home = make_home(None)
        stack.callback(shutil.rmtree, home)
        pooler = Pgbouncer(home, server_user() or "", ("127.0.0.1", member.port))
        stack.callback(pooler.close)
        wait_until(pooler.answers, "pgbouncer does not answer")
        yield pooler


def wallets_of(member: Member, project: UUID) -> int:
    """How many credentials of a project a member shows."""
    counted = execute(
        member.url(DATABASE), "SELECT count(*) FROM project_credentials WHERE project_id = ?", (str(project),)
    )
    return int(counted[0][0])


def insist(call: Callable[[], T]) -> T:
    """Call again until there is an answer."""
    give_up = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            return call()
        except strongroom.StrongroomError as error:
            assert error.retryable, error.code
            assert time.monotonic() < give_up, error.code
            time.sleep(0.05)


def test_a_pooler_that_still_talks_to_the_former_leader_acknowledges_nothing(
    cluster: PatroniCluster, url: str, root_key_uri: str, tally: StartTally
) -> None:
    """What is refused as read-only is retried, and is done once the pooler is told of the new leader."""
    row = tally("failover, Patroni, stale pooler", "fresh")
    former = cluster.wait_until_whole()
    with ExitStack() as stack:
        pooler = stack.enter_context(pooler_of(former))
        stale = stack.enter_context(
            strongroom.open(pooler.url(DATABASE), root_key=root_key_uri, prepared_statements=False)
        )
        there = stack.enter_context(strongroom.open(url, root_key=root_key_uri))
        signer, _ = stale.create_wallet(uuid4(), "ethereum")
        leader = cluster.switchover()
        row.fault("switchover")
        cluster.wait_until_whole()
        project = uuid4()
        with pytest.raises(strongroom.ReadOnlyStoreError) as refused:
            insist_unless_read_only(lambda: stale.create_wallet(project, "ethereum", idempotency_key="order"))
        assert refused.value.retryable
        with pytest.raises(strongroom.ReadOnlyStoreError):
            insist_unless_read_only(lambda: stale.sign_transaction(signer, transaction(7, 100)))
        assert wallets_of(leader, project) == wallets_of(former, project) == 0
        insist(lambda: there.sign_transaction(signer, {**transaction(7, 100), "value": 2}))

        pooler.retarget("127.0.0.1", leader.port)
        wallet, created = insist(lambda: stale.create_wallet(project, "ethereum", idempotency_key="order"))
        assert created
        with pytest.raises(strongroom.NonceConflictError):
            stale.sign_transaction(signer, transaction(7, 100))
        assert there.create_wallet(project, "ethereum", idempotency_key="order") == (wallet, False)
    audit(row, url, root_key_uri, {str(each.id): each.address for each in (signer, wallet)})


def insist_unless_read_only(call: Callable[[], T]) -> T:
    """The pooler's connections end with the switchover; then they come to a standby."""

    def attempt() -> T | strongroom.ReadOnlyStoreError:
        try:
            return call()
        except strongroom.ReadOnlyStoreError as error:
            return error

    answer = insist(attempt)
    if isinstance(answer, strongroom.ReadOnlyStoreError):
        raise answer
    return answer


def test_a_pooler_for_each_member_does_not_show_which_of_them_leads(
    cluster: PatroniCluster, url: str, root_key_uri: str, tally: StartTally
) -> None:
    """pgbouncer hands on ``in_hot_standby`` as it was when it first connected: ``target_session_attrs`` is misled.

    Calls are refused as read-only, and nothing is acknowledged, until the pooler of the former leader is gone.
    """
    row = tally("failover, Patroni, a pooler for each member", "fresh")
    former = cluster.wait_until_whole()
    with ExitStack() as stack:
        members = sorted(cluster.members, key=lambda member: member is not former)
        poolers = [stack.enter_context(pooler_of(member)) for member in members]
        folders = quote(",".join(str(pooler.directory) for pooler in poolers), safe="/,")
        pooled = f"postgresql://postgres@/{DATABASE}?host={folders}&port=6432,6432,6432"
        vault = stack.enter_context(strongroom.open(pooled, root_key=root_key_uri, prepared_statements=False))
        before, _ = vault.create_wallet(uuid4(), "ethereum")
        leader = cluster.switchover()
        row.fault("switchover")
        cluster.wait_until_whole()
        project = uuid4()
        for _ in range(3):
            with pytest.raises(strongroom.ReadOnlyStoreError):
                insist_unless_read_only(lambda: vault.create_wallet(project, "ethereum"))
            time.sleep(1)
        assert wallets_of(leader, project) == 0
        poolers[0].close()
        after, created = insist(lambda: vault.create_wallet(project, "ethereum"))
        assert created
    audit(row, url, root_key_uri, {str(wallet.id): wallet.address for wallet in (before, after)})


def test_a_leader_that_died_with_unconfirmed_writes_comes_back_without_them(
    cluster: PatroniCluster, url: str, root_key_uri: str, tally: StartTally
) -> None:
    """They were visible on it, and nobody was told of them."""
    row = tally("failover, Patroni, unconfirmed writes", "fresh")
    former = cluster.wait_until_whole()
    project = uuid4()
    with ExitStack() as stack:
        vault = stack.enter_context(strongroom.open(former.url(DATABASE), root_key=root_key_uri))
        threads = stack.enter_context(ThreadPoolExecutor())
        stack.callback(former.kill9)  # where the test fails before it: else the call waits indefinitely
        vault.create_wallet(uuid4(), "ethereum")
        with psycopg.connect(former.url("postgres"), autocommit=True) as connection:
            for (sender,) in connection.execute("SELECT pid FROM pg_stat_replication").fetchall():
                os.kill(sender, signal.SIGSTOP)
            call = threads.submit(vault.create_wallet, project, "ethereum")
            waiting = "SELECT pg_terminate_backend(pid, 30000) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
            wait_until(lambda: connection.execute(waiting).fetchall(), "no commit waits")
        assert wallets_of(former, project) == 1
        assert not call.done()
        former.kill9()
        row.fault("leader's machine killed")
        with pytest.raises(strongroom.StoreError) as told:
            call.result(_PATIENCE_SECONDS)
        assert told.value.retryable
    leader = cluster.leader(other_than=former)
    assert wallets_of(leader, project) == 0
    former.start()
    cluster.wait_until_whole()
    assert wallets_of(former, project) == 0
    with strongroom.open(url, root_key=root_key_uri) as vault:
        wallet, created = vault.create_wallet(project, "ethereum")
    assert created
    cluster.wait(lambda: all(wallets_of(each, project) == 1 for each in cluster.members), "a member does not follow")
    audit(row, url, root_key_uri, {str(wallet.id): wallet.address})


def test_the_plain_synchronous_mode_acknowledges_without_a_standby_and_the_strict_one_waits(
    cluster: PatroniCluster, url: str, root_key_uri: str, tally: StartTally
) -> None:
    """What is acknowledged then is on one disk alone, and is lost with it."""
    row = tally("failover, Patroni, plain mode", "fresh")
    former = cluster.wait_until_whole()
    standbys = [member for member in cluster.members if member is not former]
    project = uuid4()
    with ExitStack() as stack:
        vault = stack.enter_context(strongroom.open(url, root_key=root_key_uri))
        threads = stack.enter_context(ThreadPoolExecutor())
        stack.callback(former.kill9)  # where the test fails before it: else the call waits indefinitely
        vault.create_wallet(uuid4(), "ethereum")
        for standby in standbys:
            standby.refuse(True)
            standby.kill_postmaster()
            row.fault("standby killed")
        time.sleep(_LONGER_THAN_PATRONI_TAKES_SECONDS)
        call = threads.submit(vault.create_wallet, project, "ethereum")
        time.sleep(_LONGER_THAN_PATRONI_TAKES_SECONDS)
        assert not call.done(), "strict: it waits for a standby"
        cluster.configure(synchronous_mode_strict=False)
        wallet, created = call.result(_PATIENCE_SECONDS)
        assert created, "plain: it is told"
    former.kill9()
    row.fault("leader's machine killed")
    for standby in standbys:
        standby.refuse(False)
    chosen = standbys[0]
    cluster.wait(lambda: forced(chosen), "nobody takes over")
    leader = cluster.leader(other_than=former)
    row.landed["acknowledged in plain mode, and lost"] += wallets_of(leader, project) == 0
    assert wallets_of(leader, project) == 0
    former.start()
    cluster.configure(synchronous_mode_strict=True)
    cluster.wait_until_whole()
    with strongroom.open(url, root_key=root_key_uri) as vault:
        again, created = insist(lambda: vault.create_wallet(project, "ethereum"))
    assert created
    assert again.address != wallet.address
    audit(row, url, root_key_uri, {str(again.id): again.address})


def forced(candidate: Member) -> bool:
    """Ask for a failover to a member that was not synchronous, as somebody does who has nothing else left."""
    try:
        return candidate.ask("POST", "/failover", {"candidate": candidate.name})[0] == 200
    except OSError:
        return False
