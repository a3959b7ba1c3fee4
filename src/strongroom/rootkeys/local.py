"""What root keys have in common that hold 32 bytes in this process: their text form, wrap and unwrap.

The text form is ``STRONGROOM-ROOT-KEY-1-`` and the base64url of the 32 bytes and the first four bytes of the
SHA-256 of prefix and bytes: a mistyped or cut-off key is told from a wrong one.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping

from strongroom import jwe, kdf
from strongroom.errors import KeyringCorruptError, RootKeyMalformedError
from strongroom.model import WrappedKey
from strongroom.ports import NotMine
from strongroom.secret import Secret

PREFIX = "STRONGROOM-ROOT-KEY-1-"
_KEY_BYTES = 32
_CHECKSUM_BYTES = 4
_CHECK_VALUE_BYTES = 16
_HEADER = {"typ": "strongroom-sealing-key+1"}


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

    def wrap(self, kid: str, sealing_key: Secret) -> WrappedKey:
        """Wrap a sealing key; the kid is in the authenticated header."""
        wrapped = jwe.encrypt(self._header_of(kid), sealing_key, self._wrapping_key())
        return WrappedKey(kid, self.uri, wrapped, self.check_value())

    def unwrap(self, wrap: WrappedKey) -> Secret:
        """Unwrap a sealing key. Raises NotMine, or KeyringCorruptError if the check value says that it is ours."""
        try:
            parsed = jwe.parse(wrap.wrapped)
            sealing_key = jwe.decrypt(parsed, self._wrapping_key())
        except jwe.JweError:
            if wrap.check_value != self.check_value():
                raise NotMine from None
            raise KeyringCorruptError("The root key is the right one, but a keyring row is damaged.") from None
        if parsed.header != self._header_of(wrap.kid):
            raise KeyringCorruptError("A keyring row holds the wrap of another sealing key.")
        return sealing_key

    def check_value(self) -> str:
        """Tells root keys apart without the key: 16 bytes of HKDF-SHA256, base64url."""
        check = kdf.derive(self._key, "strongroom/v1/root-key/check", _CHECK_VALUE_BYTES)
        return jwe.encode_segment(check.reveal())

    def _header_of(self, kid: str) -> dict[str, str]:
        return {"kid": kid, **jwe.ALGORITHM, **self._header}

    def _wrapping_key(self) -> Secret:
        return kdf.derive(self._key, "strongroom/v1/root-key/wrap")

    def __repr__(self) -> str:
        return f"<LocalRootKey {self.uri}>"


def new_text(random_bytes: Callable[[int], bytes] = os.urandom) -> Secret:
    """Make a root key, in its text form."""
    return _encode(Secret(random_bytes(_KEY_BYTES)))


def parse_text(text: Secret, origin: str) -> Secret:
    """Read the text form into 32 bytes. Raises RootKeyMalformedError that names ``origin`` and quotes nothing."""
    key = _decode(text)
    if key is None:
        raise RootKeyMalformedError(f"{origin} does not hold a root key: prefix, length or checksum is wrong.")
    return key


def _encode(key: Secret) -> Secret:
    body = Secret(key.reveal() + _checksum(key))
    return Secret((PREFIX + jwe.encode_segment(body.reveal())).encode())


def _decode(text: Secret) -> Secret | None:
    try:
        stripped = text.reveal_text().strip()
        body = jwe.decode_segment(stripped.removeprefix(PREFIX))
    except (jwe.JweError, ValueError):
        return None
    key = Secret(body[:_KEY_BYTES])
    whole = len(body) == _KEY_BYTES + _CHECKSUM_BYTES and stripped.startswith(PREFIX)
    return key if whole and body[_KEY_BYTES:] == _checksum(key) else None


def _checksum(key: Secret) -> bytes:
    return hashlib.sha256(PREFIX.encode() + key.reveal()).digest()[:_CHECKSUM_BYTES]
