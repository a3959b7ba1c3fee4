"""A transaction: what it may hold, and its unsigned and signed serializations.

Legacy with EIP-155 (type 0), EIP-2930 (1), EIP-1559 (2), EIP-4844 (3), EIP-7702 (4); EIP-2718 for the envelope.
"""

from __future__ import annotations

from typing import NamedTuple

from strongroom.errors import MalformedPayloadError
from strongroom.networks.evm import authorization, rlp
from strongroom.networks.evm.reading import LAST_NONCE
from strongroom.networks.evm.signed import EvmSignedAuthorization, EvmSignedTransaction
from strongroom.networks.keccak import keccak_256

LEGACY, ACCESS_LIST, DYNAMIC_FEE, BLOB, SET_CODE = range(5)
NAMES = ("legacy", "EIP-2930", "EIP-1559", "EIP-4844", "EIP-7702")
AccessList = tuple[tuple[bytes, tuple[bytes, ...]], ...]
MAX_AUTHORIZATIONS = 1024
"""Each costs a recovery of its key here, and 25,000 gas on a chain: no block holds as many."""
MAX_BLOBS = 256
_GAS_PER_BLOB = 1 << 17
_BLOB_VERSION = 0x01
_ENVELOPES = tuple(bytes((number,)) for number in range(5))


class EvmTransaction(NamedTuple):
    """The fields of a transaction of any type. Legacy without a chain id: None, not protected from replay."""

    type: int
    chain_id: int | None
    nonce: int
    fee: tuple[int, ...]
    """Wei: (gas price), (max fee, max priority fee), or the latter with the max fee per blob gas."""
    gas: int
    to: bytes
    """20 bytes, or none for the creation of a contract."""
    value: int
    data: bytes
    access_list: AccessList = ()
    blob_versioned_hashes: tuple[bytes, ...] = ()
    authorization_list: tuple[EvmSignedAuthorization, ...] = ()

    def most_wei(self) -> int:
        """What it costs at most in addition to its value, in wei."""
        blobs = _GAS_PER_BLOB * len(self.blob_versioned_hashes) * self.fee[-1] if self.type == BLOB else 0
        return self.gas * self.fee[0] + blobs


def check(tx: EvmTransaction) -> None:
    """Refuse what no chain would take. Raises MalformedPayloadError. EIP-2681, EIP-1559, EIP-4844, EIP-7702."""
    if tx.nonce > LAST_NONCE:
        raise MalformedPayloadError("nonce is out of range.")
    if tx.type >= DYNAMIC_FEE and tx.fee[1] > tx.fee[0]:
        raise MalformedPayloadError("max_priority_fee_per_gas is higher than max_fee_per_gas.")
    if tx.type >= BLOB and not tx.to:
        raise MalformedPayloadError(f"A transaction of {NAMES[tx.type]} cannot create a contract: to is missing.")
    if tx.type == BLOB:
        if len(tx.blob_versioned_hashes) > MAX_BLOBS:
            raise MalformedPayloadError(f"blob_versioned_hashes has more than {MAX_BLOBS} items.")
        if not tx.blob_versioned_hashes:
            raise MalformedPayloadError("blob_versioned_hashes is empty.")
        if any(each[0] != _BLOB_VERSION for each in tx.blob_versioned_hashes):
            raise MalformedPayloadError("A hash of blob_versioned_hashes is not of version 1.")
    if tx.type == SET_CODE:
        if not tx.authorization_list:
            raise MalformedPayloadError("authorization_list is empty.")
        if len(tx.authorization_list) > MAX_AUTHORIZATIONS:
            raise MalformedPayloadError(f"authorization_list has more than {MAX_AUTHORIZATIONS} items.")
        for entry in tx.authorization_list:
            authorization.check_signed(entry)


def body(tx: EvmTransaction) -> bytes:
    """The fields that the type has, encoded and joined; without a signature."""
    integer, data = rlp.integer, rlp.data
    call = integer(tx.gas) + data(tx.to) + integer(tx.value) + data(tx.data)
    if tx.type == LEGACY:
        return integer(tx.nonce) + integer(tx.fee[0]) + call
    fees = integer(tx.fee[0]) if tx.type == ACCESS_LIST else integer(tx.fee[1]) + integer(tx.fee[0])
    typed = integer(tx.chain_id or 0) + integer(tx.nonce) + fees + call + _access_list(tx.access_list)
    if tx.type == BLOB:
        return typed + integer(tx.fee[2]) + rlp.sequence_of(map(data, tx.blob_versioned_hashes))
    if tx.type == SET_CODE:
        return typed + rlp.sequence_of(map(authorization.encode_signed, tx.authorization_list))
    return typed


def digest(tx: EvmTransaction, encoded: bytes) -> bytes:
    """The hash that is signed, given the body. EIP-155, EIP-2718."""
    if tx.type != LEGACY:
        return keccak_256(_ENVELOPES[tx.type] + rlp.sequence(encoded))
    return keccak_256(
        rlp.sequence(encoded if tx.chain_id is None else encoded + rlp.integer(tx.chain_id) + b"\x80\x80")
    )


def signed(tx: EvmTransaction, encoded: bytes, y_parity: int, r_s: bytes) -> EvmSignedTransaction:
    """The signed transaction, given the body and its signature."""
    r, s = int.from_bytes(r_s[:32]), int.from_bytes(r_s[32:])
    v = y_parity
    if tx.type == LEGACY:
        v += 27 if tx.chain_id is None else 35 + 2 * tx.chain_id
    raw = rlp.sequence(encoded + rlp.integer(v) + rlp.integer(r) + rlp.integer(s))
    return EvmSignedTransaction(raw if tx.type == LEGACY else _ENVELOPES[tx.type] + raw, r, s, v, y_parity)


def _access_list(entries: AccessList) -> bytes:
    if not entries:
        return rlp.EMPTY_LIST
    return rlp.sequence_of(
        rlp.sequence(rlp.data(address) + rlp.sequence_of(map(rlp.data, keys))) for address, keys in entries
    )
