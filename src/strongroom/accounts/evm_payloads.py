"""Payloads as eth-account's callers write them, turned into those of the vault; and blobs, added to
what is signed."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import rlp

from strongroom.errors import MalformedPayloadError

_WRAPPER_VERSION = b"\x01"
_HASH_VERSION = b"\x01"
_HEX = re.compile("0x[0-9a-fA-F]*")
_BLOB_BYTES = 4096 * 32
_MAX_BLOBS = 6


def document(
    domain: Mapping[str, Any] | None,
    types: Mapping[str, Any] | None,
    message: Mapping[str, Any] | None,
    full: Mapping[str, Any] | None,
) -> Mapping[str, Any]:
    """The document of EIP-712 of either form. Raises MalformedPayloadError for both, for neither, or for no types."""
    context = (domain, types, message)
    if full is not None:
        if any(part is not None for part in context):
            raise MalformedPayloadError("Pass the typed data whole (full_message) or in its three parts, not both.")
        return full
    if domain is None or types is None or message is None:
        raise MalformedPayloadError("Typed data has three parts: domain_data, message_types, message_data.")
    return {"types": types, "primaryType": _primary_type(types), "domain": domain, "message": message}


def transaction(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    """The fields of a transaction. Raises MalformedPayloadError for what is no mapping."""
    if not isinstance(fields, Mapping):
        raise MalformedPayloadError("The transaction is not a mapping.")
    return fields


class Sidecar:
    """The blobs of a transaction, with what proves them. EIP-4844, EIP-7594."""

    def __init__(self, fields: Mapping[str, Any], blobs: Any) -> None:
        context = _sidecar(blobs)
        if context is None:
            raise MalformedPayloadError("The blobs are not one to six blobs of EIP-4844.")
        hashes, *self._context = context
        given = fields.get("blobVersionedHashes", hashes)
        if not isinstance(given, (list, tuple)) or [_octets(each, 32) for each in given] != hashes:
            raise MalformedPayloadError("The blobs are not those that blobVersionedHashes names.")
        self.payload = {**fields, "blobVersionedHashes": hashes}
        """What is signed: the transaction with the hashes of its blobs."""

    def attach(self, raw_transaction: bytes) -> bytes:
        """The signed transaction with its blobs added, as ``eth_sendRawTransaction`` takes it."""
        whole = [rlp.decode(raw_transaction[1:]), _WRAPPER_VERSION, *self._context]
        return raw_transaction[:1] + bytes(rlp.encode(whole))


def _sidecar(blobs: Any) -> tuple[list[bytes], list[bytes], list[bytes], list[bytes]] | None:
    """Hashes, blobs, commitments and the proofs of their cells; None where a blob is none."""
    import ckzg

    if not isinstance(blobs, (list, tuple)) or not 0 < len(blobs) <= _MAX_BLOBS:
        return None
    read = [_octets(each, _BLOB_BYTES) for each in blobs]
    if None in read:
        return None
    setup = _trusted_setup()
    try:
        commitments = [bytes(ckzg.blob_to_kzg_commitment(each, setup)) for each in read]
    except (RuntimeError, ValueError):  # a number that is no element of the field
        return None
    proofs = [bytes(proof) for each in read for proof in ckzg.compute_cells_and_kzg_proofs(each, setup)[1]]
    hashes = [_HASH_VERSION + hashlib.sha256(each).digest()[1:] for each in commitments]
    return hashes, read, commitments, proofs


@cache
def _trusted_setup() -> Any:
    """Loaded once: it takes two seconds."""
    import ckzg
    from eth_account.typed_transactions.base import TRUSTED_SETUP

    return ckzg.load_trusted_setup(TRUSTED_SETUP, 0)


def _octets(value: Any, size: int) -> Any:
    """Bytes of a size, or their 0x-hex; None for anything else."""
    if isinstance(value, str) and len(value) == 2 + 2 * size and _HEX.fullmatch(value):
        return bytes.fromhex(value[2:])
    return bytes(value) if isinstance(value, (bytes, bytearray)) and len(value) == size else None


def _primary_type(types: Mapping[str, Any]) -> str:
    """The one type that no other one has a member of."""
    try:
        members = {member["type"].partition("[")[0] for fields in types.values() for member in fields}
        found = [name for name in types if name != "EIP712Domain" and name not in members]
    except (TypeError, KeyError, AttributeError):
        found = []
    if len(found) != 1:
        raise MalformedPayloadError(
            "The types do not show which one is the message's.", hint="Pass full_message, with its primaryType."
        )
    return found[0]
