"""Reading: a repeated create, which is one SELECT, and a page of a list."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from bench.creating import WARM_UP, fill
from bench.grounds import Ground
from bench.homemade import HomemadeVault
from bench.keywork import NETWORK, Key
from bench.measure import Aim, Contestant, Measurement, race, ratio, times

_PROJECTS = 200
_EACH = 5
_THEIRS = 40
"""Wallets that the home-made vault made itself: on SQLite it writes UUIDs in another way."""
_PAGE = 100

Slot = tuple[uuid.UUID, str]


def measure_repeat(ground: Ground, turns: int, keys: Sequence[Key]) -> tuple[list[Measurement], list[Aim]]:
    """Create what is there already, beside the same joined SELECT, prepared; and both as behind a pooler."""
    with ground.house() as house:
        projects = [uuid.uuid4() for _ in range(_PROJECTS)]
        bare, vault = house.bare(), house.vault
        fill(bare, house, projects, keys, _EACH)
        slots: list[Slot] = [(project, f"label-{number}") for number in range(_EACH) for project in projects]
        homemade = HomemadeVault(house.default_engine())
        their_slots = [(project, "theirs") for project in projects[:_THEIRS]]
        for slot in their_slots:
            homemade.create_wallet(*slot)

        contestants = [
            Contestant("floor: SELECT", bare.find, slots),
            Contestant("strongroom", lambda slot: vault.create_wallet(slot[0], NETWORK, label=slot[1]), slots),
            Contestant("home-made", lambda slot: homemade.create_wallet(*slot), their_slots),
        ]
        if ground.kind == "postgresql":
            unprepared, pooled = house.bare(prepared=False), house.reopened(prepared_statements=False)
            contestants += [
                Contestant("pooler, floor: SELECT", unprepared.find, slots),
                Contestant(
                    "pooler, strongroom", lambda slot: pooled.create_wallet(slot[0], NETWORK, label=slot[1]), slots
                ),
            ]
        measured = times("create again", ground.kind, race(contestants, turns, WARM_UP), "us")
    aims = [ratio("create again, times its SELECT", 1.5, measured, "strongroom", "floor: SELECT")]
    if ground.kind == "postgresql":
        pooler = "create again behind a pooler, times its SELECT"
        aims.append(ratio(pooler, 1.5, measured, "pooler, strongroom", "pooler, floor: SELECT"))
    return measured, aims


def measure_page(ground: Ground, turns: int, keys: Sequence[Key]) -> list[Measurement]:
    """A page of a hundred wallets."""
    with ground.house() as house:
        project, bare, vault = uuid.uuid4(), house.bare(), house.vault
        fill(bare, house, [project], keys, 2 * _PAGE)
        return times(
            f"list {_PAGE} wallets",
            ground.kind,
            race(
                [
                    Contestant("floor: SELECT", lambda _: bare.page(project, _PAGE)),
                    Contestant("strongroom", lambda _: vault.list_wallets(project, limit=_PAGE)),
                ],
                turns,
                WARM_UP,
            ),
        )
