"""The face of doctor and repair: what callbacks get, and what is told where a verb does not come to its end."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

import strongroom
from strongroom import Takeover
from strongroom.takeover import Progress, RepairReport
from testbed.databases.rows import execute


@pytest.fixture
def takeover(sqlite_vault_url: str, root_key_uri: str) -> Takeover:
    """A takeover of a vault with three wallets whose keys the legacy application wiped, under a guard."""
    opened = strongroom.open_takeover(sqlite_vault_url, root_key=root_key_uri)
    with strongroom.init(sqlite_vault_url, root_key=root_key_uri) as vault:
        opened.install_guard()
        for _ in range(3):
            vault.create_wallet(uuid4(), "ethereum")
    execute(sqlite_vault_url, "UPDATE credential_vault_storage SET encrypted_private_key = ''")
    return opened


def interrupt_after(number: int) -> tuple[list[Progress], object]:
    """A callback that is interrupted at a report, and the reports that it got."""
    seen: list[Progress] = []

    def callback(report: Progress) -> None:
        seen.append(report)
        if report.done == number:
            raise KeyboardInterrupt

    return seen, callback


def test_an_interrupted_diagnosis_is_partial_only_where_that_is_asked_for(takeover: Takeover) -> None:
    seen, callback = interrupt_after(2)
    with pytest.raises(KeyboardInterrupt):
        takeover.diagnose(progress=callback)  # type: ignore[arg-type]
    with takeover.diagnose(progress=callback, partial_on_interrupt=True) as report:  # type: ignore[arg-type]
        assert not report.complete
        assert report.looked_at == 2
        last = report.last_id
    assert [(each.step, each.done, each.total) for each in seen[:3]] == [("looking", number, 3) for number in range(3)]
    with takeover.diagnose(since=last) as report:
        assert report.complete
        assert report.looked_at == 1
        assert {finding.code for finding in report.findings()} == {"placeholder", "stored-flag-wrong"}


def test_a_repair_that_an_error_ends_reports_what_was_done(takeover: Takeover) -> None:
    plan = takeover.plan()
    told: list[RepairReport] = []
    _, callback = interrupt_after(2)
    with pytest.raises(KeyboardInterrupt):
        takeover.apply(plan, progress=callback, report=told.append)  # type: ignore[arg-type]
    assert told[0].wallets["done"] == 2
    done = takeover.apply(plan, report=told.append)
    assert done == told[1]
    assert (done.wallets["done"], done.wallets["not needed"], done.left_out) == (1, 2, 0)


def test_only_findings_that_are_there_are_acknowledged(takeover: Takeover) -> None:
    with takeover.diagnose() as report:
        names = [finding.name for finding in report.findings()]
        with pytest.raises(strongroom.FindingNotFoundError):
            takeover.acknowledge(report, [*names, "x:y"], reason="x", actor="ops", lasting=timedelta(days=1))
        assert sum(report.new().values()) == len(names)
        takeover.acknowledge(report, names, reason="x", actor="ops", lasting=timedelta(days=1))
    with takeover.diagnose() as report:
        assert report.new() == {}
        assert not report.healthy
