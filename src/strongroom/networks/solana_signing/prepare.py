"""From a request to what can be signed, and from that to a signature that verifies."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from strongroom.errors import (
    MalformedPayloadError,
    SignatureFaultError,
    SignatureRefusedError,
    UnsupportedSigningError,
)
from strongroom.model import KeyMaterial, Wallet
from strongroom.networks import base58, ed25519
from strongroom.networks.solana_signing import offchain, summary, transaction
from strongroom.networks.solana_signing.transaction import Transaction
from strongroom.signing import Kind, NonceUse, ToSign

_OPTIONS: Mapping[str, frozenset[str]] = {
    "transaction": frozenset({"max_fee"}),
    "message": frozenset({"format", "application_domain", "signers"}),
    "bare-hash": frozenset(),
}
_HASH_BYTES = 32
_NAME = re.compile("[A-Za-z_]{1,32}")


@dataclass(frozen=True, slots=True)
class SignedBytes:
    """A signature of a message or of a bare hash."""

    signature: bytes
    """64 bytes. RFC 8032."""
    message: bytes = field(repr=False)
    """What was signed: an off-chain message with its preamble, or the bytes as they came."""

    def as_dict(self) -> dict[str, Any]:
        """The signature in base58, and what was signed in base64."""
        return {"signature": base58.encode(self.signature), "message": base64.b64encode(self.message).decode()}


@dataclass(frozen=True, slots=True)
class SignedTransaction:
    """A transaction with the wallet's signature in its place."""

    signature: bytes
    """The wallet's, 64 bytes; where the wallet pays, it names the transaction."""
    transaction: bytes = field(repr=False)
    """Signatures and message, as a node takes them."""
    missing: tuple[str, ...]
    """The addresses that have yet to sign."""

    @property
    def complete(self) -> bool:
        """Whether every signature is there."""
        return not self.missing

    def as_dict(self) -> dict[str, Any]:
        """The signature in base58, the transaction in base64, and who has yet to sign."""
        return {
            "signature": base58.encode(self.signature),
            "transaction": base64.b64encode(self.transaction).decode(),
            "complete": self.complete,
            "missing": list(self.missing),
        }


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request of Solana's that can be signed. Ed25519 hashes what it signs itself."""

    kind: Kind
    public_key: bytes
    message: bytes = field(repr=False)
    summary: Mapping[str, str]
    unsigned: Transaction | None = field(default=None, repr=False)

    @property
    def digest(self) -> bytes:
        """The bare hash itself; otherwise the SHA-256 of the bytes that are signed."""
        return self.message if self.kind == "bare-hash" else hashlib.sha256(self.message).digest()

    @property
    def nonce(self) -> NonceUse | None:
        """Accounts of Solana have none."""
        return None

    def sign(self, material: KeyMaterial) -> SignedBytes | SignedTransaction:
        """Sign, and verify. Raises SignatureRefusedError for another key, SignatureFaultError. RFC 8032."""
        if ed25519.public_key(material.private_key.reveal()) != self.public_key:
            raise SignatureRefusedError("The key is not the one of the wallet's address.")
        signature = ed25519.sign(material.private_key.reveal(), self.message)
        if signature is None or not ed25519.verify(self.public_key, self.message, signature):
            raise SignatureFaultError("The signature does not verify with the wallet's public key.")
        if self.unsigned is None:
            return SignedBytes(signature, self.message)
        slot = self.unsigned.slot(self.public_key)
        signed = self.unsigned.signed(0 if slot is None else slot, signature)
        return SignedTransaction(signature, bytes(signed), signed.missing)


