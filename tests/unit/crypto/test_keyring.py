"""The keyring gives a key to the right root key only, and says which of root key and row is wrong."""

from __future__ import annotations

import dataclasses
import itertools
import os
from collections import Counter

import pytest

import strongroom
from strongroom.crypto import jwe, kdf, keyring
from strongroom.crypto.keyring import Keyring, kid_of
from strongroom.crypto.wraps import unwrap_one, wrap_one
from strongroom.errors import (
    KeyringCorruptError,
    KeyringMissingError,
    RootKeyError,
    RootKeyMismatchError,
    UnknownSealingKeyError,
)
from strongroom.records import register
from strongroom.records.keyring import KeyringRows, WrappedKey
from strongroom.rootkeys.local import LocalRootKey
from strongroom.secret import Secret
from testbed.sealing.samples import IDENTITY, KID, SEALING_KEY, unused_bits


def test_a_tag_key_that_is_derived_alongside_a_refresh_is_not_kept_for_the_newer_keyring() -> None:
    old, new = Secret(bytes(range(32))), Secret(bytes(range(32, 64)))
    kids = kid_of(old), kid_of(new)
    before = register.KeyringHead(2, {kids[0]: "opening", kids[1]: "active"}, True, False)
    after = before._replace(version=3, states={kids[0]: "retired", kids[1]: "active"})
    both = Keyring(kids[1], {kids[0]: old, kids[1]: new})
    ring = both.believing(before).reloading(lambda: both.believing(after))
    snapshot = ring._now
    ring.refresh()
    snapshot.tag_keys[kids[0], "wallet"] = Secret(b"late")  # what a thread does that read the older one
    with pytest.raises(strongroom.UnknownSealingKeyError):
        ring.tag_key(kids[0], "wallet")
    assert ring.is_retired(kids[0])
    assert ring.counting_retired().tag_key(kids[0], "wallet")


ROOT_KEY = LocalRootKey("file:root.key", Secret(bytes(range(32))))
OTHER_ROOT_KEY = LocalRootKey("env:OTHER", Secret(bytes(range(1, 33))))
WRAP = wrap_one(ROOT_KEY, KID, SEALING_KEY)
NEWER = keyring.new_sealing_key()
NEWER_KID = keyring.kid_of(NEWER)


def rows(*wraps: WrappedKey, active: str = KID, kids: tuple[str, ...] | None = None) -> KeyringRows:
    return KeyringRows(active, wraps, kids or tuple(dict.fromkeys(wrap.kid for wrap in wraps)))


def refused(wrap: WrappedKey, root_key: LocalRootKey = ROOT_KEY) -> type[RootKeyError]:
    with pytest.raises((KeyringCorruptError, RootKeyMismatchError)) as caught:
        keyring.unwrap(rows(wrap), root_key)
    return type(caught.value)


def test_the_right_root_key_unwraps_the_sealing_key() -> None:
    ring = keyring.unwrap(rows(WRAP), ROOT_KEY)
    assert ring.active_kid == KID
    assert ring.kids == {KID}
    expected = kdf.derive(SEALING_KEY, f"strongroom/v1/project/{IDENTITY.project_id}").reveal()
    assert ring.project_key(KID, IDENTITY.project_id).reveal() == expected


def test_a_wrap_hides_the_sealing_key_and_is_fresh_each_time() -> None:
    again = wrap_one(ROOT_KEY, KID, SEALING_KEY)
    assert again.wrapped != WRAP.wrapped
    assert again.check_value == WRAP.check_value
    assert not any(jwe.encode_segment(SEALING_KEY.reveal()) in text for text in (WRAP.wrapped, repr(WRAP)))


def test_the_wrong_root_key_is_told() -> None:
    assert refused(WRAP, OTHER_ROOT_KEY) is RootKeyMismatchError


def test_unwrapping_is_tried_whatever_the_row_says() -> None:
    for changed in (
        dataclasses.replace(WRAP, check_value=OTHER_ROOT_KEY.check_value()),
        dataclasses.replace(WRAP, check_value=""),
        dataclasses.replace(WRAP, root_key_uri="env:ELSEWHERE"),
    ):
        assert keyring.unwrap(rows(changed), ROOT_KEY).kids == {KID}


