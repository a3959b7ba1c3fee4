"""How long an attack lasts, and with which seed: the same for every process of a run.

``STRONGROOM_ATTACK=attack`` asks for the run of `make attack`, ``STRONGROOM_ATTACK=soak`` for that of `make soak`,
``STRONGROOM_ATTACK_TIMES=10`` for ten times as much of either, and ``STRONGROOM_TEST_SEED=7`` repeats the aims of the
run that printed this seed. When exactly a bullet meets its process is the operating system's choice.
"""

from __future__ import annotations

import os
import random
import secrets
from dataclasses import asdict, dataclass, replace


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
    patroni_failovers: int
    """Of a cluster that Patroni manages: a third each of machines killed, servers killed, and switchovers."""
    steps: int
    """Of the state machine, over all databases."""
    examples: int
    """Of hostile input, for each parser."""
    rounds: int
    """Repetitions of what is neither of these."""
    cells: int
    """Of the tampering matrix, for each column of each table."""
    boundary_step: int
    """A client is stopped at each n-th statement boundary: of two, one is before a statement, one behind it."""

    def times(self, factor: int) -> Size:
        """A longer run."""
        if factor == 1:
            return self
        numbers = {name: value * factor for name, value in asdict(self).items() if name not in _NOT_AMOUNTS}
        return replace(self, name=f"{self.name} x {factor}", **numbers)


SMALL = "small"
"""What a change has to pass, each attack in its small form; testbed.harness.tiers says what is left out."""
ATTACK = "attack"
"""What continuous integration runs after it."""
_SIZES = {
    "small": Size("small", 30, 2, 12, 1, 0, 400, 8, 1, 1, 14),
    "attack": Size("attack", 500, 60, 500, 1, 3, 10_000, 150, 1, 1, 2),
    "matrix": Size("matrix", 500, 60, 500, 1, 3, 10_000, 150, 1, 1_000, 2),
    "soak": Size("soak", 10_000, 1_000, 5_000, 20, 200, 100_000, 5_000, 20, 4, 1),
}
_NOT_AMOUNTS = ("name", "boundary_step")
_FIRST_SEED = 1
"""Of all but soaks, so that those of continuous integration are alike."""

SIZE = _SIZES[os.environ.get("STRONGROOM_ATTACK") or SMALL].times(
    int(os.environ.get("STRONGROOM_ATTACK_TIMES") or 1),
)


def settle_seed() -> int:
    """Choose the seed of the run, if nobody did; processes that start later inherit it."""
    if not os.environ.get("STRONGROOM_TEST_SEED"):
        chosen = secrets.randbits(32) if SIZE.name.startswith("soak") else _FIRST_SEED
        os.environ["STRONGROOM_TEST_SEED"] = str(chosen)
    return int(os.environ["STRONGROOM_TEST_SEED"])


def seeded(name: str) -> random.Random:
    """The random generator of one test of this run."""
    return random.Random(f"{settle_seed()}:{name}")


def differs(*fields: str) -> bool:
    """Whether this run does more, or does it elsewhere, of what takes these numbers of a size than `make test` does."""
    aimed = SIZE in _SIZES.values() and settle_seed() == _FIRST_SEED
    return not aimed or any(getattr(SIZE, field) != getattr(_SIZES[SMALL], field) for field in fields)


def examples(number: int) -> int:
    """How many examples Hypothesis tries of what has that many in a longer run."""
    return number if SIZE.name != SMALL else max(5, number // 4)


def share(total: int, part: int, parts: int) -> int:
    """How much of a total the n-th of several tests does (from 0); together they do all of it."""
    return total * (part + 1) // parts - total * part // parts
