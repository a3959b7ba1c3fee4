"""A sealed text is the key of one row: moved to another one it opens nothing, and the error says what differs."""

from __future__ import annotations

import base64
import dataclasses
import random
import re
from uuid import UUID, uuid4

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from strongroom.crypto import sealing
from strongroom.crypto.keyring import Keyring, kid_of, new_sealing_key
from strongroom.errors import (
    IdentityMismatchError,
    NotSealedError,
    SealedTextCorruptError,
    UnknownSealingKeyError,
)
from strongroom.records.key_material import Identity
from strongroom.records.vault_texts import PLACEHOLDERS
from testbed.sealing.samples import IDENTITY, KEYS, KID, MATERIAL, SEALING_KEY, forged, opened, same, sealed

COLUMNS = {
    "project_id": "project_id",
    "credential_id": "credential_id",
    "network": "network",
    "address": "wallet_address",
}
NETWORKS = st.sampled_from(["ethereum", "polygon", "bitcoin", "bitcoin-testnet", "solana"])
ADDRESSES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=90) | st.text(
    "0123456789abcdefABCDEF", min_size=1
)
IDENTITIES = st.builds(Identity, st.uuids(), st.uuids(), NETWORKS, ADDRESSES)
TEXT = sealed(random_bytes=random.Random(7516).randbytes)


def differing(text: str, row: Identity) -> tuple[str, ...]:
    """The columns that the error names when a text is opened in a row."""
    with pytest.raises(IdentityMismatchError) as caught:
        opened(text, row)
    assert all(column in caught.value.message for column in caught.value.columns)
    return caught.value.columns


def test_two_sealed_texts_swapped_between_rows_are_told() -> None:
    other = dataclasses.replace(IDENTITY, credential_id=uuid4(), address="0x6Fac4D18c912343BF86fa7049364Dd4E424Ab9C0")
    one, two = sealed(), sealed(other)
    assert differing(two, IDENTITY) == ("credential_id", "wallet_address")
    assert differing(one, other) == ("credential_id", "wallet_address")
    assert same(opened(one), MATERIAL)
    assert same(opened(two, other), MATERIAL)


def test_texts_swapped_between_projects_are_told() -> None:
    other = Identity(uuid4(), uuid4(), "solana", "HAgk14JpMQLgt6rVgv7cBQFJWFto5Dqxi472uT3DKpqk")
    assert differing(sealed(other), IDENTITY) == tuple(COLUMNS.values())


def test_an_address_that_an_import_lower_cased_is_told() -> None:
    assert differing(sealed(), dataclasses.replace(IDENTITY, address=IDENTITY.address.lower())) == ("wallet_address",)


def test_a_moved_project_is_told() -> None:
    assert differing(sealed(), dataclasses.replace(IDENTITY, project_id=uuid4())) == ("project_id",)


def test_a_changed_network_is_told() -> None:
    assert differing(sealed(), dataclasses.replace(IDENTITY, network="polygon")) == ("network",)


def test_a_changed_credential_id_is_told() -> None:
    assert differing(sealed(), dataclasses.replace(IDENTITY, credential_id=uuid4())) == ("credential_id",)


@given(IDENTITIES, IDENTITIES, st.sets(st.sampled_from(sorted(COLUMNS))))
def test_exactly_the_columns_that_differ_are_named(sealed_as: Identity, other: Identity, fields: set[str]) -> None:
    row = dataclasses.replace(sealed_as, **{name: getattr(other, name) for name in fields})
    expected = tuple(column for name, column in COLUMNS.items() if getattr(row, name) != getattr(sealed_as, name))
    text = sealed(sealed_as)
    if expected:
        assert differing(text, row) == expected
    else:
        assert same(opened(text, row), MATERIAL)


@pytest.mark.parametrize("field", COLUMNS)
@given(identity=IDENTITIES, other=IDENTITIES)
def test_each_column_alone_is_bound(field: str, identity: Identity, other: Identity) -> None:
    assume(getattr(identity, field) != getattr(other, field))
    row = dataclasses.replace(identity, **{field: getattr(other, field)})
    assert differing(sealed(identity), row) == (COLUMNS[field],)


@given(IDENTITIES)
def test_every_identity_is_sealed_and_opened(identity: Identity) -> None:
    assert same(opened(sealed(identity), identity), MATERIAL)


