"""Where wallets of Sui keep the keys of a phrase: tried when nobody says which path it was. Data, with sources.

An entry is a scheme, a path, who derives there, and where that can be read up. ``{account}`` and ``{index}`` stand for
numbers from 0 (see ``strongroom.records.conventions``). What is more usual comes first.
"""

from __future__ import annotations

from strongroom.records.conventions import Convention, Conventions

_DOCS = "Sui Documentation, 'Keys and Addresses'"
_KEYTOOL = "MystenLabs/sui, crates/sui-keys/src/key_derive.rs: the number of a key is the last element"

SUI: Conventions = (
    Convention(
        "slip10",
        "m/44'/784'/{account}'/0'/{index}'",
        "Slush (Sui Wallet), Suiet, OKX, Ledger at another account; sui keytool and Trust Wallet at account 0",
        f"{_DOCS}; {_KEYTOOL}",
    ),
    Convention(
        "secp256k1",
        "m/54'/784'/{account}'/0/{index}",
        "sui keytool with --key-scheme secp256k1, Secp256k1Keypair.deriveKeypair of the SDK",
        f"{_DOCS}; {_KEYTOOL}",
    ),
    Convention("slip10", "m/44'/784'/{account}'", "scripts that stop at the account", "ed25519-hd-key", rare=True),
    Convention("slip10", "m/44'/784'/0'/{index}'", "scripts without a change", "ed25519-hd-key", rare=True),
    Convention(
        "secp256k1",
        "m/44'/784'/{account}'/0/{index}",
        "scripts that keep the purpose of BIP-44 for secp256k1; the SDK refuses it",
        "BIP-44",
        rare=True,
    ),
)
"""Sui and its testnets."""
