"""The wallet contracts of TON: an address is the hash of a contract's code and of the data that it begins with.

A cell's representation is two descriptor bytes, its data, and the depths and hashes of the cells that it refers to; its
hash is SHA-256 of that. The code of a wallet is a constant, and so are its hash and depth: two hashes make an address.
TON documentation, "Cells and bags of cells"; "Wallet contracts".
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

V5R1, V4R2, V3R2 = "v5r1", "v4r2", "v3r2"
_STATE_INIT = 0b00110
"""Without split depth and special, with code and data, without libraries. block.tlb, StateInit."""
_STATE_INIT_BITS = 5
_WALLET_ID = 698_983_191
"""The number that wallets before version 5 begin with on workchain 0: the first bytes of the zero state's file hash."""
_CLIENT_CONTEXT = 1 << 31
"""Workchain 0, contract version 0, wallet number 0. wallet-contract-v5, types.tlb."""
_KEY_BITS = 256


class _Cell(NamedTuple):
    digest: bytes
    depth: int


_CODES = {
    V5R1: _Cell(bytes.fromhex("20834b7b72b112147e1b2fb457b84e74d1a30f04f737d4f62a668e9552d2b72f"), 6),
    V4R2: _Cell(bytes.fromhex("feb5ff6820e2ff0d9483e7e0d62c817d846789fb4ae580c878866d959dabd5c0"), 7),
    V3R2: _Cell(bytes.fromhex("84dafa449f98a6987789ba232358072bc0f76dc4524002a5d0918b9a75d2d599"), 0),
}
"""Hash and depth of the code cells; a test computes them from the code. Version 5: ton-blockchain/wallet-contract-v5,
build/wallet_v5.compiled.json; version 4: ton-blockchain/wallet-contract, v4r2; version 3: ton-blockchain/ton,
crypto/smartcont/wallet3-code.fif."""


def account_id(scheme: str, public_key: bytes, global_id: int) -> bytes:
    """The account of a key (32 bytes), 32 bytes, in one of the three schemes."""
    data = _data(scheme, int.from_bytes(public_key), global_id)
    return _cell(_STATE_INIT, _STATE_INIT_BITS, (_CODES[scheme], data)).digest


def _data(scheme: str, key: int, global_id: int) -> _Cell:
    """What a contract begins with: sequence number 0, the wallet's id, the public key; no plugins, no extensions."""
    if scheme == V3R2:
        return _cell(_WALLET_ID << _KEY_BITS | key, 32 + 32 + _KEY_BITS)
    if scheme == V4R2:
        return _cell((_WALLET_ID << _KEY_BITS | key) << 1, 32 + 32 + _KEY_BITS + 1)
    wallet_id = (global_id ^ _CLIENT_CONTEXT) & 0xFFFFFFFF
    signatures_allowed = 1 << 32 + 32 + _KEY_BITS
    return _cell((signatures_allowed | wallet_id << _KEY_BITS | key) << 1, 1 + 32 + 32 + _KEY_BITS + 1)


def _cell(number: int, bits: int, refs: Sequence[_Cell] = ()) -> _Cell:
    """An ordinary cell of so many bits: where the last byte is not full, a 1 and zeros fill it."""
    spare = -bits % 8
    data = (number << spare | (1 << spare >> 1)).to_bytes((bits + 7) // 8)
    whole = bytes((len(refs), bits // 8 + (bits + 7) // 8)) + data
    whole += b"".join(ref.depth.to_bytes(2) for ref in refs) + b"".join(ref.digest for ref in refs)
    return _Cell(hashlib.sha256(whole).digest(), max((ref.depth + 1 for ref in refs), default=0))
