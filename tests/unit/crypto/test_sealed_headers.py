"""Headers of sealed texts, found wherever they stand in a text."""

from __future__ import annotations

import time
from uuid import uuid4

import pytest

from strongroom.crypto import sealing
from strongroom.crypto.sealed_headers import headers_in
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
