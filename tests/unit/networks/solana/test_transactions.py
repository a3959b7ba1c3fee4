"""Transactions: byte for byte those of solders, in every form that they come in."""

from __future__ import annotations

import base64
import hashlib

import pytest
from hypothesis import given
from solders.compute_budget import set_compute_unit_limit, set_compute_unit_price
from solders.message import Message, MessageV0, from_bytes_versioned, to_bytes_versioned
from solders.signature import Signature
from solders.system_program import AdvanceNonceAccountParams, TransferParams, advance_nonce_account, transfer
from solders.transaction import Transaction, VersionedTransaction

from strongroom.errors import MalformedPayloadError, SignatureFaultError, SignatureRefusedError
from strongroom.networks.codecs import base58
from strongroom.networks.curves import ed25519
from strongroom.networks.solana import message, summary
from strongroom.networks.solana.transaction import _BASE58
from testbed.networks import solana_payloads
from testbed.networks.solana_payloads import BLOCKHASH, OTHER, OWN, THIRD, TRANSFER, paying, sign_transaction


def b58(data: bytes) -> str:
    number, text = int.from_bytes(data), ""
    while number:
        number, digit = divmod(number, 58)
        text = _BASE58[digit] + text
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + text


def test_a_legacy_transaction_is_signed_as_solders_signs_it() -> None:
    unsigned = solana_payloads.legacy(OWN)
    expected = Transaction([OWN], unsigned.message, BLOCKHASH)
    signed = sign_transaction(bytes(unsigned))
    assert signed.transaction == bytes(expected)
    assert signed.signature == bytes(expected.signatures[0])
    assert signed.complete
    assert signed.as_dict() == {
        "signature": str(expected.signatures[0]),
        "transaction": base64.b64encode(bytes(expected)).decode(),
        "complete": True,
        "missing": [],
    }


def test_a_transaction_of_version_0_is_signed_as_solders_signs_it() -> None:
    unsigned = solana_payloads.v0(OWN)
    expected = VersionedTransaction(unsigned.message, [OWN])
    assert sign_transaction(bytes(unsigned)).transaction == bytes(expected)


@given(solana_payloads.messages())
def test_every_message_that_solders_reads_is_signed_as_solders_signs_it(raw: bytes) -> None:
    read = from_bytes_versioned(raw)
    assert to_bytes_versioned(read) == raw
    slot = read.account_keys.index(OWN.pubkey())
    signatures = [Signature.default()] * read.header.num_required_signatures
    signatures[slot] = OWN.sign_message(raw)
    expected = VersionedTransaction.populate(read, signatures)
    expected.sanitize()
    signed = sign_transaction(raw)
    assert signed.transaction == bytes(expected)
    assert signed.complete == (len(signatures) == 1)
    whole = bytes(VersionedTransaction.populate(read, [Signature.default()] * len(signatures)))
    assert sign_transaction(whole) == signed == sign_transaction(signed.transaction)


@given(solana_payloads.messages())
def test_bytes_base64_and_base58_are_one(raw: bytes) -> None:
    signed = sign_transaction(raw)
    assert sign_transaction(base64.b64encode(raw).decode()) == signed
    assert sign_transaction(f" {b58(raw)}\n") == signed
    assert sign_transaction(bytearray(raw)) == signed


def test_signatures_of_others_stay_and_those_that_are_missing_are_named() -> None:
    unsigned = solana_payloads.v0(OTHER, OWN, THIRD)
    partly = VersionedTransaction.populate(
        unsigned.message,
        [OTHER.sign_message(to_bytes_versioned(unsigned.message)), Signature.default(), Signature.default()],
    )
    signed = sign_transaction(bytes(partly))
    read = VersionedTransaction.from_bytes(signed.transaction)
    assert read.signatures[0] == partly.signatures[0]
    assert read.signatures[2] == Signature.default()
    assert signed.missing == (str(THIRD.pubkey()),)
    assert not signed.complete
    last = sign_transaction(signed.transaction, THIRD)
    assert last.transaction == bytes(VersionedTransaction(unsigned.message, [OTHER, OWN, THIRD]))
    assert last.complete


