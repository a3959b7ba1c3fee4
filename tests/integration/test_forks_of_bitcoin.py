"""Rows with addresses of Bitcoin and of chains like it, some of which are written alike: adoption, lookup, doctor."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import strongroom
from strongroom import Secret
from strongroom.errors import AmbiguousAddressError, InvalidAddressError, UnsupportedSigningError
from strongroom.networks import TABLE
from testbed.databases.foreign import FOREIGN_TEXT, add_wallet, project_of
from testbed.databases.rows import execute
from testbed.networks import bitcoin_chains
from tests.integration.doctors import document, finding

KEY = bytes.fromhex("4646464646464646464646464646464646464646464646464646464646464646")
OTHER = bytes.fromhex("1ab42cc412b618bdea3a599e3c9bae199ebf030895b039e9db1e30dafb12b727")
FORKS = ("litecoin", "dogecoin", "bitcoin-cash", "dash", "zcash")
PROJECT = "0d4ab7f0-6a5e-4d2c-9f6b-3d3e6d1f0a51"
UNNAMED = {"network": "ethereum", "credential_type": "wallet"}
"""The defaults of the columns."""


@pytest.mark.parametrize("network", [*FORKS, "bitcoin-signet", "bitcoin-regtest"])
def test_every_verb_takes_them_and_the_forks_do_not_sign(tmp_path: Path, network: str) -> None:
    url, root_key = f"sqlite:///{tmp_path / 'vault.db'}", f"file:{tmp_path / 'root.key'}"
    with strongroom.init(url, root_key=root_key) as vault:
        made = vault.create_wallet(PROJECT, network).wallet
        assert vault.find_by_address(made.address) == made
        revealed = vault.reveal(made.id, actor="a test", reason="to compare").private_key
        assert TABLE.get(network).parse_private_key(revealed).reveal() != KEY
        wif = Secret.from_text(bitcoin_chains.wif("bitcoin-testnet" if "-s" in network else network)(KEY))
        imported = vault.import_wallet(PROJECT, network, private_key=wif, label="second").wallet
        known = "bitcoin-testnet" if network == "bitcoin-signet" else network
        assert imported.address == bitcoin_chains.address(known, None, KEY)
        assert vault.replace_wallet(made.id).wallet.address != made.address
        assert [result.error for result in vault.verify()] == [None, None, None]
        if network in FORKS:
            with pytest.raises(UnsupportedSigningError):
                vault.sign(imported.id, "message", "hello", actor="a test", reason="to be refused")
        else:
            assert vault.sign(imported.id, "message", "hello", actor="a test", reason="to sign")
    assert {each["code"] for each in document(url, "--root-key", root_key)["findings"]} <= {"no-guard"}


def test_a_shielded_address_is_refused_by_its_name(tmp_path: Path) -> None:
    url, root_key = f"sqlite:///{tmp_path / 'vault.db'}", f"file:{tmp_path / 'root.key'}"
    key = Secret.from_text(KEY.hex())
    with strongroom.init(url, root_key=root_key) as vault, pytest.raises(InvalidAddressError, match="Shielded"):
        vault.import_wallet(PROJECT, "zcash", private_key=key, address="zs1" + "q" * 75)


def test_a_row_whose_address_is_of_two_chains_is_adopted_once_it_says_which(
    make_legacy: Callable[..., str], root_key_uri: str
) -> None:
    url = make_legacy("g4", initialised=True)
    old = bitcoin_chains.address("bitcoin", "legacy", KEY)
    wallet = add_wallet(url, old, FOREIGN_TEXT, **UNNAMED)
    project = project_of(url, wallet)
    with strongroom.open(url, root_key=root_key_uri) as vault:
        for network in ("bitcoin", "bitcoin-cash"):
            with pytest.raises(AmbiguousAddressError) as caught:
                vault.create_wallet(project, network)
            assert "bitcoin or bitcoin-cash" in str(caught.value)
        assert vault.create_wallet(project, "litecoin").created
        execute(url, "UPDATE project_credentials SET network = 'bitcoin-cash' WHERE id = ?", (wallet,))
        adopted = vault.create_wallet(project, "bitcoin-cash")
        assert (adopted.wallet.id, adopted.created) == (wallet, False)
        assert vault.create_wallet(project, "bitcoin").created
        assert vault.find_by_address(old).id == wallet


def test_a_row_without_the_prefix_of_its_address_is_found_by_every_spelling(
    make_legacy: Callable[..., str], root_key_uri: str
) -> None:
    url = make_legacy("g4", initialised=True)
    address = bitcoin_chains.address("bitcoin-cash", None, KEY)
    body = address.partition(":")[2]
    wallet = add_wallet(url, body, FOREIGN_TEXT, **UNNAMED)
    with strongroom.open(url, root_key=root_key_uri) as vault:
        for text in (address, address.upper(), body, body.upper()):
            assert vault.find_by_address(text).id == wallet
        with pytest.raises(InvalidAddressError):
            vault.find_by_address(f"bchtest:{body}")


def test_doctor_is_precise_where_the_row_or_the_key_says_which_chain_and_asks_where_neither_does(
    make_legacy: Callable[..., str], root_key_uri: str
) -> None:
    url = make_legacy("g4", initialised=True)
    legacy, nested = (bitcoin_chains.address("bitcoin", variant, KEY) for variant in ("legacy", "nested"))
    cash, bare = bitcoin_chains.address("bitcoin-cash", None, KEY), KEY.hex()
    rows = {
        "named": (legacy, bare, "bitcoin-cash", "bitcoin-cash, bip44"),
        "named bitcoin": (legacy, bare, "bitcoin", "bitcoin, bip44"),
        "cash": (cash, bare, "ethereum", "bitcoin-cash, bip44"),
        "cash without prefix": (cash.partition(":")[2], bare, "ethereum", "bitcoin-cash, bip44"),
        "script, bitcoin's key": (nested, bitcoin_chains.wif("bitcoin")(KEY), "ethereum", "bitcoin, bip49"),
        "script, litecoin's key": (nested, bitcoin_chains.wif("litecoin")(KEY), "ethereum", "litecoin, bip49"),
        "unnamed": (legacy, bare, "ethereum", None),
        "unnamed, WIF of both": (legacy, bitcoin_chains.wif("bitcoin")(KEY), "ethereum", None),
        "script unnamed": (nested, bare, "ethereum", None),
        "another key": (nested, OTHER.hex(), "ethereum", None),
        **{
            name: (bitcoin_chains.address(name, None, KEY), bitcoin_chains.wif(name)(KEY), "ethereum", f"{name}, bip")
            for name in FORKS
        },
    }
    wallets = {
        name: add_wallet(url, address, text, network=network, credential_type="wallet")
        for name, (address, text, network, _) in rows.items()
    }
    found = document(url, "--root-key", root_key_uri)
    for name, (_, _, _, said) in rows.items():
        told = finding(found, "plaintext-key", wallets[name])
        if said is None:
            assert "is ambiguous, and its row does not say which: bitcoin or " in told["evidence"], name
            assert told["repair"] == "ask", name
        else:
            assert f"derives the stored address ({said}" in told["evidence"], name
            assert told["repair"] == "seal", name
    assert not [each for each in found["findings"] if each["code"] in ("address-mismatch", "unreadable")]
