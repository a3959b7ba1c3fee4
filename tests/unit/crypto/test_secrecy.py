"""While sealing or opening fails, no message, no cause and no frame shows a key, a phrase or a payload."""

from __future__ import annotations

import dataclasses
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

import strongroom
from strongroom.crypto import jwe, keyring, sealing
from strongroom.crypto.wraps import wrap_one
from strongroom.errors import StrongroomError
from strongroom.records.keyring import KeyringRows
from strongroom.rootkeys.local import LocalRootKey
from strongroom.secret import Secret
from testbed.failure_report import forms
from testbed.sealing import samples
from testbed.sealing.samples import ABANDON, IDENTITY, KID, MATERIAL, PRIVATE_KEY, SEALING_KEY

SOURCES = Path(strongroom.__file__).parent
ROOT_KEY = LocalRootKey("file:root.key", Secret(bytes.fromhex("c0ffee" * 10 + "c0ff")))
CANONICAL = jwe.encode_header(samples.HEADER)
SECRETS = [
    bytes.fromhex(PRIVATE_KEY),
    ABANDON.encode(),
    SEALING_KEY.reveal(),
    samples.KEYS.project_key(KID, IDENTITY.project_id).reveal(),
    bytes.fromhex("c0ffee" * 10 + "c0ff"),
]


def report(call: Callable[[], object]) -> str:
    """Everything that an error reporter could print: the whole chain, with the locals of every frame of ours."""
    with pytest.raises(StrongroomError) as caught:
        call()
    parts: list[str] = []
    error: BaseException | None = caught.value
    while error is not None:
        ours = error.__traceback__
        while ours is not None and SOURCES not in Path(ours.tb_frame.f_code.co_filename).parents:
            ours = ours.tb_next
        assert ours is not None
        rendered = traceback.TracebackException(type(error), error, ours, capture_locals=True)
        parts += [*rendered.format(), repr(error), repr(vars(error))]
        error = error.__cause__ or error.__context__
    return "\n".join(parts)


def damaged(text: str) -> str:
    return text[:-4] + ("AAAA" if text[-4:] != "AAAA" else "BBBB")


FAILURES: dict[str, Callable[[], object]] = {
    "damaged": lambda: samples.opened(damaged(samples.sealed())),
    "moved": lambda: samples.opened(samples.sealed(), dataclasses.replace(IDENTITY, network="solana")),
    "newer payload": lambda: samples.opened(samples.forged(CANONICAL, samples.PAYLOAD.replace(b":1", b":2", 1))),
    "odd mnemonic": lambda: samples.opened(samples.forged(CANONICAL, samples.PAYLOAD[:-1] + b',"mnemonic":5}')),
    "cut payload": lambda: samples.opened(samples.forged(CANONICAL, samples.PAYLOAD[:-1])),
    "unknown kid": lambda: sealing.seal(MATERIAL, IDENTITY, "other", samples.KEYS),
    "another root key": lambda: unwrap(LocalRootKey("env:X", Secret(b"\7" * 32))),
    "damaged wrap": lambda: unwrap(ROOT_KEY, damage=True),
    "another key": lambda: unwrap(ROOT_KEY, kid="A" * 22),
}


def unwrap(root_key: LocalRootKey, kid: str = KID, damage: bool = False) -> keyring.Keyring:
    wrap = wrap_one(ROOT_KEY, kid, SEALING_KEY)
    if damage:
        wrap = dataclasses.replace(wrap, wrapped=damaged(wrap.wrapped))
    return keyring.unwrap(KeyringRows(kid, (wrap,), (kid,)), root_key)


@pytest.mark.parametrize("failure", FAILURES)
def test_a_failure_shows_no_secret(failure: str) -> None:
    shown = report(FAILURES[failure])
    assert "Traceback" in shown
    for secret in SECRETS:
        for form in forms(secret):
            assert form not in shown


@pytest.mark.parametrize("text", [PRIVATE_KEY, ABANDON])
def test_another_applications_clear_text_is_not_quoted(text: str) -> None:
    with pytest.raises(StrongroomError) as caught:
        samples.opened(text)
    assert text not in repr((caught.value, vars(caught.value), caught.value.as_dict()))


def test_the_report_shows_what_a_frame_of_ours_holds() -> None:
    assert IDENTITY.address in report(FAILURES["damaged"]), "the report must be able to find a planted value"
