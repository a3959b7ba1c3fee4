"""Messages: BIP-322, and the older scheme of Bitcoin Core with the headers of BIP-137."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from strongroom.errors import MalformedPayloadError, UnsupportedSigningError
from strongroom.networks.bitcoin import scripts, signer, witnesses
from strongroom.networks.bitcoin.encoding import string, strings
from strongroom.networks.bitcoin.owner import SpendingWallet
from strongroom.networks.bitcoin.results import SignedMessage
from strongroom.networks.bitcoin.scripts import ScriptForm
from strongroom.networks.bitcoin.sighash import ALL, Sighashes, tagged_hash
from strongroom.networks.bitcoin.transaction import BitcoinTransaction, TransactionInput, TransactionOutput, sha256d
from strongroom.records.intent import ANY_CHAIN, Intent, is_text
from strongroom.records.key_material import KeyMaterial
from strongroom.records.signing import ReplayScope, SigningRequest

MAX_BYTES = 64 * 1024
_DEFAULTS: dict[ScriptForm, str] = {"p2wpkh": "simple", "p2tr": "simple", "p2sh-p2wpkh": "full", "p2pkh": "legacy"}
_PREFIXES = {"simple": "smp", "full": "ful"}
_HEADERS: dict[ScriptForm, int] = {"p2pkh": 31, "p2sh-p2wpkh": 35, "p2wpkh": 39}
"""The first byte of a legacy signature, to which the number that recovers the key is added. BIP-137."""
_MAGIC = b"\x18Bitcoin Signed Message:\n"


@dataclass(frozen=True, slots=True)
class PreparedMessage:
    """A message that can be signed."""

    owner: SpendingWallet
    scheme: str
    """``simple``, ``full`` or ``legacy``."""
    prefix: bool
    """Whether the signature of BIP-322 begins with its variant."""
    message: bytes
    digest: bytes
    """The 32 bytes that are signed."""
    auxiliary_randomness: bool = False
    kind: Literal["message"] = "message"
    replay_scope: ReplayScope | None = field(default=None, init=False)

    @property
    def intent(self) -> Intent:
        """A message: who signs how; of the message its length and SHA-256."""
        facts = {
            "address": self.owner.address,
            "scheme": self.scheme,
            "message_bytes": str(len(self.message)),
            "message_sha256": hashlib.sha256(self.message).hexdigest(),
        }
        return Intent(ANY_CHAIN, opaque=not is_text(self.message), facts=facts)

    def sign(self, material: KeyMaterial, random_bytes: Callable[[int], bytes] = os.urandom) -> SignedMessage:
        """Sign it. Raises SignatureRefusedError, SignatureFaultError."""
        point, form = self.owner.opened(material), self.owner.form
        if self.scheme == "legacy":
            number, made = signer.recoverable(material.private_key, self.digest, point)
            signature = bytes((_HEADERS[form] + number,)) + made
        else:
            auxiliary = signer.auxiliary(random_bytes if self.auxiliary_randomness else None)
            signed = witnesses.signature(material, point, form, self.digest, ALL, None, auxiliary)
            script_sig, witness = witnesses.satisfied(form, point, signed)
            signature = strings(witness)
            if self.scheme == "full":
                signature = to_sign(self.owner.script, self.message, script_sig, witness).serialise()
        prefix = _PREFIXES.get(self.scheme, "") if self.prefix else ""
        text = prefix + base64.b64encode(signature).decode()
        return SignedMessage(self.owner.address, self.scheme, text, self.digest)


def prepare(owner: SpendingWallet, request: SigningRequest) -> PreparedMessage:
    """Read and hash a message, given as text (UTF-8) or bytes.

    Raises MalformedPayloadError, UnsupportedSigningError.
    """
    options = request.options
    scheme, prefix, randomness = options["scheme"], options["prefix"], options["auxiliary_randomness"]
    scheme = _DEFAULTS[owner.form] if scheme is None else scheme
    message = _message(request.payload)
    if scheme == "legacy":
        if owner.form not in _HEADERS:
            raise UnsupportedSigningError("The legacy scheme has no signature for a taproot address.")
        return PreparedMessage(owner, scheme, prefix, message, legacy_digest(message))
    if scheme == "simple" and (owner.form == "p2pkh" or (owner.form == "p2sh-p2wpkh" and prefix)):
        raise UnsupportedSigningError(
            "BIP-322 has no simple signature for an address that is not native to segregated witness.",
            hint="Use scheme=full; for P2SH-P2WPKH drafts of BIP-322 had one: scheme=simple, prefix=False.",
        )
    return PreparedMessage(owner, scheme, prefix, message, _digest(owner, message), randomness)


def message_hash(message: bytes) -> bytes:
    """The tagged hash of a message. BIP-322."""
    return tagged_hash("BIP0322-signed-message", message)


def to_spend(script: bytes, message: bytes) -> BitcoinTransaction:
    """The transaction that never was: it pays nothing to the address, and holds the message. BIP-322."""
    spent = TransactionInput(bytes(32), 0xFFFF_FFFF, 0, b"\x00\x20" + message_hash(message))
    return BitcoinTransaction(0, (spent,), (TransactionOutput(0, script),), 0)


def to_sign(
    script: bytes, message: bytes, script_sig: bytes = b"", witness: tuple[bytes, ...] = ()
) -> BitcoinTransaction:
    """The transaction that spends ``to_spend``. BIP-322."""
    spent = TransactionInput(to_spend(script, message).txid_bytes(), 0, 0, script_sig, witness)
    return BitcoinTransaction(0, (spent,), (TransactionOutput(0, scripts.OP_RETURN),), 0)


def legacy_digest(message: bytes) -> bytes:
    """What the legacy scheme signs: SHA-256 twice, of a magic text and the message."""
    return sha256d(_MAGIC + string(message))


def _digest(owner: SpendingWallet, message: bytes) -> bytes:
    hashes = Sighashes(to_sign(owner.script, message), (TransactionOutput(0, owner.script),))
    if owner.form == "p2tr":
        return hashes.taproot(0, ALL)
    if owner.form == "p2pkh":
        return hashes.legacy(0, owner.script, ALL)
    return hashes.version_0(0, scripts.p2pkh(owner.key_hash(owner.form, owner.script, {})), 0, ALL)


def _message(payload: object) -> bytes:
    data = _encoded(payload) if isinstance(payload, str) else payload
    if not isinstance(data, (bytes, bytearray)):
        raise MalformedPayloadError("A message is passed as text, or as bytes.")
    if len(data) > MAX_BYTES:
        raise MalformedPayloadError(f"The message is longer than {MAX_BYTES} bytes.")
    return bytes(data)


def _encoded(text: str) -> bytes | None:
    try:
        return text.encode()
    except UnicodeEncodeError:
        return None
