"""Whether keys are those of other projects' wallets, for a run that asks about many: ``elsewhere`` asks about one.

What rows, records, sealed texts and slots say is read once, into digests that are sorted in memory: a statement for
each key would read the tables as a whole each time. What was read is read again when it took a twentieth of its age, so
that it is never old, and reading it never takes more than a twentieth of the run.
"""

from __future__ import annotations

import os
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from hashlib import blake2b
from itertools import chain
from uuid import UUID

from strongroom.crypto import sealing
from strongroom.errors import KeyConflictError
from strongroom.records.key_material import Identity, KeyMaterial, PublicHalf
from strongroom.records.register import KeyHolder
from strongroom.records.spellings import spellings
from strongroom.secret import Secret
from strongroom.usecases.context import VaultContext
from strongroom.usecases.elsewhere import MOST_LEVELS, DerivationBudget, of_key, of_phrase, phrase_of
from strongroom.usecases.keys_of_phrases import PhraseKeys
from strongroom.usecases.ownership import opened_by_header, owners_by_slot
from strongroom.usecases.phrases_of_projects import opened_phrase, phrases_of_projects
from strongroom.usecases.recorded_places import RecordedPlaces
from strongroom.usecases.sorted_entries import DIGEST, beginning, pieces
from strongroom.usecases.texts_anywhere import SealedText, texts_anywhere, too_many_texts

RUN_LEVELS = 20 * MOST_LEVELS
"""Levels of recorded paths that one run derives, for all of its phrases: about a minute's work."""
_AGE = 20
"""How many times as old as it took to be read what was read may become."""
_ENTRY = 2 * DIGEST + 16
_MOST_PHRASES = 64
"""Phrases whose keys are remembered: a wallet after another has the same one."""

_MOST_STRAYS = 2_000_000
"""Keys and addresses that are remembered of sealed texts beside rows, in 200 MB."""

_KeysOfPhrases = tuple[list[bytes], dict[bytes, KeyConflictError]]
"""Keys and the projects that have them, all by their digests, in order within each of several pieces; and the projects
of which not all is told, with the reason."""


