"""Stop a process at every statement boundary, one after the other: before and after each statement."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tests.harness.nursery import Arguments, Child, ChildReport, Nursery

_MOST = 1000


def run_stopped(nursery: Nursery, function: Child, boundary: int, arguments: Arguments) -> ChildReport:
    """Run a child and stop it, without warning, at the n-th statement boundary (from 1) after ``arm()``.

    Boundary 2k - 1 is before the k-th statement, boundary 2k after it returned. A child with fewer boundaries
    runs through: ``report.stopped`` is False then. Raises ChildFailedError if the child fails.
    """
    return nursery.stop(function, boundary, **arguments)


def every_boundary(nursery: Nursery, function: Child, arguments: Callable[[int], Arguments]) -> Iterator[ChildReport]:
    """Yield a report for n = 1, 2, ... until a child runs through; that one's report is the last.

    ``arguments(n)`` makes the n-th child's arguments, such as a new project each time.
    """
    for boundary in range(1, _MOST):
        report = run_stopped(nursery, function, boundary, arguments(boundary))
        yield report
        if not report.stopped:
            return
    raise AssertionError(f"{function} still had statements to run after {_MOST} boundaries")
