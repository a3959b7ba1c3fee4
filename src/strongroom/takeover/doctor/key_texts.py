"""The key texts of the field: what a text is, before anything is derived from it.

A text is read layer by layer, and what is inside of each in every notation that fits: any notation may be in any
wrapping. Reading never raises, takes bounded time, and keeps what it found wrapped. docs/findings.md, "How a text is
read".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from strongroom.crypto.sealed_headers import has_form_of_one
from strongroom.crypto.sealing import is_of_ours, is_sealed
from strongroom.records.vault_texts import PLACEHOLDERS, SEALED_PREFIX
from strongroom.secret import Secret
from strongroom.store.inspection.inspection import MAX_TEXT_CHARACTERS
from strongroom.takeover.doctor import (
    ciphertexts,
    json_members,
    language_forms,
    locked_texts,
    notations,
    prose,
    wrappings,
)
from strongroom.takeover.doctor.around_sealed import SEALED, with_sealed
from strongroom.takeover.doctor.found import Found
from strongroom.takeover.doctor.key_kinds import IN_PLAINTEXT, LOCKED, UNOPENED, KeyText, KeyTextKind
from strongroom.takeover.doctor.own_forms import own_forms
from strongroom.takeover.doctor.wrappings import Inner

__all__ = ["IN_PLAINTEXT", "LOCKED", "UNOPENED", "KeyText", "KeyTextKind", "TextReading", "read", "read_plaintext"]

_LONGEST_KEY_CHARACTERS = 4096
_DEEPEST = 5
_MOST_TEXTS = 64
"""Layers and members that are looked into, in one text."""
_MOST_CHARACTERS = 4 * MAX_TEXT_CHARACTERS
_MOST_FOUND = 32
"""Ways in which one text is a key."""
_MOST_PHRASES = 3
"""Each of them, and of extended keys, costs a stretching or the derivation of many keys."""

_PLACEHOLDER = KeyText(KeyTextKind.PLACEHOLDER, "no key")


def read(text: str | None) -> KeyText:
    """Say what a text is."""
    if text is None or text in PLACEHOLDERS:
        return _PLACEHOLDER
    if has_form_of_one(text) or (is_sealed(text) and len(text) > MAX_TEXT_CHARACTERS):
        return SEALED
    if len(text) > MAX_TEXT_CHARACTERS:
        return KeyText(KeyTextKind.UNREADABLE, f"longer than {MAX_TEXT_CHARACTERS:,} characters")
    found = _read(text.strip())
    if SEALED_PREFIX in text:
        found = with_sealed(text, found, _read)
    return found or KeyText(KeyTextKind.UNREADABLE, _shape(text.strip()))


def read_plaintext(plaintext: Secret) -> KeyText | None:
    """Say what came out of an envelope: a key or a phrase, else None."""
    text = wrappings.as_text(plaintext.reveal())
    found = None if text is None else _read(text.strip())
    return None if found is None or found.kind not in IN_PLAINTEXT else found


def _read(text: str) -> KeyText | None:
    if len(text) <= _LONGEST_KEY_CHARACTERS and not text.startswith("{"):
        found = notations.plain(text)
        if found is not None and found.certain:
            return _key_text(found, (), trusted=True)
        if found is None and (encoded := _encoded(text)) is not None:
            return encoded
    reading = TextReading()
    reading.look_at(text)
    return reading.result()


def _encoded(text: str) -> KeyText | None:
    """Base64 of a key or phrase as wallets write it: what most encoded texts are."""
    data = wrappings.decoded(text)
    inner = None if data is None else wrappings.as_text(data)
    found = None if inner is None or len(inner) > _LONGEST_KEY_CHARACTERS else notations.plain(inner)
    if found is None or not found.certain:
        return None
    return _key_text(found, (Inner("base64", ""),), trusted=True)


class TextReading:
    """What one text is, in every way in which it can be read."""

    def __init__(self) -> None:
        self._certain: list[KeyText] = []
        self._doubtful: list[KeyText] = []
        self._locked: list[KeyText] = []
        self._texts = _MOST_TEXTS
        self._characters = _MOST_CHARACTERS
        self._phrases = _MOST_PHRASES
        self._unread = False
        self._written = 0
        self._remainders: list[Secret] = []
        self._paths: tuple[str, ...] = ()
        self._members = self._member = 0
        self._together: set[str | bytes] = set()

    def result(self) -> KeyText | None:
        """The likeliest of what was found; the others may be the key all the same, if they derive it."""
        first = self._certain or self._locked or self._doubtful
        if not first:
            return None
        others = [each for each in (*self._certain, *self._locked, *self._doubtful) if each is not first[0]]
        unread = self._unread or first[0].holds_unread or (bool(self._locked) and first is not self._locked)
        others = [replace(each, paths=self._paths) for each in others[:_MOST_FOUND]]
        return replace(
            first[0],
            paths=self._paths,
            others=tuple(others),
            holds_unread=unread,
            remainders=tuple(self._remainders),
        )

    def look_at(self, text: str, trail: tuple[Inner, ...] = (), *, trusted: bool = True) -> None:
        """Read a text, and what is inside of it."""
        text = wrappings.bare(text)
        self._texts -= 1
        self._characters -= len(text)
        if not text:
            return
        if self._texts < 0 or self._characters < 0 or len(trail) > _DEEPEST:
            self._unread = True
            return
        if is_sealed(text) and is_of_ours(one := "".join(text.split())):
            form = _named(SEALED.form, trail) if trail else f"{SEALED.form}, with something around it"
            self._lock(KeyText(KeyTextKind.SEALED, form, sealed=Secret.from_text(one)))
            return
        if text[0] in '{["(' and (document := language_forms.document(text)) is not None:
            if isinstance(document, dict) and (self._is_locked(document, text, trail) or self._is_own(text, trail)):
                return
            self._paths = self._paths or json_members.paths_in(document)
            for each in json_members.members(document):
                self._enter(each, trail, trusted=trusted)
            if not isinstance(document, list) or any(isinstance(each, dict | list | str | bytes) for each in document):
                return  # a list of numbers is a notation
        if (locked := locked_texts.of_text(text)) is not None:
            self._lock(replace(locked, form=_named(locked.form, trail)))
            return
        if (name := ciphertexts.of_text(text)) is not None:
            self._encrypted(name, trail)
            return
        if self._write_out(text, trail, trusted=trusted):
            return
        for each in language_forms.whole(text) or self._inner(text):
            self._enter(each, trail, trusted=trusted)

    def _inner(self, text: str) -> Iterable[Inner]:
        return *wrappings.inner(text), *language_forms.inner(text), *prose.inner(text)

    def _write_out(self, text: str, trail: tuple[Inner, ...], *, trusted: bool) -> bool:
        """Every notation that fits; True where it can be nothing else."""
        found = notations.plain(text) if len(text) <= _LONGEST_KEY_CHARACTERS else None
        if found is not None:
            self._keep(found, trail, trusted=trusted)
        if found is None or not found.certain:
            for each in notations.otherwise(text):
                self._keep(each, trail, trusted=trusted)
                found = found or each
        return found is not None and found.certain

    def _enter(self, inner: Inner, trail: tuple[Inner, ...], *, trusted: bool) -> None:
        if inner.public:
            self._set_aside(inner)
            return
        if inner.together:
            if inner.content in self._together:
                return
            self._together.add(inner.content)
        before, outer = self._found(), self._member
        written = self._written
        if inner.secret:
            self._members += 1
            self._member = self._members
        self._read_inner(inner, trail, trusted=trusted)
        self._member = outer
        self._unread = self._unread or (inner.secret and self._found() == before)
        if inner.part and not inner.secret and self._written == written:
            self._set_aside(inner)

    def _set_aside(self, inner: Inner) -> None:
        """Remember what could be a key and was not read as one."""
        if not wrappings.could_be_secret(inner.content):
            return
        if len(self._remainders) == _MOST_TEXTS:
            self._unread = True
            return
        text = inner.content if isinstance(inner.content, str) else inner.content.hex()
        self._remainders.append(Secret.from_text(text))

    def _found(self) -> int:
        return len(self._certain) + len(self._doubtful) + len(self._locked)

    def _read_inner(self, inner: Inner, trail: tuple[Inner, ...], *, trusted: bool) -> None:
        trusted, trail = trusted and inner.trusted, (*trail, inner._replace(content=""))
        if isinstance(inner.content, str):
            self.look_at(inner.content, trail, trusted=trusted)
            return
        if (name := ciphertexts.of_bytes(inner.content)) is not None:
            self._encrypted(name, trail)
            return
        if inner.layer != "hex":  # whose digits were read as a number
            for found in notations.of_bytes(inner.content):
                self._keep(found, trail, trusted=trusted)
        if (text := wrappings.as_text(inner.content)) is not None:
            self.look_at(text, trail, trusted=trusted)

    def _keep(self, found: Found, trail: tuple[Inner, ...], *, trusted: bool) -> None:
        if found.phrase is not None or found.tree is not None:
            self._phrases -= 1
            if self._phrases < 0:
                self._unread = True
                return
        self._written += found.certain
        kept = replace(_key_text(found, trail, trusted=trusted), member=self._member, holds_unread=found.partial)
        into = self._doubtful if kept.looks_public else self._certain
        if len(into) < _MOST_FOUND:
            into.append(kept)
        else:
            self._unread = True

    def _is_own(self, text: str, trail: tuple[Inner, ...]) -> bool:
        """Whether an object is a key as programs of one network write it."""
        own = next(own_forms(text), None)
        if own is not None:
            self._keep(own, trail, trusted=True)
        return own is not None

    def _is_locked(self, document: dict[str, Any], text: str, trail: tuple[Inner, ...]) -> bool:
        """Whether an object is an envelope, a keystore, or something else that is encrypted."""
        written = text if text.lstrip()[1:].lstrip()[:1] == '"' else json_members.as_json(document)
        locked = locked_texts.of_object(document, written)
        if locked is not None:
            self._lock(replace(locked, form=_named(locked.form, trail)))
            return True
        if (name := ciphertexts.of_object(document)) is not None:
            self._encrypted(name, trail)
        return name is not None

    def _encrypted(self, name: str, trail: tuple[Inner, ...]) -> None:
        self._lock(KeyText(KeyTextKind.ENCRYPTED, _named(f"encrypted by {name}", trail)))

    def _lock(self, found: KeyText) -> None:
        """Keep what is not open; a second one may be another key."""
        self._written += 1
        if any(found.is_again(each) for each in self._locked):
            return
        if len(self._locked) < _MOST_FOUND:
            self._locked.append(found)
        else:
            self._unread = True


def _key_text(found: Found, trail: tuple[Inner, ...], *, trusted: bool) -> KeyText:
    encoded = any(inner.encoding for inner in trail)
    kind = KeyTextKind.ENCODED if encoded else KeyTextKind.PHRASE
    if not encoded and (found.key is not None or found.tree is not None):
        kind = KeyTextKind.KEY
    says_secret = next((each.says_secret for each in reversed(trail) if each.says_secret is not None), None)
    doubtful = not (found.certain and (trusted or found.proved or says_secret is True))
    return KeyText(
        kind,
        _named(found.form, trail),
        found.key,
        found.phrase,
        looks_public=doubtful,
        written_as_key=found.certain,
        says_secret=says_secret,
        named_only=found.key is None and found.phrase is None,
        written=found.written,
        tree=found.tree,
    )


def _named(form: str, trail: tuple[Inner, ...]) -> str:
    """A form with the layers around it: ``base64 of: hex private key, in quotes``."""
    around = dict.fromkeys(inner.layer for inner in trail if not inner.encoding)
    layers = [inner.layer for inner in trail if inner.encoding]
    return "".join(f"{layer} of: " for layer in layers) + form + "".join(f", {layer}" for layer in around)


def _shape(text: str) -> str:
    """How a text looks that nothing explains; says nothing of what is in it."""
    data = wrappings.decoded(text)
    looks = "" if data is None else f", as base64 {len(data):,} bytes"
    return f"nothing known explains the text ({len(text):,} characters{looks})"
