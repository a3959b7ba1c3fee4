"""Everything that a vault does, in any order, with faults, on every store: each answer is the model's."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from strongroom.settings import Settings
from strongroom.wiring import open_guard
from tests.attacks.audit import audit
from tests.attacks.house import House
from tests.attacks.life import Life
from tests.attacks.sizes import SIZE, seeded, share
from tests.attacks.summary import StartTally
from tests.integration.children_lifecycle import Place, open_place

GROUNDS = ("sqlite", "fresh", "g4")
PARTS = 4
"""For each ground; in the last one the guard is installed."""
STEPS = 50
"""Of one example."""


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("ground", GROUNDS)
def test_every_answer_is_the_models(
    ground: str, part: int, request: pytest.FixtureRequest, tally: StartTally, private_path: Path
) -> None:
    steps = share(SIZE.steps, GROUNDS.index(ground) * PARTS + part, len(GROUNDS) * PARTS)
    guarded = part == PARTS - 1
    rng = seeded(f"state machine {ground} {part}")
    row = tally("state machine", ground)
    with open_place(ground, request) as place:
        if guarded:
            _install_guard(place)
        house = House(place, private_path, row, guarded=guarded)
        machine = type("Life", (Life,), {"house": house})
        with house.open():
            while (left := steps - house.steps.total()) > 0:
                run_state_machine_as_test(
                    seed(rng.randrange(2**32))(machine),
                    settings=settings(
                        max_examples=-(-left // STEPS),
                        stateful_step_count=STEPS,
                        phases=(Phase.generate,),
                        suppress_health_check=list(HealthCheck),
                        print_blob=True,
                    ),
                )
        assert house.steps.total() >= steps
        row.landed.update({f"step {name}": number for name, number in house.steps.items()})
        row.landed["steps"] += house.steps.total()
        row.acknowledged -= len(house.told)  # the audit adds them
        audit(row, place.url, place.root_key, house.told, foreign=place.foreign)


def _install_guard(place: Place) -> None:
    guard = open_guard(Settings(database=place.url))
    try:
        assert guard.install("archive").state == "installed"
    finally:
        guard.close()
