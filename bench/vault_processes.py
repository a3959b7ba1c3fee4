"""Processes that open a vault, and do what they are sent, all at once; they stay from one measurement to the next."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, NamedTuple, Self

import strongroom
from bench.backends import Installation

MOST = 2
"""Processes that there are."""
Work = Callable[[strongroom.Vault, Any], object]


class _Opening(NamedTuple):
    """Which vault is to be opened, and what is done with it: a function of a module, or a partial of one."""

    database: str
    root_key: str
    work: Work


_CLOSE = None


class Team:
    """The processes on one vault."""

    def __init__(self, pipes: Sequence[Connection]) -> None:
        self._pipes = pipes

    def run(self, jobs: Sequence[object]) -> list[Any]:
        """Let as many processes as there are jobs do one each, at the same time; what came of them."""
        pipes = self._pipes[: len(jobs)]
        for pipe, job in zip(pipes, jobs, strict=True):
            pipe.send(job)
        return [_received(pipe) for pipe in pipes]


class VaultProcesses:
    """Starts processes when they are first needed; they end with the context."""

    def __init__(self) -> None:
        self._children: list[tuple[BaseProcess, Connection]] = []

    @contextmanager
    def on(self, installation: Installation, work: Work) -> Iterator[Team]:
        """Let every process open a vault, and close it again."""
        if not self._children:
            self._start()
        pipes = [pipe for _, pipe in self._children]
        for pipe in pipes:
            pipe.send(_Opening(installation.database, installation.root_key, work))
        for pipe in pipes:
            _received(pipe)
        yield Team(pipes)
        for pipe in pipes:
            pipe.send(_CLOSE)
        for pipe in pipes:
            _received(pipe)

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        for _ in range(MOST):
            ours, theirs = context.Pipe()
            child = context.Process(target=_serve, args=(theirs,), daemon=True)
            child.start()
            theirs.close()
            self._children.append((child, ours))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for child, pipe in self._children:
            pipe.close()  # a child ends where its pipe does
            child.join(10)


def _received(pipe: Connection) -> Any:
    result = pipe.recv()
    if isinstance(result, str):
        raise RuntimeError(f"a process of the bench failed: {result}")
    return result


def _serve(pipe: Connection) -> None:
    """A process: opens one vault after another, until its pipe is closed."""
    with suppress(EOFError):
        while True:
            opening = pipe.recv()
            with strongroom.open(opening.database, root_key=opening.root_key) as vault:
                pipe.send(True)
                while (job := pipe.recv()) is not _CLOSE:
                    try:
                        pipe.send(opening.work(vault, job))
                    except strongroom.StrongroomError as error:
                        pipe.send(error.code)
            pipe.send(True)
