"""Where wallets of Polkadot keep the keys of a phrase: tried when nobody says which path it was. Data, with sources.

An entry is a scheme, a path, who derives there, and where that can be read up. ``{account}`` and ``{index}`` stand for
numbers from 0. What is more usual comes first. Ledger's keys are none of these: its tree is another one.
"""

from __future__ import annotations

from functools import cache

from strongroom.networks.polkadot.junctions import ROOT
from strongroom.records.conventions import Convention, Conventions

SR25519 = "sr25519"
ED25519 = "ed25519"

_VAULT = "Polkadot Vault documentation, 'Key sets and derived keys'"


@cache
def polkadot(coin_type: int) -> Conventions:
    """Where wallets keep keys in the tree of a phrase."""
    return (
        Convention(
            SR25519,
            ROOT,
            "polkadot-js, Talisman, SubWallet, Nova: the first account",
            "polkadot-js common, keyring.addFromUri; substrate-bip39",
        ),
        Convention(
            SR25519,
            "//{index}",
            "polkadot-js extension and Talisman, further accounts (from //0)",
            "Talisman, getNextDerivationPathForMnemonic; polkadot-js extension, 'Derive new account'",
        ),
        Convention(SR25519, "//polkadot", "Polkadot Vault, of Polkadot", _VAULT),
        Convention(SR25519, "//polkadot//{index}", "Polkadot Vault, of Polkadot, further keys", _VAULT),
        Convention(SR25519, "//kusama", "Polkadot Vault, of Kusama", _VAULT),
        Convention(SR25519, "//kusama//{index}", "Polkadot Vault, of Kusama, further keys", _VAULT),
        Convention(SR25519, "//westend", "Polkadot Vault, of Westend", _VAULT, rare=True),
        Convention(
            SR25519, "//{account}//{index}", "accounts derived from derived ones", "subkey, examples", rare=True
        ),
        Convention(SR25519, "//stash", "validators of the genesis, a stash", "subkey, 'prepare-test-net'", rare=True),
        Convention(
            ED25519,
            f"m/44'/{coin_type}'/{{account}}'/0'/{{index}}'",
            "Trust Wallet (SLIP-10; no Ledger)",
            "Trust wallet-core registry.json ('polkadot', 'kusama')",
        ),
        Convention(
            ED25519, f"m/44'/{coin_type}'/{{account}}'", "scripts that leave the rest out", "SLIP-44", rare=True
        ),
    )
