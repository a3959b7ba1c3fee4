"""A write whose outcome got lost with the connection: it is asked for, and stays unknown where nobody answers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from strongroom.errors import OutcomeUnknownError, StoreError


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
