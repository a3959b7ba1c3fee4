"""Tags: what docs/format.md says of them is what the code makes, and no record passes as another one."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given
from hypothesis import strategies as st

from strongroom.crypto import tags
from strongroom.crypto.keyring import Keyring, kid_of
from strongroom.records.phrases import AccountRecord, PhraseRecord
from strongroom.records.register import IdempotencyRecord, KeyringHead, NonceRecord, Registration, SlotRecord
from strongroom.records.tag import TagKind
from strongroom.records.watch_only import BranchRecord
from strongroom.secret import Secret

DOCUMENT = (Path(__file__).parents[3] / "docs" / "format.md").read_text(encoding="utf-8")
EXAMPLE: dict[str, Any] = json.loads(DOCUMENT.rpartition("```json\n")[2].rpartition("```")[0])
SEALING_KEY = bytes(range(32, 64))
KID = kid_of(Secret(SEALING_KEY))
KEYS = Keyring(KID, {KID: Secret(SEALING_KEY)})
KINDS: tuple[TagKind, ...] = ("wallet", "slot", "idempotency", "nonce", "phrase", "account", "branch", "keyring")
FIELDS = st.lists(st.none() | st.text(max_size=40), max_size=8)
PROJECT, WALLET = UUID("6f1c1c1e-6a5c-4d7e-9d0a-0e9f0f8e7b11"), UUID("0198c0de-0000-7000-8000-000000000001")


def documented_bytes(fields: list[str | None]) -> bytes:
    """The fields as the document says, written from it alone."""
    return b"".join(
        b"-" if field is None else str(len(field.encode())).encode() + b":" + field.encode() for field in fields
    )


def documented_tag(kind: str, fields: list[str | None]) -> str:
    key = HKDF(SHA256(), 32, salt=None, info=f"strongroom/v1/tag/{kind}".encode()).derive(SEALING_KEY)
    digest = hmac.new(key, documented_bytes(fields), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def parsed(data: bytes) -> list[str | None]:
    """The fields again: nothing in the bytes can be read in two ways."""
    fields: list[str | None] = []
    while data:
        if data[:1] == b"-":
            fields.append(None)
            data = data[1:]
            continue
        length, _, rest = data.partition(b":")
        fields.append(rest[: int(length)].decode())
        data = rest[int(length) :]
    return fields


@pytest.mark.parametrize("kind", KINDS)
def test_the_documented_example_is_made_again(kind: TagKind) -> None:
    example = EXAMPLE[kind]
    assert documented_bytes(example["fields"]).decode() == example["bytes"]
    assert tags.encode(example["fields"]).decode() == example["bytes"]
    assert documented_tag(kind, example["fields"]) == example["tag"]
    assert tags.make(kind, example["fields"], KEYS) == (KID, example["tag"])


def test_the_documented_fields_are_those_of_the_records_in_their_order() -> None:
    table = dict(re.findall(r"^\| `(\w+)` \| `strongroom_\w+` \| (.+) \|$", DOCUMENT, re.MULTILINE))
    assert tuple(table) == KINDS
    records = {
        "wallet": Registration,
        "slot": SlotRecord,
        "idempotency": IdempotencyRecord,
        "nonce": NonceRecord,
        "phrase": PhraseRecord,
        "account": AccountRecord,
        "branch": BranchRecord,
        "keyring": KeyringHead,
    }
    for kind, record in records.items():
        names = re.sub(r" \([^)]*\)", "", table[kind]).split(", ")
        inside = ("root_keys",)  # of the states
        assert names == [name for name in record._fields if name not in inside], kind  # type: ignore[attr-defined]


@given(FIELDS)
def test_any_fields_are_encoded_as_documented_and_can_be_read_again(fields: list[str | None]) -> None:
    data = tags.encode(fields)
    assert data == documented_bytes(fields)
    assert parsed(data) == fields


@given(st.sampled_from(KINDS), FIELDS, FIELDS)
def test_a_tag_fits_its_own_fields_and_no_others(
    kind: TagKind, fields: list[str | None], others: list[str | None]
) -> None:
    tag = tags.make(kind, fields, KEYS)
    assert tags.fits(kind, fields, tag, KEYS)
    assert tags.fits(kind, others, tag, KEYS) == (others == fields)
    for other in KINDS:
        assert tags.fits(other, fields, tag, KEYS) == (other == kind), "each kind has a key of its own"


@given(st.integers(0, 42), st.text(min_size=1, max_size=1))
def test_no_character_of_a_tag_can_be_changed(place: int, character: str) -> None:
    fields = ["a", None, "b"]
    tag = tags.make("slot", fields, KEYS)
    value = tag.value[:place] + character + tag.value[place + 1 :]
    assert tags.fits("slot", fields, tag._replace(value=value), KEYS) == (value == tag.value)


def test_what_fitted_once_fits_no_more_when_its_key_is_retired_or_forgotten() -> None:
    newer = Secret(bytes(range(64, 96)))
    newer_kid = kid_of(newer)
    states = {KID: "opening", newer_kid: "active"}
    both = Keyring(newer_kid, {KID: Secret(SEALING_KEY), newer_kid: newer})
    record = SlotRecord(PROJECT, "ethereum", "default", WALLET, 1)
    tag = tags.make("slot", record.fields(), KEYS)
    after = both.believing(KeyringHead(3, {**states, KID: "retired"}, True, False))
    current = both.believing(KeyringHead(2, states, True, False)).reloading(lambda: after)
    assert tags.fits_record("slot", record, tag, current)
    current.refresh()
    assert not tags.fits_record("slot", record, tag, current), "tags under a retired key do not count"
    assert not tags.fits_record("slot", record, tag._replace(kid="A" * 22), current), "nor under one that nobody knows"


def test_tags_that_fitted_are_remembered_up_to_a_number() -> None:
    keys = Keyring(KID, {KID: Secret(SEALING_KEY)})
    for number in range(9000):
        record = SlotRecord(PROJECT, "ethereum", str(number), WALLET, 1)
        assert tags.fits_record("slot", record, tags.make("slot", record.fields(), keys), keys)
    assert 0 < len(keys.seen) <= 8192
    tag = tags.make("slot", record.fields(), keys)
    assert tags.fits_record("slot", record._replace(), tag, keys)
    others: dict[str, Any] = {"project_id": WALLET, "network": "solana", "label": "0", "credential_id": PROJECT}
    for name, value in {**others, "version": 2}.items():
        assert not tags.fits_record("slot", record._replace(**{name: value}), tag, keys), "all of it is compared"
    assert not tags.fits_record("idempotency", record, tag, keys)
    assert not tags.fits_record("slot", record, tag._replace(kid="A" * 22), keys)
