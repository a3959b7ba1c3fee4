"""Hostile input at every parser: a value comes out or a typed error, no secret is said, memory and time stay bounded."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

import strongroom
from strongroom import errors
from strongroom.cli.failures import CommandLineError
from strongroom.errors import StrongroomError
from strongroom.settings import ENVIRONMENT
from tests.attacks.hostile import CANARY
from tests.attacks.hostile_parsers import PARSERS, Parser, strings_of
from tests.attacks.hostile_payloads import OPTIONS, signing
from tests.attacks.sizes import SIZE, settle_seed
from tests.attacks.summary import StartTally
from tests.attacks.tally import Tally
from tests.harness.canary import Leak, report

ATTACK = "hostile input"
EVERY = (*PARSERS, *signing())
CODES = {getattr(errors, name).code for name in errors.__all__}
_ECHO = 16
"""So many characters in a row of what was given are no chance."""
_PHASES = (Phase.generate, Phase.shrink)
"""Without explanations, which run a failing test a thousand times more."""
_PUBLIC = "\n".join(
    [
        *(getattr(errors, name).default_hint for name in errors.__all__),
        *ENVIRONMENT.values(),
        *OPTIONS,
        *(text for payload, _ in (valid for each in signing() for valid in each.valid) for text in strings_of(payload)),
    ]
)
"""What errors may say, whoever else said it: hints, and the names of settings, options and fields."""


def assert_typed(error: Exception) -> None:
    """An error of ours has a code that is documented, says what happened, and what to do."""
    assert isinstance(error, (StrongroomError, CommandLineError))
    assert error.code in CODES or isinstance(error, CommandLineError)
    assert error.message
    assert error.hint


def search(error: Exception, parser: Parser, inputs: Any, row: Tally) -> None:
    """Look for the known secrets in an error, and for whatever else it was given."""
    shown = "\n".join((repr(error), str(error), repr(error.args), repr(vars(error))))
    leaks = CANARY.in_text(shown, parser.name)
    if parser.wrapped:
        leaks += CANARY.in_exception(error)
    if not parser.says_names:
        leaks += [Leak("what was given", parser.name) for _ in echoes(shown, inputs)]
    row.leaked += len(leaks)
    assert not leaks, report(leaks) + f"\n{shown}"


def echoes(shown: str, inputs: Any) -> Iterator[str]:
    """Pieces of what was given that an error shows."""
    pieces = {shown[start : start + _ECHO] for start in range(len(shown) - _ECHO + 1)}
    for text in strings_of(inputs):
        if len(text) >= _ECHO:
            yield from (piece for piece in pieces if piece in text and piece not in _PUBLIC and len(set(piece)) > 1)


@pytest.mark.parametrize("parser", EVERY, ids=str)
def test_hostile_input_is_read_or_refused(parser: Parser, tally: StartTally) -> None:
    row = tally(ATTACK)

    @seed(settle_seed())
    @settings(max_examples=SIZE.examples, suppress_health_check=list(HealthCheck), phases=_PHASES)
    @given(parser.given)
    def attack(inputs: Any) -> None:
        row.fault(parser.name)
        try:
            parser.read(inputs)
        except parser.refusals as error:
            if isinstance(error, UnicodeDecodeError):
                return  # of the test's own call
            assert_typed(error)
            search(error, parser, inputs, row)

    attack()


@pytest.mark.parametrize("parser", [each for each in EVERY if each.valid], ids=str)
def test_what_mutations_start_from_is_valid(parser: Parser) -> None:
    """Otherwise they would all be refused at the door."""
    for valid in parser.valid:
        parser.read(valid)
