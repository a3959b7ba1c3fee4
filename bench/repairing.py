"""Repair: rows a second, of planning and of applying apart, beside the same written by hand; and the guard.

The floor does for each row what nobody can do without: seal, open again and prove, then lock, UPDATE, and keep and log
it, in one transaction. It examines nothing, and compares nothing with a plan. Its time includes reading
the rows, in one statement.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from bench import keywork, planting
from bench.grounds import Ground, House
from bench.guarding import measure_guard
from bench.keywork import Key
from bench.looking import look, passwords
from bench.measure import Aim, Contestant, Measurement, race, rates
from bench.planting import Recipe
from bench.proofs import Proof
from bench.registering import SCHEMA_VERSION, register_all
from strongroom.repair.apply import Applier, Ending
from strongroom.repair.plan import Plan
from strongroom.repair.planner import Planner
from strongroom.repair.session import Workshop
from strongroom.settings import Settings
from strongroom.wiring.takeovers import open_doctor, open_workshop

OURS_PLAN, OURS_APPLY = "strongroom, plan", "strongroom, apply"
FLOOR = "floor: seal, prove, lock, update, keep and log"
_EXISTING = "g4"
_STEPS = (1_000, 10_000, 100_000)
_LIMIT = 10_000
"""The mix has so many rows at most."""
_APPLIED = 1_000
"""How many units are applied, at most: each is a transaction, and the rate does not change."""
Found = tuple[list[Measurement], list[Aim], list[Proof]]


class Kind(NamedTuple):
    """Wallets of one kind, and how many actions each round of the recipes asks for."""

    name: str
    recipes: tuple[Recipe, ...]
    units: int
    most: int = _STEPS[-1]


_PLAINTEXT = Kind("plaintext key", (planting.plaintext,), 1)
_MIX = Kind(
    "mix",
    (
        *(planting.plaintext,) * 4,
        *(planting.encoded,) * 2,
        *(planting.only_in_metadata,) * 2,
        *(planting.placeholder, planting.healthy),
    ),
    8,
    _LIMIT,
)


def measure_repair(ground: Ground, turns: int, most: int) -> Found:
    """Both kinds in tables of other code, and the guard."""
    every: Found = ([], [], [])
    if ground.kind != "postgresql":
        return every
    keys = [keywork.given_key() for _ in range(most)]
    for kind in (_PLAINTEXT, _MIX):
        for size in [*(step for step in _STEPS if step < min(most, kind.most)), min(most, kind.most)]:
            _add(every, _measure(ground, kind, keys[:size]))
    measured, guarded = measure_guard(ground, turns)
    _add(every, (measured, [], guarded))
    return every


def _add(every: Found, more: Found) -> None:
    for found, new in zip(every, more, strict=True):
        found += new  # type: ignore[operator]


def _measure(ground: Ground, kind: Kind, keys: Sequence[Key]) -> Found:
    """One size: once, since a row is repaired once; the floor in a database of its own."""
    size = len(keys)
    group = f"repair on {_EXISTING}: {kind.name}, {size:,}"
    with ground.house(_EXISTING) as ours, ground.house(_EXISTING) as floor:
        planting.plant(ours, planting.seedlings(ours, kind.recipes, keys))
        planting.plant(floor, planting.seedlings(floor, (planting.plaintext,), keys))
        settings = Settings(database=ours.database, root_key=ours.root_key)
        plans: list[Plan] = []
        endings: list[Ending] = []
        applied = min(size, _APPLIED)
        with open_workshop(settings, passwords()) as workshop, _Floor(floor) as theirs:
            taken = race(
                [Contestant(OURS_PLAN, lambda _: plans.append(_plan(workshop, settings)))], 1, 0, time.process_time
            )
            taken |= race(
                [
                    Contestant(OURS_APPLY, lambda _: endings.extend(_apply(workshop, plans[0], applied))),
                    Contestant(FLOOR, lambda _: theirs.repair(applied)),
                ],
                1,
                0,
                time.process_time,
            )
        units = size // len(kind.recipes) * kind.units
        measured = rates(group, ground.kind, {OURS_PLAN: taken[OURS_PLAN]}, size)
        measured += rates(group, ground.kind, {OURS_APPLY: taken[OURS_APPLY]}, len(endings))
        measured += rates(group, ground.kind, {FLOOR: taken[FLOOR]}, applied)
        proofs = [
            Proof(
                f"{group}: a unit for every wallet that can be saved", ground.kind, _about(len(plans[0].units), units)
            ),
            Proof(f"{group}: every unit is done", ground.kind, set(endings) == {Ending.DONE}),
            Proof(
                f"{group}: everything opens that either sealed", ground.kind, _opens(ours, floor, len(endings), applied)
            ),
        ]
    return measured, [], proofs


def _about(found: int, wanted: int) -> bool:
    return wanted <= found <= wanted + 10


def _opens(ours: House, floor: House, repaired: int, sealed: int) -> bool:
    register_all(floor)
    opened = [sum(result.ok for result in house.vault.verify()) for house in (ours, floor)]
    return opened[0] >= repaired and opened[1] == sealed


def _plan(workshop: Workshop, settings: Settings) -> Plan:
    with open_doctor(settings, passwords()) as doctor:
        look(doctor)
        return Planner(workshop.parts, workshop.store, workshop.ground, {}).plan(
            doctor.diagnosis, "bench", lambda ids: ids
        )


def _apply(workshop: Workshop, plan: Plan, most: int) -> list[Ending]:
    spread = plan.units[:: max(1, len(plan.units) // most)][:most]  # plans are sorted by what is done
    applier = Applier(workshop.parts, workshop.store, workshop.ground, replace(plan, units=spread))
    return [outcome.ending for outcome in applier.run()]


class _Floor:
    """The bare driver: a transaction for each row."""

    _PAGE = (
        "SELECT c.id, c.project_id, c.wallet_address, c.public_key, c.key_vault_id, v.encrypted_private_key "
        "FROM project_credentials c JOIN credential_vault_storage v ON v.credential_id = c.id ORDER BY c.id LIMIT %s"
    )
    _LOCK = "SELECT encrypted_private_key FROM credential_vault_storage WHERE credential_id = %s FOR UPDATE"
    _KEEP = (
        "INSERT INTO strongroom_vault_history (id, project_id, credential_id, network, label, address, public_key, "
        "vault_id, text, form, reason, created_at, schema_version) "
        f"VALUES (%s, %s, %s, 'ethereum', 'bench', %s, %s, %s, %s, 'sealed', 'repair', %s, {SCHEMA_VERSION})"
    )
    _UPDATE = (
        "UPDATE credential_vault_storage SET encrypted_private_key = %s, encryption_method = 'AES-256-GCM', "
        "updated_at = %s WHERE credential_id = %s"
    )
    _LOG = (
        "INSERT INTO credential_usage_logs (id, credential_id, action_type, action_details, performed_at) "
        "VALUES (%s, %s, 'repair', '{}'::jsonb, %s)"
    )

    def __init__(self, house: House) -> None:
        import psycopg

        self._house = house
        self._connection = psycopg.connect(house.database, autocommit=True)

    def __enter__(self) -> _Floor:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def repair(self, rows: int) -> None:
        """Seal every plaintext key."""
        every = self._connection.execute(self._PAGE, (rows,)).fetchall()
        if len(every) != rows:
            raise RuntimeError("the floor does not find what was planted")
        cursor = self._connection.cursor()
        for wallet, project, address, public_key, vault_id, text in every:
            sealed = self._sealed(wallet, project, address, text)
            now = datetime.now(UTC)
            cursor.execute("BEGIN")
            if cursor.execute(self._LOCK, (wallet,), prepare=True).fetchone() != (text,):
                raise RuntimeError("somebody else writes")
            kept = (keywork.new_id(), project, wallet, address, public_key, vault_id, sealed, now)
            cursor.execute(self._KEEP, kept, prepare=True)
            cursor.execute(self._UPDATE, (sealed, now, wallet), prepare=True)
            cursor.execute(self._LOG, (keywork.new_id(), wallet, now), prepare=True)
            cursor.execute("COMMIT")

    def _sealed(self, wallet: UUID, project: UUID, address: str, text: str) -> str:
        secret = bytes.fromhex(text.removeprefix("0x"))
        key = Key("", secret, *keywork.public_half_of(secret))
        sealed = keywork.seal(key, wallet, project, self._house.sealing)
        row = (wallet, project, address, key.public_key, sealed)
        if key.address != address or keywork.verify([row], self._house.sealing, phrases=False) != 1:
            raise RuntimeError("the floor's own text does not prove")
        return sealed
