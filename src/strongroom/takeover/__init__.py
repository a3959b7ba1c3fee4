"""What takes a database over, as Python: ``Takeover`` and what its verbs return; see docs/python-takeover.md."""

from __future__ import annotations

from strongroom.doctor.findings import MIGRATED, SEVERITIES, Finding
from strongroom.repair.migration import Remark, Step
from strongroom.takeover.face import Takeover, read_plan
from strongroom.takeover.results import (
    DoctorReport,
    MigrationPlan,
    Progress,
    RepairPlan,
    RepairReport,
    UpgradeReport,
    UpgradeStart,
)
from strongroom.usecases.accept import UpgradeResult

__all__ = [
    "MIGRATED",
    "SEVERITIES",
    "DoctorReport",
    "Finding",
    "MigrationPlan",
    "Progress",
    "Remark",
    "RepairPlan",
    "RepairReport",
    "Step",
    "Takeover",
    "UpgradeReport",
    "UpgradeResult",
    "UpgradeStart",
    "read_plan",
]
