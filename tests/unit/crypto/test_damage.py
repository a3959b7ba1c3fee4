"""A sealed text opens as it was written, or not at all: damage of every kind is a typed error."""

from __future__ import annotations

import base64
import itertools
import json
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.crypto.jwe import MAX_TEXT_BYTES
from strongroom.errors import NotSealedError, SealedTextCorruptError, StrongroomError, UnknownSealingKeyError
from strongroom.records.vault_texts import SEALED_PREFIX
from testbed.sealing.samples import (
    ALPHABET,
    DAMAGE,
    HEADER,
    MATERIAL,
    PAYLOAD,
    TEXT,
    forged,
    opened,
    same,
    sealed,
    unused_bits,
    with_segment,
)

CANONICAL = json.dumps(HEADER, separators=(",", ":")).encode()


def refusal(text: str) -> type[StrongroomError]:
    """The error that a damaged text is refused with."""
    try:
        opened(text)
    except DAMAGE as error:
        return type(error)
    pytest.fail("a damaged text was opened")


def test_what_was_sealed_is_opened() -> None:
    assert same(opened(TEXT), MATERIAL)


def test_no_bit_of_a_sealed_text_can_be_flipped() -> None:
    seen: Counter[type[StrongroomError]] = Counter()
    whole = TEXT.encode("ascii")
    for position, bit in itertools.product(range(len(whole)), range(8)):
        flipped = bytearray(whole)
        flipped[position] ^= 1 << bit
        seen[refusal(flipped.decode("latin-1"))] += 1
        if not flipped.isascii():
            assert refusal(flipped.decode("utf-8", "surrogateescape")) in DAMAGE
    assert sum(seen.values()) == 8 * len(TEXT) > 6000
    assert set(seen) == set(DAMAGE)


def test_no_pair_of_neighbouring_characters_can_be_exchanged() -> None:
    exchanged = [TEXT[:i] + TEXT[i + 1] + TEXT[i] + TEXT[i + 2 :] for i in range(len(TEXT) - 1)]
    changed = [text for text in exchanged if text != TEXT]
    assert len(changed) > 600
    for text in changed:
        refusal(text)


def test_every_truncation_is_refused() -> None:
    for length in range(len(TEXT)):
        refusal(TEXT[:length])
        refusal(TEXT[len(TEXT) - length :])


def test_every_character_left_out_or_doubled_is_refused() -> None:
    for position in range(len(TEXT)):
        refusal(TEXT[:position] + TEXT[position + 1 :])
        refusal(TEXT[:position] + TEXT[position] + TEXT[position:])


@pytest.mark.parametrize("inserted", [" ", "\n", "\r\n", "\t", "\0", "=", ".", "+", "/", "!", "é", "\u2028", "\ud800"])
def test_every_inserted_character_is_refused(inserted: str) -> None:
    for position in range(len(TEXT) + 1):
        refusal(TEXT[:position] + inserted + TEXT[position:])


@pytest.mark.parametrize("padding", ["=", "==", "===", "===="])
@pytest.mark.parametrize("number", range(5))
def test_padding_is_refused(number: int, padding: str) -> None:
    assert refusal(with_segment(number, TEXT.split(".")[number] + padding)) is SealedTextCorruptError


def test_base64url_with_unused_bits_set_is_refused() -> None:
    texts = list(unused_bits(TEXT))
    assert len(texts) >= 30, "the wrapped key and the tag alone have 15 such forms each"
    for text in texts:
        for segment, original in zip(text.split("."), TEXT.split("."), strict=True):
            assert base64.urlsafe_b64decode(segment + "==") == base64.urlsafe_b64decode(original + "==")
        assert refusal(text) is SealedTextCorruptError


def test_the_other_base64_alphabet_is_refused() -> None:
    while "-" not in (text := sealed()) or "_" not in text:
        pass
    for changed in (text.replace("-", "+"), text.replace("_", "/")):
        assert refusal(changed) is SealedTextCorruptError


def test_segments_in_another_order_are_refused() -> None:
    segments = TEXT.split(".")
    for order in itertools.permutations(range(5)):
        text = ".".join(segments[number] for number in order)
        if text != TEXT:
            refusal(text)


