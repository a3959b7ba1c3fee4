"""A pytest plugin: with STRONGROOM_FORBID_SKIPS=1 a skipped test is a failure, and is listed.

Without it skipped tests are listed as pytest does. Works under pytest-xdist, since the report is changed where the
test runs. An expected failure (xfail) is not a skip.
"""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest

_PREFIX = "skipped, and STRONGROOM_FORBID_SKIPS=1: "


def _forbid(report: pytest.TestReport | pytest.CollectReport) -> None:
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("STRONGROOM_FORBID_SKIPS") == "1":
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome = "failed"
        report.longrepr = _PREFIX + reason.removeprefix("Skipped: ")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skipped test into a failed one."""
    report = yield
    _forbid(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Turn a skipped module into a failed one."""
    report = yield
    _forbid(report)
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """List what was skipped and must not be."""
    reports = [*terminalreporter.stats.get("failed", ()), *terminalreporter.stats.get("error", ())]
    skipped = [each for each in reports if str(each.longrepr).startswith(_PREFIX)]
    if skipped:
        terminalreporter.section("skipped tests, which count as failures here")
        for each in skipped:
            terminalreporter.line(f"{each.nodeid}: {str(each.longrepr).removeprefix(_PREFIX)}")
