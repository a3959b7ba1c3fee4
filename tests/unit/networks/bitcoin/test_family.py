from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.errors import InvalidAddressError, InvalidPrivateKeyError
from strongroom.networks import TABLE
from strongroom.networks.codecs import base58, segwit_address
from strongroom.networks.curves.extended_key import ExtendedKey
from strongroom.secret import Secret
from testbed.networks import published
from testbed.networks.known import ORDER, keys, phrase

BITCOIN, TESTNET = TABLE.get("bitcoin"), TABLE.get("bitcoin-testnet")
ADDRESS = "bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu"
TAPROOT = "bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr"
P2WSH = "bc1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qccfmv3"
GENESIS = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"
WIF = "KyZpNDKnfs94vbrwhJneDi77V6jF64PWPF8x5cdJb8ifgg2DUc9d"
WIF_UNCOMPRESSED = "5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTJ"


def read(text: str) -> bytes:
    return BITCOIN.parse_private_key(Secret.from_text(text)).reveal()


def test_a_key_is_read_from_wif_and_from_hex() -> None:
    key = BITCOIN.derive(phrase(), "bip84").private_key.reveal()
    assert read(WIF) == read(f" {WIF}\n") == read(key.hex()) == read("0x" + key.hex()) == key


@given(keys())
def test_what_is_exported_is_imported_on_the_same_network_only(key: bytes) -> None:
    for network, other, first in ((BITCOIN, TESTNET, "KL"), (TESTNET, BITCOIN, "c")):
        text = network.format_private_key(Secret(key))
        assert text.reveal_text()[0] in first
        assert network.parse_private_key(text).reveal() == key
        with pytest.raises(InvalidPrivateKeyError):
            other.parse_private_key(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        WIF[:-1],
        WIF[:-1] + "e",
        WIF + "1",
        "1" + WIF,
        WIF.lower(),
        WIF[:20] + " " + WIF[20:],
        WIF + "\0",
        WIF + "\0abc",
        "cULrpoZGXiuC19Uhvykx7NugygA3k86b3hmdCeyvHYQZSxojGyXJ",
        "xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi",
        "K" * 1_000_000,
        "11" * 31,
    ],
)
def test_what_is_not_a_key_is_refused(text: str) -> None:
    with pytest.raises(InvalidPrivateKeyError):
        read(text)


@pytest.mark.parametrize("suffix", [b"\0", b"\2", b"\1\1"])
def test_wif_that_means_neither_a_compressed_key_nor_another_is_refused(suffix: bytes) -> None:
    with pytest.raises(InvalidPrivateKeyError):
        read(base58.encode_check(b"\x80" + b"\1" * 32 + suffix))


@pytest.mark.parametrize("number", [0, ORDER, 2**256 - 1])
def test_a_key_outside_the_range_of_the_curve_is_refused(number: int) -> None:
    key = Secret(number.to_bytes(32))
    with pytest.raises(InvalidPrivateKeyError):
        read(key.reveal().hex())
    with pytest.raises(InvalidPrivateKeyError):
        read(base58.encode_check(b"\x80" + key.reveal() + b"\1"))
    with pytest.raises(InvalidPrivateKeyError):
        BITCOIN.format_private_key(key)
    for scheme in map(BITCOIN.scheme, BITCOIN.variants):
        with pytest.raises(InvalidPrivateKeyError):
            BITCOIN.public_half(key, scheme)


@given(keys())
def test_a_key_has_one_address_of_each_variant_on_each_network(key: bytes) -> None:
    """What finds the variant of a stored address: no two are the same, and each reads back as it was written."""
    addresses = set()
    for network, other, starts in (
        (BITCOIN, TESTNET, (("bc1q",), ("bc1p",), ("1",), ("3",))),
        (TESTNET, BITCOIN, (("tb1q",), ("tb1p",), ("m", "n"), ("2",))),
    ):
        for variant, start in zip(network.variants, starts, strict=True):
            address = network.public_half(Secret(key), network.scheme(variant)).address
            assert address.startswith(start)
            assert network.parse_address(address) == address
            with pytest.raises(InvalidAddressError):
                other.parse_address(address)
            addresses.add(address)
    assert len(addresses) == 8


