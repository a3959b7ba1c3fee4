from __future__ import annotations

from collections.abc import Callable

import pytest
from bip_utils import (
    Base58Decoder,
    Base58Encoder,
    Bip32Slip10Secp256k1,
    Bip39SeedGenerator,
    Bip44,
    Bip44Changes,
    Bip44Coins,
)
from hypothesis import given
from hypothesis import strategies as st

from strongroom.errors import InvalidAddressError, InvalidPathError, InvalidPrivateKeyError
from strongroom.networks import TABLE
from strongroom.secret import Secret
from testbed.networks.key_forms_by_coin import COINS, edsk, edsk_keypair, spsk
from testbed.networks.known import ORDER, keys, passphrases, phrase, phrases

TEZOS = TABLE.get("tezos")
ADDRESS = "tz1VQA4RP4fLjEEMW2FR4pE9kAg5abb5h5GL"
SEED, KEYPAIR = (  # @taquito/signer, test/taquito-signer.spec.ts: one key in both forms
    "edsk4TjJWEszkHKono7XMnepVqwi37FrpbVt1KCsifJeAGimxheShG",
    "edskS8rh49SrQHQxMu5sVsyRXX3Kaodfgbk8qqtTFjxSg2tJbLEtbMnimfJzSz7TTZQeP7EMhZoegHbQWa548RcXJP9kn2J8P8",
)
KEY = "spsk2rBDDeUqakQ42nBHDGQTtP3GErb6AahHPwF9bhca3Q5KA5HESE"
KNOWN = {
    SEED: "tz1b9kV41KV9N3sp69ycLdSoZ2Ak8jXwtNPv",
    KEYPAIR: "tz1b9kV41KV9N3sp69ycLdSoZ2Ak8jXwtNPv",
    "edskS3DtVSbWbPD1yviMGebjYwWJtruMjDcfAZsH9uba22EzKeYhmQkkraFosFETmEMfFNVcDYQ5QbFerj9ozDKroXZ6mb5oxV": (
        "tz1RvhdZ5pcjD19vCCK9PgZpnmErTba3dsBs"
    ),
    "edsk3gUfUPyBSfrS9CCgmCiQsTCHGkviBDusMxDJstFtojtc1zcpsh": (
        "tz1KqTpEZ7Yob7QbPE4Hy4Wo8fHG8LhKxZSx"  # bootstrap1 of the sandbox
    ),
    KEY: "tz2Ch1abG7FNiibmV26Uzgdsnfni9XGrk5wD",
    "spsk33kCcKpgrvXRQJB2GVGxAMxrSEmwKXLh2KR4ztLcbaCnQq3FFs": "tz2JFbdFh1RVYuYX4gWbVQz9SAtqEZSwZaB8",
    "spsk24EJohZHJkZnWEzj3w9wE7BFARpFmq5WAo9oTtqjdJ2t4pyoB3": "tz2T7hMiWgLAtpsB1JXEP59h3QA8rNVAP1Ue",
}
TAQUITO = "prefer wait flock brown volume recycle scrub elder rate pair twenty giant"
P256 = "p2sk2obfVMEuPUnadAConLWk7Tf4Dt3n4svSgJwrgpamRqJXvaYcg1"
LOCKED = (  # docs of ecadlabs/signatory, yubihsm.md
    "edesk1GXwWmGjXiLHBKxGBxwmNvG21vKBh6FBxc4CyJ8adQQE2avP5vBB57ZUZ93Anm7i4k8RmsHaPzVAvpnHkFF",
    "spesk24UQkAiJk8X6AufNtRv1WWPp2BAssEgmijCTQPMgUXweSKPmLdbyAjPmCG1pR2dC9P5UZZVeZcb7zVodUHZ",
)
THIRTY_TWO = st.binary(min_size=32, max_size=32)


def secret(text: str) -> Secret:
    return Secret.from_text(text)


def written(prefix: str, data: bytes) -> str:
    return str(Base58Encoder.CheckEncode(bytes.fromhex(prefix) + data))


