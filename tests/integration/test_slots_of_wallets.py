"""Slots by the wallets that they name: a few of each, in one statement, on every kind of database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from uuid import uuid4

import pytest

from strongroom.settings import Settings
from strongroom.wiring import open_context
from testbed.databases.deployments import Deployment, open_deployment
from testbed.databases.partitioned import partition


@pytest.fixture(params=["sqlite", "fresh", "divided", "g4"])
def deployment(request: pytest.FixtureRequest) -> Iterator[Deployment]:
    """Tables of ours, divided by project or not, and of the legacy application."""
    with open_deployment(request.param.replace("divided", "fresh"), request) as opened:
        if request.param == "divided":
            partition(opened.url, 8)
        yield opened


def test_so_many_slots_of_each_wallet_are_read_and_of_no_other(deployment: Deployment) -> None:
    named = {uuid4(): 1, uuid4(): 5, uuid4(): 20}
    unnamed, unasked = uuid4(), uuid4()
    for wallet, many in {**named, unasked: 3}.items():
        for number in range(many):
            deployment.execute(
                "INSERT INTO strongroom_slot (project_id, network, label, credential_id, version, kid, tag) "
                "VALUES (?, 'ethereum', ?, ?, 1, 'k', ?)",
                *(deployment.project(), f"label {number}", wallet, "t" * 5000),
            )
    context = open_context(Settings(database=deployment.url, root_key=deployment.root_key))
    try:
        found = context.store.register.slots_of([*named, unnamed], 5)
        assert Counter(record.credential_id for record, _ in found) == {
            wallet: min(many, 5) for wallet, many in named.items()
        }
        assert {record.network for record, _ in found} == {"ethereum"}
        assert max(len(tag.value) for _, tag in found if tag is not None) < 100, "no tag is as long"
        assert context.store.register.slots_of([], 5) == []
    finally:
        context.close()
