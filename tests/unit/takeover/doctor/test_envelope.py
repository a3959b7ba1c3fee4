"""The PBKDF2 envelope of older code: what it was made with opens it, and nothing else is computed."""

from __future__ import annotations

import json
from typing import Any
from unittest import mock
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.kdf import pbkdf2, scrypt
from hypothesis import given, settings
from hypothesis import strategies as st

from strongroom.secret import Secret
from strongroom.takeover.doctor import envelope
from strongroom.takeover.doctor.key_texts import KeyTextKind, read
from strongroom.takeover.doctor.passwords import Passwords
from testbed.defects.locked import envelope_text, keystore_text
from testbed.harness.canary import Canary, Leak, report
from testbed.harness.sizes import examples
from testbed.networks.key_forms import EVM_FORMS

KEY = bytes.fromhex("4646464646464646464646464646464646464646464646464646464646464646")
PHRASE = "legal winner thank year wave sausage worth useful legal winner thank yellow"
PASSWORD = "master pässword"
SALT, IV = bytes(range(32)), bytes(range(16))
BROUGHT = Passwords(legacy=Secret.from_text(PASSWORD))
NOTHING_OPENED = "the password does not open it, or it was changed"


def document(plaintext: str = KEY.hex(), **changes: Any) -> str:
    """An envelope as text; a change to None takes the member away."""
    members = json.loads(envelope_text(plaintext, PASSWORD, SALT, IV)) | changes
    return json.dumps({name: value for name, value in members.items() if value is not None})


@pytest.mark.parametrize("form", EVM_FORMS)
@pytest.mark.parametrize("space", ["", "\n"])
def test_the_password_opens_an_envelope_of_a_key(form: str, space: str) -> None:
    found = read(document(EVM_FORMS[form](KEY) + space))
    assert (found.kind, found.form) == (KeyTextKind.ENVELOPE, "PBKDF2 envelope")
    opened, note = BROUGHT.open(found)
    assert opened is not None
    assert opened.key is not None
    assert (opened.key.reveal(), note) == (KEY, "opened")


def test_the_password_opens_an_envelope_of_a_phrase() -> None:
    opened, note = BROUGHT.open(read(document(f"0x{PHRASE}")))
    assert opened is not None
    assert opened.phrase is not None
    assert (opened.phrase.mnemonic.reveal_text(), note) == (PHRASE, "opened")


def test_an_envelope_of_something_else_opens_and_says_so() -> None:
    for plaintext in ("a password", "MIGRATION_REQUIRED", KEY.hex()[:-1] + "g", "é" * 40):
        assert BROUGHT.open(read(document(plaintext))) == (None, "opened, but it holds no key that is known")


def test_without_a_password_nothing_is_computed() -> None:
    with mock.patch.object(pbkdf2.PBKDF2HMAC, "derive", side_effect=AssertionError):
        assert Passwords().open(read(document())) == (None, "its password is needed")
        other = Passwords(keystores=Secret.from_text(PASSWORD))
        assert other.open(read(document())) == (None, "its password is needed")


def flipped(name: str) -> str:
    value = json.loads(document())[name]
    return document(**{name: ("1" if value[0] == "0" else "0") + value[1:]})


@pytest.mark.parametrize(
    "text",
    [*map(flipped, envelope.MEMBERS), document(authTag="00" * 16), document(iv="00" * 12), document(salt="00")],
    ids=range(7),
)
def test_what_was_changed_does_not_open(text: str) -> None:
    assert BROUGHT.open(read(text)) == (None, NOTHING_OPENED)


def test_another_password_does_not_open() -> None:
    for password in ("", "master password", PASSWORD + " ", PASSWORD + "\n"):
        assert Passwords(legacy=Secret.from_text(password)).open(read(document())) == (None, NOTHING_OPENED)


OTHERS: dict[str, dict[str, Any]] = {
    "version 2": {"version": 2},
    "a version of text": {"version": "1"},
    "another algorithm": {"algorithm": "aes-256-cbc"},
    "an algorithm that is a list": {"algorithm": ["aes-256-gcm"]},
    "no salt": {"salt": ""},
    "a salt of a kilobyte": {"salt": "00" * 1024},
    "a salt in base64": {"salt": "AAAA////"},
    "a salt that is a number": {"salt": 0},
    "an odd digit": {"iv": "0" * 31},
    "a short iv": {"iv": "00"},
    "a tag of 15 bytes": {"authTag": "00" * 15},
    "no ciphertext": {"encrypted": ""},
    "a ciphertext of a megabyte": {"encrypted": "00" * 20_000},
    "a ciphertext that is an object": {"encrypted": {}},
    "digits that are not ASCII": {"salt": "٤٤"},
}


