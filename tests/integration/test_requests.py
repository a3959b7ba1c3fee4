"""What create and import take, refuse and remember."""

from __future__ import annotations

import unicodedata
from typing import Any
from uuid import uuid4

import pytest

import strongroom
from strongroom import Vault
from testbed.databases.rows import assert_whole, counts, execute
from testbed.processes.wallets import PHRASE

ADDRESS = "0x9858EfFD232B4033E47d90003D41EC34EcaEda94"
BAD_CREATES: list[tuple[dict[str, Any], type[strongroom.StrongroomError]]] = [
    ({"project_id": "nothing"}, strongroom.InvalidProjectError),
    ({"project_id": None}, strongroom.InvalidProjectError),
    ({"network": "nowhere"}, strongroom.UnknownNetworkError),
    ({"label": ""}, strongroom.InvalidLabelError),
    ({"label": "A"}, strongroom.InvalidLabelError),
    ({"label": "a" * 65}, strongroom.InvalidLabelError),
    ({"label": "a\n"}, strongroom.InvalidLabelError),
    ({"variant": "nothing"}, strongroom.UnknownVariantError),
    ({"words": 13}, strongroom.InvalidMnemonicError),
    ({"idempotency_key": ""}, strongroom.InvalidIdempotencyKeyError),
    ({"idempotency_key": "k" * 256}, strongroom.InvalidIdempotencyKeyError),
    ({"idempotency_key": "k\x00"}, strongroom.InvalidIdempotencyKeyError),
    ({"actor": ""}, strongroom.InvalidActorError),
]


@pytest.mark.parametrize(("arguments", "error"), BAD_CREATES)
def test_bad_requests_are_refused_and_leave_nothing(
    vault: Vault, vault_url: str, arguments: dict[str, Any], error: type[strongroom.StrongroomError]
) -> None:
    with pytest.raises(error):
        vault.create_wallet(**{"project_id": uuid4(), "network": "ethereum", **arguments})
    assert counts(vault_url) == (0, 0, 0, 0)


def test_the_known_answers_come_out_of_the_vault(vault: Vault) -> None:
    project = uuid4()
    known = {
        "ethereum": ADDRESS,
        "bitcoin": "bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu",
        "bitcoin-testnet": "tb1q6rz28mcfaxtmd6v789l9rrlrusdprr9pqcpvkl",
        "solana": "HAgk14JpMQLgt6rVgv7cBQFJWFto5Dqxi472uT3DKpqk",
    }
    for network, address in known.items():
        assert vault.import_wallet(project, network, mnemonic=PHRASE, address=address).wallet.address == address


def test_an_import_repeated_changes_nothing_and_another_key_is_a_conflict(vault: Vault, vault_url: str) -> None:
    project = uuid4()
    wallet, created = vault.import_wallet(project, "ethereum", mnemonic=PHRASE)
    assert created
    before = execute(vault_url, "SELECT * FROM credential_vault_storage")
    spaced = "  " + PHRASE.replace(" ", "   ") + "\n"
    assert vault.import_wallet(project, "ethereum", mnemonic=spaced) == (wallet, False)
    assert vault.create_wallet(project, "ethereum") == (wallet, False)
    with pytest.raises(strongroom.KeyConflictError):
        vault.import_wallet(project, "ethereum", private_key="11" * 32)
    with pytest.raises(strongroom.KeyConflictError):
        vault.import_wallet(project, "ethereum", mnemonic=PHRASE, passphrase="x")
    assert execute(vault_url, "SELECT * FROM credential_vault_storage") == before
    assert_whole(vault_url, 1)


def test_a_given_address_that_is_not_the_keys_is_refused(vault: Vault, vault_url: str) -> None:
    with pytest.raises(strongroom.AddressMismatchError):
        vault.import_wallet(uuid4(), "ethereum", private_key="11" * 32, address=ADDRESS)
    with pytest.raises(strongroom.InvalidAddressError):
        vault.import_wallet(uuid4(), "ethereum", mnemonic=PHRASE, address=ADDRESS.replace("E", "e", 1))
    assert counts(vault_url) == (0, 0, 0, 0)
    assert vault.import_wallet(uuid4(), "ethereum", mnemonic=PHRASE, address=ADDRESS.lower()).created


def test_japanese_phrases_are_one_phrase_in_nfc_and_nfkd(vault: Vault) -> None:
    words = "あいこくしん　" * 11 + "あおぞら"
    project = uuid4()
    composed = unicodedata.normalize("NFC", words)
    decomposed = unicodedata.normalize("NFKD", words)
    assert composed != decomposed
    wallet, created = vault.import_wallet(
        project, "ethereum", mnemonic=composed, passphrase="㍍ガバヴァぱばぐゞちぢ十人十色"
    )
    assert created
    again = vault.import_wallet(
        project,
        "ethereum",
        mnemonic=decomposed,
        passphrase=unicodedata.normalize("NFKD", "㍍ガバヴァぱばぐゞちぢ十人十色"),
    )
    assert again == (wallet, False)


