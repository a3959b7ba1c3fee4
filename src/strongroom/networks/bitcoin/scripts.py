"""Output scripts and their addresses."""

from __future__ import annotations

from typing import Literal

from strongroom.networks.bitcoin.chain import BitcoinChain
from strongroom.networks.codecs import base58, segwit_address

ScriptForm = Literal["p2wpkh", "p2tr", "p2pkh", "p2sh-p2wpkh"]
"""How a single key is paid."""
OP_RETURN = b"\x6a"
_OP_1, _OP_16 = 0x51, 0x60


def p2wpkh(key_hash: bytes) -> bytes:
    """Pay to the hash of a public key, version 0. BIP-141."""
    return b"\x00\x14" + key_hash


def p2tr(output_key: bytes) -> bytes:
    """Pay to a taproot output key (32 bytes). BIP-341."""
    return b"\x51\x20" + output_key


def p2pkh(key_hash: bytes) -> bytes:
    """Pay to the hash of a public key."""
    return b"\x76\xa9\x14" + key_hash + b"\x88\xac"


def p2sh(script_hash: bytes) -> bytes:
    """Pay to the hash of a script. BIP-16."""
    return b"\xa9\x14" + script_hash + b"\x87"


def is_p2pkh(script: bytes) -> bool:
    """Whether it pays to the hash of a public key, without a witness."""
    return len(script) == 25 and script == p2pkh(script[3:23])


def is_p2sh(script: bytes) -> bool:
    """Whether it pays to the hash of a script."""
    return len(script) == 23 and script == p2sh(script[2:22])


def is_p2wpkh(script: bytes) -> bool:
    """Whether it pays to the hash of a public key, version 0."""
    return len(script) == 22 and script[:2] == b"\x00\x14"


def is_p2tr(script: bytes) -> bool:
    """Whether it pays to a taproot output key."""
    return len(script) == 34 and script[:2] == b"\x51\x20"


def is_witness_program(script: bytes) -> bool:
    """Whether it is spent with a witness. BIP-141."""
    if not 4 <= len(script) <= 42 or script[1] != len(script) - 2:
        return False
    return script[0] == 0 or _OP_1 <= script[0] <= _OP_16


def address(chain: BitcoinChain, script: bytes) -> str | None:
    """Return the address of a script on a chain, or None where it has none."""
    if is_p2pkh(script):
        return base58.encode_check(bytes((chain.p2pkh_version,)) + script[3:23])
    if is_p2sh(script):
        return base58.encode_check(bytes((chain.p2sh_version,)) + script[2:22])
    if not is_witness_program(script) or (script[0] == 0 and len(script) not in (22, 34)):
        return None
    return segwit_address.encode(chain.hrp, script[0] - _OP_1 + 1 if script[0] else 0, script[2:])


def of_address(chain: BitcoinChain, text: str) -> bytes | None:
    """Return the script of an address of a chain, or None where the text is none."""
    witness = segwit_address.decode(chain.hrp, text)
    if witness is not None:
        version, program = witness
        return bytes((version + _OP_1 - 1 if version else 0, len(program))) + program
    data = base58.decode_check(text)
    if data is None or len(data) != 21:
        return None
    if data[0] == chain.p2pkh_version:
        return p2pkh(data[1:])
    return p2sh(data[1:]) if data[0] == chain.p2sh_version else None
