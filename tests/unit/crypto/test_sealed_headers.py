"""Headers of sealed texts, found wherever they stand in a text."""

from __future__ import annotations

import time
from uuid import uuid4

import pytest

from strongroom.crypto import sealing
from strongroom.crypto.sealed_headers import first_header, headers_in
from strongroom.records.key_material import Identity, KeyMaterial
from strongroom.secret import Secret

LONGEST = 1 << 18


class OneKey:
    """A key of every project."""

    def project_key(self, kid: str, project_id: object) -> Secret:
        return Secret(b"k" * 32)


def sealed(address: str = "x") -> str:
    identity = Identity(uuid4(), uuid4(), "ethereum", address)
    return sealing.seal(KeyMaterial(Secret(b"1" * 32), "bip44"), identity, "kid", OneKey())


@pytest.mark.parametrize("around", ["{0}", '"{0}"', "{1}{0}{1}", "aaa{0}", "{2}{0}", ".{0}.", "{0} {0}", "{2}.{0}{2}"])
def test_a_header_is_found_whatever_is_around_it(around: str) -> None:
    text = sealed()
    identity = sealing.identity_in(text)
    assert identity is not None
    within = around.format(text, "\u20ac ", text[:10])
    found = list(headers_in(within))
    assert {each.id for each in found} == {identity.credential_id}
    assert found[0].whole(within).startswith(text)


@pytest.mark.parametrize("text", ["a" * LONGEST, "eyJraWQiOi" * (LONGEST // 10), f"eyJraWQiOi{'a' * LONGEST} "])
def test_a_long_run_without_a_dot_takes_no_square_of_its_length(text: str) -> None:
    began = time.perf_counter()
    assert list(headers_in(text)) == []
    assert time.perf_counter() - began < 5, "seconds; minutes, where every place in it is tried"


@pytest.mark.parametrize("length", [400, 600, 5_000])
def test_the_first_header_is_read_of_a_beginning_of_the_text(length: int) -> None:
    text = sealed()
    identity = sealing.identity_in(text)
    found = first_header(text[:length])
    assert identity is not None
    assert found is not None
    assert (found.wallet_id, found.project_id) == (identity.credential_id, identity.project_id)
    assert found == next(headers_in(text))


@pytest.mark.parametrize("text", ["", "x", ".", sealed()[:100], f"x{sealed()}", "eyJraWQiOiJhIn0.x", "W10.x", "bnVsbA"])
def test_a_text_that_begins_with_no_header_has_none(text: str) -> None:
    assert first_header(text) is None