def test_the_smallest_key_has_the_addresses_that_everybody_knows() -> None:
    one = Secret((1).to_bytes(32))
    assert BITCOIN.public_half(one, "bip44").address == "1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH"
    assert BITCOIN.public_half(one, "bip49").address == "3JvL6Ymt8MVWiCNHC7oWU6nLeHNJKLZGLN"
    assert BITCOIN.public_half(one, "bip84").address == "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"


@pytest.mark.parametrize("text", [ADDRESS, TAPROOT, P2WSH, GENESIS, "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy"])
def test_every_kind_of_address_is_read(text: str) -> None:
    assert BITCOIN.parse_address(text) == text
    with pytest.raises(InvalidAddressError):
        TESTNET.parse_address(text)


@pytest.mark.parametrize(
    "text",
    [
        "tb1q6rz28mcfaxtmd6v789l9rrlrusdprr9pqcpvkl",
        "tb1p8wpt9v4frpf3tkn0srd97pksgsxc5hs52lafxwru9kgeephvs7rqlqt9zj",
        "mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn",
        "2Mww8dCYPUpKHofjgcXcBCEGmniw9CoaiD2",
    ],
)
def test_every_kind_of_testnet_address_is_read(text: str) -> None:
    assert TESTNET.parse_address(text) == text
    with pytest.raises(InvalidAddressError):
        BITCOIN.parse_address(text)


def test_an_upper_case_bech32_address_comes_back_in_lower_case() -> None:
    assert BITCOIN.parse_address(ADDRESS.upper()) == ADDRESS
    assert BITCOIN.parse_address(TAPROOT.upper()) == TAPROOT


@pytest.mark.parametrize(
    "text",
    [
        "",
        "bc1",
        ADDRESS[:-1],
        ADDRESS[:-1] + "v",
        ADDRESS[:10] + ADDRESS[10:].upper(),
        ADDRESS.replace("bc1", "BC1"),
        " " + ADDRESS,
        ADDRESS + "\n",
        ADDRESS + "\0",
        ADDRESS[:-1] + "\ud800",
        ADDRESS.replace("bc1", "bcrt1"),
        "ltc1qjmxnz78nmc8nq77wuxh25n2es7rzm5c2rkk4wh",
        "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kemeawh",  # version 0 with the checksum of bech32m
        "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd",  # version 1 with that of bech32
        "bc1p38j9r5y49hruaue7wxjce0updqjuyyx0kh56v8s25huc6995vvpql3jow4",  # not in the alphabet
        "bc1pfeessrawgf",  # version 1, two bytes
        "BC1SW50QGDZ25J",  # version 16
        "bc1zw508d6qejxtdg4y5r3zarvaryvaxxpcs",  # version 2
        "BC1QR508D6QEJXTDG4Y5R3ZARVARYV98GJ9P",  # version 0, 16 bytes
        "bc1gmk9yu",  # no data
        GENESIS[:-1] + "b",
        GENESIS.lower(),
        GENESIS + "\0",
        WIF,
        "LdP8Qox1VAhCzLJNqrr74YovaWYyNBUWvL",  # litecoin
        "0x9858EfFD232B4033E47d90003D41EC34EcaEda94",
        "HAgk14JpMQLgt6rVgv7cBQFJWFto5Dqxi472uT3DKpqk",
        "bc1" + "q" * 1_000_000,
        "1" * 1_000_000,
    ],
)
def test_what_is_not_an_address_is_refused(text: str) -> None:
    with pytest.raises(InvalidAddressError):
        BITCOIN.parse_address(text)


@given(st.binary(min_size=20, max_size=20), st.integers(0, 255))
def test_a_base58_address_is_accepted_exactly_by_its_version(data: bytes, version: int) -> None:
    text = base58.encode_check(bytes((version,)) + data)
    if version in (0, 5):
        assert BITCOIN.parse_address(text) == text
    else:
        with pytest.raises(InvalidAddressError):
            BITCOIN.parse_address(text)


