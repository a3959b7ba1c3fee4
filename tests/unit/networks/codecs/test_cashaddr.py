"""CashAddr against the test vectors of its specification (bitcoincashorg, "cashaddr.md")."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.networks.codecs import cashaddr

SHORT, LONG = "F5BF48B397DAE70BE82B3CCA4793F8EB2B6CDAC9", "7ADBF6C17084BC86C1706827B41A56F5CA32865925E946EA"
WRITTEN = [  # "Larger Test Vectors"
    (SHORT, 0, "bitcoincash:qr6m7j9njldwwzlg9v7v53unlr4jkmx6eylep8ekg2"),
    (SHORT, 1, "bchtest:pr6m7j9njldwwzlg9v7v53unlr4jkmx6eyvwc0uz5t"),
    (SHORT, 1, "pref:pr6m7j9njldwwzlg9v7v53unlr4jkmx6ey65nvtks5"),
    (SHORT, 15, "prefix:0r6m7j9njldwwzlg9v7v53unlr4jkmx6ey3qnjwsrf"),
    (LONG, 0, "bitcoincash:q9adhakpwzztepkpwp5z0dq62m6u5v5xtyj7j3h2ws4mr9g0"),
]
ADDRESS = WRITTEN[0][2]
BODY = ADDRESS.partition(":")[2]
ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


@pytest.mark.parametrize(("digest", "kind", "text"), WRITTEN)
def test_published_addresses(digest: str, kind: int, text: str) -> None:
    prefix = text.partition(":")[0]
    assert cashaddr.encode(prefix, kind, bytes.fromhex(digest)) == text
    for spelling in (text, text.upper(), text.partition(":")[2], text.partition(":")[2].upper()):
        assert cashaddr.decode(prefix, spelling) == (kind, bytes.fromhex(digest))


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":",
        "bitcoincash:",
        f":{BODY}",
        f"bchtest:{BODY}",
        f"bitcoincash:bitcoincash:{BODY}",
        f"BITCOINCASH:{BODY}",
        f"bitcoincash:{BODY.upper()}",
        f"Bitcoincash:{BODY}",
        BODY[:20] + BODY[20:].upper(),
        ADDRESS[:-1],
        ADDRESS + "q",
        ADDRESS[:-1] + "3",
        ADDRESS + "\n",
        " " + ADDRESS,
        ADDRESS + "\0",
        ADDRESS.replace("k", "\u212a").upper(),  # the sign of the kelvin, which is a k in lower case
        ADDRESS[:-1] + "\ud800",
        "bitcoincash:qpzry9x8gf2tvdw0s3jn54khce6mua7lcw20ayyn",  # its checksum fits; its version byte says 40 bytes
        "q" * 1_000_000,
    ],
)
def test_what_is_none_is_refused(text: str) -> None:
    assert cashaddr.decode("bitcoincash", text) is None


@given(st.integers(0, 15), st.sampled_from((20, 24, 28, 32, 40, 48, 56, 64)), st.data())
def test_it_reads_what_it_writes_and_nothing_close_to_it(kind: int, size: int, data: st.DataObject) -> None:
    digest = data.draw(st.binary(min_size=size, max_size=size))
    text = cashaddr.encode("bitcoincash", kind, digest)
    assert cashaddr.decode("bitcoincash", text) == (kind, digest)
    place = data.draw(st.integers(len("bitcoincash:"), len(text) - 1))
    other = data.draw(st.sampled_from(ALPHABET.replace(text[place], "")))
    assert cashaddr.decode("bitcoincash", text[:place] + other + text[place + 1 :]) is None


def written(symbols: list[int]) -> str:
    """Any groups of five bits, with a checksum that fits."""
    start = cashaddr._start("bitcoincash")
    total = cashaddr._checksum(start, (*symbols, *bytes(8)))
    return "".join(ALPHABET[each] for each in (*symbols, *(total >> 5 * place & 31 for place in reversed(range(8)))))


def test_what_fits_but_is_not_canonical_is_refused() -> None:
    symbols = [ALPHABET.index(each) for each in BODY[:-8]]
    assert written(symbols) == BODY
    wrong = {
        "a bit of the padding": [*symbols[:-1], symbols[-1] | 1],
        "a group too many": [*symbols, 0],
        "a group too few": symbols[:-1],
        "a reserved bit": [symbols[0] | 16, *symbols[1:]],
        "another length": [symbols[0], symbols[1] | 1 << 2, *symbols[2:]],
        "nothing": [],
        "a version byte alone": [0, 0],
    }
    for name, groups in wrong.items():
        assert cashaddr.decode("bitcoincash", written(groups)) is None, name
