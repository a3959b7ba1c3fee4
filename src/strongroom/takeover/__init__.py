"""What takes a database over, as Python: ``Takeover`` and what its verbs return; see docs/python-takeover.md.

Imported when they are asked for: who opens a vault needs neither doctor nor repair.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from strongroom.store.migrations.distribution import DistributionStep as DistributionStep
    from strongroom.takeover.doctor.findings import MIGRATED as MIGRATED
    from strongroom.takeover.doctor.findings import SEVERITIES as SEVERITIES
    from strongroom.takeover.doctor.findings import Finding as Finding
    from strongroom.takeover.face import Takeover as Takeover
    from strongroom.takeover.face import read_plan as read_plan
    from strongroom.takeover.migrate.migration import ManualStep as ManualStep
    from strongroom.takeover.migrate.migration import Step as Step
    from strongroom.takeover.results import DoctorReport as DoctorReport
    from strongroom.takeover.results import MigrationPlan as MigrationPlan
    from strongroom.takeover.results import Progress as Progress
    from strongroom.takeover.results import RepairPlan as RepairPlan
    from strongroom.takeover.results import RepairReport as RepairReport
    from strongroom.takeover.results import UpgradeReport as UpgradeReport
    from strongroom.takeover.results import UpgradeStart as UpgradeStart
    from strongroom.usecases.accept import UpgradeResult as UpgradeResult

_LAZY = {
    "DistributionStep": "strongroom.store.migrations.distribution",
    "DoctorReport": "strongroom.takeover.results",
    "Finding": "strongroom.takeover.doctor.findings",
    "MIGRATED": "strongroom.takeover.doctor.findings",
    "ManualStep": "strongroom.takeover.migrate.migration",
    "MigrationPlan": "strongroom.takeover.results",
    "Progress": "strongroom.takeover.results",
    "RepairPlan": "strongroom.takeover.results",
    "RepairReport": "strongroom.takeover.results",
    "SEVERITIES": "strongroom.takeover.doctor.findings",
    "Step": "strongroom.takeover.migrate.migration",
    "Takeover": "strongroom.takeover.face",
    "UpgradeReport": "strongroom.takeover.results",
    "UpgradeResult": "strongroom.usecases.accept",
    "UpgradeStart": "strongroom.takeover.results",
    "read_plan": "strongroom.takeover.face",
}

__all__ = list(_LAZY)


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
