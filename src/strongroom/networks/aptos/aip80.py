"""Private keys with their scheme in front: ``ed25519-priv-0x...``, ``secp256k1-priv-0x...``. AIP-80."""

from __future__ import annotations

from strongroom.networks.codecs import key_text
from strongroom.networks.curves.curve import ED25519, SECP256K1
from strongroom.secret import Secret

KEY_BYTES = 32
_PREFIXES = {ED25519: "ed25519-priv-", SECP256K1: "secp256k1-priv-"}
_DIGITS = "0x"


def read(text: Secret) -> tuple[str, Secret] | None:
    """The curve that a text says, and its key; None for any other text."""
    stripped = key_text.strip(text) or ""
    for curve, prefix in _PREFIXES.items():
        if stripped.startswith(prefix + _DIGITS):
            key = key_text.from_hex(Secret.from_text(stripped[len(prefix) :]), KEY_BYTES)
            return None if key is None else (curve, key)
    return None


def write(curve: str, key: Secret) -> Secret:
    """The text of 32 bytes on a curve."""
    return Secret.from_text(_PREFIXES[curve] + _DIGITS + key.reveal().hex())
