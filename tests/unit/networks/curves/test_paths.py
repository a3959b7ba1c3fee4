from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.errors import InvalidPathError
from strongroom.networks.curves import paths
from strongroom.networks.curves.paths import HARDENED


def test_each_mark_of_a_hardened_element_is_read() -> None:
    assert paths.parse("m/44'/60h/0H/0/7") == (44 + HARDENED, 60 + HARDENED, HARDENED, 0, 7)


def test_the_root_is_a_path() -> None:
    assert paths.parse("m") == ()
    assert paths.render(()) == "m"


def test_the_largest_index_and_the_deepest_path_are_read() -> None:
    assert paths.parse("m/2147483647'/2147483647") == (0xFFFFFFFF, 0x7FFFFFFF)
    deepest = "m" + "/2147483647'" * 255
    assert paths.render(paths.parse(deepest)) == deepest


@given(st.lists(st.integers(0, 2**32 - 1), max_size=255).map(tuple))
def test_what_is_written_is_read_back(path: paths.Path) -> None:
    assert paths.parse(paths.render(path)) == path


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/",
        "M/0",
        "m/",
        "/0",
        "0/1",
        "m//0",
        "m/0/",
        "m/ 0",
        " m/0",
        "m/0\n",
        "m/-1",
        "m/+1",
        "m/00",
        "m/01'",
        "m/0''",
        "m/0'h",
        "m/0’",
        "m/'",
        "m/0x1",
        "m/1_0",
        "m/1.0",
        "m/٣",
        "m/²",
        "m/\ud800",
        "m/0\x00",
        "m\\0",
        "m/2147483648",
        "m/2147483648'",
        "m/4294967296",
        "m/99999999999999999999",
        "m" + "/0" * 256,
        "m" + "/0" * 1_000_000,
    ],
)
def test_everything_else_is_refused(text: str) -> None:
    with pytest.raises(InvalidPathError) as caught:
        paths.parse(text)
    assert text == "" or text not in caught.value.message
