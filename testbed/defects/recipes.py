"""The table of recipes: one function for each defect. What it plants shows itself, and what follows from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from testbed.defects.database_builder import DatabaseBuilder, SchemaTraits
from testbed.defects.ground_truth import CredentialRow
from testbed.defects.keys import LAST_INDEX, KnownKey, kinds, phrase_key

Cost = Literal["cheap", "phrase", "kdf"]


@dataclass(frozen=True)
class Recipe:
    """How to damage rows so that doctor finds a defect."""

    name: str
    code: str
    """The finding that it is there for; empty where nothing is wrong."""
    apply: Callable[[DatabaseBuilder], None]
    cost: Cost
    fits: Callable[[SchemaTraits], bool]


RECIPES: dict[str, Recipe] = {}


def has_vault(traits: SchemaTraits) -> bool:
    """Whether there is a vault table."""
    return traits.base != "g1"


def recipe(
    code: str, *, cost: Cost = "cheap", fits: Callable[[SchemaTraits], bool] = has_vault
) -> Callable[[Callable[[DatabaseBuilder], None]], Callable[[DatabaseBuilder], None]]:
    """Enter a function into the table of recipes, under its name."""

    def enter(apply: Callable[[DatabaseBuilder], None]) -> Callable[[DatabaseBuilder], None]:
        name = apply.__name__.replace("_", "-")
        RECIPES[name] = Recipe(name, code, apply, cost, fits)
        return apply

    return enter


def any_account(builder: DatabaseBuilder, phrase: str) -> KnownKey:
    """A key of a phrase, at a path that is tried."""
    kind = builder.rng.choice(["evm", "evm", "solana", *kinds(unambiguous=builder.traits.base == "g1")])
    number = builder.rng.choice((0, 0, 1, 7, LAST_INDEX))
    return phrase_key(phrase, kind, number) if builder.chance(0.6) else phrase_key(phrase, kind, account=number)


def stranger(builder: DatabaseBuilder, phrase: str) -> KnownKey:
    """A key that the phrase does not derive, or only where nobody looks."""
    if builder.chance(0.5):
        return builder.key()
    kind = builder.rng.choice(("evm", "solana", "bitcoin"))
    index, account = builder.rng.choice(((LAST_INDEX + 1, 0), (0, LAST_INDEX + 1), (7, 7), (0, 0)))
    passphrase = "a passphrase" if (index, account) == (0, 0) else ""
    return phrase_key(phrase, kind, index, account, passphrase)


def no_address(builder: DatabaseBuilder) -> CredentialRow:
    """A credential whose stored address is of no network; public_key may hold a good one, and does not count."""
    key = builder.key("evm")
    wrong = ("pending", key.address[:-1], "0x" + key.address[2:].swapcase(), "TUEZSdKsoDHQMeZwihtdoBiN46zxhGWYdJ")
    credential = builder.credential(invalid=builder.rng.choice(wrong))
    if builder.traits.base != "g1" and credential.wallet_address and builder.chance(0.5):
        credential.public_key = key.address
    return credential
