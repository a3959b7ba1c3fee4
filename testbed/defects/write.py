"""Plant defects in a database, from a seed; what doctor has to find in it is then known, row by row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from uuid import UUID

from testbed.defects import recipes_lost, recipes_sealed, recipes_several, recipes_single
from testbed.defects.database_builder import DatabaseBuilder, SchemaTraits
from testbed.defects.definition import findings, recoverable
from testbed.defects.finding import CODES, EVERYTHING, Access, ExpectedFinding
from testbed.defects.ground_truth import GroundTruth
from testbed.defects.locked import KEYSTORE_PASSWORD, LEGACY_PASSWORD
from testbed.defects.real_wallets import create_wallets
from testbed.defects.recipes import RECIPES, Recipe
from testbed.defects.schema_traits import TargetDatabase, by_trigger

RECIPE_MODULES = (recipes_single, recipes_lost, recipes_several, recipes_sealed)
"""They enter their recipes into the table when they are imported."""
LEAST = 3
"""How often every recipe is used."""
MOST_OURS = 400
"""Wallets that strongroom makes: each is a transaction."""
MOST = {"cheap": None, "phrase": 150, "kdf": 30}
"""How often a recipe of a cost is used where the caller names no defects."""


@dataclass(frozen=True)
class PlantedWallet:
    """What is true of one credential."""

    recoverable: bool
    """Whether its key is somewhere that the root key and the passwords open."""
    address: str | None
    private_key: bytes | None = field(repr=False)
    """The key of the stored address; None where that is of no network."""


@dataclass(frozen=True)
class WrittenDatabase:
    """A database with defects, and the truth about it."""

    url: str
    generation: str
    seed: int
    credentials: int
    vault_records: int
    wallets: dict[UUID, PlantedWallet] = field(repr=False)
    truth: GroundTruth = field(repr=False)
    legacy_password: str = field(default=LEGACY_PASSWORD, repr=False)
    keystore_password: str = field(default=KEYSTORE_PASSWORD, repr=False)

    def findings(self, given: Access = EVERYTHING) -> Counter[ExpectedFinding]:
        """The findings about rows, as a multiset, for what doctor is given."""
        return findings(self.truth, given)


def write_database(
    url: str,
    generation: str,
    seed: int,
    wallets: int,
    defects: Collection[str] | None = None,
    *,
    root_key: str | None = None,
) -> WrittenDatabase:
    """Make the tables of a generation in an empty database, and plant at least that many credentials.

    Args:
        defects: codes of findings, or names of recipes; None is everything.
        root_key: the URI of the root key, for generations in which strongroom is initialised.
    """
    builder = DatabaseBuilder.of(generation, seed)
    database = TargetDatabase.prepare(url, generation, root_key)
    if root_key is not None and builder.traits.initialised:
        create_wallets(
            builder, database, root_key, min(MOST_OURS, 20 + (wallets // 4 if defects is None else 2 * wallets))
        )
    entries = {entry.id for entry in builder.truth.entries}
    apply_recipes(builder, wallets, defects)
    _write(builder, database, entries)
    return _planted(builder, url, seed)


def apply_recipes(builder: DatabaseBuilder, wallets: int, defects: Collection[str] | None = None) -> None:
    """Use every recipe that fits at least ``LEAST`` times, then any, until there are that many credentials.

    Where defects are named: until they were planted that many times.
    """
    table = chosen(builder.traits, defects)
    used: Counter[str] = Counter()
    for entry in _order(builder, table):
        enough = used.total() if defects is not None else len(builder.truth.credentials)
        if enough >= wallets and used.total() >= LEAST * len(table):
            return
        most = MOST[entry.cost] if defects is None else None
        if most is None or used[entry.name] < most:
            builder.recipe = entry.name
            entry.apply(builder)
            used[entry.name] += 1


def chosen(traits: SchemaTraits, defects: Collection[str] | None) -> list[Recipe]:
    """The recipes that fit a generation and the names that were asked for."""
    unknown = set(defects or ()) - {*CODES, *RECIPES}
    if unknown:
        raise ValueError(f"there is no defect {', '.join(sorted(unknown))}")
    fitting = [entry for entry in RECIPES.values() if entry.fits(traits)]
    return [entry for entry in fitting if defects is None or not {entry.name, entry.code}.isdisjoint(defects)]


def _order(builder: DatabaseBuilder, table: list[Recipe]) -> Iterator[Recipe]:
    if not table:
        return
    for _ in range(LEAST):
        yield from table
    cheap = [entry for entry in table if entry.cost == "cheap"] or table
    while True:
        yield builder.rng.choice(table if builder.chance(0.3) else cheap)


def _write(builder: DatabaseBuilder, database: TargetDatabase, made: set[UUID]) -> None:
    """New rows, and again those of wallets of ours that something happened to."""
    truth, touched = builder.truth, builder.touched
    applied = by_trigger(builder.traits, truth, touched)
    ids = {id(record) for _, record in applied}
    new = [each for each in truth.credentials if not each.columns or each.id in touched]
    there = {each.id for each in truth.credentials if each.columns and each.id not in touched}
    records = [each for each in truth.records if id(each) not in ids and each.credential not in there]
    entries = [each for each in truth.entries if each.id not in made]
    database.write_by_trigger(applied)
    if touched:
        database.remove(touched, made - {entry.id for entry in truth.entries})
    if builder.traits.base != "g1" or new:
        database.write(new, records, entries, builder.slots)


def _planted(builder: DatabaseBuilder, url: str, seed: int) -> WrittenDatabase:
    found = recoverable(builder.truth)
    return WrittenDatabase(
        url=url,
        generation=builder.generation,
        seed=seed,
        credentials=len(builder.truth.credentials),
        vault_records=len(builder.truth.records),
        wallets={
            each.id: PlantedWallet(
                found[each.id], each.key.address if each.key else None, each.key.secret if each.key else None
            )
            for each in builder.truth.credentials
        },
        truth=builder.truth,
    )
