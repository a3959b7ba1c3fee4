"""Base58Check of version bytes and a hash of 20 bytes: P2PKH and P2SH, on Bitcoin and on chains like it."""

from __future__ import annotations

from strongroom.networks.codecs import base58

_HASH_BYTES = 20


def encode(version: int, digest: bytes) -> str:
    """Return the address of a hash; the version is one byte or, as on Zcash, two of them as one number."""
    return base58.encode_check(_version_bytes(version) + digest)


def decode(text: str) -> tuple[int, bytes] | None:
    """Return version and hash, or None where the text is no such address or its checksum does not fit."""
    data = base58.decode_check(text) or b""
    head, digest = data[:-_HASH_BYTES], data[-_HASH_BYTES:]
    version = int.from_bytes(head)
    return (version, digest) if head == _version_bytes(version) else None


def _version_bytes(version: int) -> bytes:
    return version.to_bytes(max(1, (version.bit_length() + 7) // 8))
