"""Rows that were decoded before: the same wallet for the same row, another for any other."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.records.register import SlotRecord, TaggedSlot
from strongroom.records.tag import Tag
from strongroom.records.vault_texts import SEALED_PREFIX
from strongroom.store import decoded_wallets
from strongroom.store.decoded_wallets import DecodedWallets
from strongroom.store.statements.register_rows import RECORD_ONLY
from strongroom.store.statements.wallet_row import COLUMNS, stored_wallet

NAMES = (*COLUMNS, *RECORD_ONLY)
WALLET = "0193b1a0-0000-7000-8000-000000000001"
PROJECT = "0193b1a0-0000-7000-8000-000000000002"
SLOT = TaggedSlot(SlotRecord(UUID(PROJECT), "ethereum", "default", UUID(WALLET), 1), Tag("kid", "slot"))
BERLIN = ZoneInfo("Europe/Berlin")
TWICE = datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN)
"""What clocks there show twice that night."""
VALUES = st.none() | st.text(max_size=8) | st.integers(-3, 3) | st.floats() | st.binary(max_size=4) | st.uuids()


def row(**changed: Any) -> tuple[Any, ...]:
    said = {
        "id": WALLET,
        "project_id": PROJECT,
        "slot_network": "ethereum",
        "slot_label": "default",
        "network": "ethereum",
        "credential_type": "ethereum_wallet",
        "address": "0x00",
        "public_key": "02",
        "key_vault_id": f"vault_{WALLET}",
        "status": "active",
        "is_active": 1,
        "metadata": json.dumps({"scheme": "bip44", "path": "m/44'/60'/0'/0/0"}),
        "created_at": "2026-11-30T00:00:00+00:00",
        "access_level": "project_admin",
        "encryption_method": "AES-256-GCM",
        "sealed_text": SEALED_PREFIX + "text",
        "version": 1,
        "kid": "kid",
        "tag": "tag",
        **changed,
    }
    return tuple(said.get(name) for name in NAMES)


def test_a_row_that_is_as_it_was_becomes_the_same_wallet() -> None:
    decoded = DecodedWallets()
    first = decoded.stored(row())
    assert first == stored_wallet(row())
    assert decoded.stored(row()) is first


@given(st.lists(st.tuples(st.sampled_from(NAMES), VALUES), max_size=3).map(dict), st.booleans())
def test_no_other_row_becomes_it(changed: dict[str, Any], durable: bool) -> None:
    decoded = DecodedWallets()
    decoded.stored(row())
    other = row(**changed)
    assert repr(_every(decoded.stored(other, durable=durable))) == repr(_every(stored_wallet(other, durable=durable)))


@given(st.lists(st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=2), max_size=12))
def test_rows_in_any_order_become_what_they_become_alone(rows: list[dict[str, Any]]) -> None:
    decoded = DecodedWallets()
    for changed in rows:
        given_row = row(**changed)
        assert repr(_every(decoded.stored(given_row))) == repr(_every(stored_wallet(given_row)))


def _every(stored: Any) -> tuple[Any, ...]:
    return tuple(getattr(stored, name) for name in type(stored).__slots__)


@pytest.mark.parametrize("name", ["is_active", "version"])
@pytest.mark.parametrize("number", [1.0, True])
def test_a_number_of_another_kind_is_another_row(name: str, number: object) -> None:
    decoded = DecodedWallets()
    decoded.stored(row())
    other = row(**{name: number})
    assert repr(_every(decoded.stored(other))) == repr(_every(stored_wallet(other)))


@pytest.mark.parametrize("fold", [0, 1])
def test_an_hour_that_clocks_show_twice_is_two(fold: int) -> None:
    decoded = DecodedWallets()
    first = decoded.stored(row(created_at=TWICE.replace(fold=fold)))
    other = decoded.stored(row(created_at=TWICE.replace(fold=1 - fold)))
    assert other.wallet.created_at == stored_wallet(row(created_at=TWICE.replace(fold=1 - fold))).wallet.created_at
    assert other.wallet.created_at != first.wallet.created_at


def test_a_wallet_is_found_by_each_slot_that_names_it() -> None:
    decoded = DecodedWallets()
    alone = decoded.stored(row())
    found = decoded.stored(row(), slot=SLOT)
    assert (found.slot, found.wallet) == (SLOT, alone.wallet)
    assert found == replace(stored_wallet(row()), slot=SLOT)
    assert decoded.stored(row()).slot is None


@pytest.mark.parametrize(
    "changed",
    [
        {"sealed_text": "a key in plaintext"},
        {"sealed_text": None},
        {"metadata": json.dumps({"private_key_encrypted": "a key"})},
        {"tag": None},
        {"tag": 5},
        {"address": 5},
        {"metadata": json.dumps({"scheme": "bip44", "path": "m/44'/60'/0'/0/0"} | {f"a{n}": True for n in range(999)})},
        {"sealed_text": SEALED_PREFIX + "x" * 16_000},
    ],
)
def test_what_may_hold_a_key_or_has_no_record_is_not_kept(changed: dict[str, Any]) -> None:
    decoded = DecodedWallets()
    first = decoded.stored(row(**changed))
    assert decoded.stored(row(**changed)) is not first


def test_what_a_caller_has_not_committed_is_not_kept() -> None:
    decoded = DecodedWallets()
    first = decoded.stored(row(), durable=False)
    assert not first.wallet.durable
    assert decoded.stored(row()).wallet.durable


def test_nothing_is_kept_any_longer_once_it_is_to_be_forgotten() -> None:
    decoded = DecodedWallets()
    first = decoded.stored(row())
    decoded.forget()
    assert decoded.stored(row()) is not first


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoded_wallets, "_MOST_KEPT", 3)
    decoded = DecodedWallets()
    kept = [decoded.stored(row(tag=str(number))) for number in range(7)]
    again = [decoded.stored(row(tag=str(number))) for number in range(6, -1, -1)][::-1]
    assert sum(one is other for one, other in zip(kept, again, strict=True)) == 1, "the last; the others made room"
