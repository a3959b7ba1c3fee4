"""The guard: what it costs the legacy application, statement by statement."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import Any
from uuid import UUID, uuid4

from bench.backends import Backend, Installation
from bench.measure import Candidate, Measurement, Samples, race, times, warm_up_turns
from bench.proofs import Proof
from strongroom.settings import Settings
from strongroom.wiring import open_guard

_EXISTING = "g4"
_MODES = ("no guard", "archive", "refuse")
_STATEMENTS = {
    "INSERT of both halves": "INSERT",
    "UPDATE of other columns": "UPDATE credential_vault_storage SET access_level = %(level)s WHERE {0}",
    "UPDATE of the key": "UPDATE credential_vault_storage SET encrypted_private_key = %(text)s WHERE {0}",
    "DELETE of the record": "DELETE FROM credential_vault_storage WHERE {0}",
}
_CREDENTIAL = (
    "INSERT INTO project_credentials (id, project_id, wallet_address, public_key, key_vault_id, is_active) "
    "VALUES (%(id)s, %(project)s, %(address)s, %(public_key)s, %(vault_id)s, false)"
)
_RECORD = "UPDATE credential_vault_storage SET encrypted_private_key = %(text)s WHERE credential_id = %(id)s"
"""The trigger of generation 4 made the record, with a placeholder."""


def measure_guard(backend: Backend, turns: int) -> tuple[list[Measurement], list[Proof]]:
    """Every statement of the legacy application, each a transaction: the modes take turns."""
    measured: list[Measurement] = []
    with _legacy_writers(backend) as writers:
        for name in _STATEMENTS:
            candidates = [Candidate(f"{name}, {mode}", writer.doing(name)) for mode, writer in writers.items()]
            taken = race(candidates, turns, warm_up_turns(turns), time.thread_time)
            measured += times("old application on g4, a statement", backend.kind, _in_order(taken), "ms")
        kept = [writer.kept() for writer in writers.values()]
    number = turns + warm_up_turns(turns)
    proofs = [
        Proof("guard: nothing is kept without it", backend.kind, kept[0] == 0),
        Proof("guard: archive keeps what is overwritten and deleted", backend.kind, kept[1] >= 2 * number),
        Proof(
            "guard: refuse keeps nothing, and refuses",
            backend.kind,
            (kept[2], writers["refuse"].refused) == (0, 2 * number),
        ),
    ]
    return measured, proofs


def _in_order(taken: dict[str, Samples]) -> dict[str, Samples]:
    return {name: taken[name] for name in sorted(taken, key=lambda name: _MODES.index(name.rsplit(", ", 1)[1]))}


@contextmanager
def _legacy_writers(backend: Backend) -> Iterator[dict[str, _LegacyWriter]]:
    with ExitStack() as stack:
        writers = {}
        for mode in _MODES:
            installation = stack.enter_context(backend.installation(_EXISTING))
            if mode != "no guard":
                with closing(open_guard(Settings(database=installation.database))) as guard:
                    guard.install(mode)
            writers[mode] = stack.enter_context(closing(_LegacyWriter(installation)))
        yield writers


class _LegacyWriter:
    """The legacy application's connection to one database, and the wallets that it made."""

    def __init__(self, installation: Installation) -> None:
        import psycopg

        self._refusal = psycopg.errors.RestrictViolation
        self._connection = psycopg.connect(installation.database, autocommit=True)
        self._project = installation.new_projects(1)[0]
        self._wallets: list[UUID] = []
        self._done: dict[str, int] = {}
        self.refused = 0

    def doing(self, name: str) -> Callable[[Any], None]:
        """One statement after another, each on a wallet of its own."""
        statement = _STATEMENTS[name]
        return lambda _: self._insert() if statement == "INSERT" else self._run(name, statement)

    def kept(self) -> int:
        """How many texts the history has."""
        row = self._connection.execute("SELECT count(*) FROM strongroom_vault_history").fetchone()
        return 0 if row is None else int(row[0])

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _insert(self) -> None:
        wallet = uuid4()
        self._wallets.append(wallet)
        text = os.urandom(32).hex()
        names = {"address": text, "public_key": text, "vault_id": f"vault_{wallet}"}
        values = {"id": wallet, "project": self._project, "text": text, **names}
        with self._connection.transaction():
            self._connection.execute(_CREDENTIAL, values, prepare=True)
            self._connection.execute(_RECORD, values, prepare=True)

    def _run(self, name: str, statement: str) -> None:
        place = self._done[name] = self._done.get(name, -1) + 1
        values = {"id": self._wallets[place], "text": os.urandom(32).hex(), "level": "project_member"}
        try:
            self._connection.execute(statement.format("credential_id = %(id)s").encode(), values, prepare=True)
        except self._refusal:
            self.refused += 1
