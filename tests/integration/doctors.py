"""Doctor's answers, asked as a program would: by the command line, as one JSON document."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from typing import Any

from strongroom.networks import TABLE
from strongroom.store.catalog.profile import read_profile
from strongroom.store.catalog.safety_facts import Catalogue, read_catalogue
from strongroom.store.connection.engine import ConnectionSettings
from strongroom.store.connection.read_only import ReadOnlyDatabase
from strongroom.takeover.doctor.findings import SEVERITIES, Finding
from strongroom.takeover.doctor.sample_wallets import sample_rows
from strongroom.takeover.doctor.schema_probes import schema_findings
from testbed.command_line import call

Document = dict[str, Any]

_PEAK = """
import json, re, sys
from strongroom.cli import main
code = main(sys.argv[1:])
with open("/proc/self/status") as status:  # getrusage would tell the peak of the process that forked this one
    print(json.dumps([code, int(re.search(r"VmHWM:\\s+(\\d+)", status.read())[1])]), file=sys.stderr)
"""


def document(url: str, *options: str, stdin: bytes = b"") -> Document:
    """What doctor says of a database; nothing else may be printed, and the exit code is that of the findings."""
    answer = call("doctor", "--database", url, *options, "--json", stdin=stdin)
    assert (answer.code in (0, 3), answer.err) == (True, ""), answer
    found: Document = json.loads(answer.out)
    assert answer.code == (3 if found["findings"] or found["schema"] else 0)
    assert found["summary"] == dict(Counter(each["code"] for each in found["findings"] + found["schema"]))
    human = call("doctor", "--database", url, *options, stdin=stdin)
    assert (human.code, "Traceback" in human.err) == (answer.code, False)
    return found


def codes(found: Document, row: object = None) -> Counter[str]:
    """The codes of the findings about rows, or about one credential or row."""
    return Counter(
        each["code"] for each in found["findings"] if row is None or str(row) in (each["row"], each["credential_id"])
    )


def finding(found: Document, code: str, row: object = None) -> Document:
    """The one finding of a code."""
    [each] = [
        each
        for each in found["findings"]
        if each["code"] == code and (row is None or str(row) in (each["row"], each["credential_id"]))
    ]
    return dict(each)


def peak_kilobytes(url: str) -> int:
    """The most memory that a process of its own takes for a run."""
    done = subprocess.run(
        [sys.executable, "-c", _PEAK, "doctor", "--database", url, "--json"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env={name: value for name, value in os.environ.items() if not name.startswith("STRONGROOM_")},
    )
    code, kilobytes = json.loads(done.stderr)
    assert code in (0, 3)
    return int(kilobytes)


TRIALS = sample_rows(TABLE)


def read(url: str) -> Catalogue:
    with ReadOnlyDatabase.open(url, ConnectionSettings(connect_timeout_seconds=5, busy_timeout_seconds=5)) as database:
        return read_catalogue(database, read_profile(database), TRIALS)


def look(url: str) -> list[Finding]:
    return schema_findings(read(url))


def found(url: str) -> set[tuple[str, str | None]]:
    findings = look(url)
    codes = [finding.code for finding in findings]
    assert codes == sorted(codes, key=list(SEVERITIES).index)
    pairs = [(finding.code, finding.table) for finding in findings]
    repeatable = {"check-too-narrow", "placeholder-trigger"}
    assert len({pair for pair in pairs if pair[0] not in repeatable}) == len(
        [pair for pair in pairs if pair[0] not in repeatable]
    )
    return set(pairs)
