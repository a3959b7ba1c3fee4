"""Several who change the schema at once, alongside writers, and under the eyes of those who read for long."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from typing import Any
from uuid import UUID

import psycopg
import pytest
import sqlalchemy as sa

import strongroom
from strongroom import StrongroomError, Vault
from strongroom.errors import ContentionError, RetryTransactionError, UpgradeNeededError
from strongroom.records.usage_log import Attribution
from strongroom.settings import Settings
from strongroom.store import schema
from strongroom.store.connection.driver_errors import driver_error
from strongroom.wiring import open_guard
from strongroom.wiring.takeovers import open_migrator
from testbed.databases.deployments import Deployment, open_deployment
from testbed.databases.older_versions import take_back, upgrade
from testbed.harness.fork_server import ForkServer
from testbed.harness.sizes import SIZE
from testbed.processes import wallets
from tests.attacks.audit import audit
from tests.attacks.contention.conflicts import (
    Crowd,
    conflicts_counted,
    impatient,
    let_transactions_fail,
    look_for_deadlocks_after,
    stop_failing,
)
from tests.attacks.summary import StartTally
from tests.attacks.tally import Tally

pytestmark = pytest.mark.sized("rounds")

BACKENDS = ("sqlite", "fresh", "g4")
MIGRATORS = 4
WRITERS = 12
CALLERS = 16
_MOST_ROUNDS = 30
"""Of callers' transactions, until one of them failed."""


# --- migrators -----------------------------------------------------------------------------------------------------


@pytest.mark.thorough(but=("fresh",))
@pytest.mark.parametrize("backend", BACKENDS)
def test_several_processes_bring_one_schema_up_to_date(
    backend: str, request: pytest.FixtureRequest, fork_server: ForkServer, tally: StartTally
) -> None:
    """From version 0001 to the newest one, while an application begins to write as soon as it can."""
    row = tally("migrators at once", backend)
    fork_server.warm_up(wallets.warm_up)
    with open_deployment(backend, request) as deployment:
        project, told, done = deployment.project(), dict[str, str](), threading.Event()
        with deployment.open() as vault:
            wallet, _ = vault.create_wallet(project, "ethereum", label="before")
        told[str(wallet.id)] = wallet.address
        for number in range(2 * SIZE.rounds):
            take_back(deployment.url, "0001")
            done.clear()
            with writing(deployment, project, f"r{number}", told, done):
                arguments = [{"url": deployment.url, "root_key": deployment.root_key}] * MIGRATORS
                reports = fork_server.race(wallets.bring_up_to_date, arguments)
                done.set()
            printed = [line for report in reports for line in report.printed]
            assert [list(line) for line in printed] == [["kid"]] * MIGRATORS, printed
            assert len({line["kid"] for line in printed}) == 1
            row.fault("migrators", MIGRATORS)
        migrations = "SELECT count(*), max(version_num) FROM strongroom_migrations"
        assert deployment.execute(migrations)[0] == (1, schema.HEAD)
        with deployment.open() as vault:
            assert set(every_id(vault, project)) == set(told)
            vault.sign_message(next(iter(told)), "hello")
        audit(row, deployment.url, deployment.root_key, told, foreign=deployment.foreign)


@pytest.mark.thorough(sample=1)
@pytest.mark.parametrize("backend", BACKENDS)
def test_schema_guard_and_writers_at_once(backend: str, request: pytest.FixtureRequest, tally: StartTally) -> None:
    """``guard --install`` from several sides, while wallets are made, replaced, rewrapped.

    On legacy tables ``migrate --apply`` as well, in each round on tables that it has not met.
    """
    row = tally("migrate and guard at once" if backend.startswith("g") else "guards at once", backend)
    for _ in range(SIZE.rounds):
        with open_deployment(backend, request) as deployment:
            change_the_schema_alongside_writers(deployment, row)


