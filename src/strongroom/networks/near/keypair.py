"""Private keys as NEAR writes them: ``ed25519:`` and seed and public key, 64 bytes, in base58."""

from __future__ import annotations

from strongroom.networks.codecs import base58, key_text
from strongroom.networks.curves import ed25519
from strongroom.secret import Secret

PREFIX = "ed25519:"
_KEYPAIR_BYTES = 64


def read(text: Secret) -> Secret | None:
    """The 64 bytes of a text; None for any other text."""
    stripped = key_text.strip(text) or ""
    data = base58.decode(stripped.removeprefix(PREFIX)) if stripped.startswith(PREFIX) else None
    return Secret(data) if data is not None and len(data) == _KEYPAIR_BYTES else None


def is_public(text: Secret) -> bool:
    """Whether a text has 32 bytes where a keypair has 64: as NEAR writes public keys."""
    stripped = key_text.strip(text) or ""
    data = base58.decode(stripped.removeprefix(PREFIX)) if stripped.startswith(PREFIX) else None
    return data is not None and len(data) == ed25519.PUBLIC_KEY_BYTES


def seed_of(keypair: Secret) -> Secret | None:
    """The seed, or None where the halves do not belong together."""
    seed, public = keypair.reveal()[: ed25519.SEED_BYTES], keypair.reveal()[ed25519.SEED_BYTES :]
    return Secret(seed) if ed25519.public_key(seed) == public else None


def write(seed: Secret, public: bytes) -> Secret:
    """The text of a seed and its public key."""
    return Secret.from_text(PREFIX + base58.encode(seed.reveal() + public))
