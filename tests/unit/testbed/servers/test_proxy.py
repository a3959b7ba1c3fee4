"""The proxy cuts where it is told, and what the server then holds is what the mode says."""

from __future__ import annotations

import time
from typing import Any

import psycopg
import pytest

from testbed.servers.proxy import COMMIT, Mode, Proxy, nth, runs


@pytest.fixture
def through(proxy: Proxy, postgresql_url: str) -> str:
    with psycopg.connect(postgresql_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE t (id int PRIMARY KEY)")
        name = connection.info.dbname
    return proxy.url(name)


def _ids(url: str) -> set[int]:
    with psycopg.connect(url) as connection:
        return {row[0] for row in connection.execute("SELECT id FROM t").fetchall()}


def _eventually(url: str, ids: set[int]) -> bool:
    deadline = time.monotonic() + 10
    while (found := _ids(url)) != ids and time.monotonic() < deadline:
        time.sleep(0.01)
    return found == ids


def _insert(connection: psycopg.Connection[Any], number: int, *, prepare: bool) -> None:
    connection.execute("INSERT INTO t VALUES (%s)", (number,), prepare=prepare)


def test_without_a_trap_everything_passes(proxy: Proxy, through: str) -> None:
    with psycopg.connect(through) as connection:
        for number in range(20):
            _insert(connection, number, prepare=True)
        connection.cursor().executemany("INSERT INTO t VALUES (%s)", [(100 + number,) for number in range(50)])
        with connection.cursor().copy("COPY t FROM STDIN") as copy:
            copy.write_row((1000,))
    assert len(_ids(through)) == 71


@pytest.mark.parametrize("prepare", [False, True])
@pytest.mark.parametrize(("mode", "kept"), [("before", set()), ("after", {7}), ("in_flight", {7})])
def test_an_insert_in_autocommit_is_cut(proxy: Proxy, through: str, mode: Mode, kept: set[int], prepare: bool) -> None:
    with psycopg.connect(through, autocommit=True) as connection:
        _insert(connection, 1, prepare=prepare)
        trap = proxy.arm(runs(r"^INSERT INTO t\b"), mode)
        with pytest.raises(psycopg.OperationalError):
            _insert(connection, 7, prepare=prepare)
        assert connection.broken
    assert trap.done.wait(10)
    assert trap.caught[0].kind == "E"
    assert _eventually(through, {1, *kept})  # the proxy accepts again


@pytest.mark.parametrize(("mode", "kept"), [("before", set()), ("after", {7}), ("in_flight", {7})])
def test_a_commit_is_cut(proxy: Proxy, through: str, mode: Mode, kept: set[int]) -> None:
    connection = psycopg.connect(through)
    _insert(connection, 7, prepare=False)
    trap = proxy.arm(COMMIT, mode)
    with pytest.raises(psycopg.OperationalError):
        connection.commit()
    connection.close()
    assert trap.fired
    assert trap.caught[0].sql == "COMMIT"
    assert _eventually(through, kept)


def test_a_trap_may_fire_several_times_and_then_lets_pass(proxy: Proxy, through: str) -> None:
    trap = proxy.arm(runs("INSERT"), "before", times=2)
    for _ in range(2):
        with (
            psycopg.connect(through, autocommit=True) as connection,
            pytest.raises(psycopg.OperationalError),
        ):
            _insert(connection, 1, prepare=False)
    with psycopg.connect(through, autocommit=True) as connection:
        _insert(connection, 1, prepare=False)
    assert len(trap.caught) == 2


def test_the_proxy_stays_down_until_it_is_disarmed(proxy: Proxy, through: str) -> None:
    connection = psycopg.connect(through, autocommit=True)
    proxy.arm(runs("INSERT"), "after", stay_down=True)
    with pytest.raises(psycopg.OperationalError):
        _insert(connection, 1, prepare=False)
    connection.close()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(through)
    proxy.disarm()
    assert _ids(through) == {1}


def test_every_message_in_turn_can_be_the_last(proxy: Proxy, through: str) -> None:
    for number in range(1, 200):
        trap = proxy.arm(nth(number), "before")
        try:
            with psycopg.connect(through, autocommit=True) as connection:
                _insert(connection, number, prepare=False)
        except psycopg.OperationalError:
            assert trap.done.wait(10)
        if not trap.fired:
            break
    proxy.disarm()
    assert 10 < number < 60
    assert number in _ids(through)


def test_a_server_message_can_be_cut(proxy: Proxy, through: str) -> None:
    connection = psycopg.connect(through, autocommit=True)
    trap = proxy.arm(nth(1, "server"), "before")
    with pytest.raises(psycopg.OperationalError):
        _insert(connection, 3, prepare=False)
    connection.close()
    assert trap.caught[0].sender == "server"
    assert _eventually(through, {3})


def test_all_connections_are_cut_at_once(proxy: Proxy, through: str) -> None:
    connections = [psycopg.connect(through) for _ in range(3)]
    proxy.cut_all()
    for connection in connections:
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
        connection.close()