def test_segments_of_two_texts_of_one_row_do_not_mix() -> None:
    one, two = TEXT.split("."), sealed().split(".")
    assert one[0] == two[0]
    for choice in itertools.product((0, 1), repeat=4):
        mixed = [(one, two)[which][number] for number, which in enumerate(choice, 1)]
        if len(set(choice)) == 1:
            assert same(opened(".".join((one[0], *mixed))), MATERIAL)
        else:
            assert refusal(".".join((one[0], *mixed))) is SealedTextCorruptError


@pytest.mark.parametrize("number", range(1, 5))
def test_an_empty_segment_is_refused(number: int) -> None:
    assert refusal(with_segment(number, "")) is SealedTextCorruptError


@pytest.mark.parametrize("text", [f"{TEXT}.", f"{TEXT}.AA", TEXT.rpartition(".")[0], TEXT.replace(".", ",")])
def test_another_number_of_segments_is_refused(text: str) -> None:
    assert refusal(text) is SealedTextCorruptError


def test_the_json_serialisation_of_a_jwe_is_not_a_sealed_text() -> None:
    names = ("protected", "encrypted_key", "iv", "ciphertext", "tag")
    assert refusal(json.dumps(dict(zip(names, TEXT.split("."), strict=True)))) is NotSealedError


@pytest.mark.parametrize("size", [MAX_TEXT_BYTES + 1, 10**6, 10**7])
def test_a_text_beyond_the_limit_is_refused_unread(size: int) -> None:
    assert refusal(SEALED_PREFIX.ljust(size, "A")) is SealedTextCorruptError


def test_a_genuine_text_beyond_the_limit_is_refused() -> None:
    text = forged(CANONICAL, PAYLOAD + b" " * 12_000)
    assert len(text) > MAX_TEXT_BYTES
    assert refusal(text) is SealedTextCorruptError


def test_a_text_within_the_limit_is_opened() -> None:
    text = forged(CANONICAL, PAYLOAD + b" " * 11_000)
    assert len(text) < MAX_TEXT_BYTES
    assert opened(text).scheme == "bip44"


@given(st.text(max_size=400))
def test_no_text_after_the_prefix_is_opened(rest: str) -> None:
    assert refusal(SEALED_PREFIX + rest) in (SealedTextCorruptError, UnknownSealingKeyError)


@given(st.text(max_size=400))
def test_no_other_text_is_opened(text: str) -> None:
    assert refusal(text) in DAMAGE


@given(st.data())
def test_no_replaced_part_is_opened(data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(TEXT) - 1))
    end = data.draw(st.integers(start + 1, min(len(TEXT), start + 60)))
    part = data.draw(st.text(ALPHABET + ".", max_size=60))
    text = TEXT[:start] + part + TEXT[end:]
    if text != TEXT:
        refusal(text)


# --- headers, each made with the right key: only the form is left to refuse ---------------------------------


def changed(**members: object) -> bytes:
    return json.dumps(HEADER | members, separators=(",", ":")).encode()


def test_a_forged_text_with_the_canonical_header_is_opened() -> None:
    assert opened(forged(CANONICAL)).private_key.reveal() == MATERIAL.private_key.reveal()


@pytest.mark.parametrize(
    "alg",
    ["A128KW", "A192KW", "A256GCMKW", "dir", "none", "RSA-OAEP", "RSA1_5", "ECDH-ES", "PBES2-HS512+A256KW", "a256kw"],
)
def test_another_key_algorithm_is_refused(alg: str) -> None:
    assert refusal(forged(changed(alg=alg))) is SealedTextCorruptError


@pytest.mark.parametrize("enc", ["A128GCM", "A192GCM", "A128CBC-HS256", "A256CBC-HS512", "none", "a256gcm", ""])
def test_another_content_algorithm_is_refused(enc: str) -> None:
    assert refusal(forged(changed(enc=enc))) is SealedTextCorruptError


@pytest.mark.parametrize("typ", ["JWT", "strongroom", "strongroom+2", "STRONGROOM+1", "strongroom-sealing-key+1", ""])
def test_another_type_is_refused(typ: str) -> None:
    assert refusal(forged(changed(typ=typ))) is SealedTextCorruptError


