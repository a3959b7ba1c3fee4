"""Where the index of a path stands, and how new keys begin."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.crypto.phrase import WORD_COUNTS, Phrase
from strongroom.errors import InvalidMnemonicError, InvalidPathError, UnknownVariantError
from strongroom.networks import TABLE
from strongroom.networks.curves.paths import HARDENED, parse
from testbed.networks.known import phrase

LAST = HARDENED - 1
SCHEMES = [(network.name, scheme) for network in TABLE for scheme in network.schemes]
WITH_PATH = [
    (name, scheme) for name, scheme in SCHEMES if scheme != "sr25519" and TABLE.get(name).path(scheme) is not None
]
"""In the tree of BIP-32; that of Substrate has its own tests."""


@pytest.mark.parametrize(
    ("network", "scheme", "index", "path", "address"),
    [
        ("ethereum", "bip44", 1, "m/44'/60'/0'/0/1", "0x6Fac4D18c912343BF86fa7049364Dd4E424Ab9C0"),
        ("ethereum", "bip44", LAST, "m/44'/60'/0'/0/2147483647", "0x8848bfC75a28756B521b09afDC120BdDddC7d7c9"),
        ("bitcoin", "bip84", 1, "m/84'/0'/0'/0/1", "bc1qnjg0jd8228aq7egyzacy8cys3knf9xvrerkf9g"),
        ("bitcoin", "bip44", 1, "m/44'/0'/0'/0/1", "1Ak8PffB2meyfYnbXZR9EGfLfFZVpzJvQP"),
        ("bitcoin-testnet", "bip84", 1, "m/84'/1'/0'/0/1", "tb1qd7spv5q28348xl4myc8zmh983w5jx32cjhkn97"),
        ("solana", "slip10", 1, "m/44'/501'/1'/0'", "Hh8QwFUA6MtVu1qAoq12ucvFHNwCcVTV7hpWjeY1Hztb"),
        ("solana", "slip10", 2, "m/44'/501'/2'/0'", "7WktogJEd2wQ9eH2oWusmcoFTgeYi6rS632UviTBJ2jm"),
    ],
)
def test_an_index_is_the_address_that_other_wallets_show_next(
    network: str, scheme: str, index: int, path: str, address: str
) -> None:
    entry = TABLE.get(network)
    assert entry.path(scheme, index) == path
    material = entry.derive(phrase(), scheme, entry.path(scheme, index))
    assert entry.public_half(material.private_key, scheme).address == address


@given(st.sampled_from(WITH_PATH), st.integers(1, LAST))
def test_an_index_changes_one_element_of_the_path_and_makes_another_key(where: tuple[str, str], index: int) -> None:
    name, scheme = where
    network = TABLE.get(name)
    first, path = parse(network.path(scheme) or ""), parse(network.path(scheme, index) or "")
    assert len(first) == len(path)
    (changed,) = ((old, new) for old, new in zip(first, path, strict=True) if old != new)
    assert changed in ((0, index), (HARDENED, HARDENED + index))
    one, other = (network.derive(phrase(), scheme, network.path(scheme, number)) for number in (0, index))
    assert one.private_key.reveal() != other.private_key.reveal()
    assert other.path == network.path(scheme, index)


@pytest.mark.parametrize(("name", "scheme"), SCHEMES)
def test_what_is_no_index_is_refused(name: str, scheme: str) -> None:
    assert TABLE.get(name).path(scheme, 1) == TABLE.get(name).path(scheme, 1)  # remembered
    others: list[Any] = [True, 1.0, "1", None]
    for index in (-1, HARDENED, 1 << 64, *others):
        with pytest.raises(InvalidPathError):
            TABLE.get(name).path(scheme, index)


@pytest.mark.parametrize("name", [network.name for network in TABLE])
def test_a_new_key_is_index_0_of_a_new_phrase(name: str) -> None:
    network = TABLE.get(name)
    for variant in network.variants:
        scheme = network.scheme(variant)
        material = network.new_material(scheme, 12)
        assert (material.scheme, material.path) == (scheme, network.path(scheme))
        assert material.mnemonic is not None
        again = network.derive(Phrase.parse(material.mnemonic), scheme)
        assert again.private_key.reveal() == material.private_key.reveal()
        assert network.new_material(scheme, 12).private_key.reveal() != material.private_key.reveal()


def test_the_randomness_of_a_new_key_is_an_argument() -> None:
    def randomness(size: int) -> bytes:
        return hashlib.shake_256(b"a stream that is known").digest(size)

    for words in WORD_COUNTS:
        material = TABLE.get("solana").new_material("slip10", words, randomness)
        assert material.mnemonic is not None
        assert material.mnemonic.reveal() == Phrase.generate(words, randomness).mnemonic.reveal()
        assert len(material.mnemonic.reveal_text().split()) == words
    with pytest.raises(ValueError, match="another number"):
        TABLE.get("solana").new_material("slip10", 12, lambda size: bytes(size - 1))


@pytest.mark.parametrize("name", [network.name for network in TABLE])
def test_an_unknown_number_of_words_or_scheme_makes_no_key(name: str) -> None:
    network = TABLE.get(name)
    with pytest.raises(InvalidMnemonicError):
        network.new_material(network.scheme(None), 13)
    with pytest.raises(UnknownVariantError):
        network.new_material("bip999", 12)
