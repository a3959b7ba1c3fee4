"""Warnings on the command line: told as messages, without the place in the code that raised them."""

from __future__ import annotations

import ast
import warnings
from pathlib import Path

import pytest

import strongroom
from strongroom import PhraseCaseWarning, PreparedStatementsWarning, SharedKeyWarning
from strongroom.cli.output import CommandOutput
from strongroom.cli.told_warnings import told_warnings


@pytest.mark.parametrize("category", [PhraseCaseWarning, PreparedStatementsWarning, SharedKeyWarning])
def test_a_warning_of_ours_is_a_message(category: type[Warning], capsys: pytest.CaptureFixture[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # as PYTHONWARNINGS may say
        with told_warnings(CommandOutput(as_json=True)):
            for _ in range(2):
                warnings.warn("something was done otherwise", category, stacklevel=1)
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", "Warning: something was done otherwise\n" * 2)


def test_warnings_of_others_stay_as_they_are() -> None:
    with pytest.warns(DeprecationWarning, match="not ours"), told_warnings(CommandOutput(as_json=False)):
        warnings.warn("not ours", DeprecationWarning, stacklevel=1)


def test_every_warning_that_the_library_raises_is_told() -> None:
    raised = set()
    for path in Path(strongroom.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "warnings.warn":
                raised.add(ast.unparse(node.args[1]))
    assert raised == {"PhraseCaseWarning", "PreparedStatementsWarning", "SharedKeyWarning"}
