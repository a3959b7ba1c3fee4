"""Stop a process at every statement boundary, one after the other."""

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


def every_boundary(
    nursery: Nursery, function: Child, arguments: Callable[[int], Arguments], *, both_sides: bool = True
) -> Iterator[ChildReport]:
    """Yield a report of a child stopped at each boundary, and of one that runs through.

    ``arguments(n)`` makes the n-th child's arguments, such as a new project each time. Without ``both_sides`` a child
    is stopped before each statement and after the last one: who dies after a statement leaves in a database what one
    leaves who dies before the next.
    """
    boundary = 1
    while (report := run_stopped(nursery, function, boundary, arguments(boundary))).stopped:
        yield report
        boundary += 1 if both_sides else 2
        assert boundary < _MOST, f"{function} still had statements to run after {boundary} boundaries"
    yield report
    if not both_sides:
        last = run_stopped(nursery, function, report.boundaries, arguments(boundary + 1))
        assert last.stopped, "another run had fewer statements"
        yield last
