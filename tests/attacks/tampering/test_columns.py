"""Any value in any column: anyone who writes to the database can make every call fail, and each fails typed.

SQLite takes values of any type in any column; PostgreSQL refuses those that are none of the column's type.
"""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

import psycopg
import pytest

from strongroom import Vault
from strongroom.errors import StrongroomError
from strongroom.store import keyring_store
from testbed.databases.deployments import open_deployment
from testbed.harness.sizes import SIZE, seeded
from testbed.processes.signing import transaction
from tests.attacks.audit import audit
from tests.attacks.summary import StartTally
from tests.attacks.tally import Tally
from tests.attacks.tampering.tampered_database import OTHER, TABLES, VERBS, TamperedDatabase

pytestmark = pytest.mark.sized("rounds")

_VALUES: tuple[object, ...] = (
    None,
    "",
    "x",
    "null",
    "[]",
    '{"a":',
    '{"scheme": 5, "path": [1]}',
    '"text"',
    "[1e400]",
    "[" * 5000,
    "9" * 5000,
    "A" * 100_000,
    "a\x01b\u2028\U0001f511",
    "eyJraWQiOi",
    "eyJraWQiOié" + "x" * 60,
    "00000000-0000-0000-0000-000000000000",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "infinity",
    "20000-01-01",
    0,
    -1,
    2**62,
    1.5,
    float("inf"),
    True,
    b"",
    b"\xff\xfe",
    b"eyJraWQiOi",
)
_ROWS = {
    "strongroom_keyring_head": "1 = 1",
    "strongroom_migrations": "1 = 1",
    "strongroom_slot": "network = 'ethereum' AND label = 'hot'",
    "strongroom_wallet": "label = 'hot'",
}
_FOUND: Mapping[str, list[tuple[str, str, object]]] = {
    "sqlite": [
        ("project_credentials", "credential_type", b"\xff\xfe"),
        ("project_credentials", "wallet_address", b"\xff\xfe"),
        ("project_credentials", "created_at", "0001-01-01T00:00:00+14:00"),
        ("project_credentials", "created_at", "9999-12-31T23:59:59-14:00"),
        ("credential_vault_storage", "encrypted_private_key", b"eyJraWQiOi"),
        ("credential_vault_storage", "encrypted_private_key", "eyJraWQiOié" + "x" * 60),
        ("strongroom_keyring_wrap", "wrapped", b"eyJraWQiOi"),
        ("strongroom_keyring_head", "version", ""),
        ("strongroom_keyring_head", "version", float("inf")),
        ("strongroom_idempotency", "request", b"{}"),
        ("strongroom_nonce", "fee", "[1e400]"),
    ],
    "fresh": [
        ("project_credentials", "created_at", "infinity"),
        ("project_credentials", "metadata", "9" * 5000),
        ("project_credentials", "metadata", "[" * 5000 + "]" * 5000),
        ("strongroom_idempotency", "request", "["),
    ],
    "g4": [
        ("project_credentials", "created_at", "infinity"),
        ("project_credentials", "metadata", None),
        ("project_credentials", "metadata", "9" * 5000),
        ("credential_vault_storage", "encrypted_private_key", "eyJraWQiOié" + "x" * 60),
    ],
}
"""What once ended otherwise, or nearly: tried each time, before the rest."""
_TEXT = "UPDATE credential_vault_storage SET encrypted_private_key = ? WHERE credential_id = ?"
_IDS = (("project_credentials", "id"), ("credential_vault_storage", "credential_id"))
_WANTED = {"sqlite": 60, "fresh": 25, "g4": 25}


def columns(tampered: TamperedDatabase) -> list[tuple[str, str]]:
    if tampered.deployment.backend == "sqlite":
        described = [(table, f"SELECT name FROM pragma_table_info('{table}')") for table in TABLES]
    else:
        sql = (
            "SELECT column_name FROM information_schema.columns "
            "WHERE table_schema IN ('public', 'strongroom') AND table_name = '{}'"
        )
        described = [(table, sql.format(table)) for table in TABLES]
    return [(table, str(row[0])) for table, sql in described for row in tampered.deployment.execute(sql)]


