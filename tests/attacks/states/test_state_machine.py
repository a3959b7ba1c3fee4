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
from testbed.command_line import call
from testbed.databases.deployments import Deployment, open_deployment
from testbed.databases.rows import sqlite_copy
from testbed.harness.sizes import SIZE, SMALL, seeded, share
from testbed.servers.memory import memory_folder
from tests.attacks.audit import audit
from tests.attacks.states.rules_signing import OTHER_PAYLOADS
from tests.attacks.states.rules_tampering import TamperingRules, allow
from tests.attacks.states.system_under_test import SystemUnderTest
from tests.attacks.summary import StartTally

BACKENDS = {"sqlite": 8, "fresh": 1, "g4": 1}
"""Tenths of all steps: one on a server takes five times as long as one on a file."""
PARTS = (0, 3) if SIZE.name == SMALL else range(max(4, SIZE.steps // 3_000))
"""For each backend, with a database each; in every fourth the guard is installed, and at the end there is repair."""
STEPS = 50
"""Of one example."""
REPAIRED = 20


@pytest.mark.sized("name", "steps")
@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("backend", BACKENDS)
def test_every_answer_is_the_models(
    backend: str, part: int, request: pytest.FixtureRequest, tally: StartTally, private_path: Path
) -> None:
    steps = share(SIZE.steps * BACKENDS[backend] // 10, list(PARTS).index(part), len(PARTS))
    guarded = part % 4 == 3
    rng = seeded(f"state machine {backend} {part}")
    row = tally("state machine", backend)
    with quick_deployment(backend, request) as deployment:
        if guarded:
            with closing(open_guard(Settings(database=deployment.url))) as guard:
                assert guard.install("archive").state == "installed"
        system = SystemUnderTest(deployment, private_path, row, guarded=guarded)
        allow(system)
        machine = type("Tampers", (TamperingRules,), {"system": system})
        with system.open():
            while (left := steps - system.steps.total()) > 0:
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
        assert system.steps.total() >= steps
        if guarded:
            repair_what_was_overwritten(deployment, system)
        row.landed.update({f"step {name}": number for name, number in system.steps.items()})
        row.landed["steps"] += system.steps.total()
        row.acknowledged -= len(system.told)  # the audit adds them
        audit(row, deployment.url, deployment.root_key, system.told, foreign=deployment.foreign)


def test_no_verb_is_left_out() -> None:
    """A keystore takes a second to make; an account calls the verbs that are asked here; networks are constants.

    Keys of other addresses and projects that are erased have attacks of their own, with processes that die; xpubs and
    wallets that are discovered have races.
    """
    verbs = {name for name, _ in inspect.getmembers(Vault, inspect.isfunction) if not name.startswith("_")}
    rules = "".join(file.read_text() for file in Path(__file__).parent.glob("*.py"))
    asked = {*re.findall(r"vault(?:s\[\w+\])?\.(\w+)", rules), *OTHER_PAYLOADS}
    elsewhere = {"account", "export_keystore", "networks", "erase_project", "move_key", "export_xpub", "discover"}
    assert verbs - asked == elsewhere


@contextmanager
def quick_deployment(backend: str, request: pytest.FixtureRequest) -> Iterator[Deployment]:
    """A place that does not wait for disks: no machine fails here, only processes and connections."""
    if backend != "sqlite":
        with open_deployment(backend, request) as deployment:
            with psycopg.connect(deployment.url, autocommit=True) as connection:
                connection.execute(f"ALTER DATABASE {connection.info.dbname} SET synchronous_commit = off".encode())
            yield deployment
        return
    with tempfile.TemporaryDirectory(prefix="strongroom-", dir=memory_folder()) as folder:
        root_key: str = request.getfixturevalue("root_key_uri")
        yield Deployment("sqlite", sqlite_copy(request.getfixturevalue("sqlite_template"), Path(folder)), root_key)


def repair_what_was_overwritten(deployment: Deployment, system: SystemUnderTest) -> None:
    """The legacy application writes placeholders over the last wallets; the guard has kept the texts, and repair finds
    them."""
    for wallet in list(system.told)[-REPAIRED:]:
        deployment.execute(
            "UPDATE credential_vault_storage SET encrypted_private_key = 'MIGRATION_REQUIRED' WHERE credential_id = ?",
            wallet,
        )
    opened = ("--database", deployment.url, "--root-key", deployment.root_key)
    with tempfile.TemporaryDirectory() as folder:
        plan = str(Path(folder) / "plan.json")
        for options in (("--plan", plan), ("--apply", plan)):
            answer = call("repair", *opened, *options)
            assert answer.code == 0, answer.err
