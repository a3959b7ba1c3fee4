from __future__ import annotations

import pytest

from strongroom.errors import InvalidPathError
from strongroom.networks.curves import ed25519, paths, slip10
from strongroom.secret import Secret
from testbed.networks import published

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


@pytest.mark.usefixtures("vectors")
def test_published_nodes() -> None:
    nodes = [
        (vector["seed"], chain)
        for vector in published.load("slip10", "slip10_vectors.json")
        for chain in vector["chains"]
        if vector["curve"] == "ed25519"
    ]
    assert len(nodes) == 12
    for seed, chain in nodes:
        node = slip10.derive_ed25519(Secret(bytes.fromhex(seed)), paths.parse(chain["path"]))
        assert node.key.reveal().hex() == chain["private"]
        assert node.chain_code.reveal().hex() == chain["chain_code"]
        point = ed25519.public_key(node.key.reveal())
        assert point is not None
        assert point.rjust(33, b"\0").hex() == chain["public"]
