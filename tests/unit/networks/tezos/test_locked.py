"""Private keys under a password: what octez-client writes, by the same rule over other libraries."""

from __future__ import annotations

import base64
import hashlib

import pytest
from bip_utils import Base58Decoder, Base58Encoder
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl.secret import SecretBox

from strongroom.errors import InvalidKeystoreError, InvalidPrivateKeyError, KeystorePasswordError
from strongroom.host.work_budget import WorkBudget
from strongroom.networks import TABLE
from strongroom.networks.tezos.family import Tezos
from strongroom.secret import Secret
from strongroom.takeover.doctor.key_texts import KeyTextKind, read
from strongroom.takeover.doctor.passwords import Passwords
from strongroom.usecases.import_key import ImportedKey, material_of
from testbed.failure_report import assert_hides, failure_report
from testbed.harness.sizes import examples
from testbed.networks.key_forms_by_coin import edsk, spsk
from testbed.networks.known import ORDER, keys

SLOW = settings(max_examples=examples(15), deadline=None)
PREFIX = {"slip10": "075a3cb329", "bip44": "09edf1ae96"}
PASSWORD = "correct horse"
LOCKED = (  # docs of ecadlabs/signatory, yubihsm.md: both open with "test"
    ("edesk1GXwWmGjXiLHBKxGBxwmNvG21vKBh6FBxc4CyJ8adQQE2avP5vBB57ZUZ93Anm7i4k8RmsHaPzVAvpnHkFF", "slip10"),
    ("spesk24UQkAiJk8X6AufNtRv1WWPp2BAssEgmijCTQPMgUXweSKPmLdbyAjPmCG1pR2dC9P5UZZVeZcb7zVodUHZ", "bip44"),
)
EDESK = LOCKED[0][0]
SOTEZ = (  # sotez, test/crypto-utils.test.ts: text, scheme, plaintext, address; the password is "password"
    (
        "edesk1RK4W4Qdo6tUwf5oB1swQMXnxJwPo6vWDmWNJEQUbsfA4auJiXdWkXk3JWyzNPAugcQaQuoui1hpNfWfYtK",
        "slip10",
        "edskRhQtHKMHVf3FDbnqhorMMVXrvgTVNJinVx6WQXb8RVXdKG5PVL5R7JsXU4Sc24wgG5Q5csQBcCQVVd98iSF1QJWjoHLW11",
        "tz1R8LazMuf2NsUWwiDa8s5hXsTiHbgZw9Xr",
    ),
    (
        "spesk1yA7DvBDoPgRy8zodnSC8hUqYHyLd6hcytJFZxWuZAxqbD6puYDEPocKARg7ypNfbAHBrLhdJnzF2sSWkWA",
        "bip44",
        "spsk2s751r1FUCFnGP7dNz4fXAZTEeiHyrxkZusCvgAhbJUwtbJxxV",
        "tz2LQ4dU9Zi5WWqb86KSswsYCgtbATsiwLuv",
    ),
)


def tezos() -> Tezos:
    network = TABLE.get("tezos")
    assert isinstance(network, Tezos)
    return network


def secret(text: str) -> Secret:
    return Secret.from_text(text)


def their_text(prefix: str, key: bytes, password: str, salt: bytes) -> str:
    stretched = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, 32768, 32)
    box = SecretBox(stretched).encrypt(key, bytes(24)).ciphertext
    return str(Base58Encoder.CheckEncode(bytes.fromhex(prefix) + salt + box))


def their_key(text: str, password: str) -> bytes:
    data = Base58Decoder.CheckDecode(text)[5:]
    stretched = hashlib.pbkdf2_hmac("sha512", password.encode(), data[:8], 32768, 32)
    return SecretBox(stretched).decrypt(data[8:], bytes(24))


