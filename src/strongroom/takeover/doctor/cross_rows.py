"""What comes of rows that have something in common, once every row was looked at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from hashlib import blake2b
from types import TracebackType
from typing import Self

from strongroom.takeover.doctor import commands, cross_row_index
from strongroom.takeover.doctor.cross_row_index import CrossRowIndex, Group, MatchKey
from strongroom.takeover.doctor.findings import CREDENTIALS, Finding
from strongroom.takeover.doctor.spool import Offer, Settled, Spool, in_record
from strongroom.takeover.doctor.state import State

_CHANGES = (
    (State.LOST, State.RECOVERABLE),
    (State.LOST, State.UNDECIDED),
    (State.UNEXPLAINED, State.RECOVERABLE),
    (State.UNEXPLAINED, State.UNDECIDED),
    (State.UNDECIDED, State.RECOVERABLE),
)


class CrossRows:
    """Writes findings about groups of rows, and settles those that waited for another row."""

    def __init__(
        self, spool: Spool, states: Counter[State], way_back: Callable[[Finding, Offer], Offer | None] | None = None
    ) -> None:
        """``way_back``: an offer with what puts a sealed text back, or opens an envelope; None where nothing does."""
        self._spool = spool
        self._states = states
        self._way_back = way_back
        self._across = CrossRowIndex()
        """Credentials whose key or phrase, or one next to it, is in several projects."""
        self.exposed = 0
        """How many wallets have a key in plaintext, in their rows or in the history."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._across.close()

    def compare(self, group: Group) -> None:
        """Take one group, to its end."""
        if group.kind in _ABOUT_MISSING:
            self._settle(group.kind, group.match_keys)
            return
        if group.kind == cross_row_index.EXPOSED:
            self.exposed += 1
            return
        if group.kind == cross_row_index.SHARED_KEY:
            self._compare_keys(group.match_keys)
            return
        if group.kind == cross_row_index.PHRASE:
            self._compare_phrases(group.match_keys)
            return
        code, what = _SHARED[group.kind]
        first: str | None = None
        for tag, row in _several(group.match_keys):
            first = first or row
            self._spool.add(replace(_shared(code, row, what, tag), source=first))

    def _compare_keys(self, match_keys: Iterator[tuple[bytes, str]]) -> None:
        """One key: the projects come first, then the credentials, then those whose history alone keeps it."""
        project: str | None = None
        across = False
        previous: str | None = None
        waiting: str | None = None
        for tag, row in match_keys:
            if tag == cross_row_index.PROJECT:
                across = across or project not in (None, row)
                project = row
                continue
            if row == previous or (tag in _KEPT and not across):
                continue
            if across:
                own = tag not in _BESIDE
                self._share(row, ACROSS_PROJECTS if own else f"{ACROSS_PROJECTS}; {NOT_ITS_OWN}")
                self._across.add(_across(row, _KEY if own else _OTHER_KEY))
            elif previous is None:
                waiting = row
            else:
                if waiting is not None:
                    self._share(waiting, _SHARED_KEY)
                waiting = None
                self._share(row, _SHARED_KEY)
            previous = row

    def _compare_phrases(self, match_keys: Iterator[tuple[bytes, str]]) -> None:
        """One phrase: in one project it may have any number of wallets."""
        project: str | None = None
        across = False
        for tag, row in match_keys:
            if tag == cross_row_index.PROJECT:
                across = across or project not in (None, row)
                project = row
            elif across:
                self._across.add(_across(row, _OTHER_PHRASE if tag in _BESIDE else _PHRASE))

    def finish(self) -> None:
        """Tell of phrases, once every group was compared; not where a shared key of several projects was told of."""
        for group in self._across.groups():
            tags = dict(group.match_keys)
            row = next(iter(tags.values()))
            if _PHRASE in tags and _KEY not in tags:
                self._share(row, PHRASE_ACROSS_PROJECTS)
            elif _OTHER_PHRASE in tags and not {_KEY, _OTHER_KEY, _PHRASE} & tags.keys():
                self._share(row, f"{PHRASE_ACROSS_PROJECTS}; {NOT_ITS_OWN}")

    def _share(self, row: str, what: str) -> None:
        self._spool.add(Finding("shared-key", CREDENTIALS, row, row, what, "ask"))

    def _settle(self, kind: bytes, match_keys: Iterator[tuple[bytes, str]]) -> None:
        """Offers come first: if there is one, every need in the group is met."""
        offers = [next(match_keys)]
        if offers[0][0] not in _OFFERS:
            return
        for tag, row in match_keys:
            if tag in _OFFERS:
                offers.extend([(tag, row)] if len(offers) < _MOST_OFFERS else ())
                continue
            place = int(row)
            offered, source, across = self._best(kind, place, offers)
            how, told = _OFFERS[offered], source
            if kind in _POSSIBLE and not _is_missing(self._spool.finding(place)):
                continue
            if kind == cross_row_index.KNOWN:
                if self._spool.finding(place).code in _IN_THE_WAY:
                    continue  # something stands there, and nothing is overwritten: what was found before says more
                how = Settled.KNOWN
            elif offered == cross_row_index.PLACED:
                back = self._put_back(kind, place, int(source))
                if back is None and tag == cross_row_index.REPLACED:
                    continue
                told = source if back is None else str(self._spool.offer(back))
            if across is not None:
                how, told = Settled.PLACED, str(self._spool.offer(across))
            before = self._spool.note(place)
            after = self._settled(before) if how is Settled.KNOWN else self._asked(before)
            self._spool.settle(place, told, after, how)

    def _best(self, kind: bytes, place: int, offers: list[tuple[bytes, str]]) -> tuple[bytes, str, Offer | None]:
        """The first offer that leads no key of another project to the wallet of a finding; else the first one, and
        what is told of it instead."""
        first: Offer | None = None
        for offered, source in offers if kind in _BY_ADDRESS else ():
            across = self._of_others(place, _OFFERS[offered], source)
            if across is None:
                return offered, source, None
            first = first or across
        return *offers[0], first

    def _put_back(self, kind: bytes, place: int, offer: int) -> Offer | None:
        """What puts a sealed text back where a finding misses it, or opens an envelope."""
        found = self._spool.offered(offer)
        if self._way_back is None or not (kind == cross_row_index.SEALED or found.unlocked):
            return None
        return self._way_back(self._spool.finding(place), found)

    def _of_others(self, place: int, how: Settled, source: str) -> Offer | None:
        """The offer without its command, where that would lead another project's key to a wallet of which nothing
        proves that it is its own."""
        leads = self._spool.leads_across
        found = self._spool.offered(int(source)) if how is Settled.PLACED else in_record(source)
        if leads is None and how is Settled.SEALED and self._spool.finding(place).code in commands.KEYLESS:
            return found._replace(command=commands.WITH_ROOT_KEY, told=f"{found.told}; {NOT_PROVED_HERE}")
        if leads is None or not leads(self._spool.finding(place), found.owner):
            return None
        return found._replace(command="", unlocked="", told=f"{found.told}; {OF_ANOTHER_PROJECT}")

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


