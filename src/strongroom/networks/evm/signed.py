"""What comes back: signatures of digests, signed transactions, signed authorizations. Nothing here is secret."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from strongroom.networks.evm import eip55
from strongroom.networks.keccak import keccak_256


@dataclass(frozen=True, slots=True)
class EvmSignature:
    """The signature of a message, of typed data, or of a raw digest."""

    digest: bytes
    """The 32 bytes that are signed."""
    signature: bytes
    """65 bytes: r, s (32 bytes each, big-endian) and v."""

    @property
    def r(self) -> int:
        """The x coordinate of the nonce's point."""
        return int.from_bytes(self.signature[:32])

    @property
    def s(self) -> int:
        """The proof, in the lower half of the range. EIP-2."""
        return int.from_bytes(self.signature[32:64])

    @property
    def v(self) -> int:
        """27 or 28: the y parity and 27."""
        return self.signature[64]

    @property
    def y_parity(self) -> int:
        """0 or 1: which of the two points with this x coordinate the signature is of."""
        return self.signature[64] - 27

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready values: bytes, r and s as 0x-hex of their full length, v and y_parity as numbers."""
        return {
            "digest": "0x" + self.digest.hex(),
            "signature": "0x" + self.signature.hex(),
            "r": "0x" + self.signature[:32].hex(),
            "s": "0x" + self.signature[32:64].hex(),
            "v": self.v,
            "y_parity": self.y_parity,
        }


@dataclass(frozen=True, slots=True)
class EvmSignedTransaction:
    """A transaction that a node takes as it is."""

    raw_transaction: bytes
    """The signed serialization: for ``eth_sendRawTransaction``."""
    r: int
    s: int
    v: int
    """Legacy: 27 or 28, with a chain id 35 or 36 and twice the chain id (EIP-155); other types: the y parity."""
    y_parity: int
    """0 or 1, as EIP-2718 transactions carry it."""

    @property
    def hash(self) -> bytes:
        """The transaction's hash, 32 bytes, under which a node knows it."""
        return keccak_256(self.raw_transaction)

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready values: bytes, r and s as 0x-hex of their full length, v and y_parity as numbers."""
        return {
            "raw_transaction": "0x" + self.raw_transaction.hex(),
            "hash": "0x" + self.hash.hex(),
            "r": f"0x{self.r:064x}",
            "s": f"0x{self.s:064x}",
            "v": self.v,
            "y_parity": self.y_parity,
        }


@dataclass(frozen=True, slots=True)
class EvmSignedAuthorization:
    """An authorization for the ``authorization_list`` of a transaction. EIP-7702."""

    chain_id: int
    """0 stands for every chain."""
    address: bytes
    """The code that the signer's account will run, 20 bytes."""
    nonce: int
    """The nonce of the signer's account when it takes effect."""
    y_parity: int
    """0 or 1, as EIP-2718 transactions carry it."""
    r: int
    s: int

    def as_dict(self) -> dict[str, Any]:
        """The JSON of the execution API, as nodes and libraries take it: quantities as 0x-hex without leading zeros."""
        return {
            "chainId": hex(self.chain_id),
            "address": eip55.checksummed(self.address.hex()),
            "nonce": hex(self.nonce),
            "yParity": hex(self.y_parity),
            "r": hex(self.r),
            "s": hex(self.s),
        }
