"""A process without threads that has everything imported and forks children quickly, to be stopped or killed.

``ForkServer`` is the test's end; ``python -m testbed.harness.fork_server`` is the process. They exchange JSON lines.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import IO, Any, NoReturn, Self

from testbed.harness import child
from testbed.harness.child import STOPPED, Board, Gate, Phase, Stopper
from testbed.harness.drivers import watched
from testbed.servers.launch import end_with_parent

Child = Callable[..., object] | str
"""A function at the top of a module, or its name as ``module:function``."""
Arguments = Mapping[str, Any]
"""Keyword arguments of a child, such as JSON can carry."""

_ROOT = Path(__file__).parents[2]
_TIMEOUT_SECONDS = 120.0


class ChildFailedError(AssertionError):
    """A child raised, hung, or ended in a way that was not asked for; the message carries its output."""


@dataclass(frozen=True, slots=True)
class ChildReport:
    """What became of a child."""

    status: int
    """Its exit status; the negative number of the signal that ended it."""
    phase: Phase
    """How far it came."""
    printed: tuple[dict[str, Any], ...]
    """What it emitted, complete lines only."""
    names: tuple[str, ...]
    """The statement boundaries that it passed, such as ``before COMMIT``; empty if it was killed."""
    output: str
    """What it wrote to standard output and standard error, with its traceback."""
    begun_seconds: float | None
    """From the fork to its first statement."""
    committed_seconds: float | None
    """From its first statement to its first commit."""
    printed_seconds: float | None
    """From its first statement to its last emitted line."""

    @property
    def stopped(self) -> bool:
        """Whether it was stopped at a statement boundary."""
        return self.status == STOPPED

    @property
    def killed(self) -> bool:
        """Whether SIGKILL ended it."""
        return self.status == -signal.SIGKILL

    @property
    def boundaries(self) -> int:
        """How many statement boundaries it passed."""
        return len(self.names)


class ForkServer:
    """The process that forks children. Not for use by several threads at once."""

    def __init__(self, preload: Sequence[str] = ()) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "testbed.harness.fork_server", *preload],
            cwd=_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, function: Child, **arguments: Any) -> ChildReport:
        """Run a child to its end. Raises ChildFailedError if it fails."""
        return self.race(function, [arguments])[0]

    def race(self, function: Child, arguments: Sequence[Arguments]) -> list[ChildReport]:
        """Run a child for each element, all at once; ``gate()`` in them waits for all."""
        return _checked(self._ask(function, arguments), 0)

    def stop(self, function: Child, boundary: int, **arguments: Any) -> ChildReport:
        """Run a child and stop it at the n-th statement boundary (from 1) after ``arm()``.

        If it has fewer, it runs through and ``stopped`` is False. Raises ChildFailedError if it fails.
        """
        return _checked(self._ask(function, [arguments], stop_at=boundary), 0, STOPPED)[0]

    def kill(self, function: Child, phase: Phase, delay_seconds: float, arguments: Arguments) -> ChildReport:
        """Run a child and kill it a while after it reached a phase, if it has not ended before."""
        kill = {"phase": phase, "delay_seconds": delay_seconds}
        return _checked(self._ask(function, [arguments], kill=kill), 0, -signal.SIGKILL)[0]

    def warm_up(self, function: Child, **arguments: Any) -> None:
        """Call a function in the fork server itself: what it imports and caches, children have at once.

        It must leave behind neither threads nor open connections.
        """
        self._ask(function, [arguments], warm_up=True)

    def close(self) -> None:
        """End the process and its children."""
        if self._process.stdin is not None and self._process.stdout is not None:
            self._process.stdin.close()
            self._process.wait(timeout=_TIMEOUT_SECONDS)
            self._process.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ask(self, function: Child, arguments: Sequence[Arguments], **options: Any) -> list[ChildReport]:
        name = function if isinstance(function, str) else f"{function.__module__}:{function.__qualname__}"
        request = {"function": name, "arguments": [dict(each) for each in arguments], **options}
        if self._process.stdin is None or self._process.stdout is None:
            raise ChildFailedError("the fork server is closed")
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise ChildFailedError(f"the fork server ended with status {self._process.wait()}")
        reply = json.loads(answer)
        if "error" in reply:
            raise ChildFailedError(reply["error"])
        return [_report(raw) for raw in reply["children"]]


def _report(raw: dict[str, Any]) -> ChildReport:
    records = raw.pop("records")
    return ChildReport(
        status=raw["status"],
        phase=Phase(raw["phase"]),
        printed=tuple(record["line"] for record in records if "line" in record),
        names=tuple(name for record in records for name in record.get("names", ())),
        output=raw["output"],
        begun_seconds=raw["begun_seconds"],
        committed_seconds=raw["committed_seconds"],
        printed_seconds=raw["printed_seconds"],
    )


def _checked(reports: list[ChildReport], *statuses: int) -> list[ChildReport]:
    for report in reports:
        if report.status not in statuses:
            raise ChildFailedError(f"a child ended with status {report.status}:\n{report.output}")
    return reports


# --- the process --------------------------------------------------------------------------------------------


class _ForkedChild:
    """A forked child, seen from the fork server."""

    def __init__(
        self, function: Callable[..., object], arguments: Arguments, stop_at: int | None, gate: Gate, index: int
    ) -> None:
        self.board = Board()
        self._index, self._gate = index, gate
        self._records: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed by harvest
        self._output: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        self._forked_ns = time.monotonic_ns()
        fork_server = os.getpid()
        self._pid = os.fork()
        if self._pid == 0:
            end_with_parent(signal.SIGKILL, fork_server)
            stopper = Stopper(self.board, self._records.fileno(), stop_at, gate, index)
            _live(function, arguments, stopper, self._output.fileno())
        self.board.leave_to_child()

    @property
    def ended(self) -> bool:
        """Whether it is a zombie: it is not reaped, so its pid stays its own."""
        return os.waitid(os.P_PID, self._pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    @property
    def ready(self) -> bool:
        """Whether it came to the gate, or will not any more."""
        return self._gate.arrived(self._index) or self.ended

    def kill(self) -> None:
        """SIGKILL, which does nothing to one that has ended."""
        os.kill(self._pid, signal.SIGKILL)

    def kill_after(self, phase: Phase, delay_seconds: float) -> None:
        """Wait for the phase, then as long as told, and kill."""
        if not self.board.await_phase(phase, _TIMEOUT_SECONDS):
            os.kill(self._pid, signal.SIGABRT)  # its status says that this was no kill of ours: it hung
            return
        end = time.monotonic() + delay_seconds
        while (left := end - time.monotonic()) > 0:
            if left > 0.001:
                time.sleep(left - 0.0005)
        self.kill()

    def harvest(self) -> dict[str, Any]:
        """Wait for its end, kill it if that takes too long, and collect what it left."""
        if not self.board.await_end(_TIMEOUT_SECONDS):
            self.kill()
        _, status = os.waitpid(self._pid, 0)
        self.board.close()
        with self._records as records, self._output as output:
            records.seek(0)
            output.seek(0)
            lines = records.read().split(b"\n")[:-1]
            return {
                "status": os.waitstatus_to_exitcode(status),
                "phase": int(self.board.phase),
                "records": [json.loads(line) for line in lines],
                "output": output.read().decode(errors="replace"),
                "begun_seconds": self._seconds(self._forked_ns, Phase.BEGUN),
                "committed_seconds": self._seconds(self.board.reached_ns(Phase.BEGUN), Phase.COMMITTED),
                "printed_seconds": self._seconds(self.board.reached_ns(Phase.BEGUN), Phase.PRINTED),
            }

    def _seconds(self, since_ns: int, phase: Phase) -> float | None:
        reached = self.board.reached_ns(phase)
        return (reached - since_ns) / 1e9 if reached and since_ns else None


def _live(function: Callable[..., object], arguments: Arguments, stopper: Stopper, output_fd: int) -> NoReturn:
    """A child's life: it never returns."""
    status = 1
    try:
        os.dup2(output_fd, 1)
        os.dup2(output_fd, 2)
        child.current = stopper
        with watched(stopper):
            function(**arguments)
        stopper.report()
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _serve(request: dict[str, Any]) -> dict[str, Any]:
    module, _, path = request["function"].partition(":")
    function: Any = reduce(getattr, path.split("."), importlib.import_module(module))
    if request.get("warm_up"):
        function(**request["arguments"][0])
        gc.collect()
        gc.freeze()
        return {"children": []}
    if threading.active_count() != 1:
        raise RuntimeError(f"the fork server has threads, and must not fork: {threading.enumerate()}")
    gate = Gate()
    children = [
        _ForkedChild(function, each, request.get("stop_at"), gate, index)
        for index, each in enumerate(request["arguments"])
    ]
    if kill := request.get("kill"):
        children[0].kill_after(Phase(kill["phase"]), kill["delay_seconds"])
    give_up = time.monotonic() + _TIMEOUT_SECONDS
    while not all(each.ready for each in children) and time.monotonic() < give_up:
        time.sleep(0.0001)
    gate.open()
    return {"children": [each.harvest() for each in children]}


def _main(preload: Sequence[str]) -> None:
    requests = os.fdopen(os.dup(0), "r", encoding="utf-8")
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)  # whatever prints here does not disturb the replies
    for module in preload:
        importlib.import_module(module)
    gc.collect()
    gc.freeze()
    for line in requests:
        try:
            reply = _serve(json.loads(line))
        except Exception:
            reply = {"error": traceback.format_exc()}
        replies.write(json.dumps(reply) + "\n")
        replies.flush()


if __name__ == "__main__":
    _main(sys.argv[1:])
