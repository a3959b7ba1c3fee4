from __future__ import annotations

import pickle
import subprocess
import sys
import unicodedata
from collections.abc import Callable
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mnemonic import Mnemonic

from strongroom.crypto.phrase import LANGUAGES, WORD_COUNTS, Phrase
from strongroom.errors import InvalidMnemonicError
from strongroom.secret import Secret
from testbed.failure_report import failure_report, forms
from testbed.harness.sizes import examples
from testbed.networks import published
from testbed.networks.known import ABANDON, passphrases, phrase, phrases

JAPANESE = "あいこくしん　" * 11 + "あおぞら"
JAPANESE_SEED = (
    "a262d6fb6122ecf45be09c50492b31f92e9beb7d9a845987a02cefda57a15f9c"
    "467a17872029a9e92299b5cbdf306e3a0ee620245cbd508959b6cb7ca637bd55"
)
TWO_LANGUAGES = (
    "civil festival festival palace rival concert distance panda junior unique spatial science"  # French too
)
BOTH_CHINESE = "班 湖 衡 爹 仔 渡 域 物 啦 兵 收 洪"
Form = Literal["NFC", "NFD", "NFKC", "NFKD"]
EVERY_FORM: tuple[Form, ...] = ("NFC", "NFD", "NFKC", "NFKD")


def test_the_seed_of_the_standard_phrase() -> None:
    assert phrase(ABANDON, "TREZOR").seed().reveal().hex().startswith("c55257c360c07c72029aebc1b53c05ed")
    assert phrase(ABANDON).seed().reveal().hex().startswith("5eb00bbddcf069084889a8ab9155568165f5c453")
    assert phrase(ABANDON).entropy().reveal() == bytes(16)


def test_an_empty_passphrase_is_none() -> None:
    assert phrase(ABANDON, "").passphrase is None
    assert Phrase.parse(Secret.from_text(ABANDON)).passphrase is None


def test_white_space_around_and_between_words_is_folded() -> None:
    spread = "\n\t " + ABANDON.replace(" ", " \u3000\r\n ") + "\xa0"
    assert phrase(spread).mnemonic.reveal_text() == ABANDON


def test_white_space_in_the_passphrase_counts() -> None:
    assert phrase(ABANDON, " ").seed().reveal() != phrase(ABANDON).seed().reveal()
    assert phrase(ABANDON, "a ").seed().reveal() != phrase(ABANDON, "a").seed().reveal()


@pytest.mark.parametrize("form", EVERY_FORM)
def test_japanese_is_read_in_every_normal_form(form: Form) -> None:
    words, passphrase = (unicodedata.normalize(form, t) for t in (JAPANESE, "㍍ガバヴァぱばぐゞちぢ十人十色"))
    made = phrase(words, passphrase)
    assert made.seed().reveal().hex() == JAPANESE_SEED
    assert " " in made.mnemonic.reveal_text()
    assert "\u3000" not in made.mnemonic.reveal_text()


@pytest.mark.parametrize("words", WORD_COUNTS)
def test_a_generated_phrase_is_one_that_is_accepted(words: int) -> None:
    made = Phrase.generate(words)
    assert len(made.mnemonic.reveal_text().split()) == words
    assert Phrase.parse(made.mnemonic).entropy().reveal() == made.entropy().reveal()
    assert len(made.entropy().reveal()) == words * 4 // 3
    assert made.passphrase is None


def test_randomness_is_an_argument() -> None:
    made = Phrase.generate(12, random_bytes=bytes)
    assert made.mnemonic.reveal_text() == ABANDON


def test_two_generated_phrases_differ() -> None:
    assert Phrase.generate().mnemonic.reveal() != Phrase.generate().mnemonic.reveal()


@pytest.mark.parametrize("words", [-12, 0, 1, 11, 13, 25, 48])
def test_another_number_of_words_is_not_generated(words: int) -> None:
    with pytest.raises(InvalidMnemonicError):
        Phrase.generate(words)


@pytest.mark.parametrize("size", [0, 15, 17])
def test_a_source_of_randomness_that_returns_another_length_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="another number of bytes"):
        Phrase.generate(12, random_bytes=lambda _: bytes(size))


@settings(deadline=None, max_examples=examples(50))
@given(st.sampled_from(LANGUAGES), st.binary(min_size=32, max_size=32), st.sampled_from(EVERY_FORM))
def test_every_language_is_read_as_the_reference_writes_it(language: str, entropy: bytes, form: Form) -> None:
    words = unicodedata.normalize(form, Mnemonic(language).to_mnemonic(entropy))
    assert phrase(words).entropy().reveal() == entropy


@settings(deadline=None, max_examples=examples(25))
@given(phrases(), passphrases())
def test_the_seed_is_that_of_the_reference(words: str, passphrase: str) -> None:
    assert phrase(words, passphrase).seed().reveal() == Mnemonic.to_seed(words, passphrase)


@pytest.mark.parametrize(
    "words",
    [
        "",
        " ",
        "abandon",
        ABANDON.removesuffix(" about"),
        ABANDON + " about",
        "abandon " * 11 + "abandon",
        "about " + "abandon " * 11,
        "abandon " * 11 + "abou",
        "abandon " * 11 + "aboutt",
        ABANDON.replace(" ", ""),
        ABANDON.replace(" ", ","),
        ABANDON.upper().replace("ABOUT", "ABANDON"),
        "abandon " * 11 + "あおぞら",
        "あいこくしん " * 11 + "about",
        "\ufeff" + ABANDON,
        ABANDON + "\0",
        "zoo " * 12,
        ABANDON + " " * 3000,
        "abandon " * 1_000_000,
        "ﷺ" * 600,
    ],
)
def test_what_is_not_a_phrase_is_refused(words: str) -> None:
    with pytest.raises(InvalidMnemonicError):
        phrase(words)


