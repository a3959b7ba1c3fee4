"""Where wallets of Solana keep the keys of a phrase: tried when nobody says which path it was. Data, with sources.

An entry is a scheme, a path, who derives there, and where that can be read up. ``{account}`` and ``{index}`` stand for
numbers from 0 (see ``strongroom.records.conventions``). What is more usual comes first.
"""

from __future__ import annotations

from strongroom.networks.variants import RAW_SEED
from strongroom.records.conventions import Convention, Conventions

SOLLET = "sollet"
"""The scheme whose key is one of BIP-32 on secp256k1, taken as the seed of Ed25519."""

_SOLLET = "project-serum/spl-token-wallet, src/utils/wallet-seed.js and walletProvider/localStorage.js"

SOLANA: Conventions = (
    Convention(
        "slip10",
        "m/44'/501'/{account}'/0'",
        "Phantom, Solflare, Backpack, Sollet (bip44Change), solana-keygen with a path",
        "Phantom Help, 'Derivation paths'; Solana cookbook, 'Restore a keypair from a mnemonic'; " + _SOLLET,
    ),
    Convention(
        "slip10",
        "m/44'/501'/{account}'",
        "Ledger Live, Trust, Sollet (bip44), Coinomi, Solflare's old wallets",
        f"Ledger Support, 'Derivation paths'; Trust wallet-core registry.json; {_SOLLET}",
    ),
    Convention(
        RAW_SEED,
        None,
        "solana-keygen new and recover (ASK) without a path, many scripts",
        "Solana cookbook, 'Restoring BIP39 format mnemonics'; solana-sdk, keypair_from_seed_phrase_and_passphrase",
    ),
    Convention("slip10", "m/44'/501'", "solana-keygen's base path, Glow's first account", "solana-derivation-path"),
    Convention(
        SOLLET,
        "m/501'/{account}'/0/{index}",
        "Sollet before 2021 (deprecated): a key of BIP-32 is the seed of Ed25519",
        _SOLLET,
    ),
    Convention("slip10", "m/44'/501'/0'/{index}'", "solana-keygen ?key=0/n, further accounts", "solana-remote-wallet"),
    Convention(
        "slip10",
        "m/44'/501'/{account}'/0'/{index}'",
        "Exodus (m/44'/501'/0'/0/0, each element hardened)",
        "Exodus Support, 'Derivation paths in Exodus'",
    ),
    Convention("slip10", "m/501'/{account}'/0'/{index}'", "Sollet's path with SLIP-10", _SOLLET, rare=True),
    Convention(
        "slip10", "m/501'/{account}'", "scripts without a purpose", "ed25519-hd-key, examples of its users", rare=True
    ),
    Convention("slip10", "m/501'", "scripts without a purpose", "ed25519-hd-key, examples of its users", rare=True),
    Convention("slip10", "m", "scripts that take the root of the tree", "SLIP-0010", rare=True),
    Convention(
        SOLLET, "m/44'/501'/{account}'/0/{index}", "BIP-32 in the place of SLIP-10", "bip32 and tweetnacl", rare=True
    ),
)
"""Where wallets keep the keys of Solana in the tree of a phrase."""
