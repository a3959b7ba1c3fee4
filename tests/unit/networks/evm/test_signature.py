"""The proof before release, faults, other keys; Wycheproof for the verification that the proof is made with."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from hypothesis import given
from hypothesis import strategies as st

from strongroom.errors import SignatureFaultError, SignatureRefusedError
from strongroom.networks import wally
from strongroom.networks.evm import eip55, signature
from strongroom.networks.evm.signature import HALF_ORDER, ExpectedSigner
from strongroom.records.signing import SigningRequest
from testbed.networks import evm_payloads as made
from testbed.networks import preparing, published
from testbed.networks.known import ORDER, keys

DIGEST = hashlib.sha256(b"what is signed").digest()
OTHER = b"\7" * 32


@given(keys(), st.binary(min_size=32, max_size=32))
def test_a_signature_is_low_deterministic_and_of_its_key_only(key: bytes, digest: bytes) -> None:
    owner = signature.owner(made.wallet(key))
    y_parity, r_s = signature.sign(made.material(key), digest, owner)
    assert signature.sign(made.material(key), digest, owner) == (y_parity, r_s)
    r, s = int.from_bytes(r_s[:32]), int.from_bytes(r_s[32:])
    assert 0 < s <= HALF_ORDER
    assert signature.verifies(digest, y_parity, r_s, owner)
    assert signature.verifies(digest, y_parity, r_s, ExpectedSigner(owner.address, None))
    high = r.to_bytes(32) + (ORDER - s).to_bytes(32)
    assert not signature.verifies(digest, 1 - y_parity, high, owner)
    assert not signature.verifies(digest, 1 - y_parity, r_s, owner)
    assert not signature.verifies(bytes(31) + b"\1", y_parity, r_s, owner)
    assert not signature.verifies(digest, y_parity, r_s, signature.owner(made.wallet(OTHER)))


def _numbers(encoded: bytes) -> tuple[int, int] | None:
    """r and s of DER, strictly: what is written otherwise is another encoding, not a signature of ours."""
    try:
        r, s = decode_dss_signature(encoded)
    except ValueError:
        return None
    return (r, s) if 0 <= r < 2**256 and 0 <= s < 2**256 else None


@pytest.mark.usefixtures("vectors")
def test_wycheproof_ecdsa_secp256k1() -> None:
    """The vectors of Bitcoin's variant: s in the lower half. They carry no y parity: one of the two must fit."""
    groups = published.load("wycheproof", "ecdsa_secp256k1_sha256_bitcoin_test.json")["testGroups"]
    checked = {"valid": 0, "invalid": 0}
    for group in groups:
        uncompressed = bytes.fromhex(group["publicKey"]["uncompressed"])
        point = bytes((2 + uncompressed[64] % 2,)) + uncompressed[1:33]
        owner = ExpectedSigner(eip55.point_address(point), point)
        for test in group["tests"]:
            digest = hashlib.sha256(bytes.fromhex(test["msg"])).digest()
            numbers = _numbers(bytes.fromhex(test["sig"]))
            if numbers is None:
                assert test["result"] == "invalid", test["tcId"]
                continue
            r_s = numbers[0].to_bytes(32) + numbers[1].to_bytes(32)
            fits = [signature.verifies(digest, y_parity, r_s, owner) for y_parity in (0, 1)]
            if sum(fits) != (test["result"] == "valid"):
                # r is the x coordinate of a point beyond the order: Ethereum has no y parity for it.
                assert test["result"] == "valid" and sum(fits) == 0 and numbers[0] < 2**256 - ORDER, test  # noqa: PT018
            checked[test["result"]] += 1
    assert checked["valid"] > 100
    assert checked["invalid"] > 50


def test_another_key_is_refused() -> None:
    prepared = made.prepare("transaction", made.LEGACY)
    for key in (OTHER, bytes(32), ORDER.to_bytes(32), b"\xff" * 32, b"\1" * 31, b""):
        with pytest.raises(SignatureRefusedError):
            prepared.sign(made.material(key))


