from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable

import pytest
from bip_utils import AlgorandMnemonicDecoder, Bip39SeedGenerator, Bip44, Bip44Changes, Bip44Coins
from hypothesis import example, given
from hypothesis import strategies as st

from strongroom.crypto.phrase import words_of
from strongroom.errors import InvalidAddressError, InvalidMnemonicError, InvalidPathError, InvalidPrivateKeyError
from strongroom.networks import TABLE
from strongroom.networks.algorand.digest import sha512_256
from strongroom.networks.codecs import base32
from strongroom.secret import Secret
from strongroom.takeover.doctor.key_texts import KeyTextKind, read
from strongroom.usecases.import_key import ImportedKey, material_of
from testbed.networks.key_forms_by_coin import COINS, algorand_keypair, algorand_words
from testbed.networks.known import passphrases, phrase, phrases

ALGORAND, TESTNET = TABLE.get("algorand"), TABLE.get("algorand-testnet")
ADDRESS = "EP2D7TV7IAFANZHK3B6QLKB53N5UTD7RARVXZTWCPCRQQBKYVGM2XIMT2Q"
WORDS = (  # of the key of ADDRESS: algosdk, py-algorand-sdk
    "tone arrive december number smart output palm because cave nothing furnace seed jazz flame trouble crop chef "
    "oil culture gas spy cart sea abstract into"
)
GOLDEN = (  # py-algorand-sdk, js-algorand-sdk: their test account
    "advice pudding treat near rule blouse same whisper inner electric quit surface sunny dismiss leader blood seat "
    "clown cost exist hospital century reform able sponsor"
)
GOLDEN_ADDRESS = "47YPQTIGQEO7T4Y4RWDYWEKV6RTR2UNBQXBABEEGM72ESWDQNCQ52OPASU"
ZERO = "abandon " * 24 + "invest"  # py-algorand-sdk, test_zero_mnemonic
ENGLISH = words_of("english")
THIRTY_TWO = st.binary(min_size=32, max_size=32)


def secret(text: str) -> Secret:
    return Secret.from_text(text)


@given(phrases(), passphrases(), st.integers(0, 2**31 - 1))
def test_random_phrases_have_the_addresses_of_another_implementation(words: str, more: str, index: int) -> None:
    seed = Bip39SeedGenerator(words).Generate(more)
    theirs = Bip44.FromSeed(seed, Bip44Coins.ALGORAND).Purpose().Coin().Account(0).Change(Bip44Changes.CHAIN_EXT)
    ours = ALGORAND.derive(phrase(words, more), "slip10", ALGORAND.path("slip10", index))
    assert ours.path == f"m/44'/283'/0'/0'/{index}'"
    expected = theirs.AddressIndex(index).PublicKey().ToAddress()
    for network in (ALGORAND, TESTNET):
        assert network.public_half(ours.private_key, "slip10").address == expected


@pytest.mark.parametrize(("words", "address"), [(WORDS, ADDRESS), (GOLDEN, GOLDEN_ADDRESS)])
def test_published_words_have_the_published_address(words: str, address: str) -> None:
    key = ALGORAND.parse_private_key(secret(words))
    assert ALGORAND.public_half(key, "slip10").address == address
    assert ALGORAND.format_private_key(key).reveal_text() == words
    assert ALGORAND.parse_private_key(secret(ZERO)).reveal() == bytes(32)


@given(THIRTY_TWO)
@example(bytes(32))
@example(b"\xff" * 32)
def test_words_are_those_of_another_implementation(key: bytes) -> None:
    words = ALGORAND.format_private_key(Secret(key)).reveal_text()
    assert words == algorand_words(key)
    assert AlgorandMnemonicDecoder().Decode(words) == key
    for written in (words, f"\n{words} ", words.upper(), words.replace(" ", "\n"), words.replace(" ", "  ")):
        assert ALGORAND.parse_private_key(secret(written)).reveal() == key
    for written in (key.hex(), "0x" + key.hex(), algorand_keypair(key), f" {algorand_keypair(key)}\n"):
        assert ALGORAND.parse_private_key(secret(written)).reveal() == key


@given(THIRTY_TWO)
def test_the_hash_is_that_of_openssl(data: bytes) -> None:
    if "sha512_256" in hashlib.algorithms_available:
        assert sha512_256(data) == hashlib.new("sha512_256", data).digest()
    assert sha512_256(b"abc").hex() == "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23"  # FIPS 180-4


@given(THIRTY_TWO, st.integers(0, 24), st.integers(1, 2047))
def test_another_word_anywhere_is_refused_unless_the_checksum_says_otherwise(key: bytes, place: int, by: int) -> None:
    words = algorand_words(key).split()
    words[place] = ENGLISH[(ENGLISH.index(words[place]) + by) % 2048]
    text = " ".join(words)
    try:
        other = ALGORAND.parse_private_key(secret(text)).reveal()
    except InvalidPrivateKeyError:
        return
    assert other != key, "one word of 2,048 fits by chance"
    assert algorand_words(other) == text