def test_a_wrong_signature_of_another_is_refused() -> None:
    unsigned = solana_payloads.v0(OTHER, OWN)
    wrong = VersionedTransaction.populate(unsigned.message, [OTHER.sign_message(b"else"), Signature.default()])
    with pytest.raises(SignatureRefusedError, match=str(OTHER.pubkey())):
        solana_payloads.prepared("transaction", bytes(wrong))


def test_a_wrong_signature_of_our_own_is_replaced() -> None:
    unsigned = solana_payloads.v0(OWN)
    wrong = VersionedTransaction.populate(unsigned.message, [OWN.sign_message(b"else")])
    assert sign_transaction(bytes(wrong)) == sign_transaction(bytes(unsigned))


def test_a_transaction_without_places_for_signatures_gets_them() -> None:
    """As solana-go and ``VersionedTransaction.populate(message, [])`` write what nobody has signed."""
    for made in (solana_payloads.v0(OWN, OTHER), solana_payloads.legacy(OWN, OTHER)):
        bare = b"\0" + to_bytes_versioned(made.message)
        signed = sign_transaction(bare)
        assert signed == sign_transaction(bytes(made))
        assert signed.missing == (str(OTHER.pubkey()),)


def test_a_transaction_that_needs_other_signers_only_is_refused() -> None:
    with pytest.raises(SignatureRefusedError, match="no signature"):
        solana_payloads.prepared("transaction", bytes(solana_payloads.v0(OTHER, THIRD)))


def test_a_transaction_that_names_the_wallet_without_its_signature_is_refused() -> None:
    instruction = transfer(TransferParams(from_pubkey=OTHER.pubkey(), to_pubkey=OWN.pubkey(), lamports=1))
    raw = bytes(Message.new_with_blockhash([instruction], OTHER.pubkey(), BLOCKHASH))
    with pytest.raises(SignatureRefusedError, match="no signature"):
        solana_payloads.prepared("transaction", raw)


def test_another_key_signs_nothing() -> None:
    made = solana_payloads.prepared("transaction", bytes(solana_payloads.v0(OWN)))
    for seed in (b"\x05" * 32, b"", b"\x05" * 31):
        with pytest.raises(SignatureRefusedError):
            made.sign(solana_payloads.material(seed))


def test_a_signature_that_does_not_verify_is_thrown_away(monkeypatch: pytest.MonkeyPatch) -> None:
    made = solana_payloads.prepared("transaction", bytes(solana_payloads.v0(OWN)))
    right = ed25519.sign

    def faulty(seed: bytes, data: bytes) -> bytes | None:
        signature = right(seed, data)
        assert signature is not None
        return signature[:-1] + bytes([signature[-1] ^ 1])

    monkeypatch.setattr(ed25519, "sign", faulty)
    with pytest.raises(SignatureFaultError):
        made.sign(solana_payloads.material())


def test_the_digest_is_the_hash_of_the_message_and_there_is_no_nonce() -> None:
    unsigned = solana_payloads.v0(OWN)
    made = solana_payloads.prepared("transaction", bytes(unsigned))
    assert made.digest == hashlib.sha256(to_bytes_versioned(unsigned.message)).digest()
    assert made.replay_scope is None


def test_a_transaction_of_exactly_1232_bytes_is_signed_and_a_larger_one_is_not() -> None:
    size = len(bytes(solana_payloads.v0(OWN, data=bytes(900))))
    exact = solana_payloads.v0(OWN, data=bytes(900 + 1232 - size))
    assert len(sign_transaction(bytes(exact)).transaction) == 1232
    longer = solana_payloads.v0(OWN, data=bytes(901 + 1232 - size))
    with pytest.raises(MalformedPayloadError):
        sign_transaction(bytes(longer))
    with pytest.raises(MalformedPayloadError, match="larger than 1232"):
        sign_transaction(to_bytes_versioned(longer.message))


def test_the_summary_says_who_pays_and_what_for() -> None:
    made = solana_payloads.prepared("transaction", paying(TRANSFER))
    assert made.intent.summary() == {
        "version": "legacy",
        "payer": str(OWN.pubkey()),
        "signatures": "1",
        "max_fee": "5000 lamports",
        "programs": "11111111111111111111111111111111",
        "transfers": f"123 lamports to {OTHER.pubkey()}",
    }