def test_the_header_of_another_row_does_not_open_this_rows_content() -> None:
    other = sealed(dataclasses.replace(IDENTITY, credential_id=uuid4()))
    mixed = ".".join((other.split(".")[0], *sealed().split(".")[1:]))
    for row in (IDENTITY, dataclasses.replace(IDENTITY, credential_id=uuid4())):
        with pytest.raises(SealedTextCorruptError):
            opened(mixed, row)


def test_projects_have_different_keys() -> None:
    keys = {KEYS.project_key(KID, UUID(int=number)).reveal() for number in range(50)}
    assert len(keys) == 50
    assert {len(key) for key in keys} == {32}


def test_a_project_key_opens_no_other_project() -> None:
    class OneProject:
        def project_key(self, kid: str, project_id: UUID) -> object:
            return KEYS.project_key(kid, UUID(int=7))

    with pytest.raises(SealedTextCorruptError):
        sealing.open_sealed(sealed(), IDENTITY, OneProject())  # type: ignore[arg-type]


def test_an_unknown_sealing_key_is_named_as_such() -> None:
    stranger = new_sealing_key()
    keys = Keyring(kid_of(stranger), {kid_of(stranger): stranger})
    with pytest.raises(UnknownSealingKeyError):
        sealing.open_sealed(sealed(), IDENTITY, keys)


def test_an_unknown_kid_is_told_before_the_identity() -> None:
    stranger = new_sealing_key()
    keys = Keyring(kid_of(stranger), {kid_of(stranger): stranger})
    with pytest.raises(UnknownSealingKeyError):
        sealing.open_sealed(sealed(), dataclasses.replace(IDENTITY, network="solana"), keys)


def test_a_keyring_of_several_keys_opens_what_each_sealed() -> None:
    stranger = new_sealing_key()
    both = Keyring(kid_of(stranger), {KID: SEALING_KEY, kid_of(stranger): stranger})
    newer = sealing.seal(MATERIAL, IDENTITY, both.active_kid, both)
    assert same(sealing.open_sealed(newer, IDENTITY, both), MATERIAL)
    assert same(sealing.open_sealed(sealed(), IDENTITY, both), MATERIAL)


@pytest.mark.parametrize("text", sorted(PLACEHOLDERS))
def test_a_placeholder_is_not_sealed(text: str) -> None:
    with pytest.raises(NotSealedError):
        opened(text)


@pytest.mark.parametrize(
    "text",
    [
        "MIGRATION_REQUIRED ",
        "0x1ab42cc412b618bdea3a599e3c9bae199ebf030895b039e9db1e30dafb12b727",
        '{"kid":"x"}',
        "-----BEGIN PGP MESSAGE-----",
        "U2FsdGVkX1+vupppZksvRf5pq5g5XjFRIipRkwB0K1Y=",
        "eyJhbGciOiJBMjU2S1ciLCJlbmMiOiJBMjU2R0NNIn0.AA.AA.AA.AA",
        f" {TEXT}",
        TEXT.lower(),
        TEXT.upper(),
    ],
)
def test_another_applications_text_is_not_sealed_and_not_quoted(text: str) -> None:
    with pytest.raises(NotSealedError) as caught:
        opened(text)
    assert text.strip() not in caught.value.message
    assert not sealing.is_sealed(text)


def test_the_first_forty_characters_name_the_sealing_key() -> None:
    others = [sealed(), sealed(Identity(uuid4(), uuid4(), "solana", "other"))]
    for text in others:
        assert sealing.is_sealed(text)
        assert base64.urlsafe_b64decode(text[:40]) == b'{"kid":"' + KID.encode()
    assert len({text[:40] for text in others}) == 1
    assert re.fullmatch("[A-Za-z0-9_-]{22}", KID)


def test_two_texts_of_one_row_share_nothing_but_the_header() -> None:
    one, two = sealed().split("."), sealed().split(".")
    assert [a == b for a, b in zip(one, two, strict=True)] == [True, False, False, False, False]


def test_a_project_that_is_no_uuid_is_refused_before_any_key_is_used() -> None:
    header = f'{{"kid":"{KID}","alg":"A256KW","enc":"A256GCM","typ":"strongroom+1","project":"P"}}'
    with pytest.raises(SealedTextCorruptError):
        opened(forged(header.encode()))
