"""Deadlines of root keys that a service keeps: one for a whole verb, not one for each read of a socket."""

from __future__ import annotations

import time
from collections.abc import Callable

from strongroom.errors import RootKeyUnavailableError


class Deadline:
    """When a verb must have ended. A server that sends a byte now and then does not move it.

    ``remaining_seconds`` is asked before each wait (connecting, sending, each read, a pause between two tries), and
    what it returns is the longest that the wait may take.
    """

    def __init__(self, timeout_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._timeout_seconds = timeout_seconds
        self._end = clock() + timeout_seconds

    def remaining_seconds(self) -> float:
        """How much is left; more than 0. Raises RootKeyUnavailableError where nothing is."""
        left = self._end - self._clock()
        if left <= 0:
            raise RootKeyUnavailableError(
                f"The service that keeps the root key gave no answer within {self._timeout_seconds:g} seconds."
            )
        return left