def change_the_schema_alongside_writers(deployment: Deployment, row: Tally) -> None:
    """One round; every writer succeeds, and in the end the schema is what everybody wanted."""
    settings, told = Settings(database=deployment.url), dict[str, str]()
    changers = [partial(as_told, _install_guard, deployment)] * 2
    if deployment.foreign:
        assert open_migrator(settings).migration.steps
        changers += [partial(as_told, _migrate, deployment)] * 2
        row.fault("migrators", 2)
    row.fault("installers", 2)
    with conflicts_counted() as met, deployment.open() as vault:
        project, crowd = deployment.project(), Crowd([vault])

        def write(number: int, vault: Vault) -> Any:
            wallet, _ = vault.create_wallet(project, "ethereum", label=f"w{number}")
            told[str(wallet.id)] = wallet.address
            successor, _ = vault.replace_wallet(wallet)
            told[str(successor.id)] = successor.address
            if number % 4 == 0:
                vault.rotate_sealing_key()
            return [each.code for each in vault.rewrap()]

        answers = crowd.all([*changers, *(partial(write, number) for number in range(WRITERS))])
    assert {answer.code for answer in answers} <= {None, "conflict"}, "a rotation may meet another one"
    assert {answer.code for answer in answers[: len(changers)]} == {None}
    assert all(set(answer.value or ()) <= {None} for answer in answers[len(changers) :])
    row.landed.update({f"met {state}": times for state, times in met.items()})
    row.landed["calls that their caller repeated"] += crowd.asked_again
    assert open_migrator(settings).migration.steps == ()
    with closing(open_guard(settings)) as guard:
        assert guard.status().state == "installed"
    audit(row, deployment.url, deployment.root_key, told, foreign=deployment.foreign)


def _migrate(deployment: Deployment, _: Vault) -> None:
    open_migrator(Settings(database=deployment.url)).apply(lambda step: None, Attribution())


def _install_guard(deployment: Deployment, _: Vault) -> None:
    with closing(open_guard(Settings(database=deployment.url))) as guard:
        guard.install("archive")


def every_id(vault: Vault, project: UUID) -> Iterator[str]:
    """The ids of all wallets of a project, page by page: a fast machine makes more than a page has."""
    after: str | None = None
    while True:
        page = vault.list_wallets(project, limit=1000, after=after)
        yield from (str(wallet.id) for wallet in page.wallets)
        if (after := page.next) is None:
            return


def as_told(change: Callable[[Deployment, Vault], None], deployment: Deployment, vault: Vault) -> None:
    """Run it again where others held the locks, as its message says; on a slow machine they do for long."""
    deadline = time.monotonic() + 120
    while True:
        try:
            change(deployment, vault)
        except ContentionError:
            if time.monotonic() > deadline:
                raise
        else:
            return


@contextmanager
def writing(
    deployment: Deployment, project: UUID, name: str, told: dict[str, str], done: threading.Event
) -> Iterator[None]:
    """Let somebody make wallets, as soon as the vault can be opened, until it is done."""
    failures: list[Exception] = []

    def work() -> None:
        while not done.is_set():
            try:
                vault = deployment.open()
            except UpgradeNeededError:
                done.wait(0.01)
                continue
            with vault:
                write(vault)

    def write(vault: Vault) -> None:
        number = 0
        while not done.is_set():
            try:
                wallet, _ = vault.create_wallet(project, "ethereum", label=f"{name}-{number}")
                told[str(wallet.id)] = wallet.address
            except StrongroomError as error:
                if not error.retryable:
                    failures.append(error)
                    return
            number += 1

    writer = threading.Thread(target=work)
    writer.start()
    try:
        yield
    finally:
        done.set()
        writer.join(60)
        assert not writer.is_alive(), "a writer does not end"
    assert failures == []


# --- long readers --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", BACKENDS)
def test_who_reads_for_long_sees_one_state_and_stops_nobody_for_good(
    backend: str, request: pytest.FixtureRequest, tally: StartTally
) -> None:
    """One transaction of a reader stays open, while everything is written and the schema is brought up to date.

    A file of SQLite without a write-ahead log is locked by its reader: then writers get an error that allows to ask
    again, and what was refused is done as soon as the reader goes.
    """
    row = tally("long reader", backend)
    with (
        open_deployment(backend, request) as deployment,
        conflicts_counted() as met,
        impatient(0.05),
        deployment.open() as vault,
    ):
        project, told = deployment.project(), dict[str, str]()
        old, _ = vault.create_wallet(project, "ethereum")
        told[str(old.id)] = old.address
        verbs: Sequence[Callable[[], Any]] = (
            lambda: vault.create_wallet(project, "bitcoin"),
            lambda: vault.replace_wallet(old),
            lambda: vault.rotate_sealing_key(),
            lambda: [result.code for result in vault.rewrap()],
            lambda: vault.sign_message(told_last(told), "hello"),
            lambda: _older_and_back(deployment),
            lambda: _install_guard(deployment, vault),
        )
        with reading(deployment) as count:
            before = count()
            waiting = [verb for verb in verbs if not _done(verb, told)]
            assert count() == before, "one state, as long as the reader looks"
            row.fault("verbs alongside a reader", len(verbs))
        assert waiting == [] or backend == "sqlite"
        assert all(_done(verb, told) for verb in waiting)
        assert vault.find_wallet(project, "bitcoin") is not None
        row.landed.update({f"met {state}": times for state, times in met.items()})
        audit(row, deployment.url, deployment.root_key, told, foreign=deployment.foreign)


