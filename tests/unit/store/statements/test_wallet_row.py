"""Rows to records: the legacy application's columns have any type, and hold anything."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.crypto import tags
from strongroom.records.vault_texts import SEALED_PREFIX
from strongroom.store.statements.wallet_row import stored_wallet

OURS = 23
"""Columns of a wallet on tables of ours: its own, and those of its record that they lack."""
LEGACY = 17 + 17
"""Columns of a wallet on legacy tables: its own, and all of its record."""
METADATA = 12
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
VALUES = st.one_of(
    JSON,
    st.binary(),
    st.uuids(),
    st.decimals(),
    st.datetimes(),
    st.sampled_from([date.max, datetime.max, datetime.min, timedelta.max, Decimal("Infinity"), Decimal("1e9999")]),
)
FACTS = st.fixed_dictionaries({}, optional={"scheme": JSON, "path": JSON, "vault_storage": JSON})


@pytest.mark.parametrize("columns", [OURS, LEGACY])
@given(st.data(), st.none() | VALUES | FACTS | FACTS.map(json.dumps))
def test_any_row_is_a_wallet_that_can_be_told(columns: int, data: st.DataObject, metadata: Any) -> None:
    row = data.draw(st.lists(VALUES, min_size=columns, max_size=columns))
    row[METADATA] = metadata
    stored = stored_wallet(row)
    wallet = stored.wallet
    told = json.loads(json.dumps(wallet.as_dict()))
    for name in ("network", "label", "address", "public_key", "vault_id", "status"):
        assert isinstance(told[name], str)
    for fact in (wallet.scheme, wallet.path):
        assert fact is None or fact.encode().decode().isprintable()
    assert isinstance(wallet.id, UUID)
    assert isinstance(wallet.project_id, UUID)
    assert wallet.custody in (None, "ours", "foreign")
    assert (stored.registered is None) == (row[-1] is None), "a tag or none"
    if stored.registered is not None:
        assert tags.encode(stored.registered.record.fields())
    assert stored.sealed_text is None or (wallet.custody == "ours") == stored.sealed_text.startswith(SEALED_PREFIX)


@pytest.mark.parametrize("columns", [OURS, LEGACY])
@pytest.mark.parametrize(
    ("fact", "read"),
    [
        (None, None),
        ("m/44'/60'/0'/0/0", "m/44'/60'/0'/0/0"),
        ("m" * 1024, "m" * 1024),
        ("m" * 1025, "?"),
        ("\ud800", "?"),
        ("m\n", "?"),
        (5, "?"),
        (["m"], "?"),
        ({}, "?"),
    ],
)
def test_a_derivation_that_is_no_word_is_told_as_strange(columns: int, fact: Any, read: str | None) -> None:
    row: list[Any] = [None] * columns
    row[METADATA] = json.dumps({"scheme": fact, "path": fact})
    wallet = stored_wallet(row).wallet
    assert (wallet.scheme, wallet.path) == (read, read)
