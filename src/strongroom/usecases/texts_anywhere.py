"""Every sealed text of a vault, wherever it stands: in vault records, metadata, the history and the rows of phrases.

Also with something around it, several in one text, and in base64, JSON or whatever else strongroom gets one out of.
Read by its header alone, which says whose it is. The tables are read whole, page by page: for rows alone that nothing
proves.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from strongroom.crypto.jwe import MAX_TEXT_BYTES
from strongroom.crypto.sealed_headers import HeaderInText, first_header, headers_in
from strongroom.errors import KeyConflictError
from strongroom.records.vault_texts import SEALED_PREFIX
from strongroom.usecases.context import VaultContext

MOST_TEXTS = 2_000_000
"""Headers that one question reads in texts with anything around or besides a sealed one, which takes about half a
minute; a text without one counts as one. What is a sealed text and nothing else does not count: wallets have as many,
and each takes about as long as their rows do."""
MOST_CHARACTERS = 2_000_000_000
"""Of all those texts. One with a wrapped text in it counts ten times, for the time that it takes."""
_WRAPPED = 10
_LONGEST = 1 << 18
"""Characters of one text, from the first sealed one in it on: in what is longer another one may follow."""


class SealedText(NamedTuple):
    """A sealed text as its header says it is, and the text that it stands in."""

    header: HeaderInText
    around: str

    def __repr__(self) -> str:
        return f"<SealedText {self.header.id}>"

    def whole(self) -> str:
        """The sealed text alone."""
        return self.header.whole(self.around)


def texts_anywhere(context: VaultContext) -> Iterator[SealedText]:
    """Every sealed text, none opened; one may come twice.

    Raises StoreError, and KeyConflictError where there are more, or longer ones, with something around them than are
    read.
    """
    texts, characters = MOST_TEXTS, MOST_CHARACTERS
    for text, looked_into in _read(context):
        inside = [each for one in looked_into for each in context.texts.sealed_inside(one)]
        if not inside and (alone := _alone(text)) is not None:
            yield SealedText(alone, text)
            continue
        characters -= len(text) * (_WRAPPED if inside else 1)
        if characters < 0:
            raise too_many_texts()
        found = 0
        for each in (text, *inside):
            for header in headers_in(each):
                found += 1
                if found > texts:
                    raise too_many_texts()
                yield SealedText(header, each)
        texts -= max(found, 1)
        if texts < 0:
            raise too_many_texts()


def _alone(text: str) -> HeaderInText | None:
    """The header of what is one sealed text and nothing else, with the beginning of one in it once."""
    header = first_header(text[:MAX_TEXT_BYTES])
    return header if header is not None and header.whole(text) == text and text.count(SEALED_PREFIX) == 1 else None


def _read(context: VaultContext) -> Iterator[tuple[str, tuple[str, ...]]]:
    for page in context.store.register.stream_texts_with_sealed():
        for text, looked_into in page:
            if len(text) > _LONGEST:
                raise too_many_texts()
            yield text, looked_into
    for stored in context.store.phrases.stream():
        for each in stored:
            if len(each.sealed_text) > MAX_TEXT_BYTES:
                raise too_many_texts()
            yield each.sealed_text, ()


def too_many_texts() -> KeyConflictError:
    """The error where not all texts were read: one of those that were not may say that the key is another project's."""
    return KeyConflictError(
        "The vault has more texts with something around a sealed one, or longer ones, than are compared: whether this "
        "key is another project's is not known; nothing was changed.",
        hint="Who holds the key takes it in as a wallet of its own: `strongroom wallet import`. A text with a sealed "
        f"one in it that goes on for more than {_LONGEST:,} characters was not written by strongroom.",
    )
