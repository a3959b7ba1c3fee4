"""Sealed texts of a wallet that are stored under another one, or in its history: their header says whose they are."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from strongroom.crypto import sealing
from strongroom.usecases.context import VaultContext


class Stray(NamedTuple):
    """A sealed text of a wallet, wherever it is stored."""

    place: str
    """``record:ID`` or ``entry:ID``."""
    text: str


def strays_of(context: VaultContext, wallet_id: UUID, project_id: UUID) -> list[Stray]:
    """The texts in vault records and in the history whose header names a wallet; not opened yet.

    Reads both tables whole: for wallets alone whose own rows and history do not have the key.
    """
    found = []
    for kid in sorted(context.keyring.kids):
        beginning = sealing.beginning_of(kid, project_id, wallet_id)
        for place, text in context.store.rescue.texts_beginning(beginning):
            identity = sealing.identity_in(text)
            if identity is not None and (identity.project_id, identity.credential_id) == (project_id, wallet_id):
                found.append(Stray(place, text))
    return found