def test_the_rule_as_this_test_has_it_opens_a_key_of_taquito() -> None:
    """@taquito/signer, test/taquito-signer.spec.ts: a key on P-256, which no network here has."""
    text = "p2esk2TFqgNcoT4u99ut5doGTUFNwo9x4nNvkpM6YMLqXrt4SbFdQnqLM3hoAXLMB2uZYazj6LZGvcoYzk16H6Et"
    key = their_key(text, "test1234")
    expected = "p2sk2mJNRYqs3UXJzzF44Ym6jk38RVDPVSuLCfNd5ShE5zyVdu8Au9"
    assert Base58Encoder.CheckEncode(bytes.fromhex("1051eebd") + key) == expected


@pytest.mark.parametrize(("text", "scheme"), LOCKED)
def test_published_texts_open(text: str, scheme: str) -> None:
    key = tezos().open_keystore(secret(f"{text}\n"), secret("test"))
    assert key.reveal() == their_key(text, "test")
    assert tezos().scheme_of_key(secret(text), None) == scheme


@pytest.mark.parametrize(("text", "scheme", "plain", "address"), SOTEZ)
def test_published_texts_hold_the_published_keys(text: str, scheme: str, plain: str, address: str) -> None:
    password = secret("password")
    key = tezos().open_keystore(secret(text), password)
    assert key.reveal() == tezos().parse_private_key(secret(plain)).reveal()
    assert tezos().public_half(key, scheme).address == address
    salt = Base58Decoder.CheckDecode(text)[5:13]
    assert tezos().make_keystore(key, password, scheme, lambda _: salt) == text


@SLOW
@given(keys(), st.sampled_from(sorted(PREFIX)), st.text(min_size=1, max_size=12), st.binary(min_size=8, max_size=8))
def test_random_keys_are_locked_and_opened_as_by_others(key: bytes, scheme: str, password: str, salt: bytes) -> None:
    password = password.encode(errors="replace").decode() + " and more"
    theirs = their_text(PREFIX[scheme], key, password, salt)
    assert tezos().open_keystore(secret(theirs), secret(password)).reveal() == key
    made = tezos().make_keystore(Secret(key), secret(password), scheme, lambda size: salt[:size])
    assert made == theirs
    other = tezos().make_keystore(Secret(key), secret(password), scheme)
    assert other != theirs
    assert their_key(other, password) == key


@pytest.mark.parametrize(("scheme", "write"), [("slip10", edsk), ("raw-seed", edsk), ("bip44", spsk)])
def test_a_keystore_is_imported_in_the_scheme_that_it_says(scheme: str, write: object) -> None:
    key = bytes(range(1, 33))
    text = tezos().make_keystore(Secret(key), secret(PASSWORD), scheme)
    given_key = ImportedKey(None, None, None, None, None, secret(text), secret(PASSWORD))
    material = material_of(tezos(), None, given_key, None)
    assert callable(write)
    assert tezos().format_private_key(material.private_key, material.scheme).reveal_text() == write(key)
    wrong = "bip44" if scheme != "bip44" else "slip10"
    with pytest.raises(InvalidPrivateKeyError):
        material_of(tezos(), wrong, given_key, None)


@pytest.mark.parametrize(("text", "_"), LOCKED)
def test_doctor_opens_what_is_under_a_password(text: str, _: str) -> None:
    encoded = base64.b64encode(text.encode()).decode()
    for written in (text, f" {text}\n", f'{{"key": "{text}"}}', encoded):
        found = read(written)
        assert (found.kind, found.key) == (KeyTextKind.KEYSTORE, None)
        opened, note = Passwords(None, secret("test")).open(found)
        assert (note, opened is not None) == ("opened", True)
        assert opened is not None
        assert opened.key is not None
        assert opened.key.reveal() == their_key(text, "test")
        assert Passwords().open(found) == (None, "its password is needed")
        assert Passwords(None, secret("other")).open(found)[1].startswith("the password does not open it")
    assert read(text[:-1] + ("1" if text[-1] != "1" else "2")).kind is KeyTextKind.UNREADABLE


