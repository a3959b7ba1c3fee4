"""Repair plans for tests: a unit of each kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from strongroom.takeover.repair.plan import Unit
from testbed.defects.recipes import RECIPES
from testbed.processes.repairs import RepairScene, open_scene
from testbed.servers.postgres import PostgresServer

SEALED_ALIKE = ("plaintext-key", "encoded-key", "plaintext-mnemonic")
SEED = 1


def plan_of_each_kind(backend: str, root_key: str, server: Callable[[], PostgresServer], folder: Path) -> RepairScene:
    """A damaged database whose plan has a unit of each kind."""
    scene = open_scene(backend, SEED, 1, root_key, server, folder)
    scene.plan = replace(scene.plan, units=one_of_each(scene))
    return scene


def one_of_each(scene: RepairScene) -> list[Unit]:
    """A unit of each kind that costs no key derivation function; such as are alone before such as do more at once."""
    chosen: dict[str, Unit] = {}
    for unit in sorted(scene.plan.units, key=lambda unit: len(unit.actions)):
        kinds = kinds_of(scene, unit)
        if not is_slow(scene, unit) and not kinds <= set(chosen):
            chosen.update({kind: unit for kind in kinds if kind not in chosen})
    ids = {unit.credential_id for unit in chosen.values()}
    return [unit for unit in scene.plan.units if unit.credential_id in ids]


def kinds_of(scene: RepairScene, unit: Unit) -> set[str]:
    """What is done, and for a missing key where it stands."""
    truth = scene.planted.truth
    credential = next((each for each in truth.credentials if str(each.id) == unit.credential_id), None)
    kinds = set()
    for action in unit.actions:
        kind = "seal" if action.code in SEALED_ALIKE else f"{action.do} {action.code}"
        if action.do == "fill" and credential is not None:
            in_history = any(str(entry.credential) == unit.credential_id for entry in truth.entries)
            where = "metadata" if credential.members else "history" if in_history else "another record"
            kind = f"fill from {where}"
        kinds.add(kind if unit.address else f"{kind} of a wallet that is gone")
    return kinds


def is_slow(scene: RepairScene, unit: Unit) -> bool:
    """Whether a password or a phrase is stretched for it."""
    truth = scene.planted.truth
    origins = {each.origin for each in truth.credentials if str(each.id) == unit.credential_id}
    origins |= {entry.origin for entry in truth.entries if str(entry.credential) == unit.credential_id}
    return any(origin in RECIPES and RECIPES[origin].cost == "kdf" for origin in origins)
