"""``passphrase:``: stretched once for each salt, bound to its parameters, and never seen."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
import threading
import traceback
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strongroom.crypto import jwe, kdf, keyring
from strongroom.crypto.keyring import kid_of, new_sealing_key
from strongroom.crypto.wraps import unwrap_one, wrap_one
from strongroom.errors import (
    KeyringCorruptError,
    RootKeyError,
    RootKeyMalformedError,
    RootKeyMismatchError,
)
from strongroom.host.secret_variables import ENVIRONMENT
from strongroom.ports.root_key import CreatableRootKey, NotMine, RootKey
from strongroom.records.keyring import KeyringRows, WrapContext, WrappedKey
from strongroom.rootkeys import argon2id, local, open_root_key, passphrase, passphrase_source
from strongroom.rootkeys.argon2id import Parameters
from strongroom.rootkeys.passphrase import PassphraseRootKey
from strongroom.secret import Secret
from testbed.failure_report import failure_report, forms
from testbed.harness.sizes import examples
from testbed.sealing import example, reader
from testbed.waiting import join

NAME = "STRONGROOM_TEST_PASSPHRASE"
PASSPHRASE = "correct horse battery staple"
SEALING_KEY = new_sealing_key()
KID = kid_of(SEALING_KEY)
SALT = bytes(range(16))


@pytest.fixture(autouse=True)
def _variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, PASSPHRASE)


@pytest.fixture
def stretched(monkeypatch: pytest.MonkeyPatch) -> list[Parameters]:
    """Argon2id in no time; collects what it was asked for."""
    asked: list[Parameters] = []

    def quick(secret: Secret, parameters: Parameters) -> Secret:
        asked.append(parameters)
        return Secret(hashlib.sha256(repr(parameters).encode() + secret.reveal()).digest())

    monkeypatch.setattr(argon2id, "stretch", quick)
    return asked


@pytest.fixture
def nothing_is_stretched(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> Secret:
        raise AssertionError("it was computed")

    monkeypatch.setattr(argon2id, "stretch", refused)


def root_key(variable: str = NAME) -> PassphraseRootKey:
    return PassphraseRootKey(f"passphrase:env:{variable}", ENVIRONMENT)


def unwrap_all(by: RootKey, *wraps: WrappedKey) -> keyring.Keyring:
    kids = tuple(dict.fromkeys(wrap.kid for wrap in wraps))
    return keyring.unwrap(KeyringRows(kids[0], wraps, kids), by)


def with_header(wrap: WrappedKey, **members: str | None) -> WrappedKey:
    """The wrap with other members in its header, the rest of it unchanged."""
    protected, *rest = wrap.wrapped.split(".")
    changed = {**json.loads(jwe.decode_segment(protected)), **members}
    header = {name: value for name, value in changed.items() if value is not None}
    return dataclasses.replace(wrap, wrapped=".".join((jwe.encode_segment(jwe.encode_header(header)), *rest)))


# --- wrap and unwrap ----------------------------------------------------------------------------------------


def test_a_passphrase_wraps_and_unwraps() -> None:
    wrap = wrap_one(root_key(), KID, SEALING_KEY)
    assert wrap.root_key_uri == f"passphrase:env:{NAME}"
    assert unwrap_one(root_key(), wrap).reveal() == SEALING_KEY.reveal()


def test_the_header_names_the_parameters() -> None:
    wrap = wrap_one(
        PassphraseRootKey(f"passphrase:env:{NAME}", ENVIRONMENT, lambda size: SALT[:size]), KID, SEALING_KEY
    )
    assert list(jwe.parse(wrap.wrapped).header.items()) == [
        ("kid", KID),
        ("alg", "A256KW"),
        ("enc", "A256GCM"),
        ("typ", "strongroom-sealing-key-passphrase+1"),
        ("kdf", "argon2id"),
        ("t", "3"),
        ("p", "4"),
        ("m", "65536"),
        ("salt", "AAECAwQFBgcICQoLDA0ODw"),
    ]


@pytest.mark.parametrize("open_jwe", [reader.open_with_joserfc, reader.open_with_jwcrypto])
def test_a_reader_that_follows_the_document_unwraps(open_jwe: reader.OpenJwe) -> None:
    wrap = wrap_one(root_key(), KID, SEALING_KEY)
    parameters = argon2id.of_header(jwe.parse(wrap.wrapped).header)
    assert parameters is not None
    key = argon2id.stretch(Secret.from_text(PASSPHRASE), parameters).reveal()
    assert reader.check_value(key) == wrap.check_value
    wrapping_key = reader.hkdf(key, b"strongroom/v1/root-key/wrap", 32)
    assert open_jwe(wrap.wrapped, wrapping_key) == SEALING_KEY.reveal()


def test_the_example_of_the_document_is_made_again_and_opened() -> None:
    section = example.DOCUMENT.read_text(encoding="utf-8").partition("### Passphrase wraps")[2].partition("## 5.")[0]
    documented = dict(re.findall(r"^    (\w+(?: \w+)?) {2,}(\S+)$", section, re.MULTILINE))
    assert f"`{PASSPHRASE}`" in section
    parameters = argon2id.profile(bytes(range(0xB0, 0xC0)))
    key, sealing_key = argon2id.stretch(Secret.from_text(PASSPHRASE), parameters), Secret(bytes(range(32, 64)))
    wrapping_key = kdf.derive(key, "strongroom/v1/root-key/wrap")
    header = {"kid": kid_of(sealing_key), **jwe.ALGORITHM, "typ": passphrase.TYPE, **parameters.members()}
    assert documented == {
        "stretched key": key.reveal().hex(),
        "check value": local.LocalRootKey("", key).check_value(),
        "wrapping key": wrapping_key.reveal().hex(),
        "wrapped": jwe.encrypt(header, sealing_key, wrapping_key, example.counting(0x40)),
    }
    wrap = WrappedKey(kid_of(sealing_key), "passphrase:", documented["wrapped"], documented["check value"])
    assert unwrap_one(root_key(), wrap).reveal() == sealing_key.reveal()


def test_the_document_names_the_bounds_and_members_of_the_code() -> None:
    section = example.DOCUMENT.read_text(encoding="utf-8").partition("### Passphrase wraps")[2].partition("## 5.")[0]
    named = re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
    assert named == ["typ", *argon2id.profile(SALT).members()]
    assert f"`{passphrase.TYPE}`" in section
    assert "{} to {}".format(*argon2id.PASSES) in section
    assert "{} to {}".format(*argon2id.LANES) in section
    assert "{} (19 MiB) to {} (1 GiB)".format(*argon2id.MEMORY_KIB) in section
    assert f"{passphrase_source.MAX_BYTES:,} bytes" in section
    assert f"fewer than {passphrase_source.MIN_CHARACTERS} characters" in section


def test_each_root_key_has_a_salt_of_its_own(stretched: list[Parameters]) -> None:
    wraps = [wrap_one(root_key(), KID, SEALING_KEY) for _ in range(5)]
    assert len({parameters.salt for parameters in stretched}) == 5
    assert len({wrap.check_value for wrap in wraps}) == 5


def test_a_wrong_passphrase_is_not_mine(monkeypatch: pytest.MonkeyPatch) -> None:
    wrap = wrap_one(root_key(), KID, SEALING_KEY)
    monkeypatch.setenv(NAME, PASSPHRASE + "r")
    with pytest.raises(NotMine):
        unwrap_one(root_key(), wrap)
    with pytest.raises(RootKeyMismatchError):
        unwrap_all(root_key(), wrap)


def test_a_short_passphrase_opens_nothing_rather_than_being_refused(
    monkeypatch: pytest.MonkeyPatch, stretched: list[Parameters]
) -> None:
    wrap = wrap_one(root_key(), KID, SEALING_KEY)
    monkeypatch.setenv(NAME, "short")
    with pytest.raises(RootKeyMismatchError):
        unwrap_all(root_key(), wrap)


def test_a_passphrase_in_addition_to_a_file_opens_the_same_keyring(stretched: list[Parameters]) -> None:
    everyday = local.LocalRootKey("file:root.key", Secret(b"\7" * 32))
    wraps = [wrap_one(everyday, KID, SEALING_KEY), wrap_one(root_key(), KID, SEALING_KEY)]
    for order in (wraps, wraps[::-1]):
        assert unwrap_all(root_key(), *order).kids == {KID}
        assert unwrap_all(everyday, *order).kids == {KID}


def test_wraps_of_other_kinds_are_not_mine(nothing_is_stretched: None) -> None:
    wrap = wrap_one(local.LocalRootKey("file:root.key", Secret(b"\7" * 32)), KID, SEALING_KEY)
    for text in (wrap.wrapped, "", "vault:v1:abcdef", "....", "é.a.b.c.d", "x" * 20_000):
        with pytest.raises(NotMine):
            unwrap_one(root_key(), dataclasses.replace(wrap, wrapped=text))


def test_the_wrap_of_another_kid_is_refused(stretched: list[Parameters]) -> None:
    wrap = wrap_one(root_key(), KID, SEALING_KEY)
    with pytest.raises(KeyringCorruptError):
        unwrap_one(root_key(), dataclasses.replace(wrap, kid="A" * 22))


def test_a_wrap_whose_check_value_agrees_and_that_does_not_open_is_damaged(stretched: list[Parameters]) -> None:
    wrap = wrap_one(root_key(), KID, SEALING_KEY)
    damaged = dataclasses.replace(wrap, wrapped=wrap.wrapped[:-22] + "A" * 22)
    with pytest.raises(KeyringCorruptError, match="right one"):
        unwrap_all(root_key(), damaged)


def test_it_is_not_made_on_the_spot() -> None:
    assert not isinstance(root_key(), CreatableRootKey)


# --- damage, downgrade and absurd parameters ----------------------------------------------------------------


def test_no_bit_of_a_wrap_can_be_flipped(stretched: list[Parameters]) -> None:
    wrap = wrap_one(root_key(), KID, SEALING_KEY)
    for position, character in enumerate(wrap.wrapped):
        for bit in range(7):
            text = wrap.wrapped[:position] + chr(ord(character) ^ 1 << bit) + wrap.wrapped[position + 1 :]
            with pytest.raises((RootKeyMismatchError, KeyringCorruptError)):
                unwrap_all(root_key(), dataclasses.replace(wrap, wrapped=text))


def test_no_bit_of_the_header_can_be_flipped(stretched: list[Parameters]) -> None:
    """Below base64url: every bit of the JSON, among them those that make other parameters that are allowed."""
    wrap = wrap_one(root_key(), KID, SEALING_KEY)
    protected, *rest = wrap.wrapped.split(".")
    header = jwe.decode_segment(protected)
    for index in range(8 * len(header)):
        flipped = bytearray(header)
        flipped[index // 8] ^= 1 << index % 8
        damaged = dataclasses.replace(wrap, wrapped=".".join((jwe.encode_segment(bytes(flipped)), *rest)))
        with pytest.raises((RootKeyMismatchError, KeyringCorruptError)):
            unwrap_all(root_key(), damaged)
    assert len(set(stretched)) > 20, "some of them were computed, and did not open"


@pytest.mark.parametrize(
    "members",
    [
        {"t": "2"},
        {"t": "4"},
        {"p": "1"},
        {"m": "19456"},
        {"t": "2", "p": "1", "m": "19456"},
        {"salt": "AAAAAAAAAAAAAAAAAAAAAA"},
    ],
)
def test_a_wrap_cannot_be_led_to_weaker_parameters(members: dict[str, str]) -> None:
    """With the real Argon2id: other parameters make another key, which opens nothing."""
    wrap = with_header(wrap_one(root_key(), KID, SEALING_KEY), **members)
    with pytest.raises(RootKeyMismatchError):
        unwrap_all(root_key(), wrap)


@pytest.mark.parametrize("members", [{"t": "2"}, {"p": "1"}, {"m": "19456"}, {"salt": "A" * 22}, {"more": "x"}])
def test_the_header_is_authenticated_whatever_the_stretching_says(
    monkeypatch: pytest.MonkeyPatch, members: dict[str, str]
) -> None:
    """Even if two parameters led to one key: the header that was wrapped is the only one that opens."""
    monkeypatch.setattr(argon2id, "stretch", lambda *_: Secret(b"\7" * 32))
    wrap = wrap_one(root_key(), KID, SEALING_KEY)
    assert unwrap_all(root_key(), wrap).kids == {KID}
    with pytest.raises(KeyringCorruptError):
        unwrap_all(root_key(), with_header(wrap, **members))


@pytest.mark.parametrize(
    "members",
    [
        {"t": "4294967295"},
        {"t": "11"},
        {"m": "1048577"},
        {"m": "4294967295"},
        {"m": "9" * 9000},
        {"p": "17"},
        {"t": "1"},
        {"m": "8"},
        {"m": "19455"},
        {"kdf": "none"},
        {"kdf": None},
        {"salt": None},
        {"salt": ""},
        {"t": None},
    ],
)
def test_absurd_and_weak_parameters_are_refused_and_not_computed(
    request: pytest.FixtureRequest, members: dict[str, str | None]
) -> None:
    wrap = with_header(wrap_one(root_key(), KID, SEALING_KEY), **members)
    request.getfixturevalue("nothing_is_stretched")
    with pytest.raises(KeyringCorruptError, match="not computed"):
        unwrap_all(root_key(), wrap)


def test_a_keyring_cannot_ask_for_any_number_of_stretchings(stretched: list[Parameters]) -> None:
    wrap = wrap_one(root_key(), KID, SEALING_KEY)
    stretched.clear()
    wraps = [with_header(wrap, salt=jwe.encode_segment(bytes([number] * 16))) for number in range(200)]
    with pytest.raises(KeyringCorruptError, match="more work"):
        unwrap_all(root_key(), *wraps)
    assert sum(parameters.work for parameters in stretched) <= argon2id.MOST_WORK


def planted(wrap: WrappedKey, number: int, **members: str) -> WrappedKey:
    """A row that somebody added, for a sealing key that does not exist; its salt is its own."""
    forged = with_header(wrap, salt=jwe.encode_segment(number.to_bytes(16)), **members)
    return dataclasses.replace(forged, kid=f"{number:022}")


def test_rows_that_ask_for_the_most_work_are_not_computed_where_the_right_one_opens(
    stretched: list[Parameters],
) -> None:
    wrap = wrap_one(root_key(), KID, SEALING_KEY)
    stretched.clear()
    dearest = {"t": "10", "m": "1048576", "p": "1"}
    forged = [dataclasses.replace(planted(wrap, number, **dearest), kid=KID) for number in range(40)]
    for wraps in ([*forged, wrap], [wrap, *forged]):
        assert unwrap_all(root_key(), *wraps).kids == {KID}
    assert [parameters.salt for parameters in stretched] == [stretched[0].salt] * 2
    assert {parameters.is_profile for parameters in stretched} == {True}


def test_all_stretchings_of_one_opening_have_one_budget(stretched: list[Parameters]) -> None:
    wrap = wrap_one(root_key(), KID, SEALING_KEY)
    dearest = {"t": "10", "m": "1048576", "p": "1"}
    for members in ({}, {"m": str(19 * 1024), "t": "2"}, dearest, {"p": "16"}):
        stretched.clear()
        opener = root_key()
        wraps = [*(planted(wrap, number, **members) for number in range(400)), wrap]
        for _ in range(3):  # nor does a long-lived process pay again each time that it looks
            with pytest.raises(KeyringCorruptError, match="more work"):
                unwrap_all(opener, *wraps)
        right = argon2id.of_header(json.loads(jwe.decode_segment(wrap.wrapped.split(".")[0])))
        assert not members or stretched[0] == right
        assert len(set(stretched)) == len(stretched)
        assert sum(parameters.work for parameters in stretched) <= argon2id.MOST_WORK


def test_one_wrap_of_the_highest_parameters_opens(stretched: list[Parameters], monkeypatch: pytest.MonkeyPatch) -> None:
    highest = Parameters(passes=10, lanes=16, memory_kib=1 << 20, salt=SALT)
    monkeypatch.setattr(argon2id, "profile", lambda salt: dataclasses.replace(highest, salt=salt))
    wrap = wrap_one(root_key(), KID, SEALING_KEY)
    stretched.clear()
    assert unwrap_all(root_key(), wrap).kids == {KID}
    assert [parameters.work for parameters in stretched] == [argon2id.MOST_WORK]


def test_a_keyring_of_many_rotations_costs_one_stretching_among_rows_that_somebody_added(
    stretched: list[Parameters],
) -> None:
    opener = root_key()
    keys = [new_sealing_key() for _ in range(40)]
    wraps = [wrap_one(opener, kid_of(key), key) for key in keys]
    stretched.clear()
    assert len(unwrap_all(root_key(), *wraps).kids) == 40
    assert len(stretched) == 1
    forged = [dataclasses.replace(planted(wraps[number], number), kid=wraps[number].kid) for number in range(40)]
    stretched.clear()
    mixed = [each for pair in zip(forged, wraps, strict=True) for each in pair]
    assert len(unwrap_all(root_key(), *mixed).kids) == 40
    assert len(stretched) <= 2  # the first one that was tried may be a forged one, no other


def test_a_keyring_whose_wraps_have_each_a_salt_of_their_own_opens(stretched: list[Parameters]) -> None:
    keys = [new_sealing_key() for _ in range(20)]
    wraps = [wrap_one(root_key(), kid_of(key), key) for key in keys]
    stretched.clear()
    assert len(unwrap_all(root_key(), *wraps).kids) == 20
    assert len(stretched) == 20


def test_the_number_of_wraps_that_are_tried_in_vain_is_bounded() -> None:
    mine = local.LocalRootKey("file:mine", Secret(b"m" * 32))
    tried: list[str] = []

    class Counting:
        uri = "file:mine"

        def wrap(self, sealing_key: Secret, context: WrapContext) -> str:
            return mine.wrap(sealing_key, context)

        def unwrap(self, wrapped: str, context: WrapContext) -> Secret:
            tried.append(wrapped)
            return mine.unwrap(wrapped, context)

        def recognises(self, wrap: WrappedKey) -> bool:
            return mine.recognises(wrap)

        def check_value(self, wrapped: str) -> str:
            return mine.check_value(wrapped)

    other = wrap_one(local.LocalRootKey("file:other", Secret(b"o" * 32)), KID, SEALING_KEY)
    many = [dataclasses.replace(other, kid=f"{number:022}") for number in range(5000)]
    assert unwrap_all(
        Counting(), *(dataclasses.replace(each, kid=KID) for each in many), wrap_one(mine, KID, SEALING_KEY)
    )
    assert len(tried) == 1
    with pytest.raises(KeyringCorruptError, match="do not open"):
        unwrap_all(Counting(), wrap_one(mine, KID, SEALING_KEY), *many)
    assert len(tried) <= 1100


# --- one stretching for each salt ---------------------------------------------------------------------------


def test_wraps_of_one_root_key_share_a_salt_and_one_stretching(stretched: list[Parameters]) -> None:
    writer = root_key()
    keys = [new_sealing_key() for _ in range(20)]
    wraps = [wrap_one(writer, kid_of(key), key) for key in keys]
    assert len(stretched) == 1
    assert len({wrap.wrapped for wrap in wraps}) == 20
    stretched.clear()
    assert len(unwrap_all(root_key(), *wraps).kids) == 20
    assert len(stretched) == 1


def test_a_later_wrap_takes_the_salt_of_one_that_opened(stretched: list[Parameters]) -> None:
    first = wrap_one(root_key(), KID, SEALING_KEY)
    stretched.clear()
    later, another = root_key(), new_sealing_key()
    unwrap_one(later, first)
    wrap = wrap_one(later, kid_of(another), another)
    assert wrap.check_value == first.check_value
    assert len(stretched) == 1


def test_a_salt_that_did_not_open_is_not_taken(stretched: list[Parameters]) -> None:
    wrap = with_header(wrap_one(root_key(), KID, SEALING_KEY), salt="AAAAAAAAAAAAAAAAAAAAAA")
    later = root_key()
    with pytest.raises(NotMine):
        unwrap_one(later, wrap)
    made = jwe.parse(wrap_one(later, KID, SEALING_KEY).wrapped).header
    assert made["salt"] != "AAAAAAAAAAAAAAAAAAAAAA"


def test_weaker_parameters_that_opened_are_not_taken_for_new_wraps(stretched: list[Parameters]) -> None:
    weak = Parameters(2, 1, 19 * 1024, SALT)
    key = argon2id.stretch(Secret.from_text(PASSPHRASE), weak)
    header = {"typ": passphrase.TYPE, **weak.members()}
    wrap = wrap_one(local.LocalRootKey("passphrase:", key, header), KID, SEALING_KEY)
    later = root_key()
    assert unwrap_one(later, wrap).reveal() == SEALING_KEY.reveal()
    made = argon2id.of_header(jwe.parse(wrap_one(later, KID, SEALING_KEY).wrapped).header)
    assert made is not None
    assert made.is_profile
    assert made.salt != SALT


def test_threads_read_and_stretch_once(stretched: list[Parameters], monkeypatch: pytest.MonkeyPatch) -> None:
    wrap = wrap_one(root_key(), KID, SEALING_KEY)
    stretched.clear()
    reads: list[str] = []
    real = passphrase_source.Variable.read

    def counted(source: passphrase_source.Variable) -> Secret:
        reads.append("read")
        return real(source)

    monkeypatch.setattr(passphrase_source.Variable, "read", counted)
    shared, opened = root_key(), []
    threads = [threading.Thread(target=lambda: opened.append(unwrap_one(shared, wrap).reveal())) for _ in range(16)]
    for thread in threads:
        thread.start()
    join(threads)
    assert opened == [SEALING_KEY.reveal()] * 16
    assert (len(reads), len(stretched)) == (1, 1)


# --- nothing is shown ---------------------------------------------------------------------------------------


def hides(report: str, *secrets: str) -> bool:
    return not any(form in report for secret in secrets for form in forms(secret.encode()) if len(form) > 3)


def test_the_passphrase_and_its_key_are_in_no_repr() -> None:
    used = root_key()
    wrap_one(used, KID, SEALING_KEY)
    assert hides(repr((used, vars(used))), PASSPHRASE)


@pytest.mark.parametrize(
    "text", ["hunter2", "correct\thorse", "zwei\nZeilen lang", "hunter2 " * 200, "\ud800 surrogate"]
)
def test_a_refused_passphrase_is_not_shown(text: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "passphrase"
    file.touch(mode=0o600)
    file.write_bytes(text.encode(errors="surrogatepass"))
    report = failure_report(wrap_one, PassphraseRootKey(f"passphrase:file:{file}", ENVIRONMENT), KID, SEALING_KEY)
    assert hides(report, *(text.encode(errors="replace").decode().split()))


def test_a_wrong_passphrase_is_not_shown(stretched: list[Parameters], monkeypatch: pytest.MonkeyPatch) -> None:
    wrap = wrap_one(root_key(), KID, SEALING_KEY)
    monkeypatch.setenv(NAME, "tr0ub4dor&3 tr0ub4dor&3")
    assert hides(failure_report(unwrap_all, root_key(), wrap), "tr0ub4dor&3")
    parameters = argon2id.of_header(jwe.parse(wrap.wrapped).header)
    assert parameters is not None
    claimed = local.LocalRootKey("", argon2id.stretch(Secret(b"tr0ub4dor&3 tr0ub4dor&3"), parameters)).check_value()
    with pytest.raises(KeyringCorruptError) as caught:
        unwrap_all(root_key(), dataclasses.replace(wrap, check_value=claimed))
    rendered = traceback.TracebackException.from_exception(caught.value, capture_locals=True).format()
    assert "battery" not in "".join(rendered)


@settings(max_examples=examples(200))
@given(st.text(max_size=60))
def test_any_text_is_a_passphrase_or_a_typed_refusal(text: str) -> None:
    raw = Secret(text.encode(errors="surrogatepass"))
    try:
        normal = passphrase_source.normal(raw, "It")
        passphrase_source.require_fit(normal, "It")
    except RootKeyError:
        return
    again = passphrase_source.normal(normal, "It")
    assert again.reveal() == normal.reveal(), "a normal form is its own normal form"
    assert len(normal.reveal_text()) >= passphrase_source.MIN_CHARACTERS


def test_the_uri_opens_by_the_table() -> None:
    assert isinstance(open_root_key("passphrase:"), PassphraseRootKey)
    with pytest.raises(RootKeyMalformedError):
        passphrase_source.require_fit(Secret(b"1234567"), "It")
