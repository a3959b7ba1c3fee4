"""What every error of the command line must look like."""

from __future__ import annotations

from testbed.command_line import CommandResult

SECRET = "5ec4e7" * 10 + "beef"
SECRET_WORD = "zoo"


def assert_error(answer: CommandResult, code: str, exit_code: int) -> None:
    assert answer.code == exit_code
    assert list(answer.document) == ["error"]
    assert list(answer.document["error"]) == ["code", "message", "hint"]
    assert answer.document["error"]["code"] == code
    assert all(answer.document["error"].values())


def assert_silent(answer: CommandResult, *more: str) -> None:
    for secret in (SECRET, SECRET[:12], SECRET_WORD, *more):
        assert secret not in answer.out + answer.err
