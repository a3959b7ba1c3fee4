"""A write whose outcome was lost with the connection: look whether it was committed, and write again where it was not.

Every retry of this kind runs here, so that there is one rule: a caller is told that nothing was written only where that
is known. ``until_unchanged`` is another thing, compare-and-set: it reads and decides anew where another caller changed
what was read. ``takeover.repair.apply`` does both in one loop, since a unit of a plan is known to be written when
nothing is left of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from strongroom.errors import ContentionError, OutcomeUnknownError, StoreError, StrongroomError

T = TypeVar("T")
ATTEMPTS = 5
"""How often a use case writes: after a lost outcome, and after another caller changed what it had read."""


@contextmanager
def keep_outcome_unknown(unknown: OutcomeUnknownError | None) -> Iterator[None]:
    """Read or write after a write whose outcome was lost; with None, errors pass as they are.

    Raises ``unknown`` in the place of any StoreError: the other error would say that nothing was written.
    """
    try:
        yield
    except StoreError:
        if unknown is None:
            raise
        raise unknown from None


def resolve(
    write: Callable[[bool], T | None],
    look: Callable[[bool], T | None],
    *,
    contended: str = "The rows changed several times in a row; nothing was written.",
) -> T:
    """Look, then write, until one of them has an answer; write at most ATTEMPTS times.

    Both are told whether the outcome of an earlier write was lost. ``look`` returns the answer where nothing has to be
    written (any more), else None. ``write`` returns the answer, or None where another caller changed what it depends
    on; then both run again.

    Raises OutcomeUnknownError where an outcome was lost and the database does not tell afterwards what became of it;
    ContentionError with the message ``contended`` where every attempt met another caller's change and nothing was
    written; and at once whatever else ``write`` or ``look`` raises. In a caller's transaction that is
    RetryTransactionError: only the caller can repeat it.
    """
    unknown: OutcomeUnknownError | None = None
    for _ in range(ATTEMPTS):
        with keep_outcome_unknown(unknown):
            answer = look(unknown is not None)
        if answer is not None:
            return answer
        try:
            with keep_outcome_unknown(unknown):
                answer = write(unknown is not None)
        except OutcomeUnknownError as error:
            unknown = error
            continue
        if answer is not None:
            return answer
    if unknown is None:
        raise ContentionError(contended)
    with keep_outcome_unknown(unknown):
        answer = look(True)
    if answer is None:
        raise unknown
    return answer


def retry_until_known(write: Callable[[bool], T]) -> T:
    """Run a write that may run twice, until its outcome is known; ``write`` and the errors are those of ``resolve``."""
    (answer,) = resolve(lambda lost: (write(lost),), no_look)
    return answer


def until_known(write: Callable[[], bool], is_done: Callable[[], bool]) -> bool:
    """Run a conditional write until its outcome is known; False where it met another caller's change.

    ``is_done`` says, after a lost outcome, whether the write was committed; the errors are those of ``resolve``.
    """
    return resolve(lambda _lost: write(), lambda lost: True if lost and is_done() else None)


def until_unchanged(attempt: Callable[[], T | None], contended: StrongroomError) -> T:
    """Read, decide and write, once more where another caller changed what was read; at most ATTEMPTS times.

    ``attempt`` does all three, and returns None where its write met another caller's change. Raises ``contended`` where
    every attempt did, and at once whatever else ``attempt`` raises: it finds out itself what became of its write.
    """
    for _ in range(ATTEMPTS):
        answer = attempt()
        if answer is not None:
            return answer
    raise contended


def no_look(_lost: bool) -> None:
    """The look of a write that looks itself, or that may run twice."""
