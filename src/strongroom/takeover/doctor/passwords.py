"""The passwords that somebody brought, and what they open."""

from __future__ import annotations

from strongroom.host.work_budget import WorkBudget
from strongroom.secret import Secret
from strongroom.takeover.doctor import envelope, locked_texts
from strongroom.takeover.doctor.envelope import Envelope
from strongroom.takeover.doctor.key_texts import KeyText, read_plaintext

NO_KEY = "opened, but it holds no key that is known"


class Passwords:
    """Opens envelopes and keystores, as long as work is left; without a password it says that one is needed."""

    def __init__(
        self, legacy: Secret | None = None, keystores: Secret | None = None, work: WorkBudget | None = None
    ) -> None:
        self._legacy = legacy
        self._keystores = keystores
        self._work = WorkBudget() if work is None else work

    @property
    def opens_envelopes(self) -> bool:
        """Whether somebody brought the password of envelopes."""
        return self._legacy is not None

    def open(self, read: KeyText) -> tuple[KeyText | None, str]:
        """What is in an envelope or keystore, and what happened, for people."""
        if read.locked is None:
            return None, ""
        password = self._legacy if isinstance(read.locked, Envelope) else self._keystores
        if password is None:
            return None, "its password is needed"
        cost = envelope.COST if isinstance(read.locked, Envelope) else locked_texts.cost(read.locked)
        if not self._work.affords(cost):
            return None, "not tried: the password was tried in vain on as much as is tried in one run"
        opened, note = self._opened(read.locked, password)
        if opened is not None or note == NO_KEY:
            self._work.give_back(cost)
        return opened, note

    @staticmethod
    def _opened(locked: Envelope | Secret, password: Secret) -> tuple[KeyText | None, str]:
        if isinstance(locked, Envelope):
            plaintext = locked.open(password)
            if plaintext is None:
                return None, "the password does not open it, or it was changed"
            found = read_plaintext(plaintext)
            return found, "opened" if found is not None else NO_KEY
        return locked_texts.open_keystore(locked, password)