def prepare(network: str, wallet: Wallet, request: ToSign) -> Prepared:
    """Check a request for a wallet of a cluster, and say what would be signed. Raises a subclass of SigningError.

    - ``transaction``: bytes, base64 or base58 of a transaction, signed in part or not at all, or of its message
      alone. Signatures that are there must verify, and stay. Option ``max_fee``: lamports that the wallet, where it
      pays, gives for the execution at most.
    - ``message``: text, as an off-chain message of version 0. Options ``application_domain`` (32 bytes or base58;
      zeros unless given) and ``signers`` (addresses; the wallet alone unless given), or ``format="raw"``: bytes
      without a preamble, as wallet-adapter's signMessage signs them, unless they could be a transaction.
    - ``bare-hash``: 32 bytes.
    """
    known = _OPTIONS.get(request.kind) if isinstance(request.kind, str) else None
    if known is None:
        raise UnsupportedSigningError(f"The network {network} does not sign this kind of payload.")
    if wallet.network != network:
        raise SignatureRefusedError(f"The wallet is not one of the network {network}.")
    if not isinstance(request.options, Mapping):
        raise MalformedPayloadError("The options are not a mapping of names to values.")
    if unknown := [name for name in request.options if name not in known]:
        raise MalformedPayloadError(f"There is no such option for a {request.kind} of Solana: {_shown(unknown[0])}.")
    public_key = base58.decode(wallet.address)
    if public_key is None or len(public_key) != ed25519.PUBLIC_KEY_BYTES:
        raise SignatureRefusedError("The wallet's address is not one of Solana.")
    if request.kind == "transaction":
        return _transaction(public_key, request)
    return _message(public_key, request) if request.kind == "message" else _bare_hash(public_key, request)


def _transaction(public_key: bytes, request: ToSign) -> Prepared:
    unsigned = transaction.read(request.payload)
    slot = unsigned.slot(public_key)
    if slot is None:
        raise SignatureRefusedError("The transaction requires no signature of the wallet's address.")
    transaction.check_others(unsigned, slot)
    if slot == 0:
        _check_fee(summary.max_fee(unsigned.message), request.options.get("max_fee"))
    facts = summary.summarize(unsigned.message)
    return Prepared("transaction", public_key, unsigned.message.raw, facts, unsigned)


def _check_fee(fee: int, limit: object) -> None:
    if limit is None:
        return
    if not isinstance(limit, int) or isinstance(limit, bool) or limit < 0:
        raise MalformedPayloadError("The option max_fee is not a whole number of lamports.")
    if fee > limit:
        raise SignatureRefusedError(
            f"The transaction may cost {fee} lamports; max_fee is {limit}.",
            hint="Lower the price of its compute units or their limit, or raise max_fee.",
        )


def _message(public_key: bytes, request: ToSign) -> Prepared:
    data, options = _bytes(request.payload), request.options
    offchain.check_harmless(data)
    chosen = options.get("format", "offchain")
    if chosen == "raw":
        if len(options) > 1:
            raise MalformedPayloadError('With format="raw" there are no other options.')
        return Prepared("message", public_key, data, {"format": "raw", "bytes": str(len(data))})
    if chosen != "offchain":
        raise MalformedPayloadError('The option format is "offchain" or "raw".')
    signers = offchain.read_signers(options.get("signers"), public_key)
    application = offchain.read_key(options.get("application_domain", bytes(32)), "application_domain")
    encoded = offchain.encode(data, signers, application)
    facts = {
        "format": "offchain",
        "application_domain": base58.encode(application),
        "signers": str(len(signers)),
        "bytes": str(len(data)),
    }
    return Prepared("message", public_key, encoded, facts)


def _bare_hash(public_key: bytes, request: ToSign) -> Prepared:
    if not isinstance(request.payload, (bytes, bytearray)) or len(request.payload) != _HASH_BYTES:
        raise MalformedPayloadError("A bare hash is 32 bytes.")
    return Prepared("bare-hash", public_key, bytes(request.payload), {"hash": bytes(request.payload).hex()})


def _shown(name: object) -> str:
    """An option's name for a message; one that might be a value is not shown."""
    return name if isinstance(name, str) and _NAME.fullmatch(name) else "(not shown)"


def _bytes(payload: object) -> bytes:
    """Bytes, or text in UTF-8; at least one."""
    data = payload.encode(errors="surrogatepass") if isinstance(payload, str) else payload
    if not isinstance(data, (bytes, bytearray)) or not data:
        raise MalformedPayloadError("The message is empty, or neither text nor bytes.")
    return bytes(data)
