"""Signing a digest, and the proof of the signature before it leaves. SEC 1, RFC 6979.

Deterministic nonces of RFC 6979 as libsecp256k1 makes them, without grinding, and s in the lower half of the range
(EIP-2): the bytes that every Ethereum library makes.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from strongroom.errors import SignatureFaultError, SignatureRefusedError, StrongroomError
from strongroom.networks.curves import secp256k1
from strongroom.networks.evm import eip55
from strongroom.networks.wally import library
from strongroom.records.key_material import KeyMaterial
from strongroom.records.wallets import Wallet

HALF_ORDER = secp256k1.ORDER // 2
_HALF_ORDER = HALF_ORDER.to_bytes(32)
_RECOVERABLE = 0x1 | 0x8  # EC_FLAG_ECDSA | EC_FLAG_RECOVERABLE
_HEADERS = (b"\x1f", b"\x20")
"""The first byte of a recoverable signature of a compressed key, by y parity."""
_POINT_DIGITS = 66


class ExpectedSigner(NamedTuple):
    """Whose signature it must be."""

    address: bytes
    point: bytes | None
    """The compressed point, or None where the legacy application wrote the row in a form of its own: the address
    decides."""


def owner(wallet: Wallet) -> ExpectedSigner:
    """Whose signature a wallet makes. Raises SignatureRefusedError where its address is none."""
    if not eip55.is_address(wallet.address):
        raise SignatureRefusedError("The wallet's address is not one of this network.", hint=_DOCTOR)
    point = _point(wallet.public_key) if len(wallet.public_key) == _POINT_DIGITS else None
    made = ExpectedSigner(bytes.fromhex(wallet.address[2:]), point)
    if point is not None and eip55.known_point_address(point) != made.address:
        raise SignatureRefusedError("The wallet's address is not that of its public key.", hint=_DOCTOR)
    return made


def sign(material: KeyMaterial, digest: bytes, wanted: ExpectedSigner) -> tuple[int, bytes]:
    """Sign 32 bytes and return y parity and r || s, 64 bytes, after the owner was recovered from them.

    Raises SignatureRefusedError where the key is not the owner's, SignatureFaultError where the signature is not the
    key's.
    """
    made = _sign(material, digest)
    if made is not None and made[0] in (31, 32):  # r beyond the order (33, 34) cannot be written in Ethereum
        y_parity, r_s = made[0] - 31, bytes(made[1:])
        if verifies(digest, y_parity, r_s, wanted):
            return y_parity, r_s
    raise _refusal(material, wanted)


def verifies(digest: bytes, y_parity: int, r_s: bytes, wanted: ExpectedSigner) -> bool:
    """Tell whether a signature with s in the lower half is the owner's.

    The point that is recovered is the only one, for this y parity, under which the signature verifies: to compare it
    is to verify. SEC 1, 4.1.4 and 4.1.6.
    """
    if r_s[32:] > _HALF_ORDER:
        return False
    point = recover(digest, y_parity, r_s)
    if point is None or (wanted.point is not None and point != wanted.point):
        return False
    return eip55.known_point_address(point) == wanted.address


def recover(digest: bytes, y_parity: int, r_s: bytes) -> bytes | None:
    """Return the compressed point (33 bytes) that made a signature, or None. SEC 1, 4.1.6."""
    try:
        return bytes(library().ec_sig_to_public_key(digest, _HEADERS[y_parity] + r_s))
    except (RuntimeError, ValueError):
        return None


def _sign(material: KeyMaterial, digest: bytes) -> bytearray | None:
    try:
        made: bytearray = library().ec_sig_from_bytes(material.private_key.reveal(), digest, _RECOVERABLE)
    except (RuntimeError, ValueError):
        return None
    return made


def _refusal(material: KeyMaterial, wanted: ExpectedSigner) -> StrongroomError:
    """Why there is no signature: another key, or a fault."""
    point = secp256k1.public_key(material.private_key.reveal())
    if point is None or point != (wanted.point or point) or eip55.point_address(point) != wanted.address:
        return SignatureRefusedError("The key that was opened is not that of the wallet's address.", hint=_DOCTOR)
    return SignatureFaultError("The signature did not verify with the wallet's public key; it was thrown away.")


@lru_cache(4096)
def _point(public_key: str) -> bytes | None:
    try:
        point = bytes.fromhex(public_key)
    except ValueError:
        return None
    return point if len(point) == secp256k1.KEY_BYTES + 1 and secp256k1.is_public_key(point) else None


_DOCTOR = "Verify the wallet: strongroom verify; then strongroom doctor says what is wrong with its row."