@pytest.mark.parametrize(
    "data", [b"\xff", ABANDON.encode("utf-16"), b"\xed\xa0\x80", ABANDON.encode() + b" \xc3"], ids=repr
)
def test_bytes_that_are_no_text_are_refused_as_phrase_and_as_passphrase(data: bytes) -> None:
    with pytest.raises(InvalidMnemonicError):
        Phrase.parse(Secret(data))
    with pytest.raises(InvalidMnemonicError, match="passphrase"):
        Phrase.parse(Secret.from_text(ABANDON), Secret(data))


def test_a_passphrase_without_bounds_is_refused() -> None:
    assert phrase(ABANDON, "x" * 1024).passphrase is not None
    with pytest.raises(InvalidMnemonicError, match="passphrase"):
        phrase(ABANDON, "x" * 1025)


def test_the_longest_phrase_of_each_language_is_within_the_bound() -> None:
    for language in LANGUAGES:
        words = [unicodedata.normalize("NFKD", word) for word in Mnemonic(language).wordlist]
        assert len(set(words)) == 2048
        assert 25 * max(len(word.encode()) for word in words) < 1024


@settings(deadline=None)
@given(phrases(), st.data())
def test_a_swap_of_two_words_is_caught_or_means_another_key(words: str, data: st.DataObject) -> None:
    split = words.split()
    i, j = (data.draw(st.integers(0, len(split) - 1)) for _ in range(2))
    split[i], split[j] = split[j], split[i]
    try:
        swapped = phrase(" ".join(split))
    except InvalidMnemonicError:
        return
    same = split == words.split()
    assert (swapped.entropy().reveal() == phrase(words).entropy().reveal()) is same


def test_a_phrase_that_reads_in_two_languages_has_one_seed_but_no_entropy() -> None:
    french = Mnemonic("french").to_entropy(TWO_LANGUAGES.split())
    assert bytes(french) != bytes(Mnemonic("english").to_entropy(TWO_LANGUAGES.split()))
    made = phrase(TWO_LANGUAGES)
    assert made.seed().reveal() == Mnemonic.to_seed(TWO_LANGUAGES)
    with pytest.raises(InvalidMnemonicError):
        made.entropy()


def test_a_phrase_of_both_chinese_lists_means_one_entropy() -> None:
    assert phrase(BOTH_CHINESE).entropy().reveal().hex() == "696c05d35addc3699fd054996924964e"


def test_the_seed_is_computed_once() -> None:
    made = phrase()
    assert made.seed() is made.seed()


def test_a_phrase_neither_prints_nor_pickles() -> None:
    made = phrase(ABANDON, "TREZOR")
    assert repr(made) == str(made) == f"{made}" == "<Phrase>"
    with pytest.raises(TypeError):
        pickle.dumps(made)


@pytest.mark.parametrize(
    "words",
    [
        ABANDON.replace("about", "zebra"),
        "vintage kangaroo satoshi",
        ABANDON.upper().replace("ABOUT", "ZEBRA"),
        JAPANESE.replace("あおぞら", "あいこくしん"),
    ],
)
def test_a_refused_phrase_is_not_shown(words: str) -> None:
    secret, passphrase = Secret.from_text(words), Secret.from_text("correct horse battery staple")
    report = failure_report(Phrase.parse, secret, passphrase)
    for form in (*forms(secret.reveal()), *forms(passphrase.reveal()), *words.split()):
        assert form not in report


def test_a_refused_passphrase_is_not_shown() -> None:
    secret, passphrase = Secret.from_text(ABANDON), Secret(b"correct horse battery\xff")
    report = failure_report(Phrase.parse, secret, passphrase)
    for form in (*forms(secret.reveal()), *forms(passphrase.reveal()), "abandon", "horse"):
        assert form not in report


def test_an_ambiguous_phrase_is_not_shown() -> None:
    report = failure_report(phrase(TWO_LANGUAGES).entropy)
    for form in (*forms(TWO_LANGUAGES.encode()), "civil", "festival"):
        assert form not in report


def test_importing_phrases_loads_neither_word_lists_nor_cryptography() -> None:
    code = "import sys, strongroom.crypto.phrase; sys.exit(bool({'mnemonic', 'cryptography'} & sys.modules.keys()))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.usefixtures("vectors")
@pytest.mark.parametrize("language", LANGUAGES)
def test_published_vectors(language: str) -> None:
    vectors = published.load("bip39", "trezor_vectors.json")
    assert sum(len(group) for group in vectors.values()) == 288
    for entropy, words, seed, _ in vectors[language]:
        made = phrase(words, "TREZOR")
        assert made.entropy().reveal().hex() == entropy
        assert made.seed().reveal().hex() == seed


@pytest.mark.usefixtures("vectors")
def test_published_japanese_vectors() -> None:
    vectors = published.load("bip39", "bip32jp_japanese.json")
    assert len(vectors) == 24
    for vector in vectors:
        made = phrase(vector["mnemonic"], vector["passphrase"])
        assert made.entropy().reveal().hex() == vector["entropy"]
        assert made.seed().reveal().hex() == vector["seed"]


@pytest.mark.parametrize("written", [str.upper, str.title, str.capitalize])
def test_a_phrase_with_capitals_is_lower_cased_and_says_so(written: Callable[[str], str]) -> None:
    made = phrase(written(ABANDON))
    assert (made.mnemonic.reveal_text(), made.lowered) == (ABANDON, True)
    assert made.seed().reveal() == phrase(ABANDON).seed().reveal()
    assert not phrase(ABANDON).lowered
