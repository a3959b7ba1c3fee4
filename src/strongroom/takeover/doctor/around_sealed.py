"""What stands around a sealed text, or behind a damaged one: read as any other text, so that it hides no key."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from strongroom.crypto.sealed_headers import pieces_of
from strongroom.crypto.sealing import is_sealed
from strongroom.secret import Secret
from strongroom.takeover.doctor import wrappings
from strongroom.takeover.doctor.key_kinds import KeyText, KeyTextKind

SEALED = KeyText(KeyTextKind.SEALED, "sealed text")
_MOST_FOUND = 64


def with_sealed(text: str, found: KeyText | None, read: Callable[[str], KeyText | None]) -> KeyText | None:
    """What a text is in which a sealed one stands, or what is left of one, with all that is around it.

    ``found``: what is read of it as a whole; ``read`` reads a piece. What begins as a sealed text is told as one.
    """
    ways = [] if found is None else [replace(found, others=()), *found.others]
    unread = found is not None and found.holds_unread
    pieces = pieces_of(_in_one_line(text, ways))
    for one in pieces.sealed:
        again = KeyText(KeyTextKind.SEALED, f"{SEALED.form}, with something around it", sealed=Secret.from_text(one))
        if not any(again.is_again(each) for each in ways):
            ways.append(again)
    for piece in pieces.others:
        inside = read(piece)
        ways += [] if inside is None else [each for each in (inside, *inside.others) if not _is_among(each, ways)]
        unread = unread or (inside is None and not pieces.is_document and wrappings.could_be_secret(piece))
    first = next((each for each in ways if each.kind is KeyTextKind.SEALED), None)
    if is_sealed(text) and (first is None or found is None or found.kind is not KeyTextKind.SEALED):
        first = first or SEALED
    elif found is not None:
        first = ways[0]
    if first is None:
        return SEALED if is_sealed(text) else None
    others = tuple(replace(each, others=()) for each in ways if each is not first)[:_MOST_FOUND]
    remainders = () if found is None else found.remainders
    return replace(first, others=others, holds_unread=unread or pieces.is_odd, remainders=remainders)


def _in_one_line(text: str, ways: Iterable[KeyText]) -> str:
    """A text without its white space, where a sealed one was read of it that goes over several lines."""
    one = "".join(text.split())
    sealed = (each.sealed.reveal_text() for each in ways if each.sealed is not None)
    return one if any(each in one and each not in text for each in sealed) else text


def _is_among(found: KeyText, ways: Iterable[KeyText]) -> bool:
    """Whether the same key, phrase or text was read already."""
    return any(
        found.is_again(each)
        or (found.key is not None and each.key is not None and found.key.reveal() == each.key.reveal())
        or (
            found.phrase is not None
            and each.phrase is not None
            and found.phrase.mnemonic.reveal() == each.phrase.mnemonic.reveal()
        )
        for each in ways
    )
