"""Where wallets of NEAR keep the keys of a phrase: tried when nobody says which path it was. Data, with sources.

An entry is a scheme, a path, who derives there, and where that can be read up. ``{account}`` and ``{index}`` stand for
numbers from 0 (see ``strongroom.records.conventions``). What is more usual comes first.
"""

from __future__ import annotations

from strongroom.records.conventions import Convention, Conventions

_SEED_PHRASE = "near/near-seed-phrase, index.js: KEY_DERIVATION_PATH m/44'/397'/0'"
_LEDGER = "near/near-ledger-rs and near-cli: 44'/397'/0'/0'/1'"

NEAR: Conventions = (
    Convention(
        "slip10",
        "m/44'/397'/{account}'",
        "MyNearWallet, Meteor, HERE, near-cli, Trust Wallet",
        f"SLIP-0044; {_SEED_PHRASE}; Meteor's SDK, NEAR_ED25519_KEY_DERIVATION_PATH; Trust wallet-core registry.json",
    ),
    Convention(
        "slip10",
        "m/44'/397'/0'/0'/{index}'",
        "Ledger, whose first key is at index 1",
        _LEDGER,
    ),
    Convention(
        "slip10",
        "m/44'/397'/{account}'/0'/0'",
        "wallets that give every Ed25519 chain five levels",
        "Exodus Support, 'Derivation paths in Exodus'",
        rare=True,
    ),
    Convention("slip10", "m/44'/397'/{account}'/0'", "scripts with four levels", "ed25519-hd-key", rare=True),
)
"""NEAR and its testnet."""
