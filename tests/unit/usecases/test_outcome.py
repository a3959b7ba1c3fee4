"""A lost outcome: every case of the one retry, and what the caller is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from strongroom.errors import (
    ContentionError,
    KeyConflictError,
    OutcomeUnknownError,
    RetryTransactionError,
    StoreUnavailableError,
    StrongroomError,
)
from strongroom.usecases.outcome import ATTEMPTS, keep_outcome_unknown, resolve, retry_until_known, until_unchanged

LOST = OutcomeUnknownError("The first connection died.")
LOST_AGAIN = OutcomeUnknownError("The second connection died.")
AWAY = StoreUnavailableError("Nobody answers.")
CONFLICT = KeyConflictError("Another key is stored.")
CONTENDED = ContentionError("The rows changed each time.")
RETRY = RetryTransactionError("Only the caller can repeat it.")
BUSY = None
"""What a write returns that met another caller's change."""


@dataclass
class Row:
    """A row that one write fills. Each write, and each look after the first, takes its next step from a list."""

    writes: list[str | Exception | None]
    looks: list[str | Exception | None] = field(default_factory=list)
    told: list[tuple[str, bool]] = field(default_factory=list)
    """Which of the two ran, and whether it was told of a lost outcome."""

    def write(self, lost: bool) -> str | None:
        self.told.append(("write", lost))
        return self._take(self.writes)

    def look(self, lost: bool) -> str | None:
        first = not self.told
        self.told.append(("look", lost))
        return None if first else self._take(self.looks)

    def _take(self, steps: list[str | Exception | None]) -> str | None:
        step = steps.pop(0)
        if isinstance(step, Exception):
            raise step
        return step


@pytest.mark.parametrize(
    ("writes", "looks", "end"),
    [
        pytest.param(["ours"], [], "ours", id="written"),
        pytest.param([LOST], ["ours"], "ours", id="committed, and the answer was lost"),
        pytest.param([LOST, "ours"], [None], "ours", id="not committed: written again"),
        pytest.param([LOST], ["another's"], "another's", id="lost, and the look says another's"),
        pytest.param([BUSY], ["another's"], "another's", id="another caller was first"),
        pytest.param([BUSY, "ours"], [None], "ours", id="another caller changed what was read"),
        pytest.param([LOST], [AWAY], LOST, id="the look fails"),
        pytest.param([LOST], [LOST_AGAIN], LOST, id="the look is lost, too"),
        pytest.param([LOST, LOST_AGAIN], [None, "ours"], "ours", id="lost twice, and committed"),
        pytest.param([LOST, AWAY], [None, "ours"], "ours", id="the second write fails, the first was committed late"),
        pytest.param([LOST, AWAY], [None, AWAY], LOST, id="the second write fails, and nobody answers"),
        pytest.param([LOST, BUSY], [None, "ours"], "ours", id="what was in the way was the first write"),
        pytest.param([LOST] * ATTEMPTS, [None] * (ATTEMPTS - 1) + ["ours"], "ours", id="the last one was committed"),
        pytest.param([LOST] * ATTEMPTS, [None] * ATTEMPTS, LOST, id="attempts exhausted, lost"),
        pytest.param([LOST] + [BUSY] * (ATTEMPTS - 1), [None] * ATTEMPTS, LOST, id="attempts exhausted, lost once"),
        pytest.param([AWAY], [], AWAY, id="the first write fails"),
        pytest.param([BUSY], [AWAY], AWAY, id="nothing was lost, and the look fails"),
        pytest.param([CONFLICT], [], CONFLICT, id="an error that no retry cures"),
        pytest.param([LOST, CONFLICT], [None], CONFLICT, id="such an error in the second write"),
        pytest.param([LOST], [CONFLICT], CONFLICT, id="such an error in the look"),
        pytest.param([RETRY], [], RETRY, id="inside a caller's transaction"),
        pytest.param([BUSY], [RETRY], RETRY, id="inside a caller's transaction, in the look"),
    ],
)
def test_what_becomes_of_a_write(
    writes: list[str | Exception | None], looks: list[str | Exception | None], end: str | Exception
) -> None:
    row = Row(list(writes), list(looks))
    if isinstance(end, Exception):
        with pytest.raises(type(end)) as raised:
            resolve(row.write, row.look)
        assert raised.value is end
    else:
        assert resolve(row.write, row.look) == end
    assert row.writes == row.looks == [], "every step was taken, and no more"
    lost_so_far = False
    steps = iter(writes)
    for verb, lost in row.told:
        assert lost is lost_so_far, "both are told whether an outcome was lost before"
        lost_so_far |= verb == "write" and isinstance(next(steps), OutcomeUnknownError)


def test_attempts_that_only_met_others_are_contention() -> None:
    row = Row([BUSY] * ATTEMPTS, [None] * (ATTEMPTS - 1))
    with pytest.raises(ContentionError, match="The slot was taken") as raised:
        resolve(row.write, row.look, contended="The slot was taken.")
    assert raised.value.retryable
    assert row.writes == []


def test_an_answer_that_is_false_is_an_answer() -> None:
    assert resolve(lambda _lost: False, lambda _lost: None) is False
    assert resolve(lambda _lost: True, lambda _lost: False) is False


def test_what_is_there_already_is_not_written() -> None:
    row = Row([], [])
    assert resolve(row.write, lambda _lost: "there") == "there"
    assert row.told == []


@pytest.mark.parametrize("answer", ["ours", None])
def test_a_write_that_may_run_twice_runs_until_its_outcome_is_known(answer: str | None) -> None:
    row = Row([LOST, AWAY, answer])
    assert retry_until_known(row.write) == answer
    assert row.told == [("write", False), ("write", True), ("write", True)]


def test_a_write_that_may_run_twice_stays_unknown_where_nobody_answers() -> None:
    row = Row([LOST] + [AWAY] * (ATTEMPTS - 1))
    with pytest.raises(OutcomeUnknownError) as raised:
        retry_until_known(row.write)
    assert raised.value is LOST


@pytest.mark.parametrize("changes", range(ATTEMPTS))
def test_what_was_changed_meanwhile_is_decided_anew(changes: int) -> None:
    steps = [None] * changes + [False]
    assert until_unchanged(lambda: steps.pop(0), CONTENDED) is False
    assert steps == []


def test_what_changes_at_every_attempt_is_the_callers_error() -> None:
    steps = [None] * ATTEMPTS
    changed = KeyConflictError("It changed.")
    with pytest.raises(KeyConflictError) as raised:
        until_unchanged(lambda: steps.pop(0), changed)
    assert raised.value is changed
    assert steps == []


@pytest.mark.parametrize("error", [LOST, AWAY, CONFLICT, RETRY])
def test_an_error_of_an_attempt_is_not_retried(error: StrongroomError) -> None:
    steps = [error]
    with pytest.raises(type(error)) as raised:
        until_unchanged(lambda: _raise(steps.pop()), CONTENDED)
    assert raised.value is error


def _raise(error: StrongroomError) -> None:
    raise error


def _read(error: Exception) -> Callable[[], None]:
    def read() -> None:
        raise error

    return read


@pytest.mark.parametrize(
    ("unknown", "error", "told"),
    [(LOST, AWAY, LOST), (LOST, RETRY, LOST), (LOST, CONFLICT, CONFLICT), (None, AWAY, AWAY)],
)
def test_only_errors_of_the_store_are_kept_unknown(
    unknown: OutcomeUnknownError | None, error: Exception, told: Exception
) -> None:
    with pytest.raises(type(told)) as raised, keep_outcome_unknown(unknown):
        _read(error)()
    assert raised.value is told
