"""What is next to a key in the same text: whether it could be another key, or follows from the one that was read."""

from __future__ import annotations

import re

from strongroom.networks.codecs import base58
from strongroom.secret import Secret
from strongroom.takeover.doctor import wrappings
from strongroom.takeover.doctor.derivation import Content, Derivation
from strongroom.takeover.doctor.key_kinds import KeyText
from strongroom.takeover.doctor.key_texts import read

_HEX = re.compile("(?:0[xX])?((?:[0-9a-fA-F]{2})+)")


def holds_more(read_text: KeyText, content: Content | None, derivation: Derivation) -> bool:
    """Whether a text holds another key or secret next to the key that was read: taking the one would lose the other."""
    if content is None:
        return False
    same = {0, read_text.member, *(other.member for other in read_text.others if _is_same(other, content))}
    return (
        read_text.holds_unread
        or read_text.tree is not None  # which has other keys
        or any(
            not _is_same(other, content)
            and (other.is_unopened or other.written_as_key or not other.looks_public or other.member not in same)
            for other in read_text.others
        )
        or any(not _is_explained(each, content, derivation) for each in read_text.remainders)
    )


def would_lose(derivation: Derivation, read_text: KeyText, content: Content) -> bool:
    """Whether putting the key alone in the place of a text loses something: also of what a password protects."""
    return content.more_inside or holds_more(read_text, content, derivation)


def _is_same(other: KeyText, content: Content) -> bool:
    if other.key is not None and content.key is not None:
        return other.key.reveal() == content.key.reveal()
    if other.phrase is None or content.phrase is None:
        return False
    return other.phrase.mnemonic.reveal() == content.phrase.mnemonic.reveal()


def _is_explained(remainder: Secret, content: Content, derivation: Derivation) -> bool:
    """Whether a text is an address, or says no more than the key: its public key, or the key again."""
    text = wrappings.bare(remainder.reveal_text())
    if derivation.is_address(text):
        return True
    if content.key is None:
        return False
    again = read(text)
    if any(_is_same(each, content) for each in (again, *again.others)):
        return True
    return text in derivation.addresses(content.key) or _is_public_key(text, content.key, derivation)


def _is_public_key(text: str, key: Secret, derivation: Derivation) -> bool:
    hexadecimal = _HEX.fullmatch(text)
    forms = [] if hexadecimal is None else [bytes.fromhex(hexadecimal[1])]
    forms += [data for data in (wrappings.decoded(text), base58.decode(text)) if data is not None]
    return any(form in derivation.public_keys(key) for form in forms)
