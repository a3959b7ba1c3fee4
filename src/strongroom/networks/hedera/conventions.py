"""Where wallets of Hedera keep the keys of a phrase: tried when nobody says which path it was. Data, with sources.

An entry is a scheme, a path, who derives there, and where that can be read up. ``{account}`` and ``{index}`` stand for
numbers from 0 (see ``strongroom.records.conventions``). What is more usual comes first.
"""

from __future__ import annotations

from strongroom.records.conventions import Convention, Conventions

_SDK = "Hiero's SDKs: Mnemonic.toStandardECDSAsecp256k1PrivateKey, toStandardEd25519PrivateKey"

HEDERA: Conventions = (
    Convention("bip44", "m/44'/3030'/{account}'/0/{index}", "HashPack and the SDKs, ECDSA", f"SLIP-0044; {_SDK}"),
    Convention(
        "slip10",
        "m/44'/3030'/{account}'/0'/{index}'",
        "HashPack, Ledger, Trust Wallet and the SDKs, Ed25519",
        f"{_SDK}; Trust wallet-core registry.json",
    ),
    Convention("bip44", "m/44'/60'/{account}'/0/{index}", "MetaMask", "SLIP-0044; HIP-583"),
    Convention("slip10", "m/44'/3030'/{account}'", "scripts that stop at the account", "ed25519-hd-key", rare=True),
)
"""Hedera and its test networks."""
