"""What is missing in one row, and where it is: asked of every text that a run reads, and answered at its end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from strongroom.crypto import sealing
from strongroom.crypto.sealed_headers import first_header, may_hold_phrase
from strongroom.store.inspection.inspection import FoundWallet, Inspection
from strongroom.takeover.doctor import in_history
from strongroom.takeover.doctor.cross_row_index import CrossRowIndex, MatchKey
from strongroom.takeover.doctor.derivation import Target
from strongroom.takeover.doctor.in_history import Entry
from strongroom.takeover.doctor.key_kinds import KeyText, KeyTextKind
from strongroom.takeover.doctor.key_offers import beside_own, more_offers, of_sealed, opens_as, ways_in
from strongroom.takeover.doctor.key_texts import read
from strongroom.takeover.doctor.notes import Examination, ExaminationContext, ExaminedRecord
from strongroom.takeover.doctor.phrase_offers import PhraseOffers
from strongroom.takeover.doctor.readings import Readings
from strongroom.takeover.doctor.remembered_ids import FirstIds
from strongroom.takeover.doctor.rows_gone import RowsGone
from strongroom.takeover.doctor.spool import Offer, Spool
from strongroom.takeover.doctor.text_places import Place, place_of_entry, place_of_member, place_of_record
from strongroom.takeover.doctor.unopened import MORE_TEXTS, ODD, Unopened
from strongroom.takeover.doctor.wanted_keys import ANY_PROJECT, MOST_PHRASES, WantedKeys


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
        self._wanted = WantedKeys(
            examination_context.networks, examination_context.derivation, examination_context.unopened
        )
        self._unrecorded = FirstIds()
        """Those of wallets that have no record: nobody knows at which index of a phrase they are."""
        self._opened: list[tuple[Place, KeyText]] = []
        """Phrases and extended keys of texts that are not asked again: what a password opened, and the history's."""
        self._own = FirstIds()
        """Wallets, with their addresses, whose own record has the phrase that their history keeps, too."""
        self._unread = FirstIds()
        """Projects with a text of which no key was read."""

    def offered_by(self, examined: Examination) -> None:
        """Take what the texts of a wallet offer."""
        for match_key in examined.match_keys:
            self._index.add(match_key)
        self.offer(examined.offers)
        self._deferred = self._deferred or examined.deferred
        self._remember_opened(examined)

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
        record = self._examination_context.owners.record_of(wallet_id)
        if of is None and record is None:
            self._unrecorded.add(owner)
        self._index.add(self._prints.needs_of_project(owner, finding))
        if of is None and (own := self._recorded(wallet_id, target)) is not None:
            target, project_id = own, None  # its row has another address: a repair takes no key at its word
        for match_key in self._prints.needs_of(project_id, wallet_id, finding):
            self._index.add(match_key)
        if target is not None:
            owner = owner if record is None else str(record.project_id)
            if not self._wanted.add(target, record, owner):
                self._index.add(self._prints.needs_path(owner, finding))
                self._index.add(self._prints.needs_path(ANY_PROJECT, finding))
            for match_key in self._prints.needs(project_id, target.address, finding):
                self._index.add(match_key)

    def _recorded(self, wallet_id: str, target: Target | None) -> Target | None:
        """The address of a wallet's proved key, where its row says another one."""
        record = self._examination_context.owners.record_of(wallet_id)
        derivation = self._examination_context.derivation
        own = None if record is None else derivation.target(record.network, record.address)
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
        if not self._wanted.spaces:
            return
        for offer in () if phrases is None else self._of_phrases(phrases, unopened):
            place = self._spool.offer(offer)  # less than what its own record says of a wallet's phrase
            for match_key in self._prints.placed(offer.addresses, None, place, possible=True):
                self._index.add(match_key)
        for found in self._examination_context.owners.looked_up(inspection.wallets(since)):
            self.offer(self._more(found))
        for place_of, way in self._opened:
            self.offer(self._of_text(place_of, way, ()))
        self.offer(self._of_histories(inspection))
        for project, told, command in self._wanted.met:
            place = self._spool.offer(Offer((), None, told, command, possible=True, pathless=True))
            self._index.add(self._prints.pathless(project, place))

    def _of_repaired(self, inspection: Inspection) -> None:
        """Take what a repair kept of the legacy application: its wallet has the key, or had it."""
        if self._examination_context.passwords.opens_envelopes:
            return  # then they were looked at
        for kept in inspection.unsealed_history(repaired=True):
            if kept.form == "foreign" and kept.reason == "repair":
                found = in_history.of_history(self._examination_context, kept, lambda *_: None)
                self.take_entry(found)

    def _of_phrases(self, phrases: PhraseOffers, unopened: Unopened) -> Iterator[Offer]:
        derivation = self._examination_context.derivation
        return phrases.offers(derivation, self._wanted, (self._projects, self._unrecorded), unopened)

    def _misplaced(self, inspection: Inspection, unopened: Unopened) -> Iterator[Offer]:
        """The sealed texts that the history keeps of other wallets than their own."""
        for entry_id, wallet_id, beginning, _ in inspection.sealed_beginnings(of_others=False):
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
                place = place_of_entry(kept)
                yield from of_sealed(self._examination_context, place, text)
                if sealing.may_hold_phrase(text) and self._wanted.spaces and self._wanted.takes(1):
                    yield from beside_own(self._examination_context, place, text, self._wanted, search=True)

    def _of_histories(self, inspection: Inspection) -> Iterator[Offer]:
        """The phrases of sealed texts that the history keeps of their own wallets, unless these have them, too."""
        for entry_id, wallet_id, beginning, length in inspection.sealed_beginnings(of_others=False):
            header = first_header(beginning)
            if header is None or header.wallet_id is None or str(header.wallet_id) != wallet_id:
                continue
            is_known = f"{wallet_id} {header.address}" in self._own and header.is_own
            if is_known or not may_hold_phrase(beginning, length):
                continue
            kept = inspection.kept_entry(entry_id) if self._wanted.takes(1) else None
            if kept is not None:
                yield from beside_own(
                    self._examination_context, place_of_entry(kept), kept.text, self._wanted, search=True
                )

    def _more(self, found: FoundWallet) -> Iterator[Offer]:
        """All that a wallet's texts may hold: its own key at its other addresses, and the keys of a phrase."""
        credential = found.credential
        project = None if credential is None else self._examination_context.owner(credential)
        readings = Readings.of(found)
        for record, text in zip(found.records, readings.records, strict=True):
            held = ExaminedRecord(record, text)
            place = place_of_record(self._examination_context, held, credential)
            sealed = [held.sealed_text] if text.kind is KeyTextKind.SEALED and text.sealed is None else []
            for offer in self._of_text(place, text, sealed):
                yield offer
                for address in offer.addresses if text.others else ():
                    for match_key in self._prints.known(project, address, record.id):
                        self._index.add(match_key)
            self._remember_own(found.id, sealed)
        if credential is None:
            return
        for (name, value), (_, text) in zip(credential.key_texts, readings.members, strict=True):
            yield from self._of_text(place_of_member(self._examination_context, credential, name, value), text, ())

    def _of_text(self, place: Place, text: KeyText, sealed: Iterable[str]) -> Iterator[Offer]:
        """All keys of a text, and of phrases those of each place where a key is missing, as many as a run may."""
        texts = [*sealed, *(way.sealed.reveal_text() for way in (text, *text.others) if way.sealed is not None)]
        phrases = sum(way.derives_many for way in (text, *text.others))
        search = self._wanted.takes(phrases + sum(map(sealing.may_hold_phrase, texts)))
        for each in texts:
            yield from beside_own(self._examination_context, place, each, self._wanted, search=search)
        yield from more_offers(self._examination_context, place, text, self._wanted, search=search)

    def _remember_own(self, wallet_id: str | None, sealed: Iterable[str]) -> None:
        for text in sealed:
            header = opens_as(self._examination_context, text) if sealing.may_hold_phrase(text) else None
            if header is not None and header.credential_id == wallet_id and not sealing.is_aside(text):
                self._own.add(f"{wallet_id} {header.address}")

    def take_entry(self, entry: Entry) -> None:
        """Take what an entry of the history offers."""
        self.offer(entry.offers, entry.exposed)
        if entry.place is not None:
            self._keep_opened(entry.place, entry.ways)

    def _remember_opened(self, examined: Examination) -> None:
        """Keep the phrases that a password showed: to open a text once more takes long."""
        for held in examined.records:
            place = place_of_record(self._examination_context, held, examined.credential)
            self._keep_opened(place, ways_in(held.read, held.content))
        credential = examined.credential
        if credential is None:
            return
        for (_, text), member in zip(credential.key_texts, examined.members, strict=False):
            place = place_of_member(self._examination_context, credential, member.name, text)
            self._keep_opened(place, ways_in(member.read, member.content))

    def _keep_opened(self, place: Place, ways: Iterable[KeyText]) -> None:
        for way in ways:
            if not way.derives_many:
                continue
            if len(self._opened) == MOST_PHRASES:
                self._examination_context.unopened.note(MORE_TEXTS)
                return
            self._opened.append((place, replace(way, others=())))
