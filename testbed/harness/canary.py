"""Search for a secret that must not be anywhere, in every form in which it could have got there.

Half of a secret is found as well as all of it: each half is searched for by itself, so that a text that was cut short,
or lies across two pages of a file, is seen.
"""

from __future__ import annotations

import base64
import json
import pickle
import traceback
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import FrameType


@dataclass(frozen=True, slots=True)
class Leak:
    """A form of the secret, and where it was seen; never the secret itself."""

    rendering: str
    where: str


@dataclass(frozen=True)
class Canary:
    """A key that is known to the test, and what to look for.

    ``words`` are those of its phrase; ``texts`` are further forms by name, such as ``{"WIF": "L1..."}``.
    """

    private_key: bytes
    words: Sequence[str] = ()
    texts: Mapping[str, str] | None = None

    def __post_init__(self) -> None:
        if len(self.private_key) < 16:
            raise ValueError("a canary needs at least 16 bytes, or it is found by chance")

    def __repr__(self) -> str:
        return "<Canary>"

    @cached_property
    def renderings(self) -> Mapping[str, bytes]:
        """What is searched for: name of the form to bytes."""
        found: dict[str, bytes] = {}
        middle = len(self.private_key) // 2
        for half, part in (("first half", self.private_key[:middle]), ("second half", self.private_key[middle:])):
            found |= {f"{name}, {half}": data for name, data in _of_bytes(part)}
        found["decimal number"] = str(int.from_bytes(self.private_key)).encode()
        middle = len(self.words) // 2
        for half, words in (("first half", self.words[:middle]), ("second half", self.words[middle:])):
            found |= {f"{name}, {half}": data for name, data in _of_words(words)}
        for name, text in (self.texts or {}).items():
            found[name] = text.encode()
        return found

    def in_bytes(self, data: bytes, where: str) -> list[Leak]:
        """Search bytes."""
        return [Leak(name, where) for name, wanted in self.renderings.items() if wanted in data]

    def in_text(self, text: str, where: str) -> list[Leak]:
        """Search text, such as a log."""
        return self.in_bytes(text.encode(errors="surrogatepass"), where)

    def in_tree(self, path: Path) -> list[Leak]:
        """Search a file, or every file below a directory with their names."""
        files = sorted(each for each in path.rglob("*") if each.is_file()) if path.is_dir() else [path]
        leaks = [leak for each in files for leak in self.in_text(str(each), f"the name {each.parent}/...")]
        for each in files:
            with suppress(FileNotFoundError):  # a temporary file that went meanwhile
                leaks += self.in_bytes(each.read_bytes(), str(each))
        return leaks

    def in_object(self, value: object, where: str) -> list[Leak]:
        """Search an object's ``repr`` and ``str``, and its pickle by every protocol, if it can be pickled."""
        leaks = self.in_text(f"{value!r}\n{value!s}", f"{where}, printed")
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            try:
                data = pickle.dumps(value, protocol)
            except Exception:
                continue
            leaks += self.in_bytes(data, f"{where}, pickled by protocol {protocol}")
        return leaks

    def in_exception(self, error: BaseException, modules: Sequence[str] = ("strongroom",)) -> list[Leak]:
        """Search an exception: text, arguments, causes, and the local variables of the modules' frames.

        Error reporters send the ``repr`` of local variables along, so that is what is searched.
        """
        leaks = self.in_text("".join(traceback.format_exception(error)), "traceback")
        for each in _chain(error):
            leaks += self.in_object(each.args, f"arguments of {type(each).__name__}")
            leaks += self.in_text(repr(vars(each)), f"attributes of {type(each).__name__}")
            leaks += self.in_frames((frame for frame, _ in traceback.walk_tb(each.__traceback__)), modules)
        return leaks

    def in_frames(self, frames: Iterable[FrameType], modules: Sequence[str] = ("strongroom",)) -> list[Leak]:
        """Search the ``repr`` of the local variables of the modules' frames."""
        leaks: list[Leak] = []
        for frame in frames:
            module = frame.f_globals.get("__name__", "")
            if any(module == name or module.startswith(f"{name}.") for name in modules):
                for name, value in frame.f_locals.items():
                    where = f"local variable {name} of {module}.{frame.f_code.co_name}"
                    leaks += self.in_text(repr(value), where)
        return leaks


def report(leaks: Iterable[Leak]) -> str:
    """The leaks as lines, for an assertion's message; empty if there are none."""
    return "\n".join(sorted({f"{leak.rendering}: {leak.where}" for leak in leaks}))


def _of_bytes(data: bytes) -> Iterator[tuple[str, bytes]]:
    yield "raw", data
    yield "raw as Latin-1 in UTF-8", data.decode("latin-1").encode()
    yield "Python repr", repr(data)[2:-1].encode()
    yield "hex", data.hex().encode()
    yield "HEX", data.hex().upper().encode()
    yield "escaped hex", "".join(f"\\x{byte:02x}" for byte in data).encode()
    for offset in range(3):
        # Characters that depend on these bytes alone, whatever stands before and after them.
        first, last = -(-8 * offset // 6), 8 * (offset + len(data)) // 6
        padded = bytes(offset) + data
        yield f"base64 at offset {offset}", base64.b64encode(padded)[first:last]
        yield f"base64url at offset {offset}", base64.urlsafe_b64encode(padded)[first:last]
    yield "JSON array", json.dumps(list(data))[1:-1].encode()
    yield "JSON array without spaces", json.dumps(list(data), separators=(",", ":"))[1:-1].encode()
    yield "JSON array in lines", "\n".join(map(str, data)).encode()


def _of_words(words: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    if not words:
        return
    for form in ("NFC", "NFKD"):
        normal = [unicodedata.normalize(form, word) for word in words]
        for name, separator in (
            ("spaces", " "),
            ("ideographic spaces", "\u3000"),
            ("lines", "\n"),
            ("commas", ","),
            ("commas and spaces", ", "),
        ):
            yield f"words with {name} ({form})", separator.join(normal).encode()
        yield f"words as Python list ({form})", repr(normal)[1:-1].encode()
        for ascii_only in (True, False):
            kind = f"{form}, escaped" if ascii_only else form
            yield f"words as JSON text ({kind})", json.dumps(" ".join(normal), ensure_ascii=ascii_only)[1:-1].encode()
            listed = json.dumps(normal, ensure_ascii=ascii_only)[1:-1]
            yield f"words as JSON list ({kind})", listed.encode()
            yield f"words as JSON list without spaces ({kind})", listed.replace('", "', '","').encode()


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: list[BaseException] = []
    waiting: list[BaseException | None] = [error]
    while waiting:
        each = waiting.pop()
        if each is None or any(each is other for other in seen):
            continue
        seen.append(each)
        yield each
        waiting += [
            each.__cause__,
            each.__context__,
            *(each.exceptions if isinstance(each, BaseExceptionGroup) else ()),
        ]
