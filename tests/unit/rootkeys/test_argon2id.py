"""Argon2id: the published answers, and the bounds of what is computed."""

from __future__ import annotations

import nacl.pwhash.argon2id
import pytest
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.kdf import argon2
from hypothesis import given
from hypothesis import strategies as st

from strongroom.crypto import jwe
from strongroom.errors import RootKeyError
from strongroom.rootkeys import argon2id
from strongroom.rootkeys.argon2id import Parameters
from strongroom.secret import Secret
from testbed.failure_report import failure_report

SALT = bytes(range(16))
MEMBERS = argon2id.profile(SALT).members()


def test_the_answer_of_rfc_9106() -> None:
    """Section 5.3; it takes a secret value and associated data, which wraps do not use."""
    tag = argon2.Argon2id(
        salt=b"\2" * 16, length=32, iterations=3, lanes=4, memory_cost=32, secret=b"\3" * 8, ad=b"\4" * 12
    ).derive(b"\1" * 32)
    assert tag.hex() == "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659"


def test_the_answer_of_the_reference_implementation() -> None:
    """phc-winner-argon2, test.c: Argon2id, version 0x13, t=2, m=2^16, p=1."""
    stretched = argon2id.stretch(Secret(b"password"), Parameters(2, 1, 65536, b"somesalt"))
    assert stretched.reveal().hex() == "09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7"


@pytest.mark.parametrize("passphrase", [b"", b"correct horse", "Grüße 😀".encode(), bytes(range(256))])
def test_another_library_stretches_the_same(passphrase: bytes) -> None:
    expected = nacl.pwhash.argon2id.kdf(32, passphrase, SALT, opslimit=3, memlimit=19 * 1024 * 1024)
    assert argon2id.stretch(Secret(passphrase), Parameters(3, 1, 19 * 1024, SALT)).reveal() == expected


def test_new_wraps_get_the_second_profile_of_rfc_9106() -> None:
    assert argon2id.profile(SALT) == Parameters(passes=3, lanes=4, memory_kib=65536, salt=SALT)
    assert argon2id.profile(SALT).is_profile
    assert not Parameters(4, 4, 65536, SALT).is_profile
    assert list(MEMBERS.items()) == [
        ("kdf", "argon2id"),
        ("t", "3"),
        ("p", "4"),
        ("m", "65536"),
        ("salt", "AAECAwQFBgcICQoLDA0ODw"),
    ]


@given(
    st.integers(*argon2id.PASSES),
    st.integers(*argon2id.LANES),
    st.integers(*argon2id.MEMORY_KIB),
    st.binary(min_size=16, max_size=16),
)
def test_parameters_within_the_bounds_are_read_back(passes: int, lanes: int, memory_kib: int, salt: bytes) -> None:
    parameters = Parameters(passes, lanes, memory_kib, salt)
    assert argon2id.of_header({"kid": "x", **parameters.members()}) == parameters


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("kdf", "argon2i"),
        ("kdf", "Argon2id"),
        ("kdf", "scrypt"),
        ("t", "1"),
        ("t", "0"),
        ("t", "11"),
        ("t", "4294967296"),
        ("t", "03"),
        ("t", "3.0"),
        ("t", "+3"),
        ("t", "3 "),
        ("t", "٣"),
        ("t", ""),
        ("t", "9" * 10_000),
        ("p", "0"),
        ("p", "17"),
        ("p", "16777216"),
        ("m", "19455"),
        ("m", "1048577"),
        ("m", "4294967295"),
        ("m", "65536KiB"),
        ("m", "0x10000"),
        ("salt", ""),
        ("salt", jwe.encode_segment(SALT[:15])),
        ("salt", jwe.encode_segment(SALT + b"\0")),
        ("salt", "AAECAwQFBgcICQoLDA0ODx"),  # unused bits are set
        ("salt", "AAECAwQFBgcICQoLDA0ODw=="),
        ("salt", "é" * 22),
    ],
)
def test_parameters_that_are_malformed_or_out_of_bounds_are_none(name: str, value: str) -> None:
    assert argon2id.of_header(MEMBERS) is not None
    assert argon2id.of_header({**MEMBERS, name: value}) is None
    assert argon2id.of_header({key: text for key, text in MEMBERS.items() if key != name}) is None


@pytest.mark.parametrize(
    ("error", "advice"), [(MemoryError("1024 MB"), "64 MiB"), (UnsupportedAlgorithm("no"), "OpenSSL 3.2")]
)
def test_what_the_machine_cannot_do_is_a_typed_error(
    monkeypatch: pytest.MonkeyPatch, error: Exception, advice: str
) -> None:
    def failing(**_: object) -> None:
        raise error

    monkeypatch.setattr(argon2, "Argon2id", failing)
    report = failure_report(argon2id.stretch, Secret(b"correct horse"), argon2id.profile(SALT))
    assert advice in report
    assert "correct horse" not in report
    with pytest.raises(RootKeyError):
        argon2id.stretch(Secret(b"correct horse"), argon2id.profile(SALT))
