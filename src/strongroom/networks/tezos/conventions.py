"""Where wallets of Tezos keep the keys of a phrase. Data, with sources; what is more usual comes first."""

from __future__ import annotations

from strongroom.networks.variants import RAW_SEED
from strongroom.records.conventions import Convention, Conventions

_TREZOR = "trezor-firmware, docs/misc/coins-bip44-paths.md"
_TAQUITO = "@taquito/signer, InMemorySigner.fromMnemonic"

TEZOS: Conventions = (
    Convention(
        "slip10",
        "m/44'/1729'/{account}'/0'",
        "Temple, Kukai, Umami, AirGap, Ledger Live, Trust, Taquito",
        f"{_TAQUITO}; umami-v2, derivationPathUtils.ts; Trust wallet-core registry.json",
    ),
    Convention(
        RAW_SEED,
        None,
        "Galleon, TezBox, Kukai's first wallets, pytezos (Key.from_mnemonic); the fundraiser, whose passphrase is the "
        "e-mail address and the password",
        "pytezos, Key.from_mnemonic; @taquito/signer, InMemorySigner.fromFundraiser",
    ),
    Convention("slip10", "m/44'/1729'/{account}'", "Trezor", _TREZOR),
    Convention("slip10", "m/44'/1729'/0'/{index}'", "Galleon with Ledger; further addresses", "octez, ledger paths"),
    Convention(
        "bip44",
        "m/44'/1729'/{account}'/0'",
        "Taquito, octez-client with Ledger (secp256k1/0h/0h)",
        f"{_TAQUITO} with the curve secp256k1; octez, ledger paths",
    ),
    Convention(
        "bip44", "m/44'/1729'/{account}/{index}", "Taquito with elements that are not hardened", _TAQUITO, rare=True
    ),
    Convention(
        "bip44", "m/44'/1729'/{account}'/0/{index}", "libraries that keep to BIP-44", "BIP-44 on secp256k1", rare=True
    ),
)
"""Where wallets keep the keys of Tezos in the tree of a phrase."""
