"""Text forms of TON's addresses: 48 characters of base64 with flags and checksum, or workchain and hash. TEP-2."""

from __future__ import annotations

import base64
import binascii
import re
from typing import NamedTuple

_FRIENDLY = re.compile("[0-9A-Za-z_-]{48}|[0-9A-Za-z+/]{48}")
_RAW = re.compile("(0|-1):([0-9A-Fa-f]{64})")
_BOUNCEABLE, _NON_BOUNCEABLE = 0x11, 0x51
_TEST_ONLY = 0x80
_WORKCHAINS = (0, -1)
"""The base chain, where wallets are, and the masterchain."""


class Account(NamedTuple):
    """What an address names."""

    workchain: int
    account_id: bytes


def encode(account: Account, *, testnet: bool) -> str:
    """The form that wallets show: non-bounceable and url-safe, ``UQ...``; ``0Q...`` on the testnet."""
    tag = _NON_BOUNCEABLE | (_TEST_ONLY if testnet else 0)
    data = bytes((tag, account.workchain & 0xFF)) + account.account_id
    return base64.urlsafe_b64encode(data + _checksum(data)).decode()


def decode(text: str, *, testnet: bool) -> Account | None:
    """Read any form; None for another network's flag, another workchain than 0 and -1, or a wrong checksum."""
    raw = _RAW.fullmatch(text)
    if raw is not None:
        return Account(int(raw[1]), bytes.fromhex(raw[2]))
    if not _FRIENDLY.fullmatch(text):
        return None
    data = base64.b64decode(text.replace("-", "+").replace("_", "/"))
    tag = data[0] ^ (_TEST_ONLY if testnet else 0)
    workchain = int.from_bytes(data[1:2], signed=True)
    if tag not in (_BOUNCEABLE, _NON_BOUNCEABLE) or workchain not in _WORKCHAINS or data[34:] != _checksum(data[:34]):
        return None
    return Account(workchain, data[2:34])


def _checksum(data: bytes) -> bytes:
    """CRC-16 with polynomial 0x1021 from 0 (XMODEM)."""
    return binascii.crc_hqx(data, 0).to_bytes(2)
