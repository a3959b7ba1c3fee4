"""What comes back: signatures, and what carries them. Frozen, and free of secrets."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

from strongroom.networks.bitcoin.review import Review


@dataclass(frozen=True, slots=True)
class InputSignature:
    """One signature in a PSBT."""

    index: int
    """Which input it signs, from 0."""
    form: str
    """``p2wpkh``, ``p2tr``, ``p2pkh`` or ``p2sh-p2wpkh``."""
    sighash: str
    """What it binds: ``ALL``, ``DEFAULT`` (taproot: all) or another name."""
    public_key: str
    """Hex: the compressed point (33 bytes), or for taproot the output key (32 bytes) that it verifies with."""
    signature: str
    """Hex, as the PSBT carries it: DER and a byte for the type, or 64 or 65 bytes for taproot."""

    def as_dict(self) -> dict[str, Any]:
        """The signature as JSON-ready values."""
        return {
            "index": self.index,
            "form": self.form,
            "sighash": self.sighash,
            "public_key": self.public_key,
            "signature": self.signature,
        }


@dataclass(frozen=True, slots=True)
class SignedPsbt:
    """A PSBT with the wallet's signatures in it."""

    psbt: bytes
    version: int
    """Of the PSBT: 0 or 2, as it came."""
    signatures: tuple[InputSignature, ...]
    review: Review
    """What the transaction does."""
    transaction: bytes | None
    """The transaction as nodes take it; only with ``finalize``, and where no other signature is missing."""
    txid: str | None
    """The transaction's id, where there is one."""

    @property
    def complete(self) -> bool:
        """Whether the transaction can be sent as it is."""
        return self.transaction is not None

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready values: the PSBT in base64, the transaction in hex."""
        return {
            "psbt": base64.b64encode(self.psbt).decode(),
            "psbt_version": self.version,
            "signatures": [each.as_dict() for each in self.signatures],
            **self.review.as_dict(),
            "complete": self.complete,
            "transaction": None if self.transaction is None else self.transaction.hex(),
            "txid": self.txid,
        }


@dataclass(frozen=True, slots=True)
class SignedMessage:
    """A signature of a message."""

    address: str
    """Whose signature it is."""
    scheme: str
    """``simple`` or ``full`` (BIP-322), or ``legacy`` (BIP-137)."""
    signature: str
    """Base64, after ``smp`` or ``ful`` for BIP-322, as verifiers take it."""
    digest: bytes
    """The 32 bytes that were signed."""

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready values; the digest in hex."""
        return {
            "address": self.address,
            "scheme": self.scheme,
            "signature": self.signature,
            "digest": self.digest.hex(),
        }


@dataclass(frozen=True, slots=True)
class SignedHash:
    """A signature of 32 bytes."""

    algorithm: str
    """``ecdsa``, or ``bip340`` for Schnorr signatures."""
    public_key: str
    """Hex: the compressed point, or for BIP-340 the taproot output key (32 bytes), that it verifies with."""
    digest: bytes
    signature: bytes
    """DER for ECDSA, 64 bytes for BIP-340."""

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready values; bytes in hex."""
        return {
            "algorithm": self.algorithm,
            "public_key": self.public_key,
            "digest": self.digest.hex(),
            "signature": self.signature.hex(),
        }
