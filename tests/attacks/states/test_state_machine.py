"""Everything that a vault does, in any order, with faults, on every store: each answer is the model's."""

from __future__ import annotations

import inspect
import re
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from strongroom import Vault
from strongroom.settings import Settings
from strongroom.wiring import open_guard
from tests.acceptance.test_cli import call
from tests.attacks.audit import audit
from tests.attacks.sizes import SIZE, SMALL, seeded, share
from tests.attacks.states.house import House
from tests.attacks.states.tampers import Tampers, allow
from tests.attacks.states.uses import OTHER_PAYLOADS
from tests.attacks.summary import StartTally
from tests.integration.children_lifecycle import Place, open_place
from tests.integration.rows import sqlite_copy
from tests.servers.memory import memory_folder

GROUNDS = {"sqlite": 8, "fresh": 1, "g4": 1}
"""Tenths of all steps: one on a server takes five times as long as one on a file."""
PARTS = (0, 3) if SIZE.name == SMALL else range(max(4, SIZE.steps // 3_000))
"""For each ground, with a database each; in every fourth the guard is installed, and at the end there is repair."""
STEPS = 50
"""Of one example."""
REPAIRED = 20


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("ground", GROUNDS)
def test_every_answer_is_the_models(
    ground: str, part: int, request: pytest.FixtureRequest, tally: StartTally, private_path: Path
) -> None:
    steps = share(SIZE.steps * GROUNDS[ground] // 10, list(PARTS).index(part), len(PARTS))
    guarded = part % 4 == 3
    rng = seeded(f"state machine {ground} {part}")
    row = tally("state machine", ground)
    with quick_place(ground, request) as place:
        if guarded:
            with closing(open_guard(Settings(database=place.url))) as guard:
                assert guard.install("archive").state == "installed"
        house = House(place, private_path, row, guarded=guarded)
        allow(house)
        machine = type("Tampers", (Tampers,), {"house": house})
        with house.open():
            while (left := steps - house.steps.total()) > 0:
                run_state_machine_as_test(
                    seed(rng.randrange(2**32))(machine),
                    settings=settings(
                        max_examples=-(-left // STEPS),
                        stateful_step_count=STEPS,
                        phases=(Phase.generate, Phase.shrink),
                        suppress_health_check=list(HealthCheck),
                        print_blob=True,
                    ),
                )
        assert house.steps.total() >= steps
        if guarded:
            repair_what_was_overwritten(place, house)
        row.landed.update({f"step {name}": number for name, number in house.steps.items()})
        row.landed["steps"] += house.steps.total()
        row.acknowledged -= len(house.told)  # the audit adds them
        audit(row, place.url, place.root_key, house.told, foreign=place.foreign)


def test_no_verb_is_left_out() -> None:
    """A keystore takes a second to make; an account calls the verbs that are asked here; networks are constants.

    Keys of other addresses and projects that are erased have attacks of their own, with processes that die.
    """
    verbs = {name for name, _ in inspect.getmembers(Vault, inspect.isfunction) if not name.startswith("_")}
    rules = "".join(file.read_text() for file in Path(__file__).parent.glob("*.py"))
    asked = {*re.findall(r"vault(?:s\[\w+\])?\.(\w+)", rules), *OTHER_PAYLOADS}
    assert verbs - asked == {"account", "export_keystore", "networks", "erase_project", "move_key"}


@contextmanager
def quick_place(ground: str, request: pytest.FixtureRequest) -> Iterator[Place]:
    """A place that does not wait for disks: no machine fails here, only processes and connections."""
    if ground != "sqlite":
        with open_place(ground, request) as place:
            with psycopg.connect(place.url, autocommit=True) as connection:
                connection.execute(f"ALTER DATABASE {connection.info.dbname} SET synchronous_commit = off".encode())
            yield place
        return
    with tempfile.TemporaryDirectory(prefix="strongroom-", dir=memory_folder()) as folder:
        root_key: str = request.getfixturevalue("root_key_uri")
        yield Place("sqlite", sqlite_copy(request.getfixturevalue("sqlite_template"), Path(folder)), root_key)


def repair_what_was_overwritten(place: Place, house: House) -> None:
    """Other code writes placeholders over the last wallets; the guard has kept the texts, and repair finds them."""
    for wallet in list(house.told)[-REPAIRED:]:
        place.execute(
            "UPDATE credential_vault_storage SET encrypted_private_key = 'MIGRATION_REQUIRED' WHERE credential_id = ?",
            wallet,
        )
    opened = ("--database", place.url, "--root-key", place.root_key)
    with tempfile.TemporaryDirectory() as folder:
        plan = str(Path(folder) / "plan.json")
        for options in (("--plan", plan), ("--apply", plan)):
            answer = call("repair", *opened, *options)
            assert answer.code == 0, answer.err
