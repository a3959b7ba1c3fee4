"""docs/findings.md, "Findings about rows", as a function of the truth: what doctor has to find, no more and no less."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cached_property
from uuid import UUID

from testbed.defects.finding import (
    ASK,
    CREDENTIALS,
    EVERYTHING,
    FILL,
    HISTORY,
    NONE,
    RECORDS,
    RELABEL,
    RETIRE,
    SEAL,
    UNLINK,
    Access,
    Advice,
    ExpectedFinding,
)
from testbed.defects.ground_truth import CredentialRow, Entry, GroundTruth, Record
from testbed.defects.keys import KnownKey
from testbed.defects.registered import register_codes
from testbed.defects.texts import Text

_OWN_CODE = {
    "key": "plaintext-key",
    "phrase": "plaintext-mnemonic",
    "encoded": "encoded-key",
    "envelope": "legacy-envelope",
    "keystore": "keystore",
    "encrypted": "encrypted-elsewhere",
}
"""The forms that are a finding by themselves."""
_UUID = re.compile("[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_LEAST_KEY = 24
"""Characters: 22 of base64 hold 128 bits."""
_TYPE = re.compile(r"[a-z0-9-]+_wallet:([a-z0-9._-]{1,64})")


def findings(truth: GroundTruth, given: Access) -> Counter[ExpectedFinding]:
    """Every finding about a row, as a multiset."""
    return Counter(_Doctor(truth, given).findings())


def derives(text: Text, key: KnownKey | None) -> bool:
    """Whether the address that is stored comes out of a text."""
    if key is None:
        return False
    if text.secret is not None:
        return text.secret == key.secret
    return text.phrase is not None and text.phrase == key.phrase


def _is_name(text: Text) -> bool:
    """Whether a text is too short to hold a key, but for UUIDs: then it names something."""
    return len(_UUID.sub("", text.value or "")) < _LEAST_KEY


class _Doctor:
    def __init__(self, truth: GroundTruth, given: Access) -> None:
        self.truth, self.given, self.index = truth, given, truth.index()

    def findings(self) -> Iterator[ExpectedFinding]:
        for credential in self.truth.credentials:
            for code, advice in (*self._credential(credential), *self._register(credential)):
                yield ExpectedFinding(code, CREDENTIALS, str(credential.id), str(credential.id), *advice)
        for record in self.truth.records:
            for code, advice in self._record(record):
                yield ExpectedFinding(code, RECORDS, str(record.id), str(record.credential), *advice)
        for entry in self.truth.entries:
            if entry.form == "foreign":
                advice = SEAL if self._opened(entry.text) and derives(entry.text, entry.key) else ASK
                yield ExpectedFinding("foreign-history", HISTORY, str(entry.id), str(entry.credential), *advice)
        for code, advice, found in (
            ("duplicate-live", Advice("retire", False), self._duplicates()),
            ("shared-key", ASK, self._sharing()),
            ("shared-key-vault-id", UNLINK, self._vault_ids()),
        ):
            for wallet in found:
                yield ExpectedFinding(code, CREDENTIALS, str(wallet), str(wallet), *advice)

    def _opened(self, text: Text) -> bool:
        return self.given.opens(text, self.truth.kids)

    def _proved(self, text: Text, key: KnownKey | None) -> bool:
        return self._opened(text) and derives(text, key)

    # --- findings about a credential ---------------------------------------------------------------------

    def _credential(self, credential: CredentialRow) -> Iterator[tuple[str, Advice]]:
        records = self.index.records[credential.id]
        if not records:
            yield "missing-vault-record", self._lost(credential)
        keys = [text for text in credential.members.values() if text.form in _OWN_CODE or text.form == "sealed"]
        for advice in self._in_metadata([*keys, *self._may_be_keys(credential, records)], records, credential):
            yield "key-in-metadata", advice
        if self.truth.generation == "g1":  # which has no flag
            return
        forms = {record.text.form for record in records}
        if credential.vault_stored is True and not forms - {"placeholder"}:
            yield "stored-flag-wrong", RELABEL
        if credential.vault_stored is False and forms - {"placeholder", "unreadable"}:
            yield "stored-flag-wrong", RELABEL

    def _register(self, credential: CredentialRow) -> Iterator[tuple[str, Advice]]:
        if self.given.root_key and self.truth.kids:
            codes = register_codes(self.truth.generation, credential, self.index.records[credential.id])
            yield from ((code, ASK) for code in codes)

    def _may_be_keys(self, credential: CredentialRow, records: list[Record]) -> list[Text]:
        """The texts that nothing explains and that stand where keys do, next to a record that holds a text."""
        places = (credential.members.get(name) for name in ("private_key_encrypted", "vault_storage"))
        unexplained = [text for text in places if text is not None and text.form == "unreadable"]
        filled = any(record.text.form != "placeholder" for record in records)
        return [text for text in unexplained if filled and not _is_name(text)]

    def _in_metadata(self, found: list[Text], records: list[Record], credential: CredentialRow) -> Iterator[Advice]:
        """One for the own key, one for other keys in plaintext, which one command moves, one for each other text."""
        others = [text for text in found if not self._proved(text, credential.key)]
        if len(others) < len(found):
            room = all(record.text.form == "placeholder" or self._good(record.text, credential) for record in records)
            yield Advice("move", room)
        closed = [text for text in others if text.form not in ("key", "encoded")]
        yield from (ASK for _ in closed)
        if len(closed) < len(others):
            yield ASK

    def _lost(self, credential: CredentialRow) -> Advice:
        """Where there is no record, or a placeholder."""
        if self._known(credential):
            return FILL
        if self._elsewhere(credential):
            return ASK
        in_metadata = list(credential.members.values())
        own = [*in_metadata, *(entry.text for entry in self.index.entries[credential.id])]
        if any(text.form in ("envelope", "keystore", "encrypted") and not self._opened(text) for text in own):
            return ASK
        if any(text.form == "unreadable" and not _is_name(text) for text in own):
            return ASK
        other_address = any(self._opened(text) and not derives(text, credential.key) for text in in_metadata)
        if credential.key is None:  # no key can be compared with its address
            return ASK
        return ASK if other_address or self._may_be_there(credential) or self._any_closed else NONE

    @cached_property
    def _any_closed(self) -> bool:
        """Whether a sealed text may be anywhere that is not opened: while there is, nothing is lost."""
        if self.truth.kids and not self.given.root_key:
            return True
        opened = self.truth.kids if self.given.root_key else frozenset[str]()
        texts = [record.text for record in self.truth.records]
        texts += [entry.text for entry in self.truth.entries]
        texts += [text for credential in self.truth.credentials for text in credential.members.values()]
        return any(text.header is not None and text.header.kid not in opened for text in texts)

    def _may_be_there(self, credential: CredentialRow) -> bool:
        """Whether a text that was not opened, or that nothing explains, is with its address or in its project."""
        own = [each for each in self.truth.credentials if each.project == credential.project]
        rows = [*(() if credential.key is None else self.index.with_address(credential)), *own]
        records = [record.text for row in rows for record in self.index.records[row.id]]
        locked = ("envelope", "keystore", "encrypted")
        members = [text for row in rows for text in row.members.values() if text.form in locked]
        entries = [
            entry.text
            for entry in self.truth.entries
            if entry.form == "foreign" and credential.key is not None and entry.key == credential.key
        ]
        return any(
            (text.form in locked and not self._opened(text)) or (text.form == "unreadable" and not _is_name(text))
            for text in [*records, *members, *entries]
        )

    def _known(self, credential: CredentialRow) -> bool:
        """Whether its key stands anywhere, for its own project."""
        own = [*credential.members.values(), *self._history(credential, of_project=True)]
        there = self.index.records_with(credential)
        return any(self._shows(text, credential, of_project=True) for text in own) or any(
            self._shows(record.text, credential, of_project=True)
            for record in there
            if record.text.header is not None or self._project(record) == credential.project
        )

    def _elsewhere(self, credential: CredentialRow) -> bool:
        """Whether its key stands anywhere, for whatever project."""
        texts = [record.text for record in self.index.records_with(credential)]
        return any(
            self._shows(text, credential, of_project=False)
            for text in [*texts, *self._history(credential, of_project=False)]
        )

    def _history(self, credential: CredentialRow, *, of_project: bool) -> list[Text]:
        entries = self.index.entries[credential.id]
        return [
            entry.text
            for entry in entries
            if not of_project or entry.text.header is not None or entry.project == credential.project
        ]

    def _project(self, record: Record) -> UUID | None:
        """The project of a text that is not ours: that of the row that it is stored in."""
        credential = self.index.by_id.get(record.credential)
        return None if credential is None else credential.project

    def _shows(self, text: Text, credential: CredentialRow, *, of_project: bool) -> bool:
        if text.header is not None and not self._is_unreadable(text):
            named = text.header.credential == credential.id or text.header.names(credential.key)
            return named and (not of_project or text.header.project == credential.project)
        shows_itself = text.form == "unreadable" and derives(text, credential.key)
        return shows_itself or self._proved(text, credential.key)

    # --- findings about a vault record -------------------------------------------------------------------

    def _record(self, record: Record) -> Iterator[tuple[str, Advice]]:
        credential = self.index.by_id.get(record.credential)
        own = self._own(record, credential)
        if own is not None:
            yield own
        if self._label_wrong(record):
            yield "wrong-label", own[1] if own is not None else RELABEL if credential is not None else ASK
        yield from self._header(record.text, record, credential)
        if credential is None:
            yield "orphan-vault-record", ASK
        else:
            yield from self._beside(record, credential)
        in_use = [each for each in self.index.records[record.credential] if not self._out_of_use(each)]
        if len(in_use) > 1 and record in in_use:
            yield "duplicate-vault-records", RETIRE if self._one_key(in_use, credential) else ASK

    def _own(self, record: Record, credential: CredentialRow | None) -> tuple[str, Advice] | None:
        """The finding about the text itself."""
        text = record.text
        if text.form in _OWN_CODE:
            if credential is None or not self._proved(text, credential.key):
                return _OWN_CODE[text.form], ASK
            return _OWN_CODE[text.form], ASK if self._is_anothers(text, credential) else SEAL
        if text.form == "placeholder" and (credential is None or self._out_of_use(record)):
            return None
        if text.form == "placeholder" and credential is not None:
            return "placeholder", RETIRE if self._another_holds(record) else self._lost(credential)
        if self._is_unreadable(text):
            return "unreadable", ASK
        return None

    def _is_anothers(self, text: Text, credential: CredentialRow) -> bool:
        """Whether a text that takes a password holds a key that a row of another project states."""
        if text.form not in ("envelope", "keystore") or not self.given.root_key or not self.truth.kids:
            return False
        return any(each.project != credential.project for each in self.index.with_address(credential))

    def _another_holds(self, record: Record) -> bool:
        """Whether another record of the credential holds a text."""
        others = (other for other in self.index.records[record.credential] if other is not record)
        return any(other.text.form != "placeholder" for other in others)

    def _out_of_use(self, record: Record) -> bool:
        gone = record.credential not in self.index.by_id
        return record.access_level == "revoked" and (gone or self._another_holds(record))

    def _is_unreadable(self, text: Text) -> bool:
        if text.broken == "bits":
            return self.given.root_key and text.header is not None and text.header.kid in self.truth.kids
        return text.form == "unreadable" or text.broken == "form"

    def _label_wrong(self, record: Record) -> bool:
        if record.text.form in ("sealed", "envelope"):
            return not self._is_unreadable(record.text) and record.method != "AES-256-GCM"
        return record.text.form in ("keystore", "key", "phrase", "encoded") and record.method not in (None, "")

    def _header(self, text: Text, record: Record, credential: CredentialRow | None) -> Iterator[tuple[str, Advice]]:
        header = text.header
        if header is None or self._is_unreadable(text):
            return
        if header.kid not in self.truth.kids:
            yield "unknown-sealing-key", ASK
        if header.credential != record.credential:
            yield "sealed-elsewhere", ASK
        elif credential is not None:
            named = self.truth.generation in ("fresh", "sqlite")
            network = credential.network if named else credential.network_of_address
            row = (credential.project, network, True)
            proved = self._opened(text)
            changed = (header.project, header.network, header.names(credential.key)) != row
            if changed or (proved and credential.tampered):
                yield "identity-changed", Advice("relabel", proved)

    def _beside(self, record: Record, credential: CredentialRow) -> Iterator[tuple[str, Advice]]:
        """What compares a record with its credential."""
        text, key = record.text, credential.key
        if text.header is None and self._opened(text) and key is not None and not derives(text, key):
            yield "phrase-does-not-derive-key" if text.secret is None else "address-mismatch", ASK
        if not credential.live and credential.status != "replaced" and record.access_level != "revoked":
            yield "live-after-revoke", RETIRE

    def _one_key(self, records: list[Record], credential: CredentialRow | None) -> bool:
        if credential is None:
            return False
        good = [self._good(record.text, credential) for record in records]
        return any(good) and all(
            found or record.text.form == "placeholder" for found, record in zip(good, records, strict=True)
        )

    def _good(self, text: Text, credential: CredentialRow) -> bool:
        """Whether it derives the address or is sealed for it."""
        if text.header is not None and text.header.credential == credential.id:
            return not self._is_unreadable(text) and text.header.names(credential.key)
        return self._proved(text, credential.key)

    # --- findings about several credentials --------------------------------------------------------------

    def _duplicates(self) -> list[UUID]:
        groups: dict[object, list[UUID]] = defaultdict(list)
        for credential in self.truth.credentials:
            if credential.live and credential.key is not None:
                groups[credential.project, credential.network_of_address, self._label(credential)].append(credential.id)
        return [wallet for group in groups.values() if len(group) > 1 for wallet in group]

    def _label(self, credential: CredentialRow) -> str:
        if credential.slot_label is not None:
            return credential.slot_label
        if self.truth.generation == "g1":
            return "default"
        found = _TYPE.fullmatch(credential.credential_type or "")
        return "default" if found is None else found[1]

    def _sharing(self) -> list[UUID]:
        holders: dict[object, dict[UUID, None]] = defaultdict(dict)
        for credential in self.truth.credentials:
            texts = [record.text for record in self.index.records[credential.id]]
            for text in [*texts, *credential.members.values()]:
                mark = self._mark(text, credential)
                if mark is not None:
                    holders[mark][credential.id] = None
        return list(dict.fromkeys(wallet for group in holders.values() if len(group) > 1 for wallet in group))

    def _mark(self, text: Text, credential: CredentialRow) -> object:
        """What two credentials must not have in common."""
        if not self._opened(text):
            return text.value if text.form in ("envelope", "keystore") else None
        if text.secret is not None:
            return text.secret
        return credential.key.secret if credential.key is not None and derives(text, credential.key) else None

    def _vault_ids(self) -> list[UUID]:
        groups: dict[str, list[UUID]] = defaultdict(list)
        for credential in self.truth.credentials:
            groups[credential.vault_id].append(credential.id)
        return [wallet for group in groups.values() if len(group) > 1 for wallet in group]


def recoverable(truth: GroundTruth) -> dict[UUID, bool]:
    """Whether the key of each wallet's address is somewhere that the root key and the passwords open."""
    index = truth.index()
    result = {}
    for credential in truth.credentials:
        own: list[Record | Entry] = [*index.records[credential.id], *index.entries[credential.id]]
        texts = [*(each.text for each in own), *credential.members.values(), *index.in_any_record(credential)]
        result[credential.id] = any(
            (EVERYTHING.opens(text, truth.kids) or text.form == "unreadable") and derives(text, credential.key)
            for text in texts
        )
    return result
