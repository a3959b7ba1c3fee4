"""How a call on hostile input may end."""

from __future__ import annotations

from strongroom import errors
from strongroom.cli.failures import CommandLineError
from strongroom.errors import StrongroomError

CODES = {kind.code for kind in errors.all_errors()}


def assert_typed(error: Exception) -> None:
    """An error of ours has a code that is documented, says what happened, and what to do."""
    assert isinstance(error, (StrongroomError, CommandLineError))
    assert error.code in CODES or isinstance(error, CommandLineError)
    assert error.message
    assert error.hint
