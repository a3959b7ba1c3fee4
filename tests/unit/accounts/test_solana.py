"""Accounts for solders: what its Keypair signs, they sign."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from solders.message import to_bytes_versioned
from solders.transaction import Transaction, VersionedTransaction

from strongroom.accounts import solana
from strongroom.errors import SignatureRefusedError
from testbed.networks import solana_payloads
from testbed.networks.solana_payloads import BLOCKHASH, OTHER, OWN, SEED
from tests.unit.accounts.stand_in import StandInVault


@pytest.fixture
def vault() -> StandInVault:
    return StandInVault("solana", SEED)


@pytest.fixture
def account(vault: StandInVault) -> solana.SolanaAccount:
    made = vault.account(actor="treasury", reason="payout")
    assert isinstance(made, solana.SolanaAccount)
    return made


def test_its_public_key_is_the_keypairs(account: solana.SolanaAccount) -> None:
    assert account.pubkey() == OWN.pubkey()
    assert repr(account) == f"<SolanaAccount {OWN.pubkey()}>"


@pytest.mark.parametrize("address", ["garbage", "", "0" * 32, "1" * 200])
def test_a_row_without_an_address_of_solana_has_no_account(vault: StandInVault, address: str) -> None:
    vault.wallet = replace(vault.wallet, address=address)
    with pytest.raises(SignatureRefusedError):
        vault.account()


def test_a_presigner_signs_what_solders_builds(account: solana.SolanaAccount) -> None:
    message = solana_payloads.v0(OWN, OTHER).message
    assert VersionedTransaction(message, [account.presigner(message), OTHER]) == VersionedTransaction(
        message, [OWN, OTHER]
    )
    legacy = solana_payloads.legacy(OWN).message
    assert Transaction([account.presigner(legacy)], legacy, BLOCKHASH) == Transaction([OWN], legacy, BLOCKHASH)


def test_a_presigner_signs_nothing_else(account: solana.SolanaAccount) -> None:
    presigner = account.presigner(solana_payloads.v0(OWN).message)
    with pytest.raises(Exception, match="presigner error"):
        presigner.sign_message(b"else")


def test_transactions_keep_their_type_and_the_signatures_of_others(account: solana.SolanaAccount) -> None:
    unsigned = solana_payloads.v0(OWN, OTHER)
    half = VersionedTransaction.populate(
        unsigned.message, [unsigned.signatures[0], OTHER.sign_message(to_bytes_versioned(unsigned.message))]
    )
    assert account.sign_transaction(half) == VersionedTransaction(unsigned.message, [OWN, OTHER])
    legacy = solana_payloads.legacy(OWN)
    assert account.sign_transaction(legacy) == Transaction([OWN], legacy.message, BLOCKHASH)


def test_a_message_is_signed_as_a_keypair_signs_it(vault: StandInVault, account: solana.SolanaAccount) -> None:
    assert account.sign_message(b"Sign in") == OWN.sign_message(b"Sign in")
    assert account.sign_message(b"Sign in", format="offchain") != OWN.sign_message(b"Sign in")
    assert vault.calls[0] == ("message", {"format": "raw", "actor": "treasury", "reason": "payout"})


def test_a_transaction_is_not_signed_as_a_message(account: solana.SolanaAccount) -> None:
    for made in (solana_payloads.v0(OWN), solana_payloads.legacy(OWN)):
        with pytest.raises(SignatureRefusedError):
            account.sign_message(to_bytes_versioned(made.message))


def test_the_async_account_signs_the_same(account: solana.SolanaAccount) -> None:
    message = solana_payloads.v0(OWN).message
    awaited = account.asynchronous()

    async def sign() -> list[Any]:
        return [
            await awaited.sign_message(b"Sign in"),
            VersionedTransaction(message, [await awaited.presigner(message)]),
            await awaited.sign_transaction(solana_payloads.v0(OWN)),
        ]

    signed = VersionedTransaction(message, [OWN])
    assert asyncio.run(sign()) == [OWN.sign_message(b"Sign in"), signed, signed]
    assert awaited.pubkey() == OWN.pubkey()
