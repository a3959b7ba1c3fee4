"""The text form of a root key: a mistyped or cut-off key is told from a wrong one, and nothing is quoted."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.errors import RootKeyMalformedError
from strongroom.rootkeys import local
from strongroom.secret import Secret
from testbed.failure_report import failure_report

TEXT = local.new_text(lambda size: bytes(range(size))).reveal_text()
ALPHABET = string.ascii_letters + string.digits + "-_+/=. \n"


def refuse(text: str) -> None:
    with pytest.raises(RootKeyMalformedError) as caught:
        local.parse_text(Secret.from_text(text), "The file root.key")
    assert caught.value.message.startswith("The file root.key ")


@given(st.binary(min_size=32, max_size=32))
def test_every_key_is_written_and_read(key: bytes) -> None:
    text = local.new_text(lambda size: key[:size])
    assert local.parse_text(text, "It").reveal() == key
    assert len(text.reveal()) == 70


def test_new_root_keys_are_fresh() -> None:
    assert len({local.new_text().reveal() for _ in range(100)}) == 100


@pytest.mark.parametrize("around", ["\n", " ", "\r\n", "\t"])
def test_white_space_around_the_text_is_ignored(around: str) -> None:
    for text in (TEXT + around, around + TEXT, around + TEXT + around):
        assert local.parse_text(Secret.from_text(text), "It").reveal() == bytes(range(32))


def test_no_character_can_be_altered() -> None:
    altered = 0
    for position, old in enumerate(TEXT):
        for new in ALPHABET:
            outside = position in (0, len(TEXT) - 1) and new.isspace()
            if new != old and not outside:
                refuse(TEXT[:position] + new + TEXT[position + 1 :])
                altered += 1
    assert altered > 70 * (len(ALPHABET) - 2)


def test_no_bit_can_be_flipped() -> None:
    whole = TEXT.encode()
    for position in range(len(whole)):
        for bit in range(8):
            flipped = bytearray(whole)
            flipped[position] ^= 1 << bit
            with pytest.raises(RootKeyMalformedError):
                local.parse_text(Secret(flipped), "It")


def test_a_cut_off_key_is_refused() -> None:
    for length in range(len(TEXT)):
        refuse(TEXT[:length])
        refuse(TEXT[len(TEXT) - length :])


def test_neighbours_that_were_exchanged_are_refused() -> None:
    for i in range(len(TEXT) - 1):
        if TEXT[i] != TEXT[i + 1]:
            refuse(TEXT[:i] + TEXT[i + 1] + TEXT[i] + TEXT[i + 2 :])


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        local.PREFIX,
        local.PREFIX * 2,
        TEXT.removeprefix(local.PREFIX),
        TEXT.lower(),
        TEXT.upper(),
        f"{TEXT}\n{TEXT}",
        f"{TEXT}A",
        f"{TEXT}AAAA",
        f"{TEXT}=",
        f'"{TEXT}"',
        f"\ufeff\ufeff{TEXT}",
        f"{TEXT}\ufeff",
        TEXT.replace("-1-", "-2-"),
        "0x" + bytes(range(32)).hex(),
        "\ud800",
        "ключ",
    ],
)
def test_another_text_is_refused(text: str) -> None:
    refuse(text)


@given(st.binary(max_size=100))
def test_no_other_bytes_are_a_root_key(data: bytes) -> None:
    with pytest.raises(RootKeyMalformedError):
        local.parse_text(Secret(data), "It")


def test_the_key_of_a_refused_text_is_shown_nowhere() -> None:
    key = Secret.from_text(TEXT[:-1])
    report = failure_report(local.parse_text, key, "It")
    assert TEXT[30:50] not in report
    assert bytes(range(32)).hex() not in report
