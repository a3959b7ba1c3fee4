"""What must hold at any moment while a repair runs, is stopped or killed."""

from __future__ import annotations

from collections import Counter

import strongroom
from strongroom.networks import TABLE
from strongroom.takeover.repair.outcomes import UnitStatus
from testbed.databases.rows import execute
from testbed.processes.repair_plans import kinds_of
from testbed.processes.repairs import RepairScene, Thing, keyring_of, run_plan


class RepairWitness:
    """Looks at a clone at any moment: what must hold, and how it ends."""

    def __init__(self, scene: RepairScene) -> None:
        self.scene = scene
        self.keyring = keyring_of(scene.planted.url, scene.root_key)
        self.before: set[Thing] = scene.things(scene.planted.url, self.keyring)
        whole = scene.clone()
        self.endings = Counter(outcome.status for outcome in run_plan(whole, scene.root_key, scene.plan))
        self.end = scene.state(whole, self.keyring)
        self.findings = scene.findings(whole)
        self.opened = opened_by(whole, scene)
        assert self.endings[UnitStatus.DONE] == len(scene.plan.units)
        self.assert_nothing_lost(whole)

    def lost(self, url: str) -> int:
        """How many keys, phrases and unopened texts do not stand under their credential any more."""
        return len(self.before - self.scene.things(url, self.keyring))

    def assert_nothing_lost(self, url: str) -> None:
        """Every key, phrase and unopened text still stands under its credential."""
        assert self.lost(url) == 0

    def assert_ended(self, url: str) -> None:
        """The same as an uninterrupted run leaves: rows, history, logs, findings, and what is revealed."""
        assert self.scene.state(url, self.keyring) == self.end
        assert self.scene.findings(url) == self.findings
        assert opened_by(url, self.scene) == self.opened
        self.assert_nothing_lost(url)


def opened_by(url: str, scene: RepairScene) -> dict[str, str]:
    """What verify and reveal say of the wallets of the plan; a key that is revealed is the one that was planted."""
    there = {str(row[0]) for row in execute(url, "SELECT id FROM project_credentials")}
    truth = {str(each.id): each.key for each in scene.planted.truth.credentials}
    restored = {unit.credential_id for unit in scene.plan.units if "relabel identity-changed" in kinds_of(scene, unit)}
    found: dict[str, str] = {}
    with strongroom.open(url, root_key=scene.root_key) as vault:
        for wallet in there & {unit.credential_id for unit in scene.plan.units}:
            [verified] = vault.verify(wallet, phrases=True)
            try:
                shown = vault.reveal(wallet, actor="test", reason="to compare").private_key
            except strongroom.StrongroomError as error:
                found[wallet] = f"{verified.code} {error.code}"
            else:
                found[wallet] = "opens" if verified.ok else str(verified.code)
                key = truth[wallet]
                if key is not None and wallet not in restored:
                    assert TABLE.get(key.networks[0]).parse_private_key(shown).reveal() == key.secret
    return found
