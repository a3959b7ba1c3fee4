"""Starting: processes of their own, in turns, with their CPU time and their wall time."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from bench.backends import Backend
from bench.measure import Measurement, Samples, Target, named, times

_INSIDE = """
import sys, time
wall, cpu = time.perf_counter(), time.process_time()
{}
print(time.process_time() - cpu, time.perf_counter() - wall)
"""
_IMPORT_AND_OPEN = "import and open"
_OPEN = _INSIDE.format("import strongroom; strongroom.open(sys.argv[1], root_key=sys.argv[2])")


@dataclass(frozen=True, slots=True)
class Program:
    """A child process; one that measures itself prints its CPU and wall seconds."""

    name: str
    arguments: tuple[str, ...]
    measures_itself: bool = True
    database: str = ""


def measure_startup(backends: Sequence[Backend], turns: int) -> tuple[list[Measurement], list[Target]]:
    """Import, import and open, ``--help``, and their floors."""
    with ExitStack() as stack:
        houses = [stack.enter_context(backend.installation()) for backend in backends]
        programs = [
            Program("python -c pass, whole", ("-c", "pass"), measures_itself=False),
            Program("import sqlalchemy", ("-c", _INSIDE.format("import sqlalchemy"))),
            Program("import strongroom", ("-c", _INSIDE.format("import strongroom"))),
            *(
                Program(
                    _IMPORT_AND_OPEN,
                    ("-c", _OPEN, installation.database, installation.root_key),
                    database=installation.kind,
                )
                for installation in houses
            ),
            Program("strongroom --help, whole", ("-m", "strongroom", "--help"), measures_itself=False),
        ]
        taken = _race(programs, turns)
    measured = [
        measurement
        for program in programs
        for measurement in times("start", program.database, {program.name: taken[program]})
    ]
    light, shown = named(measured, "import strongroom"), named(measured, "strongroom --help, whole")
    opened = [measurement for measurement in measured if measurement.name == _IMPORT_AND_OPEN]
    targets = [
        Target("import strongroom, ms of CPU", "", 60, light.cpu, min(taken[programs[2]].cpu) * 1e3),
        *(Target("import and open, ms", each.database, 350, each.median, each.best) for each in opened),
        Target("strongroom --help, ms", "", 400, shown.median, shown.best),
    ]
    return measured, targets


def _race(programs: Sequence[Program], turns: int) -> dict[Program, Samples]:
    """Processes have garbage collectors and caches of their own: a race of another kind."""
    order, dice = list(programs), random.Random(7)
    taken = {program: Samples() for program in programs}
    for turn in range(1 + turns):  # the first one warms the caches, and compiles
        dice.shuffle(order)
        for program in order:
            cpu, wall = _run(program)
            if turn:
                taken[program].cpu.append(cpu)
                taken[program].wall.append(wall)
    return taken


def _run(program: Program) -> tuple[float, float]:
    start = time.perf_counter()
    child = subprocess.Popen(
        [sys.executable, *program.arguments], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
    )
    with child:
        output = child.stdout.read() if child.stdout is not None else ""
        _, status, usage = os.wait4(child.pid, 0)
        elapsed = time.perf_counter() - start
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        raise RuntimeError(f"the program ended with {child.returncode}: {program.name}")
    if program.measures_itself:
        cpu, wall = map(float, output.split())
        return cpu, wall
    return usage.ru_utime + usage.ru_stime, elapsed
