"""The checksum that the case of an address's letters carries. EIP-55; EIP-1191, with the chain in it."""

from __future__ import annotations

import re
from functools import lru_cache

from strongroom.networks.keccak import keccak_256

ADDRESS_BYTES = 20
_ADDRESS = re.compile("0x[0-9a-fA-F]{40}")


def is_address(text: str) -> bool:
    """Tell whether it is 0x and 40 hexadecimal digits, whatever their case says."""
    return _ADDRESS.fullmatch(text) is not None


@lru_cache(4096)
def checksummed(digits: str, chain_id: int | None = None) -> str:
    """Return the address of 40 lower-case digits, and remember it. EIP-55; with a chain id EIP-1191."""
    hashed = digits if chain_id is None else f"{chain_id}0x{digits}"
    nibbles = keccak_256(hashed.encode()).hex()
    pairs = zip(digits, nibbles, strict=False)  # the digest is longer
    return "0x" + "".join([digit.upper() if nibble > "7" else digit for digit, nibble in pairs])


def canonical(text: str, chain_id: int | None = None) -> str | None:
    """Return 0x and 40 digits with their checksum, or None where mixed letters carry a wrong one.

    All lower-case and all upper-case digits carry none. EIP-55. With a chain id the checksum is that of EIP-1191, and
    one of EIP-55 is read, too: it is what wallets show that do not know the chain's own.
    """
    digits = text[2:].lower()
    written = checksummed(digits, chain_id)
    plain = text[2:] in (digits, text[2:].upper())
    return written if plain or text in (written, checksummed(digits)) else None
