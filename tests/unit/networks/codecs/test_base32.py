from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.networks.codecs import base32, crc16

RFC4648 = {"": b"", "MY": b"f", "MZXQ": b"fo", "MZXW6": b"foo", "MZXW6YQ": b"foob", "MZXW6YTB": b"fooba"}


@pytest.mark.parametrize("text", RFC4648)
def test_base32_is_that_of_the_rfc_without_padding(text: str) -> None:
    assert base32.encode(RFC4648[text]) == text
    assert base32.decode(text) == (RFC4648[text] or None)


@given(st.binary(min_size=1, max_size=80))
def test_what_is_written_is_read(data: bytes) -> None:
    assert base32.decode(base32.encode(data)) == data


@given(st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", min_size=1, max_size=130))
def test_each_bytes_have_one_text(text: str) -> None:
    data = base32.decode(text)
    assert data is None or base32.encode(data) == text


@pytest.mark.parametrize(
    "text", ["M", "MZX", "MZXW6Y", "mzxw6", "MZXW6===", "MZ", "MZXW7YR", "MZX 6", "M1", "MY\n", "A" * 129]
)
def test_anything_else_is_refused(text: str) -> None:
    assert base32.decode(text) is None


def test_the_checksum_is_that_of_xmodem() -> None:
    assert crc16.xmodem(b"123456789") == 0x31C3  # the check value of the catalogue of CRCs
    assert crc16.xmodem(b"") == 0
