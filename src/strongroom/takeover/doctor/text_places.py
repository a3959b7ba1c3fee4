"""Where a text is stored: what is told of it, what prints it, and whose it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from strongroom.store.inspection.inspection import FoundCredential, KeptText
from strongroom.store.statements.register_rows import uuid_or_none
from strongroom.takeover.doctor import commands
from strongroom.takeover.doctor.findings import shown_id
from strongroom.takeover.doctor.key_kinds import KeyTextKind
from strongroom.takeover.doctor.notes import ExaminationContext, ExaminedRecord
from strongroom.takeover.doctor.other_ids import is_project
from strongroom.takeover.doctor.spool import Offer

_PASSWORD = "--legacy-password-stdin"  # noqa: S105 - the name of an option


class Place(NamedTuple):
    """Where a text is stored."""

    told: str
    """For people."""
    name: str
    """As ``history reveal`` takes it; empty where no command can name it."""
    wallet_id: str | None
    """The wallet that it is stored with; None where that is not there, or cannot be named."""
    project_id: str | None
    text: str
    """The whole text."""
    owner: str | None = None
    """The project of its wallet, as slot, record or row say; of an entry, as it says itself."""

    def __repr__(self) -> str:
        return f"<Place {self.told}>"

    @property
    def shown(self) -> str:
        """The command that prints the text; empty where none can."""
        command = commands.reveal_text(self.name) if self.name else ""
        return command if self.wallet_id is None else commands.naming_wallet(command, self.wallet_id)

    def offer(self, addresses: Iterable[str], kind: KeyTextKind, *, many: bool = False) -> Iterator[Offer]:
        """The key of these addresses, if there are any, which is in the text.

        ``many``: it is one of a phrase, whose other keys are other wallets' of its project.
        """
        found, shown = tuple(dict.fromkeys(addresses)), self.shown
        unlocked = f"{shown} {_PASSWORD}" if shown and kind is KeyTextKind.ENVELOPE else ""
        if found:
            owner = self.owner if many else None
            yield Offer(found, None, self.told, shown, "", unlocked, self.project_id, owner=owner)


def place_of_record(
    examination_context: ExaminationContext, held: ExaminedRecord, credential: FoundCredential | None
) -> Place:
    """The text of a vault record."""
    row = shown_id(held.record.id)
    name = row if row == held.record.id else ""
    project, owner = None, None
    if credential is not None:
        project, owner = credential.project_id, _owner(examination_context, credential)
    return Place(f"the vault record {row}", name, _named(credential), project, held.record.text or "", owner)


def place_of_member(
    examination_context: ExaminationContext, credential: FoundCredential, name: str, text: str
) -> Place:
    """A text of the metadata of a credential."""
    shown = shown_id(credential.id)
    place = f"{commands.in_metadata(shown)}/{name}" if shown == credential.id else ""
    told, owner = f"the metadata of {shown} ({name})", _owner(examination_context, credential)
    return Place(told, place, _named(credential), credential.project_id, text, owner)


def place_of_entry(kept: KeptText) -> Place:
    """An entry of the history."""
    wallet_id = kept.credential_id if is_project(kept.credential_id) else None
    owner = _canonical(kept.project_id)
    return Place(f"the entry {kept.id} of the history", kept.id, wallet_id, kept.project_id, kept.text, owner)


def _owner(examination_context: ExaminationContext, credential: FoundCredential) -> str | None:
    return _canonical(examination_context.owner(credential))


def _canonical(project_id: str | None) -> str | None:
    """A project id as others are compared with; one that is no UUID as it is."""
    known = uuid_or_none(project_id)
    return project_id if known is None else str(known)


def _named(credential: FoundCredential | None) -> str | None:
    return credential.id if credential is not None and is_project(credential.id) else None
