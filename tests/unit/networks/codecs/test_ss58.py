from __future__ import annotations

import pytest
from bip_utils import Base58Encoder, Ed25519PrivateKey, SubstrateEd25519AddrEncoder
from hypothesis import given
from hypothesis import strategies as st

from strongroom.networks.codecs import ss58

ALICE = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"
ACCOUNT = bytes.fromhex("d43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d")
PREFIXES = st.integers(0, 16383).filter(lambda prefix: prefix not in (46, 47))


def test_the_published_account_has_its_address_on_each_network() -> None:
    for prefix, address in (
        (42, ALICE),
        (0, "15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp5"),
        (2, "HNZata7iMYWmk5RvZRTiAsSDhV8366zq2YGb3tLH5Upf74F"),
    ):
        assert ss58.encode(prefix, ACCOUNT) == address
        assert ss58.decode(address) == (prefix, ACCOUNT)


@given(PREFIXES, st.binary(min_size=32, max_size=32))
def test_what_is_written_is_read(prefix: int, account: bytes) -> None:
    assert ss58.decode(ss58.encode(prefix, account)) == (prefix, account)


@given(PREFIXES, st.binary(min_size=32, max_size=32))
def test_bip_utils_writes_the_same(prefix: int, key: bytes) -> None:
    public = Ed25519PrivateKey.FromBytes(key).PublicKey()
    theirs = SubstrateEd25519AddrEncoder.EncodeKey(public, ss58_format=prefix)
    assert ss58.encode(prefix, public.RawCompressed().ToBytes()[1:]) == theirs


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        ALICE[:-1],
        ALICE + "1",
        "1" + ALICE,
        ALICE[:-1] + "Z",
        ALICE + "\0",
        " " + ALICE,
        ALICE.replace("G", "0", 1),
        ss58.encode(0, ACCOUNT[:-1]),
        ss58.encode(0, ACCOUNT + b"\0"),
        ss58.encode(46, ACCOUNT),  # reserved
        ss58.encode(47, ACCOUNT),
        Base58Encoder.Encode(b"\x40\x00" + ACCOUNT + ss58._checksum(b"\x40\x00" + ACCOUNT)),  # prefix 0 in two bytes
        Base58Encoder.Encode(b"\x80\x00" + ACCOUNT + ss58._checksum(b"\x80\x00" + ACCOUNT)),  # reserved first byte
        Base58Encoder.Encode(b"\x2a" + ACCOUNT + b"\0\0"),
        "z" * 1_000_000,
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    assert ss58.decode(text) is None
