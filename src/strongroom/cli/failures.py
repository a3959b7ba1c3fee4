"""What went wrong, as people and programs are told it: what happened, what changed, what to do next.

Nothing here quotes an argument: where a command expects an option, a private key may stand.
"""

from __future__ import annotations

import difflib
import os
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TextIO

from strongroom.cli.exit_codes import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_USAGE, exit_code_of
from strongroom.cli.output import CommandOutput
from strongroom.errors import OutcomeUnknownError, StrongroomError

NOTHING = "Nothing was changed."
UNKNOWN = "It is not known whether anything was changed; the command may be repeated safely."

MISSING_COMMAND = "Missing command."  # the parser's words
_ABOUT_AS_CLOSE = 0.1
"""How much less alike another name is that may be meant as well."""
SECRETS_HINT = "Secrets enter by standard input, a file or a prompt, never by an argument."


class CommandLineError(Exception):
    """What only the command line can find wrong; ``usage`` unless another code is given."""

    def __init__(
        self, message: str, hint: str, *, code: str = "usage", exit_code: int = EXIT_USAGE, changed: str = NOTHING
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code
        self.exit_code = exit_code
        self.changed = changed


@dataclass(frozen=True, slots=True)
class Failure:
    """One failure, ready to be printed."""

    code: str
    message: str
    hint: str
    exit_code: int
    changed: str = NOTHING

    def render(self, out: CommandOutput) -> int:
        """Print it and return the exit code."""
        if out.as_json:
            error = {"code": self.code, "message": self.message, "hint": self.hint}
            out.document({"error": error})
        else:
            out.message(f"Error ({self.code}): {self.message}", style="bold red")
            if not self.message.endswith(self.changed):
                out.message(self.changed)
            following, *rest = self.hint.splitlines()
            out.message(f"Next: {following}")
            for line in rest:  # SQL
                out.message(f"    {line}" if line else "")
        return self.exit_code


def of_error(error: StrongroomError, unsure: str = NOTHING) -> Failure:
    """The failure of an error of the library; ``unsure`` is said where the outcome is not known."""
    changed = unsure if isinstance(error, OutcomeUnknownError) else NOTHING
    return Failure(error.code, error.message, error.hint, exit_code_of(type(error)), changed)


def run_guarded(work: Callable[[], int], out: CommandOutput, unsure: str) -> int:
    """Do the work of a command and return its exit code; whatever goes wrong is printed, never raised.

    ``unsure`` says what may have changed when the work was cut off at an unknown place.
    """
    try:
        code = work()
        if sys.stdout is not None:
            sys.stdout.flush()
    except StrongroomError as error:
        return _rendered(of_error(error, unsure), out, error)
    except CommandLineError as error:
        return _rendered(Failure(error.code, error.message, error.hint, error.exit_code, error.changed), out, error)
    except KeyboardInterrupt as error:
        hint = "Run the same command again."
        return _rendered(Failure("interrupted", "Interrupted.", hint, EXIT_INTERRUPTED, unsure), out, error)
    except BrokenPipeError:
        return _reader_left(unsure)
    except OSError as error:
        if not _is_writable(sys.stdout):
            return _reader_left(unsure)
        return _rendered(_internal(error, unsure), out, error)
    except Exception as error:  # noqa: BLE001 - the last net: no traceback and no value reaches the user
        return _rendered(_internal(error, unsure), out, error)
    return code


def _rendered(failure: Failure, out: CommandOutput, error: BaseException) -> int:
    _trace(error)
    try:
        return failure.render(out)
    except (OSError, ValueError):  # nobody reads, the disk is full, or the stream is closed: the code still tells
        _reader_left(failure.changed)
        return failure.exit_code


def _internal(error: Exception, unsure: str) -> Failure:
    if isinstance(error, ImportError) and error.name and not error.name.startswith("strongroom"):
        package = error.name.partition(".")[0]
        hint = f"Install {package}, or strongroom with the extra that brings it."
        return Failure("internal-error", f"The package {package} is missing.", hint, EXIT_FAILED, unsure)
    return Failure(
        "internal-error",
        f"An unexpected {type(error).__name__} stopped the command.",
        "Run it again with STRONGROOM_DEBUG=1; check what it prints for secrets before you report it.",
        EXIT_FAILED,
        unsure,
    )


def _reader_left(unsure: str) -> int:
    """Our output cannot be written any more: keep the interpreter from failing again when it flushes."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        if stream is not None and not _is_writable(stream):
            os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
    if sys.stderr is not None:
        sys.stderr.write(f"The output could not be written. {unsure}\n")
        sys.stderr.flush()
    return EXIT_FAILED


def _is_writable(stream: TextIO | None) -> bool:
    try:
        if stream is None:
            return False
        stream.flush()
    except (OSError, ValueError):
        return False
    return True


def _trace(error: BaseException) -> None:
    if os.environ.get("STRONGROOM_DEBUG") == "1":
        import traceback

        CommandOutput(as_json=False).passage("".join(traceback.format_exception(error)).rstrip("\n"))


def of_parser(error: Any) -> Failure:
    """The failure of the argument parser's own exception, in our words: the parser's quote the values."""
    context: Any = getattr(error, "ctx", None)
    parameter: Any = getattr(error, "param", None)
    command = context.command_path if context is not None else "strongroom"
    hint = f"See: {command} --help"
    match type(error).__name__:
        case "MissingParameter" if parameter is not None:
            message = f"{_named(parameter)} is missing."
        case "BadParameter" if parameter is not None:
            message = f"The value of {_named(parameter)} is not a valid one."
            hint = f"{_named(parameter)}: {parameter.help}" if getattr(parameter, "help", None) else hint
        case "NoSuchOption":
            message, hint = _no_such_option(error, context, hint)
        case "BadOptionUsage":
            option = error.option_name
            takes = "takes no value" if "not take" in str(error.message) else "needs a value"
            message = f"The option {option} {takes}."
        case _ if str(error) == MISSING_COMMAND:
            message = "A command is missing."
        case _ if "No such command" in str(error):
            message, hint = _no_such_command(error, list(context.command.commands), hint)
        case _ if "extra argument" in str(error):
            message = f"There are more arguments than `{command}` takes."
            hint = f"{hint} - {SECRETS_HINT}"
        case _:
            message = "The arguments cannot be read."
    return Failure("usage", message, hint, EXIT_USAGE)


def _named(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return str(parameter.metavar or parameter.name).upper()
    return str(parameter.opts[0])


def _no_such_option(error: Any, context: Any, hint: str) -> tuple[str, str]:
    name = str(error.option_name)
    shown = f": {name}" if re.fullmatch(r"--?[a-z]+(-[a-z]+){0,3}", name) and len(name) <= 24 else ""
    if re.search(r"key|mnemonic|phrase|seed|secret|password", name):
        hint = f"{hint} - {SECRETS_HINT}"
    elif name.removeprefix("--").upper() in _arguments_of(context):
        hint = f"{name.removeprefix('--').upper()} is given without an option. {hint}"
    elif close := closest(name.lstrip("-"), [each.lstrip("-") for each in error.possibilities or ()]):
        hint = f"Did you mean {' or '.join(f'--{each}' for each in close)}? {hint}"
    return f"There is no such option{shown}.", hint


def _no_such_command(error: Any, names: list[str], hint: str) -> tuple[str, str]:
    """Only names of ours, never what was typed."""
    message, every = "There is no such command.", f"Commands: {', '.join(names)}."
    typed = re.search(r"No such command '([^']{1,24})'", str(error))
    if typed is None:
        return message, f"{every} {hint}"
    elsewhere = [f"{group} {name}" for group, name in _commands_below(error.ctx) if name == typed[1].lower()][:3]
    close = elsewhere or closest(typed[1].lower(), names)
    meant = f"Did you mean {' or '.join(close)}?" if close else every
    if elsewhere and error.ctx.parent is not None:  # in a group, which they are not of: its own come first
        meant = f"{every} {meant}"
    return message, f"{meant} {hint}"


def closest(typed: str, names: Sequence[str]) -> list[str]:
    """The names of ours that a word may mean: the closest one, and another that is about as close."""
    found = difflib.get_close_matches(typed, names, 2)
    ratios = [difflib.SequenceMatcher(None, each, typed).ratio() for each in found]
    return [each for each, ratio in zip(found, ratios, strict=True) if ratio > ratios[0] - _ABOUT_AS_CLOSE]


def _arguments_of(context: Any) -> set[str]:
    """What a command takes without an option, as its usage names it."""
    parameters = () if context is None else context.command.params
    return {_named(each) for each in parameters if each.param_type_name == "argument"}


def _commands_below(context: Any) -> list[tuple[str, str]]:
    root = context.find_root().command
    return [(group, name) for group, child in root.commands.items() for name in getattr(child, "commands", {})]