@pytest.mark.parametrize(
    ("scheme", "path", "address"),
    [  # @taquito/signer, test/taquito-signer.spec.ts
        ("slip10", "m/44'/1729'/0'/0'", "tz1e42w8ZaGAbM3gucbBy8iRypdbnqUj7oWY"),
        ("bip44", "m/44'/1729'/0'/0'", "tz2SxDTGnT3mHzaHf6mwy6Wtw1qUX1hzm1Sw"),
        ("bip44", "m/44'/1729'/0/0", "tz2X7pd16c4op3Ne2n4kgDXii4qHUZshguK6"),
    ],
)
def test_phrases_have_the_addresses_of_taquito(scheme: str, path: str, address: str) -> None:
    material = TEZOS.derive(phrase(TAQUITO), scheme, path)
    assert TEZOS.public_half(material.private_key, scheme).address == address


def test_a_phrase_of_the_fundraiser_has_the_address_of_taquito() -> None:
    words = "zone cheese venture sad marriage attitude borrow limit country agent away raven nerve laptop oven"
    made = phrase(words, "rtphpwty.yohjelcp@tezos.example.orgHMYlTEu0EF")
    material = TEZOS.derive(made, "raw-seed")
    assert TEZOS.public_half(material.private_key, "raw-seed").address == "tz1ZfrERcALBwmAqwonRXYVQBDT9BjNjBHJu"
    with pytest.raises(InvalidPathError):
        TEZOS.derive(made, "raw-seed", "m/44'/1729'/0'/0'")


@given(phrases(), passphrases(), st.integers(0, 2**31 - 1))
def test_random_phrases_have_the_addresses_of_another_implementation(words: str, more: str, index: int) -> None:
    seed = Bip39SeedGenerator(words).Generate(more)
    theirs = Bip44.FromSeed(seed, Bip44Coins.TEZOS).Purpose().Coin().Account(index)
    path = TEZOS.path("slip10", index)
    ours = TEZOS.derive(phrase(words, more), "slip10", path)
    expected = theirs.Change(Bip44Changes.CHAIN_EXT).PublicKey().ToAddress()
    assert TEZOS.public_half(ours.private_key, "slip10").address == expected
    tz2 = TEZOS.derive(phrase(words, more), "bip44", TEZOS.path("bip44", index))
    key = Bip32Slip10Secp256k1.FromSeedAndPath(seed, f"m/44'/1729'/{index}'/0'").PrivateKey().Raw().ToBytes()
    assert tz2.private_key.reveal() == key
    assert TEZOS.public_half(tz2.private_key, "bip44").address == COINS["tezos", "tz2"].address(key)


@pytest.mark.parametrize("text", KNOWN)
def test_a_key_text_has_the_address_that_others_show(text: str) -> None:
    scheme = TEZOS.scheme_of_key(secret(text), None)
    key = TEZOS.parse_private_key(secret(f" {text}\n"))
    assert scheme == ("bip44" if text.startswith("spsk") else "slip10")
    assert TEZOS.public_half(key, scheme).address == KNOWN[text]
    assert TEZOS.schemes_of(KNOWN[text])[0] == scheme
    again = TEZOS.format_private_key(key, scheme).reveal_text()
    assert again == (text if len(text) == 54 else edsk(key.reveal()))


@given(keys())
def test_key_texts_are_those_of_another_implementation(key: bytes) -> None:
    for text, scheme in ((edsk(key), "slip10"), (edsk_keypair(key), "slip10"), (spsk(key), "bip44")):
        assert TEZOS.parse_private_key(secret(text)).reveal() == key
        assert TEZOS.scheme_of_key(secret(text), None) == scheme
    assert TEZOS.format_private_key(Secret(key)).reveal_text() == edsk(key)
    assert TEZOS.format_private_key(Secret(key), "raw-seed").reveal_text() == edsk(key)
    assert TEZOS.format_private_key(Secret(key), "bip44").reveal_text() == spsk(key)


@pytest.mark.parametrize(
    ("text", "scheme"),
    [
        (SEED, "bip44"),
        (KEYPAIR, "bip44"),
        (KEY, "slip10"),
        (KEY, "raw-seed"),
        (LOCKED[0], "bip44"),
        (LOCKED[1], "slip10"),
    ],
)
def test_a_text_that_says_another_curve_is_refused(text: str, scheme: str) -> None:
    with pytest.raises(InvalidPrivateKeyError) as caught:
        TEZOS.scheme_of_key(secret(text), scheme)
    assert "tz1" in caught.value.hint


