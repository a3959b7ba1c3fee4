"""Entries of the history in a repair's transaction: locked and compared, sealed, read back; each in its own project."""

from __future__ import annotations

from uuid import UUID

from strongroom.errors import TriggerConflictError
from strongroom.store.connection.session import Session
from strongroom.store.context import LostRaceError, StoreContext
from strongroom.store.inspection.inspection_rows import KeptText


def require_kept(context: StoreContext, session: Session, seen: KeptText) -> None:
    """Lock an entry of the history, which must be what was examined, its owner included. Raises LostRaceError."""
    named = {"entry_id": seen.id, "stored_project": seen.project_id}
    found = session.fetch(context.repair_sql.lock_kept, named)
    if [KeptText(*row) for row in found] != [seen]:
        raise LostRaceError


def seal_entry(context: StoreContext, session: Session, kept: KeptText, text: str) -> None:
    """Put a sealed text into an entry of the history. Raises TriggerConflictError where it was kept out."""
    named = {"entry_id": kept.id, "stored_project": kept.project_id}
    if session.change(context.repair_sql.seal_history, {**named, "text": text}) != 1:
        raise TriggerConflictError("A trigger or rule kept the history as it was; nothing was written.")


def require_entry(
    context: StoreContext, session: Session, place: tuple[UUID | str, UUID | str | None], text: str, form: str
) -> None:
    """Read an entry of the history back, before the commit. Raises TriggerConflictError where it is another one.

    ``place``: its id, and its project.
    """
    entry_id, project = place
    named = {"entry_id": entry_id, "stored_project": project}
    found = session.fetch(context.repair_sql.written_history, named)
    if [tuple(row) for row in found] != [(text, form)]:
        raise TriggerConflictError("A trigger or rule changed the history's row; nothing was written.")
