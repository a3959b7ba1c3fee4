"""What was asked of a key before the locks is asked again under them, where waiting for them took long.

Whoever holds a lock on a row of a wallet chooses how long its repair waits: meanwhile another project's rows come back,
or a person revokes the wallet that has the key. Where the writing itself took long, everything is decided anew.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from strongroom.store.context import StoreContext
from strongroom.store.sql_store import SqlStore
from strongroom.takeover.doctor.notes import ExaminationContext
from strongroom.usecases.context import VaultContext
from strongroom.usecases.keys_of_others import KeysOfOthers

PATIENCE = 1.0
"""Seconds that an answer holds until the locks are held: the tables are read as a whole to ask again."""
_LONGEST = 5.0
"""Seconds that it holds until the commit. Asked there, a wallet's record that was just written would speak for it."""

Question = Callable[[VaultContext, ExaminationContext], None]
"""Raises StrongroomError where a key must not be sealed."""


class AskedAgain:
    """The questions that were asked about the keys of one unit."""

    def __init__(
        self,
        vault_context: VaultContext,
        examination_context: ExaminationContext,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._vault_context, self._examination_context, self._clock = vault_context, examination_context, clock
        self._questions = list[Question]()
        self._answered_at = clock()
        """Not when it was asked: to read the tables for an answer may take longer than it holds."""

    def ask(self, question: Question) -> None:
        """Ask now, and again before what is written is committed."""
        question(self._vault_context, self._examination_context)
        self._questions.append(question)
        self._answered_at = self._clock()

    def ask_again(self, context: StoreContext) -> None:
        """Ask again, of a context that reads in the writing transaction, where it is long ago. Raises as they do."""
        if self._age() <= PATIENCE:
            return
        self._forget()
        vault_context = replace(self._vault_context, store=SqlStore(context))
        examination_context = replace(self._examination_context, keys_of_others=KeysOfOthers(vault_context))
        for question in self._questions:
            question(vault_context, examination_context)
        self._answered_at = self._clock()

    def is_too_old(self) -> bool:
        """Whether the writing took so long that everything is decided anew."""
        if self._age() <= _LONGEST:
            return False
        self._forget()
        return True

    def _age(self) -> float:
        return self._clock() - self._answered_at if self._questions else 0.0

    def _forget(self) -> None:
        """Another attempt asks what is there by then."""
        if self._examination_context.keys_of_others is not None:
            self._examination_context.keys_of_others.forget()
