"""How long an attack lasts, and with which seed: the same for every process of a run.

``STRONGROOM_ATTACK=soak`` asks for the long run, ``STRONGROOM_ATTACK_TIMES=10`` for ten times as much of either, and
``STRONGROOM_TEST_SEED=7`` repeats the aims of the run that printed this seed. When exactly a bullet meets its process
is the operating system's choice.
"""

from __future__ import annotations

import os
import random
import secrets
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Size:
    """How much of everything a run does at least."""

    name: str
    client_kills: int
    """On each of the three databases, over all flows."""
    server_kills: int
    cuts: int
    """Of connections, by the proxy."""
    failovers: int
    steps: int
    """Of the state machine, over all databases."""
    examples: int
    """Of hostile input, for each parser."""
    rounds: int
    """Repetitions of what is neither of these."""

    def times(self, factor: int) -> Size:
        """A longer run."""
        numbers = {name: value * factor for name, value in asdict(self).items() if name != "name"}
        return Size(f"{self.name} x {factor}" if factor != 1 else self.name, **numbers)


_SIZES = {
    "short": Size("short", 500, 60, 500, 1, 10_000, 150, 1),
    "soak": Size("soak", 10_000, 1_000, 5_000, 20, 100_000, 5_000, 20),
}
_FIRST_SEED = 1
"""Of short runs, so that those of continuous integration are alike."""

SIZE = _SIZES[os.environ.get("STRONGROOM_ATTACK") or "short"].times(
    int(os.environ.get("STRONGROOM_ATTACK_TIMES") or 1),
)


def settle_seed() -> int:
    """Choose the seed of the run, if nobody did; processes that start later inherit it."""
    if not os.environ.get("STRONGROOM_TEST_SEED"):
        chosen = _FIRST_SEED if SIZE.name == "short" else secrets.randbits(32)
        os.environ["STRONGROOM_TEST_SEED"] = str(chosen)
    return int(os.environ["STRONGROOM_TEST_SEED"])


def seeded(name: str) -> random.Random:
    """The random generator of one test of this run."""
    return random.Random(f"{settle_seed()}:{name}")


def share(total: int, part: int, parts: int) -> int:
    """How much of a total the n-th of several tests does (from 0); together they do all of it."""
    return total * (part + 1) // parts - total * part // parts
