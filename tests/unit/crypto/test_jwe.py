"""The JWE itself takes one form, before any key is used."""

from __future__ import annotations

import itertools
import string
from contextlib import suppress

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import aes_key_wrap
from hypothesis import given
from hypothesis import strategies as st

from strongroom.crypto import jwe
from strongroom.errors import SealedTextCorruptError
from strongroom.secret import Secret
from testbed.sealing.samples import HEADER, IDENTITY, KEYS, KID, PAYLOAD, opened, sealed

KEY = Secret(bytes(range(32)))
HEADERS = st.dictionaries(st.text(max_size=9), st.text(max_size=9), max_size=4)


def text_with(header: dict[str, str]) -> str:
    return ".".join((jwe.encode_segment(jwe.encode_header(header)), *sealed().split(".")[1:]))


@given(HEADERS, st.binary(max_size=300))
def test_what_was_encrypted_is_decrypted(members: dict[str, str], plaintext: bytes) -> None:
    header = members | jwe.ALGORITHM
    parsed = jwe.parse(jwe.encrypt(header, Secret(plaintext), KEY))
    assert jwe.encode_header(parsed.header) == jwe.encode_header(header)
    assert jwe.decrypt(parsed, KEY).reveal() == plaintext
    with pytest.raises(jwe.JweError):
        jwe.decrypt(parsed, Secret(bytes(32)))


@pytest.mark.parametrize("name", ["alg", "enc"])
def test_another_or_no_algorithm_is_refused_before_any_key_is_used(name: str) -> None:
    jwe.parse(text_with(jwe.ALGORITHM))
    with pytest.raises(jwe.JweError, match="another algorithm"):
        jwe.parse(text_with(jwe.ALGORITHM | {name: "A128GCM"}))
    with pytest.raises(jwe.JweError, match="another algorithm"):
        jwe.parse(text_with({other: value for other, value in jwe.ALGORITHM.items() if other != name}))


def test_another_type_is_refused_before_any_key_is_looked_for() -> None:
    with pytest.raises(SealedTextCorruptError):
        opened(text_with(HEADER | {"kid": "A" * 22, "typ": "strongroom+2"}))


@pytest.mark.parametrize(("content_key", "nonce"), [(16, 12), (24, 12), (32, 8), (32, 16), (32, 64)])
def test_genuine_texts_with_other_lengths_are_refused(content_key: int, nonce: int) -> None:
    """All of them authenticate: AES-GCM takes other keys and nonces, and key wrap other keys."""
    protected = jwe.encode_segment(jwe.encode_header(HEADER))
    content = AESGCM(bytes(content_key)).encrypt(bytes(nonce), PAYLOAD, protected.encode())
    wrapped = aes_key_wrap(KEYS.project_key(KID, IDENTITY.project_id).reveal(), bytes(content_key))
    segments = (wrapped, bytes(nonce), content[:-16], content[-16:])
    with pytest.raises(SealedTextCorruptError):
        opened(".".join((protected, *map(jwe.encode_segment, segments))))


@pytest.mark.parametrize("size", [0, 1, 12, 15, 17, 32])
def test_another_length_of_the_tag_is_refused(size: int) -> None:
    tag = jwe.encode_segment(bytes(size))
    with pytest.raises(jwe.JweError, match="wrong length"):
        jwe.parse(f"{sealed().rpartition('.')[0]}.{tag}")


def test_each_text_has_its_own_content_key_and_nonce() -> None:
    drawn: list[int] = []

    def random_bytes(size: int) -> bytes:
        drawn.append(size)
        return bytes([len(drawn)]) * size

    one = sealed(random_bytes=random_bytes)
    two = sealed(random_bytes=random_bytes)
    assert drawn == [32, 12, 32, 12]
    assert jwe.parse(one).nonce != jwe.parse(two).nonce


def test_a_parsed_text_shows_its_header_only() -> None:
    parsed = jwe.parse(sealed())
    assert repr(parsed) == f"Parsed(header={HEADER})"


@given(st.binary(max_size=100))
def test_base64url_is_canonical_both_ways(data: bytes) -> None:
    text = jwe.encode_segment(data)
    assert "=" not in text
    assert jwe.decode_segment(text) == data


@given(st.text(max_size=20) | st.text(string.ascii_letters + string.digits + "-_+/=\n", max_size=20))
def test_every_text_that_decodes_is_the_one_that_encodes(text: str) -> None:
    try:
        data = jwe.decode_segment(text)
    except jwe.JweError:
        return
    assert jwe.encode_segment(data) == text


def test_of_all_ends_of_a_segment_those_decode_that_encode() -> None:
    ends = [
        "".join(end) for length in (1, 2, 3) for end in itertools.product(string.ascii_letters + "09-_=", repeat=length)
    ]
    encoded = {
        jwe.encode_segment(bytes(data)) for length in (1, 2) for data in itertools.product(range(256), repeat=length)
    }
    decoded = set()
    for end in ends:
        with suppress(jwe.JweError):
            decoded.add(jwe.encode_segment(jwe.decode_segment(end)))
            assert end in encoded
    assert decoded == encoded.intersection(ends)
