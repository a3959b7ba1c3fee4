"""The rows that an action depends on beside its own wallet's, and what of them matters.

Whose a key is: a sealed text's header says it, and authenticates it; a text that is not ours belongs to the project of
the row that it stands in, an orphan's to none, an entry's of the history to the project that the entry names.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import NamedTuple
from uuid import UUID

from strongroom.doctor import sealed_texts
from strongroom.doctor.findings import HISTORY, VAULT
from strongroom.doctor.notes import Ground
from strongroom.repair.actions import Action
from strongroom.repair.plan import is_id
from strongroom.sealing import is_sealed
from strongroom.secret import Secret
from strongroom.store.inspection.inspection import FoundWallet, KeptText
from strongroom.store.repair_changes import Beside
from strongroom.store.repair_store import RepairStore

_ID = re.compile("[0-9A-Fa-f-]{1,36}")
"""Ids of vault records: other code's may be numbers."""


class Sources:
    """Looks at what actions depend on."""

    def __init__(self, store: RepairStore, ground: Ground, key: Secret) -> None:
        self._store = store
        self._ground = ground
        self._key = key

    def look(self, action: Action, beside: Beside) -> str:
        """The digest of what an action depends on, as it is now; what was read goes into ``beside``.

        Empty where it depends on its own wallet's rows alone. Of a record that a key is taken from, and of a wallet
        that stays, the same plan may seal the text: what counts is whose they are.
        """
        facts: list[object] = []
        if (action.do, action.code) == ("retire", "duplicate-live"):
            facts = self._keeper(action.source, beside)
        elif action.do == "fill" and action.source_table == VAULT:
            facts = self._record(action.source, beside)
        elif action.do == "fill" and action.source_table == HISTORY:
            facts = self._entry(action.source, beside)
        elif action.code == "foreign-history":
            facts = self._entry(action.row, beside)
        if not facts:
            return ""
        text = Secret.from_text(json.dumps(facts))
        return blake2b(text.reveal(), key=self._key.reveal(), digest_size=32, person=b"beside").hexdigest()

    def _keeper(self, wallet_id: str | None, beside: Beside) -> list[object]:
        found = self._store.read_wallet(UUID(wallet_id)) if wallet_id is not None and is_id(wallet_id) else None
        if found is None or found.credential is None:
            return ["no keeper"]
        beside.wallets[found.credential.id] = found
        return ["keeper", *self._identity(found), found.credential.label, found.credential.live]

    def _record(self, record_id: str | None, beside: Beside) -> list[object]:
        found = self._store.look_at_record(record_id) if record_id is not None else None
        if found is None or not found.records:
            return ["no record"]
        beside.records[found.records[0].id] = found
        return ["record", record_id, found.id, project_of(found), *self._identity(found)]

    def _entry(self, entry_id: str | None, beside: Beside) -> list[object]:
        kept = self._store.look_at_history(UUID(entry_id)) if entry_id is not None and is_id(entry_id) else None
        if kept is None:
            return ["no entry"]
        beside.history[kept.id] = kept
        return ["entry", kept.id, kept.credential_id, kept.project_id, kept.network, kept.address, kept.form, kept.text]

    def _identity(self, found: FoundWallet) -> list[object]:
        """Whose a wallet is, and which address it has, in its canonical form."""
        credential = found.credential
        if credential is None:
            return ["no credential"]
        target = self._ground.derivation.target(credential.network, credential.address)
        place = [credential.network, credential.address] if target is None else [target.network.name, target.address]
        return [credential.id, credential.project_id, *place]


class Place(NamedTuple):
    """A text that may hold a wallet's key, whose it is, and where it stands."""

    text: str
    project_id: str | None
    table: str
    row: str
    beside: Beside


class KnownText(NamedTuple):
    """A sealed text, and where its key stands; no table where that is the wallet's own metadata."""

    text: str
    table: str | None = None
    row: str | None = None


def texts_for(store: RepairStore, action: Action, wallet_id: str, *, anywhere: bool) -> Iterator[Place]:
    """The texts outside of a wallet's rows that a ``fill`` may take: from its one place, or from anywhere."""
    for kept in _entries(store, action, wallet_id, anywhere=anywhere):
        yield Place(kept.text, project_of_entry(kept), HISTORY, kept.id, Beside(history={kept.id: kept}))
    if not (anywhere or action.source_table == VAULT) or action.source is None or not _ID.fullmatch(action.source):
        return
    found = store.look_at_record(action.source)
    if found is not None and found.records and found.records[0].text:
        record = found.records[0]
        yield Place(record.text or "", project_of(found), VAULT, record.id, Beside(records={record.id: found}))


def _entries(store: RepairStore, action: Action, wallet_id: str, *, anywhere: bool) -> Sequence[KeptText]:
    if anywhere:
        return store.kept_texts(UUID(wallet_id))
    if action.source_table != HISTORY or action.source is None or not is_id(action.source):
        return []
    kept = store.look_at_history(UUID(action.source))
    return [] if kept is None or kept.credential_id != wallet_id else [kept]


def project_of(found: FoundWallet) -> str | None:
    """The project that the key in a vault record belongs to; None where there is none, or it does not say."""
    text = found.records[0].text or ""
    if is_sealed(text):
        claim = sealed_texts.claim(text)
        return None if claim is None else claim.project_id
    return None if found.credential is None else found.credential.project_id


def project_of_entry(kept: KeptText) -> str | None:
    """The project that the key in an entry of the history belongs to."""
    if is_sealed(kept.text):
        claim = sealed_texts.claim(kept.text, aside=True)
        return None if claim is None else claim.project_id
    return kept.project_id
