from __future__ import annotations

import hmac
from types import SimpleNamespace

import pytest

from strongroom.errors import InvalidPathError
from strongroom.networks import bip32, ed25519, paths, secp256k1, slip10
from strongroom.secret import Secret
from tests.unit.networks import published
from tests.unit.networks.known import ORDER

SEED = Secret(bytes.fromhex("000102030405060708090a0b0c0d0e0f"))


@pytest.mark.parametrize(
    ("path", "chain_code", "key"),
    [
        (
            "m",
            "90046a93de5380a72b5e45010748567d5ea02bbf6522f979e05c0d8d8ca9fffb",
            "2b4be7f19ee27bbf30c667b642d5f4aa69fd169872f8fc3059c08ebae2eb19e7",
        ),
        (
            "m/0'",
            "8b59aa11380b624e81507a27fedda59fea6d0b779a778918a2fd3590e16e9c69",
            "68e0fe46dfb67e368c75379acec591dad19df3cde26e63b93a8e704f1dade7a3",
        ),
    ],
)
def test_the_first_ed25519_nodes_of_the_standard(path: str, chain_code: str, key: str) -> None:
    node = slip10.derive_ed25519(SEED, paths.parse(path))
    assert (node.chain_code.reveal().hex(), node.key.reveal().hex()) == (chain_code, key)


@pytest.mark.parametrize("path", ["m/0", "m/44'/501'/0", "m/44/501'/0'/0'", "m/44'/501'/0'/0"])
def test_an_element_that_is_not_hardened_is_refused_on_ed25519(path: str) -> None:
    with pytest.raises(InvalidPathError):
        slip10.derive_ed25519(SEED, paths.parse(path))


def test_secp256k1_equals_bip32_where_nothing_is_tried_again() -> None:
    path = paths.parse("m/44'/60'/0'/0/5")
    assert slip10.derive_secp256k1(SEED, path).key.reveal() == bip32.derive(SEED, path).reveal()


def test_a_root_out_of_range_is_hashed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    first = ORDER.to_bytes(32) + b"r" * 32

    def digest(key: bytes, data: bytes, name: str) -> bytes:
        return first if data == SEED.reveal() else hmac.digest(key, data, name)

    monkeypatch.setattr(slip10, "hmac", SimpleNamespace(digest=digest))
    again = hmac.digest(b"Bitcoin seed", first, "sha512")
    node = slip10.derive_secp256k1(SEED, ())
    assert (node.key.reveal(), node.chain_code.reveal()) == (again[:32], again[32:])


@pytest.mark.parametrize("left", ["too large", "sum zero"])
@pytest.mark.parametrize("number", [0, 0x80000001])
def test_a_child_out_of_range_is_hashed_again(monkeypatch: pytest.MonkeyPatch, left: str, number: int) -> None:
    root = slip10.derive_secp256k1(SEED, ())
    key = root.key.reveal()
    useless = ORDER if left == "too large" else ORDER - int.from_bytes(key)
    first = useless.to_bytes(32) + b"r" * 32

    digests = iter((hmac.digest(b"Bitcoin seed", SEED.reveal(), "sha512"), first))

    def digest(chain_code: bytes, data: bytes, name: str) -> bytes:
        return next(digests, None) or hmac.digest(chain_code, data, name)

    monkeypatch.setattr(slip10, "hmac", SimpleNamespace(digest=digest))
    data = b"\1" + b"r" * 32 + number.to_bytes(4)
    again = hmac.digest(root.chain_code.reveal(), data, "sha512")
    node = slip10.derive_secp256k1(SEED, (number,))
    assert node.key.reveal() == secp256k1.add(key, again[:32])
    assert node.chain_code.reveal() == again[32:]


def test_published_nodes_of_the_two_curves() -> None:
    nodes = [
        (vector["curve"], vector["seed"], chain)
        for vector in published.load("slip10", "slip10_vectors.json")
        for chain in vector["chains"]
        if vector["curve"] in ("secp256k1", "ed25519")
    ]
    assert len(nodes) == 24
    for curve, seed, chain in nodes:
        derive = slip10.derive_ed25519 if curve == "ed25519" else slip10.derive_secp256k1
        node = derive(Secret(bytes.fromhex(seed)), paths.parse(chain["path"]))
        assert node.key.reveal().hex() == chain["private"]
        assert node.chain_code.reveal().hex() == chain["chain_code"]
        public = ed25519.public_key if curve == "ed25519" else secp256k1.public_key
        point = public(node.key.reveal())
        assert point is not None
        assert point.rjust(33, b"\0").hex() == chain["public"]
