"""Keys and addresses of Polkadot and Kusama, by bip_utils."""

from __future__ import annotations

from bip_utils import (
    Bip32Slip10Ed25519,
    Bip39SeedGenerator,
    Ed25519PrivateKey,
    Substrate,
    SubstrateBip39SeedGenerator,
    SubstrateCoins,
    SubstrateEd25519AddrEncoder,
)

COINS = {"polkadot": SubstrateCoins.POLKADOT, "kusama": SubstrateCoins.KUSAMA}
_PREFIXES = {"polkadot": 0, "kusama": 2}
_COIN_TYPES = {"polkadot": 354, "kusama": 434}


def address_of_key(network: str, variant: str | None, key: bytes) -> str:
    """The address of 32 bytes: a mini-secret, or a seed of Ed25519."""
    if variant == "ed25519":
        public = Ed25519PrivateKey.FromBytes(key).PublicKey()
        return str(SubstrateEd25519AddrEncoder.EncodeKey(public, ss58_format=_PREFIXES[network]))
    return str(Substrate.FromSeed(key, COINS[network]).PublicKey().ToAddress())


def address_of_phrase(network: str, words: str, path: str, passphrase: str = "") -> str:
    """The address at a path: ``m`` or ``//1`` of sr25519, ``m/44'/...`` of Ed25519."""
    if path.startswith("m/"):
        tree = Bip32Slip10Ed25519.FromSeedAndPath(Bip39SeedGenerator(words).Generate(passphrase), path)
        return address_of_key(network, "ed25519", tree.PrivateKey().Raw().ToBytes())
    root = Substrate.FromSeed(SubstrateBip39SeedGenerator(words).Generate(passphrase), COINS[network])
    return str((root if path == "m" else root.DerivePath(path)).PublicKey().ToAddress())


def usual_path(network: str, variant: str | None, account: int, index: int) -> str:
    """Where wallets have a key of a phrase."""
    if variant == "ed25519":
        return f"m/44'/{_COIN_TYPES[network]}'/{account}'/0'/{index}'"
    return f"//{account}" if account else "m"
