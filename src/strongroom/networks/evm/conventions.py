"""Where wallets of Ethereum keep the keys of a phrase: tried when nobody says which path it was. Data, with sources.

An entry is a scheme, a path, who derives there, and where that can be read up. ``{account}`` and ``{index}`` stand for
numbers from 0 (see ``strongroom.records.conventions``). What is more usual comes first.
"""

from __future__ import annotations

from dataclasses import replace

from strongroom.records.conventions import Convention, Conventions

_SLIP44 = "SLIP-0044, and wallets that give each chain a coin type of its own (Trust Wallet, wallet-core registry.json)"
_MEW = "MyEtherWallet and MyCrypto, lists of derivation paths (MyCrypto: common/config/dpaths.ts)"
_RSK = "RSKIP-57, Derivation path for hierarchical deterministic wallets"
_LEDGER = "Ledger Support, 'Derivation paths', and Ledger's BIP-39 tool on the Chrome application of before 2019"

EVM: Conventions = (
    Convention(
        "bip44",
        "m/44'/60'/{account}'/0/{index}",
        "MetaMask, Trezor, Trust, Exodus, Coinomi, MEW, imToken; with another account Ledger Live",
        "BIP-44; SLIP-0044; Ledger Live: m/44'/60'/n'/0/0",
    ),
    Convention("bip44", "m/44'/60'/0'/{index}", "Ledger's old application, MEW and MyCrypto with Ledger", _LEDGER),
    Convention("bip44", "m/44'/60'/{account}'/0", "scripts that stop a level early; Ledger's old accounts", _MEW),
    Convention("bip44", "m/44'/60'/{account}'", "KeepKey and scripts that stop at the account", _MEW),
    Convention(
        "bip44", "m/44'/60'/0'/{account}'/{index}", "Exodus-like scripts that harden the change", _MEW, rare=True
    ),
    Convention("bip44", "m/44'/60'/{index}", "scripts without an account", _MEW, rare=True),
    Convention("bip44", "m/44'/60'/0/{index}", "scripts whose account is not hardened", _MEW, rare=True),
    Convention("bip44", "m/44'/1'/{account}'/0/{index}", "testnets (MEW, Trezor)", _MEW, rare=True),
    Convention(
        "bip44", "m/44'/61'/{account}'/0/{index}", "Ethereum Classic: Trezor, Ledger Live, Trust", _MEW, rare=True
    ),
    Convention("bip44", "m/44'/60'/160720'/0'/{index}", "Ethereum Classic on Ledger", _LEDGER, rare=True),
    Convention("bip44", "m/44'/60'/160720'/0/{index}", "Ethereum Classic on Ledger, transitional", _LEDGER, rare=True),
    Convention("bip44", "m/44'/714'/{account}'/0/{index}", "BNB: Trust Wallet's first coin type", _SLIP44, rare=True),
    Convention("bip44", "m/44'/9006'/{account}'/0/{index}", "BNB Smart Chain by its own coin type", _SLIP44, rare=True),
    Convention("bip44", "m/44'/9000'/{account}'/0/{index}", "Avalanche by its own coin type", _SLIP44, rare=True),
    Convention(
        "bip44", "m/44'/9005'/{account}'/0/{index}", "Avalanche C-Chain by its own coin type", _SLIP44, rare=True
    ),
    Convention("bip44", "m/44'/966'/{account}'/0/{index}", "Polygon by its own coin type", _SLIP44, rare=True),
    Convention("bip44", "m/44'/137'/{account}'/0/{index}", "Rootstock: Trezor, Ledger, Nifty", _RSK, rare=True),
    Convention("bip44", "m/44'/37310'/{account}'/0/{index}", "Rootstock's testnet", _RSK, rare=True),
    Convention(
        "bip44", "m/44'/52752'/{account}'/0/{index}", "Celo: Valora, Ledger's Celo application", _SLIP44, rare=True
    ),
    Convention("bip44", "m/44'/40'/0'/0/{index}", "Expanse", _MEW, rare=True),
    Convention("bip44", "m/44'/108'/0'/0/{index}", "Ubiq", _MEW, rare=True),
    Convention("bip44", "m/44'/163'/0'/0/{index}", "Ellaism", _MEW, rare=True),
    Convention("bip44", "m/0'/0'/0'", "SingularDTV", _MEW, rare=True),
    Convention("bip44", "m/0'/0'/{index}'", "SingularDTV's further addresses", _MEW, rare=True),
    Convention(
        "bip44",
        "m",
        "scripts that take the root of the tree",
        "ethers, HDNode.fromMnemonic without derivePath",
        rare=True,
    ),
    Convention(
        "bip44", "m/{index}", "scripts that take children of the root", "ethers, HDNode.fromMnemonic", rare=True
    ),
    Convention(
        "bip44", "m/0/{index}", "BIP-32's own example of a wallet", "BIP-32, 'The default wallet layout'", rare=True
    ),
    Convention("bip44", "m/0'/0/{index}", "BIP-32's own example of a wallet, hardened", "BIP-32", rare=True),
)
"""Ethereum and the chains that share its addresses."""


def _is_of_rootstock(each: Convention) -> bool:
    return (each.path or "").startswith(("m/44'/137'/", "m/44'/37310'/"))


ROOTSTOCK: Conventions = (
    EVM[0],
    *(replace(each, rare=False) for each in EVM if _is_of_rootstock(each)),
    *(each for each in EVM[1:] if not _is_of_rootstock(each)),
)
"""Rootstock: wallets that were made for it derive by its own coin types, MetaMask as everywhere."""
