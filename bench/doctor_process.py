"""A run of doctor in its own process: ``python -m bench.doctor_process DATABASE [ROOT_KEY]`` prints what it took."""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

from bench.seed_wallets import PASSWORD
from strongroom.secret import Secret
from strongroom.settings import Settings
from strongroom.takeover.doctor.doctor import Doctor
from strongroom.takeover.doctor.passwords import Passwords
from strongroom.wiring.takeovers import open_doctor

_STATUS = Path("/proc/self/status")


def passwords() -> Passwords:
    """What opens every envelope and keystore that was planted."""
    return Passwords(Secret(PASSWORD), Secret(PASSWORD))


def diagnose(doctor: Doctor) -> None:
    """Look at every wallet."""
    for _ in doctor.run():
        pass


def peak_mib() -> float:
    """The most memory that this process ever had; ``ru_maxrss`` would count what its parent had before it."""
    if _STATUS.exists():
        lines = _STATUS.read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def _measured(database: str, root_key: str | None) -> dict[str, Any]:
    with open_doctor(Settings(database=database, root_key=root_key), Passwords()) as doctor:
        wall, cpu = time.perf_counter(), time.process_time()
        diagnose(doctor)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        looked_at, summary = doctor.diagnosis.looked_at, doctor.diagnosis.summary()
    return {"wall": wall, "cpu": cpu, "peak_mib": peak_mib(), "wallets": looked_at, "summary": summary}


if __name__ == "__main__":
    print(json.dumps(_measured(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None)))
