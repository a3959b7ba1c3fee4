"""Many callers, one statement: whoever comes while one is under way goes with the next.

The first caller runs its own wish at once and waits for nobody. Callers that come meanwhile queue up; when it is done,
one of them takes all of them along. So a single caller pays nothing, and a crowd shares its commits.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from strongroom.errors import OutcomeUnknownError, StoreRefusedError

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


@dataclass(slots=True)
class _Waiting(Generic[Asked, Answer]):
    asked: Asked
    woken: threading.Event = field(default_factory=threading.Event)
    answer: Answer | None = None
    error: Exception | None = None
    done: bool = False


class GroupCommit(Generic[Asked, Answer]):
    """Runs ``work`` for many callers of many threads; each gets its own answer or error.

    ``lanes`` groups may be under way at once, each of at most ``most``.
    """

    def __init__(self, work: Callable[[Sequence[Asked]], list[Answer]], *, most: int = 128, lanes: int = 2) -> None:
        self._work = work
        self._most = most
        self._lanes = lanes
        self._lock = threading.Lock()
        self._queue: deque[_Waiting[Asked, Answer]] = deque()
        self._running = 0

    def ask(self, asked: Asked) -> Answer:
        """One caller's wish. Raises what ``work`` raises for it alone."""
        mine: _Waiting[Asked, Answer] = _Waiting(asked)
        with self._lock:
            leads = self._running < self._lanes
            if leads:
                self._running += 1
            else:
                self._queue.append(mine)
        if not leads:
            mine.woken.wait()
        if not mine.done:
            self._lead(mine)
        if mine.error is not None:
            raise mine.error
        return mine.answer  # type: ignore[return-value]

    @property
    def waiting(self) -> int:
        """How many callers are waiting for a group to begin."""
        with self._lock:
            return len(self._queue)

    def _lead(self, mine: _Waiting[Asked, Answer]) -> None:
        """Run a group, the caller's wish among it, then wake one of those who came meanwhile: it leads the next."""
        with self._lock:
            group = [mine, *(self._queue.popleft() for _ in range(min(self._most - 1, len(self._queue))))]
        try:
            self._run(group)
        finally:
            with self._lock:
                following = self._queue.popleft() if self._queue else None
                self._running -= following is None
            if following is not None:
                following.woken.set()

    def _run(self, group: Sequence[_Waiting[Asked, Answer]]) -> None:
        try:
            answers = self._work([each.asked for each in group])
            for each, answer in zip(group, answers, strict=True):
                each.answer = answer
        except StoreRefusedError as error:
            if len(group) == 1:
                group[0].error = error
            else:  # one of them is refused: nothing was written, and each is tried by itself
                for each in group:
                    self._run([each])
        except Exception as error:  # noqa: BLE001 - it belongs to the callers, and is raised there
            for each in group:
                each.error = error
        finally:
            for each in group:
                if not each.done:
                    if each.answer is None and each.error is None:  # the leader was interrupted
                        each.error = OutcomeUnknownError("The call that carried this one was interrupted.")
                    each.done = True
                    each.woken.set()
