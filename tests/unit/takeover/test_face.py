"""What a takeover is asked for."""

from __future__ import annotations

import pytest

import strongroom


def test_what_a_takeover_is_asked_for_wrongly_is_refused_before_anything_is_opened() -> None:
    nowhere = strongroom.open_takeover("sqlite:////nowhere/vault.db")
    with pytest.raises(strongroom.InvalidPathError):
        nowhere.diagnose(paths=["m/x"])
    with pytest.raises(strongroom.InvalidRequestError):
        nowhere.plan(keep=[("x", "y")])
    with pytest.raises(strongroom.InvalidPlanError):
        nowhere.apply({})  # type: ignore[arg-type]
    with pytest.raises(strongroom.InvalidActorError):
        nowhere.upgrade(actor="\n")