@pytest.mark.parametrize("name", OTHERS)
def test_members_that_are_not_of_the_scheme_are_reported_and_never_derived(name: str) -> None:
    with mock.patch.object(pbkdf2.PBKDF2HMAC, "derive", side_effect=AssertionError):
        found = read(document(**OTHERS[name]))
        assert (found.kind, found.locked) == (KeyTextKind.ENVELOPE, None)
        assert found.form == "PBKDF2 envelope, whose members are not those of the scheme"
        assert BROUGHT.open(found) == (None, "")


@pytest.mark.parametrize("name", ["salt", "iv", "encrypted", "authTag"])
def test_three_of_the_four_members_are_no_envelope(name: str) -> None:
    taken: dict[str, Any] = {name: None}
    found = read(document(**taken))
    assert found.kind is KeyTextKind.ENCRYPTED or (name == "encrypted" and found.looks_public)


def test_what_older_code_left_out_or_wrote_otherwise_is_taken() -> None:
    for changes in ({"version": None}, {"algorithm": None}, {"algorithm": "AES-256-GCM"}, {"note": "by v2 of the api"}):
        opened, _ = BROUGHT.open(read(document(**changes)))
        assert opened is not None, changes
    written = json.loads(document())
    upper = {name: "0x" + value.upper() for name, value in written.items() if name in envelope.MEMBERS}
    assert BROUGHT.open(read(json.dumps(upper)))[0] is not None


@settings(max_examples=examples(150), deadline=None)
@given(
    st.dictionaries(
        st.sampled_from([*envelope.MEMBERS, "version", "algorithm", "crypto"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40) | st.just("ab" * 16),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
            max_leaves=5,
        ),
    )
)
def test_any_members_are_read(members: dict[str, Any]) -> None:
    found = read(json.dumps(members))
    assert found.key is None or found.looks_public
    assert (found.kind is KeyTextKind.ENVELOPE) == all(name in members for name in envelope.MEMBERS)


# --- keystores under a password ------------------------------------------------------------------------------

STORED = keystore_text(KEY, PASSWORD, SALT, IV, UUID(int=1))


def test_a_keystore_without_its_password_is_not_computed() -> None:
    with mock.patch.object(scrypt.Scrypt, "derive", side_effect=AssertionError):
        assert Passwords().open(read(STORED)) == (None, "its password is needed")
        assert BROUGHT.open(read(STORED)) == (None, "its password is needed")


def test_a_keystore_opens_with_its_password_and_with_no_other() -> None:
    opened, note = Passwords(keystores=Secret.from_text(PASSWORD)).open(read(STORED))
    assert opened is not None
    assert opened.key is not None
    assert (opened.key.reveal(), note) == (KEY, "opened")
    assert Passwords(keystores=Secret.from_text("guess")).open(read(STORED)) == (None, NOTHING_OPENED)


def test_a_keystore_for_which_there_is_too_little_memory_is_reported() -> None:
    with mock.patch.object(scrypt.Scrypt, "derive", side_effect=MemoryError):
        told = Passwords(keystores=Secret.from_text(PASSWORD)).open(read(STORED))
    assert told == (None, "it takes more memory than there is")


@pytest.mark.parametrize(
    "change",
    [
        ('"n": 1024', '"n": 1073741824'),
        ('"r": 8', '"r": 1073741824'),
        ('"p": 1', '"p": 65'),
        ('"n": 1024', '"n": 1e400'),
    ],
    ids=str,
)
def test_a_keystore_of_absurd_cost_is_not_computed_with_its_password_either(change: tuple[str, str]) -> None:
    with mock.patch.object(scrypt.Scrypt, "derive", side_effect=AssertionError):
        found = read(STORED.replace(*change))
        assert found.kind is KeyTextKind.KEYSTORE
        assert found.form.startswith("version 3 keystore, which ")
        assert Passwords(keystores=Secret.from_text(PASSWORD)).open(found) == (None, "")


def test_nothing_of_what_is_locked_is_shown() -> None:
    canary = Canary(KEY, PHRASE.split(), {"password": PASSWORD})
    ciphertext = Canary(bytes.fromhex(json.loads(document())["encrypted"]))
    passwords = Passwords(Secret.from_text(PASSWORD), Secret.from_text(PASSWORD))
    for text in (document(), document(PHRASE), STORED):
        found = read(text)
        opened, note = passwords.open(found)
        leaks: list[Leak] = []
        for each in (found, found.locked, opened, note, passwords):
            leaks += [*canary.in_object(each, "shown"), *ciphertext.in_text(repr(each), "shown")]
        assert leaks == [], report(leaks)
