"""What is one sealed text, and what stands around some: told alike in Python and in SQL."""

from __future__ import annotations

import sqlite3
from uuid import UUID

import pytest

from strongroom.crypto import sealing
from strongroom.crypto.sealed_headers import is_one, pieces_of
from strongroom.records.key_material import Identity, KeyMaterial
from strongroom.secret import Secret
from strongroom.store.statements.sealed_forms import is_one_sealed


class _Keys:
    def project_key(self, kid: str, project_id: UUID) -> Secret:
        return Secret(b"k" * 32)


TEXT = sealing.seal(
    KeyMaterial(Secret(b"\x01" * 32), "bip44"), Identity(UUID(int=1), UUID(int=2), "ethereum", "0x0"), "k1", _Keys()
)
AROUND = [
    "%s,",
    "%sA",
    "A%s",
    "%s.",
    "%s.AAAA",
    "%s=",
    "%s\n",
    " %s",
    "%s %s",
    "%s\0key",
    "x",
    "eyJraWQiOi",
    "%.40s",
    "",
]


@pytest.mark.parametrize("form", ["%s", *AROUND])
def test_sqlite_and_python_agree_about_what_is_one_sealed_text(form: str) -> None:
    text = form.replace("%s", TEXT) if "%s" in form else form % TEXT if "%" in form else form
    with sqlite3.connect(":memory:") as database:
        [(told,)] = database.execute(f"SELECT {is_one_sealed('text', sqlite=True)} FROM (SELECT ? AS text)", (text,))
    assert bool(told) is is_one(text) is (form == "%s")


def test_every_sealed_text_and_what_is_between_them_is_told() -> None:
    key = "46" * 32
    found = pieces_of(f"{TEXT},{TEXT} 0x{key}; x {TEXT[:-4]}")
    assert (found.sealed, found.is_odd) == ((TEXT, TEXT), False)
    assert f"0x{key}" in found.others


@pytest.mark.parametrize("form", ["%sA", "A%s", "%s.AAAA", "%s%s"])
def test_what_goes_on_where_a_sealed_text_ends_is_odd(form: str) -> None:
    assert pieces_of(form.replace("%s", TEXT)).is_odd
