"""Findings on their way to the reader: any number of them, in an unlinked file instead of memory."""

from __future__ import annotations

import json
import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from enum import Enum
from types import TracebackType
from typing import IO, Any, NamedTuple, Self

from strongroom.takeover.doctor import commands
from strongroom.takeover.doctor.findings import Finding, shown_id
from strongroom.takeover.doctor.other_ids import OtherIds

_SOURCE_BYTES = 46
_HEAD_BYTES = 2 + _SOURCE_BYTES
NOWHERE = "its key is in no table of this database: restore the rows from a backup of before"
IN_HISTORY = "its key is in strongroom_vault_history"
KEPT = "the history keeps texts of it, none of which is known to be its key"
"""What is said of a wallet whose rows are gone, until its key is found."""
PATHLESS = "no path of it is known, and a phrase may have it at one that was not tried (`--path` names others)"
_NOT_OF_PROJECT = ", of another project or of none"


_MISSING = commands.KEYLESS | {"wallet-rows-gone"}


class Offer(NamedTuple):
    """A key that is stored somewhere, or a sealed text that is not where it belongs."""

    addresses: tuple[str, ...]
    """The addresses that the key may be of."""
    wallet_id: str | None
    """The wallet that a sealed text is of; None of any other text."""
    told: str
    """Where it is, for people."""
    command: str
    """What prints it; empty where nothing does."""
    text: str = ""
    """The sealed text, where it stands there as it is."""
    unlocked: str = ""
    """What prints what is in an envelope: refused where that is the key of another project's wallet."""
    project_id: str | None = None
    """The project of the wallet that an envelope is stored with."""
    possible: bool = False
    """Whether no key was read of the text: it may be that of these addresses, as its row says."""
    owner: str | None = None
    """The project of which a sealed text is, or a phrase of the vault."""
    pathless: bool = False
    """Whether it is a phrase that may have the key at a path that nobody knows."""


class Settled(Enum):
    """How a finding about a missing key is settled, or not."""

    OPEN = b" "
    KNOWN = b"k"
    """By a key in a vault record of its project, which a repair takes."""
    SEALED = b"e"
    """By a sealed text in a vault record, which is that row's own."""
    PLACED = b"p"
    """By an offer, or by what was found about one."""


class _Appended:
    """A file without a name that grows at its end, and is read and changed anywhere."""

    def __init__(self) -> None:
        self._file: IO[bytes] = tempfile.TemporaryFile(prefix="strongroom-doctor-")  # noqa: SIM115 - closed by close()
        self._end: int | None = 0
        """Where the file ends, if that is where it stands: seeking writes out what is buffered."""

    def close(self) -> None:
        """Close the file, which the system then removes."""
        self._file.close()

    def append(self, data: bytes) -> int:
        """Write at the end; returns the place of what was written."""
        place = self._file.seek(0, os.SEEK_END) if self._end is None else self._end
        self._end = None
        self._end = place + self._file.write(data)
        return place

    def at(self, place: int) -> IO[bytes]:
        """The file, standing at a place."""
        self._end = None
        self._file.seek(place)
        return self._file


class Spool:
    """Keeps findings in the order in which they were made. One that depends on other rows can be settled later."""

    def __init__(self) -> None:
        self._findings, self._offers = _Appended(), _Appended()
        self.counts: Counter[str] = Counter()
        """Number of findings by code."""
        self.leads_across: Callable[[Finding, str | None], bool] | None = None
        """Whether a key of the project that is named is one that a finding's wallet is not given."""
        self.unopened: tuple[str, str] | None = None
        """Why no key is lost, and the command that tells; None where everything was seen."""
        self.other_ids: OtherIds | None = None
        """How findings about wallets are told that strongroom cannot name."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the files, which the system then removes."""
        self._findings.close()
        self._offers.close()

    def add(self, finding: Finding, note: bytes = b" ") -> int:
        """Keep a finding, with a byte for the step that settles it; returns its place."""
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
            finding.members,
            finding.apart,
        ]
        head = note + Settled.OPEN.value + bytes(_SOURCE_BYTES)
        place = self._findings.append(head + _line(record))
        self.counts[finding.code] += 1
        return place

    def offer(self, offer: Offer) -> int:
        """Keep where a key is stored; returns the offer's place."""
        return self._offers.append(_line(offer))

    def offered(self, place: int) -> Offer:
        """An offer by its place."""
        addresses, *rest = _read(self._offers.at(place).readline())
        return Offer(tuple(addresses), *rest)

    def note(self, place: int) -> bytes:
        """The byte that is stored with a finding."""
        return self._findings.at(place).read(1)

    def finding(self, place: int) -> Finding:
        """A finding by its place, as it was added."""
        return _loaded(self._findings.at(place + _HEAD_BYTES).readline())

    def settle(self, place: int, source: str, note: bytes, how: Settled) -> None:
        """Say of a finding that the key is stored elsewhere after all: in a vault record, or where an offer says.

        ``note`` is its byte from now on.
        """
        head = note + how.value + source.encode(errors="surrogatepass").ljust(_SOURCE_BYTES, b"\0")
        self._findings.at(place).write(head)

    def __iter__(self) -> Iterator[Finding]:
        """Every finding, as often as asked for."""
        place = 0
        while True:
            file = self._findings.at(place)
            head, line = file.read(_HEAD_BYTES), file.readline()
            place += len(head) + len(line)
            if not line:
                return
            finding = _loaded(line)
            source = head[2:].rstrip(b"\0").decode(errors="surrogatepass")
            finding = self._settled(finding, Settled(head[1:2]), source)
            if self.unopened is not None and finding.code in _MISSING and finding.repair == "none":
                finding = _as_unopened(finding, *self.unopened)
            yield finding if self.other_ids is None else self.other_ids.told(finding)

    def _settled(self, finding: Finding, how: Settled, source: str) -> Finding:
        if how is Settled.KNOWN:
            return as_known(finding, source=source)
        if how is Settled.PLACED:
            return as_placed(finding, self.offered(int(source)))
        return finding if how is Settled.OPEN else as_elsewhere(finding, source)


