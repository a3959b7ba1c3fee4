from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.errors import InvalidAddressError, InvalidPrivateKeyError
from strongroom.networks import TABLE
from strongroom.networks.keccak import keccak_256
from strongroom.secret import Secret
from testbed.networks import published
from testbed.networks.known import ORDER, keys

ETHEREUM = TABLE.get("ethereum")
ADDRESS = "0x9858EfFD232B4033E47d90003D41EC34EcaEda94"
KEY = "1ab42cc412b618bdea3a599e3c9bae199ebf030895b039e9db1e30dafb12b727"
EIP55 = (
    "0x52908400098527886E0F7030069857D2E4169EE7",
    "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
    "0xde709f2102306220921060314715629080e2fb77",
    "0x27b1fdb04752bbc536007a920d24acb045561c26",
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
    "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
)


def read(text: str) -> bytes:
    return ETHEREUM.parse_private_key(Secret.from_text(text)).reveal()


def test_keccak_is_not_sha3() -> None:
    assert keccak_256(b"").hex() == "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"


@pytest.mark.parametrize("text", [KEY, "0x" + KEY, "0X" + KEY.upper(), f" \t{KEY}\r\n", "\u3000" + KEY + "\xa0"])
def test_a_key_is_read_with_and_without_0x_and_white_space_around(text: str) -> None:
    assert read(text).hex() == KEY


@given(keys())
def test_what_is_exported_is_imported(key: bytes) -> None:
    text = ETHEREUM.format_private_key(Secret(key)).reveal_text()
    assert text == "0x" + key.hex()
    assert read(text) == key


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "0x",
        KEY[:-1],
        KEY[:-2],
        KEY + "0",
        KEY + "00",
        "0x0x" + KEY,
        "x" + KEY,
        "-" + KEY[1:],
        "+" + KEY[1:],
        KEY[:-1] + "g",
        KEY[:32] + " " + KEY[32:],
        KEY[:-1] + "٣",
        KEY[:-1] + "\0",
        "０" + KEY[1:],
        f"[{KEY}]",
        f'"{KEY}"',
        "KyZpNDKnfs94vbrwhJneDi77V6jF64PWPF8x5cdJb8ifgg2DUc9d",
        "ab" * 1_000_000,
    ],
)
def test_what_is_not_a_key_is_refused(text: str) -> None:
    with pytest.raises(InvalidPrivateKeyError):
        read(text)


@pytest.mark.parametrize("data", [b"\xff\xfe", b"\xff" * 64, "\ud800".encode("utf-8", "surrogatepass") * 20])
def test_text_that_cannot_be_decoded_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidPrivateKeyError):
        ETHEREUM.parse_private_key(Secret(data))


@pytest.mark.parametrize("number", [0, ORDER, ORDER + 1, 2**256 - 1])
def test_a_key_outside_the_range_of_the_curve_is_refused(number: int) -> None:
    key = Secret(number.to_bytes(32))
    with pytest.raises(InvalidPrivateKeyError):
        read(key.reveal().hex())
    with pytest.raises(InvalidPrivateKeyError):
        ETHEREUM.format_private_key(key)
    with pytest.raises(InvalidPrivateKeyError):
        ETHEREUM.public_half(key, "bip44")


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_a_key_of_another_length_is_refused(size: int) -> None:
    with pytest.raises(InvalidPrivateKeyError):
        ETHEREUM.public_half(Secret(b"\1" * size), "bip44")
    with pytest.raises(InvalidPrivateKeyError):
        ETHEREUM.format_private_key(Secret(b"\1" * size))


@pytest.mark.parametrize("address", EIP55)
def test_an_address_is_read_in_one_case_and_returned_with_its_checksum(address: str) -> None:
    assert ETHEREUM.parse_address(address) == address
    assert ETHEREUM.parse_address(address.lower()) == address
    assert ETHEREUM.parse_address("0x" + address[2:].upper()) == address


@pytest.mark.parametrize("position", [i for i, c in enumerate(ADDRESS) if i > 1 and c.isalpha()])
def test_a_checksum_that_is_off_by_one_letter_is_refused(position: int) -> None:
    wrong = ADDRESS[:position] + ADDRESS[position].swapcase() + ADDRESS[position + 1 :]
    with pytest.raises(InvalidAddressError):
        ETHEREUM.parse_address(wrong)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0x",
        ADDRESS[2:],
        ADDRESS[:-1],
        ADDRESS + "0",
        ADDRESS.upper(),
        " " + ADDRESS,
        ADDRESS + "\n",
        ADDRESS[:-1] + "g",
        ADDRESS[:-1] + "٣",
        ADDRESS[:-1] + "\ud800",
        "0x" + KEY,
        "bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu",
        "HAgk14JpMQLgt6rVgv7cBQFJWFto5Dqxi472uT3DKpqk",
        "0x" + "0" * 1_000_000,
    ],
)
def test_what_is_not_an_address_is_refused(text: str) -> None:
    with pytest.raises(InvalidAddressError):
        ETHEREUM.parse_address(text)


@given(st.binary(min_size=20, max_size=20))
def test_a_canonical_address_is_a_fixed_point(data: bytes) -> None:
    canonical = ETHEREUM.parse_address("0x" + data.hex())
    assert ETHEREUM.parse_address(canonical) == canonical
    assert bytes.fromhex(canonical[2:]) == data


@pytest.mark.usefixtures("vectors")
def test_published_addresses() -> None:
    addresses = published.load("eip55", "eip55_addresses.json")
    assert len(addresses) == 9
    for address in addresses:
        canonical = ETHEREUM.parse_address(address)
        assert canonical == address or address == address.lower()
        assert ETHEREUM.parse_address(canonical) == canonical
