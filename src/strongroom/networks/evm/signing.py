"""Signing on the chains of the EVM family: messages, typed data, transactions, authorizations, raw digests.

Everything is read, checked and hashed here, before any key is opened.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from strongroom.errors import MalformedPayloadError, SignatureRefusedError
from strongroom.networks.evm import (
    authorization,
    checks,
    intents,
    reading,
    signature,
    transaction,
    transaction_bytes,
    transaction_fields,
    typed_data,
    typed_values,
)
from strongroom.networks.evm.chain import EvmChain
from strongroom.networks.evm.prepared import PreparedAuthorization, PreparedDigest, PreparedTransaction
from strongroom.networks.evm.signature import ExpectedSigner
from strongroom.networks.keccak import keccak_256
from strongroom.ports.signing import Prepared
from strongroom.records.intent import ANY_CHAIN, Intent, is_text
from strongroom.records.signing import SigningRequest
from strongroom.records.wallets import Wallet

_PERSONAL = b"\x19Ethereum Signed Message:\n"
_JSON_OBJECT = re.compile(r"\s*\{")
_SHOWN_CHARACTERS = 100
_Options = Mapping[str, Any]


def prepare(chain: EvmChain, wallet: Wallet, request: SigningRequest) -> Prepared:
    """Check and hash what a wallet of a chain is asked to sign.

    Raises MalformedPayloadError for what cannot be read, SignatureRefusedError for another chain, another wallet's
    address, a fee above ``max_fee``, which is the chain's ``fee_limit_wei`` unless it is given.
    """
    if wallet.network != chain.name:
        raise SignatureRefusedError(f"The wallet is not one of the network {chain.name}.")
    return PREPARE[request.kind](request.payload, request.options, chain, signature.owner(wallet))


def _message(payload: object, _: _Options, __: EvmChain, owner: ExpectedSigner) -> Prepared:
    """Bytes as they are, text as UTF-8. EIP-191, version 0x45."""
    if reading.size_of(payload) > reading.MAX_BYTES:
        raise MalformedPayloadError(f"The message is longer than {reading.MAX_BYTES} bytes.")
    if isinstance(payload, (bytes, bytearray, memoryview)):
        message = reading.octets(payload, "The message")
    else:
        text = typed_values.utf8(payload)
        if text is None:
            raise MalformedPayloadError("The message is neither bytes nor text, or has half a surrogate pair.")
        message = text
    digest = keccak_256(_PERSONAL + str(len(message)).encode() + message)
    facts = {"scheme": "EIP-191", "message_bytes": str(len(message))}
    return PreparedDigest("message", digest, Intent(ANY_CHAIN, opaque=not is_text(message), facts=facts), owner)


def _typed_data(payload: object, options: _Options, chain: EvmChain, owner: ExpectedSigner) -> Prepared:
    read = typed_data.read(payload, allow_extra_members=options["allow_extra_members"])
    checks.domain_chain(
        read.chain_id,
        chain.chain_id,
        allow_other_chain=options["allow_other_chain"],
        allow_any_chain=options["allow_any_chain"],
    )
    facts = {"scheme": "EIP-712", "primary_type": _printable(read.primary_type)}
    for name, field in (("name", "domain"), ("version", "version"), ("verifyingContract", "contract")):
        if isinstance(read.domain.get(name), str):
            facts[field] = _printable(read.domain[name])
    facts["chain"] = "any" if read.chain_id is None else f"eip155:{read.chain_id}"
    for field, names in (("null_members", read.null_members), ("extra_members", read.extra_members)):
        if names:
            facts[field] = _printable(", ".join(names))
    return PreparedDigest("typed-data", read.digest, intents.of_typed_data(read, owner.address, facts), owner)


def _transaction(payload: object, options: _Options, chain: EvmChain, owner: ExpectedSigner) -> Prepared:
    tx = _read_transaction(payload, owner, chain.checksum_id)
    transaction.check(tx)
    checks.transaction_chain(tx, chain.chain_id, allow_unprotected=options["allow_unprotected"])
    limit = options["max_fee"]
    checks.fee(tx, chain.fee_limit_wei if limit is None else limit)
    body = transaction.body(tx)
    return PreparedTransaction(tx, body, transaction.digest(tx, body), owner, chain.chain_id)


def _read_transaction(payload: object, owner: ExpectedSigner, checksum_id: int | None) -> transaction.EvmTransaction:
    """Serialized bytes, their 0x-hex, or a mapping, or the JSON text of one."""
    serialized = isinstance(payload, (bytes, bytearray, memoryview))
    if serialized or (isinstance(payload, str) and not _JSON_OBJECT.match(payload)):
        return transaction_bytes.read(reading.octets(payload, "The transaction"))
    tx, sender = transaction_fields.read(payload, checksum_id)
    checks.sender(sender, owner.address)
    return tx


def _authorization(payload: object, options: _Options, chain: EvmChain, owner: ExpectedSigner) -> Prepared:
    named, address, nonce = authorization.read(payload)
    named = checks.authorization_chain(named, chain.chain_id, allow_any_chain=options["allow_any_chain"])
    asked = authorization.Authorization(named, address, nonce)
    return PreparedAuthorization(asked, asked.digest(), owner, chain.chain_id)


def _raw_digest(payload: object, _: _Options, __: EvmChain, owner: ExpectedSigner) -> Prepared:
    digest = reading.octets(payload, "The hash", 32)
    return PreparedDigest(
        "digest", digest, Intent(ANY_CHAIN, opaque=True, facts={"scheme": "none: a raw digest"}), owner
    )


def _printable(text: str) -> str:
    """Text of a payload as the usage log and a terminal may show it."""
    return "".join([letter if letter.isprintable() else "?" for letter in text[:_SHOWN_CHARACTERS]])


PREPARE: Mapping[str, Callable[[object, _Options, EvmChain, ExpectedSigner], Prepared]] = {
    "message": _message,
    "typed-data": _typed_data,
    "transaction": _transaction,
    "authorization": _authorization,
    "digest": _raw_digest,
}
"""What prepares each kind that ``kinds`` declares."""
