"""Many callers, one statement: a caller that comes while one is under way goes with the next.

The first caller runs its own request at once and waits for nobody. Callers that come meanwhile queue up; when it is
done, one of them takes all of them along. So a single caller pays nothing, and a crowd shares its commits.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from strongroom.errors import OutcomeUnknownError, StoreRefusedError
from strongroom.host.forks import forget_in_child

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


def _closed() -> threading.Lock:
    lock = threading.Lock()
    lock.acquire()
    return lock


@dataclass(slots=True, eq=False)
class _Waiting(Generic[Asked, Answer]):
    asked: Asked
    woken: threading.Lock = field(default_factory=_closed)
    """Closed until the caller is to go on: a bare lock costs a tenth of an Event."""
    answer: Answer | None = None
    error: Exception | None = None
    done: bool = False
    leads: bool = False


class GroupCommit(Generic[Asked, Answer]):
    """Runs ``work`` for many callers of many threads; each gets its own answer or error.

    ``lanes`` groups may be under way at once, each of at most ``most``.
    """

    def __init__(self, work: Callable[[Sequence[Asked]], list[Answer]], *, most: int = 128, lanes: int = 2) -> None:
        self._work = work
        self._most = most
        self._lanes = lanes
        self.forget_other_threads()
        forget_in_child(self)

    def forget_other_threads(self) -> None:
        """Begin with nobody: in a forked child who leads, and who waits, are threads that it does not have."""
        self._lock = threading.Lock()
        self._queue: deque[_Waiting[Asked, Answer]] = deque()
        self._running = 0

    def ask(self, asked: Asked) -> Answer:
        """One caller's request. Raises what ``work`` raises for it alone."""
        mine: _Waiting[Asked, Answer] = _Waiting(asked)
        try:  # from here on: a signal may interrupt the caller who has just come into the queue
            with self._lock:
                if self._running < self._lanes:
                    self._running += 1
                    mine.leads = True
                else:
                    self._queue.append(mine)
            if not mine.leads:
                mine.woken.acquire()
            if mine.leads:
                self._lead(mine)
        except BaseException:
            self._leave(mine)
            raise
        if mine.error is not None:
            raise mine.error
        return mine.answer  # type: ignore[return-value]

    @property
    def waiting(self) -> int:
        """How many callers are waiting for a group to begin."""
        with self._lock:
            return len(self._queue)

    def _lead(self, mine: _Waiting[Asked, Answer]) -> None:
        """Run a group with the caller's request; then let one that came meanwhile lead the next, and wake the rest."""
        with self._lock:
            group = [mine, *(self._queue.popleft() for _ in range(min(self._most - 1, len(self._queue))))]
        try:
            self._run(group)
        finally:
            self._pass_on(mine)
            for each in group:
                _wake(each)

    def _pass_on(self, mine: _Waiting[Asked, Answer]) -> None:
        with self._lock:
            if not mine.leads:
                return
            mine.leads = False
            following = self._queue.popleft() if self._queue else None
            if following is None:
                self._running = max(self._running - 1, 0)  # 0 before: this very call forked, and we are the child
                return
            following.leads = True
        following.woken.release()

    def _leave(self, mine: _Waiting[Asked, Answer]) -> None:
        """An interrupted caller neither waits nor leads any more."""
        with self._lock:
            if mine in self._queue:
                self._queue.remove(mine)
        self._pass_on(mine)

    def _run(self, group: Sequence[_Waiting[Asked, Answer]]) -> None:
        try:
            answers = self._work([each.asked for each in group])
            for each, answer in zip(group, answers, strict=True):
                each.answer = answer
        except StoreRefusedError as error:
            if len(group) == 1:
                group[0].error = error
                return
            for each in group:  # one of them is refused: nothing was written, and each is tried by itself
                self._run([each])
                _wake(each)
        except Exception as error:  # noqa: BLE001 - it belongs to the callers, and is raised there
            for each in group:
                each.error = error


def _wake(each: _Waiting[Asked, Answer]) -> None:
    """Wake a caller, once."""
    if each.done:
        return
    if each.answer is None and each.error is None:  # the leader was interrupted
        each.error = OutcomeUnknownError("The call that carried this one was interrupted.")
    each.done = True
    each.woken.release()
