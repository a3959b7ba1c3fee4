"""A network with two keys an address, without phrases, and with addresses that look like another one's: end to end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import strongroom
from strongroom import Secret
from strongroom.errors import AmbiguousAddressError
from strongroom.networks import TABLE
from testbed.databases.foreign import FOREIGN_TEXT, add_project, add_wallet, project_of
from testbed.databases.rows import execute
from testbed.networks.made_up import PAIR, PAIR_ADDRESS, PAIRWISE, made_up_network
from tests.integration.doctors import codes, document, finding

PROJECT = "0d4ab7f0-6a5e-4d2c-9f6b-3d3e6d1f0a51"


@pytest.fixture(autouse=True)
def _a_table_with_one_more() -> Iterator[None]:
    with made_up_network():
        yield


def test_two_keys_and_no_phrase_pass_through_every_verb(tmp_path: Path) -> None:
    url, root_key = f"sqlite:///{tmp_path / 'vault.db'}", f"file:{tmp_path / 'root.key'}"
    with strongroom.init(url, root_key=root_key) as vault:
        made = vault.create_wallet(PROJECT, "pairwise").wallet
        assert (len(made.public_key), made.scheme, made.path) == (128, "pair", None)
        assert vault.create_wallet(PROJECT, "pairwise").wallet == made
        assert vault.find_by_address(made.address) == made
        revealed = vault.reveal(made.id, actor="a test", reason="to compare")
        assert revealed.mnemonic is None
        half = PAIRWISE.public_half(PAIRWISE.parse_private_key(revealed.private_key), "pair")
        assert (half.public_key, half.address) == (made.public_key, made.address)
        successor = vault.replace_wallet(made.id).wallet
        assert successor.public_key != made.public_key
        imported = vault.import_wallet(PROJECT, "pairwise", private_key=Secret.from_text(PAIR), label="second").wallet
        assert imported.address == PAIR_ADDRESS
        assert [result.error for result in vault.verify()] == [None, None, None]
    assert document(url, "--root-key", root_key)["findings"] == []


def test_a_row_whose_address_two_networks_read_is_adopted_by_none_until_it_says_which(
    make_legacy: Callable[..., str], root_key_uri: str
) -> None:
    url = make_legacy("g4", initialised=True)
    wallet = add_wallet(url, PAIR_ADDRESS, FOREIGN_TEXT, network="mainnet", credential_type="wallet")
    project = project_of(url, wallet)
    with strongroom.open(url, root_key=root_key_uri) as vault:
        for network in ("solana", "pairwise"):
            with pytest.raises(AmbiguousAddressError) as caught:
                vault.create_wallet(project, network)
            assert str(wallet) in str(caught.value)
            assert "solana or pairwise" in str(caught.value)
        execute(url, "UPDATE project_credentials SET network = 'pairwise' WHERE id = ?", (wallet,))
        adopted = vault.create_wallet(project, "pairwise")
        assert (adopted.wallet.id, adopted.created) == (wallet, False)
        assert vault.create_wallet(project, "solana").created


def test_doctor_says_ambiguous_unless_a_text_next_to_the_address_speaks_for_one_network(
    make_legacy: Callable[..., str], root_key_uri: str
) -> None:
    url = make_legacy("g4", initialised=True)
    columns = {"network": "mainnet", "credential_type": "wallet"}
    seed = bytes(range(32)).hex()
    solana = TABLE.get("solana").public_half(Secret(bytes(range(32))), "slip10").address
    derived = add_wallet(url, solana, seed, **columns)
    undecided = add_wallet(url, PAIR_ADDRESS, seed[::-1], **columns)
    with strongroom.open(url, root_key=root_key_uri) as vault:
        sealed = vault.create_wallet(add_project(url), "pairwise").wallet.id
    execute(url, "UPDATE project_credentials SET network = 'mainnet', credential_type = 'w' WHERE id = ?", (sealed,))
    execute(url, "DELETE FROM strongroom_slot WHERE credential_id = ?", (sealed,))
    found = document(url, "--root-key", root_key_uri)
    assert codes(found, sealed) == {}
    assert "derives the stored address (solana, slip10)" in finding(found, "plaintext-key", derived)["evidence"]
    told = finding(found, "plaintext-key", undecided)
    assert "is ambiguous, and its row does not say which: solana or pairwise" in told["evidence"]
    assert told["repair"] == "ask"
    assert "address-mismatch" not in codes(found, undecided)
