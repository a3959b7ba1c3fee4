"""The checksum of 16 bits that several chains' texts have: polynomial 0x1021, beginning with 0 (XModem)."""

from __future__ import annotations

from binascii import crc_hqx


def xmodem(data: bytes) -> int:
    """Return the checksum, 0 to 65,535."""
    return crc_hqx(data, 0)
