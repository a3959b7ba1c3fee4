"""Base58Check in the alphabet of the XRP Ledger, which has Bitcoin's characters in another order."""

from __future__ import annotations

from strongroom.networks.codecs import base58

_BITCOIN = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_RIPPLE = "rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz"
_TO_BITCOIN = str.maketrans(_RIPPLE, _BITCOIN)
_TO_RIPPLE = str.maketrans(_BITCOIN, _RIPPLE)


def encode_check(data: bytes) -> str:
    """Return 1 to 90 bytes with four bytes of checksum."""
    return base58.encode_check(data).translate(_TO_RIPPLE)


def decode_check(text: str) -> bytes | None:
    """Return the bytes without their checksum, or None where text or checksum is wrong."""
    if len(text) > base58.LONGEST_CHARACTERS:
        return None
    return base58.decode_check(text.translate(_TO_BITCOIN))
