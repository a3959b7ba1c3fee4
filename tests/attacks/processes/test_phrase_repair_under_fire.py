"""A repair of phrases whose statements fail, whose commits are lost, or whose process ends: what is left is done again.

Each text that gave way is kept once, and each account counts what the register has.
"""

from __future__ import annotations

from pathlib import Path
from unittest import mock

import pytest

import strongroom
from strongroom.store.connection import database
from strongroom.takeover.face import read_plan
from testbed.databases.attacked import WHO, Attacked
from testbed.databases.deployments import open_deployment
from testbed.harness.drivers import watched
from testbed.harness.sizes import SIZE
from tests.attacks.states.faults import BETWEEN, KINDS, FaultyDriver, InjectedFault, KilledError

WORDS = "legal winner thank year wave sausage worth useful legal winner thank yellow"
DAMAGED = "eyJraWQiOi" + "A" * 300
STATEMENTS = 36
"""Of a repair: reading, and two transactions; faults that come later fall nowhere."""


@pytest.mark.sized("boundary_step")
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != BETWEEN])
def test_a_repair_that_is_cut_off_is_done_again_and_once(
    kind: str, request: pytest.FixtureRequest, private_path: Path
) -> None:
    with open_deployment("sqlite", request) as deployment, deployment.open() as vault:
        attacked, project = Attacked(deployment, private_path), deployment.project()
        phrase = vault.import_phrase(project, mnemonic=WORDS).phrase
        made = vault.create_many(project, "ethereum", ["a", "b", "c"])
        vault.rotate_sealing_key(**WHO)
        assert all(each.ok for each in vault.rewrap())
        driver, fell = FaultyDriver(postgresql=False, cut=lambda: None), 0
        for number, at in enumerate(range(1, STATEMENTS, max(1, SIZE.boundary_step // 2)), 1):
            deployment.execute("UPDATE strongroom_phrase SET sealed_text = ? WHERE phrase_id = ?", DAMAGED, phrase.id)
            deployment.execute("DELETE FROM strongroom_phrase_account WHERE phrase_id = ?", phrase.id)
            path = attacked.plan()
            with watched(driver), mock.patch.object(database, "_BACKOFF_SECONDS", 0):
                driver.arm(InjectedFault(kind, at=at))  # type: ignore[arg-type]
                try:
                    with driver.watching():
                        _apply(attacked, path)
                except (KilledError, strongroom.StrongroomError):
                    pass
                driver.disarm()
            fell += len(driver.fell)
            driver.fell.clear()
            _apply(attacked, attacked.plan())
            kept = [entry.reason for entry in vault.history(phrase.id, limit=1000).entries]
            assert kept.count("repair") == number, f"{kind} at {at}"
            assert [each.next_index for each in vault.list_accounts(project)] == [3]
            assert vault.reveal_phrase(project, **WHO).mnemonic.reveal_text() == WORDS
        assert fell > 0
        done = [record.details["did"] for record in vault.list_log(action="phrase-repair", limit=1000).records]
        assert sorted(done) == ["account"] * number + ["text"] * number
        assert [each.wallet.phrase_index for each in made] == [0, 1, 2]
        assert [each.error for each in vault.verify(project_id=project, phrases=True)] == [None] * 3


def _apply(attacked: Attacked, path: Path) -> None:
    takeover = strongroom.open_takeover(attacked.deployment.url, root_key=attacked.deployment.root_key)
    takeover.apply(read_plan(path))
