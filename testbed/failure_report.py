"""What an error reporter would see of a failure."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any

import pytest

from strongroom.errors import StrongroomError


def failure_report(call: Callable[..., object], *args: Any, **kwargs: Any) -> str:
    """Call, expect an error of ours, and return message, hint and traceback with every live frame's locals."""
    with pytest.raises(StrongroomError) as caught:
        call(*args, **kwargs)
    error = caught.value
    assert error.__traceback__ is not None
    assert error.__cause__ is None
    assert error.__context__ is None, "a hidden cause would carry the frames that it came from"
    ours = error.__traceback__.tb_next  # without this frame
    rendered = traceback.TracebackException(type(error), error, ours, capture_locals=True)
    return "\n".join((*rendered.format(), repr(error), error.hint, repr(error.as_dict())))


def forms(secret: bytes) -> set[str]:
    """How a secret could show: as text, hex, number, repr."""
    shown = {secret.hex(), secret.hex().upper(), str(int.from_bytes(secret)), repr(secret)[2:-1]}
    try:
        text = secret.decode()
    except UnicodeDecodeError:
        return shown
    return shown | {text, text.strip(), repr(text)[1:-1]}


def assert_hides(report: str, secret: bytes) -> None:
    """No form of a secret is in a report of a failure."""
    assert "Traceback" in report
    for form in forms(secret):
        assert form not in report
