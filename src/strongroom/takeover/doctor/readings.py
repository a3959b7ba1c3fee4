"""What the texts of a wallet are, before anything is derived."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from enum import IntEnum
from typing import NamedTuple

from strongroom.crypto.sealing import is_sealed
from strongroom.secret import Secret
from strongroom.store.inspection.inspection import FoundWallet
from strongroom.takeover.doctor import sealed_texts
from strongroom.takeover.doctor.derivation import Derivation, Target
from strongroom.takeover.doctor.key_texts import KeyText, KeyTextKind, read


class Work(IntEnum):
    """How long it takes to examine a wallet, in wallets whose key stands open."""

    LIGHT = 1
    PHRASE = 4
    """Most of it outside of Python, on another core."""
    PASSWORD = 64
    """As much as that, and more: tens of milliseconds to a second."""


class Readings(NamedTuple):
    """What the texts of a wallet are; nothing was derived yet."""

    records: tuple[KeyText, ...]
    members: tuple[tuple[str, KeyText], ...]

    @classmethod
    def of(cls, found: FoundWallet) -> Readings:
        """Read every text of a wallet."""
        members = () if found.credential is None else found.credential.key_texts
        return cls(
            tuple(read(record.text) for record in found.records),
            tuple((name, _with_its_text(read(text), text)) for name, text in members),
        )

    def work(self) -> Work:
        """How much work examining these texts is, at most."""
        if not self.members and len(self.records) == 1:
            return _work(self.records[0])
        return max((_work(text) for text in (*self.records, *(text for _, text in self.members))), default=Work.LIGHT)

    def settled(self, derivation: Derivation, targets: Sequence[Target], found: FoundWallet) -> Target | None:
        """Which network an address is meant on; None where that is none, or the wallet's texts do not say which."""
        if len(targets) < 2:
            return targets[0] if targets else None
        claims = (
            sealed_texts.sealed_header(record.text)
            for record in found.records
            if record.text and is_sealed(record.text)
        )
        claimed = {header.network for header in claims if header is not None}
        return derivation.settled(targets, (*self.records, *(text for _, text in self.members)), claimed)


def _with_its_text(found: KeyText, text: str) -> KeyText:
    """A sealed text of the metadata has no record that has it."""
    if found.kind is not KeyTextKind.SEALED or found.sealed is not None:
        return found
    return replace(found, sealed=Secret.from_text(text))


def _work(text: KeyText) -> Work:
    if text.derives_many or any(other.derives_many for other in text.others):
        return Work.PHRASE
    return Work.LIGHT if text.locked is None else Work.PASSWORD
