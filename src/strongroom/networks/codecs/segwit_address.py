"""Segregated witness addresses: bech32 for version 0, bech32m above. BIP-173, BIP-350. Through wallycore."""

from __future__ import annotations

import re

from strongroom.networks.wally import library

_TEXT = re.compile(r"[!-@\[-~]{8,90}|[!-`{-~]{8,90}")  # not both cases
_OP_1 = 0x51


def encode(hrp: str, version: int, program: bytes) -> str:
    """Return the lower-case address of a witness program."""
    opcode = _OP_1 + version - 1 if version else 0
    return str(library().addr_segwit_from_bytes(bytes((opcode, len(program))) + program, hrp, 0))


def decode(hrp: str, text: str) -> tuple[int, bytes] | None:
    """Return version and program, or None for another prefix, mixed case, or a checksum that does not fit."""
    if not _TEXT.fullmatch(text):
        return None
    try:
        script = bytes(library().addr_segwit_to_bytes(text.lower(), hrp, 0))
    except ValueError:
        return None
    return (script[0] - _OP_1 + 1 if script[0] else 0), script[2:]
