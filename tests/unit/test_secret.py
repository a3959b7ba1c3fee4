"""A secret does not show itself: not printed, not compared, not copied, not pickled, not in a traceback."""

from __future__ import annotations

import copy
import dataclasses
import json
import logging
import operator
import pickle
import traceback
from collections.abc import Callable
from typing import Any

import pytest

from strongroom.records.key_material import KeyMaterial, Revealed
from strongroom.secret import Secret
from testbed.failure_report import forms

VALUE = b"correct horse battery staple"
SECRET = Secret(VALUE)
MATERIAL = KeyMaterial(SECRET, "bip44", "m/0", Secret(VALUE), Secret(VALUE))


def hides(shown: str) -> bool:
    return not any(form in shown for form in forms(VALUE))


def test_reveal_gives_the_bytes_back() -> None:
    assert SECRET.reveal() == VALUE
    assert SECRET.reveal_text() == VALUE.decode()
    assert Secret.from_text("ключ").reveal_text() == "ключ"


def test_the_bytes_are_the_secrets_own() -> None:
    given = bytearray(VALUE)
    secret = Secret(given)
    given[:] = bytes(len(given))
    assert secret.reveal() == VALUE


def test_a_secret_is_taken_as_it_is() -> None:
    assert Secret.from_text(SECRET) is SECRET
    assert Secret.optional(SECRET) is SECRET
    assert Secret.optional(None) is None
    assert Secret.optional("") is not None


def test_text_that_is_not_utf_8_stays_undecodable() -> None:
    with pytest.raises(UnicodeDecodeError):
        Secret.from_text("\ud800").reveal_text()


@pytest.mark.parametrize(
    "show",
    [
        repr,
        str,
        ascii,
        format,
        lambda secret: f"{secret}{secret!r}{secret!s}{secret:>40}",
        lambda secret: "%s %r" % (secret, secret),  # noqa: UP031 - how logging formats
        lambda secret: "{0} {0!r} {0!a}".format(secret),  # noqa: UP032
        lambda secret: str([secret, (secret,), {"key": secret}]),
        lambda _: repr(MATERIAL),
        lambda _: repr(Revealed(SECRET, SECRET, SECRET, None, "bip44")),
    ],
)
def test_nothing_that_prints_shows_it(show: Callable[[Secret], str]) -> None:
    shown = show(SECRET)
    assert "<Secret>" in shown
    assert hides(shown)


def test_a_log_record_does_not_show_it(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        logging.getLogger(__name__).debug("made %s %r", SECRET, {"key": SECRET})
    assert hides(caplog.text)
    assert "<Secret>" in caplog.text


def test_a_traceback_with_locals_does_not_show_it() -> None:
    def fail(secret: Secret, material: KeyMaterial) -> None:
        held = [secret]
        raise ValueError(f"{held}")

    with pytest.raises(ValueError, match="<Secret>") as caught:
        fail(SECRET, MATERIAL)
    rendered = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    assert "secret = <Secret>" in rendered
    assert hides(rendered)


@pytest.mark.parametrize("other", [SECRET, Secret(VALUE), VALUE, None, "text"], ids=lambda other: type(other).__name__)
def test_secrets_are_not_compared(other: object) -> None:
    for compare in (operator.eq, operator.ne):
        for pair in ((SECRET, other), (other, SECRET)):
            with pytest.raises(TypeError, match="not compared"):
                compare(*pair)
    with pytest.raises(TypeError, match="not supported"):
        operator.lt(SECRET, other)  # type: ignore[arg-type]


def test_secrets_have_no_hash() -> None:
    with pytest.raises(TypeError):
        hash(SECRET)
    with pytest.raises(TypeError):
        hash(MATERIAL)


@pytest.mark.parametrize(
    "holder", [SECRET, [SECRET], {"key": SECRET}, MATERIAL], ids=["bare", "list", "dict", "record"]
)
def test_secrets_are_not_pickled_or_copied(holder: object) -> None:
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError, match="not copied or pickled"):
            pickle.dumps(holder, protocol)
    with pytest.raises(TypeError, match="not copied or pickled"):
        copy.deepcopy(holder)


def test_a_secret_is_not_copied() -> None:
    with pytest.raises(TypeError, match="not copied or pickled"):
        copy.copy(SECRET)


def test_records_with_secrets_do_not_become_dictionaries() -> None:
    with pytest.raises(TypeError, match="not copied or pickled"):
        dataclasses.asdict(MATERIAL)


def test_nothing_takes_the_bytes_out_by_itself() -> None:
    takes: list[Callable[[Any], object]] = [bytes, bytearray, list, len, iter, int, memoryview, json.dumps, vars]
    for take in takes:
        with pytest.raises(TypeError):
            take(SECRET)
    for attribute in ("__dict__", "__iter__", "__bytes__", "__len__", "__buffer__"):
        assert not hasattr(SECRET, attribute)


def test_json_with_str_as_a_fallback_does_not_show_it() -> None:
    assert json.dumps({"key": SECRET}, default=str) == '{"key": "<Secret>"}'