def test_digits_say_no_curve() -> None:
    for scheme in TEZOS.schemes:
        assert TEZOS.scheme_of_key(secret("ab" * 32), scheme) == scheme
    assert TEZOS.scheme_of_key(secret(SEED), "raw-seed") == "raw-seed"
    assert TEZOS.scheme_of_key(secret("ab" * 32), None) == "slip10"


@given(THIRTY_TWO, st.integers(0, 511))
def test_a_keypair_whose_halves_do_not_match_is_refused(seed: bytes, bit: int) -> None:
    body = bytearray(Base58Decoder.CheckDecode(edsk_keypair(seed))[4:])
    body[bit // 8] ^= 1 << bit % 8
    with pytest.raises(InvalidPrivateKeyError):
        TEZOS.parse_private_key(secret(written("2bf64e07", bytes(body))))


@pytest.mark.parametrize(
    "text",
    [
        "",
        ADDRESS,
        P256,
        *LOCKED,
        SEED[:-1],
        SEED + "1",
        SEED.replace("T", "U", 1),
        SEED.swapcase(),
        SEED + "\0",
        KEYPAIR[:-1],
        "edpkuhmrbunxumoiVdQuxBZUPMmwkPt7yLtY5Qnua3VJVTLWr3vXXa",  # a public key
        written("0d0f3a07", bytes(31)),
        written("0d0f3a07", bytes(33)),
        written("0d0f3a08", bytes(32)),
        written("2bf64e07", bytes(32)),
        written("11a2e0c9", bytes(32)),  # zero
        written("11a2e0c9", ORDER.to_bytes(32)),
        "ab" * 31,
        "ab" * 33,
        "e" * 1_000_000,
    ],
)
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(InvalidPrivateKeyError):
        TEZOS.parse_private_key(secret(text))


@pytest.mark.parametrize("text", LOCKED)
def test_a_key_under_a_password_is_refused_and_the_hint_says_how_it_is_given(text: str) -> None:
    with pytest.raises(InvalidPrivateKeyError) as caught:
        TEZOS.parse_private_key(secret(text))
    assert "password" in str(caught.value)
    assert "--keystore" in caught.value.hint


@pytest.mark.parametrize("size", [0, 31, 33, 64])
@pytest.mark.parametrize("scheme", ["slip10", "bip44", "raw-seed"])
def test_a_key_of_another_length_is_refused(size: int, scheme: str) -> None:
    verbs: tuple[Callable[[Secret, str], object], ...] = (TEZOS.public_half, TEZOS.format_private_key)
    for verb in verbs:
        with pytest.raises(InvalidPrivateKeyError):
            verb(Secret(b"\1" * size), scheme)


@pytest.mark.parametrize("path", ["m/44'/1729'/0'/0", "m/44'/1729'/0/0'", "m/44/1729/0/0", "m/0"])
def test_a_path_with_an_element_that_is_not_hardened_is_refused_on_ed25519(path: str) -> None:
    with pytest.raises(InvalidPathError):
        TEZOS.derive(phrase(), "slip10", path)


@pytest.mark.parametrize(
    ("text", "schemes"),
    [
        (ADDRESS, ("slip10", "raw-seed")),
        ("tz2Ch1abG7FNiibmV26Uzgdsnfni9XGrk5wD", ("bip44",)),
        ("tz3Lfm6CyfSTZ7EgMckptZZGiPxzs9GK59At", ()),
        ("tz4JmbuiJGyC2thisABCS59PnGr749dsP4WY", ()),
        (written("025a79", bytes(20)), ()),
    ],
)
def test_every_kind_of_account_is_an_address(text: str, schemes: tuple[str, ...]) -> None:
    assert TEZOS.parse_address(text) == text
    assert tuple(TEZOS.schemes_of(text)) == schemes


@pytest.mark.parametrize(
    "text",
    [
        "",
        SEED,
        ADDRESS[:-1],
        ADDRESS + "1",
        "1" + ADDRESS,
        ADDRESS.replace("Q", "R", 1),
        ADDRESS.swapcase(),
        ADDRESS + " ",
        "\t" + ADDRESS,
        ADDRESS + "\0",
        written("06a19f", bytes(19)),
        written("06a19f", bytes(21)),
        written("06a1a0", bytes(20)),
        written("00", bytes(20)),
        "tz1" * 300_000,
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(InvalidAddressError):
        TEZOS.parse_address(text)
