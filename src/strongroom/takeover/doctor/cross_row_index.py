"""Comparisons across rows, in flat memory: match keys of fixed size go to an unlinked file, are sorted there, and met.

A match key is the keyed digest of what is compared and the row that it came from. The key of the digests is made for
one run and forgotten with it: the file tells nobody which wallets share what.
"""

from __future__ import annotations

import heapq
import os
import tempfile
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from itertools import groupby
from types import TracebackType
from typing import IO, NamedTuple, Self

from strongroom.secret import Secret

_DIGEST_BYTES = 16
_ROW_BYTES = 46
_MATCH_KEY_BYTES = 1 + _DIGEST_BYTES + 1 + _ROW_BYTES
_RUN_MATCH_KEYS = 16_384
"""A run, which is sorted in memory, is 1 MiB."""

SHARED_KEY = b"k"
SHARED_VAULT_ID = b"v"
LIVE = b"l"
PHRASE = b"p"
"""Comes after ``SHARED_KEY``: a key that is in several projects says all that its phrase would."""
EXPOSED = b"e"
"""A wallet that has a key in plaintext, in its rows or in the history."""
UNREAD = b"8"
"""A text of which no key was read, by the project of its row. Comes before ``POSSIBLE``, which says more."""
POSSIBLE = b"9"
"""A text of which no key was read, by the address that its row states, or a phrase of a project, by the most usual ones
of its keys. Comes before ``ELSEWHERE``, which says more."""
ELSEWHERE = b"A"
"""A key of an address, whatever project it belongs to, in whatever row and column."""
SEALED = b"C"
"""A sealed text of a wallet that is not where it belongs. Comes after ``ELSEWHERE``, and says more."""
KNOWN = b"a"
"""A key of an address or credential in one project. Comes after both: a repair takes it."""
PROJECT = b"."
"""Comes before the other tags: a project under which a key stands."""
FOUND = b"0"
MISSING = b"1"
BESIDE = b"/"
"""Of a key or phrase under a credential: it is not the one that derives the credential's address."""
KEPT_BESIDE = b"2"
"""The same of a key that the history alone keeps."""
IN_METADATA = b"2"
"""Of a live wallet: its key is in its metadata, and not in its vault record."""
PLACED = b"/"
"""Of a key of an address, or a sealed text of a wallet: the row is an offer of the spool, which says where it is."""
REPLACED = b"3"
"""Of a sealed text of a wallet: what would be another finding if the wallet could have that text back."""


class MatchKey(NamedTuple):
    """What is compared, and the row that it came from."""

    kind: bytes
    digest: bytes
    tag: bytes
    row: str

    def packed(self) -> bytes | None:
        """Fixed size; None for an id that is longer than any that is known."""
        row = self.row.encode(errors="surrogatepass")
        return None if len(row) > _ROW_BYTES else self.kind + self.digest + self.tag + row.ljust(_ROW_BYTES, b"\0")


