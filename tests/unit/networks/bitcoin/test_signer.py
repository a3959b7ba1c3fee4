"""The curve: BIP-340 and Wycheproof; signatures that do not verify are thrown away."""

from __future__ import annotations

import base64
import csv
import hashlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.errors import SignatureFaultError
from strongroom.networks.bitcoin import signer
from strongroom.networks.curves import secp256k1
from strongroom.secret import Secret
from testbed.networks.bitcoin_payloads import KEY, OTHER, In, material, point, prepare, sign, simple, wallet
from testbed.networks.known import ORDER, keys
from testbed.networks.published import load
from tests.unit.networks.bitcoin.oracles import from_der

DIGEST = hashlib.sha256(b"strongroom").digest()


def test_signatures_of_bip_340_are_made_and_judged_as_published(vectors: Path) -> None:
    made = judged = 0
    with (vectors / "bip340" / "test-vectors.csv").open() as file:
        for row in csv.DictReader(file):
            message = bytes.fromhex(row["message"])
            if len(message) != 32:
                continue  # what is signed here is always a hash
            public, signature = bytes.fromhex(row["public key"]), bytes.fromhex(row["signature"])
            if row["secret key"]:
                key = Secret(bytes.fromhex(row["secret key"]))
                assert signer.schnorr(key, message, public, bytes.fromhex(row["aux_rand"])) == signature
                made += 1
            assert signer.verifies_schnorr(public, message, signature) == (row["verification result"] == "TRUE")
            judged += 1
    assert (made, judged) == (4, 15)


@pytest.mark.usefixtures("vectors")
def test_signatures_are_judged_as_wycheproof_does() -> None:
    judged = {"valid": 0, "invalid": 0, "acceptable": 0}
    for group in load("wycheproof", "ecdsa_secp256k1_sha256_bitcoin_test.json")["testGroups"]:
        public = signer.compressed(bytes.fromhex(group["publicKey"]["uncompressed"]))
        assert public is not None
        for each in group["tests"]:
            digest = hashlib.sha256(bytes.fromhex(each["msg"])).digest()
            compact = from_der(bytes.fromhex(each["sig"]))
            good = compact is not None and signer.verifies_ecdsa(public, digest, compact)
            judged[each["result"]] += 1
            assert good == (each["result"] == "valid"), each
    assert judged["valid"] > 100
    assert judged["invalid"] > 200
    assert judged["acceptable"] == 0


@given(keys(), st.binary(min_size=32, max_size=32))
def test_signatures_are_low_deterministic_and_verify(key: bytes, digest: bytes) -> None:
    made = signer.ecdsa(Secret(key), digest, point(key))
    assert made == signer.ecdsa(Secret(key), digest, point(key))
    assert 0 < int.from_bytes(made[:32]) < 2**255
    assert 0 < int.from_bytes(made[32:]) <= ORDER // 2
    assert len(signer.der(made)) <= 70
    assert from_der(signer.der(made)) == made
    assert signer.verifies_ecdsa(point(key), digest, made)
    assert not signer.verifies_ecdsa(point(key), bytes(32), made) or digest == bytes(32)
    number, recoverable = signer.recoverable(Secret(key), digest, point(key))
    assert 0 <= number <= 3
    assert signer.recover(digest, bytes((31 + number,)) + recoverable) == point(key)


@given(keys(), st.binary(min_size=32, max_size=32), st.none() | st.binary(min_size=32, max_size=32))
def test_a_tweaked_key_signs_for_its_output_key(key: bytes, digest: bytes, root: bytes | None) -> None:
    public = signer.output_key(point(key), root)
    assert public is not None
    if root is None:
        assert public == secp256k1.taproot_output(point(key))
    made = signer.schnorr(signer.tweaked(Secret(key), root), digest, public)
    assert signer.verifies_schnorr(public, digest, made)


def test_what_does_not_verify_with_the_public_key_is_thrown_away() -> None:
    with pytest.raises(SignatureFaultError):
        signer.ecdsa(Secret(KEY), DIGEST, point(OTHER))
    with pytest.raises(SignatureFaultError):
        signer.recoverable(Secret(KEY), DIGEST, point(OTHER))
    with pytest.raises(SignatureFaultError):
        signer.schnorr(Secret(KEY), DIGEST, point(OTHER)[1:])


@pytest.mark.parametrize("number", [0, ORDER, 2**256 - 1])
def test_a_key_out_of_range_signs_nothing(number: int) -> None:
    key = Secret(number.to_bytes(32))
    with pytest.raises(SignatureFaultError):
        signer.ecdsa(key, DIGEST, point(KEY))
    with pytest.raises(SignatureFaultError):
        signer.recoverable(key, DIGEST, point(KEY))
    with pytest.raises(SignatureFaultError):
        signer.schnorr(key, DIGEST, point(KEY)[1:])
    with pytest.raises(SignatureFaultError):
        signer.tweaked(key)


def test_points_are_compressed_and_checked() -> None:
    long = secp256k1.decompress(point(KEY))
    assert signer.compressed(long) == signer.compressed(point(KEY)) == point(KEY)
    for wrong in (
        b"",
        b"\2" + (5).to_bytes(32),
        long[:-1],
        b"\6" + long[1:],
        long[:-1] + bytes((long[-1] ^ 2,)),
        point(KEY)[1:],
    ):
        assert signer.compressed(wrong) is None


@pytest.mark.parametrize("kind", ["psbt", "message", "digest"])
def test_auxiliary_randomness_is_fresh_for_each_taproot_signature_where_it_is_wanted(kind: str) -> None:
    payload = {"psbt": simple(In("p2tr"), In("p2tr"), In()).psbt(), "message": b"hello", "digest": DIGEST}[kind]
    asked: list[int] = []

    def counted(size: int) -> bytes:
        asked.append(size)
        return bytes((len(asked),)) * size

    plain = prepare(wallet("p2tr"), kind, payload)
    assert plain.sign(material()) == sign(wallet("p2tr"), kind, payload, auxiliary_randomness=False)
    wanted: Any = prepare(wallet("p2tr"), kind, payload, auxiliary_randomness=True)
    assert wanted.digest == plain.digest
    made = wanted.sign(material(), counted)
    assert asked == [32] * (2 if kind == "psbt" else 1)
    assert made != plain.sign(material())
    assert wanted.sign(material()) != wanted.sign(material()), "the operating system's, each time"
    key = signer.tweaked(Secret(KEY))
    public = signer.output_key(point(KEY)) or b""
    if kind == "psbt":
        digests = [each.digest for each in wanted.spends[:2]]
        signatures = [bytes.fromhex(each.signature) for each in made.signatures[:2]]
        assert made.signatures[2] == plain.sign(material()).signatures[2]  # type: ignore[attr-defined]
    elif kind == "message":
        digests, signatures = [wanted.digest], [base64.b64decode(made.signature[3:])[2:66]]
    else:
        digests, signatures = [wanted.digest], [made.signature]
    for number, (digest, signature) in enumerate(zip(digests, signatures, strict=True), 1):
        assert signature == signer.schnorr(key, digest, public, bytes((number,)) * 32)
        assert signer.verifies_schnorr(public, digest, signature)


def test_auxiliary_randomness_of_another_length_signs_nothing() -> None:
    wanted: Any = prepare(wallet("p2tr"), "digest", DIGEST, auxiliary_randomness=True)
    with pytest.raises(SignatureFaultError):
        wanted.sign(material(), lambda _: b"short")
