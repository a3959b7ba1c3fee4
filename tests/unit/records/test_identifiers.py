"""What callers pass is checked at the door; ids that strongroom chooses are UUIDs of version 7."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.errors import (
    InvalidIdempotencyKeyError,
    InvalidLabelError,
    InvalidProjectError,
    InvalidWalletIdError,
)
from strongroom.records.identifiers import check_idempotency_key, check_label, check_project_id, check_wallet_id, new_id

PROJECT = "6f1c1c1e-6a5c-4d7e-9d0a-0e9f0f8e7b11"
NOW = datetime(2025, 1, 2, 3, 4, 5, 678_901, UTC)
NO_UUIDS: list[object] = [
    "",
    " ",
    "project",
    PROJECT[:-1],
    f"{PROJECT}0",
    PROJECT.replace("6", "g"),
    "é" * 32,
    None,
    5,
    b"",
    [],
    {},
]
TIMES = st.datetimes(datetime(1970, 1, 2), datetime(9999, 1, 1), timezones=st.just(UTC))


@given(st.uuids())
def test_project_and_wallet_ids_are_uuids_or_their_text(value: uuid.UUID) -> None:
    for check in (check_project_id, check_wallet_id):
        assert check(value) == check(str(value)) == check(str(value).upper()) == check(value.hex) == value


@pytest.mark.parametrize("value", NO_UUIDS, ids=repr)
def test_what_is_no_uuid_is_refused_and_not_quoted(value: object) -> None:
    with pytest.raises(InvalidProjectError, match=r"The project id is not a UUID\."):
        check_project_id(value)  # type: ignore[arg-type]
    with pytest.raises(InvalidWalletIdError, match=r"The wallet id is not a UUID\."):
        check_wallet_id(value)  # type: ignore[arg-type]


@given(st.from_regex(r"[a-z0-9._-]{1,64}", fullmatch=True))
def test_labels_are_short_and_plain(label: str) -> None:
    assert check_label(label) == label


@pytest.mark.parametrize(
    "label", ["", "a" * 65, "A", "a b", "a\n", "\n", "é", "ａ", "a/b", "a:b", "a%", "٣", "a\0", None, 5, b"a"], ids=repr
)
def test_other_labels_are_refused(label: object) -> None:
    with pytest.raises(InvalidLabelError):
        check_label(label)  # type: ignore[arg-type]


@pytest.mark.parametrize("key", [None, "k", "k" * 255, "a key with spaces", "ключ", PROJECT])
def test_idempotency_keys_are_printable(key: str | None) -> None:
    assert check_idempotency_key(key) == key


@pytest.mark.parametrize("key", ["", "k" * 256, "a\nb", "a\0", "\x7f", "\ud800", "\u2028", 5, b"k"], ids=repr)
def test_other_idempotency_keys_are_refused(key: object) -> None:
    with pytest.raises(InvalidIdempotencyKeyError):
        check_idempotency_key(key)  # type: ignore[arg-type]


def test_an_id_is_as_rfc_9562_lays_it_out() -> None:
    """The example of appendix A.6."""
    made = new_id(datetime(2022, 2, 22, 19, 22, 22, tzinfo=UTC), lambda _: bytes.fromhex("0cc318c4dc0c0c07398f"))
    assert str(made) == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"
    assert str(new_id(NOW, lambda size: b"\xff" * size))[13:] == "-7fff-bfff-ffffffffffff"
    assert str(new_id(NOW, bytes))[13:] == "-7000-8000-000000000000"


@given(TIMES, st.binary(min_size=10, max_size=10))
def test_every_id_is_of_version_7_and_holds_its_time(now: datetime, random: bytes) -> None:
    made = new_id(now, lambda _: random)
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert abs((made.int >> 80) - now.timestamp() * 1000) <= 1


@given(TIMES)
def test_ids_sort_by_creation(now: datetime) -> None:
    assert new_id(now).int < new_id(now + timedelta(milliseconds=2)).int


def test_ids_of_one_moment_differ() -> None:
    assert len({new_id(NOW) for _ in range(10_000)}) == 10_000
