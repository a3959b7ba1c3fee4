"""Tags: what strongroom recorded in the database, told from what others wrote there.

A tag is HMAC-SHA256 over a record's fields under a key that is derived from a sealing key, one key for each kind of
record. Who writes to the database and has no root key makes no tag; putting back an older record with its tag is not
seen. The bytes are specified in docs/format.md.
"""

from __future__ import annotations

import binascii
import hmac
from collections.abc import Iterable, Sequence
from typing import Protocol

from strongroom.errors import UnknownSealingKeyError
from strongroom.records.tag import Tag, TagKind
from strongroom.secret import Secret

_LENGTHS = tuple(f"{length}:" for length in range(256))
_MOST_SEEN = 8192
_TO_URL = bytes.maketrans(b"+/", b"-_")


class Tagged(Protocol):
    """A record that a tag is made of. Two that compare equal have the same fields."""

    def fields(self) -> Sequence[str | None]:
        """What the tag covers, in order."""


class TagKeys(Protocol):
    """What tags need of a keyring."""

    @property
    def active_kid(self) -> str:
        """The sealing key that new tags are made under."""

    @property
    def seen(self) -> dict[str, tuple[str, TagKind, Tagged]]:
        """Tags that were found to fit, by value: kid, kind and record of each. As long as the keys are these."""

    def tag_key(self, kid: str, kind: TagKind) -> Secret:
        """The key of a kind of record: HKDF-SHA256(sealing key, "strongroom/v1/tag/" + kind).

        Raises UnknownSealingKeyError for a kid that the keyring does not list, or lists as retired.
        """


def encode(fields: Iterable[str | None]) -> bytes:
    """The bytes that are authenticated: of each field its length in bytes, in decimal digits, a colon, and its UTF-8.

    A field that is absent is a hyphen. No two lists of fields have the same bytes.
    """
    known, lengths = tuple(fields), _LENGTHS
    try:
        text = "".join(["-" if field is None else lengths[len(field)] + field for field in known])
    except IndexError:  # a field is longer
        text = "\x80"
    if text.isascii():  # then a character is a byte
        return text.encode()
    return b"".join(b"-" if field is None else _measured(field) for field in known)


def _measured(field: str) -> bytes:
    data = field.encode(errors="surrogatepass")
    return b"%d:%b" % (len(data), data)


def make(kind: TagKind, fields: Sequence[str | None], keys: TagKeys) -> Tag:
    """Tag a record under the active sealing key."""
    kid = keys.active_kid
    return Tag(kid, _value(keys.tag_key(kid, kind), encode(fields)).decode("ascii"))


def fits(kind: TagKind, fields: Sequence[str | None], tag: Tag, keys: TagKeys) -> bool:
    """Whether a tag was made for exactly these fields by somebody who has the keyring."""
    kid, value = tag
    try:
        key = keys.tag_key(kid, kind)
    except UnknownSealingKeyError:
        return False
    return value.isascii() and hmac.compare_digest(_value(key, encode(fields)), value.encode())


def fits_record(kind: TagKind, record: Tagged, tag: Tag, keys: TagKeys) -> bool:
    """The same, remembered: wallets are read again and again.

    Of a tag that fitted the whole record is kept. What is read later is compared with all of it, so that no row passes
    that would not pass without.
    """
    kid, value = tag
    seen = keys.seen
    if seen.get(value) == (kid, kind, record):
        return True
    if not fits(kind, record.fields(), tag, keys):
        return False
    if len(seen) >= _MOST_SEEN:
        seen.clear()
    seen[value] = kid, kind, record
    return True


def _value(key: Secret, data: bytes) -> bytes:
    digest = hmac.digest(key.reveal(), data, "sha256")
    return binascii.b2a_base64(digest, newline=False).translate(_TO_URL)[:43]
