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
_WHOLE = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*){4}")
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


def first_header(beginning: str) -> HeaderInText | None:
    """The header of the sealed text that a text begins with, of which no more need be there; None where none does."""
    return _read(beginning.partition(".")[0], 0)


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
