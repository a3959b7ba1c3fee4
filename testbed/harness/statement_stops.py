"""Stop a process at every statement boundary, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from testbed.harness.fork_server import Arguments, Child, ChildReport, ForkServer

_MOST = 1000


def run_stopped(fork_server: ForkServer, function: Child, boundary: int, arguments: Arguments) -> ChildReport:
    """Run a child and stop it, without warning, at the n-th statement boundary (from 1) after ``arm()``.

    Boundary 2k - 1 is before the k-th statement, boundary 2k after it returned. A child with fewer boundaries
    runs through: ``report.stopped`` is False then. Raises ChildFailedError if the child fails.
    """
    return fork_server.stop(function, boundary, **arguments)


def every_boundary(
    fork_server: ForkServer, function: Child, arguments: Callable[[int], Arguments], *, first: int = 1, step: int = 1
) -> Iterator[ChildReport]:
    """Yield a report of a child stopped at each ``step``-th boundary from ``first`` on, and of one that runs through.

    ``arguments(n)`` makes the n-th child's arguments, such as a new project each time. With steps a
    child is stopped after the last statement as well. A step of 2 leaves nothing out: who dies after a statement leaves
    in a database what one leaves who dies before the next.
    """
    boundary = first
    while (report := run_stopped(fork_server, function, boundary, arguments(boundary))).stopped:
        yield report
        boundary += step
        assert boundary < _MOST, f"{function} still had statements to run after {boundary} boundaries"
    yield report
    if step > 1:
        last = run_stopped(fork_server, function, report.boundaries, arguments(boundary + 1))
        assert last.stopped, "another run had fewer statements"
        yield last
