"""The exit code of every error; docs/errors.md and docs/command-line.md are compared with the same table elsewhere."""

from __future__ import annotations

from strongroom.cli import exit_codes
from strongroom.cli.exit_codes import EXIT_CODES, EXIT_FAILED, EXIT_ROOT_KEY, exit_code_of
from strongroom.errors import LastRootKeyError, StrongroomError, TablesMissingError, all_errors

KINDS = list(all_errors())


def test_every_branch_of_the_error_tree_has_its_exit_code() -> None:
    """A new branch is a decision: until it is made, this fails; what is below a branch has the branch's."""
    assert set(StrongroomError.__subclasses__()) <= set(EXIT_CODES) <= set(KINDS)
    assert exit_code_of(StrongroomError) == EXIT_FAILED
    own = {value for name, value in vars(exit_codes).items() if name.startswith("EXIT_") and isinstance(value, int)}
    assert {exit_code_of(kind) for kind in KINDS} <= own


def test_a_line_of_the_table_says_something_else_than_the_one_above_it() -> None:
    for kind, code in EXIT_CODES.items():
        (parent,) = kind.__bases__
        assert parent is StrongroomError or exit_code_of(parent) != code, kind.__name__


def test_an_error_that_is_not_listed_has_the_code_of_the_nearest_one_above_it() -> None:
    assert LastRootKeyError not in EXIT_CODES
    assert exit_code_of(LastRootKeyError) == EXIT_ROOT_KEY == 4
    assert exit_code_of(TablesMissingError) == EXIT_FAILED, "three levels below"
