"""The run: rows in, findings out, in flat memory and on all cores where keys are derived."""

from __future__ import annotations

import os
from collections import Counter, deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from itertools import islice

from strongroom.crypto.sealed_headers import is_one
from strongroom.errors import StoreError
from strongroom.store.inspection.inspection import Inspection, KeptText
from strongroom.store.inspection.oddities import Oddities
from strongroom.takeover.doctor import commands, in_history
from strongroom.takeover.doctor.batches import Batch
from strongroom.takeover.doctor.cross_row_index import CrossRowIndex
from strongroom.takeover.doctor.cross_rows import CrossRows, note_of, once_known
from strongroom.takeover.doctor.derivation import Content
from strongroom.takeover.doctor.diagnosis import Diagnosis
from strongroom.takeover.doctor.examination import examine
from strongroom.takeover.doctor.findings import HISTORY, NOTE, SEVERITIES, Finding, shown_id
from strongroom.takeover.doctor.in_history import NOT_KEPT, Entry, InHistory, archived, not_restored
from strongroom.takeover.doctor.kept_keys import KeptKeys
from strongroom.takeover.doctor.missing_keys import MissingKeys
from strongroom.takeover.doctor.notes import Examination, ExaminationContext
from strongroom.takeover.doctor.own_key import OwnKey
from strongroom.takeover.doctor.phrase_offers import PhraseOffers
from strongroom.takeover.doctor.readings import Readings, Work
from strongroom.takeover.doctor.register_probes import RegisterProbes
from strongroom.takeover.doctor.rows_gone import RowsGone
from strongroom.takeover.doctor.spool import IN_HISTORY, as_asked, as_known
from strongroom.takeover.doctor.state import State, once_asked
from strongroom.takeover.doctor.text_probes import MORE
from strongroom.takeover.doctor.unopened import STOPPED, Unopened

_BATCH = 64
"""How much work a thread takes at a time: handing over a single phrase would cost a tenth of its time."""
_MOST_NOTES = 1000
_PLACED = 200
"""Findings whose wallets are looked up at once."""
_AHEAD = 3
"""Batches for each core that are read before the oldest of them is done."""