def test_doctor_names_what_is_locked_and_of_a_curve_that_is_not_held() -> None:
    found = read("p2esk2TFqgNcoT4u99ut5doGTUFNwo9x4nNvkpM6YMLqXrt4SbFdQnqLM3hoAXLMB2uZYazj6LZGvcoYzk16H6Et")
    assert found.kind is KeyTextKind.ENCRYPTED
    assert "Tezos" in found.form


def test_doctor_says_of_a_locked_text_that_no_private_key_is_in_it() -> None:
    text = their_text(PREFIX["bip44"], bytes(32), PASSWORD, bytes(8))
    assert Passwords(None, secret(PASSWORD)).open(read(text)) == (None, "what is in it is no private key")


def test_a_wrong_password_for_a_locked_text_is_work_in_vain() -> None:
    passwords = Passwords(None, secret("other"), WorkBudget(0.05))
    notes = [passwords.open(read(EDESK))[1] for _ in range(4)]
    assert notes[-1].startswith("not tried")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        edsk(bytes(32)),
        EDESK[:-1],
        EDESK + "1",
        EDESK.replace("X", "Y", 1),
        "encrypted:" + EDESK,
        EDESK + "\0",
        "p2esk2TFqgNcoT4u99ut5doGTUFNwo9x4nNvkpM6YMLqXrt4SbFdQnqLM3hoAXLMB2uZYazj6LZGvcoYzk16H6Et",
        str(Base58Encoder.CheckEncode(bytes.fromhex(PREFIX["slip10"]) + bytes(55))),
        str(Base58Encoder.CheckEncode(bytes.fromhex(PREFIX["slip10"]) + bytes(57))),
        "e" * 1_000_000,
    ],
)
def test_what_is_no_key_under_a_password_is_refused(text: str) -> None:
    with pytest.raises(InvalidKeystoreError):
        tezos().open_keystore(secret(text), secret("test"))


@pytest.mark.parametrize("password", ["", "tes", "Test", "test ", "test\n", "\u0442est"])
def test_another_password_is_refused(password: str) -> None:
    with pytest.raises(KeystorePasswordError):
        tezos().open_keystore(secret(EDESK), secret(password))


def test_a_changed_text_with_a_right_checksum_is_refused() -> None:
    data = bytearray(Base58Decoder.CheckDecode(EDESK))
    data[-1] ^= 1
    with pytest.raises(KeystorePasswordError):
        tezos().open_keystore(secret(str(Base58Encoder.CheckEncode(bytes(data)))), secret("test"))


@pytest.mark.parametrize("number", [0, ORDER, 2**256 - 1])
def test_a_key_out_of_range_in_a_locked_text_is_refused_and_not_shown(number: int) -> None:
    key = number.to_bytes(32)
    text = their_text(PREFIX["bip44"], key, PASSWORD, bytes(8))
    with pytest.raises(InvalidPrivateKeyError):
        tezos().open_keystore(secret(text), secret(PASSWORD))
    if number:
        assert_hides(failure_report(tezos().open_keystore, secret(text), secret(PASSWORD)), key)
    with pytest.raises(InvalidPrivateKeyError):
        tezos().make_keystore(Secret(key), secret(PASSWORD), "bip44")


@pytest.mark.parametrize("password", [b"", b"hunter2", b"hunter2hunter2\xff"])
def test_a_password_that_is_short_or_no_text_makes_no_keystore(password: bytes) -> None:
    key = Secret(bytes(range(32)))
    with pytest.raises(KeystorePasswordError):
        tezos().make_keystore(key, Secret(password))
    report = failure_report(tezos().make_keystore, key, Secret(password))
    assert_hides(report, key.reveal())


def test_a_wrong_password_shows_neither_it_nor_the_key() -> None:
    report = failure_report(tezos().open_keystore, secret(EDESK), secret("a password of somebody"))
    assert_hides(report, b"a password of somebody")
    assert_hides(report, EDESK.encode())
