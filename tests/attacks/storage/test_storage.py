"""Disks that are full, fail, or are read-only: a typed error, nothing half-made, and all is well when it is over."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from testbed.harness.fork_server import ForkServer
from testbed.processes import wallets
from tests.attacks.audit import audit, told_by
from tests.attacks.storage.children import FORBIDDEN, go_through
from tests.attacks.summary import StartTally

UNKNOWN = "outcome-unknown"
WRITTEN = {
    "full disk": {"disk-full"},
    "bounded files": {"disk-failed", UNKNOWN},
    "read-only file system": {"read-only"},
    "read-only modes": {"read-only"},
}
"""What each trouble is called."""
INSTEAD = {"full disk": "bounded files", "read-only file system": "read-only modes"}
"""What is tried where the machine forbids namespaces."""


@pytest.fixture
def directory() -> Iterator[Path]:
    """A directory that somebody who is not root can reach."""
    made = Path(tempfile.mkdtemp(prefix="strongroom-storage-", dir="/tmp"))
    yield made
    shutil.rmtree(made)


@pytest.mark.parametrize("trouble", WRITTEN)
def test_sqlite_on_storage_that_fails(
    fork_server: ForkServer,
    sqlite_template: Path,
    root_key_uri: str,
    directory: Path,
    private_path: Path,
    tally: StartTally,
    trouble: str,
) -> None:
    fork_server.warm_up(wallets.warm_up)
    arguments = {"template": str(sqlite_template), "directory": str(directory), "root_key": root_key_uri}
    report = fork_server.run(go_through, trouble=trouble, result=str(private_path), **arguments)
    if FORBIDDEN in report.printed[0]:
        trouble = INSTEAD[trouble]
        report = fork_server.run(go_through, trouble=trouble, result=str(private_path), **arguments)
    row = tally("storage failed", "sqlite")
    tried = [line for line in report.printed if "verb" in line]
    failures = [line for line in tried if "code" in line]
    for line in failures:
        row.fault(f"{trouble}: {line['code']}")
        assert line["code"] in WRITTEN[trouble], line
        assert line["retryable"], line
        assert line["message"], line
        assert line["hint"], line
        assert line["read"], "what is stored could not be read"
        assert not line["changed"] or line["code"] == UNKNOWN, line
    assert {line["verb"] for line in failures if line["degree"] == 0} == {line["verb"] for line in tried}
    (told,) = [line for line in report.printed if "told" in line]
    assert told["status"] == 1, told
    assert f"Error ({failures[0]['code']})" in told["told"], told
    assert "Nothing was changed." in told["told"], told
    assert f"Next: {failures[0]['hint']}" in told["told"], told
    assert [line["verified"] for line in report.printed if "verified" in line] == [True]
    audit(row, f"sqlite:///{private_path / sqlite_template.name}", root_key_uri, told_by(report.printed))
