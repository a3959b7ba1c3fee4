"""What an attack did, and what became of it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, fields
from statistics import median
from typing import Any

_HEADS = ("attack", "on", "faults", "acknowledged", "lost", "duplicates", "half-made", "unproved", "leaked")
_MOST_PLACES = 20


@dataclass
class Tally:
    """One row of the table. The last five numbers must be 0."""

    attack: str
    """What was done, such as ``client killed``."""
    backend: str
    """The database: ``sqlite``, ``fresh``, ``g4``; or ``-``."""
    faults: int = 0
    """How many were injected."""
    landed: Counter[str] = field(default_factory=Counter)
    """Where they fell."""
    acknowledged: int = 0
    """Operations of which a caller was told that they had happened."""
    lost: int = 0
    """Wallets that were acknowledged, and whose key is not there, or is another one."""
    duplicates: int = 0
    """Wallets, records or signatures too many: two live ones for a slot, two for a credential, two for a nonce."""
    half_made: int = 0
    """Rows without those that belong to them."""
    unproved: int = 0
    """Wallets whose sealed text does not open, or does not derive the address."""
    leaked: int = 0
    """Places where a secret was seen."""
    outages: list[tuple[str, float]] = field(default_factory=list)
    """For how many seconds nothing was acknowledged, after which fault."""

    def fault(self, where: str, times: int = 1) -> None:
        """Count a fault, and where it fell."""
        self.faults += times
        self.landed[where] += times

    @property
    def damage(self) -> dict[str, int]:
        """What must be 0 and is not."""
        named = {name: getattr(self, name) for name in ("lost", "duplicates", "half_made", "unproved", "leaked")}
        return {name: number for name, number in named.items() if number}

    def as_dict(self) -> dict[str, Any]:
        """As it goes from a worker to where the table is printed."""
        return asdict(self) | {"landed": dict(self.landed)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Tally:
        """As it came from a worker."""
        return cls(**{**values, "landed": Counter(values["landed"])})


def added_up(tallies: Iterable[Tally]) -> list[Tally]:
    """One row for each attack and backend, in the order in which they first came up."""
    rows: dict[tuple[str, str], Tally] = {}
    for each in tallies:
        row = rows.setdefault((each.attack, each.backend), Tally(each.attack, each.backend))
        for one in fields(Tally)[2:]:
            setattr(row, one.name, getattr(row, one.name) + getattr(each, one.name))
    return sorted(rows.values(), key=lambda row: (row.attack, row.backend))


def table(tallies: Iterable[Tally]) -> Iterator[str]:
    """The lines of the table, as Markdown, and where the faults fell below it."""
    rows = added_up(tallies)
    lines = [_HEADS, *(_cells(row) for row in rows), _cells(_total(rows))]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEADS))]
    for number, line in enumerate(lines):
        yield "| " + " | ".join(_padded(text, widths[at], at) for at, text in enumerate(line)) + " |"
        if number == 0:
            yield "|" + "|".join("-" * (width + 1) + ("-" if at < 2 else ":") for at, width in enumerate(widths)) + "|"
    yield ""
    for row in rows:
        if row.landed:
            yield f"- {row.attack}, {row.backend}: {', '.join(_places(row.landed))}"
        for fault, seconds in _grouped(row.outages).items():
            middle, worst = median(seconds), max(seconds)
            yield f"- {row.attack}, {row.backend}, {fault}: {_outage(len(seconds), middle, worst)}"


def _grouped(outages: Iterable[tuple[str, float]]) -> dict[str, list[float]]:
    grouped: dict[str, list[float]] = defaultdict(list)
    for fault, seconds in outages:
        grouped[fault].append(seconds)
    return dict(sorted(grouped.items()))


def _outage(number: int, middle: float, worst: float) -> str:
    return f"{number:,} time{'s' * (number != 1)} without service for {middle:.1f} s (median), {worst:.1f} s (worst)"


def _places(landed: Counter[str]) -> Iterator[str]:
    """The places that were hit most, by name."""
    yield from (f"{name} {number:,}" for name, number in sorted(landed.most_common(_MOST_PLACES)))
    if len(landed) > _MOST_PLACES:
        yield f"and {len(landed) - _MOST_PLACES} places more"


def _total(rows: Iterable[Tally]) -> Tally:
    total = added_up(
        Tally(**{**row.as_dict(), "attack": "all", "backend": "", "landed": Counter(), "outages": []}) for row in rows
    )
    return total[0] if total else Tally("all", "")


def _cells(row: Tally) -> tuple[str, ...]:
    numbers = (row.faults, row.acknowledged, row.lost, row.duplicates, row.half_made, row.unproved, row.leaked)
    return (row.attack, row.backend, *(f"{number:,}" for number in numbers))


def _padded(text: str, width: int, column: int) -> str:
    return text.ljust(width) if column < 2 else text.rjust(width)
