"""A pytest plugin: a test that waits for what does not come fails, and its traceback says where it waited.

Tests wait with deadlines of their own, which are shorter and say what did not come; this one is for what hangs.
"""

from __future__ import annotations

import signal
from collections.abc import Generator
from types import FrameType

import pytest

from testbed.harness.sizes import SIZE

SECONDS = {"small": 300, "attack": 900, "matrix": 7_200}.get(SIZE.name, 0)
"""Longer than any test takes on a busy machine; 0: a soak goes on for as long as it is told to."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """End a test that hangs."""
    before = signal.signal(signal.SIGALRM, _end)
    signal.alarm(SECONDS)
    try:
        return (yield)
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def _end(number: int, frame: FrameType | None) -> None:
    pytest.fail(f"the test still waits after {SECONDS} seconds")
