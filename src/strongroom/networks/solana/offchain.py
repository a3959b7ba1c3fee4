"""Off-chain messages, version 0: text behind a preamble that no transaction can begin with."""

from __future__ import annotations

from strongroom.errors import MalformedPayloadError, SignatureRefusedError
from strongroom.networks.codecs import base58
from strongroom.networks.solana import message

SIGNING_DOMAIN = b"\xffsolana offchain"
_VERSION = b"\0"
_MAX_BYTES = 1232
MAX_EXTENDED_BYTES = 65535
"""Of preamble and text together, and of raw bytes that are signed without a preamble."""
_MAX_SIGNERS = 255
_ASCII, _UTF8, _EXTENDED_UTF8 = range(3)


def encode(text: bytes, signers: tuple[bytes, ...], application: bytes = bytes(32)) -> bytes:
    """Return what is signed of a text: the preamble, then the text.

    Printable ASCII has format 0, other text in UTF-8 format 1, and where preamble and text are longer than 1,232
    bytes together, format 2. Raises MalformedPayloadError for what is empty, no UTF-8, or longer than 65,535 bytes.
    The specification is Solana's "Off-chain message signing", header version 0.
    """
    if not text:
        raise MalformedPayloadError("The message is empty.")
    if not _is_utf8(text):
        raise MalformedPayloadError(
            "The message is not text in UTF-8.", hint='Sign other bytes with the option format="raw".'
        )
    length = len(SIGNING_DOMAIN) + 1 + len(application) + 2 + message.KEY_BYTES * len(signers) + 2 + len(text)
    if length > MAX_EXTENDED_BYTES:
        raise MalformedPayloadError("Preamble and message are longer than 65,535 bytes.")
    kind = _ASCII if all(0x20 <= byte <= 0x7E for byte in text) else _UTF8
    if length > _MAX_BYTES:
        kind = _EXTENDED_UTF8
    preamble = (
        SIGNING_DOMAIN,
        _VERSION,
        application,
        bytes([kind, len(signers)]),
        *signers,
        len(text).to_bytes(2, "little"),
    )
    return b"".join(preamble) + text


def check_harmless(data: bytes) -> None:
    """Raise SignatureRefusedError for bytes that others could take for more than a message.

    Those are messages of transactions, by ``message.could_be``, and what an off-chain message begins with.
    """
    if message.could_be(data):
        raise SignatureRefusedError(
            "These bytes could be a transaction's message.", hint="Sign a transaction as one: sign_transaction."
        )
    if data.startswith(SIGNING_DOMAIN):
        raise SignatureRefusedError(
            "These bytes begin as an off-chain message does.", hint="Pass the text alone, without a preamble."
        )


def read_signers(value: object, own: bytes) -> tuple[bytes, ...]:
    """The public keys of the option ``signers``: addresses in order, the wallet's own among them."""
    if value is None:
        return (own,)
    if not isinstance(value, (list, tuple)) or not 0 < len(value) <= _MAX_SIGNERS:
        raise MalformedPayloadError("The option signers is not a list of 1 to 255 addresses.")
    signers = tuple(read_key(each, "signers") for each in value)
    if len(set(signers)) != len(signers):
        raise MalformedPayloadError("The option signers names an address twice.")
    if own not in signers:
        raise SignatureRefusedError("The wallet's address is not among the signers.")
    return signers


def read_key(value: object, option: str) -> bytes:
    """32 bytes, or their base58."""
    data = bytes(value) if isinstance(value, (bytes, bytearray)) else None
    if isinstance(value, str):
        data = base58.decode(value)
    if data is None or len(data) != message.KEY_BYTES:
        raise MalformedPayloadError(f"The option {option} takes 32 bytes, or their base58.")
    return data


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True
