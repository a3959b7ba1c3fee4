"""``env:``: a key in an environment variable."""

from __future__ import annotations

import os

import pytest

from strongroom.crypto.keyring import kid_of, new_sealing_key
from strongroom.crypto.wraps import unwrap_one, wrap_one
from strongroom.errors import RootKeyMalformedError, RootKeyMissingError
from strongroom.host.secret_variables import ENVIRONMENT
from strongroom.ports.root_key import CreatableRootKey, NotMine
from strongroom.rootkeys import local
from strongroom.rootkeys.environment import EnvironmentRootKey
from testbed.failure_report import failure_report

NAME = "STRONGROOM_TEST_ROOT_KEY"
SEALING_KEY = new_sealing_key()
KID = kid_of(SEALING_KEY)


def test_a_key_in_a_variable_wraps_and_unwraps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, local.new_text().reveal_text())
    wrap = wrap_one(EnvironmentRootKey(f"env:{NAME}", ENVIRONMENT), KID, SEALING_KEY)
    assert wrap.root_key_uri == f"env:{NAME}"
    assert unwrap_one(EnvironmentRootKey(f"env:{NAME}", ENVIRONMENT), wrap).reveal() == SEALING_KEY.reveal()


def test_another_key_in_the_variable_does_not_unwrap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, local.new_text().reveal_text())
    wrap = wrap_one(EnvironmentRootKey(f"env:{NAME}", ENVIRONMENT), KID, SEALING_KEY)
    monkeypatch.setenv(NAME, local.new_text().reveal_text())
    with pytest.raises(NotMine):
        unwrap_one(EnvironmentRootKey(f"env:{NAME}", ENVIRONMENT), wrap)


def test_a_key_moved_from_a_file_to_a_variable_still_unwraps(monkeypatch: pytest.MonkeyPatch) -> None:
    text = local.new_text()
    wrap = wrap_one(local.LocalRootKey("file:root.key", local.parse_text(text, "It")), KID, SEALING_KEY)
    monkeypatch.setenv(NAME, f"{text.reveal_text()}\n")
    assert unwrap_one(EnvironmentRootKey(f"env:{NAME}", ENVIRONMENT), wrap).reveal() == SEALING_KEY.reveal()


def test_a_byte_order_mark_before_the_key_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    text = local.new_text()
    wrap = wrap_one(local.LocalRootKey("file:root.key", local.parse_text(text, "It")), KID, SEALING_KEY)
    monkeypatch.setenv(NAME, f"\ufeff{text.reveal_text()}\r\n")
    assert unwrap_one(EnvironmentRootKey(f"env:{NAME}", ENVIRONMENT), wrap).reveal() == SEALING_KEY.reveal()


@pytest.mark.parametrize("value", [None, ""])
def test_an_unset_or_empty_variable_is_missing(monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    monkeypatch.delenv(NAME, raising=False)
    if value is not None:
        monkeypatch.setenv(NAME, value)
    with pytest.raises(RootKeyMissingError, match=NAME):
        wrap_one(EnvironmentRootKey(f"env:{NAME}", ENVIRONMENT), KID, SEALING_KEY)


def test_no_character_of_the_variable_can_be_altered(monkeypatch: pytest.MonkeyPatch) -> None:
    text = local.new_text().reveal_text()
    for position, old in enumerate(text):
        monkeypatch.setenv(NAME, text[:position] + ("A" if old != "A" else "B") + text[position + 1 :])
        with pytest.raises(RootKeyMalformedError):
            wrap_one(EnvironmentRootKey(f"env:{NAME}", ENVIRONMENT), KID, SEALING_KEY)


def test_bytes_that_are_no_text_are_malformed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, os.fsdecode(b"\xff\xfe"))
    with pytest.raises(RootKeyMalformedError):
        wrap_one(EnvironmentRootKey(f"env:{NAME}", ENVIRONMENT), KID, SEALING_KEY)


def test_a_refused_variable_is_not_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    text = local.new_text().reveal_text()[:-1]
    monkeypatch.setenv(NAME, text)
    report = failure_report(wrap_one, EnvironmentRootKey(f"env:{NAME}", ENVIRONMENT), KID, SEALING_KEY)
    assert NAME in report
    assert text[30:50] not in report


def test_the_key_is_in_no_repr(monkeypatch: pytest.MonkeyPatch) -> None:
    text = local.new_text().reveal_text()
    monkeypatch.setenv(NAME, text)
    root_key = EnvironmentRootKey(f"env:{NAME}", ENVIRONMENT)
    wrap_one(root_key, KID, SEALING_KEY)
    assert text[30:50] not in repr((root_key, vars(root_key)))


def test_a_variable_is_not_made_on_the_spot() -> None:
    assert not isinstance(EnvironmentRootKey(f"env:{NAME}", ENVIRONMENT), CreatableRootKey)
