"""Signing on the chains of the EVM family: messages, typed data, transactions, authorizations, bare hashes.

Everything is read, checked and hashed here, before any key is opened.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from strongroom.errors import MalformedPayloadError, SignatureRefusedError, UnsupportedSigningError
from strongroom.model import Wallet
from strongroom.networks.evm_signing import (
    admission,
    authorization,
    reading,
    signature,
    transaction,
    transaction_bytes,
    transaction_fields,
    typed_data,
    typed_values,
)
from strongroom.networks.evm_signing.prepared import PreparedAuthorization, PreparedDigest, PreparedTransaction
from strongroom.networks.evm_signing.signature import Owner
from strongroom.networks.keccak import keccak_256
from strongroom.signing import Prepared, ToSign

_PERSONAL = b"\x19Ethereum Signed Message:\n"
_SHOWN_CHARACTERS = 100
_Options = Mapping[str, Any]


def prepare(network: str, chain_id: int, wallet: Wallet, request: ToSign) -> Prepared:
    """Check and hash what a wallet of a network is asked to sign.

    Raises UnsupportedSigningError for another kind, MalformedPayloadError for what cannot be read, an unknown option
    among it, SignatureRefusedError for another chain, another wallet's address, a fee above ``max_fee``.
    """
    known = _KINDS.get(request.kind) if isinstance(request.kind, str) else None
    if known is None:
        raise UnsupportedSigningError(f"The network {network} does not sign this kind of payload.")
    if wallet.network != network:
        raise SignatureRefusedError(f"The wallet is not one of the network {network}.")
    prepare_kind, option_types = known
    options = _options(request.options, option_types)
    return prepare_kind(request.payload, options, chain_id, signature.owner(wallet))


def _options(given: object, types: Mapping[str, type]) -> dict[str, Any]:
    options = reading.mapping(given, "options")
    for name, value in options.items():
        wanted = types.get(name) if isinstance(name, str) else None
        if wanted is None:
            raise MalformedPayloadError(f"An option is unknown for this kind: {reading.shown(name)}.")
        if type(value) is not wanted:
            raise MalformedPayloadError(f"The option {name} takes {_TAKES[wanted]}.")
    return options


def _message(payload: object, _: _Options, __: int, owner: Owner) -> Prepared:
    """Bytes as they are, text as UTF-8. EIP-191, version 0x45."""
    if isinstance(payload, (bytes, bytearray, memoryview)):
        message = reading.octets(payload, "The message")
    else:
        text = typed_values.utf8(payload)
        if text is None:
            raise MalformedPayloadError("The message is neither bytes nor text, or has half a surrogate pair.")
        message = text
    digest = keccak_256(_PERSONAL + str(len(message)).encode() + message)
    return PreparedDigest("message", digest, {"scheme": "EIP-191", "message_bytes": str(len(message))}, owner)


def _typed_data(payload: object, options: _Options, chain_id: int, owner: Owner) -> Prepared:
    read = typed_data.read(payload)
    admission.domain_chain(read.chain_id, chain_id, allow_other_chain=options.get("allow_other_chain", False))
    summary = {"scheme": "EIP-712", "primary_type": read.primary_type}
    for name, field in (("name", "domain"), ("version", "version"), ("verifyingContract", "contract")):
        if isinstance(read.domain.get(name), str):
            summary[field] = _printable(read.domain[name])
    if read.chain_id is not None:
        summary["chain"] = f"eip155:{read.chain_id}"
    return PreparedDigest("typed-data", read.digest, summary, owner)


def _transaction(payload: object, options: _Options, chain_id: int, owner: Owner) -> Prepared:
    tx = _read_transaction(payload, owner)
    transaction.check(tx)
    admission.transaction_chain(tx, chain_id, allow_unprotected=options.get("allow_unprotected", False))
    admission.fee(tx, options.get("max_fee"))
    body = transaction.body(tx)
    return PreparedTransaction(tx, body, transaction.digest(tx, body), owner, chain_id)


def _read_transaction(payload: object, owner: Owner) -> transaction.Transaction:
    """Serialized bytes, their 0x-hex, or a mapping, or the JSON text of one."""
    serialized = isinstance(payload, (bytes, bytearray, memoryview))
    if serialized or (isinstance(payload, str) and not payload.lstrip().startswith("{")):
        return transaction_bytes.read(reading.octets(payload, "The transaction"))
    tx, sender = transaction_fields.read(payload)
    admission.sender(sender, owner.address)
    return tx


def _authorization(payload: object, options: _Options, chain_id: int, owner: Owner) -> Prepared:
    named, address, nonce = authorization.read(payload)
    named = admission.authorization_chain(named, chain_id, allow_any_chain=options.get("allow_any_chain", False))
    asked = authorization.Authorization(named, address, nonce)
    return PreparedAuthorization(asked, asked.digest(), owner)


def _bare_hash(payload: object, _: _Options, __: int, owner: Owner) -> Prepared:
    digest = reading.octets(payload, "The hash", 32)
    return PreparedDigest("bare-hash", digest, {"scheme": "none: a bare hash"}, owner)


def _printable(text: str) -> str:
    """Text of a payload as the usage log and a terminal may show it."""
    return "".join([letter if letter.isprintable() else "?" for letter in text[:_SHOWN_CHARACTERS]])


_TAKES = {bool: "True or False", int: "an integer"}
_KINDS: dict[str, tuple[Callable[[object, _Options, int, Owner], Prepared], dict[str, type]]] = {
    "message": (_message, {}),
    "typed-data": (_typed_data, {"allow_other_chain": bool}),
    "transaction": (_transaction, {"allow_unprotected": bool, "max_fee": int}),
    "authorization": (_authorization, {"allow_any_chain": bool}),
    "bare-hash": (_bare_hash, {}),
}