class Fingerprints:
    """Makes match keys, under a key of this run."""

    def __init__(self) -> None:
        self._key = Secret(os.urandom(32))

    def key(self, key: Secret, credential_id: str, *, own: bool = True) -> MatchKey:
        """A private key under a credential; ``own``: the one of its address."""
        return MatchKey(SHARED_KEY, self._digest(b"key", key.reveal()), FOUND if own else BESIDE, credential_id)

    def text(self, text: Secret, credential_id: str) -> MatchKey:
        """An unopened text under a credential."""
        return MatchKey(SHARED_KEY, self._digest(b"text", text.reveal()), FOUND, credential_id)

    def phrase(self, mnemonic: Secret, credential_id: str, *, own: bool = True) -> MatchKey:
        """A phrase under a credential, as ``Phrase`` holds one; its passphrase does not count."""
        tag = FOUND if own else BESIDE
        return MatchKey(PHRASE, self._digest(b"phrase", mnemonic.reveal()), tag, credential_id)

    def vault_id(self, vault_id: str, credential_id: str) -> MatchKey:
        """A vault id of a credential."""
        return MatchKey(SHARED_VAULT_ID, self._of_text(b"vault", vault_id), FOUND, credential_id)

    def live(self, project_id: str, network: str, label: str, credential_id: str, where: bytes) -> MatchKey:
        """A live wallet of a project, network and label; ``where`` its key is: FOUND, MISSING or IN_METADATA."""
        digest = self._of_text(b"live", f"{project_id}\0{network}\0{label}")
        return MatchKey(LIVE, digest, where, credential_id)

    def kept(self, key: Secret, credential_id: str, *, own: bool = True) -> MatchKey:
        """A private key that the history alone keeps of a credential."""
        return self.key(key, credential_id)._replace(tag=MISSING if own else KEPT_BESIDE)

    def under(self, match_key: MatchKey, project_id: str | None) -> MatchKey:
        """The project under which the key or text of a match key stands."""
        return match_key._replace(tag=PROJECT, row=self._of_text(b"project", project_id or "").hex())

    def offers(self, project_id: str | None, name: str, record_id: str) -> Iterator[MatchKey]:
        """That the key of an address is sealed in a vault record, as that row's own."""
        yield MatchKey(ELSEWHERE, self._of_text(b"known", name), FOUND, record_id)
        yield from self.known(project_id, name, record_id)

    def known(self, project_id: str | None, name: str, record_id: str) -> Iterator[MatchKey]:
        """That a repair may take the key of an address, or of a credential, from a vault record."""
        if project_id is not None:
            yield MatchKey(KNOWN, self._in_project(project_id, name), FOUND, record_id)

    def exposed(self, wallet_id: str) -> MatchKey:
        """A wallet, or a text of none, that has a key in plaintext."""
        return MatchKey(EXPOSED, self._of_text(b"exposed", wallet_id), FOUND, "")

    def placed(
        self, addresses: Iterable[str], wallet_id: str | None, offer: int, *, possible: bool = False
    ) -> Iterator[MatchKey]:
        """That an offer is of the key of these addresses, or may be, or is a sealed text of a wallet."""
        for address in addresses:
            yield MatchKey(POSSIBLE if possible else ELSEWHERE, self._of_text(b"known", address), PLACED, str(offer))
        if wallet_id is not None:
            yield MatchKey(SEALED, self._of_text(b"known", wallet_id), PLACED, str(offer))

    def unread(self, project_id: str, offer: int) -> MatchKey:
        """That an offer is of a text in a project of which no key was read."""
        return MatchKey(UNREAD, self._of_text(b"project", project_id), PLACED, str(offer))

    def needs_of_project(self, project_id: str, finding: int) -> MatchKey:
        """That a finding would be another if such a text were in a project."""
        return MatchKey(UNREAD, self._of_text(b"project", project_id), MISSING, str(finding))

    def pathless(self, project_id: str, offer: int) -> MatchKey:
        """That an offer is of a phrase in a project: it may have keys at paths that were not tried."""
        return MatchKey(UNREAD, self._of_text(b"pathless", project_id), PLACED, str(offer))

    def needs_path(self, project_id: str, finding: int) -> MatchKey:
        """That a finding would be another if such a phrase were in a project."""
        return MatchKey(UNREAD, self._of_text(b"pathless", project_id), MISSING, str(finding))

    def needs(self, project_id: str | None, address: str, finding: int) -> Iterator[MatchKey]:
        """That a finding would be another if the key of an address were anywhere."""
        for kind in (POSSIBLE, ELSEWHERE):
            yield MatchKey(kind, self._of_text(b"known", address), MISSING, str(finding))
        if project_id is not None:
            yield MatchKey(KNOWN, self._in_project(project_id, address), MISSING, str(finding))

    def needs_of(self, project_id: str | None, wallet_id: str, finding: int) -> Iterator[MatchKey]:
        """That a finding would be another if a sealed text of a wallet were anywhere."""
        yield MatchKey(SEALED, self._of_text(b"known", wallet_id), MISSING, str(finding))
        if project_id is not None:
            yield MatchKey(KNOWN, self._in_project(project_id, wallet_id), MISSING, str(finding))

    def would_replace(self, wallet_id: str, finding: int) -> MatchKey:
        """That a finding about another text in a wallet's record would name what puts its own one back."""
        return MatchKey(SEALED, self._of_text(b"known", wallet_id), REPLACED, str(finding))

    def _in_project(self, project_id: str, name: str) -> bytes:
        return self._of_text(b"known", f"{project_id}\0{name}")

    def _of_text(self, kind: bytes, text: str) -> bytes:
        return self._digest(kind, text.encode(errors="surrogatepass"))

    def _digest(self, kind: bytes, data: bytes) -> bytes:
        return blake2b(data, digest_size=_DIGEST_BYTES, key=self._key.reveal(), person=kind).digest()


class Group(NamedTuple):
    """Match keys of one kind with one digest, in the order of tags and rows."""

    kind: bytes
    match_keys: Iterator[tuple[bytes, str]]
    """Tag and row of each; to be taken before the next group is."""


class CrossRowIndex:
    """Match keys of all rows, sorted in a temporary file without a name: memory stays the same for any number."""

    def __init__(self) -> None:
        self._file: IO[bytes] = tempfile.TemporaryFile(prefix="strongroom-doctor-")  # noqa: SIM115 - closed by close()
        self._waiting: list[bytes] = []
        self._runs: list[tuple[int, int]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the file, which the system then removes."""
        self._file.close()

    def add(self, match_key: MatchKey) -> None:
        """Add a match key; one that no other row can share is not kept."""
        packed = match_key.packed()
        if packed is not None:
            self._waiting.append(packed)
        if len(self._waiting) >= _RUN_MATCH_KEYS:
            self._write_run()

    def groups(self) -> Iterator[Group]:
        """Every group, once; nothing can be added afterwards."""
        self._write_run()
        merged = heapq.merge(*(self._read_run(start, end) for start, end in self._runs))
        for head, members in groupby(merged, key=_head):
            yield Group(head[:1], ((member[len(head) : len(head) + 1], _row_of(member)) for member in members))

    def _write_run(self) -> None:
        if self._waiting:
            start = self._file.seek(0, os.SEEK_END)
            self._file.write(b"".join(sorted(self._waiting)))
            self._runs.append((start, self._file.tell()))
            self._waiting.clear()

    def _read_run(self, start: int, end: int) -> Iterator[bytes]:
        """The match keys of a run, a few at a time: as many runs as there are share one file."""
        step = _MATCH_KEY_BYTES * max(64, _RUN_MATCH_KEYS // max(1, len(self._runs)))
        for place in range(start, end, step):
            self._file.seek(place)
            piece = self._file.read(min(step, end - place))
            for offset in range(0, len(piece), _MATCH_KEY_BYTES):
                yield piece[offset : offset + _MATCH_KEY_BYTES]


def _head(packed: bytes) -> bytes:
    return packed[: 1 + _DIGEST_BYTES]


def _row_of(packed: bytes) -> str:
    return packed[2 + _DIGEST_BYTES :].rstrip(b"\0").decode(errors="surrogatepass")
