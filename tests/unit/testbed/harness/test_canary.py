"""The search finds every form of a secret that was planted, and nothing where nothing was."""

from __future__ import annotations

import base64
import json
import pickle
import sqlite3
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest

from testbed.harness.canary import Canary, Leak, report

_KEY = bytes.fromhex("c0ffee0df00dbabe8badf00ddeadbeef0123456789abcdeffedcba987654321f")
_WORDS = ["legal", "winner", "thank", "year", "wave", "sausage", "worth", "useful", "legal", "winner"]
_JAPANESE = ["あいこくしん", "がはく", "ぎじにってい"]
_CANARY = Canary(_KEY, _WORDS, {"WIF": "L3xampleWifText"})

_PLANTED: dict[str, bytes] = {
    "raw": _KEY,
    "raw as Latin-1 in UTF-8": _KEY.decode("latin-1").encode(),
    "Python repr": repr(_KEY).encode(),
    "hex": _KEY.hex().encode(),
    "HEX": _KEY.hex().upper().encode(),
    "escaped hex": "".join(f"\\x{byte:02x}" for byte in _KEY).encode(),
    "base64 at offset 0": base64.b64encode(_KEY + b"tail"),
    "base64 at offset 1": base64.b64encode(b"h" + _KEY + b"tail"),
    "base64 at offset 2": base64.b64encode(b"he" + _KEY),
    "base64url at offset 0": base64.urlsafe_b64encode(b"abc" + _KEY),
    "base64url at offset 1": base64.urlsafe_b64encode(b"abcd" + _KEY + b"xyz"),
    "base64url at offset 2": base64.urlsafe_b64encode(b"abcde" + _KEY + b"xy"),
    "JSON array": json.dumps({"key": list(_KEY)}).encode(),
    "JSON array without spaces": json.dumps(list(_KEY), separators=(",", ":")).encode(),
    "JSON array in lines": "\n".join(map(str, _KEY)).encode(),
    "decimal number": f"d = {int.from_bytes(_KEY)};".encode(),
    "words with spaces (NFC)": " ".join(_WORDS).encode(),
    "words with ideographic spaces (NFC)": "\u3000".join(_WORDS).encode(),
    "words with lines (NFC)": "\n".join(_WORDS).encode(),
    "words with commas (NFC)": ",".join(_WORDS).encode(),
    "words with commas and spaces (NFC)": ", ".join(_WORDS).encode(),
    "words as Python list (NFC)": repr(_WORDS).encode(),
    "words as JSON text (NFC)": json.dumps({"phrase": " ".join(_WORDS)}).encode(),
    "words as JSON list (NFC)": json.dumps(_WORDS).encode(),
    "words as JSON list without spaces (NFC)": json.dumps(_WORDS, separators=(",", ":")).encode(),
    "WIF": b"key=L3xampleWifText\n",
}


def _bare(name: str) -> str:
    return (
        name.removesuffix(", first half").removesuffix(", second half").replace("NFKD", "NFC").replace(", escaped", "")
    )


def test_every_rendering_is_planted() -> None:
    assert {_bare(name) for name in _CANARY.renderings} == set(_PLANTED)


@pytest.mark.parametrize("name", _PLANTED)
def test_a_planted_rendering_is_found_in_bytes_files_and_trees(name: str, tmp_path: Path) -> None:
    data = b"noise before " + _PLANTED[name] + b" noise after"
    assert name in {_bare(leak.rendering) for leak in _CANARY.in_bytes(data, "here")}
    folder = tmp_path / "deep" / "down"
    folder.mkdir(parents=True)
    (folder / "file.log").write_bytes(data)
    (folder / "clean.log").write_bytes(b"nothing")
    for where in (tmp_path, folder / "file.log"):
        leaks = _CANARY.in_tree(where)
        assert name in {_bare(leak.rendering) for leak in leaks}
        assert {leak.where for leak in leaks} == {str(folder / "file.log")}
    assert name in report(leaks)


