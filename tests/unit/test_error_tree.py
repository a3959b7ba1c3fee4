"""Every error: a stable code, a hint, a place in the drawn tree, and a way through pickle."""

from __future__ import annotations

import pickle
import re
from collections.abc import Iterator
from typing import NamedTuple

import pytest

import strongroom
from strongroom import errors
from strongroom.errors import IdempotencyConflictError, IdentityMismatchError, StrongroomError, all_errors

KINDS = list(all_errors())
EACH = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)


class Drawn(NamedTuple):
    name: str
    parent: str
    note: str


LINE = re.compile(r" {4}(?P<bars>(?:[│ ] {3}|[├└]── )*)(?P<name>\w+Error)(?: +(?P<note>.*))?")


def drawing() -> Iterator[Drawn]:
    """The tree in the docstring."""
    assert errors.__doc__ is not None
    above: list[Drawn] = []
    for found in filter(None, map(LINE.fullmatch, errors.__doc__.splitlines())):
        depth = len(found["bars"]) // 4
        parent = above[depth - 1] if depth else Drawn("", "", "")
        drawn = Drawn(found["name"], parent.name, found["note"] or "")
        above[depth:] = [drawn]
        yield drawn


TREE = list(drawing())


def test_the_drawn_tree_is_the_tree_of_classes() -> None:
    assert [drawn.name for drawn in TREE] == [kind.__name__ for kind in KINDS], "the same classes, in the same order"
    for drawn, kind in zip(TREE, KINDS, strict=True):
        assert [base.__name__ for base in kind.__bases__] == [drawn.parent or "Exception"]


def test_drawn_retryable_errors_are_those_that_are() -> None:
    drawn = {drawn.name for drawn in TREE if "retryable" in drawn.note}
    assert drawn == {kind.__name__ for kind in KINDS if kind.retryable}
    assert drawn


def test_codes_are_unique_and_stable_in_form() -> None:
    codes = [kind.code for kind in KINDS]
    assert len(set(codes)) == len(codes) > 40
    assert all(re.fullmatch("[a-z]+(-[a-z]+)*", code) for code in codes)


def test_every_error_is_public() -> None:
    for kind in KINDS:
        assert getattr(strongroom, kind.__name__) is kind
        assert kind.__name__ in strongroom.__all__
        assert kind.__name__.endswith("Error")


@EACH
def test_every_error_has_its_own_code_hint_and_description(kind: type[StrongroomError]) -> None:
    assert {"code", "default_hint"} <= set(vars(kind))
    assert kind.default_hint.strip()
    assert kind.__doc__
    error = kind("What happened.")
    assert (error.message, str(error), error.hint) == ("What happened.", "What happened.", kind.default_hint)
    assert error.as_dict() == {"code": kind.code, "message": "What happened.", "hint": kind.default_hint}
    assert kind("", hint="Do this.").hint == "Do this."
    assert kind().message == ""


@EACH
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_every_error_passes_through_pickle(kind: type[StrongroomError], protocol: int) -> None:
    error = kind("What happened.", hint="Do this.")
    back = pickle.loads(pickle.dumps(error, protocol))
    assert type(back) is kind
    assert back.as_dict() == error.as_dict()
    assert back.retryable == kind.retryable


def test_what_an_error_names_passes_through_pickle() -> None:
    fields = pickle.loads(pickle.dumps(IdempotencyConflictError("They differ.", fields=("label", "network"))))
    assert fields.fields == ("label", "network")
    columns = pickle.loads(pickle.dumps(IdentityMismatchError("It moved.", columns=("network",))))
    assert columns.columns == ("network",)
    assert IdempotencyConflictError().fields == IdentityMismatchError().columns == ()
