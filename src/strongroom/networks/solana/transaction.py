"""Transactions: signatures, and the message that they sign; as they come, and with one signature more."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass

from strongroom.errors import MalformedPayloadError, SignatureRefusedError, StrongroomError
from strongroom.networks.codecs import base58
from strongroom.networks.curves import ed25519
from strongroom.networks.solana import message
from strongroom.networks.solana.message import SolanaMessage

MAX_BYTES = 1232
"""What a packet of the cluster holds."""
_MAX_TEXT = 1700  # of base58, the longer form
_NO_SIGNATURE = bytes(ed25519.SIGNATURE_BYTES)
_BASE64 = re.compile("(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BASE58_DIGITS = {character: digit for digit, character in enumerate(_BASE58)}


@dataclass(frozen=True, slots=True)
class SolanaTransaction:
    """A message and a slot for each signature that it requires; an empty slot is 64 zeros."""

    signatures: tuple[bytes, ...]
    message: SolanaMessage

    def __bytes__(self) -> bytes:
        return bytes([len(self.signatures)]) + b"".join(self.signatures) + self.message.raw

    def slot(self, public_key: bytes) -> int | None:
        """Which signature a public key has to give, or None."""
        signers = self.message.signers
        return signers.index(public_key) if public_key in signers else None

    def signed(self, slot: int, signature: bytes) -> SolanaTransaction:
        """The transaction with a signature in a slot; the others stay as they are."""
        return SolanaTransaction((*self.signatures[:slot], signature, *self.signatures[slot + 1 :]), self.message)

    @property
    def missing(self) -> tuple[str, ...]:
        """The addresses whose signatures are missing."""
        pairs = zip(self.message.signers, self.signatures, strict=True)
        return tuple(base58.encode(signer) for signer, signature in pairs if signature == _NO_SIGNATURE)


def read(payload: object) -> SolanaTransaction:
    """Read a transaction, or a message alone, from bytes, base64 or base58.

    One without any place for a signature is taken, too: its message says how many it requires.

    Raises MalformedPayloadError for what is neither, too large for a packet, or can be read as both;
    UnsupportedSigningError for a version of messages that is not known.
    """
    found: list[SolanaTransaction] = []
    complaints: list[StrongroomError] = []
    for data in _decodings(payload):
        for reader in (_whole, _bare):
            outcome = _attempt(reader, data)
            if isinstance(outcome, SolanaTransaction):
                found.append(outcome)
            elif outcome is not None:
                complaints.append(outcome)
    if len(found) > 1:
        raise MalformedPayloadError("The payload can be read in two ways: as a transaction, and as another one.")
    if not found and len(complaints) == 1:
        raise complaints[0]
    if not found and complaints:
        raise MalformedPayloadError(
            f"With signatures: {complaints[0].message} As a message alone: {complaints[1].message}"
        )
    if not found:
        raise MalformedPayloadError(
            "The payload is not a transaction of Solana.", hint="Pass its bytes, or their base64 or base58."
        )
    return found[0]


def check_others(transaction: SolanaTransaction, slot: int) -> None:
    """Verify the signatures that are there but for one slot's. Raises SignatureRefusedError."""
    for index, signer in enumerate(transaction.message.signers):
        signature = transaction.signatures[index]
        if index == slot or signature == _NO_SIGNATURE:
            continue
        if not ed25519.verify(signer, transaction.message.raw, signature):
            raise SignatureRefusedError(
                f"The signature of {base58.encode(signer)} is not one of this transaction.",
                hint="The transaction was changed after it was signed; have it signed again from the start.",
            )


def _attempt(
    reader: Callable[[bytes], SolanaTransaction | None], data: bytes
) -> SolanaTransaction | StrongroomError | None:
    try:
        return reader(data)
    except StrongroomError as error:
        return error.with_traceback(None)


def _whole(data: bytes) -> SolanaTransaction | None:
    """A transaction with its signatures, of which there are as many as it requires; or none: their slots are made."""
    count = data[0] if data else message.VERSIONED
    if count >= message.VERSIONED or len(data) <= 1 + count * ed25519.SIGNATURE_BYTES:
        return None
    cursor = message.Cursor(data)
    signatures = tuple(cursor.take(ed25519.SIGNATURE_BYTES) for _ in range(cursor.compact()))
    parsed = message.parse(cursor.rest())
    if not count:  # as solana-go and solders write what nobody signed
        return _unsigned(parsed)
    if parsed.signatures != count:
        raise message.malformed("it has not as many places for signatures as its message requires.")
    return _sized(SolanaTransaction(signatures, parsed))


def _bare(data: bytes) -> SolanaTransaction | None:
    """A message alone."""
    if not data:
        return None
    return _unsigned(message.parse(data))


def _unsigned(parsed: SolanaMessage) -> SolanaTransaction:
    return _sized(SolanaTransaction((_NO_SIGNATURE,) * parsed.signatures, parsed))


def _sized(transaction: SolanaTransaction) -> SolanaTransaction:
    if len(bytes(transaction)) > MAX_BYTES:
        raise message.malformed(f"it is larger than {MAX_BYTES} bytes.")
    return transaction


def _decodings(payload: object) -> list[bytes]:
    """The bytes that a payload may stand for: text is base64, base58, or (by chance) both."""
    if isinstance(payload, (bytes, bytearray)):
        return [bytes(payload)] if len(payload) <= MAX_BYTES else []
    if not isinstance(payload, str) or len(payload) > 2 * _MAX_TEXT:
        return []
    text = payload.strip()
    if not 0 < len(text) <= _MAX_TEXT:
        return []
    return [data for data in (_from_base64(text), _from_base58(text)) if data is not None and len(data) <= MAX_BYTES]


def _from_base64(text: str) -> bytes | None:
    if not _BASE64.fullmatch(text):
        return None
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if base64.b64encode(data).decode() == text else None


def _from_base58(text: str) -> bytes | None:
    """What base58.decode does, for texts of any length; what is public only, since the time tells of it."""
    number = 0
    for character in text:
        digit = _BASE58_DIGITS.get(character)
        if digit is None:
            return None
        number = number * 58 + digit
    zeros = len(text) - len(text.lstrip("1"))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8)
