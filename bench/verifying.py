"""Verifying: wallets a second on one core, with the rows read from the database."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from bench import crypto_baseline
from bench.backends import Backend, Installation
from bench.bare import Bare
from bench.creating import fill
from bench.crypto_baseline import BareKey, SealingKey
from bench.measure import Candidate, Measurement, Target, race, rates, ratio
from bench.proofs import Proof, prove_opens

_PROJECTS = 10


def measure_verify(
    backend: Backend, turns: int, keys: Sequence[BareKey]
) -> tuple[list[Measurement], list[Target], list[Proof]]:
    """Every wallet of a database, in whole passes, without and with its phrase."""
    with backend.installation() as installation:
        bare, each = installation.bare(), max(1, len(keys) // _PROJECTS)
        fill(bare, installation, [uuid.uuid4() for _ in range(_PROJECTS)], keys, each)
        wallets = each * _PROJECTS
        opened = race(
            [
                Candidate(
                    "floor: open, derive", lambda _: _bare_pass(bare, installation.sealing, wallets, phrases=False)
                ),
                Candidate("strongroom", lambda _: _our_pass(installation, wallets, phrases=False)),
            ],
            turns,
            warm_up=1,
        )
        phrase = crypto_baseline.new_phrase()
        derived = race(
            [
                Candidate("floor: PBKDF2 alone", lambda _: [crypto_baseline.seed_of(phrase) for _ in range(wallets)]),
                Candidate(
                    "floor: open, PBKDF2, derive",
                    lambda _: _bare_pass(bare, installation.sealing, wallets, phrases=True),
                ),
                Candidate("strongroom", lambda _: _our_pass(installation, wallets, phrases=True)),
            ],
            max(1, turns // 2),
            warm_up=0,
        )
        measured = rates("verify", backend.kind, opened, wallets)
        with_phrases = rates("verify --phrases", backend.kind, derived, wallets)
        targets = [
            ratio("verify, times its floor", 1.5, measured, "strongroom", "floor: open, derive"),
            ratio("verify --phrases, times its floor", 1.3, with_phrases, "strongroom", "floor: open, PBKDF2, derive"),
        ]
        proof = prove_opens("verify: strongroom verifies what the floor wrote", installation, wallets)
        return measured + with_phrases, targets, [proof]


def _bare_pass(bare: Bare, sealing: SealingKey, wallets: int, *, phrases: bool) -> None:
    if sum(crypto_baseline.verify(rows, sealing, phrases=phrases) for rows in bare.stream()) != wallets:
        raise RuntimeError("the floor does not verify what it wrote")


def _our_pass(installation: Installation, wallets: int, *, phrases: bool) -> None:
    if sum(result.ok for result in installation.vault.verify(phrases=phrases)) != wallets:
        raise RuntimeError("strongroom does not verify what the floor wrote")
