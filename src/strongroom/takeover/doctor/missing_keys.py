"""What is missing in one row, and where it is: asked of every text that a run reads, and answered at its end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from strongroom.crypto import sealing
from strongroom.crypto.sealed_headers import first_header
from strongroom.store.inspection.inspection import FoundWallet, Inspection
from strongroom.takeover.doctor import in_history
from strongroom.takeover.doctor.cross_row_index import CrossRowIndex, MatchKey
from strongroom.takeover.doctor.derivation import Target
from strongroom.takeover.doctor.key_kinds import KeyText, KeyTextKind
from strongroom.takeover.doctor.key_offers import beside_own, more_offers, of_sealed
from strongroom.takeover.doctor.key_texts import read
from strongroom.takeover.doctor.notes import Examination, ExaminationContext, ExaminedRecord
from strongroom.takeover.doctor.phrase_offers import PhraseOffers
from strongroom.takeover.doctor.readings import Readings
from strongroom.takeover.doctor.remembered_ids import FirstIds
from strongroom.takeover.doctor.rows_gone import RowsGone
from strongroom.takeover.doctor.spool import Offer, Spool
from strongroom.takeover.doctor.text_places import Place, place_of_entry, place_of_member, place_of_record
from strongroom.takeover.doctor.unopened import MORE_TEXTS, ODD, Unopened
from strongroom.usecases.keys_of_phrases import GAP

MOST_OPENED = 5_000
"""Phrases of wallets whose first indices are derived where a key is missing."""


class MissingKeys:
    """Brings what is missing together with what is offered; in flat memory, since both go to files."""

    def __init__(self, examination_context: ExaminationContext, index: CrossRowIndex, spool: Spool) -> None:
        self._examination_context = examination_context
        self._prints = examination_context.fingerprints
        self._index, self._spool = index, spool
        self.any = self._deferred = False
        """Whether anything is missing; and whether texts may hold more keys, which were not derived."""
        self._projects = FirstIds()
        """The projects of wallets whose key is missing."""
        self._spaces: set[str] = set()
        """The spaces of the addresses whose key is missing."""
        self._unrecorded = FirstIds()
        """Those of wallets that have no record: nobody knows at which index of a phrase they are."""
        self._addresses = FirstIds()
        """Those addresses."""
        self._left = MOST_OPENED
        self._unread = FirstIds()
        """Projects with a text of which no key was read."""

    def offered_by(self, examined: Examination) -> None:
        """Take what the texts of a wallet offer."""
        for match_key in examined.match_keys:
            self._index.add(match_key)
        self.offer(examined.offers)
        self._deferred = self._deferred or examined.deferred

    def offer(self, offers: Iterable[Offer], exposed: MatchKey | None = None) -> None:
        """Let keys that are stored somewhere be found by those who miss them; ``exposed`` has one in plaintext."""
        for offer in offers:
            place = self._spool.offer(offer)
            for match_key in self._prints.placed(offer.addresses, offer.wallet_id, place, possible=offer.possible):
                self._index.add(match_key)
            if offer.possible and offer.project_id is not None and self._unread.add(offer.project_id):
                self._index.add(self._prints.unread(offer.project_id, place))
        if exposed is not None:
            self._index.add(exposed)

    def miss(
        self, project_id: str | None, wallet_id: str, target: Target | None, finding: int, *, of: str | None = None
    ) -> None:
        """Let the key of a wallet, or a sealed text of it, be looked for in every row.

        ``project_id``: the one that a repair takes it from; ``of``: the wallet's, where no repair does.
        """
        self.any = True
        owner = of or project_id or ""
        self._projects.add(owner)
        if of is None and self._examination_context.owners.recorded_address(wallet_id) is None:
            self._unrecorded.add(owner)
        self._index.add(self._prints.needs_of_project(owner, finding))
        if of is None and (own := self._recorded(wallet_id, target)) is not None:
            target, project_id = own, None  # its row has another address: a repair takes no key at its word
        for match_key in self._prints.needs_of(project_id, wallet_id, finding):
            self._index.add(match_key)
        if target is not None:
            self._spaces.add(target.network.address_space.name)
            self._addresses.add(target.address)
            for match_key in self._prints.needs(project_id, target.address, finding):
                self._index.add(match_key)

    def _recorded(self, wallet_id: str, target: Target | None) -> Target | None:
        """The address of a wallet's proved key, where its row says another one."""
        known = self._examination_context.owners.recorded_address(wallet_id)
        own = None if known is None else self._examination_context.derivation.target(*known)
        return None if own is None or (target is not None and target.address == own.address) else own

    def would_replace(self, examined: Examination, finding: int) -> None:
        """Let a sealed text of a wallet be looked for in whose record another text is stored."""
        credential = examined.credential
        if credential is not None and not any(held.known for held in examined.records):
            self.any = True
            self._index.add(self._prints.would_replace(credential.id, finding))

    def of_the_gone(self, rows_gone: RowsGone, *, whole: bool) -> None:
        """Tell of wallets that the register has, and whose rows are gone."""
        derivation = self._examination_context.derivation
        for gone in rows_gone.wallets(whole=whole):
            place, record = self._spool.add(gone.finding), gone.record
            if gone.missing:
                target = derivation.target(record.network, record.address)
                self.miss(None, str(record.credential_id), target, place, of=str(record.project_id))

    def look_further(
        self, inspection: Inspection, since: str | None, phrases: PhraseOffers | None, unopened: Unopened
    ) -> None:
        """Where a key is missing: take what was not opened or derived, since nobody might have asked for it."""
        if not self.any:
            return
        self.offer(self._misplaced(inspection, unopened))
        self._of_repaired(inspection)
        if self._spaces:
            for offer in () if phrases is None else self._of_phrases(phrases, unopened):
                place = self._spool.offer(offer)  # less than what its own record says of a wallet's phrase
                for match_key in self._prints.placed(offer.addresses, None, place, possible=True):
                    self._index.add(match_key)
            for found in self._examination_context.owners.looked_up(inspection.wallets(since)):
                self.offer(self._more(found, unopened))

    def _of_repaired(self, inspection: Inspection) -> None:
        """Take what a repair kept of the legacy application: its wallet has the key, or had it."""
        if self._examination_context.passwords.opens_envelopes:
            return  # then they were looked at
        for kept in inspection.unsealed_history(repaired=True):
            if kept.form == "foreign" and kept.reason == "repair":
                found = in_history.of_history(self._examination_context, kept, lambda *_: None)
                self.offer(found.offers)

    def _of_phrases(self, phrases: PhraseOffers, unopened: Unopened) -> Iterator[Offer]:
        derivation = self._examination_context.derivation
        return phrases.offers(derivation, self._spaces, self._addresses, (self._projects, self._unrecorded), unopened)

    def _misplaced(self, inspection: Inspection, unopened: Unopened) -> Iterator[Offer]:
        """The sealed texts that the history keeps of other wallets than their own."""
        for entry_id, wallet_id, beginning in inspection.sealed_beginnings(of_others=False):
            unopened.note_text(beginning)
            header = first_header(beginning)
            if header is None:
                unopened.note(ODD)
                continue
            if header.wallet_id is None or str(header.wallet_id) == wallet_id:
                continue
            kept = inspection.kept_entry(entry_id)
            if kept is not None:
                inside = read(kept.text).sealed
                text = kept.text if inside is None else inside.reveal_text()
                yield from of_sealed(self._examination_context, place_of_entry(kept), text)

    def _more(self, found: FoundWallet, unopened: Unopened) -> Iterator[Offer]:
        """All that a wallet's texts may hold: its own key at its other addresses, and the keys of a phrase."""
        credential = found.credential
        project = None if credential is None else self._examination_context.owner(credential)
        readings = Readings.of(found)
        for record, text in zip(found.records, readings.records, strict=True):
            held = ExaminedRecord(record, text)
            place = place_of_record(self._examination_context, held, credential)
            sealed = held.sealed_text if text.kind is KeyTextKind.SEALED else ""
            for offer in self._of_text(place, text, sealed, unopened):
                yield offer
                for address in offer.addresses if text.others else ():
                    for match_key in self._prints.known(project, address, record.id):
                        self._index.add(match_key)
        if credential is None:
            return
        for (name, value), (_, text) in zip(credential.key_texts, readings.members, strict=True):
            sealed = "" if text.sealed is None else text.sealed.reveal_text()  # no frame holds another text
            place = place_of_member(self._examination_context, credential, name, value)
            yield from self._of_text(place, text, sealed, unopened)

    def _of_text(self, place: Place, text: KeyText, sealed: str, unopened: Unopened) -> Iterator[Offer]:
        """All keys of a text, and of phrases those of the first indices, as many as a run may."""
        phrases = sum(way.derives_many for way in (text, *text.others))
        phrases += bool(sealed) and sealing.may_hold_phrase(sealed)
        if phrases > self._left:
            unopened.note(MORE_TEXTS)
            phrases = self._left = 0
        self._left -= phrases
        indices = GAP if phrases else 1
        if sealed:
            yield from beside_own(self._examination_context, place, sealed, self._spaces, indices)
        yield from more_offers(self._examination_context, place, text, self._spaces, indices)