def test_a_durable_nonce_shows() -> None:
    params = AdvanceNonceAccountParams(nonce_pubkey=THIRD.pubkey(), authorized_pubkey=OWN.pubkey())
    intent = solana_payloads.prepared("transaction", paying(advance_nonce_account(params))).intent
    assert intent.summary()["expires"].startswith("never")
    assert intent.validity.durable


@pytest.mark.parametrize(
    ("extra", "fee"),
    [
        ([], 5000),
        ([set_compute_unit_price(10_000)], 5000 + 4000),
        ([set_compute_unit_price(10_000), set_compute_unit_limit(50_000)], 5000 + 500),
        ([set_compute_unit_price(1), set_compute_unit_limit(1)], 5001),
        ([set_compute_unit_price(10_000), set_compute_unit_limit(4_000_000_000)], 5000 + 14_000),
    ],
)
def test_max_fee_is_a_limit_for_the_one_who_pays(extra: list[object], fee: int) -> None:
    raw = paying(*extra, TRANSFER)
    assert summary.max_fee(message.parse(raw)) == fee
    solana_payloads.prepared("transaction", raw, max_fee=fee)
    with pytest.raises(SignatureRefusedError, match=str(fee)):
        solana_payloads.prepared("transaction", raw, max_fee=fee - 1)


def test_a_fee_above_one_sol_is_refused_unless_told() -> None:
    """The units are those that it may use at most where it sets none: 200,000 for each instruction."""
    for limit, units in ([], 400_000), ([set_compute_unit_limit(1_400_000)], 1_400_000), ([TRANSFER] * 9, 1_400_000):
        price = (10**9 - 5000) * 10**6 // units
        solana_payloads.prepared("transaction", paying(set_compute_unit_price(price), *limit, TRANSFER))
        for more in (1, 30_000 * price):
            raw = paying(set_compute_unit_price(min(price + more, 2**64 - 1)), *limit, TRANSFER)
            with pytest.raises(SignatureRefusedError, match="above the limit of 1000000000") as refused:
                solana_payloads.prepared("transaction", raw)
            fee = summary.max_fee(message.parse(raw))
            assert f"max_fee={fee} (--max-fee {fee})" in refused.value.hint
            solana_payloads.prepared("transaction", raw, max_fee=fee)


def test_the_limit_of_fees_does_not_bind_where_another_pays() -> None:
    price = set_compute_unit_price(2**64 - 1)
    raw = bytes(Message.new_with_blockhash([price, solana_payloads.call(OWN)], OTHER.pubkey(), BLOCKHASH))
    solana_payloads.prepared("transaction", raw)
    with pytest.raises(SignatureRefusedError):
        solana_payloads.prepared("transaction", raw, OTHER)


def test_max_fee_does_not_bind_where_another_pays() -> None:
    raw = bytes(solana_payloads.v0(OTHER, OWN))
    assert raw.endswith(solana_payloads.prepared("transaction", raw, max_fee=0).message)


@pytest.mark.parametrize("limit", ["5000", 5000.0, True, -1])
def test_max_fee_is_a_whole_number(limit: object) -> None:
    with pytest.raises(MalformedPayloadError):
        solana_payloads.prepared("transaction", paying(TRANSFER), max_fee=limit)
    with pytest.raises(MalformedPayloadError):
        solana_payloads.prepared("transaction", bytes(solana_payloads.v0(OTHER, OWN)), max_fee=limit)


def test_the_programs_of_the_fee_are_addresses() -> None:
    for address in (summary._COMPUTE_BUDGET, summary._SYSTEM, *summary._VERIFIERS):
        assert len(base58.decode(address) or b"") == 32


def test_solders_agrees_on_what_a_lookup_table_is() -> None:
    raw = bytes.fromhex("80010001") + bytes([2]) + bytes(OWN.pubkey()) + b"\x09" * 32 + bytes(32)
    raw += bytes([1, 1, 2, 0, 3, 0]) + bytes([1]) + b"\x08" * 32 + bytes([1, 5, 1, 6])
    read = from_bytes_versioned(raw)
    assert isinstance(read, MessageV0)
    assert len(read.address_table_lookups) == 1
    assert sign_transaction(raw).signature == bytes(OWN.sign_message(raw))
