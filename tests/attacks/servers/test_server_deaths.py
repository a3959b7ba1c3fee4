"""The server is killed under load, again and again: callers repeat what failed, and nothing acknowledged is lost.

It recovers from its write-ahead log each time. What callers meet meanwhile is a StrongroomError that is retryable.
"""

from __future__ import annotations

import os
import random
import signal
from collections import Counter
from collections.abc import Callable

import psycopg
import pytest

from testbed.harness.sizes import SIZE, seeded, share
from testbed.servers.postgres import PostgresServer, wait_until
from tests.attacks.audit import audit
from tests.attacks.servers.backends import new_deployment
from tests.attacks.servers.server_load import ServerLoad
from tests.attacks.summary import StartTally
from tests.attacks.tally import Tally

BACKENDS = ("fresh", "g4")
OF_A_DATABASE = 30
"""Blows; then comes the next one: a long attack is many, not one that grows."""
EVERYTHING, POSTMASTER, ONE_BACKEND = "the postmaster and all backends", "the postmaster alone", "one backend"
WAYS = (EVERYTHING, POSTMASTER, ONE_BACKEND)
Strike = Callable[[PostgresServer, ServerLoad, Tally, int, random.Random], None]
RECOVERED = "automatic recovery in progress"


def backends(control: psycopg.Connection[tuple[int]]) -> list[int]:
    """The processes that serve the callers, one at least: where nobody is connected just now, somebody will be."""
    query = """SELECT pid FROM pg_stat_activity
                WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() ORDER BY backend_start"""
    return wait_until(lambda: [pid for (pid,) in control.execute(query).fetchall()], "no caller is connected")


def kill(server: PostgresServer, way: str, rng: random.Random, load: ServerLoad) -> Counter[str]:
    """Kill in one of the ways, wait for the recovery; return what was under way when the bullet left."""
    if way != ONE_BACKEND:
        under_way = load.under_way()
        server.kill9(backends_too=way != POSTMASTER)
        server.restart()
        return under_way
    with psycopg.connect(server.url(), autocommit=True) as control:
        victim = rng.choice(backends(control))
        under_way = load.under_way()
        os.kill(victim, signal.SIGKILL)
        with pytest.raises(psycopg.OperationalError):  # the postmaster ends everybody's connection, this one, too
            control.execute("SELECT pg_sleep(60)")
    server.wait_until_it_answers()
    return under_way


def end_one(server: PostgresServer, rng: random.Random, load: ServerLoad) -> Counter[str]:
    """Ask one backend to end, as an administrator does."""
    with psycopg.connect(server.url(), autocommit=True) as control:
        victim = rng.choice(backends(control))
        under_way = load.under_way()
        control.execute("SELECT pg_terminate_backend(%s)", (victim,))
    return under_way


def struck(row: Tally, how: str, under_way: Counter[str], load: ServerLoad) -> None:
    """Count a blow; so far callers have met nothing but what they may repeat."""
    row.fault(how)
    row.landed.update({f"during {verb}": times for verb, times in under_way.items()})
    assert load.inexcusable == []


def kill_under_load(server: PostgresServer, load: ServerLoad, row: Tally, kills: int, rng: random.Random) -> None:
    before = server.read_log().count(RECOVERED)
    for number in range(kills):
        load.go_on(rng.randrange(5, 60))
        way = WAYS[number % len(WAYS)]
        struck(row, way, kill(server, way, rng, load), load)
        assert server.read_log().count(RECOVERED) == before + number + 1
    load.go_on(20)


def end_under_load(server: PostgresServer, load: ServerLoad, row: Tally, times: int, rng: random.Random) -> None:
    for _ in range(times):
        load.go_on(rng.randrange(1, 15))
        struck(row, "one backend", end_one(server, rng, load), load)
    load.go_on(20)


@pytest.mark.sized("server_kills")
@pytest.mark.thorough(sample=2)
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("attack", "strike"),
    [("server killed", kill_under_load), ("backend ended", end_under_load)],
    ids=["killed", "ended"],
)
def test_a_server_that_dies_under_load_loses_nothing_acknowledged(
    server: PostgresServer, root_key_uri: str, tally: StartTally, backend: str, attack: str, strike: Strike
) -> None:
    row, rng = tally(attack, backend), seeded(f"{attack} {backend}")
    left = share(SIZE.server_kills, BACKENDS.index(backend), len(BACKENDS))
    while left:
        times = min(left, OF_A_DATABASE)
        with new_deployment(server, backend, root_key_uri) as deployment:
            with deployment.open() as vault, ServerLoad(deployment, vault, rng) as load:
                strike(server, load, row, times, rng)
            assert load.inexcusable == []
            load.settle(row)
            audit(row, deployment.url, root_key_uri, load.told, foreign=deployment.foreign)
        left -= times
