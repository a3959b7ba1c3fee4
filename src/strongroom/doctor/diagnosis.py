"""The run: rows in, findings out, in flat memory and on all cores where keys are derived."""

from __future__ import annotations

import os
from collections import Counter, deque
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Self

from strongroom.doctor import comparisons, sealed_texts
from strongroom.doctor.comparisons import Comparison, Group
from strongroom.doctor.examination import Readings, Work, examine
from strongroom.doctor.findings import CREDENTIALS, HISTORY, SEVERITIES, Finding
from strongroom.doctor.key_texts import IN_CLEAR, LOCKED, Kind, read
from strongroom.doctor.notes import Examined, Ground, State
from strongroom.doctor.spool import Spool, as_asked, as_known
from strongroom.doctor.text_probes import open_text
from strongroom.store.inspection import FoundWallet, Inspection, KeptText

_BATCH = 64
"""How much work a thread takes at a time: handing over a single phrase would cost a tenth of its time."""
_AHEAD = 3
"""Batches for each core that are read before the oldest of them is done."""


@dataclass
class Diagnosis:
    """What was found; its findings live in a file until it is closed."""

    generation: str = ""
    schema: list[Finding] = field(default_factory=list)
    credentials: int = 0
    """How many there are, not how many were looked at."""
    vault_records: int = 0
    readable: bool = True
    """False where row-level security hid the wallets: then nothing is said about them."""
    states: Counter[State] = field(default_factory=Counter)
    """How the keys of the wallets that were looked at stand."""
    exposed: int = 0
    """How many wallets have a key in clear."""
    last_id: str | None = None
    """The last wallet that was looked at, in this run or the one that it goes on from; it may be an orphan's."""
    complete: bool = False
    """Whether the run came to its end."""
    spool: Spool = field(default_factory=Spool)

    proved: bool = False
    """Whether sealed texts were opened, because there was a root key."""

    def summary(self) -> dict[str, int]:
        """Number of findings by code, those about the schema too, in the order of the reference."""
        counts = self.spool.counts + Counter(finding.code for finding in self.schema)
        return {code: counts[code] for code in SEVERITIES if counts[code]}

    @property
    def healthy(self) -> bool:
        """Whether nothing was found."""
        return not self.schema and not self.spool.counts

    @property
    def looked_at(self) -> int:
        """How many credentials were looked at."""
        return self.states.total()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.spool.close()


class Doctor:
    """Looks at every wallet of an inspection. ``diagnosis`` holds what was found so far, at any time."""

    def __init__(self, inspection: Inspection, ground: Ground, diagnosis: Diagnosis) -> None:
        self._inspection = inspection
        self._ground = ground
        self._comparison: Comparison
        self.diagnosis = diagnosis

    def run(self, since: str | None = None) -> Generator[None]:
        """Look at the wallets after an id; yields once for each.

        Closing the iterator, or interrupting it, leaves what was found so far, comparisons among it included.
        """
        self.diagnosis.last_id = since
        return self._look(since)

    def _look(self, since: str | None) -> Generator[None]:
        with Comparison() as self._comparison:
            try:
                for examined in self._examined(since) if self._inspection.readable else ():
                    self._keep(examined)
                    yield
                for kept in self._inspection.foreign_history():
                    self.diagnosis.spool.add(self._of_history(kept))
            finally:
                for group in self._comparison.groups():
                    self._compare(group)
        self.diagnosis.complete = True

    def _examined(self, since: str | None) -> Iterator[Examined]:
        """Each wallet examined, in order; where a key derivation function runs, on threads, which it leaves free."""
        cores = os.cpu_count() or 1
        batch, waiting = _Batch(), deque[Future[list[Examined]]]()
        with ThreadPoolExecutor(cores, "strongroom-doctor") as pool:
            try:
                for found in self._inspection.wallets(since):
                    readings = Readings.of(found)
                    work = readings.work()
                    if work is Work.LIGHT and not batch.wallets and not waiting:
                        yield examine(self._ground, found, readings)
                        continue
                    batch.add(found, readings, work)
                    if batch.work >= _BATCH:
                        waiting.append(pool.submit(batch.examined, self._ground))
                        batch = _Batch()
                    while waiting and (len(waiting) >= _AHEAD * cores or waiting[0].done()):
                        yield from waiting.popleft().result()
                waiting.append(pool.submit(batch.examined, self._ground))
                while waiting:
                    yield from waiting.popleft().result()
            finally:
                pool.shutdown(wait=True, cancel_futures=True)

    def _keep(self, examined: Examined) -> None:
        """Write down what came of a wallet."""
        diagnosis = self.diagnosis
        for finding in examined.findings:
            diagnosis.spool.add(finding)
        conditional = examined.conditional
        in_history = self._in_history(examined) if conditional else False
        if in_history:
            for finding in conditional:
                diagnosis.spool.add(as_known(finding, "its key is in strongroom_vault_history"))
            if examined.state is not None:
                examined.state = _once_known(examined.state, conditional[0])
        else:
            if in_history is None and examined.state is State.LOST:
                examined.state = State.UNDECIDED
            for number, finding in enumerate(conditional):
                asked = as_asked(finding) if in_history is None else finding
                self._keep_open(asked, examined, first=number == 0)
        for mark in examined.marks:
            self._comparison.add(mark)
        if examined.state is not None:
            diagnosis.states[examined.state] += 1
        diagnosis.exposed += examined.exposed
        diagnosis.last_id = examined.wallet_id or diagnosis.last_id

    def _keep_open(self, finding: Finding, examined: Examined, *, first: bool) -> None:
        """Write down what would be another finding if the key were in another row; the first one tells the state."""
        state = examined.state
        note = _note(state, _once_known(state, finding)) if first and state is not None else b" "
        place = self.diagnosis.spool.add(finding, note)
        prints = self._ground.fingerprints
        if examined.credential_id is not None:
            self._comparison.add(prints.need(examined.credential_id, place))
        if examined.target is not None:
            self._comparison.add(prints.need(examined.target.address, place))

    def _in_history(self, examined: Examined) -> bool | None:
        """Whether the history keeps the wallet's key; None where it keeps what may be it, under a password."""
        if examined.credential_id is None:
            return False
        locked = False
        for kept in self._inspection.kept(examined.credential_id):
            found = self._ground.derivation.reading(read(kept.text), examined.target)
            if found.kind is Kind.SEALED:
                claim = sealed_texts.claim(kept.text)
                if claim is not None and claim.credential_id == examined.credential_id:
                    return True
                continue
            content, _ = open_text(self._ground, examined, found)
            if content is not None and content.derives:
                return True
            locked = locked or (found.kind in LOCKED and content is None)
        return None if locked else False

    def _of_history(self, kept: KeptText) -> Finding:
        target = self._ground.derivation.target(kept.network, kept.address)
        found = self._ground.derivation.reading(read(kept.text), target)
        opened, note = self._ground.passwords.open(found) if found.kind not in IN_CLEAR else (found, "")
        content = None if opened is None else self._ground.derivation.explain(opened, target)
        derives = content is not None and content.derives
        what = "derives the address of its entry" if derives else note or "does not derive the address of its entry"
        return Finding(
            "foreign-history",
            HISTORY,
            kept.id,
            kept.credential_id,
            f"another application's text: {found.form}; {what}",
            "seal" if derives else "ask",
            derives,
        )

    def _compare(self, group: Group) -> None:
        if group.kind == comparisons.KNOWN:
            self._settle(group.marks)
            return
        code, what = _SHARED[group.kind]
        first: str | None = None
        for tag, row in _several(group.marks):
            first = first or row
            proved = group.kind == comparisons.LIVE and tag == comparisons.OFFER
            self.diagnosis.spool.add(replace(_shared(code, row, what, proved=proved), source=first))

    def _settle(self, marks: Iterator[tuple[bytes, str]]) -> None:
        """Offers come first: if there is one, every need in the group is met."""
        first = next(marks)
        if first[0] != comparisons.OFFER:
            return
        for tag, place in marks:
            if tag == comparisons.NEED:
                self._settled(self.diagnosis.spool.settle(int(place), first[1]))

    def _settled(self, note: bytes) -> None:
        """Count a wallet as what it is, once its key was found elsewhere."""
        for before, after in _CHANGES:
            if note == _note(before, after):
                self.diagnosis.states[before] -= 1
                self.diagnosis.states[after] += 1