class KeysOfOthers:
    """Knows which keys and addresses are stated for which projects.

    Anything that says a project counts, proved or not: who plants a row can keep a key from being sealed, and no more.
    """

    def __init__(self, context: VaultContext, clock: Callable[[], float] = time.monotonic) -> None:
        self._context, self._clock = context, clock
        self._key = Secret(os.urandom(32))
        self._budget = DerivationBudget(RUN_LEVELS)
        self._phrases = OrderedDict[bytes, frozenset[bytes]]()
        self._entries: bytes | None = None
        """Of each key and address that is stated, and each project that it is stated for: two digests, and the wallet
        that it is stated of; in order."""
        self._strays, self._aside = b"", b""
        """The same of the sealed texts that stand anywhere: wallets' own, and what was kept aside."""
        self._keys_of_phrases: _KeysOfPhrases | None = None
        """Read where a key alone is asked about, and as old as the entries at most."""
        self._texts_read = set[bytes]()
        """Digests of the sealed texts that were read with their rows, until those elsewhere were read, too."""
        self._is_untold = False
        """Whether there are more texts than were read."""
        self._projects = frozenset[bytes]()
        self._phrases_read = set[tuple[UUID, UUID]]()
        """Project and id of the projects' phrases among the entries."""
        self._places: RecordedPlaces | None = None
        """Read where a phrase is asked about, and as old as the entries at most."""
        self._read_at = self._took = 0.0

    def forget(self) -> None:
        """Read anew when something is asked next: another run begins."""
        self._entries = self._places = None
        self._budget = DerivationBudget(RUN_LEVELS)

    def is_elsewhere(self, material: KeyMaterial, project_id: UUID, *, takes: bool = False) -> bool:
        """Whether a wallet of another project has a key, or any of its phrase; ``takes``: see ``elsewhere``.

        Raises KeyConflictError, StoreError.
        """
        own, entries = self._digest(project_id.bytes), self._fresh()
        if self._projects <= {own} and not self._is_untold and not takes:
            return False
        phrase = phrase_of(material)
        forms = self._forms(of_key(self._context, material)) | self._of_phrase(material, project_id)
        forms |= frozenset() if phrase is None else {self._digest(phrase)}
        everything = (entries, self._strays, self._aside) if takes else (entries, self._strays)
        if any(project != own for each in everything for project, _ in beginning(each, forms, _ENTRY)):
            return True
        if self._is_untold:
            raise too_many_texts()
        return takes and phrase is None and self._is_of_phrases(material, own)

    def _is_of_phrases(self, material: KeyMaterial, own: bytes) -> bool:
        """Whether a phrase of another project has a key alone. Raises KeyConflictError where that cannot be told."""
        if self._keys_of_phrases is None:
            before = self._clock()
            self._keys_of_phrases = self._read_keys_of_phrases()
            self._took += self._clock() - before
        keys, untold = self._keys_of_phrases
        key = self._digest(material.private_key.reveal())
        if any(project != own for piece in keys for project, _ in beginning(piece, [key], 2 * DIGEST)):
            return True
        for project, error in untold.items():
            if project != own:
                raise KeyConflictError(str(error), hint=error.hint)
        return False

    def _read_keys_of_phrases(self) -> _KeysOfPhrases:
        """The keys that phrases have, and the projects of which not all of them are told."""
        untold = dict[bytes, KeyConflictError]()
        return list(pieces(self._keys_of_every_phrase(untold))), untold

    def _keys_of_every_phrase(self, untold: dict[bytes, KeyConflictError]) -> Iterator[bytes]:
        derived = PhraseKeys(self._context)
        strays = (
            opened_phrase(self._context, each.whole())
            for each in texts_anywhere(self._context)
            if each.header.is_phrase and (each.header.project_id, each.header.id) not in self._phrases_read
        )
        for found in chain(phrases_of_projects(self._context), strays):
            if found is not None:
                project = self._digest(found.project_id.bytes)
                try:
                    for key in derived.of((found.project_id, found.phrase_id), found.phrase):
                        yield self._digest(key.reveal()) + project
                except KeyConflictError as error:
                    untold.setdefault(project, error)

    def states(self, address: str, project_id: UUID) -> bool:
        """Whether an address is, or may be, stated for another project, on whatever network; also by what was kept
        aside. Raises StoreError."""
        own, entries = self._digest(project_id.bytes), self._fresh()
        forms, everything = set(self._spelled(address)), (entries, self._strays, self._aside)
        return self._is_untold or any(
            project != own for each in everything for project, _ in beginning(each, forms, _ENTRY)
        )

    def wallets_with(self, material: KeyMaterial, project_id: UUID) -> set[UUID]:
        """The wallets of which a key is stated for this project, proved or not. Raises StoreError."""
        own, entries = self._digest(project_id.bytes), self._fresh()
        forms = self._forms(of_key(self._context, material))
        return {UUID(bytes=wallet) for project, wallet in beginning(entries, forms, _ENTRY) if project == own}

    def _of_phrase(self, material: KeyMaterial, project_id: UUID) -> frozenset[bytes]:
        if material.mnemonic is None:
            return frozenset()
        recorded_paths = self._recorded_places().of_others(project_id)
        places = repr(sorted((network.name, place.scheme, place.path) for network, place in recorded_paths))
        passphrase = b"-" if material.passphrase is None else b"+" + material.passphrase.reveal()
        asked = self._digest(
            *(self._digest(each) for each in (material.mnemonic.reveal(), passphrase, places.encode()))
        )
        if asked not in self._phrases:
            self._phrases[asked] = self._forms(of_phrase(self._context, material, recorded_paths, self._budget))
            if len(self._phrases) > _MOST_PHRASES:
                self._phrases.popitem(last=False)
        self._phrases.move_to_end(asked)
        return self._phrases[asked]

    def _forms(self, halves: Iterable[PublicHalf]) -> frozenset[bytes]:
        return frozenset(form for half in halves for form in self._spelled(half.public_key, half.address))

    def _fresh(self) -> bytes:
        now = self._clock()
        if self._entries is None or now - self._read_at > _AGE * self._took:
            found = self._read()
            strays, aside = self._read_anywhere(found)
            self._projects = frozenset(entry[DIGEST : 2 * DIGEST] for entry in found | strays)
            self._strays, self._aside = b"".join(sorted(strays)), b"".join(sorted(aside))
            self._entries = b"".join(sorted(found))
            self._read_at, self._took, self._places = now, self._clock() - now, None
            self._keys_of_phrases = None
        return self._entries

    def _recorded_places(self) -> RecordedPlaces:
        if self._places is None:
            before = self._clock()
            self._places = RecordedPlaces(self._context, self._phrases_read)
            self._took += self._clock() - before
        return self._places

    def _read(self) -> set[bytes]:
        found, texts = set[bytes](), set[bytes]()
        self._texts_read = texts
        for holders in self._context.store.register.stream_key_holders():
            page = list(self._without_those_read(holders, texts))
            opened = self._opened(page)
            own = {wallet_id for wallet_id, read in opened if read[0].credential_id == wallet_id}
            slots = owners_by_slot(self._context, {each.wallet_id for each in page if _states(each)} - own)
            for holder in page:
                slot = slots.get(holder.wallet_id)
                projects = {holder.project_id, *(() if slot is None else slot.projects)}
                if slot is not None and slot.is_untold:
                    projects.add(UUID(int=0))
                identity = None if holder.sealed_text is None else sealing.identity_in(holder.sealed_text)
                if identity is not None:
                    found.update(self._stated({identity.project_id}, identity.credential_id, identity.address))
                    projects.update({identity.project_id} if identity.credential_id == holder.wallet_id else ())
                found.update(self._stated(projects, holder.wallet_id, holder.public_key, holder.address))
            for _, (identity, material) in opened:
                phrase = phrase_of(material)
                if phrase is not None:
                    project = self._digest(identity.project_id.bytes)
                    found.add(self._digest(phrase) + project + identity.credential_id.bytes)
        self._phrases_read.clear()
        for each in phrases_of_projects(self._context):
            self._phrases_read.add((each.project_id, each.phrase_id))
            found.add(self._digest(each.words) + self._digest(each.project_id.bytes) + each.phrase_id.bytes)
        return found

    def _read_anywhere(self, known: set[bytes]) -> tuple[set[bytes], set[bytes]]:
        """What sealed texts say wherever they stand, and rows do not: wallets' own and phrases; what was kept aside."""
        strays, aside = set[bytes](), set[bytes]()
        try:
            for found in texts_anywhere(self._context):
                header = found.header
                named = set(self._stated({header.project_id}, header.id, header.address))
                words = self._words_in(found)
                if words is not None:
                    named.add(self._digest(words) + self._digest(header.project_id.bytes) + header.id.bytes)
                (aside if not (header.is_own or header.is_phrase) else strays).update(named - known)
                if len(strays) + len(aside) > _MOST_STRAYS:
                    raise too_many_texts()
            self._is_untold = False
        except KeyConflictError:
            self._is_untold = True
        self._texts_read = set()
        return strays, aside

    def _words_in(self, found: SealedText) -> bytes | None:
        """The words of the phrase in a text that was not read with its row, where it opens."""
        header = found.header
        if header.is_phrase:
            is_read = (header.project_id, header.id) in self._phrases_read
            phrase = None if is_read else opened_phrase(self._context, found.whole())
            return None if phrase is None else phrase.words
        text = found.whole() if header.is_own else ""
        if not sealing.may_hold_phrase(text) or self._digest(text.encode(errors="replace")) in self._texts_read:
            return None
        opened = opened_by_header(self._context, text)
        return None if opened is None else phrase_of(opened[1])

    def _without_those_read(self, holders: Iterable[KeyHolder], texts: set[bytes]) -> Iterator[KeyHolder]:
        """Without the sealed texts that were read with their rows. ``texts``: digests of those that were read."""
        for holder in holders:
            digest = b"" if holder.sealed_text is None else self._digest(holder.sealed_text.encode(errors="replace"))
            if holder.public_key or holder.address or digest not in texts:
                yield holder
            texts.add(digest)

    def _opened(self, page: Iterable[KeyHolder]) -> list[tuple[UUID, tuple[Identity, KeyMaterial]]]:
        """The sealed texts that are stored with rows, of those that open."""
        read = ((each.wallet_id, opened_by_header(self._context, each.sealed_text or "")) for each in page)
        return [(wallet_id, opened) for wallet_id, opened in read if opened is not None]

    def _stated(self, projects: Iterable[UUID], wallet_id: UUID, *texts: str) -> Iterator[bytes]:
        """The entries of keys and addresses of a wallet that are stated for some projects."""
        forms = set(self._spelled(*texts))
        return (
            form + named + wallet_id.bytes
            for named in [self._digest(each.bytes) for each in projects]
            for form in forms
        )

    def _spelled(self, *texts: str) -> Iterator[bytes]:
        for text in texts:
            yield from (self._digest(form.encode()) for form in spellings(text) if form)

    def _digest(self, *parts: bytes) -> bytes:
        return blake2b(b"".join(parts), digest_size=DIGEST, key=self._key.reveal()).digest()


def _states(holder: KeyHolder) -> bool:
    """Whether it is a row that states a key or an address: only of those it matters whose the slots say that it is."""
    return not holder.recorded and bool(holder.public_key or holder.address)


def asking_about(context: VaultContext, number: int) -> VaultContext:
    """The context of a call that asks about so many keys: for several of them the tables are read once."""
    if number < 2 or context.keys_of_others is not None:
        return context
    return replace(context, keys_of_others=KeysOfOthers(context))
