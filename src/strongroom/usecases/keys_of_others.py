"""Whether keys are those of other projects' wallets, for a run that asks about many: ``elsewhere`` asks about one.

What rows, records, sealed texts and slots say is read once, into digests that are sorted in memory: a statement for
each key would read the tables as a whole each time. What was read is read again when it took a twentieth of its age, so
that it is never old, and reading it never takes more than a twentieth of the run.
"""

from __future__ import annotations

import os
import time
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from hashlib import blake2b
from uuid import UUID

from strongroom.crypto import sealing
from strongroom.records.key_material import KeyMaterial, PublicHalf
from strongroom.records.register import KeyHolder
from strongroom.records.spellings import spellings
from strongroom.secret import Secret
from strongroom.usecases.context import VaultContext
from strongroom.usecases.elsewhere import MOST_LEVELS, DerivationBudget, of_key, of_phrase, paths_of_others
from strongroom.usecases.ownership import owners_by_slot, projects_by_texts

RUN_LEVELS = 20 * MOST_LEVELS
"""Levels of recorded paths that one run derives, for all of its phrases: about a minute's work."""
_AGE = 20
"""How many times as old as it took to be read what was read may become."""
_DIGEST = 8
_ENTRY = 2 * _DIGEST
_MOST_PHRASES = 64
"""Phrases whose keys are remembered: a wallet after another has the same one."""


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
        """Of each key and address that is stated, and each project that it is stated for: two digests, in order."""
        self._projects = frozenset[bytes]()
        self._read_at = self._took = 0.0

    def forget(self) -> None:
        """Read anew when something is asked next: another run begins."""
        self._entries = None
        self._budget = DerivationBudget(RUN_LEVELS)

    def is_elsewhere(self, material: KeyMaterial, project_id: UUID) -> bool:
        """Whether a wallet of another project has a key, or any of its phrase. Raises KeyConflictError, StoreError."""
        own, entries = self._digest(project_id.bytes), self._fresh()
        if self._projects <= {own}:
            return False
        forms = self._forms(of_key(self._context, material)) | self._of_phrase(material, project_id)
        number = len(entries) // _ENTRY
        for form in forms:
            place = bisect_left(range(number), form, key=lambda at: entries[at * _ENTRY : at * _ENTRY + _DIGEST])
            while place < number and entries[place * _ENTRY : place * _ENTRY + _DIGEST] == form:
                if entries[place * _ENTRY + _DIGEST : (place + 1) * _ENTRY] != own:
                    return True
                place += 1
        return False

    def _of_phrase(self, material: KeyMaterial, project_id: UUID) -> frozenset[bytes]:
        if material.mnemonic is None:
            return frozenset()
        recorded_paths = paths_of_others(self._context, project_id)
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
            self._projects = frozenset(entry[_DIGEST:] for entry in found)
            self._entries = b"".join(sorted(found))
            self._read_at, self._took = now, self._clock() - now
        return self._entries

    def _read(self) -> set[bytes]:
        found = set[bytes]()
        for page in self._context.store.register.stream_key_holders():
            opened = {holder.wallet_id for holder in page if self._opens(holder)}
            ids = {holder.wallet_id for holder in page if not holder.recorded} - opened
            slots = owners_by_slot(self._context, ids)
            for holder in page:
                slot = slots.get(holder.wallet_id)
                projects = {holder.project_id, *_in_header(holder), *(() if slot is None else slot.projects)}
                if slot is not None and slot.is_untold:
                    projects.add(UUID(int=0))
                named = [self._digest(project.bytes) for project in projects]
                stated = set(self._spelled(holder.public_key, holder.address))
                found.update(form + each for form in stated for each in named)
        return found

    def _opens(self, holder: KeyHolder) -> bool:
        """Whether the text that is stored with a row proves whose the wallet is, so that no slot need be asked."""
        return bool(projects_by_texts(self._context, holder.wallet_id, [holder.sealed_text]))

    def _spelled(self, *texts: str) -> Iterator[bytes]:
        for text in texts:
            yield from (self._digest(form.encode()) for form in spellings(text) if form)

    def _digest(self, *parts: bytes) -> bytes:
        return blake2b(b"".join(parts), digest_size=_DIGEST, key=self._key.reveal()).digest()


def _in_header(holder: KeyHolder) -> Iterator[UUID]:
    """The project that the sealed text of a row names."""
    identity = None if holder.sealed_text is None else sealing.identity_in(holder.sealed_text)
    if identity is not None and identity.credential_id == holder.wallet_id:
        yield identity.project_id