_CHANGES = (
    (State.LOST, State.RECOVERABLE),
    (State.LOST, State.UNDECIDED),
    (State.UNDECIDED, State.RECOVERABLE),
)


def _note(before: State, after: State) -> bytes:
    """How a wallet stands, and will once its key is found, as a byte that waits beside the finding."""
    return b"%d" % _CHANGES.index((before, after)) if (before, after) in _CHANGES else b" "


KEY_IS_HERE = "the key of this one is here"
"""How the evidence of a live wallet ends that is known to be whole."""
_SHARED = {
    comparisons.SHARED_KEY: ("shared-key", "one private key stands under this credential and under another one"),
    comparisons.SHARED_VAULT_ID: ("shared-key-vault-id", "another credential has the same key_vault_id"),
    comparisons.LIVE: ("duplicate-live", "another wallet of this project, network and label is live"),
}


def _once_known(state: State, finding: Finding) -> State:
    """How a wallet stands once the key that a finding misses was found."""
    if state in (State.SAFE, State.RECOVERABLE):
        return state
    return State.UNDECIDED if finding.code == "unreadable" else State.RECOVERABLE


def _shared(code: str, row: str, what: str, *, proved: bool) -> Finding:
    if code == "duplicate-live":
        evidence = f"{what}; {KEY_IS_HERE if proved else 'the key of this one was not found'}"
        return Finding(code, CREDENTIALS, row, row, evidence, "retire")
    if code == "shared-key-vault-id":
        return Finding(code, CREDENTIALS, row, row, what, "unlink", True)
    return Finding(code, CREDENTIALS, row, row, what, "ask")


def _several(marks: Iterator[tuple[bytes, str]]) -> Iterator[tuple[bytes, str]]:
    """The marks of a group, each row once, if there are two rows or more."""
    first = next(marks)
    seen = first[1]
    told = False
    for mark in marks:
        if mark[1] == seen:
            continue
        if not told:
            yield first
            told = True
        seen = mark[1]
        yield mark


@dataclass(slots=True)
class _Batch:
    """Wallets in a row, for one thread."""

    wallets: list[tuple[FoundWallet, Readings]] = field(default_factory=list)
    work: int = 0

    def add(self, found: FoundWallet, readings: Readings, work: Work) -> None:
        """Take one more."""
        self.wallets.append((found, readings))
        self.work += work

    def examined(self, ground: Ground) -> list[Examined]:
        """Examine all of them."""
        return [examine(ground, found, readings) for found, readings in self.wallets]