def told_last(told: dict[str, str]) -> str:
    """The wallet that was made last."""
    return list(told)[-1]


def _done(verb: Callable[[], Any], told: dict[str, str]) -> bool:
    """Whether it has a result, and not an error that allows to ask again."""
    try:
        result = verb()
    except StrongroomError as error:
        if not error.retryable:
            raise
        return False
    if isinstance(result, tuple):
        told[str(result[0].id)] = result[0].address
    return True


def _older_and_back(deployment: Deployment) -> None:
    """Bring the schema of an older version up to date."""
    if deployment.backend == "sqlite":  # there its reader keeps the bare driver out, too
        strongroom.init(deployment.url, root_key=deployment.root_key).close()
        return
    take_back(deployment.url, "0002")
    upgrade(deployment.url, deployment.root_key)


@contextmanager
def reading(deployment: Deployment) -> Iterator[Callable[[], int]]:
    """A transaction that sees one state; called, it counts the wallets."""
    count = "SELECT count(*) FROM project_credentials"
    if deployment.backend == "sqlite":
        with closing(sqlite3.connect(deployment.url.removeprefix("sqlite:///"), isolation_level=None)) as file:
            file.execute("BEGIN")
            yield lambda: int(file.execute(count).fetchone()[0])
            file.execute("COMMIT")
        return
    with psycopg.connect(deployment.url) as server:
        server.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        yield lambda: int(server.execute(count).fetchall()[0][0])


# --- callers' transactions -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", ["fresh", "g4"])
def test_callers_who_run_their_transactions_again_end_with_one_wallet_for_each_name(
    backend: str, request: pytest.FixtureRequest, tally: StartTally
) -> None:
    """Half of them take the slots in the opposite order: genuine deadlocks alongside a fifth that fail in any case."""
    row = tally("callers' transactions, conflicts", backend)
    with open_deployment(backend, request) as deployment, ExitStack() as stack:
        look_for_deadlocks_after(deployment.url, milliseconds=20)
        vault = stack.enter_context(deployment.open())
        callers = stack.enter_context(closing(_Callers(deployment, vault)))
        let_transactions_fail(deployment.url, 20)
        project, told, crowd = deployment.project(), dict[str, str](), Crowd([vault])
        for number in range(_MOST_ROUNDS * SIZE.rounds):
            if crowd.asked_again and number >= 2 * SIZE.rounds:
                break
            labels = [f"a{number}", f"b{number}"]
            answers = crowd.all(
                [partial(callers.create, project, labels if each % 2 else labels[::-1]) for each in range(CALLERS)]
            )
            assert {answer.code for answer in answers} == {None}
            ids = {wallet.id: wallet.address for answer in answers for wallet in answer.value}
            assert len(ids) == len(labels)
            told |= {str(wallet): address for wallet, address in ids.items()}
        for where, times in stop_failing(deployment.url).items():
            row.fault(where, times)
        row.landed["transactions that their caller repeated"] += crowd.asked_again
        assert crowd.asked_again > 0
        audit(row, deployment.url, deployment.root_key, told, foreign=deployment.foreign)


class _Callers:
    """An application with transactions of its own."""

    def __init__(self, deployment: Deployment, vault: Vault) -> None:
        self._engine = strongroom.create_engine(deployment.url, pool_size=CALLERS)
        self._vault = vault

    def create(self, project: UUID, labels: Sequence[str], _: Vault) -> list[strongroom.Wallet]:
        """One wallet for each label, in one transaction."""
        with self._engine.connect() as connection:
            made = [
                self._vault.create_wallet(project, "ethereum", label=label, connection=connection).wallet
                for label in labels
            ]
            try:
                connection.commit()
            except sa.exc.DBAPIError as error:
                if getattr(driver_error(error), "sqlstate", None) not in ("40001", "40P01"):
                    raise
                raise RetryTransactionError("the caller's own COMMIT") from error
        return made

    def close(self) -> None:
        self._engine.dispose()