def test_a_variant_that_differs_from_the_live_one_is_a_conflict(vault: Vault) -> None:
    project = uuid4()
    wallet, _ = vault.create_wallet(project, "bitcoin")
    with pytest.raises(strongroom.VariantConflictError):
        vault.create_wallet(project, "bitcoin", variant="taproot")
    assert vault.create_wallet(project, "bitcoin", variant="default") == (wallet, False)
    assert vault.create_wallet(project, "bitcoin", label="second", variant="taproot").wallet.scheme == "bip86"


def test_an_idempotency_key_answers_its_request_indefinitely(vault: Vault) -> None:
    project = uuid4()
    wallet, created = vault.create_wallet(project, "ethereum", label="a", idempotency_key="k")
    assert created
    assert vault.create_wallet(project, "ethereum", label="a", idempotency_key="k") == (wallet, False)
    named = vault.create_wallet(project, "ethereum", label="a", variant="default", idempotency_key="k")
    assert named == (wallet, False), "the default variant is the same request by its name"
    assert vault.create_wallet(uuid4(), "ethereum", label="a", idempotency_key="k").created


@pytest.mark.parametrize(
    ("arguments", "fields"),
    [
        ({"network": "solana"}, ("network",)),
        ({"label": "b"}, ("label",)),
        ({"words": 24}, ("words",)),
        ({"network": "bitcoin", "label": "b", "words": 24}, ("label", "network", "words")),
    ],
)
def test_another_request_under_the_same_key_is_told_what_differs(
    vault: Vault, vault_url: str, arguments: dict[str, Any], fields: tuple[str, ...]
) -> None:
    first: dict[str, Any] = {"project_id": uuid4(), "network": "ethereum", "label": "a", "idempotency_key": "k"}
    vault.create_wallet(**first)
    with pytest.raises(strongroom.IdempotencyConflictError) as caught:
        vault.create_wallet(**{**first, **arguments})
    assert caught.value.fields == fields
    assert_whole(vault_url, 1)


def test_create_and_import_under_one_key_are_different_requests(vault: Vault) -> None:
    project = uuid4()
    vault.create_wallet(project, "ethereum", idempotency_key="k")
    with pytest.raises(strongroom.IdempotencyConflictError) as caught:
        vault.import_wallet(project, "ethereum", mnemonic=PHRASE, idempotency_key="k")
    assert "operation" in caught.value.fields
    vault.import_wallet(project, "solana", mnemonic=PHRASE, idempotency_key="i")
    with pytest.raises(strongroom.IdempotencyConflictError) as other:
        vault.import_wallet(project, "solana", private_key="11" * 32, idempotency_key="i")
    assert other.value.fields == ("address", "path")


def test_a_key_that_meets_a_wallet_that_is_there_is_bound_to_it(vault: Vault) -> None:
    project = uuid4()
    wallet, _ = vault.create_wallet(project, "ethereum")
    assert vault.create_wallet(project, "ethereum", idempotency_key="k") == (wallet, False)
    with pytest.raises(strongroom.IdempotencyConflictError):
        vault.create_wallet(project, "solana", idempotency_key="k")


def test_each_network_of_a_batch_has_its_own_result(vault: Vault, vault_url: str) -> None:
    project = uuid4()
    results = vault.create_wallets(project, ["ethereum", "nowhere", "solana", "ethereum"], idempotency_key="k")
    assert [(result.network, result.created) for result in results] == [
        ("ethereum", True),
        ("nowhere", False),
        ("solana", True),
        ("ethereum", False),
    ]
    assert isinstance(results[1].error, strongroom.UnknownNetworkError)
    assert results[0].wallet == results[3].wallet
    again = vault.create_wallets(project, ["ethereum", "solana"], idempotency_key="k")
    assert [result.wallet for result in again] == [results[0].wallet, results[2].wallet]
    with pytest.raises(strongroom.InvalidLabelError):
        vault.create_wallets(project, ["ethereum"], label="?")
    with pytest.raises(strongroom.InvalidMnemonicError):
        vault.create_wallets(project, ["ethereum"], words=13)
    assert vault.create_wallets(project, []) == []
    assert_whole(vault_url, 2)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"private_key": "11" * 32, "mnemonic": PHRASE},
        {"private_key": "11" * 32, "passphrase": "x"},
        {"private_key": "11" * 32, "path": "m/44'/60'/0'/0/1"},
        {"mnemonic": PHRASE, "path": "nonsense"},
        {"mnemonic": PHRASE + " about"},
        {"mnemonic": "\ud800" * 12},
        {"mnemonic": PHRASE, "passphrase": "\ud800"},
        {"private_key": "\ud800" * 64},
        {"private_key": "00" * 32},
    ],
)
def test_a_key_that_cannot_be_read_is_refused(vault: Vault, vault_url: str, given: dict[str, Any]) -> None:
    with pytest.raises(strongroom.InvalidRequestError):
        vault.import_wallet(uuid4(), "ethereum", **given)
    assert counts(vault_url) == (0, 0, 0, 0)