@pytest.mark.parametrize("name", [name for name in _PLANTED if name not in ("decimal number", "WIF")])
def test_half_of_a_rendering_is_found(name: str) -> None:
    data = _PLANTED[name]
    at = {"first": data[: len(data) * 3 // 5], "second": data[len(data) * 2 // 5 :]}
    form = name.partition(" at offset")[0]  # the second half has another offset than the whole
    for half, part in at.items():
        found = [leak.rendering for leak in _CANARY.in_bytes(part, "here")]
        assert any(each.startswith(form) and each.endswith(f"{half} half") for each in found)


def test_nothing_is_found_where_nothing_is(tmp_path: Path) -> None:
    other = Canary(bytes(range(32)), ["zoo"] * 11 + ["wrong"])
    (tmp_path / "file").write_bytes(b"\n".join(_PLANTED.values()))
    assert other.in_tree(tmp_path) == []
    assert report([]) == ""


@pytest.mark.parametrize("form", ["NFC", "NFKD"])
def test_words_of_other_languages_are_found_in_every_normal_form(form: Literal["NFC", "NFKD"]) -> None:
    canary = Canary(_KEY, _JAPANESE)
    text = unicodedata.normalize(form, "\u3000".join(_JAPANESE))
    assert canary.in_text(text, "here")
    assert canary.in_text(json.dumps({"phrase": text.replace("\u3000", " ")}), "here")


def test_a_key_in_an_sqlite_file_and_in_a_file_name_is_found(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "vault.db") as connection:
        connection.execute("CREATE TABLE t (key blob)")
        connection.execute("INSERT INTO t VALUES (?)", (_KEY,))
    connection.close()
    (tmp_path / _KEY.hex()).touch()
    assert {_bare(leak.rendering) for leak in _CANARY.in_tree(tmp_path)} == {"raw", "hex"}


@dataclass
class LeakyWallet:
    """Carries a key where it must not."""

    key: bytes | str


class Careful:
    """Prints nothing and does not let itself be pickled."""

    def __init__(self, key: bytes) -> None:
        self.key = key

    def __repr__(self) -> str:
        return "<Careful>"

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise TypeError


class Quiet(Careful):
    """Prints nothing; its pickle tells."""

    def __reduce_ex__(self, protocol: Any) -> Any:
        return object.__reduce_ex__(self, protocol)


@pytest.mark.parametrize("key", [_KEY, _KEY.hex()])
def test_a_key_in_an_object_is_found_printed_and_in_every_pickle(key: bytes | str) -> None:
    places = {leak.where for leak in _CANARY.in_object(LeakyWallet(key), "wallet")}
    assert places == {"wallet, printed"} | {
        f"wallet, pickled by protocol {protocol}" for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
    }


def test_an_object_that_keeps_its_secret_is_clean() -> None:
    assert _CANARY.in_object(Careful(_KEY), "careful") == []
    assert {leak.where.split()[1] for leak in _CANARY.in_object(Quiet(_KEY), "quiet")} == {"pickled"}


def _fail(where: str) -> None:
    held = _KEY if where == "local" else b""
    try:
        raise ValueError(_KEY.hex() if where == "cause" else "no key", held and None)
    except ValueError as cause:
        error = RuntimeError(_KEY if where == "argument" else "failed")
        if where == "note":
            error.add_note(_KEY.hex())
        raise error from cause


@pytest.mark.parametrize(
    ("where", "place"),
    [
        ("argument", "arguments of RuntimeError"),
        ("cause", "arguments of ValueError"),
        ("local", f"local variable held of {__name__}._fail"),
        ("note", "traceback"),
    ],
)
def test_a_key_in_an_exception_is_found(where: str, place: str) -> None:
    with pytest.raises(RuntimeError) as caught:
        _fail(where)
    leaks = _CANARY.in_exception(caught.value, modules=("tests",))
    assert any(leak.where.startswith(place) for leak in leaks), report(leaks)


def test_an_exception_without_a_key_is_clean() -> None:
    with pytest.raises(RuntimeError) as caught:
        _fail("nowhere")
    assert _CANARY.in_exception(caught.value, modules=("tests",)) == []


def test_a_canary_and_a_leak_do_not_print_the_secret() -> None:
    printed = f"{_CANARY!r} {_CANARY} {Leak('raw', 'here')!r}"
    assert _CANARY.in_text(printed, "printed") == []


def test_a_short_canary_is_refused() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        Canary(b"short")
