from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.errors import InvalidAddressError, InvalidPathError, InvalidPrivateKeyError
from strongroom.networks import TABLE
from strongroom.networks.codecs import base58
from strongroom.secret import Secret
from testbed.networks.known import phrase

SOLANA = TABLE.get("solana")
ADDRESS = "HAgk14JpMQLgt6rVgv7cBQFJWFto5Dqxi472uT3DKpqk"
KEYPAIR = "27npWoNE4HfmLeQo1TyWcW7NEA28qnsnDK7kcttDQEWrCWnro83HMJ97rMmpvYYZRwDAvG4KRuB7hTBacvwD7bgi"


def read(text: str) -> bytes:
    return SOLANA.parse_private_key(Secret.from_text(text)).reveal()


def test_a_key_is_read_from_a_seed_and_from_a_keypair() -> None:
    seed = SOLANA.derive(phrase(), "slip10").private_key.reveal()
    keypair = base58.decode(KEYPAIR)
    assert keypair is not None
    forms = (seed.hex(), "0x" + seed.hex(), keypair.hex(), "0x" + keypair.hex(), KEYPAIR, f"\n{KEYPAIR} ")
    assert all(read(form) == seed for form in forms)


@given(st.binary(min_size=32, max_size=32))
def test_what_is_exported_is_imported(seed: bytes) -> None:
    text = SOLANA.format_private_key(Secret(seed))
    assert SOLANA.parse_private_key(text).reveal() == seed


@given(st.binary(min_size=32, max_size=32), st.integers(0, 511))
def test_a_keypair_whose_halves_do_not_match_is_refused(seed: bytes, bit: int) -> None:
    keypair = bytearray(base58.decode(SOLANA.format_private_key(Secret(seed)).reveal_text()) or b"")
    keypair[bit // 8] ^= 1 << bit % 8
    for text in (keypair.hex(), base58.encode(bytes(keypair))):
        with pytest.raises(InvalidPrivateKeyError):
            read(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ADDRESS,  # 32 bytes in base58 could be either half
        KEYPAIR[:-1],
        KEYPAIR + "1",
        "1" + KEYPAIR,
        KEYPAIR + "\0",
        KEYPAIR.replace("n", "0", 1),
        "ab" * 31,
        "ab" * 33,
        "ab" * 63,
        "ab" * 64,
        "[" + ",".join(["1"] * 64) + "]",
        "1" * 1_000_000,
    ],
)
def test_what_is_not_a_key_is_refused(text: str) -> None:
    with pytest.raises(InvalidPrivateKeyError):
        read(text)


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_a_key_of_another_length_is_refused(size: int) -> None:
    with pytest.raises(InvalidPrivateKeyError):
        SOLANA.public_half(Secret(b"\1" * size), "slip10")
    with pytest.raises(InvalidPrivateKeyError):
        SOLANA.format_private_key(Secret(b"\1" * size))


@pytest.mark.parametrize("path", ["m/44'/501'/0'/0", "m/44'/501'/0/0'", "m/44/501/0/0", "m/0"])
def test_a_path_with_an_element_that_is_not_hardened_is_refused(path: str) -> None:
    with pytest.raises(InvalidPathError):
        SOLANA.derive(phrase(), "slip10", path)


@pytest.mark.parametrize("text", [ADDRESS, "1" * 32, "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"])
def test_32_bytes_in_base58_are_an_address(text: str) -> None:
    assert SOLANA.parse_address(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1" * 31,
        "1" * 33,
        ADDRESS[:-3],
        ADDRESS + "1",
        "1" + ADDRESS,
        ADDRESS.replace("H", "0", 1),
        ADDRESS + " ",
        "\t" + ADDRESS,
        ADDRESS + "\0",
        KEYPAIR,
        "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
        "0x9858EfFD232B4033E47d90003D41EC34EcaEda94",
        "z" * 1_000_000,
    ],
)
def test_what_is_not_an_address_is_refused(text: str) -> None:
    with pytest.raises(InvalidAddressError):
        SOLANA.parse_address(text)
