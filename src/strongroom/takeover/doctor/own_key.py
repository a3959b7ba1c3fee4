"""A wallet's own key among the texts that the history keeps of it."""

from __future__ import annotations

from strongroom.crypto.sealing import is_text
from strongroom.host.work_budget import WorkBudget
from strongroom.store.inspection.inspection import KeptText
from strongroom.store.inspection.kept_texts import KeptTexts
from strongroom.takeover.doctor import commands, in_history, sealed_texts
from strongroom.takeover.doctor.derivation import Content
from strongroom.takeover.doctor.findings import shown_id
from strongroom.takeover.doctor.in_history import WHY_UNOPENED, InHistory
from strongroom.takeover.doctor.key_texts import UNOPENED, KeyText, KeyTextKind, read
from strongroom.takeover.doctor.notes import Examination, ExaminationContext
from strongroom.takeover.doctor.text_places import place_of_entry
from strongroom.takeover.doctor.text_probes import open_text
from strongroom.usecases.rescue import MOST_PHRASES


class OwnKey:
    """Looks for the key of one wallet that has a credential."""

    def __init__(self, examination_context: ExaminationContext, examined: Examination) -> None:
        assert examined.credential is not None  # noqa: S101 - the caller looked
        self._examination_context, self._examined = examination_context, examined
        self._credential = examined.credential
        self._budget = WorkBudget(most_phrases=MOST_PHRASES)
        self._ask, self._explained = "", False

    def find(self, texts: KeptTexts) -> tuple[InHistory, Content | None]:
        """Whether a text is its key, and what a text of the legacy application holds that is.

        Where not all could be read, nothing is known to be missing: a verb that reads more is named.
        """
        for kept in texts:
            found = self._examination_context.derivation.reading(read(kept.text), self._examined.target)
            if found.derives_many and not self._budget.takes_phrase():
                texts.cut = True
                continue
            project, content = self._project_of(kept, found)
            target = self._examined.target
            if project is None:
                continue
            if project != self._credential.project_id:
                self._ask, self._explained = "names another project", True
                continue
            sealed = content is None  # of other texts foreign-history tells, and names what prints them
            alone = commands.reveal(kept.id) if sealed else ""
            if target is None:
                return InHistory(known=True, alone=alone), content
            place = place_of_entry(kept)
            offer = next(place.offer((target.address,), found.kind))
            if sealed:
                offer = offer._replace(command=commands.reveal_of(kept.id, self._credential.id))
            return InHistory(known=True, offer=offer, alone=alone), content
        if texts.cut:
            command = commands.restore(shown_id(self._credential.id))
            return InHistory(ask=in_history.CUT, explained=False, command=command), None
        return InHistory(ask=self._ask, explained=self._explained), None

    def _project_of(self, kept: KeptText, found: KeyText) -> tuple[str | None, Content | None]:
        """The project of a text that is the wallet's key, and its content; None where it is not, or says none."""
        if is_text(kept.text):
            self._ask = self._ask or in_history.what_is_sealed(self._examination_context, kept)
            return None, None
        if found.kind is KeyTextKind.SEALED:
            return self._of_sealed(kept, found), None
        content, _ = open_text(self._examination_context, self._examined, found)
        if content is None and found.kind in UNOPENED:
            self._ask, self._explained = self._ask or WHY_UNOPENED[found.kind is KeyTextKind.ENCRYPTED], True
        elif content is None and found.kind is not KeyTextKind.PLACEHOLDER:
            self._ask = self._ask or "is unexplained"
        return (kept.project_id or "", content) if content is not None and content.derives else (None, None)

    def _of_sealed(self, kept: KeptText, found: KeyText) -> str | None:
        text = kept.text if found.sealed is None else found.sealed.reveal_text()
        header, target = sealed_texts.sealed_header(text, aside=True), self._examined.target
        if header is None or header.credential_id != self._credential.id:
            return None
        if not in_history.is_of_another(self._examination_context, header, target):
            return header.project_id
        aside = in_history.why_phrase_aside(self._examination_context, kept, header, target)
        self._ask, self._explained = self._ask or aside, self._explained or bool(aside)
        return None
