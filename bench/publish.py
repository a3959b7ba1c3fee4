"""Put a run into docs/performance.md: the tables there are generated from bench/reference.json, and a test says so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

REFERENCE = Path(__file__).parent / "reference.json"
PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
_BEGIN, _END = "<!-- measured -->\n", "<!-- /measured -->\n"
_TITLES = {"sqlite": "SQLite", "postgresql": "PostgreSQL", "": ""}


def publish(reference: Path = REFERENCE, page: Path = PAGE) -> None:
    """Replace what stands between the page's two marks by the tables of a run."""
    text = page.read_text(encoding="utf-8")
    before, rest = text.split(_BEGIN)
    after = rest.split(_END)[1]
    page.write_text(before + _BEGIN + markdown(reference) + _END + after, encoding="utf-8")


def markdown(reference: Path = REFERENCE) -> str:
    """The tables of a run, in Markdown."""
    document = json.loads(reference.read_text(encoding="utf-8"))
    return "\n".join([_facts(document), *_aims(document), "", *_measurements(document)]) + "\n"


def _facts(document: dict[str, Any]) -> str:
    machine = document["machine"]
    return (
        f"\n`{document['command']}` on {document['date'][:10]}: {machine['cpu']}, {machine['cores']} cores, "
        f"{machine['system']}, load {machine['load']} at the start, fsync {machine['fsync_ms']} ms, Python "
        f"{machine['python']}, SQLite {machine['sqlite']}, PostgreSQL {machine['postgresql']}.\n"
    )


def _aims(document: dict[str, Any]) -> list[str]:
    lines = [
        "| aim | database | limit | reached | at best | | absolute | aim, on its machine | scaled to this one |",
        "|---|---|---:|---:|---:|---|---:|---:|---:|",
    ]
    for row in document["aims"]:
        digits = 2 if row["limit"] < 10 else 0
        figures = " | ".join(_figure(row.get(name), row.get("unit")) for name in ("absolute", "aim", "scaled"))
        limit = f"{'≥' if row['at_least'] else '≤'} {round(row['limit'], 2):,g}"
        lines.append(
            f"| {row['text']} | {_TITLES[row['database']]} | {limit} "
            f"| {row['reached']:,.{digits}f} | {row['best']:,.{digits}f} | {'met' if row['met'] else '**missed**'} "
            f"| {figures} |"
        )
    return lines


def _figure(value: float | None, unit: str | None) -> str:
    return "" if value is None or unit is None else f"{_number(value, unit)} {unit}".replace(" /s", "/s")


def _measurements(document: dict[str, Any]) -> list[str]:
    rows: dict[tuple[str, str, str], dict[str, Any]] = {}
    for each in document["measurements"]:
        rows.setdefault((each["group"], each["name"], each["unit"]), {})[each["database"]] = each
    lines = [
        "| | | unit | SQLite | p99 | best | CPU | PostgreSQL | p99 | best | CPU |",
        "|---|---|---|" + "---:|" * 8,
    ]
    for (group, name, unit), found in rows.items():
        cells = [_cells(found.get(database, found.get("")), unit) for database in ("sqlite", "postgresql")]
        lines.append(f"| {group} | {name} | {unit} | {cells[0]} | {cells[1]} |")
    return lines


def _cells(each: dict[str, Any] | None, unit: str) -> str:
    if each is None:
        return " | | | "
    return " | ".join(_number(each[name], unit) for name in ("median", "p99", "best", "cpu"))


def _number(value: float, unit: str) -> str:
    digits = 2 if unit == "ms" else 1 if unit in ("/s", "MiB") and value < 100 else 0
    return f"{value:,.{digits}f}"
