"""Ids that are no UUIDs, and the project ids that stand for them."""

from __future__ import annotations

import hashlib
from uuid import NAMESPACE_DNS, UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

import strongroom
from strongroom import project_id_of


def by_hand(namespace: UUID, text: str) -> UUID:
    """RFC 9562, section 5.5."""
    number = int.from_bytes(hashlib.sha1(namespace.bytes + text.encode()).digest()[:16])
    number = number & ~(0xF << 76) | 5 << 76
    return UUID(int=number & ~(0x3 << 62) | 2 << 62)


@given(st.uuids(), st.text(min_size=1))
def test_it_is_version_5_of_the_rfc(namespace: UUID, text: str) -> None:
    assume_encodes = text.encode(errors="replace").decode() == text
    if assume_encodes:
        assert project_id_of(namespace, text) == project_id_of(str(namespace), text) == by_hand(namespace, text)


def test_a_name_in_the_dns_is_a_namespace_and_a_number_its_digits() -> None:
    assert project_id_of("users.example.com", 42) == by_hand(by_hand(NAMESPACE_DNS, "users.example.com"), "42")
    assert project_id_of("users.example.com", "42") == project_id_of("users.example.com", 42)
    assert project_id_of("users.example.com", "user_42") != project_id_of("users.example.com", "USER_42")
    for namespace, text in (("", "x"), ("x", ""), ("x", True), ("x", None)):
        with pytest.raises(strongroom.InvalidProjectError):
            project_id_of(namespace, text)  # type: ignore[arg-type]
