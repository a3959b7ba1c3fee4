"""What a run found, at any time of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from strongroom.takeover.doctor.acknowledgements import Acknowledgements
from strongroom.takeover.doctor.findings import SEVERITIES, Finding
from strongroom.takeover.doctor.spool import Spool
from strongroom.takeover.doctor.state import State


@dataclass
class Diagnosis:
    """What was found; its findings live in a file until it is closed."""

    generation: str = ""
    schema: list[Finding] = field(default_factory=list)
    notes: list[Finding] = field(default_factory=list)
    """What should be known about the schema, and makes nothing unhealthy."""
    credentials: int = 0
    """How many there are, not how many were looked at."""
    vault_records: int = 0
    readable: bool = True
    """False where row-level security hid the wallets: then nothing is said about them."""
    states: Counter[State] = field(default_factory=Counter)
    """How the keys of the wallets that were looked at stand."""
    exposed: int = 0
    """How many wallets have a key in plaintext."""
    last_id: str | None = None
    """The last wallet that was looked at, in this run or the one that it goes on from; it may be an orphan's."""
    complete: bool = False
    """Whether the run came to its end."""
    spool: Spool = field(default_factory=Spool)

    acknowledged: Acknowledgements = field(default_factory=Acknowledgements)
    """Which findings a person knows of."""
    proved: bool = False
    """Whether sealed texts were opened, because there was a root key."""

    def summary(self) -> dict[str, int]:
        """Number of findings by code, those about the schema too, in the order of the reference."""
        counts = self.spool.counts + Counter(finding.code for finding in self.schema)
        return {code: counts[code] for code in SEVERITIES if counts[code]}

    @property
    def healthy(self) -> bool:
        """Whether there are no findings, neither of rows nor of the schema."""
        return not self.schema and not self.spool.counts

    def new(self) -> Counter[str]:
        """Number of findings by code that nobody acknowledged, those about the schema too."""
        if not self.acknowledged:
            return Counter(self.summary())
        return Counter(finding.code for finding in self.acknowledged.new((*self.schema, *self.spool)))

    @property
    def looked_at(self) -> int:
        """How many credentials were looked at."""
        return self.states.total()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.spool.close()
