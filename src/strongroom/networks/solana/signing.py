"""From a request to what can be signed, and from that to a signature that verifies."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from strongroom.errors import (
    MalformedPayloadError,
    SignatureFaultError,
    SignatureRefusedError,
)
from strongroom.networks.codecs import base58
from strongroom.networks.curves import ed25519
from strongroom.networks.solana import offchain, summary, transaction
from strongroom.networks.solana.chain import SolanaChain
from strongroom.networks.solana.transaction import SolanaTransaction
from strongroom.records.intent import ANY_CHAIN, Intent, is_text
from strongroom.records.key_material import KeyMaterial
from strongroom.records.signing import ReplayScope, SigningRequest
from strongroom.records.wallets import Wallet

_HASH_BYTES = 32


@dataclass(frozen=True, slots=True)
class SignedBytes:
    """A signature of a message or of a raw digest."""

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
class PreparedSolana:
    """A request of Solana's that can be signed. Ed25519 hashes what it signs itself."""

    kind: str
    public_key: bytes
    message: bytes = field(repr=False)
    intent: Intent
    unsigned: SolanaTransaction | None = field(default=None, repr=False)

    @property
    def digest(self) -> bytes:
        """The raw digest itself; otherwise the SHA-256 of the bytes that are signed."""
        return self.message if self.kind == "digest" else hashlib.sha256(self.message).digest()

    @property
    def replay_scope(self) -> ReplayScope | None:
        """None: accounts of Solana have no nonce."""
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


def prepare(chain: SolanaChain, wallet: Wallet, request: SigningRequest) -> PreparedSolana:
    """Check a request for a wallet of a cluster, and say what would be signed. Raises a subclass of SigningError.

    - ``transaction``: bytes, base64 or base58 of a transaction, signed in part or not at all, or of its message
      alone. Signatures that are there must verify, and stay. Option ``max_fee``: lamports that the wallet, where it
      pays, gives for the execution at most; the cluster's ``fee_limit_lamports`` unless it is given.
    - ``message``: text, as an off-chain message of version 0. Options ``application_domain`` (32 bytes or base58;
      zeros unless given) and ``signers`` (addresses; the wallet alone unless given), or ``format="raw"``: bytes
      without a preamble, as wallet-adapter's signMessage signs them, unless they could be a transaction.
    - ``digest``: 32 bytes.
    """
    if wallet.network != chain.name:
        raise SignatureRefusedError(f"The wallet is not one of the network {chain.name}.")
    public_key = base58.decode(wallet.address)
    if public_key is None or len(public_key) != ed25519.PUBLIC_KEY_BYTES:
        raise SignatureRefusedError("The wallet's address is not one of Solana.")
    return PREPARE[request.kind](chain, public_key, request)


def _transaction(chain: SolanaChain, public_key: bytes, request: SigningRequest) -> PreparedSolana:
    given = request.options["max_fee"]
    limit = chain.fee_limit_lamports if given is None else given
    unsigned = transaction.read(request.payload)
    slot = unsigned.slot(public_key)
    if slot is None:
        raise SignatureRefusedError("The transaction requires no signature of the wallet's address.")
    transaction.check_others(unsigned, slot)
    if slot == 0:
        _check_fee(summary.max_fee(unsigned.message), limit)
    intent = summary.intent(unsigned.message, chain.caip2, public_key)
    return PreparedSolana("transaction", public_key, unsigned.message.raw, intent, unsigned)


def _check_fee(fee: int, limit: int) -> None:
    if fee > limit:
        raise SignatureRefusedError(
            f"The transaction may cost {fee} lamports, which is above the limit of {limit}.",
            hint="Lower the price of its compute units or their limit; where it is meant, say "
            f"max_fee={fee} (--max-fee {fee}).",
        )


def _message(_: SolanaChain, public_key: bytes, request: SigningRequest) -> PreparedSolana:
    data, options = _bytes(request.payload), request.options
    offchain.check_harmless(data)
    if options["format"] == "raw":
        if options["application_domain"] is not None or options["signers"] is not None:
            raise MalformedPayloadError('With format="raw" there are no other options.')
        facts = {"format": "raw", "bytes": str(len(data))}
        return PreparedSolana("message", public_key, data, Intent(ANY_CHAIN, opaque=not is_text(data), facts=facts))
    application = bytes(32)
    signers = offchain.read_signers(options["signers"], public_key)
    if options["application_domain"] is not None:
        application = offchain.read_key(options["application_domain"], "application_domain")
    encoded = offchain.encode(data, signers, application)
    facts = {
        "format": "offchain",
        "application_domain": base58.encode(application),
        "signers": str(len(signers)),
        "bytes": str(len(data)),
    }
    return PreparedSolana("message", public_key, encoded, Intent(ANY_CHAIN, facts=facts))


def _raw_digest(_: SolanaChain, public_key: bytes, request: SigningRequest) -> PreparedSolana:
    if not isinstance(request.payload, (bytes, bytearray)) or len(request.payload) != _HASH_BYTES:
        raise MalformedPayloadError("A raw digest is 32 bytes.")
    digest = bytes(request.payload)
    return PreparedSolana("digest", public_key, digest, Intent(ANY_CHAIN, opaque=True, facts={"hash": digest.hex()}))


def _bytes(payload: object) -> bytes:
    """Bytes, or text in UTF-8; at least one, and not more than the longest off-chain message has."""
    if isinstance(payload, (str, bytes, bytearray)) and len(payload) > offchain.MAX_EXTENDED_BYTES:
        raise MalformedPayloadError(f"The message is longer than {offchain.MAX_EXTENDED_BYTES:,} bytes.")
    data = payload.encode(errors="surrogatepass") if isinstance(payload, str) else payload
    if not isinstance(data, (bytes, bytearray)) or not data:
        raise MalformedPayloadError("The message is empty, or neither text nor bytes.")
    return bytes(data)


PREPARE: Mapping[str, Callable[[SolanaChain, bytes, SigningRequest], PreparedSolana]] = {
    "transaction": _transaction,
    "message": _message,
    "digest": _raw_digest,
}
"""What prepares each kind that ``kinds`` declares."""