@pytest.mark.parametrize(
    "members",
    [
        {"zip": "DEF"},
        {"crit": ["exp"], "exp": "1"},
        {"crit": "exp"},
        {"crit": []},
        {"cty": "JWT"},
        {"jwk": {"kty": "oct", "k": "AAAA"}},
        {"jku": "https://keys.example/"},
        {"x5u": "https://keys.example/"},
        {"iv": "AAAA"},
        {"p2c": 1},
        {"": ""},
        {"network": None},
        {"network": ["ethereum"]},
        {"address": 5},
        {"kid": True},
    ],
    ids=str,
)
def test_another_header_member_is_refused(members: dict[str, object]) -> None:
    assert refusal(forged(changed(**members))) in (SealedTextCorruptError, NotSealedError)


@pytest.mark.parametrize("name", HEADER)
def test_a_header_member_cannot_be_left_out(name: str) -> None:
    members = {other: value for other, value in HEADER.items() if other != name}
    with pytest.raises(StrongroomError):
        opened(forged(json.dumps(members, separators=(",", ":")).encode()))


@pytest.mark.parametrize("name", HEADER)
@pytest.mark.parametrize("first", [True, False])
def test_a_header_member_that_stands_twice_is_refused(name: str, first: bool) -> None:
    member = json.dumps({name: HEADER[name]})[1:-1].replace(": ", ":").encode()
    other = json.dumps({name: "other"})[1:-1].replace(": ", ":").encode()
    for extra in (member, other):
        header = CANONICAL[:-1] + b"," + extra + b"}" if not first else CANONICAL.replace(member, extra + b"," + member)
        assert header != CANONICAL
        assert refusal(forged(header)) is SealedTextCorruptError


@pytest.mark.parametrize(
    "header",
    [
        json.dumps(HEADER).encode(),
        CANONICAL + b"\n",
        CANONICAL[:-1] + b" }",
        b" " + CANONICAL,
        b"\xef\xbb\xbf" + CANONICAL,
        CANONICAL.decode().encode("utf-16"),
        CANONICAL.decode().encode("utf-16-le"),
        CANONICAL.decode().encode("utf-32"),
        CANONICAL.replace(b"ethereum", b"\\u0065thereum"),
        CANONICAL.replace(b"ethereum", b"ethereum\xff"),
        CANONICAL.replace(b"m+1", b"m\\u002b1"),
        json.dumps(dict(reversed(HEADER.items())), separators=(",", ":")).encode(),
        b"[" + CANONICAL + b"]",
        CANONICAL + CANONICAL,
        b'{"kid":' * 5000,
        b'{"kid":' + b"[" * 10_000,
        b'{"kid":' + b"1" * 10_000 + b"}",
        b'{"kid":NaN}',
        b'{"kid":"',
        b"{}",
        b"null",
        b"",
    ],
    ids=lambda header: str(header[:24]),
)
def test_a_header_in_another_form_is_refused(header: bytes) -> None:
    assert refusal(forged(header)) in (SealedTextCorruptError, NotSealedError)


def test_members_in_another_order_are_refused_even_after_the_kid() -> None:
    members = {"kid": HEADER["kid"], **dict(reversed(HEADER.items()))}
    assert refusal(forged(json.dumps(members, separators=(",", ":")).encode())) is SealedTextCorruptError


# --- payloads, each under the right key and header ----------------------------------------------------------


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'"text"',
        b"\xff",
        PAYLOAD[:-1],
        PAYLOAD.replace(b'"v":1', b'"v":0'),
        PAYLOAD.replace(b'"v":1', b'"v":2'),
        PAYLOAD.replace(b'"v":1', b'"v":"1"'),
        PAYLOAD.replace(b'"v":1,', b""),
        PAYLOAD.replace(b"1ab4", b"1abx"),
        PAYLOAD.replace(b"1ab4", b"1ab"),
        PAYLOAD.replace(b'"scheme":"bip44"', b'"other":"bip44"'),
        b'{"v":1,"private_key":5,"scheme":"bip44"}',
        b'{"v":1,"private_key":null,"scheme":"bip44"}',
        PAYLOAD[:-1] + b',"mnemonic":5}',
        PAYLOAD[:-1] + b',"mnemonic":["abandon"]}',
        PAYLOAD[:-1] + b',"passphrase":{}}',
        b"[" * 9_000,
    ],
    ids=lambda payload: str(payload[:24]),
)
def test_another_payload_is_refused(payload: bytes) -> None:
    assert refusal(forged(CANONICAL, payload)) is SealedTextCorruptError