def test_words_whose_bits_no_byte_has_are_refused() -> None:
    """The 24th word has eight bits that mean nothing: one key has one text."""
    words = WORDS.split()
    number = ENGLISH.index(words[23])
    assert number < 8
    words[23] = ENGLISH[number + 8]
    with pytest.raises(InvalidPrivateKeyError):
        ALGORAND.parse_private_key(secret(" ".join(words)))


@given(THIRTY_TWO, st.integers(0, 511))
def test_a_keypair_whose_halves_do_not_match_is_refused(key: bytes, bit: int) -> None:
    pair = bytearray(base64.b64decode(algorand_keypair(key)))
    pair[bit // 8] ^= 1 << bit % 8
    with pytest.raises(InvalidPrivateKeyError):
        ALGORAND.parse_private_key(secret(base64.b64encode(pair).decode()))


def test_25_words_are_a_key_and_24_are_a_phrase() -> None:
    with pytest.raises(InvalidMnemonicError):
        phrase(WORDS)
    material = material_of(ALGORAND, None, ImportedKey(secret(WORDS), None, None, None, None), None)
    assert (material.mnemonic, material.path) == (None, None)
    for count in (12, 24):
        words = " ".join(["abandon"] * (count - 1) + ["about" if count == 12 else "art"])
        with pytest.raises(InvalidPrivateKeyError) as caught:
            ALGORAND.parse_private_key(secret(words))
        assert "BIP-39" in caught.value.hint


def test_doctor_reads_the_words_in_plaintext() -> None:
    for text in (WORDS, WORDS.upper(), WORDS.replace(" ", "\n"), base64.b64encode(WORDS.encode()).decode()):
        found = read(text)
        assert found.kind in (KeyTextKind.KEY, KeyTextKind.ENCODED)
        assert found.key is not None
        assert ALGORAND.public_half(found.key, "slip10").address == ADDRESS
    assert read(f"{WORDS} word").key is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        ADDRESS,
        WORDS.rpartition(" ")[0],
        WORDS + " into",
        WORDS.replace("tone", "tonne"),
        WORDS.replace(" ", ","),
        WORDS + "\0",
        "abandon " * 25,
        "abandon " * 24 + "about",
        algorand_keypair(bytes(32))[:-1],
        algorand_keypair(bytes(32)).rstrip("="),
        base64.b64encode(bytes(32)).decode(),
        base64.urlsafe_b64encode(b"\xff" * 64).decode(),
        "ab" * 31,
        "ab" * 33,
        "tone " * 1_000_000,
    ],
)
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(InvalidPrivateKeyError):
        ALGORAND.parse_private_key(secret(text))


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_a_key_of_another_length_is_refused(size: int) -> None:
    verbs: tuple[Callable[[Secret], object], ...] = (
        lambda key: ALGORAND.public_half(key, "slip10"),
        ALGORAND.format_private_key,
    )
    for verb in verbs:
        with pytest.raises(InvalidPrivateKeyError):
            verb(Secret(b"\1" * size))


@pytest.mark.parametrize("path", ["m/44'/283'/0'/0/0", "m/44'/283'/0'/0'/0", "m/44/283/0/0/0", "m/0"])
def test_a_path_with_an_element_that_is_not_hardened_is_refused(path: str) -> None:
    with pytest.raises(InvalidPathError):
        ALGORAND.derive(phrase(), "slip10", path)


def changed(text: str, place: int) -> str:
    """One character changed for the next one of the alphabet."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    return text[:place] + alphabet[(alphabet.index(text[place]) + 1) % 32] + text[place + 1 :]


@given(THIRTY_TWO)
def test_an_address_is_read_as_it_is_written(key: bytes) -> None:
    address = COINS["algorand", None].address(key)
    assert ALGORAND.public_half(Secret(key), "slip10").address == address
    assert ALGORAND.parse_address(address) == TESTNET.parse_address(address) == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        ADDRESS[:-1],
        ADDRESS + "A",
        ADDRESS.lower(),
        ADDRESS + " ",
        "\t" + ADDRESS,
        ADDRESS + "\0",
        ADDRESS + "======",
        *(changed(ADDRESS, place) for place in (0, 1, 30, 51, 52, 57)),
        base32.encode(bytes(36)),
        base32.encode(bytes(35)),
        "GB3JDWCQJCWMJ3IILWIGDTQJJC5567PGVEVXSCVPEQOTDN64VJBDQBYX",  # Stellar's
        "A" * 1_000_000,
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(InvalidAddressError):
        ALGORAND.parse_address(text)
