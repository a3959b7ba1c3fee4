"""Clients die at any moment, in every flow, on every backend; what they left is looked at, proved, and done again."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial

import pytest

from testbed.databases.deployments import open_deployment
from testbed.harness.fork_server import Arguments, ChildReport, ForkServer
from testbed.harness.random_kills import LANDED, kill_at_random
from testbed.harness.sizes import SIZE, seeded, share
from testbed.harness.statement_stops import every_boundary
from tests.attacks.processes import children
from tests.attacks.processes.flows import FLOWS_OF_WALLETS, KillFlow
from tests.attacks.processes.flows_of_keyrings import FLOWS_OF_KEYRINGS
from tests.attacks.processes.flows_of_phrases import FLOWS_OF_PHRASES
from tests.attacks.processes.flows_of_use import FLOWS_OF_USE
from tests.attacks.summary import StartTally
from tests.attacks.tally import Tally

FLOWS = (*FLOWS_OF_WALLETS, *FLOWS_OF_KEYRINGS, *FLOWS_OF_USE, *FLOWS_OF_PHRASES)
"""In addition, a repair is attacked in test_repair_under_fire.py."""
BATCH = 120
"""Kills on one database: what is proved after them grows with what is there."""
EVERYWHERE = pytest.mark.parametrize(
    ("backend", "kind"),
    [pytest.param(backend, kind, id=f"{kind.name}-{backend}") for kind in FLOWS for backend in kind.backends],
)
_warmed: set[tuple[int, str]] = set()
"""fork servers, and the backends that they know."""


@contextmanager
def attacked(
    kind: type[KillFlow], backend: str, row: Tally, fork_server: ForkServer, request: pytest.FixtureRequest
) -> Iterator[KillFlow]:
    """A flow on a new place; at the end everything there is proved and done again."""
    with open_deployment(backend, request) as deployment, deployment.open() as vault:
        if (id(fork_server), backend) not in _warmed:
            fork_server.warm_up(children.warm_up, url=deployment.url, root_key=deployment.root_key)
            _warmed.add((id(fork_server), backend))
        with closing(kind(deployment, vault, row, request)) as flow:
            yield flow
            flow.end()


@pytest.mark.sized("client_kills")
@pytest.mark.thorough(sample=len(FLOWS))
@EVERYWHERE
def test_kill_9_at_random_moments(
    kind: type[KillFlow], backend: str, tally: StartTally, fork_server: ForkServer, request: pytest.FixtureRequest
) -> None:
    row, rng = tally("client killed", backend), seeded(f"kill -9: {kind.name}, {backend}")
    left, measured = share(SIZE.client_kills, FLOWS.index(kind), len(FLOWS)), list[ChildReport]()
    while left:
        with attacked(kind, backend, row, fork_server, request) as flow:
            arguments = partial(of_any_variant, flow, rng)
            for report in kill_at_random(fork_server, kind.child, arguments, min(left, BATCH), rng, measured):
                flow.died(report)
                if report.killed:
                    row.fault(LANDED[report.phase])
                    left -= 1


def of_any_variant(flow: KillFlow, rng: random.Random, _: int) -> Arguments:
    return flow.arguments(rng.choice(flow.variants))


def of_variant(flow: KillFlow, variant: str, _: int) -> Arguments:
    return flow.arguments(variant)


@pytest.mark.sized("boundary_step")
@pytest.mark.thorough(sample=len(FLOWS))
@EVERYWHERE
def test_a_stop_at_every_statement_boundary(
    kind: type[KillFlow], backend: str, tally: StartTally, fork_server: ForkServer, request: pytest.FixtureRequest
) -> None:
    row, rng = tally("client stopped at a statement", backend), seeded(f"stops: {kind.name}, {backend}")
    with attacked(kind, backend, row, fork_server, request) as flow:
        for variant in kind.variants:
            arguments = partial(of_variant, flow, variant)
            first = rng.randrange(1, SIZE.boundary_step, 2) if SIZE.boundary_step > 2 else 1
            for report in every_boundary(fork_server, kind.child, arguments, first=first, step=SIZE.boundary_step):
                flow.died(report)
                if report.stopped:
                    row.fault(kind.name)
    assert flow.happened >= 2 * len(kind.variants), "of each variant one ran through, and one died behind its commit"
