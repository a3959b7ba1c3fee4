"""BIP32-Ed25519: published roots (CIP-3), and the tree of bip_utils."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strongroom.networks.curves import bip32_ed25519
from strongroom.networks.curves.paths import parse
from strongroom.secret import Secret
from testbed.harness.sizes import examples
from testbed.networks import cardano
from testbed.networks.known import phrase, phrases

WORDS = "eight country switch draw meat scout mystery blade tip drift useless good keep usage title"
ROOTS = {
    "": "c065afd2832cd8b087c4d9ab7011f481ee1e0721e78ea5dd609f3ab3f156d245d176bd8fd4ec60b4731c3918a2a72a02"
    "26c0cd119ec35b47e4d55884667f552a23f7fdcd4a10c6cd2c7393ac61d877873e248f417634aa3d812af327ffe9d620",
    "foo": "70531039904019351e1afb361cd1b312a4d0565d4ff9f8062d38acf4b15cce41d7b5738d9c893feea55512a3004acb0d"
    "222c35d3e3d5cde943a15a9824cbac59443cf67e589614076ba01e354b1a432e0e6db3b59e37fc56b5fb0222970a010e",
}
LEVELS = st.lists(st.tuples(st.integers(0, 2**31 - 1), st.booleans()), max_size=6)


@pytest.mark.parametrize("passphrase", ROOTS)
def test_roots_are_those_of_cip_3(passphrase: str) -> None:
    made = phrase(WORDS, passphrase)
    assert bip32_ed25519.icarus(made.entropy(), made.passphrase).reveal().hex() == ROOTS[passphrase]


@settings(max_examples=examples(25), deadline=None)
@given(phrases(), LEVELS)
def test_children_are_those_of_bip_utils(words: str, levels: list[tuple[int, bool]]) -> None:
    path = "/".join(["m", *(f"{number}{chr(39) if hardened else ''}" for number, hardened in levels)])
    ours = bip32_ed25519.derive(bip32_ed25519.icarus(phrase(words).entropy(), None), parse(path))
    theirs = cardano.root(words).DerivePath(path) if levels else cardano.root(words)
    assert ours.reveal() == cardano.extended(theirs)
    assert bip32_ed25519.public_key(ours) == theirs.PublicKey().RawCompressed().ToBytes()[1:]
    assert bip32_ed25519.public_key(Secret(ours.reveal()[:64])) == bip32_ed25519.public_key(ours)


@settings(max_examples=examples(25), deadline=None)
@given(phrases(), st.integers(0, 2**31 - 1))
def test_a_child_of_a_known_parent_is_the_one_at_its_path(words: str, number: int) -> None:
    root = bip32_ed25519.icarus(phrase(words).entropy(), None)
    above = bip32_ed25519.parent(bip32_ed25519.derive(root, parse("m/1'/0")))
    child = bip32_ed25519.plain_child(above, number)
    assert child.reveal() == bip32_ed25519.derive(root, parse(f"m/1'/0/{number}")).reveal()


@pytest.mark.parametrize("size", [0, 32, 63, 65, 95, 97])
def test_a_key_of_another_length_has_no_public_key(size: int) -> None:
    assert bip32_ed25519.public_key(Secret(b"\x40" * size)) is None


@pytest.mark.parametrize(("place", "bit"), [(0, 0), (0, 1), (0, 2), (31, 6), (31, 7)])
def test_a_scalar_with_a_wrong_bit_has_no_public_key(place: int, bit: int) -> None:
    key = bytearray(bip32_ed25519.icarus(phrase(WORDS).entropy(), None).reveal())
    assert bip32_ed25519.public_key(Secret(key)) is not None
    key[place] ^= 1 << bit
    assert bip32_ed25519.public_key(Secret(key)) is None
