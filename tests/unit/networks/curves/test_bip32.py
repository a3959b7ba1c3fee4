from __future__ import annotations

import hmac
from types import SimpleNamespace

import pytest

from strongroom.errors import InvalidPathError, InvalidPrivateKeyError
from strongroom.networks.codecs import base58
from strongroom.networks.curves import bip32, paths
from strongroom.networks.curves.extended_key import ExtendedKey
from strongroom.secret import Secret
from testbed.networks import published

SEED = Secret(bytes.fromhex("000102030405060708090a0b0c0d0e0f"))
ROOT = "xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi"
ROOT_PUBLIC = (
    "xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet8"
)
CHILD = (
    "xprv9wTYmMFdV23N2TdNG573QoEsfRrWKQgWeibmLntzniatZvR9BmLnvSxqu53Kw1UmYPxLgboyZQaXwTCg8MSY3H2EU4pWcQDnRnrVA1xe8fs"
)


def follow(seed: Secret, path: str) -> ExtendedKey:
    node = ExtendedKey.from_seed(seed)
    for number in paths.parse(path):
        node = node.child(number)
    return node


def parse(text: str) -> ExtendedKey:
    return ExtendedKey.parse(Secret.from_text(text))


def test_the_first_chain_of_the_standard() -> None:
    root = follow(SEED, "m")
    assert root.serialise().reveal_text() == ROOT
    assert root.public().serialise().reveal_text() == ROOT_PUBLIC
    child = follow(SEED, "m/0'/1")
    assert child.serialise().reveal_text() == CHILD
    assert bip32.derive(SEED, paths.parse("m/0'/1")).reveal() == child.key.reveal()
    assert child.key.reveal().hex() == "3c6cb8d0f6a264c91ea8b5030fadaa8e538b020f0a387421a12de9319dc93368"


def test_an_extended_key_survives_a_round_trip() -> None:
    for text in (ROOT, ROOT_PUBLIC, CHILD):
        assert parse(text).serialise().reveal_text() == text
    assert parse(ROOT).child(0x80000000).child(1).serialise().reveal_text() == CHILD


@pytest.mark.parametrize(
    "text",
    [
        "",
        "xprv",
        ROOT[:-1],
        ROOT[:-1] + "j",
        ROOT + " ",
        ROOT + "\0",
        ROOT.upper(),
        ROOT.replace("xprv", "zprv"),
        "xprv9s21ZrQH143K24Mfq5zL5MhWK9hUhhGbd45hLXo2Pq2oqzMMo63oStZzFGTQQD3dC4H2D5GBj7vWvSQaaBv5cxi9gafk7NF3pnBju6dwKvH",
        "xpub661MyMwAqRbcEYS8w7XLSVeEsBXy79zSzH1J8vCdxAZningWLdN3zgtU6Txnt3siSujt9RCVYsx4qHZGc62TG4McvMGcAUjeuwZdduYEvFn",
        "xprv9s2SPatNQ9Vc6GTbVMFPFo7jsaZySyzk7L8n2uqKXJen3KUmvQNTuLh3fhZMBoG3G4ZW1N2kZuHEPY53qmbZzCHshoQnNf4GvELZfqTUrcv",
        "zprvAWgYBBk7JR8Gjrh4UJQ2uJdG1r3WNRRfURiABBE3RvMXYSrRJL62XuezvGdPvG6GFBZduosCc1YP5wixPox7zhZLfiUm8aunE96BBa4Kei5",
        "é" * 111,
        "1" * 10_000,
    ],
)
def test_what_is_not_an_extended_key_is_refused(text: str) -> None:
    with pytest.raises(InvalidPrivateKeyError):
        parse(text)


@pytest.mark.parametrize("version", ["049d7878", "04b2430c", "04358394", "044a4e28", "045f18bc"])
def test_the_version_bytes_of_bip_49_and_84_and_of_testnet_are_refused(version: str) -> None:
    """yprv, zprv, tprv, uprv, vprv (SLIP-132): the version says an address kind; here the scheme does."""
    data = base58.decode_check(ROOT)
    assert data is not None
    with pytest.raises(InvalidPrivateKeyError):
        parse(base58.encode_check(bytes.fromhex(version) + data[4:]))


def test_undecodable_bytes_are_no_extended_key() -> None:
    with pytest.raises(InvalidPrivateKeyError):
        ExtendedKey.parse(Secret(b"\xff" * 111))


def test_a_public_key_has_no_private_child() -> None:
    with pytest.raises(InvalidPathError):
        parse(ROOT_PUBLIC).child(0)


def test_depth_255_has_no_child() -> None:
    deepest = follow(SEED, "m" + "/0'" * 255)
    assert parse(deepest.serialise().reveal_text()).depth == 255
    with pytest.raises(InvalidPathError):
        deepest.child(0)


def test_an_extended_key_does_not_print_its_key() -> None:
    assert "Secret" in repr(parse(CHILD))
    assert parse(CHILD).key.reveal().hex() not in repr(parse(CHILD))


def test_a_child_that_does_not_exist_is_refused_and_the_hint_says_next_index(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def too_large(key: bytes, data: bytes, digest: str) -> bytes:
        real = hmac.digest(key, data, digest)
        return real if key == b"Bitcoin seed" else b"\xff" * 32 + real[32:]

    monkeypatch.setattr(bip32, "hmac", SimpleNamespace(digest=too_large))
    with pytest.raises(InvalidPathError) as caught:
        bip32.derive(SEED, (0,))
    assert "next index" in caught.value.hint


def test_a_seed_without_a_root_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bip32, "hmac", SimpleNamespace(digest=lambda *_: bytes(64)))
    with pytest.raises(InvalidPathError):
        bip32.derive(SEED, (0,))
    with pytest.raises(InvalidPathError):
        ExtendedKey.from_seed(SEED)


@pytest.mark.usefixtures("vectors")
def test_published_chains() -> None:
    chains = [
        (vector["seed"], chain)
        for vector in published.load("bip32", "bip32_vectors.json")["valid"]
        for chain in vector["chains"]
    ]
    assert len(chains) == 17
    for seed, chain in chains:
        node = follow(Secret(bytes.fromhex(seed)), chain["path"])
        assert node.serialise().reveal_text() == chain["xprv"]
        assert node.public().serialise().reveal_text() == chain["xpub"]
        assert parse(chain["xprv"]).public().serialise().reveal_text() == chain["xpub"]
        assert parse(chain["xpub"]).serialise().reveal_text() == chain["xpub"]
        key = bip32.derive(Secret(bytes.fromhex(seed)), paths.parse(chain["path"]))
        assert key.reveal() == node.key.reveal()


@pytest.mark.usefixtures("vectors")
def test_published_extended_keys_that_must_be_refused() -> None:
    refused = published.load("bip32", "bip32_vectors.json")["invalid"]
    assert len(refused) == 16
    for vector in refused:
        with pytest.raises(InvalidPrivateKeyError):
            parse(vector["key"])