_MOST_OFFERS = 16
"""Of one address: those of its own project are among the first, unless somebody planted as many."""
_ABOUT_MISSING = frozenset(
    {
        cross_row_index.UNREAD,
        cross_row_index.POSSIBLE,
        cross_row_index.ELSEWHERE,
        cross_row_index.SEALED,
        cross_row_index.KNOWN,
    }
)
_BY_ADDRESS = frozenset({cross_row_index.POSSIBLE, cross_row_index.ELSEWHERE})
OF_ANOTHER_PROJECT = (
    "nothing but this row says that it is this project's, which anyone may have written: who holds the key gives it to "
    "another project by `strongroom wallet import` alone"
)
_POSSIBLE = frozenset({cross_row_index.UNREAD, cross_row_index.POSSIBLE})
NOT_PROVED_HERE = "whether it is this wallet's as well, nothing tells without the root key"
_OFFERS = {
    cross_row_index.PLACED: Settled.PLACED,
    cross_row_index.FOUND: Settled.SEALED,
}
_IN_THE_WAY = frozenset({"unreadable"})


def _is_missing(finding: Finding) -> bool:
    """Whether nothing was read that could be the key."""
    return finding.repair == "none"


def note_of(before: State, after: State) -> bytes:
    """How a wallet stands, and will once its key is found, as a byte that is stored with the finding."""
    return b"%d" % _CHANGES.index((before, after)) if (before, after) in _CHANGES else b" "


_SHARED_KEY = "one private key stands under this credential and under another one"
ACROSS_PROJECTS = "one private key is stored in several projects, and under this credential"
"""The evidence of a shared key that is in several projects."""
PHRASE_ACROSS_PROJECTS = "one phrase is stored in several projects, and under this credential"
"""The evidence of a phrase that does, whichever keys of it are there: who has the phrase has them all."""
ACROSS = (ACROSS_PROJECTS, PHRASE_ACROSS_PROJECTS)
NOT_ITS_OWN = "it is not the one of this credential's address"
SPREAD = frozenset({ACROSS_PROJECTS, PHRASE_ACROSS_PROJECTS})
"""The evidence of a shared key or phrase that is the wallet's own, or may be."""
_KEY, _OTHER_KEY, _PHRASE, _OTHER_PHRASE = b"0", b"1", b"2", b"3"
_KEPT = frozenset({cross_row_index.MISSING, cross_row_index.KEPT_BESIDE})
_BESIDE = frozenset({cross_row_index.BESIDE, cross_row_index.KEPT_BESIDE})
_WHERE = {
    cross_row_index.FOUND: "the key of this one is here",
    cross_row_index.IN_METADATA: "the key of this one is in its metadata",
}
_NOT_IN_ITS_RECORD = "the key of this one is not in its own vault record"
"""Where the key of a live wallet is, as the evidence says."""
_SHARED = {
    cross_row_index.SHARED_VAULT_ID: ("shared-key-vault-id", "another credential has the same key_vault_id"),
    cross_row_index.LIVE: ("duplicate-live", "another wallet of this project, network and label is live"),
}


def once_known(state: State, finding: Finding) -> State:
    """How a wallet stands once the key that a finding misses was found."""
    if state in (State.SAFE, State.RECOVERABLE):
        return state
    return State.UNDECIDED if finding.code == "unreadable" else State.RECOVERABLE


def _across(row: str, tag: bytes) -> MatchKey:
    return MatchKey(
        cross_row_index.PHRASE, blake2b(row.encode(errors="surrogatepass"), digest_size=16).digest(), tag, row
    )


def _shared(code: str, row: str, what: str, tag: bytes) -> Finding:
    if code == "duplicate-live":
        evidence = f"{what}; {_WHERE.get(tag, _NOT_IN_ITS_RECORD)}"
        return Finding(code, CREDENTIALS, row, row, evidence, "retire")
    return Finding(code, CREDENTIALS, row, row, what, "unlink", True)


def _several(match_keys: Iterator[tuple[bytes, str]]) -> Iterator[tuple[bytes, str]]:
    """The match keys of a group, each row once, if there are two rows or more."""
    first = next(match_keys)
    seen = first[1]
    told = False
    for match_key in match_keys:
        if match_key[1] == seen:
            continue
        if not told:
            yield first
            told = True
        seen = match_key[1]
        yield match_key
