"""The headers of sealed texts, read without the rest: whose a text says that it is, wherever it stands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple
from uuid import UUID

from strongroom import bounded_json
from strongroom.crypto import jwe, phrase_sealing, sealing
from strongroom.records.vault_texts import SEALED_PREFIX

_SEGMENTS = re.compile(r"(?<![A-Za-z0-9_-])([A-Za-z0-9_-]++)\.")
"""Of each run of such characters its beginning alone is tried: any other takes the square of its length."""
_FORM = re.compile(
    r"[A-Za-z0-9_-]++\.[A-Za-z0-9_-]{54}\.[A-Za-z0-9_-]{16}\.[A-Za-z0-9_-]++\.[A-Za-z0-9_-]{22}", re.ASCII
)
_WHOLE = re.compile(
    r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{54}\.[A-Za-z0-9_-]{16}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{22}"
    r"|[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*){4}"
)
"""The lengths are those of every text of ours, so that what goes on right behind one is no part of it."""
_RUNS = re.compile(r"[A-Za-z0-9_.-]++")
_CUT_OFF = re.compile(
    r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]{0,54}|\.[A-Za-z0-9_-]{54}\.[A-Za-z0-9_-]{0,16}"
    r"|\.[A-Za-z0-9_-]{54}\.[A-Za-z0-9_-]{16}\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]{0,22})?)?"
)
"""A sealed text of which the end may be missing."""
_BETWEEN = re.compile(r"[\s,;|]+")
_AROUND = " \t\r\n,;:|\"'`{}[]()<>\ufeff\u200b\u00a0\0="
_LEAST_CHARACTERS = 16
_MOST_PIECES = 32
_FIXED_CHARACTERS = 54 + 16 + 22 + 4
"""Wrapped key, nonce, tag and the four dots."""
_WALLETS = (sealing.TYPE, sealing.ASIDE_TYPE, sealing.TEXT_TYPE)


class HeaderInText(NamedTuple):
    """What the header of a sealed text says; nothing of it is proved."""

    typ: str
    project_id: UUID
    id: UUID
    """Of the wallet or the phrase."""
    address: str
    """Of a wallet; empty of a phrase."""
    begins: int
    """Where the sealed text begins in the text that it stands in."""

    @property
    def is_phrase(self) -> bool:
        """Whether it is a phrase's text."""
        return self.typ == phrase_sealing.TYPE

    @property
    def is_own(self) -> bool:
        """Whether it is a wallet's own text: no key or text that was kept aside, which is no wallet's."""
        return self.typ == sealing.TYPE

    @property
    def wallet_id(self) -> UUID | None:
        """The wallet under whose id the text has a key, its own or one that was kept aside; else None."""
        return self.id if self.typ in (sealing.TYPE, sealing.ASIDE_TYPE) else None

    def whole(self, text: str) -> str:
        """The sealed text, out of the text that it stands in, as far as it has the form of one."""
        found = _WHOLE.match(text, self.begins, self.begins + jwe.MAX_TEXT_BYTES)
        return "" if found is None else found[0]


def headers_in(text: str) -> Iterator[HeaderInText]:
    """The headers of all sealed texts that stand in a text as they are, whatever is around and between them.

    A header has the beginning of one once, so that what stands right before it hides none. Takes time in proportion to
    the length of the text.
    """
    for segment in _SEGMENTS.finditer(text):
        begins = segment[1].rfind(SEALED_PREFIX)
        if begins >= 0 and (found := _read(segment[1][begins:], segment.start() + begins)) is not None:
            yield found


def has_form_of_one(text: str) -> bool:
    """The same, as far as characters and lengths tell, in a tenth of the time: nothing else can stand in it."""
    return text.startswith(SEALED_PREFIX) and len(text) <= jwe.MAX_TEXT_BYTES and _FORM.fullmatch(text) is not None


def is_one(text: str) -> bool:
    """Whether a text is a whole sealed text of ours and nothing else, as far as its form says; see docs/format.md."""
    try:
        return jwe.parse(text).header.get("typ") in (*_WALLETS, phrase_sealing.TYPE)
    except (jwe.JweError, ValueError):
        return False


class Pieces(NamedTuple):
    """What stands in a text that has sealed texts in it."""

    sealed: tuple[str, ...]
    """Each of them that is whole."""
    others: tuple[str, ...]
    """What is around and between them, as far as it is no single marks."""
    is_odd: bool
    """Whether something goes on where a sealed text begins or ends, so that it cannot be told from it."""
    is_document: bool
    """Whether it may be JSON, which is read as such."""

    def __repr__(self) -> str:
        return f"<Pieces {len(self.sealed)} {len(self.others)}>"


def pieces_of(text: str) -> Pieces:
    """Take a text apart that has sealed texts in it, whole or damaged ones."""
    sealed, others, is_odd, at = [], [], False, 0
    for run in _RUNS.finditer(text):
        begins = run[0].find(SEALED_PREFIX)
        if begins < 0:
            continue
        one = run[0]
        if is_one(one):
            sealed.append(one)
        else:
            is_odd = is_odd or begins > 0 or not _CUT_OFF.fullmatch(one) or len(one) > jwe.MAX_TEXT_BYTES
            sealed += [each for header in headers_in(one) if is_one(each := header.whole(one))]
        others.append(text[at : run.start()])
        at = run.end()
    others.append(text[at:])
    parts = (part for other in others for part in (other, *_BETWEEN.split(other)))
    told = dict.fromkeys(each for part in parts if len(each := part.strip(_AROUND)) >= _LEAST_CHARACTERS)
    return Pieces(
        tuple(sealed), tuple(told)[:_MOST_PIECES], is_odd or len(told) > _MOST_PIECES, text.strip()[:1] in '{["('
    )


def first_header(beginning: str) -> HeaderInText | None:
    """The header of the sealed text that a text begins with, of which no more need be there; None where none does."""
    return _read(beginning.partition(".")[0], 0)


def may_hold_phrase(beginning: str, length: int) -> bool:
    """Whether a sealed text of some length is long enough to hold a phrase, as far as its beginning tells."""
    header = beginning.partition(".")[0]
    rest = length - len(header) - _FIXED_CHARACTERS
    return len(header) == len(beginning) or rest * 3 // 4 >= sealing.SHORTEST_WITH_PHRASE


def _read(segment: str, begins: int) -> HeaderInText | None:
    if len(segment) > jwe.MAX_TEXT_BYTES:
        return None
    try:
        header = bounded_json.loads(jwe.decode_segment(segment).decode())
        typ, project_id = header["typ"], UUID(header["project"])
        if typ in _WALLETS:
            return HeaderInText(typ, project_id, UUID(header["credential"]), str(header["address"]), begins)
        if typ == phrase_sealing.TYPE:
            return HeaderInText(typ, project_id, UUID(header["phrase"]), "", begins)
    except (jwe.JweError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        pass
    return None
