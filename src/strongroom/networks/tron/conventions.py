"""Where wallets of Tron keep the keys of a phrase: tried when nobody says which path it was. Data, with sources.

An entry is a scheme, a path, who derives there, and where that can be read up. ``{account}`` and ``{index}`` stand for
numbers from 0 (see ``strongroom.records.conventions``). What is more usual comes first.
"""

from __future__ import annotations

from strongroom.records.conventions import Convention, Conventions

_TRONWEB = "TronWeb, createRandom and fromMnemonic: m/44'/195'/0'/0/0 and no other coin type"
_LEDGER = "Ledger Support, 'Derivation paths'; Ledger Live: m/44'/195'/n'/0/0"
_TRONLINK = "TronLink Support, 'Derivation path of an account': the account's number, then the index"

TRON: Conventions = (
    Convention(
        "bip44",
        "m/44'/195'/{account}'/0/{index}",
        "TronLink, Trust, Exodus, TokenPocket, imToken; with another account Ledger Live and TronLink",
        f"BIP-44; SLIP-0044; {_TRONLINK}; {_LEDGER}; {_TRONWEB}",
    ),
    Convention("bip44", "m/44'/195'/0'/{index}", "scripts that leave the change out", _TRONLINK, rare=True),
    Convention("bip44", "m/44'/195'/{account}'", "scripts that stop at the account", _LEDGER, rare=True),
    Convention(
        "bip44",
        "m/44'/60'/{account}'/0/{index}",
        "keys of an EVM wallet that are used on Tron, too: applications that keep one key for both",
        "tronprotocol/documentation: an account's key is one of secp256k1, as Ethereum's",
        rare=True,
    ),
    Convention("bip44", "m", "scripts that take the root of the tree", "BIP-32", rare=True),
)
"""Tron and its testnets."""
