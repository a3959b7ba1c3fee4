"""Addresses of the XRP Ledger: classic ones, and X-addresses, which hold a destination tag. XLS-5d."""

from __future__ import annotations

from typing import NamedTuple

from strongroom.networks.codecs import ripple_base58

_ACCOUNT_BYTES = 20
_ACCOUNT = b"\x00"
_MAIN, _TEST = b"\x05\x44", b"\x04\x93"
_EXTENDED_BYTES = 31
_NO_TAG, _TAG = 0, 1
_NOTHING = bytes(8)


class ExtendedAddress(NamedTuple):
    """What an X-address says."""

    account: bytes
    testnet: bool
    tag: int | None


def classic(account: bytes) -> str:
    """The classic address of an account id, 20 bytes."""
    return ripple_base58.encode_check(_ACCOUNT + account)


def account_of(text: str) -> bytes | None:
    """The account id of a classic address; None where it is none."""
    data = ripple_base58.decode_check(text)
    if data is None or len(data) != 1 + _ACCOUNT_BYTES or not data.startswith(_ACCOUNT):
        return None
    return data[1:]


def extended(text: str) -> ExtendedAddress | None:
    """What an X-address says; None where it is none, or one whose tag has 64 bits, which are reserved."""
    data = ripple_base58.decode_check(text)
    if data is None or len(data) != _EXTENDED_BYTES or data[:2] not in (_MAIN, _TEST):
        return None
    account, flag, tag = data[2:22], data[22], data[23:]
    if flag == _NO_TAG and tag == _NOTHING:
        return ExtendedAddress(account, data[:2] == _TEST, None)
    if flag == _TAG and tag[4:] == _NOTHING[4:]:
        return ExtendedAddress(account, data[:2] == _TEST, int.from_bytes(tag[:4], "little"))
    return None
