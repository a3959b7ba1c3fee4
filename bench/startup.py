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

from bench.aims import scaled
from bench.backends import Backend
from bench.measure import Measurement, Samples, Target, named, times

_INSIDE = """
import sys, time
wall, cpu = time.perf_counter(), time.process_time()
{}
print(time.process_time() - cpu, time.perf_counter() - wall)
"""
_IMPORT_AND_OPEN = "import and open"
_FLOOR = "import sqlalchemy"
"""Modules that are found, read and run: what a start is made of, in an amount that strongroom does not decide."""
_NO_BYTECODE = "PYTHONDONTWRITEBYTECODE"
"""Where it is set, what runs from a checkout is compiled at each start, and installed libraries are not."""
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
            Program(_FLOOR, ("-c", _INSIDE.format(_FLOOR))),
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
    floor = named(measured, _FLOOR)
    targets = [
        scaled("import strongroom, CPU, times `import sqlalchemy`", 60, light, floor, by="cpu", ours_by="cpu"),
        *(scaled("import and open, times `import sqlalchemy`", 350, each, floor) for each in opened),
        scaled("strongroom --help, times `import sqlalchemy`", 400, shown, floor),
    ]
    return measured, targets


def _race(programs: Sequence[Program], turns: int) -> dict[Program, Samples]:
    """Processes have garbage collectors and caches of their own: a race of another kind."""
    order, dice = list(programs), random.Random(7)
    taken = {program: Samples() for program in programs}
    warm_up = min(1, turns - 1)  # warms the caches, and compiles
    for turn in range(warm_up + turns):
        dice.shuffle(order)
        for program in order:
            cpu, wall = _run(program)
            if turn >= warm_up:
                taken[program].cpu.append(cpu)
                taken[program].wall.append(wall)
    return taken


def _run(program: Program) -> tuple[float, float]:
    start = time.perf_counter()
    child = subprocess.Popen(
        [sys.executable, *program.arguments],
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        env={name: value for name, value in os.environ.items() if name != _NO_BYTECODE},
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
