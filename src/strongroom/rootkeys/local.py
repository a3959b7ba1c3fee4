"""What root keys have in common that hold 32 bytes in this process: their text form, wrap and unwrap.

The text form is ``STRONGROOM-ROOT-KEY-1-`` and the base64url of the 32 bytes and the first four bytes of the
SHA-256 of prefix and bytes: a mistyped or cut-off key is told from a wrong one.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping

from strongroom.crypto import jwe, kdf
from strongroom.errors import KeyringCorruptError, RootKeyMalformedError
from strongroom.host import marked_text
from strongroom.ports.root_key import NotMine
from strongroom.records.keyring import WrapContext, WrappedKey
from strongroom.secret import Secret

PREFIX = "STRONGROOM-ROOT-KEY-1-"
_KEY_BYTES = 32
_CHECKSUM_BYTES = 4
_CHECK_VALUE_BYTES = 16
TYPE = "strongroom-sealing-key+1"
_OTHER_TYPES = "strongroom-sealing-key-"
_HEADER = {"typ": TYPE}


class LocalRootKey:
    """Wraps sealing keys as JWE under a key derived from 32 bytes in memory. Prints nothing.

    ``header`` is what the authenticated header of each wrap has after ``kid``, ``alg`` and ``enc``: a ``typ``, and
    whatever else the 32 bytes were made with.
    """

    __slots__ = ("_header", "_key", "uri")

    def __init__(self, uri: str, key: Secret, header: Mapping[str, str] = _HEADER) -> None:
        self.uri = uri
        self._key = key
        self._header = header

    def wrap(self, sealing_key: Secret, context: WrapContext) -> str:
        """Wrap a sealing key; the kid is in the authenticated header."""
        return jwe.encrypt(self._header_of(context.kid), sealing_key, self._wrapping_key())

    def unwrap(self, wrapped: str, context: WrapContext) -> Secret:
        """Unwrap a sealing key. Raises NotMine, or KeyringCorruptError where it opens and is another sealing key's."""
        try:
            parsed = jwe.parse(wrapped)
            sealing_key = jwe.decrypt(parsed, self._wrapping_key())
        except jwe.JweError:
            raise NotMine from None
        if parsed.header != self._header_of(context.kid):
            raise KeyringCorruptError("A keyring row holds the wrap of another sealing key.")
        return sealing_key

    def recognises(self, wrap: WrappedKey) -> bool:
        """Whether a wrap may be of this kind; see ``recognises``."""
        return _type_of(wrap) == self._header["typ"] or recognises(wrap)

    def check_value(self, wrapped: str = "") -> str:  # noqa: ARG002 - the same next to every wrap
        """Tells root keys apart without the key: 16 bytes of HKDF-SHA256, base64url."""
        check = kdf.derive(self._key, "strongroom/v1/root-key/check", _CHECK_VALUE_BYTES)
        return jwe.encode_segment(check.reveal())

    def _header_of(self, kid: str) -> dict[str, str]:
        return {"kid": kid, **jwe.ALGORITHM, **self._header}

    def _wrapping_key(self) -> Secret:
        return kdf.derive(self._key, "strongroom/v1/root-key/wrap")

    def __repr__(self) -> str:
        return f"<LocalRootKey {self.uri}>"


def recognises(wrap: WrappedKey) -> bool:
    """Whether 32 random bytes may have made a wrap: not where its header names another kind of root key.

    A text that cannot be read may be a damaged one of theirs.
    """
    return not _type_of(wrap).startswith(_OTHER_TYPES)


def new_text(random_bytes: Callable[[int], bytes] = os.urandom) -> Secret:
    """Make a root key, in its text form."""
    return _encode(Secret(random_bytes(_KEY_BYTES)))


def parse_text(text: Secret, origin: str) -> Secret:
    """Read the text form into 32 bytes. Raises RootKeyMalformedError that names ``origin`` and quotes nothing."""
    key = _decode(text)
    if key is None:
        raise RootKeyMalformedError(f"{origin} does not hold a root key: prefix, length or checksum is wrong.")
    return key


def _type_of(wrap: WrappedKey) -> str:
    try:
        return jwe.parse(wrap.wrapped).header.get("typ", "")
    except (jwe.JweError, ValueError):
        return ""


def _encode(key: Secret) -> Secret:
    body = Secret(key.reveal() + _checksum(key))
    return Secret((PREFIX + jwe.encode_segment(body.reveal())).encode())


def _decode(text: Secret) -> Secret | None:
    try:
        stripped = marked_text.decode(text.reveal()).strip()
        body = jwe.decode_segment(stripped.removeprefix(PREFIX))
    except (jwe.JweError, ValueError):
        return None
    key = Secret(body[:_KEY_BYTES])
    whole = len(body) == _KEY_BYTES + _CHECKSUM_BYTES and stripped.startswith(PREFIX)
    return key if whole and body[_KEY_BYTES:] == _checksum(key) else None


def _checksum(key: Secret) -> bytes:
    return hashlib.sha256(PREFIX.encode() + key.reveal()).digest()[:_CHECKSUM_BYTES]
