"""Verifying: wallets a second on one core, with the rows read from the database."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from bench import keywork
from bench.bare import Bare
from bench.creating import fill
from bench.grounds import Ground, House
from bench.keywork import Key, SealingKey
from bench.measure import Aim, Contestant, Measurement, named, race, rates
from bench.proofs import Proof, prove_opens

_PROJECTS = 10


def measure_verify(ground: Ground, turns: int, keys: Sequence[Key]) -> tuple[list[Measurement], list[Aim], list[Proof]]:
    """Every wallet of a database, in whole passes, without and with its phrase."""
    with ground.house() as house:
        bare, each = house.bare(), max(1, len(keys) // _PROJECTS)
        fill(bare, house, [uuid.uuid4() for _ in range(_PROJECTS)], keys, each)
        wallets = each * _PROJECTS
        opened = race(
            [
                Contestant("floor: open, derive", lambda _: _bare_pass(bare, house.sealing, wallets, phrases=False)),
                Contestant("strongroom", lambda _: _our_pass(house, wallets, phrases=False)),
            ],
            turns,
            warm_up=1,
        )
        phrase = keywork.new_phrase()
        derived = race(
            [
                Contestant("floor: PBKDF2 alone", lambda _: [keywork.seed_of(phrase) for _ in range(wallets)]),
                Contestant(
                    "floor: open, PBKDF2, derive", lambda _: _bare_pass(bare, house.sealing, wallets, phrases=True)
                ),
                Contestant("strongroom", lambda _: _our_pass(house, wallets, phrases=True)),
            ],
            max(1, turns // 2),
            warm_up=0,
        )
        measured = rates("verify", ground.kind, opened, wallets)
        with_phrases = rates("verify --phrases", ground.kind, derived, wallets)
        ours, phrased = named(measured, "strongroom"), named(with_phrases, "strongroom")
        aims = [
            Aim("verify, wallets/s of a core", ground.kind, 4000, ours.cpu, ours.best, at_least=True),
            Aim("verify --phrases, wallets/s of a core", ground.kind, 800, phrased.cpu, phrased.best, at_least=True),
        ]
        proof = prove_opens("verify: strongroom verifies what the floor wrote", house, wallets)
        return measured + with_phrases, aims, [proof]


def _bare_pass(bare: Bare, sealing: SealingKey, wallets: int, *, phrases: bool) -> None:
    if sum(keywork.verify(rows, sealing, phrases=phrases) for rows in bare.stream()) != wallets:
        raise RuntimeError("the floor does not verify what it wrote")


def _our_pass(house: House, wallets: int, *, phrases: bool) -> None:
    if sum(result.ok for result in house.vault.verify(phrases=phrases)) != wallets:
        raise RuntimeError("strongroom does not verify what the floor wrote")
