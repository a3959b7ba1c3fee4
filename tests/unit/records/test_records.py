"""The records: frozen, ready for JSON, and free of secrets."""

from __future__ import annotations

import dataclasses
import json
import pickle
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.errors import InvalidActorError, KeyMissingError
from strongroom.records import (
    acknowledgements,
    guard,
    history,
    key_material,
    keyring,
    projects,
    requests,
    results,
    status,
    stored_wallets,
    usage_log,
    wallets,
)
from strongroom.records.requests import Request as Asked
from strongroom.records.results import VerifyResult
from strongroom.records.status import SealingKeyStatus, StoreStatus, VaultStatus
from strongroom.records.usage_log import Attribution
from strongroom.records.vault_texts import PLACEHOLDERS
from strongroom.records.wallets import Wallet

RECORDS = (
    acknowledgements,
    guard,
    history,
    key_material,
    keyring,
    projects,
    requests,
    results,
    status,
    stored_wallets,
    usage_log,
    wallets,
)
ID = UUID("0198c0de-0000-7000-8000-000000000001")
WALLET = Wallet(
    id=ID,
    project_id=UUID(int=1),
    network="ethereum",
    label="default",
    address="0x9858EfFD232B4033E47d90003D41EC34EcaEda94",
    public_key="02",
    vault_id=f"vault_{ID}",
    status="active",
    access_level="project_admin",
    encryption_method="AES-256-GCM",
    custody="ours",
    scheme="bip44",
    path=None,
    created_at=datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC),
    durable=True,
)
NAMES = st.sampled_from(["variant", "words", "address", "path"])
FACTS = st.dictionaries(NAMES, st.text(max_size=20))


def test_records_are_frozen_and_have_no_dict() -> None:
    records = [
        kind
        for module in RECORDS
        for kind in vars(module).values()
        if dataclasses.is_dataclass(kind) and isinstance(kind, type)
    ]
    assert len(records) >= 15
    for kind in records:
        assert kind.__dataclass_params__.frozen, kind  # type: ignore[attr-defined]
        assert "__slots__" in vars(kind), kind


def test_a_wallet_becomes_json() -> None:
    shown = json.loads(json.dumps(WALLET.as_dict()))
    assert shown["id"] == str(ID)
    assert shown["created_at"] == "2025-01-02T03:04:05+00:00"
    assert list(shown) == [field.name for field in dataclasses.fields(Wallet)]


def test_a_wallet_compares_hashes_and_passes_through_pickle() -> None:
    assert pickle.loads(pickle.dumps(WALLET)) == WALLET
    assert len({WALLET, dataclasses.replace(WALLET)}) == 1


def test_placeholders_are_exactly_those() -> None:
    assert {"", "MIGRATION_REQUIRED", "PRIVATE_KEY_NOT_RECOVERABLE"} == PLACEHOLDERS


def test_a_result_says_what_is_wrong() -> None:
    assert VerifyResult(ID).ok
    assert VerifyResult(ID).code is None
    failed = VerifyResult(ID, KeyMissingError("It has no key."))
    assert not failed.ok
    assert failed.code == "key-missing"


def test_a_status_becomes_json() -> None:
    store = StoreStatus(
        database="sqlite:///vault.db",
        engine="SQLite 3.51.3",
        schema_version="0001",
        generation="fresh",
        wallets={"active": 2},
        custody={"ours": 2},
        durability={"synchronous": "full"},
        warnings=("w",),
    )
    shown = VaultStatus(store, (SealingKeyStatus("k", "active", 2, ("file:root.key",)),)).as_dict()
    assert json.loads(json.dumps(shown)) == {
        "database": "sqlite:///vault.db",
        "engine": "SQLite 3.51.3",
        "schema_version": "0001",
        "generation": "fresh",
        "wallets": {"active": 2},
        "custody": {"ours": 2},
        "durability": {"synchronous": "full"},
        "warnings": ["w"],
        "nodes": None,
        "shards": None,
        "sealing_keys": [{"kid": "k", "state": "active", "active": True, "rows": 2, "root_keys": ["file:root.key"]}],
    }


@given(FACTS)
def test_a_request_equals_itself(facts: dict[str, str]) -> None:
    asked = Asked("create", "ethereum", "default", facts)
    again = Asked("create", "ethereum", "default", dict(reversed(facts.items())))
    assert asked.as_json() == again.as_json()
    assert asked.differing_fields(again.as_json()) == ()


@given(FACTS, FACTS)
def test_exactly_the_facts_that_differ_are_named(ours: dict[str, str], theirs: dict[str, str]) -> None:
    stored = Asked("import", "solana", "default", theirs).as_json()
    expected = {name for name in {*ours, *theirs} if ours.get(name) != theirs.get(name)} | {"operation"}
    assert Asked("create", "solana", "default", ours).differing_fields(stored) == tuple(sorted(expected))


@pytest.mark.parametrize("field", ["operation", "network", "label"])
def test_each_part_of_a_request_counts(field: str) -> None:
    asked = Asked("create", "ethereum", "default", {})
    changes: dict[str, Any] = {field: "other"}
    assert asked.differing_fields(dataclasses.replace(asked, **changes).as_json()) == (field,)


def test_an_actor_is_a_uuid_or_text() -> None:
    assert Attribution.of(ID, None) == Attribution(str(ID), None)
    assert Attribution.of("alice@example.org", "a test") == Attribution("alice@example.org", "a test")
    assert Attribution.of(None, None) == Attribution()
    assert Attribution.of("a" * 255, "r" * 1000).reason == "r" * 1000


@pytest.mark.parametrize(
    ("actor", "reason"),
    [
        ("", None),
        ("a" * 256, None),
        ("a\nb", None),
        (None, ""),
        (None, "r" * 1001),
        (None, "\x1b[0m"),
        (5, None),
        (None, b"r"),
    ],
    ids=lambda value: repr(value)[:12],
)
def test_other_actors_and_reasons_are_refused(actor: object, reason: object) -> None:
    with pytest.raises(InvalidActorError):
        Attribution.of(actor, reason)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("actor", "reason"), [(None, None), ("alice", None), (None, "why"), ("", "why"), ("alice", "")]
)
def test_a_reveal_needs_both(actor: str | None, reason: str | None) -> None:
    with pytest.raises(InvalidActorError):
        Attribution.of(actor, reason, required=True)
