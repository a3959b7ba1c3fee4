"""Where wallets of TON keep the keys of a phrase: tried when nobody says which path it was. Data, with sources.

An entry is a scheme (which contract holds the key), a path, who derives there, and where that can be read up.
``{account}`` and ``{index}`` stand for numbers from 0. What is more usual comes first. The 24 words that most wallets
of TON make are no BIP-39 phrase, and have one key without a path: they are a text form of a private key.
"""

from __future__ import annotations

from strongroom.networks.ton.contracts import V3R2, V4R2, V5R1
from strongroom.records.conventions import Convention, Conventions

_ACCOUNTS = "m/44'/607'/{account}'"
_LEDGER = "m/44'/607'/0'/0'/{account}'/0'"
_LEDGER_TESTNET = "m/44'/607'/1'/0'/{account}'/0'"
_LEDGER_SOURCE = "@ton-community/ton-ledger, README, 'Derivation Path': network, chain, account, 0"

TON: Conventions = (
    Convention(
        V5R1,
        _ACCOUNTS,
        "wallets that take BIP-39 phrases, as they make new accounts since 2024",
        "ton-blockchain/wallet-contract-v5, README; SLIP-44",
    ),
    Convention(
        V4R2,
        _ACCOUNTS,
        "Trust Wallet, OneKey, other wallets before 2024",
        "Trust wallet-core registry.json ('ton') and src/TheOpenNetwork; OneKey connect examples, tonGetAddress",
    ),
    Convention(V4R2, _LEDGER, "Ledger (every wallet that uses its app)", _LEDGER_SOURCE),
    Convention(
        V3R2, _ACCOUNTS, "wallets before 2022", "ton-blockchain/ton, crypto/smartcont/wallet3-code.fif; SLIP-44"
    ),
    Convention(V5R1, _LEDGER, "Ledger, since its app knows version 5", _LEDGER_SOURCE, rare=True),
    Convention(V3R2, _LEDGER, "Ledger with a subwallet of version 3", _LEDGER_SOURCE, rare=True),
    Convention(V4R2, _LEDGER_TESTNET, "Ledger on the testnet", _LEDGER_SOURCE, rare=True),
    Convention(V4R2, "m/44'/607'/0'/0'/{index}'", "scripts with BIP-44's places", "SLIP-44, BIP-44", rare=True),
    Convention(V5R1, "m/44'/607'/0'/0'/{index}'", "scripts with BIP-44's places", "SLIP-44, BIP-44", rare=True),
)
"""Where wallets keep the keys of TON in the tree of a phrase."""