def test_no_bit_of_a_wrap_can_be_flipped() -> None:
    whole = WRAP.wrapped.encode()
    seen: Counter[type[RootKeyError]] = Counter()
    for position, bit in itertools.product(range(len(whole)), range(8)):
        flipped = bytearray(whole)
        flipped[position] ^= 1 << bit
        damaged = dataclasses.replace(WRAP, wrapped=flipped.decode("latin-1"))
        assert refused(damaged) is KeyringCorruptError
        assert refused(damaged, OTHER_ROOT_KEY) is RootKeyMismatchError
        seen[refused(dataclasses.replace(damaged, check_value="?"))] += 1
    assert seen == {RootKeyMismatchError: 8 * len(whole)}
    assert len(whole) > 200


@pytest.mark.parametrize("position", range(22))
def test_a_damaged_wrap_with_an_altered_check_value_is_a_mismatch(position: int) -> None:
    check = WRAP.check_value
    altered = check[:position] + ("A" if check[position] != "A" else "B") + check[position + 1 :]
    damaged = dataclasses.replace(WRAP, wrapped=WRAP.wrapped[:-3] + "AAA", check_value=altered)
    assert refused(damaged) is RootKeyMismatchError


def test_every_truncated_wrap_is_corrupt() -> None:
    for length in range(len(WRAP.wrapped)):
        assert refused(dataclasses.replace(WRAP, wrapped=WRAP.wrapped[:length])) is KeyringCorruptError


def test_a_wrap_with_unused_bits_set_is_corrupt() -> None:
    texts = list(unused_bits(WRAP.wrapped))
    assert len(texts) >= 30
    for text in texts:
        assert refused(dataclasses.replace(WRAP, wrapped=text)) is KeyringCorruptError


def test_the_check_value_of_another_root_key_gives_it_nothing() -> None:
    planted = dataclasses.replace(WRAP, check_value=OTHER_ROOT_KEY.check_value())
    assert refused(planted, OTHER_ROOT_KEY) is KeyringCorruptError


def test_a_row_that_names_another_kid_is_corrupt() -> None:
    assert refused(dataclasses.replace(WRAP, kid=NEWER_KID)) is KeyringCorruptError


def test_wraps_that_were_swapped_between_kids_are_corrupt() -> None:
    newer = wrap_one(ROOT_KEY, NEWER_KID, NEWER)
    swapped = (
        dataclasses.replace(WRAP, wrapped=newer.wrapped),
        dataclasses.replace(newer, wrapped=WRAP.wrapped),
    )
    with pytest.raises(KeyringCorruptError):
        keyring.unwrap(rows(*swapped), ROOT_KEY)


def test_the_kid_is_computed_again_from_the_key() -> None:
    lying = wrap_one(ROOT_KEY, KID, NEWER)
    assert unwrap_one(ROOT_KEY, lying).reveal() == NEWER.reveal(), "the wrap itself is genuine"
    assert refused(lying) is KeyringCorruptError


@pytest.mark.parametrize(
    "header",
    [
        {"kid": KID, **jwe.ALGORITHM, "typ": "strongroom+1"},
        {"kid": KID, **jwe.ALGORITHM},
        {"kid": KID, **jwe.ALGORITHM, "typ": "strongroom-sealing-key+1", "zip": "DEF"},
        {**jwe.ALGORITHM, "typ": "strongroom-sealing-key+1"},
    ],
    ids=str,
)
def test_a_wrap_with_another_header_is_corrupt(header: dict[str, str]) -> None:
    wrapping_key = kdf.derive(Secret(bytes(range(32))), "strongroom/v1/root-key/wrap")
    forged = jwe.encrypt(header, SEALING_KEY, wrapping_key)
    assert refused(dataclasses.replace(WRAP, wrapped=forged)) is KeyringCorruptError