@given(st.text(max_size=100) | st.text("bc1qpzry9x8gf2tvdw0s3jn54khce6mua7lBC", max_size=100))
def test_any_text_is_read_or_refused(text: str) -> None:
    for network in TABLE:
        try:
            canonical = network.parse_address(text)
        except InvalidAddressError:
            continue
        assert network.parse_address(canonical) == canonical


@given(st.binary(min_size=32, max_size=32))
def test_bech32_reads_what_it_writes(program: bytes) -> None:
    for version in (0, 1):
        assert segwit_address.decode("bc", segwit_address.encode("bc", version, program)) == (version, program)


@given(st.binary(min_size=1, max_size=80), st.integers(0, 10))
def test_base58_reads_what_it_writes_leading_zeros_too(data: bytes, zeros: int) -> None:
    whole = bytes(zeros) + data
    assert base58.decode(base58.encode(whole)) == whole
    assert base58.decode_check(base58.encode_check(whole)) == whole


@pytest.mark.parametrize("text", ["", "0", "O", "I", "l", "1\0abc", " 1", "1 ", "é", "1" * 129])
def test_what_is_not_base58_is_refused(text: str) -> None:
    assert base58.decode(text) is None
    assert base58.decode_check(text) is None


def entries(name: str) -> list[dict[str, Any]]:
    return [entry for entry in published.load("bip44_49_84_86", name) if "address" in entry and "path" in entry]


@pytest.mark.usefixtures("vectors")
def test_published_addresses_of_bip_84() -> None:
    found = entries("bip-0084.json")
    assert len(found) == 3
    for entry in found:
        key = BITCOIN.derive(phrase(), "bip84", entry["path"]).private_key
        assert BITCOIN.format_private_key(key).reveal_text() == entry["privkey"]
        half = BITCOIN.public_half(key, "bip84")
        assert (half.public_key, half.address) == (entry["pubkey"], entry["address"])


@pytest.mark.usefixtures("vectors")
def test_published_addresses_of_bip_86() -> None:
    found = entries("bip-0086.json")
    assert len(found) == 3
    for entry in found:
        key = BITCOIN.derive(phrase(), "bip86", entry["path"]).private_key
        assert key.reveal() == ExtendedKey.parse(Secret.from_text(entry["xprv"])).key.reveal()
        half = BITCOIN.public_half(key, "bip86")
        assert (half.public_key[2:], half.address) == (entry["internal_key"], entry["address"])


@pytest.mark.usefixtures("vectors")
def test_published_testnet_address_of_bip_49() -> None:
    groups = published.load("bip44_49_84_86", "bip-0049.json")
    entry = next(group for group in groups if "account0recvPrivateKey" in group)
    assert entry["path"] == TESTNET.path("bip49")
    key = TESTNET.derive(phrase(), "bip49").private_key
    assert TESTNET.format_private_key(key).reveal_text() == entry["account0recvPrivateKey"]
    half = TESTNET.public_half(key, "bip49")
    assert "0x" + half.public_key == entry["account0recvPublicKeyHex"]
    assert half.address == groups[-1]["address"].removesuffix(" (testnet)")
    assert TESTNET.parse_address(half.address) == half.address


def test_an_uncompressed_wif_says_so_and_is_written_again() -> None:
    text = Secret.from_text(WIF_UNCOMPRESSED)
    key = BITCOIN.parse_private_key(text)
    assert BITCOIN.scheme_of_key(text, None) == "p2pkh-uncompressed"
    assert BITCOIN.format_private_key(key, "p2pkh-uncompressed").reveal_text() == WIF_UNCOMPRESSED
    for scheme in ("bip84", "bip86", "bip44", "bip49"):
        with pytest.raises(InvalidPrivateKeyError):
            BITCOIN.scheme_of_key(text, scheme)
    with pytest.raises(InvalidPrivateKeyError):
        BITCOIN.scheme_of_key(Secret.from_text(WIF), "p2pkh-uncompressed")
    assert BITCOIN.scheme_of_key(Secret.from_text(WIF), "bip49") == "bip49"
    assert BITCOIN.scheme_of_key(Secret.from_text("11" * 32), "p2pkh-uncompressed") == "p2pkh-uncompressed"
