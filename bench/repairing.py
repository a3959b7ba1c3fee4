"""Repair: rows a second, of planning and of applying apart, alongside the same written by hand; and the guard.

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

from bench import crypto_baseline, seed_wallets
from bench.backends import Backend, Installation
from bench.crypto_baseline import BareKey
from bench.doctor_process import diagnose, passwords
from bench.guarding import measure_guard
from bench.measure import Candidate, Measurement, Target, race, rates
from bench.proofs import Proof
from bench.registering import SCHEMA_VERSION, register_all
from bench.seed_wallets import Recipe
from strongroom.settings import Settings
from strongroom.takeover.repair.apply import Applier
from strongroom.takeover.repair.outcomes import UnitStatus
from strongroom.takeover.repair.plan import Plan
from strongroom.takeover.repair.planner import Planner
from strongroom.takeover.repair.session import RepairSession
from strongroom.wiring.takeovers import open_doctor, open_repair

OURS_PLAN, OURS_APPLY = "strongroom, plan", "strongroom, apply"
FLOOR = "floor: seal, prove, lock, update, keep and log"
_EXISTING = "g4"
_STEPS = (1_000, 10_000, 100_000)
_LIMIT = 10_000
"""The mix has so many rows at most."""
_APPLIED = 1_000
"""How many units are applied, at most: each is a transaction, and the rate does not change."""
Found = tuple[list[Measurement], list[Target], list[Proof]]


class RepairWorkload(NamedTuple):
    """Wallets of one kind, and how many actions each round of the recipes asks for."""

    name: str
    recipes: tuple[Recipe, ...]
    units: int
    most: int = _STEPS[-1]


_PLAINTEXT = RepairWorkload("plaintext key", (seed_wallets.plaintext,), 1)
_MIX = RepairWorkload(
    "mix",
    (
        *(seed_wallets.plaintext,) * 4,
        *(seed_wallets.encoded,) * 2,
        *(seed_wallets.only_in_metadata,) * 2,
        *(seed_wallets.placeholder, seed_wallets.healthy),
    ),
    8,
    _LIMIT,
)


def measure_repair(backend: Backend, turns: int, most: int) -> Found:
    """Both kinds in legacy tables, and the guard."""
    every: Found = ([], [], [])
    if backend.kind != "postgresql":
        return every
    keys = [crypto_baseline.given_key() for _ in range(most)]
    for kind in (_PLAINTEXT, _MIX):
        for size in [*(step for step in _STEPS if step < min(most, kind.most)), min(most, kind.most)]:
            _add(every, _measure(backend, kind, keys[:size]))
    measured, guarded = measure_guard(backend, turns)
    _add(every, (measured, [], guarded))
    return every


def _add(every: Found, more: Found) -> None:
    for found, new in zip(every, more, strict=True):
        found += new  # type: ignore[operator]


def _measure(backend: Backend, kind: RepairWorkload, keys: Sequence[BareKey]) -> Found:
    """One size: once, since a row is repaired once; the floor in a database of its own."""
    size = len(keys)
    group = f"repair on {_EXISTING}: {kind.name}, {size:,}"
    with backend.installation(_EXISTING) as ours, backend.installation(_EXISTING) as floor:
        seed_wallets.write(ours, seed_wallets.seed_wallets(ours, kind.recipes, keys))
        seed_wallets.write(floor, seed_wallets.seed_wallets(floor, (seed_wallets.plaintext,), keys))
        settings = Settings(database=ours.database, root_key=ours.root_key)
        plans: list[Plan] = []
        statuses: list[UnitStatus] = []
        applied = min(size, _APPLIED)
        with open_repair(settings, passwords()) as session, _RepairFloor(floor) as theirs:
            taken = race(
                [Candidate(OURS_PLAN, lambda _: plans.append(_plan(session, settings)))], 1, 0, time.process_time
            )
            taken |= race(
                [
                    Candidate(OURS_APPLY, lambda _: statuses.extend(_apply(session, plans[0], applied))),
                    Candidate(FLOOR, lambda _: theirs.repair(applied)),
                ],
                1,
                0,
                time.process_time,
            )
        units = size // len(kind.recipes) * kind.units
        measured = rates(group, backend.kind, {OURS_PLAN: taken[OURS_PLAN]}, size)
        measured += rates(group, backend.kind, {OURS_APPLY: taken[OURS_APPLY]}, len(statuses))
        measured += rates(group, backend.kind, {FLOOR: taken[FLOOR]}, applied)
        proofs = [
            Proof(
                f"{group}: a unit for every wallet that can be saved", backend.kind, _about(len(plans[0].units), units)
            ),
            Proof(f"{group}: every unit is done", backend.kind, set(statuses) == {UnitStatus.DONE}),
            Proof(
                f"{group}: everything opens that either sealed",
                backend.kind,
                _opens(ours, floor, len(statuses), applied),
            ),
        ]
    return measured, [], proofs


def _about(found: int, wanted: int) -> bool:
    return wanted <= found <= wanted + 10


def _opens(ours: Installation, floor: Installation, repaired: int, sealed: int) -> bool:
    register_all(floor)
    opened = [sum(result.ok for result in installation.vault.verify()) for installation in (ours, floor)]
    return opened[0] >= repaired and opened[1] == sealed


def _plan(session: RepairSession, settings: Settings) -> Plan:
    with open_doctor(settings, passwords()) as doctor:
        diagnose(doctor)
        return Planner(session.vault_context, session.store, session.examination_context, {}).plan(
            doctor.diagnosis, "bench", lambda ids: ids
        )


def _apply(session: RepairSession, plan: Plan, most: int) -> list[UnitStatus]:
    spread = plan.units[:: max(1, len(plan.units) // most)][:most]  # plans are sorted by what is done
    applier = Applier(session.vault_context, session.store, session.examination_context, replace(plan, units=spread))
    return [outcome.status for outcome in applier.run()]


class _RepairFloor:
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

    def __init__(self, installation: Installation) -> None:
        import psycopg

        self._house = installation
        self._connection = psycopg.connect(installation.database, autocommit=True)

    def __enter__(self) -> _RepairFloor:
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
            kept = (crypto_baseline.new_id(), project, wallet, address, public_key, vault_id, sealed, now)
            cursor.execute(self._KEEP, kept, prepare=True)
            cursor.execute(self._UPDATE, (sealed, now, wallet), prepare=True)
            cursor.execute(self._LOG, (crypto_baseline.new_id(), wallet, now), prepare=True)
            cursor.execute("COMMIT")

    def _sealed(self, wallet: UUID, project: UUID, address: str, text: str) -> str:
        secret = bytes.fromhex(text.removeprefix("0x"))
        key = BareKey("", secret, *crypto_baseline.public_half_of(secret))
        sealed = crypto_baseline.seal(key, wallet, project, self._house.sealing)
        row = (wallet, project, address, key.public_key, sealed)
        if key.address != address or crypto_baseline.verify([row], self._house.sealing, phrases=False) != 1:
            raise RuntimeError("the floor's own text does not prove")
        return sealed