class _Faulty:
    """wallycore, one of whose answers is spoilt."""

    def __init__(self, spoil: str, spoilt: Any) -> None:
        self._spoil, self._spoilt = spoil, spoilt

    def __getattr__(self, name: str) -> Any:
        function = getattr(wally.library(), name)
        return (lambda *args: self._spoilt(function(*args))) if name == self._spoil else function


def _flip(at: int) -> Any:
    def spoilt(answer: bytearray) -> bytearray:
        answer[at] ^= 1
        return answer

    return spoilt


def _raise(_: object) -> bytearray:
    raise ValueError("of the library")


@pytest.mark.parametrize("name", ["ec_sig_from_bytes", "ec_sig_to_public_key"])
@pytest.mark.parametrize("spoilt", [_flip(1), _flip(32), _raise], ids=["first", "last", "raised"])
@pytest.mark.parametrize("kind", ["transaction", "message", "typed-data", "authorization", "digest"])
def test_a_fault_is_thrown_away(kind: str, name: str, spoilt: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    payloads = {
        "transaction": made.DYNAMIC_FEE,
        "message": "hello",
        "typed-data": made.MAIL,
        "authorization": {"chainId": 1, "address": made.TO, "nonce": 0},
        "digest": DIGEST,
    }
    prepared = made.prepare(kind, payloads[kind])
    monkeypatch.setattr(signature, "library", lambda: _Faulty(name, spoilt))
    with pytest.raises(SignatureFaultError):
        prepared.sign(made.material())


@pytest.mark.parametrize("header", [*range(31), 33, 34, 35, 255])
def test_a_header_that_is_none_is_a_fault(header: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def spoilt(answer: bytearray) -> bytearray:
        answer[0] = header
        return answer

    prepared = made.prepare("digest", DIGEST)
    monkeypatch.setattr(signature, "library", lambda: _Faulty("ec_sig_from_bytes", spoilt))
    with pytest.raises(SignatureFaultError):
        prepared.sign(made.material())


# --- the wallet's row ----------------------------------------------------------------------------------------


def test_a_public_key_in_another_form_leaves_the_address_to_decide() -> None:
    whole = made.wallet()
    expected = made.transaction(made.LEGACY)
    for public_key in ("", "04" + "ab" * 64, "0x" + whole.public_key, "zz" * 33, "00" * 33):
        row = made.wallet(public_key=public_key)
        prepared = preparing.prepare(made.network(), row, SigningRequest("transaction", made.LEGACY))
        assert prepared.sign(made.material()) == expected
        with pytest.raises(SignatureRefusedError):
            prepared.sign(made.material(OTHER))


def test_a_row_that_contradicts_itself_is_refused() -> None:
    other = made.wallet(OTHER)
    rows: tuple[dict[str, Any], ...] = (
        {"address": other.address},
        {"public_key": other.public_key},
        {"address": ""},
        {"address": "0x12"},
    )
    for changes in rows:
        with pytest.raises(SignatureRefusedError):
            preparing.prepare(made.network(), made.wallet(**changes), SigningRequest("message", b""))
    with pytest.raises(SignatureRefusedError):
        preparing.prepare(made.network("polygon"), made.wallet(), SigningRequest("message", b""))


def test_an_address_without_its_checksum_is_the_same_address() -> None:
    row = made.wallet(address=made.wallet().address.lower())
    payload = {**made.LEGACY, "from": made.wallet().address}
    prepared = preparing.prepare(made.network(), row, SigningRequest("transaction", payload))
    assert prepared.sign(made.material()) == made.transaction(made.LEGACY)


def test_the_result_as_json() -> None:
    signed = made.signature("message", "hello")
    shown = json.loads(json.dumps(signed.as_dict()))
    assert bytes.fromhex(shown["signature"][2:]) == signed.signature
    assert int(shown["r"], 16) == signed.r
    assert int(shown["s"], 16) == signed.s
    assert (shown["v"], shown["y_parity"]) == (signed.v, signed.y_parity)
    assert shown["v"] == 27 + shown["y_parity"]
