"""The table of recipes: one function for each ailment. What it plants shows itself, and what follows from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from tests.ailments.bed import Bed, Soil
from tests.ailments.keys import KINDS, LAST_INDEX, Key, phrase_key
from tests.ailments.ledger import Credential

Cost = Literal["cheap", "phrase", "kdf"]


@dataclass(frozen=True)
class Recipe:
    """How to plant an ailment."""

    name: str
    code: str
    """The finding that it is there for; empty where nothing is wrong."""
    plant: Callable[[Bed], None]
    cost: Cost
    fits: Callable[[Soil], bool]


RECIPES: dict[str, Recipe] = {}


def has_vault(soil: Soil) -> bool:
    """Whether there is a vault table."""
    return soil.base != "g1"


def recipe(
    code: str, *, cost: Cost = "cheap", fits: Callable[[Soil], bool] = has_vault
) -> Callable[[Callable[[Bed], None]], Callable[[Bed], None]]:
    """Enter a function into the table of recipes, under its name."""

    def enter(plant: Callable[[Bed], None]) -> Callable[[Bed], None]:
        name = plant.__name__.replace("_", "-")
        RECIPES[name] = Recipe(name, code, plant, cost, fits)
        return plant

    return enter


def any_account(bed: Bed, phrase: str) -> Key:
    """A key of a phrase, at a path that is tried."""
    kind = bed.rng.choice(["evm", "evm", "solana", *KINDS])
    number = bed.rng.choice((0, 0, 1, 7, LAST_INDEX))
    return phrase_key(phrase, kind, number) if bed.chance(0.6) else phrase_key(phrase, kind, account=number)


def stranger(bed: Bed, phrase: str) -> Key:
    """A key that the phrase does not derive, or only where nobody looks."""
    if bed.chance(0.5):
        return bed.key()
    kind = bed.rng.choice(("evm", "solana", "bitcoin"))
    index, account = bed.rng.choice(((LAST_INDEX + 1, 0), (0, LAST_INDEX + 1), (7, 7), (0, 0)))
    passphrase = "a passphrase" if (index, account) == (0, 0) else ""
    return phrase_key(phrase, kind, index, account, passphrase)


def no_address(bed: Bed) -> Credential:
    """A credential whose stored address is of no network; public_key may hold a good one, and does not count."""
    key = bed.key("evm")
    wrong = ("pending", key.address[:-1], "0x" + key.address[2:].swapcase(), "TUEZSdKsoDHQMeZwihtdoBiN46zxhGWYdH")
    credential = bed.credential(invalid=bed.rng.choice(wrong))
    if bed.soil.base != "g1" and credential.wallet_address and bed.chance(0.5):
        credential.public_key = key.address
    return credential
