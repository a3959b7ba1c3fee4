"""A write whose outcome got lost with the connection: it is asked for, and stays unknown where nobody answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from strongroom.errors import OutcomeUnknownError, StoreError

T = TypeVar("T")
_ATTEMPTS = 5


@contextmanager
def asking(unknown: OutcomeUnknownError | None) -> Iterator[None]:
    """Ask, or try again, after a write whose outcome got lost.

    If the database fails inside, the outcome stays unknown: another error would say that nothing was written. None:
    no outcome got lost so far, and errors pass as they are.
    """
    try:
        yield
    except StoreError:
        if unknown is None:
            raise
        raise unknown from None


def repeated(write: Callable[[], T]) -> tuple[T, OutcomeUnknownError | None]:
    """Run a write that may run twice until its outcome is known; return its answer, and what got lost before it.

    Raises OutcomeUnknownError where it got lost five times in a row, and what the first run raises.
    """
    unknown: OutcomeUnknownError | None = None
    for _ in range(_ATTEMPTS):
        try:
            with asking(unknown):
                return write(), unknown
        except OutcomeUnknownError as error:
            unknown = error
    assert unknown is not None  # noqa: S101 - only an outcome that got lost comes round
    raise unknown
