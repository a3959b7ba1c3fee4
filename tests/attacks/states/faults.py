"""Faults at the k-th statement of a call, as a driver would meet them. The product knows nothing of it."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import psycopg

Kind = Literal["conflict", "lost before", "lost after", "killed before", "killed after", "cut between calls"]
BETWEEN: Kind = "cut between calls"
KINDS: tuple[Kind, ...] = ("conflict", "lost before", "lost after", "killed before", "killed after", BETWEEN)


class KilledError(BaseException):
    """The process ends here: nothing of the product runs any more, but what closes its connections."""


@dataclass(frozen=True)
class InjectedFault:
    """What is to happen at the ``at``-th statement (from 1); a conflict also to those that follow."""

    kind: Kind
    at: int
    times: int = 1


@dataclass
class _Plan:
    kind: Kind
    at: int
    times: int


class FaultyDriver:
    """An observer of statements that lets one of them fail. ``cut`` ends every connection at the server."""

    def __init__(self, *, postgresql: bool, cut: Callable[[], None]) -> None:
        self.fell: list[str] = []
        """Where faults fell, since somebody looked."""
        self._postgresql = postgresql
        self._cut = cut
        self._plan: _Plan | None = None
        self._watching = False

    def arm(self, fault: InjectedFault) -> None:
        """Count statements from here."""
        self._plan = _Plan(fault.kind, fault.at, fault.times if fault.kind == "conflict" else 1)

    def disarm(self) -> None:
        """Nothing fails any more."""
        self._plan = None

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Count statements meanwhile; what did not fail yet does so in a later call."""
        self._watching = True
        try:
            yield
        finally:
            self._watching = False
            if self.fell:
                self._plan = None

    def before(self, statement: str) -> None:
        """Called by the drivers."""
        plan = self._plan
        if plan is None or not self._watching:
            return
        plan.at -= 1
        if plan.at > 0 or plan.kind.endswith("after"):
            return
        self._fall(plan, statement)
        if plan.kind == "killed before":
            raise KilledError
        if plan.kind == "conflict":
            raise self._conflict()
        if not self._postgresql:
            raise self._lost()
        self._cut()  # and the statement finds out for itself

    def after(self, statement: str, committed: bool) -> None:
        """Called by the drivers."""
        plan = self._plan
        if plan is None or not self._watching or plan.at > 0 or not plan.kind.endswith("after"):
            return
        if isinstance(sys.exc_info()[1], (psycopg.Error, sqlite3.Error)) and "ROLLBACK" not in statement:
            return
        self._fall(plan, statement)
        if plan.kind == "killed after":
            raise KilledError
        if self._postgresql:
            self._cut()
        raise self._lost()

    def _fall(self, plan: _Plan, statement: str) -> None:
        self.fell.append(f"{plan.kind} {_verb(statement)}")
        plan.times -= 1
        if plan.times <= 0:
            self._plan = None

    def _conflict(self) -> Exception:
        if self._postgresql:
            return psycopg.errors.SerializationFailure("could not serialize access due to concurrent update")
        return _sqlite_error("database is locked", sqlite3.SQLITE_BUSY)

    def _lost(self) -> Exception:
        if self._postgresql:
            return psycopg.OperationalError("server closed the connection unexpectedly")
        return _sqlite_error("disk I/O error", sqlite3.SQLITE_IOERR)


def _sqlite_error(message: str, code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError(message)
    error.sqlite_errorcode = code
    return error


def _verb(statement: str) -> str:
    """What a statement does: its first word, or that of the writing part of a statement in several."""
    first = statement.lstrip("( \n").split(maxsplit=1)[0].upper()
    return "INSERT" if first == "WITH" else first
