"""Signatures of secp256k1: made, then verified before they leave. RFC 6979, BIP-340, BIP-341. Through wallycore.

A refusal of the library comes back as None or False, never as an exception, so that no frame holds a key while an
error is raised.
"""

from __future__ import annotations

from collections.abc import Callable

from strongroom.errors import SignatureFaultError
from strongroom.networks.curves import secp256k1
from strongroom.networks.wally import library
from strongroom.secret import Secret

AUXILIARY_BYTES = 32
NO_AUXILIARY = bytes(AUXILIARY_BYTES)
"""What BIP-340 takes where there is no auxiliary randomness: its signatures are deterministic then."""


def ecdsa(key: Secret, digest: bytes, point: bytes) -> bytes:
    """Sign a hash, and return r and s (64 bytes): s is low, and r is, as Bitcoin Core does it.

    Deterministic: RFC 6979; while r is high, again with a counter as additional data. Raises SignatureFaultError.
    """
    signature = _ecdsa(key, digest, library().EC_FLAG_GRIND_R)
    if signature is None or not verifies_ecdsa(point, digest, signature):
        raise SignatureFaultError("A signature did not verify with the wallet's public key.")
    return signature


def recoverable(key: Secret, digest: bytes, point: bytes) -> tuple[int, bytes]:
    """Sign a hash, and return the number (0 to 3) that recovers the public key, and r and s. RFC 6979.

    Raises SignatureFaultError.
    """
    signature = _ecdsa(key, digest, library().EC_FLAG_RECOVERABLE)
    if signature is None or recover(digest, signature) != point:
        raise SignatureFaultError("A signature did not recover the wallet's public key.")
    return (signature[0] - 27) & 3, signature[1:]


def schnorr(key: Secret, digest: bytes, output_key: bytes, auxiliary: bytes = NO_AUXILIARY) -> bytes:
    """Sign a hash with a key that is already tweaked. BIP-340.

    ``auxiliary``: 32 bytes of randomness, fresh for each signature; deterministic without.

    Raises SignatureFaultError where the signature does not verify with the output key (32 bytes).
    """
    signature = _schnorr(key, digest, auxiliary)
    if signature is None or not verifies_schnorr(output_key, digest, signature):
        raise SignatureFaultError("A signature did not verify with the wallet's output key.")
    return signature


def auxiliary(random_bytes: Callable[[int], bytes] | None) -> bytes:
    """Return fresh auxiliary randomness for one signature, or what stands for none. BIP-340."""
    return NO_AUXILIARY if random_bytes is None else random_bytes(AUXILIARY_BYTES)


def tweaked(key: Secret, merkle_root: bytes | None = None) -> Secret:
    """Return the private key of a taproot output: BIP-86 without a root. BIP-341. Raises SignatureFaultError."""
    made = _tweaked(key, merkle_root)
    if made is None:
        raise SignatureFaultError("The key has no taproot output key.")
    return made


def output_key(point: bytes, merkle_root: bytes | None = None) -> bytes | None:
    """Return the taproot output key (32 bytes) of a compressed point, or None. BIP-341."""
    try:
        return bytes(library().ec_public_key_bip341_tweak(point, merkle_root, 0))[1:]
    except ValueError:
        return None


def compressed(point: bytes) -> bytes | None:
    """Return a point of 33 or 65 bytes in 33, or None where it is none of the curve."""
    if len(point) != 65:
        return point if secp256k1.is_public_key(point) else None
    short = bytes((2 + (point[64] & 1),)) + point[1:33]
    return short if secp256k1.is_public_key(short) and secp256k1.decompress(short) == point else None


def verifies_ecdsa(point: bytes, digest: bytes, signature: bytes) -> bool:
    """Whether r and s (64 bytes, s low) are a signature of a hash by a compressed point."""
    return _verifies(point, digest, library().EC_FLAG_ECDSA, signature)


def verifies_schnorr(output_key: bytes, digest: bytes, signature: bytes) -> bool:
    """Whether 64 bytes are a signature of a hash by an x-only key. BIP-340."""
    return _verifies(output_key, digest, library().EC_FLAG_SCHNORR, signature)


def recover(digest: bytes, signature: bytes) -> bytes | None:
    """Return the compressed point whose signature (65 bytes) it is, or None. SEC 1, 4.1.6."""
    try:
        return bytes(library().ec_sig_to_public_key(digest, signature))
    except ValueError:
        return None


def der(signature: bytes) -> bytes:
    """Write r and s in DER."""
    return bytes(library().ec_sig_to_der(signature))


def _ecdsa(key: Secret, digest: bytes, flag: int) -> bytes | None:
    try:
        return bytes(library().ec_sig_from_bytes(key.reveal(), digest, library().EC_FLAG_ECDSA | flag))
    except (RuntimeError, ValueError):
        return None


def _schnorr(key: Secret, digest: bytes, auxiliary: bytes) -> bytes | None:
    try:
        return bytes(library().ec_sig_from_bytes_aux(key.reveal(), digest, auxiliary, library().EC_FLAG_SCHNORR))
    except (RuntimeError, ValueError):
        return None


def _tweaked(key: Secret, merkle_root: bytes | None) -> Secret | None:
    try:
        return Secret(library().ec_private_key_bip341_tweak(key.reveal(), merkle_root, 0))
    except (RuntimeError, ValueError):
        return None


def _verifies(point: bytes, digest: bytes, flag: int, signature: bytes) -> bool:
    try:
        library().ec_sig_verify(point, digest, flag, signature)  # returns None for a good one
    except ValueError:
        return False
    return True