def verbs(vault: Vault, tampered: TamperedDatabase, row: Tally) -> Iterator[Callable[[], object]]:
    """What a service calls, of two wallets and of all of them; those that change rows come last."""
    wallet = tampered["other"].wallet
    for name, verb in itertools.product(("one", "other"), VERBS):
        yield partial(ask, vault, tampered, name, verb, row)
    yield lambda: vault.create_wallet(wallet.project_id, wallet.network, idempotency_key="ethereum default")
    yield lambda: vault.sign_transaction(wallet.id, transaction(1, 10))
    yield lambda: vault.sign_transaction(wallet.id, transaction(1, 12), replace=True)
    yield lambda: list(vault.verify(phrases=True))
    yield lambda: vault.list_wallets(wallet.project_id)
    yield lambda: vault.find_by_address(wallet.address)
    yield lambda: vault.status().as_dict()
    yield lambda: [entry.created_at for entry in vault.history(wallet.id).entries]
    yield lambda: vault.restore(wallet.id)
    yield lambda: list(vault.rewrap())
    yield vault.rotate_sealing_key
    yield lambda: vault.create_wallet(wallet.project_id, "solana")
    yield lambda: vault.replace_wallet(wallet.id)
    yield lambda: vault.revoke_wallet(wallet.id)


def ask(vault: Vault, tampered: TamperedDatabase, name: str, verb: str, row: Tally) -> None:
    """No verb that opens a key gives another one than the row's own."""
    assert tampered.ask(vault, verb, tampered[name], row) != OTHER or verb not in ("reveal", "sign")


@pytest.mark.thorough(sample=1)
def test_any_value_in_any_column_ends_typed(tampered: TamperedDatabase, tally: StartTally) -> None:
    row = tally("column rewritten", tampered.deployment.backend)
    aims: list[Any] = [(*deployment, value) for deployment, value in itertools.product(columns(tampered), _VALUES)]
    seeded(f"columns {tampered.deployment.backend}").shuffle(aims)
    wanted = _WANTED[tampered.deployment.backend] * SIZE.rounds
    for table, column, value in [*_FOUND[tampered.deployment.backend], *aims]:
        sql = f"UPDATE {table} SET {column} = ? WHERE {_one_row(table)}"
        try:
            tampered.tamper([(sql, (value,))])
        except (
            sqlite3.IntegrityError,
            psycopg.errors.IntegrityError,
            psycopg.errors.DataError,
            psycopg.ProgrammingError,
        ):
            continue  # the database keeps this out, from every writer
        row.fault(table)
        try:
            with tampered.deployment.open() as vault:
                for verb in verbs(vault, tampered, row):
                    with suppress(StrongroomError):
                        verb()
        except StrongroomError as error:
            tampered.search(error, row)
        finally:
            tampered.restore()
        if row.faults >= wanted:
            break
    audit(
        row,
        tampered.deployment.url,
        tampered.deployment.root_key,
        {known.id: known.wallet.address for known in tampered.known.values()},
    )


def test_a_rewrap_ends_where_an_id_is_none(
    request: pytest.FixtureRequest, tally: StartTally, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite takes any text for an id; the pages of a stream go on after it."""
    monkeypatch.setattr(keyring_store, "_PAGE", 2)
    row = tally("column rewritten", "sqlite")
    with open_deployment("sqlite", request) as deployment, deployment.open() as vault:
        tampered = TamperedDatabase(deployment)
        older = [(_TEXT, (text, tampered[name].id)) for name, text in tampered.older.items()]
        ids = [(f"UPDATE {table} SET {column} = 'none ' || {column}", ()) for table, column in _IDS]
        with tampered.tampered([*older, *ids]):
            row.fault("ids", len(tampered.known))
            results = list(itertools.islice(vault.rewrap(), 100))
        assert len(results) == len(tampered.known)
        assert {result.code for result in results} == {"identity-mismatch"}


def _one_row(table: str) -> str:
    """The newest row, which others reach first."""
    created = "performed_at" if table == "credential_usage_logs" else "created_at"
    return _ROWS.get(table, f"{created} = (SELECT max({created}) FROM {table})")
