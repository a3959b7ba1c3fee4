"""Private keys in DER, as Hedera's portal and SDKs write them in hexadecimal digits. A text that does not fit is None.

Each form has one spelling: what stands around the 32 bytes of the key is compared, and nothing is parsed.
"""

from __future__ import annotations

from typing import NamedTuple

from strongroom.networks.codecs import key_text
from strongroom.networks.curves import secp256k1
from strongroom.networks.curves.curve import ED25519, SECP256K1
from strongroom.secret import Secret

KEY_BYTES = 32


class _Form(NamedTuple):
    curve: str
    before: bytes
    after: bytes = b""
    point_bytes: int = 0
    """Of the public key behind that, which has to be the private one's."""

    @property
    def length_bytes(self) -> int:
        return len(self.before) + KEY_BYTES + len(self.after) + self.point_bytes


_CURVE = "a00706052b8104000a"
_FORMS = (
    _Form(ED25519, bytes.fromhex("302e020100300506032b657004220420")),  # RFC 8410
    _Form(SECP256K1, bytes.fromhex("3030020100300706052b8104000a04220420")),  # Hedera's own
    _Form(SECP256K1, bytes.fromhex("302e0201010420"), bytes.fromhex(_CURVE)),  # RFC 5915
    _Form(SECP256K1, bytes.fromhex("30540201010420"), bytes.fromhex(_CURVE + "a124032200"), 33),
    _Form(SECP256K1, bytes.fromhex("30740201010420"), bytes.fromhex(_CURVE + "a144034200"), 65),
    _Form(
        SECP256K1,
        bytes.fromhex("308184020100301006072a8648ce3d020106052b8104000a046d306b0201010420"),  # RFC 5958
        bytes.fromhex("a144034200"),
        65,
    ),
)


def read(text: Secret) -> tuple[str, Secret] | None:
    """The curve and the private key of a text; None for one that is in none of the forms."""
    for form in _FORMS:
        data = key_text.from_hex(text, form.length_bytes)
        key = None if data is None else _key(form, data)
        if key is not None:
            return form.curve, key
    return None


def write(curve: str, key: Secret) -> Secret:
    """The text that Hedera's SDKs write of a key of 32 bytes."""
    form = next(form for form in _FORMS if form.curve == curve)
    return Secret.from_text((form.before + key.reveal()).hex())


def _key(form: _Form, data: Secret) -> Secret | None:
    begin = len(form.before)
    end = begin + KEY_BYTES
    behind = end + len(form.after)
    whole = data.reveal()
    if not whole.startswith(form.before) or whole[end:behind] != form.after:
        return None
    return Secret(whole[begin:end]) if _is_point_of(whole[begin:end], whole[behind:]) else None


def _is_point_of(key: bytes, written: bytes) -> bool:
    if not written:
        return True
    point = secp256k1.public_key(key)
    return point is not None and written in (point, secp256k1.decompress(point))