def _loaded(line: bytes) -> Finding:
    found = Finding(*_read(line))
    return replace(found, members=tuple(found.members))


def _line(values: Sequence[Any]) -> bytes:
    """Values as one line. Surrogates stay as they are: JSON's escapes would make one character of two."""
    return json.dumps(values, ensure_ascii=False).encode(errors="surrogatepass") + b"\n"


def _read(line: bytes) -> list[Any]:
    values: list[Any] = json.loads(line.decode(errors="surrogatepass"))
    return values


def as_known(finding: Finding, where: str = "", source: str | None = None) -> Finding:
    """A finding about a key that is not where it should be, when it is elsewhere."""
    evidence = f"{finding.evidence}; {where or f'its key is stored in the vault record {shown_id(source)}'}"
    if finding.code == "unreadable":  # something stands there, and nothing is overwritten
        return replace(finding, evidence=evidence, repair="ask", automatic=False, source=source)
    return replace(finding, evidence=evidence, repair="fill", automatic=True, source=source, named_command="")


def in_record(record_id: str) -> Offer:
    """A key that is sealed in a vault record, as that row's own."""
    row = shown_id(record_id)
    command = commands.reveal(row) if row == record_id else ""
    return Offer((), None, f"the vault record {row}{_NOT_OF_PROJECT}", command)


def as_elsewhere(finding: Finding, source: str) -> Finding:
    """A finding about a missing key, when one for its address is sealed in a vault record, as that row's own."""
    offer = in_record(source)
    if finding.code == "unreadable":  # of any other, a repair takes one of its own project
        offer = offer._replace(told=offer.told.removesuffix(_NOT_OF_PROJECT))
    return replace(as_placed(finding, offer), source=source)


def as_derived(finding: Finding, derives: str, command: str) -> Finding:
    """A finding about a missing key, when a phrase of the vault derives it; ``command`` is empty where none helps."""
    evidence, by_hand = f"{finding.evidence}; {derives}", finding.by_hand or not command
    return replace(finding, evidence=evidence, repair="ask", automatic=False, named_command=command, by_hand=by_hand)


def _as_unopened(finding: Finding, why: str, command: str) -> Finding:
    """A finding about a missing key, when something was not opened, read or derived that may give it."""
    seen = replace(finding, evidence=finding.evidence.replace(f"; {NOWHERE}", ""))
    return replace(as_derived(seen, why, command), unopened=True)


def as_placed(finding: Finding, offer: Offer) -> Finding:
    """A finding about a missing key, when an offer says where it is."""
    what = "a key for its address" if offer.wallet_id is None else "a sealed text of it"
    what = "a text that was not read, and may be its key," if offer.possible else what
    told = f"{what} is stored in {offer.told}"
    if offer.pathless:
        told = f"{PATHLESS}: {offer.told}"
    evidence = finding.evidence.replace(NOWHERE, told).replace(KEPT, told)
    if finding.code != "wallet-rows-gone":
        evidence = f"{evidence}; {told}"
    by_hand = finding.by_hand or not offer.command
    placed = replace(finding, evidence=evidence, repair="ask", automatic=False)
    return replace(placed, named_command=offer.command, by_hand=by_hand)


def as_asked(finding: Finding, why: str) -> Finding:
    """A finding about a missing key, when the history keeps a text that may be it and is not taken unasked."""
    evidence = f"{finding.evidence}; a text in strongroom_vault_history may be its key, and {why}"
    return replace(finding, evidence=evidence, repair="ask", automatic=False)
