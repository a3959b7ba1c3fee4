"""The server is killed under load, again and again: callers repeat what failed, and nothing acknowledged is lost.

It recovers from its write-ahead log each time. What callers meet meanwhile is a StrongroomError that is retryable.
"""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Iterator
from itertools import count

import psycopg
import pytest

import strongroom
from tests.attacks.audit import audit
from tests.attacks.server_load import Load
from tests.attacks.sizes import SIZE, seeded, share
from tests.attacks.summary import StartTally
from tests.attacks.tally import Tally
from tests.integration.children_lifecycle import Place
from tests.integration.rows import execute
from tests.legacy import schema_sql
from tests.servers.postgres import PostgresServer

PARTS = ("fresh", "g4")
KILLS_OF_A_DATABASE = 30
"""Then the next one: a long attack is many, not one that grows."""
WAYS = ("the server and all its processes", "the postmaster alone", "one backend")
RECOVERED = "automatic recovery in progress"

_numbers = count(1)


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with PostgresServer.start(shared_buffers="16MB", max_connections=40) as started:
        yield started


def new_place(server: PostgresServer, ground: str, root_key: str) -> Place:
    url = server.create_database(f"{ground}_{next(_numbers)}")
    if ground != "fresh":
        execute(url, schema_sql(ground).replace("%", "%%"))
    strongroom.init(url, root_key=root_key).close()
    return Place(ground, url, root_key)


def backends(control: psycopg.Connection[tuple[int]]) -> list[int]:
    """The processes that serve the callers."""
    query = """SELECT pid FROM pg_stat_activity
                WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() ORDER BY backend_start"""
    return [pid for (pid,) in control.execute(query).fetchall()]


def kill(server: PostgresServer, way: str, rng: random.Random, load: Load) -> dict[str, int]:
    """Kill in one of the ways, wait for the recovery; return what was under way when the bullet left."""
    if way != "one backend":
        under_way = load.under_way()
        server.kill9(backends_too=way != "the postmaster alone")
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


def attack(server: PostgresServer, load: Load, row: Tally, kills: int, rng: random.Random) -> None:
    recoveries = server.read_log().count(RECOVERED)
    for number in range(kills):
        load.go_on(rng.randrange(5, 60))
        way = WAYS[number % len(WAYS)]
        under_way = kill(server, way, rng, load)
        row.fault(way)
        row.landed.update({f"{verb} under way": times for verb, times in under_way.items()})
        assert load.inexcusable == []
        assert server.read_log().count(RECOVERED) == recoveries + number + 1
    load.go_on(20)


@pytest.mark.parametrize("ground", PARTS)
def test_a_server_killed_under_load_loses_nothing_acknowledged(
    server: PostgresServer, root_key_uri: str, tally: StartTally, ground: str
) -> None:
    row, rng = tally("server killed", ground), seeded(f"server killed {ground}")
    left = share(SIZE.server_kills, PARTS.index(ground), len(PARTS))
    while left:
        kills = min(left, KILLS_OF_A_DATABASE)
        place = new_place(server, ground, root_key_uri)
        with place.open() as vault:
            with Load(place, vault, rng) as load:
                attack(server, load, row, kills, rng)
        assert load.inexcusable == []
        load.settle(row)
        audit(row, place.url, root_key_uri, load.told, foreign=place.foreign)
        server.drop_database(place.url.partition("@/")[2].partition("?")[0])
        left -= kills
        print(dict(load.retried), load.done, len(load.told))
