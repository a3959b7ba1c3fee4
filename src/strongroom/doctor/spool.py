"""Findings on their way to the reader: any number of them, in an unlinked file instead of memory."""

from __future__ import annotations

import json
import os
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from types import TracebackType
from typing import IO, Self

from strongroom.doctor.findings import Finding

_KNOWN = b"k"


class Spool:
    """Keeps findings in the order in which they were made. One that depends on other rows can be settled later."""

    def __init__(self) -> None:
        self._file: IO[bytes] = tempfile.TemporaryFile(prefix="strongroom-doctor-")  # noqa: SIM115 - closed by close()
        self.counts: Counter[str] = Counter()
        """Number of findings by code."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Forget everything."""
        self._file.close()

    def add(self, finding: Finding, note: bytes = b" ") -> int:
        """Keep a finding, with a byte for whoever settles it; returns its place."""
        place = self._file.seek(0, os.SEEK_END)
        record = [
            finding.code,
            finding.table,
            finding.row,
            finding.credential_id,
            finding.evidence,
            finding.repair,
            finding.automatic,
        ]
        self._file.write(note + json.dumps(record).encode() + b"\n")
        self.counts[finding.code] += 1
        return place

    def settle(self, place: int) -> bytes:
        """Say of a finding that the key stands elsewhere after all; returns its byte."""
        self._file.seek(place)
        note = self._file.read(1)
        self._file.seek(place)
        self._file.write(_KNOWN)
        return note

    def __iter__(self) -> Iterator[Finding]:
        """Every finding, as often as asked for."""
        place = 0
        while True:
            self._file.seek(place)
            line = self._file.readline()
            place += len(line)
            if not line:
                return
            finding = Finding(*json.loads(line[1:]))
            yield as_known(finding) if line[:1] == _KNOWN else finding


def as_known(finding: Finding, where: str = "its key stands in another row") -> Finding:
    """A finding about a key that is not where it should be, when it is elsewhere."""
    evidence = f"{finding.evidence}; {where}"
    if finding.code == "unreadable":  # something stands there, and nothing is overwritten
        return replace(finding, evidence=evidence, repair="ask", automatic=False)
    return replace(finding, evidence=evidence, repair="fill", automatic=True)
