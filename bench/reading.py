"""Reading: a repeated create, which is one SELECT, and a page of a list."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from bench.backends import Backend
from bench.creating import fill
from bench.crypto_baseline import NETWORK, BareKey
from bench.measure import Candidate, Measurement, Target, named, race, ratio, times, warm_up_turns
from bench.naive_baseline import NaiveVault

_PROJECTS = 200
_EACH = 5
_THEIRS = 40
"""Wallets that the home-made vault made itself: on SQLite it writes UUIDs in another way."""
_PAGE = 100
_MORE_US = 40
"""Over its SELECT, a repeated create may take so much more, or 1.5 times as much: a process answers in less than a
server."""

Slot = tuple[uuid.UUID, str]


def measure_repeat(backend: Backend, turns: int, keys: Sequence[BareKey]) -> tuple[list[Measurement], list[Target]]:
    """Create what is there already, alongside the same joined SELECT, prepared; and both as behind a pooler."""
    with backend.installation() as installation:
        projects = [uuid.uuid4() for _ in range(min(_PROJECTS, turns))]
        bare, vault = installation.bare(), installation.vault
        fill(bare, installation, projects, keys, _EACH)
        slots: list[Slot] = [(project, f"label-{number}") for number in range(_EACH) for project in projects]
        naive = NaiveVault(installation.default_engine())
        their_slots = [(project, "theirs") for project in projects[:_THEIRS]]
        for slot in their_slots:
            naive.create_wallet(*slot)

        candidates = [
            Candidate("floor: SELECT", bare.find, slots),
            Candidate("strongroom", lambda slot: vault.create_wallet(slot[0], NETWORK, label=slot[1]), slots),
            Candidate("home-made", lambda slot: naive.create_wallet(*slot), their_slots),
        ]
        if backend.kind == "postgresql":
            unprepared, pooled = installation.bare(prepared=False), installation.reopened(prepared_statements=False)
            candidates += [
                Candidate("pooler, floor: SELECT", unprepared.find, slots),
                Candidate(
                    "pooler, strongroom", lambda slot: pooled.create_wallet(slot[0], NETWORK, label=slot[1]), slots
                ),
            ]
        measured = times("create again", backend.kind, race(candidates, turns, warm_up_turns(turns)), "us")
    targets = [_again("create again", measured, "strongroom", "floor: SELECT")]
    if backend.kind == "postgresql":
        targets.append(_again("create again behind a pooler", measured, "pooler, strongroom", "pooler, floor: SELECT"))
    return measured, targets


def _again(what: str, measured: Sequence[Measurement], name: str, floor: str) -> Target:
    select_us = named(measured, floor).median
    text = f"{what}, times its SELECT (1.5, or {_MORE_US} us more)"
    return ratio(text, max(1.5, 1 + _MORE_US / select_us), measured, name, floor)


def measure_page(backend: Backend, turns: int, keys: Sequence[BareKey]) -> tuple[list[Measurement], list[Target]]:
    """A page of a hundred wallets."""
    with backend.installation() as installation:
        project, bare, vault = uuid.uuid4(), installation.bare(), installation.vault
        fill(bare, installation, [project], keys, 2 * _PAGE)
        measured = times(
            f"list {_PAGE} wallets",
            backend.kind,
            race(
                [
                    Candidate("floor: SELECT", lambda _: bare.page(project, _PAGE)),
                    Candidate("strongroom", lambda _: vault.list_wallets(project, limit=_PAGE)),
                ],
                turns,
                warm_up_turns(turns),
            ),
        )
    return measured, [ratio(f"list {_PAGE} wallets, times its SELECT", 1.5, measured, "strongroom", "floor: SELECT")]
