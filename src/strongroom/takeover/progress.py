"""Telling callers how far a verb is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from strongroom.takeover.results import Progress

Result = TypeVar("Result")
ProgressCallback = Callable[[Progress], None]
"""Called often, in the thread that called the verb: return soon. What it raises ends the verb."""


def reported(
    progress: ProgressCallback | None, results: Iterable[Result], step: str, count: Callable[[], int]
) -> Iterator[Result]:
    """Pass results on, and report each; ``count`` says how many there will be, and is only asked where that is told."""
    if progress is None:
        yield from results
        return
    done, total = 0, count()
    progress(Progress(step, done, total))
    for done, result in enumerate(results, 1):
        yield result
        progress(Progress(step, done, total))  # what came of it is known to the verb by now
    progress(Progress(step, done, total, finished=True))


def warn_of(warn: Callable[[str], None] | None, warnings: Iterable[str]) -> None:
    """Tell a caller what people should know."""
    if warn is not None:
        for each in warnings:
            warn(each)