class Doctor:
    """Looks at every wallet of an inspection. ``diagnosis`` holds what was found so far, at any time."""

    def __init__(
        self,
        inspection: Inspection,
        examination_context: ExaminationContext,
        diagnosis: Diagnosis,
        register: RegisterProbes | None = None,
        gone: RowsGone | None = None,
        kept: KeptKeys | None = None,
        unopened: Unopened | None = None,
        phrases: PhraseOffers | None = None,
        oddities: Oddities | None = None,
    ) -> None:
        self._inspection = inspection
        self._register, self._gone, self._kept, self._phrases = register, gone, kept, phrases
        self._oddities = oddities
        self._unopened = Unopened(has_keyring=examination_context.keyring is not None) if unopened is None else unopened
        self._examination_context = examination_context
        self._index: CrossRowIndex
        self._missing: MissingKeys
        self._told, self._untold = 0, Counter[str]()
        """Notes about what the history keeps, and those that were too many to tell."""
        self.diagnosis = diagnosis

    def run(self, since: str | None = None) -> Generator[None]:
        """Look at the wallets after an id; yields once for each.

        Closing the iterator, or interrupting it, leaves what was found so far, comparisons among it included. The
        register is looked at last and as a whole, whichever id a run begins after: one that was stopped did not come
        to it.
        """
        self.diagnosis.last_id = since
        if since is not None:
            self._unopened.note_others()
        return self._look(since)

    def _look(self, since: str | None) -> Generator[None]:
        with CrossRowIndex() as self._index:
            self._missing = MissingKeys(self._examination_context, self._index, self.diagnosis.spool)
            read = compared = False
            try:
                for examined in self._examined(since) if self._inspection.readable else ():
                    self._keep(examined)
                    yield
                whole = self._examination_context.passwords.opens_envelopes
                for kept in self._inspection.unsealed_history(repaired=whole):
                    self._look_at_entry(kept)
                for entry in () if self._kept is None else self._kept.findings():
                    self._tell_kept(entry)
                for code, number in self._untold.items():
                    more = f"{number:,} more of these; `strongroom history ID` lists what is kept of a wallet"
                    self.diagnosis.notes.append(Finding(code, HISTORY, None, None, more, "ask"))
                for finding in () if self._register is None else self._register.findings():
                    self.diagnosis.spool.add(finding)
                if self._gone is not None:
                    self._missing.of_the_gone(self._gone, whole=since is None)
                self._missing.look_further(self._inspection, since, self._phrases, self._unopened)
                if self._missing.any and self._oddities is not None:
                    self._unopened.note_oddities(self._oddities)
                read = True
            finally:
                try:
                    self._compare()
                    compared = True
                finally:
                    self._close_lost(whole=read and compared)
        self.diagnosis.complete = True

    def _compare(self) -> None:
        way_back = None if self._kept is None else self._kept.put_back
        with CrossRows(self.diagnosis.spool, self.diagnosis.states, way_back) as across:
            for group in self._index.groups():
                across.compare(group)
            across.finish()
            self.diagnosis.exposed = across.exposed

    def _close_lost(self, *, whole: bool) -> None:
        """Call nothing lost, unless everything was seen that could have its key."""
        diagnosis = self.diagnosis
        if not whole:
            self._unopened.note(STOPPED)
        diagnosis.spool.unopened = self._unopened.told()
        if diagnosis.spool.unopened is not None:
            diagnosis.states[State.UNEXPLAINED] += diagnosis.states.pop(State.LOST, 0)

    def _examined(self, since: str | None) -> Iterator[Examination]:
        """Each wallet examined, in order; where a key derivation function runs, on threads, which it leaves free."""
        cores = os.cpu_count() or 1
        batch, waiting = Batch(), deque[Future[list[Examination]]]()
        with ThreadPoolExecutor(cores, "strongroom-doctor") as pool:
            try:
                for found in self._examination_context.owners.looked_up(self._inspection.wallets(since)):
                    self._unopened.note_wallet(found)
                    readings = Readings.of(found)
                    work = readings.work()
                    if work is Work.LIGHT and not batch.wallets and not waiting:
                        yield examine(self._examination_context, found, readings)
                        continue
                    batch.add(found, readings, work)
                    if batch.work >= _BATCH:
                        waiting.append(pool.submit(batch.examined, self._examination_context))
                        batch = Batch()
                    while waiting and (len(waiting) >= _AHEAD * cores or waiting[0].done()):
                        yield from waiting.popleft().result()
                waiting.append(pool.submit(batch.examined, self._examination_context))
                while waiting:
                    yield from waiting.popleft().result()
            finally:
                pool.shutdown(wait=True, cancel_futures=True)

    def _look_at_entry(self, kept: KeptText) -> None:
        """Tell of a text in the history; of an envelope that a repair kept only where it holds more than the key."""
        self._unopened.note_entry(kept.text)
        if (entry := in_history.kept_text(self._examination_context, kept)) is not None:
            self._tell_kept(entry)
        elif kept.form != "sealed" or not is_one(kept.text):
            owner = None if self._kept is None else self._kept.owner_of_entry
            entry = in_history.of_history(self._examination_context, kept, self._remember, owner)
            found = entry.finding
            self._missing.take_entry(entry)
            if kept.form == "sealed" or kept.reason != "repair" or MORE in found.evidence:
                self.diagnosis.spool.add(found if self._kept is None else self._kept.of_its_wallet(found, kept))

    def _tell_kept(self, entry: Entry) -> None:
        self._missing.take_entry(entry)
        finding = entry.finding
        if SEVERITIES[finding.code] != NOTE:
            self.diagnosis.spool.add(finding)
        elif self._told < _MOST_NOTES:
            self._told += 1
            self.diagnosis.notes.append(finding)
        else:
            self._untold[finding.code] += 1

    def _keep(self, examined: Examination) -> None:
        """Write down what came of a wallet."""
        diagnosis = self.diagnosis
        self._unopened.note_examined(examined)
        conditional = examined.conditional
        covered = [each for each in examined.findings if each.code in commands.COVERED and each.repair == "ask"]
        kept = self._in_history(examined) if conditional or covered else NOT_KEPT
        command, refused = ("", "") if self._kept is None else self._kept.way_back(examined, kept)
        for finding in examined.findings:
            is_covered = finding in covered
            told = archived(finding) if kept.known and command and is_covered else finding
            for each in self._working(told, examined):
                place = diagnosis.spool.add(each)
                if is_covered and not kept.known:
                    self._missing.would_replace(examined, place)
        if kept.known:
            for finding in conditional:
                known = as_known(finding, IN_HISTORY)
                diagnosis.spool.add(archived(known) if command and known.code == "unreadable" else known)
            if examined.state is not None and conditional:
                examined.state = once_known(examined.state, conditional[0])
        else:
            if kept.ask and examined.state in (State.LOST, State.UNEXPLAINED):
                examined.state = State.UNDECIDED if kept.explained else State.UNEXPLAINED
            for number, finding in enumerate(conditional):
                asked = replace(as_asked(finding, kept.ask), named_command=command) if kept.ask else finding
                [working] = self._working(asked, examined)
                working = _comparable(working, examined)
                examined.state = once_asked(examined.state, working)
                self._keep_open(working, examined, first=number == 0)
        if refused and kept.alone and examined.credential is not None:
            diagnosis.spool.add(not_restored(examined.credential.id, kept.alone, refused))
        self._missing.offered_by(examined)
        if examined.state is not None:
            diagnosis.states[examined.state] += 1
        diagnosis.last_id = examined.wallet_id or diagnosis.last_id

    def _working(self, finding: Finding, examined: Examination) -> list[Finding]:
        """A finding with commands that do not refuse."""
        return [finding] if self._kept is None else self._kept.working(finding, examined)

    def _keep_open(self, finding: Finding, examined: Examination, *, first: bool) -> None:
        """Write down what would be another finding if the key were in another row; the first one tells the state."""
        state = examined.state
        note = note_of(state, once_known(state, finding)) if first and state is not None else b" "
        place = self.diagnosis.spool.add(finding, note)
        credential = examined.credential
        if credential is not None:
            self._missing.miss(credential.project_id, credential.id, examined.target, place)

    def placed(self, findings: Iterable[Finding]) -> Iterator[Finding]:
        """Findings with project, network and address, as the rows say them now; without, if a stopped run broke off."""
        waiting = iter(findings)
        while page := list(islice(waiting, _PLACED)):
            ids = {finding.credential_id for finding in page if finding.credential_id is not None}
            try:
                places = self._inspection.places(ids)
            except StoreError:
                if self.diagnosis.complete:  # otherwise Ctrl-C may have closed the connection
                    raise
                places = {}
            for finding in page:
                place = places.get(finding.credential_id or "")
                yield finding if place is None else self._placed(finding, *place)

    def _placed(self, finding: Finding, project_id: str | None, network: str, address: str) -> Finding:
        target = self._examination_context.derivation.target(network, address)
        owner = None if project_id is None else shown_id(project_id)
        if target is None:
            return replace(finding, project_id=owner)
        return replace(finding, project_id=owner, network=target.network.name, address=target.address)

    def _in_history(self, examined: Examination) -> InHistory:
        """Whether the history keeps the wallet's key, for the wallet's project."""
        if examined.credential is None:
            return NOT_KEPT
        texts = self._inspection.kept(examined.credential.id)
        found, content = OwnKey(self._examination_context, examined).find(texts)
        if content is not None:
            self._remember(content, examined.credential.id, examined.credential.project_id)
        if found.offer is not None:
            self._missing.offer([found.offer])
        return found

    def _remember(self, content: Content, credential_id: str | None, project_id: str | None) -> None:
        """Let a key or phrase of the history be compared with those of other projects."""
        if credential_id is None:
            return
        prints, own = self._examination_context.fingerprints, content.derives
        match_keys = [] if content.key is None else [prints.kept(content.key, credential_id, own=own)]
        if content.phrase is not None:
            match_keys.append(prints.phrase(content.phrase.mnemonic, credential_id, own=own))
        for match_key in match_keys:
            self._index.add(match_key)
            self._index.add(prints.under(match_key, project_id))


def _comparable(finding: Finding, examined: Examination) -> Finding:
    """A finding about a missing key: of an address that is none, no key can be told to be its."""
    if finding.repair != "none" or examined.target is not None:
        return finding
    why = "its address is none of one network, so that no key can be compared with it"
    return replace(finding, evidence=f"{finding.evidence}; {why}", repair="ask", automatic=False)
