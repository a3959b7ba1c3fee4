"""Promise 1 and 2 when the process dies: at every statement boundary, and by kill -9 at random moments."""

from __future__ import annotations

import random
from uuid import uuid4

import pytest

import strongroom
from tests.harness.kills import histogram, kill_at_random, share_inside, wanted
from tests.harness.nursery import Arguments, Nursery
from tests.harness.stops import every_boundary
from tests.integration import children
from tests.integration.rows import assert_whole, counts

KILLS = wanted(60)


@pytest.mark.parametrize("key", [None, "order-1"], ids=["without key", "with idempotency key"])
@pytest.mark.parametrize("flow", [children.create, children.import_phrase], ids=["create", "import"])
def test_a_process_stopped_at_any_statement_boundary_leaves_a_whole_wallet_or_nothing(
    nursery: Nursery, vault_url: str, root_key_uri: str, flow: object, key: str | None
) -> None:
    nursery.warm_up(children.warm_up)
    projects: list[str] = []

    def arguments(_: int) -> Arguments:
        projects.append(str(uuid4()))
        return {"url": vault_url, "root_key": root_key_uri, "project": projects[-1], "key": key}

    stopped = committed = 0
    with strongroom.open(vault_url, root_key=root_key_uri) as vault:
        for report in every_boundary(nursery, flow, arguments):  # type: ignore[arg-type]
            assert_whole(vault_url)
            before = counts(vault_url)[0]
            network = "ethereum" if flow is children.create else "bitcoin"
            left = vault.find_wallet(projects[-1], network)
            retry = nursery.run(flow, **arguments_of(projects[-1], vault_url, root_key_uri, key))  # type: ignore[arg-type]
            line = retry.printed[0]
            assert line["created"] is (left is None)
            if left is not None:
                assert (line["id"], line["address"]) == (str(left.id), left.address)
                committed += 1
            assert counts(vault_url)[0] == before + (left is None)
            stopped += report.stopped
        assert_whole(vault_url, len(projects))
        assert [result.code for result in vault.verify(phrases=True) if not result.ok] == []
    assert stopped >= 4, "the boundaries before and after the look and the write, at least"
    assert 0 < committed < len(projects), "some stops fell before the commit, some after it"


def arguments_of(project: str, url: str, root_key: str, key: str | None) -> Arguments:
    return {"url": url, "root_key": root_key, "project": project, "key": key}


def test_kill_9_at_random_moments_loses_no_printed_wallet_and_leaves_no_half(
    nursery: Nursery, vault_url: str, root_key_uri: str, rng: random.Random, engine: str
) -> None:
    nursery.warm_up(children.warm_up)
    projects: list[str] = []

    def arguments(_: int) -> Arguments:
        projects.append(str(uuid4()))
        return arguments_of(projects[-1], vault_url, root_key_uri, None)

    reports = list(kill_at_random(nursery, children.create, arguments, KILLS, rng))
    print(f"\n{engine}\n{histogram(reports)}")
    assert share_inside(reports) >= 0.5
    assert_whole(vault_url)
    with strongroom.open(vault_url, root_key=root_key_uri) as vault:
        for project, report in zip(projects, reports, strict=True):
            committed = vault.find_wallet(project, "ethereum")
            for line in report.printed:
                assert committed is not None
                assert (line["id"], line["address"]) == (str(committed.id), committed.address)
            retried, created = vault.create_wallet(project, "ethereum")
            assert created is (committed is None)
            assert committed in (None, retried)
        results = list(vault.verify(phrases=True))
    assert len(results) == len(projects)
    assert [result for result in results if not result.ok] == []
    assert_whole(vault_url, len(projects))
