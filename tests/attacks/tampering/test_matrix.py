"""Every column of every table times every kind of tampering, for every verb: right, or a typed error, or documented.

`make matrix` tries the whole; other runs try each column on each database, with one kind and one part of the verbs, and
`make attack` also each kind of each column on one database.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from strongroom import StrongroomError, Vault
from strongroom.networks.codecs import keystore
from strongroom.store import schema
from testbed.databases.deployments import open_deployment
from testbed.harness.sizes import SIZE, SMALL
from tests.attacks.matrix_table import CellResult
from tests.attacks.summary import StartTally
from tests.attacks.tampering.matrix import EVERY, OPERATED, STAGES, Cell, cells, chosen
from tests.attacks.tampering.matrix_backend import BACKENDS, KEPT_OUT, MatrixBackend
from tests.attacks.tampering.matrix_documented import DECLARED, TOLD, Declared
from tests.attacks.tampering.matrix_verbs import RIGHT, TYPED, Answers, Questions
from tests.attacks.tampering.matrix_verbs import TOLD as TOLD_BY_IT

WHOLE = SIZE.cells > 1
SHARES = 6 if WHOLE else 1
"""Tests that the whole matrix of a database is divided into, so that workers share it."""
DOCUMENT = Path(__file__).parents[3] / "docs" / "threat-model.md"
_HEADING = "### What a writer can tell, put back and delete"
_scrypt = keystore.Scrypt


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[MatrixBackend]:
    """Wallets that are known, on each backend; keystores are made with little work."""
    monkeypatch.setattr(keystore, "Scrypt", lambda **parameters: _scrypt(**{**parameters, "n": 2}))
    with open_deployment(request.param, request) as deployment:
        yield MatrixBackend(deployment)


class CellVerbs:
    """The verbs of one cell."""

    def __init__(self, backend: MatrixBackend, kept: Vault, cell: Cell | None) -> None:
        self.backend, self.cell, self.kept, self.answers = backend, cell, kept, Answers()
        target = cell.target if cell is not None and cell.target in backend.known else "hot"
        self._names = sorted(backend.known) if cell is None else sorted({"one", "other", target})
        self.refused = False
        """Whether the database took no such value."""

    def run(self, stages: Sequence[Sequence[str]]) -> None:
        """Tamper with the row, ask, and put everything back; for each stage anew."""
        for parts in stages:
            try:
                self.backend.tamper(self.cell.statements if self.cell is not None else ())
            except KEPT_OUT:
                self.refused = True
                return
            try:
                self._ask(parts)
            finally:
                self.backend.restore()

    def _ask(self, parts: Sequence[str]) -> None:
        if "kept open" in parts:
            Questions(self.backend, self.kept, self.answers, "kept open").use(*self._names)
        try:
            vault = self.backend.open()
        except StrongroomError:
            self.answers.note(TYPED, "open")
            return
        except Exception as error:  # which one is part of what is looked for
            self.answers.note(f"untyped {type(error).__name__}", "open")
            return
        with vault:
            for part in parts:
                self._part(Questions(self.backend, vault, self.answers, f"opened to {part}"), part)

    def _part(self, questions: Questions, part: str) -> None:
        if part == "read":
            questions.read(*self._names)
            questions.export("one")
        elif part == "again":
            questions.use(*self._names)
        elif part != "kept open":
            getattr(questions, part)()


def ending(cell: Cell, answers: Answers, baseline: Answers) -> tuple[str, list[str]]:
    """How a cell ends, and what of it is documented nowhere."""
    wrong, outcome = [], ""
    for deviation, who in answers.deviations.items():
        declared = next((each for each in DECLARED if each.covers(cell, deviation)), None)
        if declared is None:
            wrong.append(f"{cell}: {deviation} ({who})")
        else:
            outcome = declared.outcome
    if answers.has(TOLD_BY_IT):
        if cell.deployment not in TOLD:
            wrong.append(f"{cell}: told by the database")
        outcome = outcome or TOLD_BY_IT
    typed = any(verdict == TYPED != baseline.verdicts.get(who) for who, verdict in answers.verdicts.items())
    return "WRONG" if wrong else outcome or (TYPED if typed else RIGHT), wrong


def plan(backend: MatrixBackend) -> Iterator[Sequence[tuple[Cell, Sequence[Sequence[str]]]]]:
    """Cells with the stages of each; of each group one is tried that the database takes, or all in a long run."""
    if not WHOLE:
        found_and_parts = chosen(backend, kinds=SIZE.name != SMALL)
        yield from ([(cell, [[part]]) for cell in found] for found, part in found_and_parts)
        return
    tried: dict[str, int] = {}
    for number, cell in enumerate(cells(backend)):
        tried[cell.deployment] = tried.get(cell.deployment, 0) + 1
        if tried[cell.deployment] <= SIZE.cells:
            yield [(cell, STAGES if number % EVERY else (*STAGES, OPERATED))]


@pytest.mark.sized("name", "cells")
@pytest.mark.thorough(but=("sqlite", "g4"))
@pytest.mark.parametrize("share", range(SHARES))
def test_every_tampered_cell_is_right_or_typed_or_documented(
    backend: MatrixBackend, share: int, tally: StartTally, cell_results: list[CellResult]
) -> None:
    row, wrong = tally("tampering matrix", backend.deployment.backend), []
    with backend.open() as kept:
        baseline = CellVerbs(backend, kept, None)
        baseline.run((*STAGES, OPERATED) if WHOLE else STAGES)
        assert not baseline.answers.deviations
        assert not baseline.answers.has(TOLD_BY_IT)
        for group in list(plan(backend))[share::SHARES]:
            for cell, stages in group:
                trial = CellVerbs(backend, kept, cell)
                trial.run(stages)
                outcome, found = ending(cell, trial.answers, baseline.answers)
                outcome = "refused" if trial.refused else outcome
                cell_results.append(CellResult(cell.deployment, cell.kind, backend.deployment.backend, outcome))
                if not trial.refused:
                    row.fault(outcome)
                    wrong += found
                    break
    assert not wrong, "\n".join(wrong)


def test_every_table_of_the_catalogue_is_in_the_matrix(backend: MatrixBackend) -> None:
    assert set(backend.tables) == {*schema.TABLES, schema.VERSION_TABLE}
    places = {cell.deployment for cell in cells(backend)}
    missing = {f"{table.name}.{column}" for table in backend.tables.values() for column in table.columns} - places
    assert not missing


@pytest.mark.thorough
@pytest.mark.parametrize("declared", DECLARED, ids=lambda declared: f"{declared.outcome} of {declared.table}")
def test_what_is_documented_as_unseen_is_unseen(
    declared: Declared, request: pytest.FixtureRequest, cell_results: list[CellResult]
) -> None:
    """An entry that nothing needs any more is taken out, here and in the document."""
    with open_deployment(declared.backend, request) as deployment:
        backend = MatrixBackend(deployment)
        with backend.open() as kept:
            for deviation in declared.deviations:
                found = (cell for cell in cells(backend) if declared.covers(cell, deviation))
                assert any(_deviates(CellVerbs(backend, kept, cell), deviation) for cell in found), deviation


def _deviates(trial: CellVerbs, deviation: str) -> bool:
    for stage in STAGES:
        trial.run([stage])
        if deviation in trial.answers.deviations:
            return True
    return False


def test_the_threat_model_lists_what_is_declared_here() -> None:
    _, _, section = DOCUMENT.read_text().partition(_HEADING)
    lines = [line.split("|")[1:4] for line in section.split("\n#")[0].splitlines() if line.startswith("| ")][1:]
    documented = {(kind.strip(), where.strip().strip("`")) for kind, where, _ in lines}
    assert documented == {("told", deployment) for deployment in TOLD} | {
        (each.outcome, deployment) for each in DECLARED for deployment in each.places
    }
