"""Wallets, keys and transactions of Solana for tests; transactions are solders'."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from solders.hash import Hash
from solders.instruction import AccountMeta, CompiledInstruction, Instruction
from solders.keypair import Keypair
from solders.message import (
    Message,
    MessageHeader,
    MessageV0,
    MessageV1,
    TransactionConfig,
)
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.system_program import TransferParams, transfer
from solders.transaction import Transaction, VersionedTransaction

from strongroom.networks import TABLE
from strongroom.networks.solana.signing import SignedBytes, SignedTransaction
from strongroom.ports.signing import SigningNetwork
from strongroom.records.key_material import KeyMaterial, PublicHalf
from strongroom.records.signing import SigningRequest
from strongroom.records.stored_wallets import wallet_of_key
from strongroom.records.wallets import Wallet
from strongroom.secret import Secret
from testbed.networks import preparing

SEED = bytes(range(32))
OWN = Keypair.from_seed(SEED)
OTHER = Keypair.from_seed(b"\x01" * 32)
THIRD = Keypair.from_seed(b"\x02" * 32)
BLOCKHASH = Hash(b"\x07" * 32)
PROGRAM = Pubkey(b"\x09" * 32)
_NOW = datetime(2026, 1, 1, tzinfo=UTC)


def wallet(keypair: Keypair = OWN) -> Wallet:
    """The wallet of a keypair."""
    half = PublicHalf(public_key=bytes(keypair.pubkey()).hex(), address=str(keypair.pubkey()))
    return wallet_of_key(UUID(int=1), UUID(int=2), "solana", "default", material(), half, _NOW)


def material(seed: bytes = SEED) -> KeyMaterial:
    return KeyMaterial(Secret(seed), "slip10")


def prepared(kind: str, payload: Any, keypair: Keypair = OWN, **options: Any) -> Any:
    network = TABLE.get("solana")
    assert isinstance(network, SigningNetwork)
    return preparing.prepare(network, wallet(keypair), SigningRequest(kind, payload, options))


def sign_transaction(payload: Any, keypair: Keypair = OWN, **options: Any) -> SignedTransaction:
    signed = prepared("transaction", payload, keypair, **options).sign(material(bytes(keypair)[:32]))
    assert isinstance(signed, SignedTransaction)
    return signed


def sign_message(payload: Any, **options: Any) -> SignedBytes:
    signed = prepared("message", payload, **options).sign(material())
    assert isinstance(signed, SignedBytes)
    return signed


def call(*signers: Keypair, data: bytes = b"data", more: int = 1) -> Instruction:
    """A call of a program that each keypair signs."""
    metas = [AccountMeta(each.pubkey(), True, True) for each in signers]
    metas += [AccountMeta(Pubkey(bytes([200 + n]) * 32), False, True) for n in range(more)]
    return Instruction(PROGRAM, data, metas)


def legacy(*signers: Keypair, **options: Any) -> Transaction:
    """A legacy transaction without signatures, that the first keypair pays."""
    message = Message.new_with_blockhash([call(*signers, **options)], signers[0].pubkey(), BLOCKHASH)
    return Transaction.new_unsigned(message)


def v0(*signers: Keypair, **options: Any) -> VersionedTransaction:
    """A transaction of version 0 without signatures, that the first keypair pays."""
    message = MessageV0.try_compile(signers[0].pubkey(), [call(*signers, **options)], [], BLOCKHASH)
    return VersionedTransaction.populate(message, [Signature.default()] * message.header.num_required_signatures)


@st.composite
def messages(draw: st.DrawFn, own: Keypair = OWN) -> bytes:
    """Messages, legacy and version 0, that ``own`` has to sign; made without solders' compiler."""
    keys = draw(st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=8, unique=True))
    keys = [key for key in keys if key != bytes(own.pubkey())]
    signatures = draw(st.integers(1, min(4, len(keys) + 1)))
    keys.insert(draw(st.integers(0, signatures - 1)), bytes(own.pubkey()))
    header = bytes([signatures, draw(st.integers(0, signatures - 1)), draw(st.integers(0, len(keys) - signatures))])
    versioned = draw(st.booleans())
    tables = draw(st.lists(st.tuples(*(st.binary(max_size=4),) * 2).filter(any), max_size=2)) if versioned else []
    total = len(keys) + sum(len(part) for table in tables for part in table)
    raw = (b"\x80" if versioned else b"") + header + compact(len(keys)) + b"".join(keys)
    raw += draw(st.binary(min_size=32, max_size=32))
    count = draw(st.integers(0, 3)) if len(keys) > 1 else 0
    raw += compact(count)
    for _ in range(count):
        indices = bytes(draw(st.lists(st.integers(0, total - 1), max_size=5)))
        data = draw(st.binary(max_size=150))
        raw += bytes([draw(st.integers(1, len(keys) - 1))]) + compact(len(indices)) + indices
        raw += compact(len(data)) + data
    if versioned:
        raw += compact(len(tables))
        for writable, readonly in tables:
            raw += draw(st.binary(min_size=32, max_size=32))
            raw += compact(len(writable)) + writable + compact(len(readonly)) + readonly
    return raw


@st.composite
def messages_1(draw: st.DrawFn) -> MessageV1:
    """Messages of version 1, that OWN has to sign."""
    keys = [OWN.pubkey(), *(Pubkey(bytes([200 + n]) * 32) for n in range(draw(st.integers(1, 5))))]
    calls = st.builds(
        CompiledInstruction, st.integers(1, len(keys) - 1), st.binary(max_size=300), st.lists(st.just(0)).map(bytes)
    )
    numbers = st.none() | st.integers(0, 2**32 - 1)
    config = TransactionConfig(draw(numbers), draw(numbers), draw(numbers), draw(numbers))
    header = MessageHeader(1, 0, draw(st.integers(0, len(keys) - 1)))
    return MessageV1(header, config, BLOCKHASH, keys, draw(st.lists(calls, max_size=4)))


def compact(number: int) -> bytes:
    """A compact-u16."""
    encoded = bytearray()
    while number >= 0x80:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes((*encoded, number))


# --- what it costs, and what it does ------------------------------------------------------------------------


def paying(*instructions: object) -> bytes:
    return bytes(Message.new_with_blockhash(list(instructions), OWN.pubkey(), BLOCKHASH))  # type: ignore[arg-type]


TRANSFER = transfer(TransferParams(from_pubkey=OWN.pubkey(), to_pubkey=OTHER.pubkey(), lamports=123))
