"""Hostile input at every parser: a value or a typed error, no secret is said, memory and time stay bounded."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

import strongroom
from strongroom.networks import TABLE
from strongroom.networks.curves import paths
from strongroom.settings import Settings
from testbed.harness.canary import Leak, report
from testbed.harness.sizes import SIZE, settle_seed
from tests.attacks.hostile_input.outcomes import assert_typed
from tests.attacks.hostile_input.parsers import FAMILIES, PARSERS, Parser, strings_of
from tests.attacks.hostile_input.payloads import KINDS, OPTIONS, signing
from tests.attacks.hostile_input.strategies import CANARY
from tests.attacks.summary import StartTally
from tests.attacks.tally import Tally

SOURCE = Path(strongroom.__file__).parent
ATTACK = "hostile input"
EVERY = (*PARSERS, *signing())
_ECHO = 16
"""So many characters in a row of what was given are no chance."""
_PHASES = (Phase.generate, Phase.shrink)
"""Without explanations, which run a failing test a thousand times more."""


def _texts_of_the_source() -> Iterator[str]:
    """Every string literal. Hypothesis gives some of them as input, which an error then seems to repeat."""
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


_PUBLIC = "\n".join(
    [
        *_texts_of_the_source(),
        ", ".join(network.name for network in TABLE),
        *OPTIONS,
        *(text for payload, _ in (valid for each in signing() for valid in each.valid) for text in strings_of(payload)),
    ]
).lower()
"""What errors may say even where the input has it too: own words, and names of settings, options and fields, in small
letters; an error repeats a parameter's name as it was written."""


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
            yield from (
                piece for piece in pieces if piece in text and piece.lower() not in _PUBLIC and len(set(piece)) > 1
            )


@pytest.mark.sized("examples")
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


# --- nothing is left out -------------------------------------------------------------------------------------

_READERS = re.compile(
    r"(?:parse\w*|loads?|read|read_config|read_payload|read_signed|read_signers|read_key|read_plaintext|open_document"
    r"|open_sealed|open_root_key|of_uri|unwrap\w*)$"
)
_ELSEWHERE = {
    "ports": "says what there is, and does nothing",
    "cli": "attacked through its arguments, in test_bad_input_cli.py",
    "store": "reads the database: test_columns.py",
    "doctor": "reads the database, but for the texts in it",
    "unit_rows.py": "reads the database",
    "passphrase_source.py": "asks the terminal and reads descriptors: tests/unit/rootkeys/test_passphrase_source.py",
    "passphrase.py": "stretches for each: test_bits.py",
}


def readers() -> set[tuple[str, str]]:
    """Every function of the package whose name says that it reads: its file and its name."""
    found = set()
    for path in SOURCE.rglob("*.py"):
        if not _ELSEWHERE.keys() & set(path.relative_to(SOURCE).parts):
            tree = ast.walk(ast.parse(path.read_text()))
            functions = (node.name for node in tree if isinstance(node, ast.FunctionDef))
            found |= {(str(path), name) for name in functions if _READERS.match(name)}
    return found


def test_every_function_that_reads_is_reached_by_a_parser_of_the_table() -> None:
    """So that anyone who adds one adds a line to the table."""
    called: set[tuple[str, str]] = set()

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            called.add((frame.f_code.co_filename, frame.f_code.co_name))

    paths.parse.cache_clear()  # what others have read before would not be read again
    sys.setprofile(note)
    try:
        for parser in EVERY:
            for valid in parser.valid:
                parser.read(valid)
    finally:
        sys.setprofile(None)
    assert len(readers()) > 20
    assert readers() - called == set()


def test_every_network_setting_and_kind_of_payload_is_in_the_table() -> None:
    assert {network.name for family in FAMILIES.values() for network in family} == {each.name for each in TABLE}
    names = {parser.name for parser in EVERY}
    assert {f"setting {field.name}" for field in fields(Settings)} <= names
    assert {f"{kind} on {network}" for kind in KINDS for network in ("ethereum", "bitcoin", "solana")} <= names
    assert len(names) == len(EVERY)


# --- memory and time -----------------------------------------------------------------------------------------

_HUGE_BYTES = 10_000_000
_ONE_IN = str(max(1, 750 // SIZE.examples))
"""Of the kinds of huge input, for each parser; the next parser gets the next kinds."""
_MOST_GROWTH = 25
"""So many times as much as the input."""


def _environment() -> dict[str, str]:
    paths = [str(Path(__file__).parents[3]), str(SOURCE.parent), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}


@pytest.mark.sized("examples")
def test_huge_input_takes_bounded_memory_and_time(tally: StartTally) -> None:
    """In a process whose memory and processor time are limited: who reads in squares does not come to its end."""
    row = tally(ATTACK)
    command = [sys.executable, "-m", "tests.attacks.hostile_input.huge", str(_HUGE_BYTES), _ONE_IN]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[3], env=_environment()
    )
    assert done.returncode == 0, done.stderr[-2000:]
    *ends, last = map(json.loads, done.stdout.splitlines())
    assert [end["parser"] for end in ends] == [parser.name for parser in EVERY]
    row.fault("huge", sum(end["tried"] for end in ends))
    assert last["grew_bytes"] < _MOST_GROWTH * _HUGE_BYTES
