"""Sealed texts of a wallet that are stored under another one, or in its history: their header says whose they are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple
from uuid import UUID

from strongroom.crypto import sealing
from strongroom.usecases.context import VaultContext

_SEALED = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*){4}")
_TABLES = {
    "record": "a vault record",
    "entry": "the history",
    "metadata": "the metadata of a credential",
}


class Stray(NamedTuple):
    """A sealed text of a wallet, wherever it is stored."""

    place: str
    """``record:ID``, ``entry:ID`` or ``metadata:ID``."""
    text: str

    @property
    def told(self) -> str:
        """Where it is, for people."""
        return _TABLES[self.place.partition(":")[0]]


def strays_of(context: VaultContext, wallet_id: UUID, project_id: UUID) -> Iterator[Stray]:
    """The texts in vault records, the history and metadata whose header names a wallet; not opened yet.

    Also those with something around them, as far as that leaves them as they are: in quotes or JSON, not in base64.
    Reads the tables whole: for wallets alone whose own rows and history do not have the key.
    """
    for kid in sorted(context.keyring.kids):
        beginning = sealing.beginning_of(kid, project_id, wallet_id)
        for place, rest in context.store.rescue.texts_holding(beginning):
            found = _SEALED.match(rest)
            if found is not None and _is_of(found[0], wallet_id, project_id):
                yield Stray(place, found[0])


def _is_of(text: str, wallet_id: UUID, project_id: UUID) -> bool:
    identity = sealing.identity_in(text)
    return identity is not None and (identity.project_id, identity.credential_id) == (project_id, wallet_id)
