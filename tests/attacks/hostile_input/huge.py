"""Huge input for every parser, in a process that may take a bounded amount of memory and of time.

    python -m tests.attacks.hostile_input.huge BYTES ONE_IN

Prints a line of JSON for each parser that came to its end, and at last how much memory the process had at most.
"""

from __future__ import annotations

import gc
import json
import resource
import sys
from collections.abc import Iterator
from itertools import islice
from typing import Any

from tests.attacks.hostile_input.parsers import PARSERS, Parser
from tests.attacks.hostile_input.payloads import signing

SECONDS = 300
"""Of processor time, for all of them: what grows with the square of its input takes days."""
SPARE_BYTES = 1 << 30


def huge_texts(size: int, start: str) -> Iterator[str]:
    """Texts of a size, each of them the worst for one way of reading."""
    yield "a" * size
    yield "9" * size
    yield "0x" + "f" * size
    yield "[" * size
    yield '{"a":' * (size // 5)
    yield "[" + "1," * (size // 2) + "1]"
    yield '"' + "\\" * size
    yield " " * size
    yield "\n" * size
    yield "a b" * (size // 3)
    yield start + " " * size
    yield start * (size // max(1, len(start)))
    yield start[: len(start) // 2] + "/'" * (size // 2) + start[len(start) // 2 :]


def huge(parser: Parser, size: int) -> Iterator[Any]:
    """Huge input for a parser: of the same type as what is valid."""
    for valid in parser.valid[:1]:
        payload, *options = valid if isinstance(valid, tuple) else (valid,)
        start = payload if isinstance(payload, str) else "x"
        made: Iterator[Any] = huge_texts(size, start)
        for text in made:
            yield (text, *options) if options else _alike(text, valid)
            if options:
                yield (text.encode(), *options)
        if isinstance(payload, bytes):
            yield (payload * (size // len(payload)), *options)
        if isinstance(payload, dict) and options:
            for name in payload:
                yield ({**payload, name: "0x" + "f" * size}, *options)
                yield ({**payload, name: [payload] * 1000}, *options)
            yield ({str(number): number for number in range(size // 20)}, *options)


def _alike(text: str, valid: Any) -> Any:
    return dict.fromkeys(valid, text) if isinstance(valid, dict) else text


def main(size: int, one_in: int) -> None:
    """Let every parser read what is huge; whatever is no refusal ends the process. One in so many."""
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    before = _most_bytes()
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (_virtual_bytes() + SPARE_BYTES, hard))
    for turn, parser in enumerate((*PARSERS, *signing())):
        tried = 0
        gc.collect()
        for given in islice(huge(parser, size), turn % one_in, None, one_in):
            tried += 1
            try:
                parser.read(given)
            except parser.refusals as error:
                shown = str(error)
                assert len(shown) < 2000 or parser.says_names, parser.name
        print(json.dumps({"parser": parser.name, "tried": tried}), flush=True)
    print(json.dumps({"grew_bytes": _most_bytes() - before}), flush=True)


def _most_bytes() -> int:
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _virtual_bytes() -> int:
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[0]) * resource.getpagesize()
    except OSError:
        return 1 << 40


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
