"""Accounts of every network: there, missing, or without the library that they are for."""

from __future__ import annotations

import subprocess
import sys

import pytest
from eth_account.messages import encode_defunct

from strongroom import accounts
from strongroom.errors import MissingExtraError, SignatureRefusedError, UnsupportedSigningError
from testbed.networks import solana_payloads
from testbed.networks.evm_payloads import DYNAMIC_FEE
from testbed.networks.solana_payloads import OWN, SEED
from tests.unit.accounts.stand_in import StandInVault

KEY = b"\x01" * 32


@pytest.mark.parametrize(
    ("network", "package", "extra"), [("polygon", "eth_account", "web3"), ("solana", "solders", "solana")]
)
def test_a_missing_library_is_named_with_its_extra(
    network: str, package: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accounts, "find_spec", lambda name: None if name == package else object())
    with pytest.raises(MissingExtraError, match=package) as caught:
        StandInVault(network, KEY).account()
    assert f"strongroom[{extra}]" in caught.value.hint


def test_bitcoin_has_no_account_objects() -> None:
    with pytest.raises(UnsupportedSigningError, match="bitcoin"):
        StandInVault("bitcoin", KEY).account()


@pytest.mark.parametrize("network", ["ethereum", "solana"])
def test_an_unknown_permission_is_refused(network: str) -> None:
    with pytest.raises(UnsupportedSigningError, match="everything"):
        StandInVault(network, KEY).account(everything=True)


def test_importing_accounts_loads_no_library() -> None:
    program = "import sys, strongroom.accounts; sys.exit(bool({'eth_account', 'solders', 'web3'} & sys.modules.keys()))"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_an_account_has_a_limit_of_fees_of_its_own() -> None:
    """For callers that pass no options, such as the middleware of web3.py."""
    dear = {**DYNAMIC_FEE, "maxFeePerGas": 10**15}
    most = dear["gas"] * dear["maxFeePerGas"]
    vault = StandInVault("ethereum", KEY)
    with pytest.raises(SignatureRefusedError, match="limit"):
        vault.account().sign_transaction(dear)
    assert vault.account(max_fee=most).sign_transaction(dear)
    with pytest.raises(SignatureRefusedError, match="limit"):
        vault.account(max_fee=most).sign_transaction(dear, max_fee=most - 1)
    vault.account(max_fee=0).sign_message(encode_defunct(text="hello"))
    cheap = solana_payloads.v0(OWN)
    vault = StandInVault("solana", SEED)
    for verb, payload in (("sign_transaction", cheap), ("presigner", cheap.message)):
        with pytest.raises(SignatureRefusedError, match="limit of 4999"):
            getattr(vault.account(max_fee=4999), verb)(payload)
        assert getattr(vault.account(max_fee=5000), verb)(payload)
