"""Accounts of every network: there, missing, or without the library that they are for."""

from __future__ import annotations

import subprocess
import sys

import pytest

from strongroom import accounts
from strongroom.errors import MissingExtraError, UnsupportedSigningError
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
