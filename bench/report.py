"""The results, for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.measure import Measurement, Target
from bench.proofs import Proof

_TITLES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


@dataclass(slots=True)
class Results:
    """All that one run found."""

    date: str
    command: str
    machine: dict[str, Any]
    measurements: list[Measurement] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)
    proofs: list[Proof] = field(default_factory=list)

    def add(
        self, measurements: Sequence[Measurement], targets: Sequence[Target] = (), proofs: Sequence[Proof] = ()
    ) -> None:
        """Add what was found of one group."""
        self.measurements += measurements
        self.targets += targets
        self.proofs += proofs

    @property
    def fair(self) -> bool:
        """Whether every proof holds; otherwise the numbers compare different things."""
        return all(proof.holds for proof in self.proofs)

    def write_json(self, file: Path) -> None:
        """Write everything."""
        document = {
            "version": 1,
            "date": self.date,
            "command": self.command,
            "machine": self.machine,
            "measurements": [measurement.as_dict() for measurement in self.measurements],
            "aims": [target.as_dict() for target in self.targets],
            "proofs": [proof.as_dict() for proof in self.proofs],
        }
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")

    def print(self, console: Console) -> None:
        """Print what was measured, what was aimed at, and what was proved."""
        facts = ((name, value) for name, value in self.machine.items() if value and name != "libraries")
        console.print(f"{self.date}  {self.command}", highlight=False)
        console.print(", ".join(f"{name.replace('_', ' ')} {value}" for name, value in facts), highlight=False)
        console.print(_measured(self.measurements))
        console.print(_aimed(self.targets))
        broken = [proof for proof in self.proofs if not proof.holds]
        for proof in broken:
            console.print(f"[red]does not hold:[/] {_TITLES.get(proof.database, 'in memory')}, {proof.text}")
        if not broken:
            console.print(f"Fair: all {len(self.proofs)} proofs hold (equal rows; every sealed text opens).")


def _measured(measurements: Sequence[Measurement]) -> Table:
    table = Table(title="Median and p99 on the clock, median of our own CPU", title_justify="left")
    table.add_column("", no_wrap=True)
    for title in _TITLES.values():
        table.add_column(title, justify="right")
        table.add_column("p99", justify="right", style="dim")
        table.add_column("CPU", justify="right", style="dim")
    groups: dict[str, dict[str, dict[str, Measurement]]] = {}
    for measurement in measurements:
        names = groups.setdefault(measurement.group, {})
        names.setdefault(measurement.name, {})[measurement.database] = measurement
    for group, names in groups.items():
        table.add_section()
        table.add_row(f"[bold]{group}[/]")
        for name, found in names.items():
            cells = [_cells(found.get(database, found.get(""))) for database in _TITLES]
            table.add_row(f"  {name}", *cells[0], *cells[1])
    return table


def _cells(measurement: Measurement | None) -> tuple[str, str, str]:
    if measurement is None:
        return "", "", ""
    unit = measurement.unit
    return _number(measurement.median, unit), _number(measurement.p99, unit), _number(measurement.cpu, unit)


def _number(value: float, unit: str) -> str:
    digits = 2 if unit == "ms" and value < 100 else 1 if unit in ("/s", "MiB") and value < 100 else 0
    return f"{value:,.{digits}f} {unit}"


def _aimed(targets: Sequence[Target]) -> Table:
    table = Table(title="Aims", title_justify="left")
    table.add_column("")
    table.add_column("Database")
    table.add_column("Aim", justify="right")
    table.add_column("Reached", justify="right")
    table.add_column("at best", justify="right", style="dim")
    table.add_column("")
    table.add_column("Absolute", justify="right", style="dim")
    table.add_column("Aim there", justify="right", style="dim")
    table.add_column("and here", justify="right", style="dim")
    for target in targets:
        sign = "≥" if target.at_least else "≤"
        digits = 2 if target.limit < 10 else 0
        table.add_row(
            target.text,
            _TITLES.get(target.database, ""),
            f"{sign} {round(target.limit, 2):,g}",
            f"{target.reached:,.{digits}f}",
            f"{target.best:,.{digits}f}",
            "[green]met[/]" if target.met else "[red]missed[/]",
            *(
                "" if value is None or target.unit is None else _number(value, target.unit)
                for value in (target.absolute, target.aim, target.scaled)
            ),
        )
    return table