def test_a_keyring_without_rows_is_missing() -> None:
    with pytest.raises(KeyringMissingError):
        keyring.unwrap(KeyringRows(KID, (), ()), ROOT_KEY)


def test_a_keyring_without_wraps_is_corrupt() -> None:
    with pytest.raises(KeyringCorruptError):
        keyring.unwrap(rows(kids=(KID,)), ROOT_KEY)


def test_a_sealing_key_without_a_wrap_is_corrupt() -> None:
    with pytest.raises(KeyringCorruptError):
        keyring.unwrap(rows(WRAP, kids=(KID, NEWER_KID)), ROOT_KEY)


def test_a_wrap_without_its_sealing_key_row_is_corrupt() -> None:
    with pytest.raises(KeyringCorruptError):
        keyring.unwrap(rows(WRAP, wrap_one(ROOT_KEY, NEWER_KID, NEWER), kids=(KID,)), ROOT_KEY)


def test_a_keyring_whose_active_key_is_not_there_is_corrupt() -> None:
    for active in ("", NEWER_KID):
        with pytest.raises(KeyringCorruptError):
            keyring.unwrap(rows(WRAP, active=active), ROOT_KEY)


def test_several_sealing_keys_are_unwrapped() -> None:
    ring = keyring.unwrap(rows(WRAP, wrap_one(ROOT_KEY, NEWER_KID, NEWER), active=NEWER_KID), ROOT_KEY)
    assert ring.kids == {KID, NEWER_KID}
    assert ring.active_kid == NEWER_KID


@pytest.mark.parametrize("order", [1, -1])
def test_each_of_several_root_keys_unwraps_the_same_key(order: int) -> None:
    wraps = (WRAP, wrap_one(OTHER_ROOT_KEY, KID, SEALING_KEY))[::order]
    keys = [
        keyring.unwrap(rows(*wraps), key).project_key(KID, IDENTITY.project_id) for key in (ROOT_KEY, OTHER_ROOT_KEY)
    ]
    assert keys[0].reveal() == keys[1].reveal()


@pytest.mark.parametrize("order", [1, -1])
def test_a_damaged_wrap_of_another_root_key_does_not_matter(order: int) -> None:
    damaged = dataclasses.replace(wrap_one(OTHER_ROOT_KEY, KID, SEALING_KEY), wrapped="")
    ring = keyring.unwrap(rows(*(WRAP, damaged)[::order]), ROOT_KEY)
    assert ring.kids == {KID}


def test_a_root_key_that_wraps_only_some_of_the_keys_does_not_open_the_keyring() -> None:
    with pytest.raises(KeyringCorruptError):
        keyring.unwrap(rows(WRAP, wrap_one(OTHER_ROOT_KEY, NEWER_KID, NEWER)), ROOT_KEY)


def test_an_unknown_kid_has_no_project_key() -> None:
    with pytest.raises(UnknownSealingKeyError):
        keyring.unwrap(rows(WRAP), ROOT_KEY).project_key(NEWER_KID, IDENTITY.project_id)


def test_kids_are_short_names_that_tell_keys_apart() -> None:
    kids = {keyring.kid_of(Secret(os.urandom(32))) for _ in range(1000)}
    assert len(kids) == 1000
    assert {len(kid) for kid in kids} == {22}


def test_new_sealing_keys_are_32_fresh_bytes() -> None:
    keys = {keyring.new_sealing_key().reveal() for _ in range(100)}
    assert len(keys) == 100
    assert {len(key) for key in keys} == {32}
    assert keyring.new_sealing_key(lambda size: b"k" * size).reveal() == b"k" * 32


def test_keyring_and_root_key_print_no_key() -> None:
    ring = keyring.unwrap(rows(WRAP), ROOT_KEY)
    for shown in (repr(ring), str(ring), repr(ROOT_KEY), str(ROOT_KEY)):
        assert "\\x" not in shown
        for secret in (SEALING_KEY, Secret(bytes(range(32)))):
            assert secret.reveal().hex() not in shown
    assert KID in repr(ring)
