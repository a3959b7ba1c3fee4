"""Findings that a person knows of: a monitor is quiet about them until they expire or say something else."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from strongroom.crypto.keyring import Keyring
from strongroom.records.acknowledgements import Acknowledgement
from strongroom.takeover.doctor.findings import TAMPERING, Finding
from strongroom.usecases.acknowledge import believed


class Acknowledgements:
    """What was acknowledged, and counts now."""

    def __init__(self, known: Iterable[Acknowledgement] = ()) -> None:
        self._known = {(each.finding, each.evidence): each for each in known}

    def __len__(self) -> int:
        return len(self._known)

    @classmethod
    def read(cls, events: Iterable[Mapping[str, Any]], keys: Keyring, now: datetime) -> Acknowledgements:
        """Those among events whose tag fits and whose time has not passed; of a finding the one that lasts longest."""
        known = [each for each in (believed(details, keys) for details in events) if each is not None]
        return cls(sorted((each for each in known if each.until > now), key=lambda each: each.until))

    def of(self, finding: Finding) -> Acknowledgement | None:
        """Who knows of a finding, as it is said now; None: it is new. What may be tampering is new each time."""
        if finding.code in TAMPERING or not self._known:
            return None
        return self._known.get((finding.name, evidence_of(finding)))

    def new(self, findings: Iterable[Finding]) -> Iterator[Finding]:
        """Those of findings that nobody knows of."""
        return (finding for finding in findings if self.of(finding) is None)


def evidence_of(finding: Finding) -> str:
    """What a finding says, as sixteen digits: where it says something else, it is another one."""
    return hashlib.sha256(finding.evidence.encode(errors="surrogatepass")).hexdigest()[:16]
