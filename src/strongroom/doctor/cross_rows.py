"""What comes of rows that have something in common, once every row was looked at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from hashlib import blake2b
from types import TracebackType
from typing import Self

from strongroom.doctor import comparisons
from strongroom.doctor.comparisons import Comparison, Group, Mark
from strongroom.doctor.findings import CREDENTIALS, Finding
from strongroom.doctor.notes import State
from strongroom.doctor.spool import Spool

_CHANGES = (
    (State.LOST, State.RECOVERABLE),
    (State.LOST, State.UNDECIDED),
    (State.UNEXPLAINED, State.RECOVERABLE),
    (State.UNEXPLAINED, State.UNDECIDED),
    (State.UNDECIDED, State.RECOVERABLE),
)


class CrossRows:
    """Writes findings about groups of rows, and settles those that waited for another row."""

    def __init__(self, spool: Spool, states: Counter[State]) -> None:
        self._spool = spool
        self._states = states
        self._across = Comparison()
        """Credentials whose key (found) or phrase (missing, unless the key is found) stands in several projects."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._across.close()

    def compare(self, group: Group) -> None:
        """Take one group, to its end."""
        if group.kind in (comparisons.KNOWN, comparisons.ELSEWHERE):
            self._settle(group.marks, same_project=group.kind == comparisons.KNOWN)
            return
        if group.kind == comparisons.SHARED_KEY:
            self._compare_keys(group.marks)
            return
        if group.kind == comparisons.PHRASE:
            self._compare_phrases(group.marks)
            return
        code, what = _SHARED[group.kind]
        first: str | None = None
        for tag, row in _several(group.marks):
            first = first or row
            proved = group.kind == comparisons.LIVE and tag == comparisons.OFFER
            self._spool.add(replace(_shared(code, row, what, proved=proved), source=first))

    def _compare_keys(self, marks: Iterator[tuple[bytes, str]]) -> None:
        """One key: the projects come first, then the credentials, then those whose history alone keeps it."""
        project: str | None = None
        across = False
        previous: str | None = None
        waiting: str | None = None
        for tag, row in marks:
            if tag == comparisons.PROJECT:
                across = across or project not in (None, row)
                project = row
                continue
            if row == previous or (tag == comparisons.NEED and not across):
                continue
            if across:
                self._share(row, ACROSS_PROJECTS)
                self._across.add(_across(row, comparisons.OFFER))
            elif previous is None:
                waiting = row
            else:
                if waiting is not None:
                    self._share(waiting, _SHARED_KEY)
                waiting = None
                self._share(row, _SHARED_KEY)
            previous = row

    def _compare_phrases(self, marks: Iterator[tuple[bytes, str]]) -> None:
        """One phrase: in one project it may have any number of wallets."""
        project: str | None = None
        across = False
        for tag, row in marks:
            if tag == comparisons.PROJECT:
                across = across or project not in (None, row)
                project = row
            elif across:
                self._across.add(_across(row, comparisons.NEED))

    def finish(self) -> None:
        """Tell of phrases, once every group was compared; not where a shared key of several projects was told of."""
        for group in self._across.groups():
            tag, row = next(group.marks)
            if tag == comparisons.NEED:
                self._share(row, PHRASE_ACROSS_PROJECTS)

    def _share(self, row: str, what: str) -> None:
        self._spool.add(Finding("shared-key", CREDENTIALS, row, row, what, "ask"))

    def _settle(self, marks: Iterator[tuple[bytes, str]], *, same_project: bool) -> None:
        """Offers come first: if there is one, every need in the group is met."""
        first = next(marks)
        if first[0] != comparisons.OFFER:
            return
        spool = self._spool
        for tag, place in marks:
            if tag == comparisons.NEED:
                before = spool.note(int(place))
                after = self._settled(before) if same_project else self._asked(before)
                spool.settle(int(place), first[1], after, same_project=same_project)

    def _settled(self, note: bytes) -> bytes:
        """Count a wallet as what it is, once its key was found elsewhere."""
        for before, after in _CHANGES:
            if note == note_of(before, after):
                self._states[before] -= 1
                self._states[after] += 1
        return b" "

    def _asked(self, note: bytes) -> bytes:
        """Count a wallet as undecided, once a key for it was found that is another project's or nobody's."""
        for before, after in _CHANGES:
            if before is not State.UNDECIDED and note == note_of(before, after):
                self._states[before] -= 1
                self._states[State.UNDECIDED] += 1
                return note_of(State.UNDECIDED, after)
        return note


def note_of(before: State, after: State) -> bytes:
    """How a wallet stands, and will once its key is found, as a byte that waits beside the finding."""
    return b"%d" % _CHANGES.index((before, after)) if (before, after) in _CHANGES else b" "


_SHARED_KEY = "one private key stands under this credential and under another one"
ACROSS_PROJECTS = "one private key stands in several projects, and under this credential"
"""The evidence of a shared key that stands in several projects."""
PHRASE_ACROSS_PROJECTS = "one phrase stands in several projects, and under this credential"
"""The evidence of a phrase that does, whichever keys of it are there: who has the phrase has them all."""
SPREAD = frozenset({ACROSS_PROJECTS, PHRASE_ACROSS_PROJECTS})
KEY_IS_HERE = "the key of this one is here"
"""How the evidence of a live wallet ends that is known to be whole."""
_SHARED = {
    comparisons.SHARED_VAULT_ID: ("shared-key-vault-id", "another credential has the same key_vault_id"),
    comparisons.LIVE: ("duplicate-live", "another wallet of this project, network and label is live"),
}


def once_known(state: State, finding: Finding) -> State:
    """How a wallet stands once the key that a finding misses was found."""
    if state in (State.SAFE, State.RECOVERABLE):
        return state
    return State.UNDECIDED if finding.code == "unreadable" else State.RECOVERABLE


def _across(row: str, tag: bytes) -> Mark:
    return Mark(comparisons.PHRASE, blake2b(row.encode(errors="surrogatepass"), digest_size=16).digest(), tag, row)


def _shared(code: str, row: str, what: str, *, proved: bool) -> Finding:
    if code == "duplicate-live":
        evidence = f"{what}; {KEY_IS_HERE if proved else 'the key of this one was not found'}"
        return Finding(code, CREDENTIALS, row, row, evidence, "retire")
    return Finding(code, CREDENTIALS, row, row, what, "unlink", True)


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
