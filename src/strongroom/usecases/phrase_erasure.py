"""Labels of a project's phrases, which may name somebody, taken away. Nothing else of them is."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from strongroom.crypto import tags
from strongroom.errors import StoreError, StrongroomError
from strongroom.records.erasure import erased_label
from strongroom.records.phrases import REPLACED
from strongroom.usecases.context import VaultContext
from strongroom.usecases.outcome import no_look, resolve
from strongroom.usecases.phrase_reading import checked, next_page

_PAGE = 100


def erase_phrases(context: VaultContext, project_id: UUID) -> Iterator[tuple[UUID, StrongroomError]]:
    """Take the labels of a project's phrases away; each stays, can be revealed by its id, and derives no new wallet.

    Yields those that were left as they are, and why: no erasure vouches for what somebody changed.
    """
    after: UUID | None = None
    while page := context.store.phrases.page(project_id, after, _PAGE):
        for stored in page:
            try:
                _erase(context, project_id, stored.record.phrase_id)
            except StoreError:
                raise
            except StrongroomError as error:
                yield stored.record.phrase_id, error
        after = next_page(after, page)


def _erase(context: VaultContext, project_id: UUID, phrase_id: UUID) -> None:
    label = erased_label(phrase_id)

    def write(_lost: bool) -> bool | None:
        stored = context.store.phrases.get(project_id, phrase_id)
        if stored is None or checked(context, stored, project_id).record.label == label:
            return True
        old = stored.record
        record = old._replace(label=label, status=REPLACED, version=old.version + 1)
        return (
            context.store.phrases.change(stored, (record, tags.make("phrase", record.fields(), context.keyring)))
            or None
        )

    resolve(write, no_look, contended="The phrase changed several times in a row; it was left as it is.")
