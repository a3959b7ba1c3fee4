"""Work that is counted, not timed: lines of our own readers that run, and the memory that they take at most."""

from __future__ import annotations

import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import strongroom

_PACKAGE = str(Path(strongroom.__file__).parent)


def lines_run(call: Callable[[], object]) -> int:
    """How many lines of strongroom's code run, each as often as it does; an error of ours ends the call."""
    count = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal count
        if not frame.f_code.co_filename.startswith(_PACKAGE):
            return None
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        _ended(call)
    finally:
        sys.settrace(before)
    return count


def most_bytes(call: Callable[[], object]) -> int:
    """How much memory is taken at the worst moment, beyond what was taken before."""
    running = tracemalloc.is_tracing()
    if not running:
        tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        _ended(call)
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        if not running:
            tracemalloc.stop()


def _ended(call: Callable[[], object]) -> None:
    try:
        call()
    except strongroom.StrongroomError:
        return
