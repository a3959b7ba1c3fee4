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

from strongroom.takeover.doctor.findings import Finding, shown_id
from strongroom.takeover.doctor.other_ids import OtherIds

_OPEN, _KNOWN, _ELSEWHERE = b" ", b"k", b"e"
"""Whether a finding was settled: not, by a key of its project, or by one of another project or of none."""
_SOURCE_BYTES = 46
_HEAD_BYTES = 2 + _SOURCE_BYTES


class Spool:
    """Keeps findings in the order in which they were made. One that depends on other rows can be settled later."""

    def __init__(self) -> None:
        self._file: IO[bytes] = tempfile.TemporaryFile(prefix="strongroom-doctor-")  # noqa: SIM115 - closed by close()
        self._end: int | None = 0
        """Where the file ends, if that is where it stands: seeking writes out what is buffered."""
        self.counts: Counter[str] = Counter()
        """Number of findings by code."""
        self.other_ids: OtherIds | None = None
        """How findings about wallets are told that strongroom cannot name."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the file, which the system then removes."""
        self._file.close()

    def add(self, finding: Finding, note: bytes = b" ") -> int:
        """Keep a finding, with a byte for the step that settles it; returns its place."""
        place = self._file.seek(0, os.SEEK_END) if self._end is None else self._end
        self._end = None
        record = [
            finding.code,
            finding.table,
            finding.row,
            finding.credential_id,
            finding.evidence,
            finding.repair,
            finding.automatic,
            finding.source,
            finding.named_command,
            finding.orphan,
            finding.holds_more,
            finding.by_hand,
        ]
        self._end = place + self._file.write(note + _OPEN + bytes(_SOURCE_BYTES) + json.dumps(record).encode() + b"\n")
        self.counts[finding.code] += 1
        return place

    def note(self, place: int) -> bytes:
        """The byte that is stored with a finding."""
        self._end = None
        self._file.seek(place)
        return self._file.read(1)

    def settle(self, place: int, source: str, note: bytes, *, same_project: bool) -> None:
        """Say of a finding that the key is stored in another vault record after all; ``note`` is its byte from now
        on."""
        self._end = None
        self._file.seek(place)
        mark = _KNOWN if same_project else _ELSEWHERE
        self._file.write(note + mark + source.encode(errors="surrogatepass").ljust(_SOURCE_BYTES, b"\0"))

    def __iter__(self) -> Iterator[Finding]:
        """Every finding, as often as asked for."""
        place = 0
        while True:
            self._end = None
            self._file.seek(place)
            head = self._file.read(_HEAD_BYTES)
            line = self._file.readline()
            place += len(head) + len(line)
            if not line:
                return
            finding = Finding(*json.loads(line))
            source = head[2:].rstrip(b"\0").decode(errors="surrogatepass")
            if head[1:2] == _KNOWN:
                finding = as_known(finding, source=source)
            elif head[1:2] == _ELSEWHERE:
                finding = as_elsewhere(finding, source)
            yield finding if self.other_ids is None else self.other_ids.told(finding)


def as_known(finding: Finding, where: str = "", source: str | None = None) -> Finding:
    """A finding about a key that is not where it should be, when it is elsewhere."""
    evidence = f"{finding.evidence}; {where or f'its key is stored in the vault record {shown_id(source)}'}"
    if finding.code == "unreadable":  # something stands there, and nothing is overwritten
        return replace(finding, evidence=evidence, repair="ask", automatic=False, source=source)
    return replace(finding, evidence=evidence, repair="fill", automatic=True, source=source, named_command="")


def as_elsewhere(finding: Finding, source: str) -> Finding:
    """A finding about a missing key, when one for its address is in another project, or in none."""
    where = f"a key for its address is stored in the vault record {shown_id(source)}, of another project or of none"
    return replace(finding, evidence=f"{finding.evidence}; {where}", repair="ask", automatic=False, source=source)


def as_asked(finding: Finding, why: str) -> Finding:
    """A finding about a missing key, when the history keeps a text that may be it and is not taken unasked."""
    evidence = f"{finding.evidence}; a text in strongroom_vault_history may be its key, and {why}"
    return replace(finding, evidence=evidence, repair="ask", automatic=False)
